//! `daypass actions`: the action table as tab-separated lines, from which the README's coverage table is made.

use daypass_service::actions;

use crate::terminal::say;

pub(super) fn print() {
    for row in actions::all() {
        let (service, action) = row.name;
        let kind = if row.read_only { "read" } else { "write" };
        say(&format!("{service}\t{action}\t{kind}\t{}\n", row.callers.describe()));
    }
}
