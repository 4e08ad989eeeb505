//! The data directory: who may hold it, what lies in it, and its first start. It knows every name and how files with
//! secrets are written, and nothing of whoever writes or reads them.
//!
//! ```text
//! daypass.lock       names the server that runs; what it holds locked is the directory
//! first-start        there until a first start has come to its end
//! store.sqlite       the records (WAL beside it)
//! master-key         0600; seals every secret in the store. Not made when the environment gives one
//! master-key.next    0600; the one that a rotation is about to put in its place
//! master-key-until-* 0600; the ones before, for backups of their time
//! root-credentials   0600; the first root key, in the form of an AWS credentials file; with a hyphen and their
//!                    number behind the name, those of other accounts
//! audit.jsonl        one event per line, rotated by size; beside it audit.jsonl.reserve, room for a full disk
//! sessions.jsonl     0600; a line for each session that was issued, and the file before it (`.1`)
//! restoring          a store that a restore has not put in its place yet
//! operator.sock      0600; the operator's door while the server runs
//! demo-data          marks what a demo left, with the objects of its bucket in demo-objects
//! ```

mod credentials;
mod master_key;
pub(crate) mod names;
mod private_file;
mod regular;

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use daypass_store::DirLock;
use rustix::fs::Access;
use rustix::io::Errno;

use self::names::{
    DEMO_MARK, FIRST_START, MASTER_KEY, OPERATOR_SOCKET, RESTORING, ROOT_CREDENTIALS, STORE, STORE_JOURNAL,
    STORE_LOG, STORE_SHARED,
};
use self::private_file::{sync_directory, warn_if_open};
use crate::failure::Failure;

pub(crate) use self::credentials::{is_as_written, key_in, write_credentials};
pub(crate) use self::master_key::{
    KeySource, adopt_next, find_master_key, find_next_key, forget_next, put_back, read_master_key, write_next,
};
pub(crate) use self::private_file::{read_handed_secret, read_secret, read_secret_of};
pub(crate) use self::regular::{Links, open_regular};

/// Whether anything was in a data directory before.
#[derive(Debug, PartialEq, Eq)]
pub enum Age {
    /// Nothing but what a first start left that did not come to its end.
    New,
    /// These files: an account was made here once.
    Used(Vec<PathBuf>),
}

impl Age {
    /// As is seen from what is there; the directory need not be.
    pub(crate) fn of(data: &Path, audit: &Path) -> Self {
        if is_begun(data) {
            return Self::New;
        }
        let mut found: Vec<PathBuf> =
            [MASTER_KEY, STORE, STORE_LOG, ROOT_CREDENTIALS, RESTORING].map(|name| data.join(name)).into();
        found.retain(|path| path.symlink_metadata().is_ok());
        if audit.metadata().is_ok_and(|audit| audit.len() > 0) {
            found.push(audit.to_owned());
        }
        if found.is_empty() { Self::New } else { Self::Used(found) }
    }
}

/// Whether a first start did not come to its end here.
pub(crate) fn is_begun(data: &Path) -> bool {
    data.join(FIRST_START).exists()
}

/// The directory that is there, of a path and those that lead to it.
pub(crate) fn existing(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/")).to_owned()
}

fn not_made(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!(
        "the data directory `{}` cannot be made: {error}; make it for the server's user (0700), or name another with --data",
        path.display()
    ))
}

/// A data directory that this process holds.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: DirLock,
}

