//! Why the program ends early: one line that says what to do.

use std::{fmt, io};

/// A line for the operator. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure with this line.
    #[must_use]
    pub fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }

    /// What could not be done and what the system said of it; of a full disk and of another's file also what to do.
    pub(crate) fn disk(what: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull => Self(format!(
                "{what}: the disk is full; make room on it, but not by removing a file of the data directory"
            )),
            io::ErrorKind::PermissionDenied => Self(format!(
                "{what}: {error}; it and its directory must belong to the server's user (`chown`; 0600 and 0700)"
            )),
            io::ErrorKind::ReadOnlyFilesystem => Self(format!(
                "{what}: its file system is mounted read-only; make that writable, or name another place"
            )),
            io::ErrorKind::IsADirectory => Self(format!("{what}: it is a directory; name a file")),
            _ => Self(format!("{what}: {error}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_another_user_is_told_with_what_would_do() {
        let line = Failure::disk("`key` cannot be read", &io::ErrorKind::PermissionDenied.into()).to_string();
        assert_eq!(
            line,
            "`key` cannot be read: permission denied; it and its directory must belong to the server's user (`chown`; 0600 and 0700)"
        );
        let line = Failure::disk("`key` cannot be read", &io::ErrorKind::IsADirectory.into()).to_string();
        assert_eq!(line, "`key` cannot be read: it is a directory; name a file");
        let line = Failure::disk("`audit` cannot be opened", &io::ErrorKind::ReadOnlyFilesystem.into());
        assert!(line.to_string().contains("is mounted read-only; make that writable"), "{line}");
    }
}
