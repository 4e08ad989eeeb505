//! Rotated files beyond those that are kept, as a bound that was lowered leaves them.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::disk;

/// Longest number of a rotated file. More digits are a date that another program put there.
const DIGITS_MAX: usize = 5;

/// The first of those that are kept which is somebody else's, as of a program whose file was named as the audit: rotating
/// would move it, and replace it in the end. A link or a directory is nobody's audit: the one would be moved along, and with
/// the other there is no moving.
pub(super) fn kept_of_another(path: &Path, keep: u32) -> Option<PathBuf> {
    let found = rotated(path).unwrap_or_default();
    let mut found: Vec<_> = found.into_iter().filter(|(number, _)| *number <= keep).collect();
    found.sort();
    let is_of_another = |old: &PathBuf| {
        let is_file = old.symlink_metadata().map(|found| found.is_file());
        matches!(is_file, Ok(false)) || matches!(disk::may_be_rotated(old), Ok(false))
    };
    found.into_iter().map(|(_, old)| old).find(is_of_another)
}

/// Remove the rotated files of the audit `path` whose number is above `keep`. What does not begin as ours stays.
pub(super) fn remove_beyond(path: &Path, keep: u32) {
    let found = rotated(path).unwrap_or_else(|error| {
        tracing::warn!(%error, "the directory of the audit cannot be looked through for old files");
        Vec::new()
    });
    for (number, old) in found.into_iter().filter(|(number, _)| *number > keep) {
        let path = old.display();
        if !matches!(disk::is_rotated(&old), Ok(true)) {
            tracing::warn!(%path, number, "a file beyond --audit-keep does not begin as an audit and is left");
            continue;
        }
        if let Err(error) = std::fs::remove_file(&old) {
            tracing::warn!(%error, %path, "an audit file beyond --audit-keep cannot be removed");
        } else {
            tracing::info!(%path, number, "an audit file beyond --audit-keep was removed");
        }
    }
}

/// What has the name of a rotated file, whatever it is, with its number.
fn rotated(path: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let Some(name) = path.file_name() else { return Ok(Vec::new()) };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(parent)? {
        let entry = entry?;
        if let Some(number) = number(&entry.file_name(), name) {
            found.push((number, entry.path()));
        }
    }
    Ok(found)
}

/// Of `audit.jsonl.7`, if the audit is `audit.jsonl`: 7.
fn number(name: &OsStr, audit: &OsStr) -> Option<u32> {
    let end = name.as_encoded_bytes().strip_prefix(audit.as_encoded_bytes())?.strip_prefix(b".")?;
    let ours = !end.starts_with(b"0") && end.len() <= DIGITS_MAX && end.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(end).ok().filter(|_| ours)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn only_what_rotation_made_beyond_the_bound_is_removed() {
        let scratch = Scratch::new("old");
        let stay = [
            "audit.jsonl",
            "audit.jsonl.1",
            "audit.jsonl.2",
            "audit.jsonl.reserve",
            "audit.jsonl.next",
            "audit.jsonl.04",
            "audit.jsonl.5.gz",
            "audit.jsonl.20260101",
            "audit.jsonl.+5",
            "audit.jsonl.",
            "audit.jsonl-5",
            "other.jsonl.5",
            "xaudit.jsonl.5",
            "5",
            "audit.jsonl.18",
        ];
        for name in stay.into_iter().chain(["audit.jsonl.3", "audit.jsonl.17", "audit.jsonl.99999"]) {
            let text =
                if name.ends_with("18") { "another program's" } else { "{\"eventVersion\":\"1.08\"}\n" };
            std::fs::write(scratch.join(name), text).unwrap();
        }
        std::fs::create_dir(scratch.join("audit.jsonl.4")).unwrap();
        remove_beyond(&scratch.join("audit.jsonl"), 2);
        let mut left: Vec<_> =
            std::fs::read_dir(scratch.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        let mut expected: Vec<_> =
            stay.into_iter().chain(["audit.jsonl.4"]).map(std::ffi::OsString::from).collect();
        expected.sort();
        assert_eq!(left, expected);
    }
}
