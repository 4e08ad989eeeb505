//! What a start refuses before it opens the store, by the same words: a slip in the environment, too few files that may
//! be open, something else under a name of ours.

use super::rights::may_look;
use super::{Finding, Patient};
use crate::banner::shell_word;
use crate::failure::Failure;
use crate::{descriptors, first_account, preflight};

/// The variables that count on the first start only: whoever leaves them out has lost nothing.
pub(super) const UNPIN: &str =
    "unset DAYPASS_ACCOUNT_ID DAYPASS_ROOT_ACCESS_KEY_ID DAYPASS_ROOT_SECRET_ACCESS_KEY";
/// For this shell: room for every connection that a server takes.
const MORE_FILES: &str = "sudo prlimit --pid $$ --nofile=16384:16384";

pub(super) fn findings(patient: &Patient) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(failure) = preflight::variables_are_settings() {
        let line = failure.to_string();
        let name = shell_word(line.split(' ').next().unwrap_or_default());
        findings.push(Finding::problem("start", line, format!("unset {name}")));
    }
    if let Err(failure) = descriptors::enough_to_start() {
        findings.push(Finding::problem("start", failure.to_string(), MORE_FILES));
    }
    if let Err(failure) = first_account::parse(&patient.config.pinned) {
        findings.push(Finding::problem("start", failure.to_string(), UNPIN));
    }
    if may_look(patient)
        && let Err(taken) = preflight::names_are_free(
            &patient.config.data,
            &patient
                .config
                .audit_file
                .clone()
                .unwrap_or_else(|| patient.config.data.join(crate::data_dir::names::AUDIT)),
        )
    {
        let path = shell_word(&taken.path.to_string_lossy());
        findings.push(Finding::problem(
            "start",
            Failure::from(taken).to_string(),
            format!("mv {path} {path}.old"),
        ));
    }
    findings
}
