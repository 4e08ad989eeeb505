//! `daypass demo`: the first thing a newcomer runs. A server on a free port, a service behind it, and a story in
//! twelve lines, each of them checked.
//!
//! Everything the story does goes through the listeners, signed, over HTTP: it sees what any client would.

mod client;
mod federation;
pub(crate) mod place;
mod report;
mod roles;
mod stage;

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use bucket::Bucket;
use bucket::check::Daypass;
use bucket::folder::Folder;
use daypass_directory::SessionRules;
use daypass_model::SystemClock;
use daypass_service::doors::SignIn;
use daypass_service::federation::{Issuers, SamlSettings};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::client::Keys;
use self::report::Report;
use self::stage::{Account, BUCKET, Stage, bucket_arn, object_arn, policy};
use crate::accounts::{Opened, open_account, random_account};
use crate::assemble::{Assembled, assemble};
use crate::banner::{export_line, shell_word};
use crate::config::{Config, DATA_DEFAULT, LISTEN_DEFAULT, LogFormat, Pinned};
use crate::data_dir::names;
use crate::failure::Failure;
use crate::http::{self, Api, CONNECTIONS_MAX};
use crate::outbound::OutboundRules;
use crate::serve::bind;
use crate::telemetry;
use crate::terminal::say;

/// Lines of the story.
const LINES: usize = 12;

/// Tell the story in the directory `data`.
///
/// # Errors
/// The directory is not the demo's, the story could not be told to its end, or some line was not as expected.
pub(crate) async fn run(data: &Path) -> Result<(), Failure> {
    telemetry::start("warn", LogFormat::Text)?;
    place::prepare(data)?;
    let (listener, api) = listen().await?;
    let (bucket_listener, bucket) = listen().await?;
    let mut assembled = assemble(&config(data, api)).await?;
    assembled.data.describe(&format!("http://{api}"));
    let (home, partner) = (home(&assembled)?, partner(&assembled).await?);
    let root = home.root.clone();

    let Assembled { house, audit, metrics, random, data: held, .. } = assembled;
    let directory = house.directory.clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = Arc::new(Api {
        house,
        random,
        metrics,
        connections_max: CONNECTIONS_MAX,
        trusted_proxies: Vec::new().into(),
    });
    let server = tokio::spawn(http::serve(listener, served, async move { drop(stopped.await) }));
    say(&format!("daypass on http://{api}, a bucket on http://{bucket}, data in {}\n\n", data.display()));

    let mut stage = Stage { api, bucket, home, partner, made: Vec::new() };
    let mut report = Report::default();
    let told = tell(&mut stage, &mut report, bucket_listener, &held.file(names::DEMO_OBJECTS)).await;
    let retired = stage.retire().await;
    drop(stop);
    drop(server.await);
    if let Err(error) = directory.write_last_used().await {
        tracing::warn!(%error, "when keys and roles were last used was not written");
    }
    audit.close();
    drop(held);
    told?;
    retired?;
    conclude(&report, data, &root)
}

async fn tell(
    stage: &mut Stage,
    report: &mut Report,
    listener: TcpListener,
    objects: &Path,
) -> Result<(), Failure> {
    let service = bucket_service(stage).await?;
    let folder =
        Folder::open(objects).map_err(|error| Failure::new(format!("`{}`: {error}", objects.display())))?;
    let daypass = Daypass {
        authority: stage.api.to_string(),
        region: client::REGION.into(),
        access_key_id: service.id,
        secret_access_key: service.secret,
        session_token: None,
        clock: Arc::new(SystemClock),
    };
    let bucket = Bucket { name: BUCKET.into(), authority: stage.bucket.to_string(), folder, daypass };
    let serving = tokio::spawn(bucket::serve(listener, Arc::new(bucket)));
    let told = async {
        federation::tell(stage, report).await?;
        roles::tell(stage, report).await
    }
    .await;
    serving.abort();
    told
}

/// The user whose key the bucket holds. It may ask daypass about the bucket's own requests, and nothing else.
async fn bucket_service(stage: &mut Stage) -> Result<Keys, Failure> {
    let asks = json!({
        "Effect": "Allow",
        "Action": "daypass:CheckRequest",
        "Resource": [bucket_arn(), object_arn("*")],
        "Condition": {"StringEquals": {"daypass:RequestHost": stage.bucket.to_string(), "daypass:SigningService": "s3"}},
    });
    stage.user(&stage.home.root.clone(), "bucket-service", &policy(&[asks])).await
}

