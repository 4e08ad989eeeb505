//! `daypass serve`: bind, assemble, say `ready`, answer until told to stop.

use std::io::{ErrorKind, IsTerminal};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use daypass_model::{Clock, SystemClock};
use daypass_service::House;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::admin::{self, Admin};
use crate::assemble::{Assembled, assemble};
use crate::audit_file::AuditFile;
use crate::banner::{Banner, url_for_clients};
use crate::clock_watch::last_written;
use crate::config::Config;
use crate::failure::Failure;
use crate::http::{self, Api, CONNECTIONS_MAX};
use crate::signals::{self, Heard, told_to_stop};
use crate::terminal::say;
use crate::{clock_watch, demo, descriptors, operator, outbound, root_credentials, telemetry};

/// How long whoever holds a port may take to say who it is.
const ANSWER_TIME_MAX: Duration = Duration::from_millis(500);

/// Run a server until SIGTERM or SIGINT.
///
/// # Errors
/// One line that says what to do.
pub(crate) async fn serve(config: Config) -> Result<(), Failure> {
    telemetry::start(&config.log, config.log_format)?;
    // Before anything is made: a start that is told to stop comes to its end, and ends in order then.
    let Heard { to_stop: times, hangups } = signals::heard()?;
    let listener = bind("--listen", config.listen).await?;
    let admin_listener = bind("--admin-listen", config.admin_listen).await?;
    warn_of_clock(&config);
    let mut assembled = assemble(&config).await?;
    let address = listener.local_addr().map_err(|error| Failure::new(error.to_string()))?;
    let admin_address = admin_listener.local_addr().map_err(|error| Failure::new(error.to_string()))?;
    demo::place::hand_over(assembled.data.path())?;
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    assembled.data.describe(&format!("{scheme}://{address}"));
    // Looked for before the door opens: what is written from then on has no account yet.
    let key_files = root_credentials::find(assembled.data.path());
    let (made, key_files_made) = mpsc::unbounded_channel();
    let _operator = operator::open(&assembled, made)?;
    // Nothing is in this start's way any more.
    assembled.audit.remove_beyond_kept();
    let Assembled { house, audit, session_file, metrics, random, tls, first, data, key_source: _ } =
        assembled;
    let (log, asked, file) = (house.clone(), house.clone(), session_file.clone());
    let admin = Admin {
        directory: house.directory.clone(),
        metrics: metrics.clone(),
        audit: audit.clone(),
        sessions_lost: Box::new(move || log.session_log.lost() + file.not_written()),
        providers: Box::new(move || {
            let now = asked.now();
            (now, asked.provider_keys.health(now.as_second()))
        }),
        tls: tls.clone(),
        told_to_stop: times.clone(),
    };
    if let Some(tls) = tls.clone() {
        tokio::spawn(tls.tend(hangups));
    }
    tokio::spawn(admin::serve(admin_listener, Arc::new(admin)));
    tokio::spawn(clock_watch::tend(house.clone()));
    outbound::tend(&house);
    tokio::spawn(root_credentials::tend(house.directory.clone(), key_files, key_files_made));
    if config.allow_signature_v2 {
        tracing::warn!("Signature Version 2 is accepted: it signs no header (--allow-signature-v2)");
    }
    warn_of_slips(&house);
    let banner = Banner {
        data: data.path(),
        url: url_for_clients(config.public_authority.as_ref(), scheme, address),
        region: config.region_for_clients(),
        admin: admin_address,
        first: first.as_ref(),
        accounts: &house.directory.snapshot().account_ids(),
        signature_v2: config.allow_signature_v2,
        terminal: std::io::stdout().is_terminal(),
    };
    say(&banner.to_string());
    say("ready\n");
    let api = Api {
        house: house.clone(),
        random,
        metrics,
        connections_max: descriptors::connections_max(CONNECTIONS_MAX),
        trusted_proxies: config.trusted_proxies.clone().into(),
    };
    tokio::select! {
        () = http::serve_with(listener, tls, Arc::new(api), told_to_stop(times.clone(), 1)) => {}
        () = told_to_stop(times, 2) => tracing::warn!("told to stop twice: calls under way are not waited for"),
    }
    settle(&house, &audit).await;
    session_file.close();
    tracing::info!("stopped");
    Ok(())
}

/// Of providers that the operator's list names and no account has: an account may get one later, so that this is no reason not to start.
fn warn_of_slips(house: &House) {
    for provider in house.settings.sign_in.providers.iter().filter(|provider| !provider.is_there(house)) {
        let (name, arn, client) = (&provider.name, &provider.arn, &provider.client_id);
        tracing::warn!(
            name,
            arn,
            client,
            "no such provider: nobody can sign in by this --sign-in-provider while its account does not have it, for this client"
        );
    }
}

/// Before anything is written: with it, what was written last says nothing any more.
fn warn_of_clock(config: &Config) {
    if let Some(wrong) = last_written(config).and_then(|last| clock_watch::behind(SystemClock.now(), last)) {
        tracing::warn!(
            "{wrong}; sessions that were issued then are refused until it is nearly that time again"
        );
    }
}

/// What is still to be written when no call is under way any more.
async fn settle(house: &House, audit: &AuditFile) {
    if let Err(error) = house.directory.write_last_used().await {
        tracing::warn!(%error, "when keys and roles were last used was not written");
    }
    house.audit.end(&daypass_model::uuid(house.directory.random()), house.now());
    audit.close();
}

/// Bind, or say who has the port.
pub(crate) async fn bind(flag: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let who = whose(address)
                .await
                .map_or_else(|| "another program".to_owned(), |name| format!("another server ({name})"));
            Err(Failure::new(format!(
                "{flag} {address}: the port is taken by {who}; stop it, or choose another address (port 0 picks a free one)"
            )))
        }
        Err(error) => Err(not_bound(flag, address, &error)),
    }
}

fn not_bound(flag: &str, address: SocketAddr, error: &std::io::Error) -> Failure {
    let todo = match error.kind() {
        ErrorKind::PermissionDenied => {
            "; a port below 1024 needs a right of its own (CAP_NET_BIND_SERVICE): choose a higher one"
        }
        ErrorKind::AddrNotAvailable => {
            "; no interface of this machine has this address: give one that `ip addr` lists"
        }
        _ => "",
    };
    Failure::new(format!("{flag} {address}: {error}{todo}"))
}

/// The name and version of the daypass that answers there, if it is one.
async fn whose(address: SocketAddr) -> Option<String> {
    let ask = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: daypass\r\nconnection: close\r\n\r\n")
            .await
            .ok()?;
        let mut answer = Vec::new();
        stream.take(1024).read_to_end(&mut answer).await.ok()?;
        let text = String::from_utf8(answer).ok()?;
        let name = text.rsplit("\r\n\r\n").next()?.trim();
        name.starts_with("daypass ").then(|| name.to_owned())
    };
    tokio::time::timeout(ANSWER_TIME_MAX, ask).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_had_is_told_with_what_would_do() {
        let told =
            |kind: ErrorKind| not_bound("--listen", ([127, 0, 0, 1], 80).into(), &kind.into()).to_string();
        let line = told(ErrorKind::PermissionDenied);
        assert!(
            line.starts_with("--listen 127.0.0.1:80: ") && line.ends_with("choose a higher one"),
            "{line}"
        );
        assert!(told(ErrorKind::AddrNotAvailable).contains("no interface of this machine has this address"));
    }
}
