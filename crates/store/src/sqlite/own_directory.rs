//! A directory that nobody else looks into, with a name that nothing had: what is made in it is exchanged by nobody, and
//! nobody puts something beside it that SQLite would join with it.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::hash::{BuildHasher, RandomState};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// How many names are tried.
const NAMES_MAX: u32 = 1000;

/// It goes when this is dropped, with what is in it.
pub(super) struct OwnDirectory(PathBuf);

impl OwnDirectory {
    /// Its name begins so. Nothing that is there is removed, whosever it is.
    pub(super) fn new(beginning: &Path) -> Result<Self, Error> {
        let names = RandomState::new();
        for n in 0..NAMES_MAX {
            let mut name = OsString::from(beginning);
            name.push(format!("{:016x}", names.hash_one((std::process::id(), n))));
            match DirBuilder::new().mode(0o700).create(&name) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Self(name.into())),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Where a store's file goes.
    pub(super) fn file(&self) -> PathBuf {
        self.0.join("store")
    }
}

impl Drop for OwnDirectory {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "a directory of unfinished work could not be removed");
        }
    }
}
