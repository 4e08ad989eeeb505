//! The admin listener: `/healthz`, `/readyz`, `/metrics`. No credentials are taken and none are given.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daypass_directory::Directory;
use daypass_service::federation::KeysHealth;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::accept::Entrance;
use crate::anchor_metrics;
use crate::http::converse;
use crate::metrics::{Condition, Metrics};
use crate::tls::Tls;

/// Connections at once: a probe and a scraper or two, and somebody who looks.
const CONNECTIONS_MAX: usize = 64;

/// How long a connection may be silent: whoever takes all places must not keep a probe waiting until it gives up.
const IDLE_TIME_MAX: Duration = Duration::from_secs(2);

/// Providers that `/readyz` names at most.
const PROVIDERS_TOLD_MAX: usize = 20;
/// Of one account, before any account is told of with more.
const PROVIDERS_OF_ACCOUNT_TOLD_FIRST: usize = 3;

/// What the admin listener shows.
pub(crate) struct Admin {
    /// Whether this node follows the store, and can write to it.
    pub(crate) directory: Arc<Directory>,
    /// Counters.
    pub(crate) metrics: Arc<Metrics>,
    /// Whether the audit can be written.
    pub(crate) audit: Arc<crate::audit_file::AuditFile>,
    /// How many sessions the session log does not have, or its file.
    pub(crate) sessions_lost: Box<dyn Fn() -> u64 + Send + Sync>,
    /// How it stands with the keys of identity providers, and when that is.
    pub(crate) providers: Box<dyn Fn() -> (Timestamp, Vec<KeysHealth>) + Send + Sync>,
    /// The certificate that clients see, if they speak TLS with us.
    pub(crate) tls: Option<Arc<Tls>>,
    /// How many times the process was told to stop.
    pub(crate) told_to_stop: watch::Receiver<u32>,
}

/// Answer until the process ends.
pub(crate) async fn serve(listener: TcpListener, admin: Arc<Admin>) {
    let mut entrance = Entrance::new("admin", listener, CONNECTIONS_MAX);
    let (_keep_open, open) = watch::channel(());
    loop {
        let ((stream, peer), place) = entrance.next().await;
        let (admin, open) = (admin.clone(), open.clone());
        tokio::spawn(async move {
            let answer = move |request: Request<Incoming>| {
                let admin = admin.clone();
                async move { admin.answer(request.uri().path()).await }
            };
            converse(stream, peer.ip(), IDLE_TIME_MAX, open, answer).await;
            drop(place);
        });
    }
}

impl Admin {
    async fn answer(&self, path: &str) -> Response<Full<Bytes>> {
        match path {
            "/healthz" => healthy(),
            "/readyz" => self.ready().await,
            "/metrics" => {
                self.metrics.observe(self.condition().await);
                let (now, providers) = (self.providers)();
                self.metrics.observe_providers(providers, now);
                self.metrics.observe_anchors(anchor_metrics::ends(&self.directory.snapshot()));
                let mut response = plain(StatusCode::OK, self.metrics.render());
                let kind = http::HeaderValue::from_static(
                    "application/openmetrics-text; version=1.0.0; charset=utf-8",
                );
                response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
                response
            }
            _ => plain(StatusCode::NOT_FOUND, "not found; try /healthz, /readyz or /metrics\n".into()),
        }
    }

    async fn ready(&self) -> Response<Full<Bytes>> {
        let followed = self.directory.health().map(|revision| format!("followed to revision {revision}"));
        let written = |health: Result<(), String>| health.map(|()| "written".to_owned());
        let mut status = StatusCode::OK;
        let lines = [
            ("store", followed),
            ("store", written(self.directory.writable().await)),
            ("audit", written(self.audit.health())),
        ]
        .map(|(what, health)| {
            if health.is_err() {
                status = StatusCode::SERVICE_UNAVAILABLE;
            }
            let (Ok(how) | Err(how)) = health;
            format!("{what}: {how}\n")
        });
        let mut lines = lines.concat();
        if let Some(tls) = &self.tls {
            // No reason to send nobody here: the certificate in use may be good, and another node has the same files.
            lines.push_str(&format!("tls: {}\n", tls.health()));
        }
        // Nor is this: whoever another provider vouches for, or nobody, finds everything in order.
        lines.push_str(&failing(&(self.providers)().1));
        if *self.told_to_stop.borrow() > 0 {
            // From then on the API's door is shut.
            status = StatusCode::SERVICE_UNAVAILABLE;
            lines.push_str("serve: stopping\n");
        }
        plain(status, lines)
    }

