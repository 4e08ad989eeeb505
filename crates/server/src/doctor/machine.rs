//! The machine: its clock, whose files these are, whose ports.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use daypass_model::Authority;
use jiff::Timestamp;

use super::probe::{Trust, ask};
use super::{Finding, Patient};
use crate::banner::{shell_word, url_for_clients};
use crate::data_dir::names;

/// Seconds that a clock may be off before signatures are refused (AWS Signature Version 4: 15 minutes), with room.
const OFF_PROBLEM: i64 = 10 * 60;
/// Seconds that nobody should be off who keeps time at all.
const OFF_WARNING: i64 = 10;
const SET_CLOCK: &str = "sudo timedatectl set-ntp true && timedatectl";

/// By what others say, and by what was written here before.
pub(super) fn clock(patient: &Patient) -> Vec<Finding> {
    vec![match &patient.clock_url {
        Some(url) => by_others(patient, url),
        None => by_files(patient),
    }]
}

fn by_others(patient: &Patient, url: &str) -> Finding {
    let date = Authority::split_url(url).map_err(|error| error.to_string()).and_then(|(to, path)| {
        let path = if path.starts_with('/') { path } else { "/" };
        let answer = ask(&to, path, &format!("host: {to}\r\n"), &Trust::Anybody);
        let answer = answer.map_err(|error| error.to_string())?;
        let date = answer.header("date").ok_or("it answers without a Date")?;
        jiff::fmt::rfc2822::parse(date).map(|date| date.timestamp()).map_err(|error| error.to_string())
    });
    let date = match date {
        Ok(date) => date,
        Err(why) => {
            return Finding::warning(
                "clock",
                format!("{url} does not tell the time: {why}"),
                format!("curl -sI {}", shell_word(url)),
            );
        }
    };
    let off = patient.now.as_second() - date.as_second();
    let says = format!("{} seconds {} of {url}", off.abs(), if off < 0 { "behind" } else { "ahead" });
    match off.abs() {
        OFF_PROBLEM.. => Finding::problem("clock", says, SET_CLOCK),
        OFF_WARNING.. => Finding::warning("clock", says, SET_CLOCK),
        _ => Finding::ok("clock", says),
    }
}

/// A file that was written later than now: one of the two clocks was wrong.
fn by_files(patient: &Patient) -> Finding {
    let data = &patient.config.data;
    let audit = patient.config.audit_file.clone().unwrap_or_else(|| data.join(names::AUDIT));
    let files = [data.join(names::STORE), data.join(format!("{}-wal", names::STORE)), audit];
    let last = files.iter().filter_map(|path| path.metadata().ok()).map(|file| file.mtime()).max();
    match last {
        Some(last) if last > patient.now.as_second() + OFF_WARNING => Finding::problem(
            "clock",
            format!(
                "it is {} here, but the data was last written at {}: the clock went back, or ran ahead then",
                patient.now,
                Timestamp::from_second(last).unwrap_or(Timestamp::MAX)
            ),
            SET_CLOCK,
        ),
        Some(_) => {
            Finding::ok("clock", "not behind the last write; --clock-url URL compares it with another's")
        }
        None => Finding::ok("clock", "nothing to compare it with; --clock-url URL names somebody"),
    }
}

/// Whose the directory and its files are, and who may open them.
pub(super) fn rights(patient: &Patient) -> Vec<Finding> {
    let data = &patient.config.data;
    let found = match data.metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let says = format!("`{}` is not there: the first start makes it", data.display());
            return vec![Finding::ok("rights", says)];
        }
        Err(error) => {
            let says = format!("`{}`: {error}", data.display());
            return vec![Finding::problem("rights", says, format!("sudo ls -ld {}", word(data)))];
        }
    };
    if !found.is_dir() {
        let says = format!("`{}` is no directory", data.display());
        return vec![Finding::problem("rights", says, format!("ls -ld {}", word(data)))];
    }
    let mut findings = rights_of(data, &found, 0o700);
    let secret = patient.config.master_key_file.clone().unwrap_or_else(|| data.join(names::MASTER_KEY));
    let files =
        [data.join(names::STORE), secret, data.join(names::ROOT_CREDENTIALS), data.join(names::AUDIT)];
    let keys = patient.config.tls.iter().map(|tls| tls.key.clone());
    for path in files.into_iter().chain(keys) {
        if let Ok(found) = path.metadata() {
            findings.extend(rights_of(&path, &found, 0o600));
        }
    }
    if findings.is_empty() {
        findings
            .push(Finding::ok("rights", format!("`{}` and its files are this user's alone", data.display())));
    }
    findings
}

fn rights_of(path: &Path, found: &Metadata, mode: u32) -> Vec<Finding> {
    let user = rustix::process::geteuid().as_raw();
    let mut findings = Vec::new();
    if found.uid() != user {
        findings.push(Finding::problem(
            "rights",
            format!("`{}` is of uid {}, and this is uid {user}", path.display(), found.uid()),
            format!("sudo chown {user} {}", word(path)),
        ));
    }
    let open = found.permissions().mode() & 0o777;
    if open & 0o077 != 0 {
        findings.push(Finding::warning(
            "rights",
            format!("`{}` is open to others ({open:o})", path.display()),
            format!("chmod {mode:o} {}", word(path)),
        ));
    }
    findings
}

fn word(path: &Path) -> String {
    shell_word(&path.to_string_lossy())
}

/// Whether the ports are free, or a daypass has them.
pub(super) fn ports(patient: &Patient) -> Vec<Finding> {
    let scheme = if patient.config.tls.is_some() { "https" } else { "http" };
    let asked = [
        ("--listen", patient.config.listen, scheme),
        ("--admin-listen", patient.config.admin_listen, "http"),
    ];
    asked.into_iter().map(|(flag, address, scheme)| port(flag, address, scheme)).collect()
}

fn port(flag: &str, address: SocketAddr, scheme: &str) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok("ports", format!("{flag} {address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let url = url_for_clients(None, scheme, address);
            let answer = url
                .parse::<Authority>()
                .ok()
                .and_then(|to| ask(&to, "/healthz", &format!("host: {to}\r\n"), &Trust::Anybody).ok());
            match answer.filter(|answer| answer.body.starts_with("daypass ")) {
                Some(answer) => {
                    Finding::ok("ports", format!("{flag} {address}: {} answers there", answer.body.trim()))
                }
                None => Finding::problem(
                    "ports",
                    format!("{flag} {address} is another program's"),
                    format!("ss -ltnp 'sport = :{}'", address.port()),
                ),
            }
        }
        Err(error) => Finding::problem("ports", format!("{flag} {address}: {error}"), "ip -brief address"),
    }
}
