//! The server that runs on the data: whether it is well, where it answers, and whether it could start again.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use daypass_model::Authority;
use daypass_store::DirLock;

use super::probe::{Trust, ask};
use super::process::{Holder, Running};
use super::rights::Owner;
use super::{Finding, Level, Patient};
use crate::banner::{shell_word, url_for_clients};
use crate::data_dir::{KeySource, find_next_key, names};

/// How `/readyz` tells of a store that bears its name no more (`daypass_store::Place`).
const DISPLACED: &str = "was moved, removed or replaced";

pub(super) fn findings(patient: &Patient, owner: &Owner) -> Vec<Finding> {
    // Of a server that does not run there is nothing else to tell.
    if let Some(finding) = held_by_another(&patient.config.data) {
        return vec![finding];
    }
    let condition = condition(patient, owner);
    let lost_door = lost_door(patient).filter(|_| condition.level == Level::Ok);
    let providers = failing_providers(&condition, patient.config.admin_listen);
    [Some(condition), providers, lost_door, lost_key(patient, owner)].into_iter().flatten().collect()
}

/// What it says on its admin listener.
fn condition(patient: &Patient, owner: &Owner) -> Finding {
    let url = url_for_clients(None, "http", patient.config.admin_listen);
    let look = format!("curl -s {url}/readyz");
    let process = Running::on(&patient.config.data);
    if let Some(stopped) = process.as_ref().filter(|process| process.is_stopped()) {
        return hung(stopped);
    }
    let answer = url.parse::<Authority>().map_err(|_| ErrorKind::InvalidInput);
    let answer = answer.and_then(|to| {
        ask(&to, "/readyz", &format!("host: {to}\r\n"), &Trust::Anybody).map_err(|error| error.kind())
    });
    match (answer, process) {
        (Ok(answer), _) if answer.status() == 200 => {
            Finding::ok("store", format!("a server runs on it: {}", answer.body.trim().replace('\n', "; ")))
        }
        (Ok(answer), _) if answer.status() == 503 => {
            let says = answer.body.trim().replace('\n', "; ");
            // What is nowhere else by now, before anybody stops it.
            let paste = if says.contains(DISPLACED) { operator(patient, owner, "backup FILE") } else { look };
            Finding::problem("store", format!("the server that runs on it is not ready: {says}"), paste)
        }
        (Err(ErrorKind::TimedOut | ErrorKind::WouldBlock), Some(process))
            if process.listens_at(patient.config.admin_listen.port()) != Some(false) =>
        {
            // By now it may be seen to be stopped.
            hung(&Running::on(&patient.config.data).unwrap_or(process))
        }
        _ => {
            let says = format!("a server runs on it, and does not answer at {url}/readyz");
            Finding::warning("store", says, look)
        }
    }
}

/// Identity providers that its admin listener tells of: it is well itself, and those whom they vouch for do not come in.
fn failing_providers(condition: &Finding, admin: SocketAddr) -> Option<Finding> {
    let lines = condition.says.split("; ").filter(|line| line.starts_with("provider: "));
    let says = lines.collect::<Vec<_>>().join("; ");
    let url = url_for_clients(None, "http", admin);
    let metrics = format!("curl -s {url}/metrics | grep daypass_provider_");
    (!says.is_empty())
        .then(|| Finding::warning("provider", format!("{says}; the log has the reason"), metrics))
}

/// By a program that is called otherwise, and has not written itself into the lock.
fn held_by_another(data: &Path) -> Option<Finding> {
    let other = Holder::of(data).filter(|holder| !holder.is_daypass() && Running::on(data).is_none())?;
    let (says, look) = other.described();
    let says = format!("`{}` is locked by {says}, which is no daypass: a start is refused", data.display());
    Some(Finding::problem("store", says, look))
}

fn hung(process: &Running) -> Finding {
    let (says, paste) = process.described();
    Finding::problem("store", format!("the server that runs on it does not answer: {says}"), paste)
}

/// Nobody can end a session or make a backup through it any more.
fn lost_door(patient: &Patient) -> Option<Finding> {
    let socket = patient.config.data.join(names::OPERATOR_SOCKET);
    let is_there = socket.symlink_metadata().is_ok_and(|found| found.file_type().is_socket());
    (!is_there).then(|| {
        let says = format!("`{}` is gone: no operator's command reaches the server that runs until it is stopped and started again, which makes it anew", socket.display());
        Finding::told("store", Level::Problem, says, None)
    })
}

/// Nothing tells of it but the next start, which is refused; until then the running server can make another.
fn lost_key(patient: &Patient, owner: &Owner) -> Option<Finding> {
    let config = &patient.config;
    let key = config.data.join(names::MASTER_KEY);
    let is_lost = config.key_source() == KeySource::Own
        && !key.exists()
        && find_next_key(&config.data).is_ok_and(|next| next.is_none());
    is_lost.then(|| {
        let says = format!(
            "`{}` is missing: the server that runs has the key in memory, and no other will start (one that gets its key elsewhere: ask with its settings)",
            key.display()
        );
        Finding::problem("store", says, operator(patient, owner, "keys rotate-master"))
    })
}

/// A command through the door of the server.
fn operator(patient: &Patient, owner: &Owner, command: &str) -> String {
    let data = shell_word(&patient.config.data.to_string_lossy());
    format!("{}daypass {command} --data {data}", owner.sudo(patient.user))
}

/// Where it answers, as it wrote into the lock: its settings may be others than those of whoever asks.
pub(super) fn url(patient: &Patient) -> Option<String> {
    Running::on(&patient.config.data)?;
    url_in(&DirLock::owner_of(&patient.config.data))
}

/// The lock may be another user's, and so what is in it.
fn url_in(lock: &str) -> Option<String> {
    let (scheme, address) = lock.split_whitespace().find_map(|word| word.split_once("://"))?;
    let address: SocketAddr = address.parse().ok()?;
    matches!(scheme, "http" | "https").then(|| url_for_clients(None, scheme, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `/readyz` says of them: `admin.rs`.
    #[test]
    fn a_provider_that_fails_is_a_warning_beside_a_server_that_is_well() {
        let admin = "127.0.0.1:7778".parse().unwrap();
        let well = "a server runs on it: store: followed to revision 7; store: written; audit: written";
        assert_eq!(failing_providers(&Finding::ok("store", well), admin), None);
        let line = "provider: arn:aws:iam::111122223333:oidc-provider/2.example has not given what it was asked for since 1970-01-01T00:01:00Z";
        let told = failing_providers(&Finding::ok("store", format!("{well}\n{line}\n")), admin).unwrap();
        assert_eq!((told.level, told.says), (Level::Warning, format!("{line}; the log has the reason")));
        assert!(told.paste.unwrap().contains("http://127.0.0.1:7778/metrics"));
    }

    #[test]
    fn of_what_is_in_a_lock_only_an_address_is_taken() {
        assert_eq!(url_in("process 7 https://0.0.0.0:77").as_deref(), Some("https://127.0.0.1:77"));
        for lock in [
            "process 7",
            "http;id>x;://127.0.0.1:7",
            "process 7 $(id)://127.0.0.1:7",
            "process 7 http://$(id):7",
        ] {
            assert_eq!(url_in(lock), None, "{lock}");
        }
    }
}