    async fn condition(&self) -> Condition {
        Condition {
            follows_store: self.directory.health().is_ok(),
            store_writable: self.directory.writable().await.is_ok(),
            audit_writable: self.audit.health().is_ok(),
            audit_lines_lost: self.audit.lines_lost(),
            sessions_lost: (self.sessions_lost)(),
            certificate_until: self.tls.as_ref().map(|tls| tls.expires()),
        }
    }
}

/// A line for each provider whose keys cannot be fetched, for the first of them: of no account many before another's first.
fn failing(providers: &[KeysHealth]) -> String {
    let failing = providers.iter().filter_map(|health| Some((&health.provider, health.failing_since?)));
    let mut of_account: HashMap<Option<&str>, usize> = HashMap::new();
    let mut failing: Vec<_> = failing
        .map(|(provider, since)| {
            let before = of_account.entry(provider.split(':').nth(4)).or_default();
            *before += 1;
            (*before, provider, since)
        })
        .collect();
    // Stable: of those that are as many in their accounts, the first that failed.
    failing.sort_by_key(|(before, ..)| before.div_ceil(PROVIDERS_OF_ACCOUNT_TOLD_FIRST));
    let mut lines: Vec<String> = failing
        .into_iter()
        .map(|(_, provider, since)| {
            let since = Timestamp::from_second(since).unwrap_or_default();
            format!("provider: {provider} has not given what it was asked for since {since}\n")
        })
        .collect();
    if lines.len() > PROVIDERS_TOLD_MAX {
        let more = lines.len() - PROVIDERS_TOLD_MAX;
        lines.truncate(PROVIDERS_TOLD_MAX);
        lines.push(format!("provider: nor have {more} others\n"));
    }
    lines.concat()
}

/// The process answers, and says what it is: a second server that wants the port learns whom it met.
pub(crate) fn healthy() -> Response<Full<Bytes>> {
    plain(StatusCode::OK, format!("daypass {}\n", env!("CARGO_PKG_VERSION")))
}

