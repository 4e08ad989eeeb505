//! What a start refuses before it opens the store, by the same words: a slip in the environment, too few files that may
//! be open, something else under a name of ours, an audit that is none or another server's.

use std::path::Path;

use super::paste::word;
use super::process::Holder;
use super::rights::{Owner, may_look};
use super::store::is_no_file;
use super::{Finding, Level, Patient};
use crate::data_dir::{Age, names};
use crate::failure::Failure;
use crate::{descriptors, first_account, outbound, preflight, telemetry};

/// The variables that count on the first start only: whoever leaves them out has lost nothing.
pub(super) const UNPIN: &str =
    "unset DAYPASS_ACCOUNT_ID DAYPASS_ROOT_ACCESS_KEY_ID DAYPASS_ROOT_SECRET_ACCESS_KEY";
/// For this shell: room for every connection that a server takes.
const MORE_FILES: &str = "sudo prlimit --pid $$ --nofile=16384:16384";

pub(super) fn findings(patient: &Patient) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(failure) = preflight::variables_are_settings() {
        let line = failure.to_string();
        let name = line.split(' ').next().unwrap_or_default();
        let paste = is_shell_name(name).then(|| format!("unset {name}"));
        findings.push(Finding::told("start", Level::Problem, &line, paste));
    }
    if let Err(failure) = descriptors::enough_to_start() {
        findings.push(Finding::problem("start", failure.to_string(), MORE_FILES));
    }
    if let Err(failure) = first_account::parse(&patient.config.pinned) {
        findings.push(Finding::problem("start", failure.to_string(), UNPIN));
    }
    if let Err(failure) = telemetry::check(&patient.config.log) {
        findings.push(Finding::problem(
            "start",
            failure.to_string(),
            patient.serve_line("--log", Some("info")),
        ));
    }
    // A pipe is not read here.
    if let Some(bundle) = patient.config.ca_bundle.as_deref().filter(|path| !is_no_file(path))
        && let Err(failure) = outbound::roots(Some(bundle))
    {
        findings.push(Finding::problem("start", failure.to_string(), format!("ls -lL {}", word(bundle))));
    }
    if may_look(patient) {
        let data = &patient.config.data;
        let audit = patient.config.audit_file.clone().unwrap_or_else(|| data.join(names::AUDIT));
        findings.extend(files(patient, data, &audit));
    }
    findings
}

/// Whether a shell takes it for a variable's: of another it says that it is none (<https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap03.html>,
/// "Name").
fn is_shell_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What is in the place of files that a start makes or adds to.
fn files(patient: &Patient, data: &Path, audit: &Path) -> Option<Finding> {
    if let Err(taken) = preflight::names_are_free(data, audit, patient.config.audit_keep) {
        let paste = Owner::at(patient).moves_away(&taken.path, patient.user);
        return Some(Finding::told("start", Level::Problem, Failure::from(taken).to_string(), paste));
    }
    if let Err(failure) = preflight::sessions_are_a_file(data) {
        let paste = format!("ls -ld {}", word(&data.join(names::SESSION_LOG)));
        return Some(Finding::problem("start", failure.to_string(), paste));
    }
    // That there is no directory is told with the line that makes it.
    if audit.parent().is_none_or(|parent| parent == Path::new("") || parent.is_dir())
        && let Err(failure) = preflight::audit_is_one(data, audit)
    {
        return Some(Finding::problem("start", failure.to_string(), format!("ls -ld {}", word(audit))));
    }
    // Of one that is there it is told of the store.
    let missing = if data.exists() { Ok(()) } else { preflight::store_is_there(data, &Age::of(data, audit)) };
    if let Err(failure) = missing {
        return Some(Finding::told("start", Level::Problem, failure.to_string(), None));
    }
    let (holder, server) = (Holder::or_sharer_of(audit)?, Holder::of(data));
    if server.is_some_and(|server| server.pid == holder.pid) {
        return None;
    }
    let (says, look) = holder.described();
    let what = if Holder::of(audit).is_some() {
        format!("is written by another server ({says})")
    } else {
        format!("is locked by {says}, and a start is refused")
    };
    let says = format!(
        "the audit file `{}` {what}: each needs one of its own, named with --audit-file",
        audit.display()
    );
    Some(Finding::problem("start", says, look))
}
