//! Whether the files that are open still bear their names. Whoever removes or replaces them under a running server
//! leaves it with the only copy of the store: every commit would succeed, and all of it end with the process.

use std::fs::Metadata;
use std::io::{ErrorKind, Result};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::files::with_suffix;

/// Where the files of an open store were found. It holds none of them.
#[derive(Debug)]
pub struct Place(Vec<(PathBuf, Identity)>);

/// Device and number of a file.
type Identity = (u64, u64);

impl Place {
    /// The place of the file `path` and of its log. To be asked for before a connection is opened to what lies there: a
    /// file that is put there in between is then another one.
    pub(super) fn of(path: &Path) -> Result<Self> {
        Ok(Self(vec![(path.to_owned(), identity(&path.metadata()?))]))
    }

    /// The log too, which SQLite makes when a connection first reads, and keeps until the last one is closed.
    pub(super) fn with_log(mut self) -> Result<Self> {
        let Some((store, _)) = self.0.first() else { return Ok(self) };
        let log = with_suffix(store, "-wal");
        let found = identity(&log.metadata()?);
        self.0.push((log, found));
        Ok(self)
    }

    /// Whether the files are where they were.
    ///
    /// # Errors
    /// Which one is not, and what to do, for the operator.
    pub fn check(&self) -> std::result::Result<(), String> {
        self.0.iter().try_for_each(|(path, ours)| look(path, *ours))
    }
}

fn look(path: &Path, ours: Identity) -> std::result::Result<(), String> {
    match path.metadata() {
        Ok(found) if identity(&found) == ours => Ok(()),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("`{}` cannot be looked at ({error}); make it readable again", path.display()))
        }
        _ => Err(format!(
            "`{}` was moved, removed or replaced; this process may have the only copy of the store: move the file back, or take `daypass backup FILE` before you stop it",
            path.display()
        )),
    }
}

fn identity(found: &Metadata) -> Identity {
    (found.dev(), found.ino())
}