fn plain(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use daypass_store::{Commit, MemoryStore, Store};
    use http_body_util::BodyExt;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    use daypass_authn::token::MasterKey;
    use daypass_service::AuditLog;

    use super::*;
    use crate::assemble::{Assembled, assemble};
    use crate::audit_file::AuditLines;
    use crate::config::{Config, ServeArgs};
    use crate::scratch::Scratch;

    #[tokio::test]
    async fn whoever_connects_and_says_nothing_is_let_go_here_too() {
        let dir = Scratch::new("admin");
        let data = Some(dir.path().to_owned());
        let config = Config::load(ServeArgs { data, ..ServeArgs::default() }).unwrap();
        let Assembled { house, audit, metrics, data, .. } = assemble(&config).await.unwrap();
        let (_tell, told_to_stop) = watch::channel(0);
        let admin = Admin {
            directory: house.directory.clone(),
            metrics,
            audit,
            sessions_lost: Box::new(|| 3),
            providers: Box::new(|| (Timestamp::UNIX_EPOCH, Vec::new())),
            tls: None,
            told_to_stop,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(listener, Arc::new(admin)));
        tokio::time::pause();
        let mut silent = TcpStream::connect(address).await.unwrap();
        let closed = timeout(Duration::from_secs(32), silent.read(&mut [0])).await;
        assert_eq!(closed.unwrap().unwrap(), 0);
        serving.abort();
        drop((house, data));
    }

    #[test]
    fn providers_that_fail_are_named_up_to_twenty() {
        let health = |n: usize, failing_since| KeysHealth {
            provider: format!("arn:aws:iam::111122223333:oidc-provider/{n}.example"),
            fetched_at: Some(1),
            failing_since,
        };
        assert_eq!(failing(&[health(1, None)]), "");
        let line = "provider: arn:aws:iam::111122223333:oidc-provider/2.example has not given what it was asked for since 1970-01-01T00:01:00Z\n";
        assert_eq!(failing(&[health(2, Some(60)), health(1, None)]), line);
        let mut many: Vec<KeysHealth> = (0..25).map(|n| health(n, Some(60))).collect();
        let lines = failing(&many);
        assert!(lines.lines().count() == 21 && lines.ends_with("provider: nor have 5 others\n"), "{lines}");
        // Whoever has many such providers does not push out who has one that fails last.
        let another = "arn:aws:iam::444455556666:oidc-provider/last.example";
        many.push(KeysHealth { provider: another.into(), fetched_at: None, failing_since: Some(90) });
        let lines = failing(&many);
        let at = lines.lines().position(|line| line.contains(another));
        assert_eq!((lines.lines().count(), at), (21, Some(3)), "{lines}");
    }

    #[tokio::test]
    async fn a_node_that_no_longer_follows_the_store_is_not_ready() {
        let dir = std::env::temp_dir().join(format!("daypass-unfollowed-{}", std::process::id()));
        let config = Config::load(ServeArgs { data: Some(dir.clone()), ..ServeArgs::default() }).unwrap();
        let Assembled { audit, metrics, data, random, .. } = assemble(&config).await.unwrap();
        let store = Arc::new(MemoryStore::new());
        let master = MasterKey::generate(&*random);
        let clock = Arc::new(daypass_model::SystemClock);
        let directory = Directory::open(store.clone(), master, clock, random).await.unwrap();
        let (_tell, told_to_stop) = watch::channel(0);
        let sessions_lost = Box::new(|| 3);
        let providers = Box::new(|| {
            let provider = "accounts.google.com".to_owned();
            let health = KeysHealth { provider, fetched_at: None, failing_since: Some(60) };
            (Timestamp::from_second(90).unwrap(), vec![health])
        });
        let admin = Admin { directory, metrics, audit, sessions_lost, providers, tls: None, told_to_stop };
        let shown = async |path: &str| {
            let (head, body) = admin.answer(path).await.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            (head.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
        };
        let (status, lines) = shown("/readyz").await;
        assert!(status == 200 && lines.starts_with("store: followed to revision "), "{lines}");
        let failing =
            "provider: accounts.google.com has not given what it was asked for since 1970-01-01T00:01:00Z\n";
        assert!(lines.ends_with(failing), "and is ready all the same: {lines}");
        let failing = r#"daypass_provider_failing_seconds{provider="accounts.google.com"} 30"#;
        assert!(shown("/metrics").await.1.contains(failing));
        assert!(shown("/metrics").await.1.contains("daypass_store_followed 1.0\n"));
        assert!(shown("/metrics").await.1.contains("daypass_audit_lines_lost_total 0\n"));
        // More than may wait of what nobody relies on.
        let too_long = format!("{}\n\n", "x".repeat(16 * 1024 * 1024));
        assert!(!AuditLines(admin.audit.clone()).append(too_long, 0));
        for _ in 0..2 {
            assert!(shown("/metrics").await.1.contains("daypass_audit_lines_lost_total 2\n"));
            assert!(shown("/metrics").await.1.contains("daypass_session_log_lost_total 3\n"));
        }
        // A record that this version cannot read, as only somebody else could have written it.
        let puts = vec![("/keyring".to_owned(), Bytes::from_static(b"{"))];
        store.commit(Commit { puts, ..Commit::new() }).await.unwrap();
        admin.directory.revisions().wait_for(Result::is_err).await.unwrap();
        let (status, lines) = shown("/readyz").await;
        assert!(
            status == 503 && !lines.contains("followed to") && lines.contains("store: written\n"),
            "{lines}"
        );
        assert!(shown("/metrics").await.1.contains("daypass_store_followed 0.0\n"));
        drop(data);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
