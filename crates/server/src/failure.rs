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

    /// What could not be done and what the system said of it; of a full disk also what to do.
    pub(crate) fn disk(what: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull => Self(format!(
                "{what}: the disk is full; make room on it, but not by removing a file of the data directory"
            )),
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