fn conclude(report: &Report, data: &Path, root: &Keys) -> Result<(), Failure> {
    if !report.is_good(LINES) {
        return Err(Failure::new(format!(
            "{}; the story has {LINES} lines, and what differs is marked above",
            report.summary()
        )));
    }
    let default = data == Path::new(DATA_DEFAULT);
    let serve = if default {
        "cargo run --release".to_owned()
    } else {
        format!("cargo run --release -- --data {}", data.display())
    };
    say(&format!(
        "\n{}\n\n`{serve}` serves this data on {LISTEN_DEFAULT} and keeps it for good; paste:\n",
        report.summary()
    ));
    say(&format!(
        "  {}\n",
        export_line(&format!("http://{LISTEN_DEFAULT}"), daypass_service::REGION_DEFAULT)
    ));
    say(&key_line(data, root, std::io::stdout().is_terminal()));
    Ok(())
}

/// Secrets go to a terminal only; elsewhere the line names the file.
fn key_line(data: &Path, root: &Keys, terminal: bool) -> String {
    if terminal {
        return format!(
            "  export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}\n",
            root.id,
            root.secret.expose_str()
        );
    }
    let file = data.join(names::ROOT_CREDENTIALS);
    let path = std::path::absolute(&file).unwrap_or(file);
    format!("  export AWS_SHARED_CREDENTIALS_FILE={}\n", shell_word(&path.to_string_lossy()))
}

async fn listen() -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = bind("the demo's listener", SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let address = listener.local_addr().map_err(|error| Failure::new(error.to_string()))?;
    Ok((listener, address))
}

/// Nothing of the environment or a configuration file: those are of somebody's real server.
fn config(data: &Path, api: SocketAddr) -> Config {
    Config {
        tls: None,
        trusted_proxies: Vec::new(),
        data: data.to_owned(),
        listen: api,
        admin_listen: api,
        public_authority: None,
        master_key_file: None,
        master_key: None,
        tolerated_unsigned_headers: Vec::new(),
        allow_signature_v2: false,
        audit_file: None,
        audit_rotate_bytes: 64 * 1024 * 1024,
        audit_keep: 2,
        audit_stdout: false,
        session_log_max: 1000,
        decision_log_hours: daypass_service::DECISION_LOG_HOURS,
        session_rules: SessionRules::default(),
        services: daypass_service::Services::default(),
        sts_region: None,
        issuers: Issuers::default(),
        saml: SamlSettings::default(),
        sign_in: SignIn::default(),
        outbound: OutboundRules::default(),
        ca_bundle: None,
        log: "warn".into(),
        log_format: LogFormat::Text,
        pinned: Pinned::default(),
    }
}

/// The first account.
fn home(assembled: &Assembled) -> Result<Account, Failure> {
    let first = assembled.first.as_ref().ok_or_else(|| Failure::new("the demo's directory was not empty"))?;
    let secret =
        first.secret.clone().ok_or_else(|| Failure::new("the first account has no key of its own"))?;
    Ok(Account { id: first.account, root: Keys { id: first.access_key_id.to_string(), secret, token: None } })
}

/// A second account.
async fn partner(assembled: &Assembled) -> Result<Account, Failure> {
    let directory = &assembled.house.directory;
    let id = random_account(directory.random())?;
    let file = assembled.data.file(&names::root_credentials_of(id));
    let Opened { access_key_id, secret, .. } = open_account(directory, id, file, "demo").await?;
    Ok(Account { id, root: Keys { id: access_key_id.to_string(), secret, token: None } })
}

#[cfg(test)]
mod tests {
    use daypass_model::Secret;

    use super::*;
    use crate::scratch::Scratch;

    #[tokio::test]
    async fn the_storys_keys_end_inactive_and_root_may_go_on() {
        let scratch = Scratch::new("demo-keys");
        let path = scratch.path();
        run(path).await.unwrap();
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let assembled = assemble(&config(path, listen)).await.unwrap();
        let view = assembled.house.directory.snapshot();
        let mut keys = 0;
        for id in view.account_ids() {
            let account = view.operator().account(id).unwrap();
            assert!(account.root().unwrap().root_keys.iter().all(|key| key.active));
            for user in account.users() {
                assert!(user.keys.iter().all(|key| !key.active), "{}", user.arn);
                keys += user.keys.len();
            }
        }
        // Broker, Issuer, John, Pat, and the two services.
        assert_eq!((view.account_ids().len(), keys), (2, 6));
    }

    #[test]
    fn a_secret_goes_to_a_terminal_only() {
        let root = Keys { id: "AKIAEXAMPLE".into(), secret: Secret::new("not-for-logs"), token: None };
        assert!(key_line(Path::new("/d"), &root, true).contains("not-for-logs"));
        let elsewhere = key_line(Path::new("/d"), &root, false);
        assert!(!elsewhere.contains("not-for-logs"));
        assert!(elsewhere.contains("/d/root-credentials"));
    }
}
