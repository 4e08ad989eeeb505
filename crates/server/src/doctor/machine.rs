//! The machine: its clock, and whose ports.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use daypass_model::Authority;
use daypass_store::{DirLock, LockError};

use super::probe::{Trust, ask};
use super::process::Running;
use super::rights::{Owner, ROOT};
use super::{Finding, Patient};
use crate::banner::{shell_word, url_for_clients};
use crate::clock_watch::last_written;

/// Seconds that a clock may be off before signatures are refused (AWS Signature Version 4: 15 minutes), with room.
const OFF_PROBLEM: i64 = 10 * 60;
/// Seconds that nobody should be off who keeps time at all.
const OFF_WARNING: i64 = 10;
/// For the program, whoever starts it.
const A_RIGHT: &str = "needs a right of its own for a port so low (for a systemd unit AmbientCapabilities=CAP_NET_BIND_SERVICE), or choose a higher one";
const BIND_LOW: &str = "sudo setcap cap_net_bind_service=+ep \"$(command -v daypass)\"";
pub(super) const SET_CLOCK: &str = "sudo timedatectl set-ntp true && timedatectl";

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
    match last_written(&patient.config) {
        Some(last) if last.as_second() > patient.now.as_second() + OFF_WARNING => Finding::problem(
            "clock",
            format!(
                "it is {} here, but the data was last written at {last}: the clock went back, or ran ahead then",
                patient.now
            ),
            SET_CLOCK,
        ),
        Some(_) => {
            Finding::ok("clock", "not behind the last write; --clock-url URL compares it with another's")
        }
        None => Finding::ok("clock", "nothing to compare it with; --clock-url URL names somebody"),
    }
}

/// Whether the ports are free, or a daypass has them.
pub(super) fn ports(patient: &Patient) -> Vec<Finding> {
    let scheme = if patient.config.tls.is_some() { "https" } else { "http" };
    let asked = [
        ("--listen", patient.config.listen, scheme),
        ("--admin-listen", patient.config.admin_listen, "http"),
    ];
    let asked = asked.into_iter();
    asked.map(|(flag, address, scheme)| port(patient, flag, address, scheme)).collect()
}

fn port(patient: &Patient, flag: &str, address: SocketAddr, scheme: &str) -> Finding {
    let running = Running::on(&patient.config.data);
    match TcpListener::bind(address) {
        Ok(_) if patient.user == ROOT && is_low(address.port()) && !Owner::at(patient).is(ROOT) => {
            let says = format!(
                "{flag} {address} is free, and the server's user, {}, {A_RIGHT}",
                Owner::at(patient).name()
            );
            Finding::warning("ports", says, BIND_LOW)
        }
        Ok(_) => Finding::ok("ports", format!("{flag} {address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let url = url_for_clients(None, scheme, address);
            let answer = url
                .parse::<Authority>()
                .ok()
                .and_then(|to| ask(&to, "/healthz", &format!("host: {to}\r\n"), &Trust::Anybody).ok());
            let is_own = is_own(patient, running.as_ref(), address.port());
            let own = running.filter(|running| running.listens_at(address.port()) == Some(true));
            match (answer.filter(|answer| answer.body.starts_with("daypass ")), own) {
                (Some(answer), _) if is_own => {
                    Finding::ok("ports", format!("{flag} {address}: {} answers there", answer.body.trim()))
                }
                (Some(answer), _) => {
                    let says = format!(
                        "{flag} {address} is another server's ({}), of another data directory",
                        answer.body.trim()
                    );
                    Finding::problem("ports", says, look_at(address))
                }
                // What is wrong with that server is told of the store.
                (None, Some(own)) => {
                    let says = format!(
                        "{flag} {address} is held by the server, which does not answer: {}",
                        own.described().0
                    );
                    Finding::ok("ports", says)
                }
                (None, None) => Finding::problem(
                    "ports",
                    format!("{flag} {address} is another program's"),
                    look_at(address),
                ),
            }
        }
        Err(error) => not_bound(flag, address, &error),
    }
}

/// Whether the daypass that has a port is the one of this directory, as far as can be told.
fn is_own(patient: &Patient, running: Option<&Running>, port: u16) -> bool {
    match running {
        Some(running) => running.listens_at(port) != Some(false),
        // Who holds the directory may be out of sight, as from another container.
        None => matches!(DirLock::look(&patient.config.data), Err(LockError::Held { .. })),
    }
}

fn look_at(address: SocketAddr) -> String {
    format!("ss -ltnp 'sport = :{}'", address.port())
}

/// Whether root alone may listen there (ip(7)).
fn is_low(port: u16) -> bool {
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").ok();
    let first = first.and_then(|first| first.trim().parse().ok()).unwrap_or(1024);
    port != 0 && port < first
}

pub(super) fn not_bound(flag: &str, address: SocketAddr, error: &std::io::Error) -> Finding {
    let says = format!("{flag} {address}: {error}");
    match error.kind() {
        ErrorKind::PermissionDenied => Finding::problem("ports", format!("{says}: {A_RIGHT}"), BIND_LOW),
        _ => Finding::problem("ports", says, "ip -brief address"),
    }
}
