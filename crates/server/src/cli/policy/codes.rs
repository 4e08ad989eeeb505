//! `daypass policy codes`: what `docs/policy-findings.md` is made of.

use daypass_policy::Code;

use crate::terminal::say;

pub(super) fn print() {
    for code in Code::ALL {
        let (severity, name) = (code.severity().as_str(), code.as_str());
        say(&format!("{severity}\t{name}\t{}\t{}\n", code.meaning(), code.remedy()));
    }
}