impl DataDir {
    /// Make the directory if there is none (0700) and take its lock.
    ///
    /// # Errors
    /// It cannot be made, is not a directory, or another server holds it.
    pub fn acquire(path: &Path) -> Result<Self, Failure> {
        takes_socket(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))?;
        let made = DirBuilder::new().mode(0o700).recursive(true).create(path);
        made.map_err(|error| not_made(path, &error))?;
        // Absolute, so that what the banner says to paste works in another directory.
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        takes_socket(&real)?;
        let lock = DirLock::acquire(path).map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self { path: real, lock })
    }

    /// Whether [`acquire`](Self::acquire) would find a place for it, or make one; nothing is made.
    ///
    /// # Errors
    /// As there, of a directory that nobody holds.
    pub fn has_place(path: &Path) -> Result<(), Failure> {
        takes_socket(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))?;
        if let Ok(real) = path.canonicalize() {
            return takes_socket(&real);
        }
        // A link that leads nowhere.
        if path.symlink_metadata().is_ok() {
            return Err(not_made(path, &Errno::EXIST.into()));
        }
        let access = rustix::fs::access(existing(path), Access::WRITE_OK | Access::EXEC_OK);
        access.map_err(|error| not_made(path, &error.into()))
    }

    /// Whether this is a first start, which is marked as such until [`first_start_done`](Self::first_start_done),
    /// or one after it.
    ///
    /// INVARIANT (never-empty): an account is made only in a directory that was found without any trace of one.
    /// Without the mark the store must hold an account, or it is not the one that was here.
    ///
    /// # Errors
    /// The mark cannot be made.
    pub fn age(&self, audit: &Path) -> Result<Age, Failure> {
        let mark = self.file(FIRST_START);
        let age = Age::of(&self.path, audit);
        if age != Age::New || mark.exists() {
            return Ok(age);
        }
        let made = File::create_new(&mark).and_then(|_| sync_directory(&mark));
        made.map_err(|error| Failure::disk(&format!("`{}` cannot be made", mark.display()), &error))?;
        Ok(Age::New)
    }

    /// The first account is in the store's file, for good.
    ///
    /// # Errors
    /// The mark cannot be removed.
    pub fn first_start_done(&self) -> Result<(), Failure> {
        let mark = self.file(FIRST_START);
        let removed = std::fs::remove_file(&mark).and_then(|()| sync_directory(&mark));
        removed.map_err(|error| Failure::disk(&format!("`{}` cannot be removed", mark.display()), &error))
    }

    /// An empty place for a store that is being restored, private as the directory is; what an earlier try left in it
    /// goes.
    ///
    /// # Errors
    /// There is a store already, or the beginning of one; the place cannot be made.
    pub fn restoring(&self) -> Result<PathBuf, Failure> {
        let there = |name: &&&str| self.file(name).symlink_metadata().is_ok();
        let names = [STORE, STORE_LOG, STORE_SHARED, STORE_JOURNAL, FIRST_START, DEMO_MARK];
        if let Some(name) = names.iter().find(there) {
            return Err(Failure::new(format!(
                "`{}` is there: a store is restored into a directory without one; name a new directory with --data (nothing was changed)",
                self.file(name).display()
            )));
        }
        self.restored()?;
        let place = self.file(RESTORING);
        let made = DirBuilder::new().mode(0o700).create(&place);
        made.map_err(|error| Failure::disk(&format!("`{}` cannot be made", place.display()), &error))?;
        Ok(place)
    }

    /// Remove the place of a restore, if there is one.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn restored(&self) -> Result<(), Failure> {
        let place = self.file(RESTORING);
        match std::fs::remove_dir_all(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Failure::disk(&format!("`{}` cannot be removed", place.display()), &error))
            }
            _ => Ok(()),
        }
    }

    /// Say so if others than the owner may open the directory or what lies in it. (Files with a secret in clear are
    /// looked at when they are read.)
    pub fn warn_if_open(&self, audit: &Path) {
        warn_if_open(&self.path, "the data directory is open to others; chmod 700 it");
        warn_if_open(&self.file(STORE), "the store is open to others; chmod 600 it");
        warn_if_open(audit, "the audit is open to others; chmod 600 it");
    }

    /// Tell whoever finds the directory taken where this server listens.
    pub fn describe(&mut self, address: &str) {
        if let Err(error) = self.lock.describe(address) {
            tracing::warn!(%error, "the lock does not name this server");
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Remove a file of ours, if it is there.
    pub fn remove(&self, name: &str) {
        match std::fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, name, "a file could not be removed");
            }
            _ => {}
        }
    }
}

/// Whether the operator's socket can have its place in a directory: its path has a bound (`sun_path`, unix(7)),
/// which must not be met only when an account has been made.
fn takes_socket(dir: &Path) -> Result<(), Failure> {
    let socket = dir.join(OPERATOR_SOCKET);
    SocketAddr::from_pathname(&socket).map(drop).map_err(|error| {
        Failure::new(format!(
            "`{}` cannot be the path of a socket: {error}; name a data directory with a shorter path",
            socket.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::names::AUDIT;
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_first_start_may_be_gone_on_with_until_it_is_done() {
        let scratch = Scratch::new("age");
        let data = DataDir::acquire(scratch.path()).unwrap();
        let audit = data.file(AUDIT);
        assert_eq!(data.age(&audit).unwrap(), Age::New);
        std::fs::write(data.file(MASTER_KEY), "made").unwrap();
        assert_eq!(data.age(&audit).unwrap(), Age::New, "as after a crash");
        data.first_start_done().unwrap();
        assert_eq!(data.age(&audit).unwrap(), Age::Used(vec![data.file(MASTER_KEY)]));
        std::fs::remove_file(data.file(MASTER_KEY)).unwrap();
        std::fs::write(&audit, "").unwrap();
        assert_eq!(data.age(&audit).unwrap(), Age::New, "an empty audit tells of nothing");
    }

    #[test]
    fn a_path_too_long_for_the_socket_is_refused_before_anything_is_made() {
        let scratch = Scratch::new("long");
        let path = scratch.join(&"x".repeat(120));
        let line = DataDir::acquire(&path).unwrap_err().to_string();
        assert!(line.contains("shorter path"), "{line}");
        assert!(!path.exists());
    }
}
