//! Online backups (<https://www.sqlite.org/backup.html>), beside a writer.
//!
//! The connection is open from the start on. What bears the store's name may be another file by now, and the copy
//! that is made of the open one is then all that will be left of it.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, TryLockError};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, ffi};

use super::check::{self, Damage};
use super::own_directory::OwnDirectory;
use super::{files, open, writer};
use crate::error::StoreError;
use crate::record::Revision;

/// What the name of a backup's place ends in while it is written, before some digits. A kill leaves it.
const PARTIAL: &str = ".partial-";
/// Of a name that may have 255 bytes.
const NAME_BYTES_KEPT: usize = 200;

/// What backups are made from, one at a time.
#[derive(Debug)]
pub(super) struct Source(Mutex<Connection>);

/// Why there is no copy, by what is to blame.
enum Failed {
    /// The store, in a few words.
    Damaged(String),
    /// The store cannot be read now.
    Unread(String),
    /// The destination, and what to do.
    Unwritten(String),
    /// Somebody else's file has the name by now.
    Exists,
}

impl Source {
    /// A connection that has read already, and so has the log open too.
    pub(super) fn new(db: Connection) -> rusqlite::Result<Self> {
        writer::revision(&db)?;
        Ok(Self(Mutex::new(db)))
    }

    /// Copies the store to the new file `to`.
    pub(super) fn copy_to(&self, to: &Path) -> Result<Revision, StoreError> {
        if to.symlink_metadata().is_ok() {
            return Err(StoreError::Exists(to.to_owned()));
        }
        let source = match self.0.try_lock() {
            Ok(source) => source,
            Err(TryLockError::Poisoned(source)) => source.into_inner(),
            // Its destination may hang for good: whoever asks must not hang with it.
            Err(TryLockError::WouldBlock) => {
                let why = "another backup is being written; try again when it has ended, or copy the open files (docs/operating.md, \"At night\")";
                return Err(StoreError::Unavailable(why.to_owned()));
            }
        };
        write(&source, to).map_err(|failed| failed.told(to.to_owned()))
    }
}

/// Written elsewhere first: whatever ends it early, no half backup bears the name asked for. Another server may be asked
/// for a backup of this name at the same time: each has a place of its own, and one of them gets the name.
fn write(source: &Connection, to: &Path) -> Result<Revision, Failed> {
    let place = OwnDirectory::new(&unfinished(to)).map_err(|e| unwritten(&e))?;
    let partial = place.file();
    let revision = copy(source, &partial)?;
    files::put_in_place(&partial, to).map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => Failed::Exists,
        _ => unwritten(&e),
    })?;
    Ok(revision)
}

/// Beside it, with as much of its name as leaves room for the rest.
fn unfinished(to: &Path) -> PathBuf {
    let name = to.file_name().unwrap_or_default().as_bytes();
    let name = OsStr::from_bytes(name.get(..NAME_BYTES_KEPT).unwrap_or(name));
    files::with_suffix(&to.with_file_name(name), PARTIAL)
}

fn copy(source: &Connection, partial: &Path) -> Result<Revision, Failed> {
    files::create_private(partial).map_err(|e| unwritten(&e))?;
    let mut copy = open::connect(partial).map_err(of_either)?;
    {
        let backup = Backup::new(source, &mut copy).map_err(of_either)?;
        // In one step, so in one read transaction: in smaller ones each commit would start it anew.
        match backup.step(-1).map_err(of_either)? {
            StepResult::Done => {}
            other => return Err(Failed::Unread(format!("it is busy ({other:?}); try again"))),
        }
    }
    check::whole(&copy).map_err(|damage| match damage {
        Damage::Found(detail) => Failed::Damaged(detail),
        Damage::Failed(error) => of_either(error),
    })?;
    let revision = writer::revision(&copy).map_err(of_either)?;
    // So its header says that a log beside it is another store's. After the check, which was the first to read it:
    // only then this connection knows that the copy is in write-ahead mode.
    if !open::journal(&copy, "delete").map_err(of_either)? {
        return Err(Failed::Unwritten("it could not be finished".to_owned()));
    }
    copy.close().map_err(|(_, e)| of_either(e))?;
    Ok(revision)
}

impl Failed {
    fn told(self, path: PathBuf) -> StoreError {
        match self {
            Self::Damaged(detail) => StoreError::Damaged(detail),
            Self::Unread(detail) => StoreError::Unavailable(detail),
            Self::Unwritten(detail) => StoreError::Backup { path, detail },
            Self::Exists => StoreError::Exists(path),
        }
    }
}

fn unwritten(error: &std::io::Error) -> Failed {
    Failed::Unwritten(match error.kind() {
        ErrorKind::StorageFull => full(),
        _ => elsewhere(error),
    })
}

/// What SQLite says while it reads the one file and writes the other. The copy is new: damage is the store's.
#[expect(clippy::needless_pass_by_value, reason = "it is what is done with an error")]
fn of_either(error: rusqlite::Error) -> Failed {
    match (error.sqlite_error_code(), error.sqlite_extended_error_code()) {
        (Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase), _) => Failed::Damaged(error.to_string()),
        (_, Some(ffi::SQLITE_IOERR_READ)) => Failed::Unread(error.to_string()),
        (Some(ErrorCode::DiskFull), _) => Failed::Unwritten(full()),
        _ => Failed::Unwritten(elsewhere(&error)),
    }
}

fn full() -> String {
    "the disk is full; make room on it, or name a file on another".to_owned()
}

fn elsewhere(error: &dyn std::fmt::Display) -> String {
    format!("{error}; name a file in a directory that the server's user can write")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_beside_one_that_hangs_is_refused_at_once() {
        let source = Source(Mutex::new(Connection::open_in_memory().unwrap()));
        let hangs = source.0.lock().unwrap();
        let refused = source.copy_to(Path::new("/nowhere/copy")).unwrap_err();
        assert!(refused.to_string().contains("another backup is being written"), "{refused}");
        drop(hangs);
    }
}
