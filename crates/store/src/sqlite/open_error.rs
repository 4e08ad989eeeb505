//! Why a file is not opened as a store, in one line that says what to do.

use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, ffi};

use super::check::Damage;
use super::files;
use super::open::FORMAT;

/// Why a store could not be opened. Each message is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is damaged, or a part of it is missing.
    #[error("`{}` is damaged ({detail}); it was left as it is: restore a backup, or start with another data directory; if you just restored one, remove `-wal` and `-shm` beside it, which are another store's", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// There is no file, or a whole one without what it must hold.
    #[error("`{}` {what}; it was left as it is: restore a backup, or start with another data directory", path.display())]
    Lost {
        /// The file.
        path: PathBuf,
        /// What is missing, as the end of a sentence about the file.
        what: String,
    },
    /// It was not closed in order, and its log was removed since: whatever was only there is lost.
    #[error("the write-ahead log of `{0}` is gone (`{0}-wal`), and with it the last commits; nothing was changed: put the log back, or restore a backup; to go on without those commits remove `{0}-shm`", path.display())]
    LogLost {
        /// The file.
        path: PathBuf,
    },
    /// It was not closed in order, and its log was cut short or harmed since: the last commits are lost.
    #[error("the write-ahead log of `{0}` (`{0}-wal`) ends before the last commit that was in it; nothing was changed: put the whole log back, or restore a backup; to go on without the commits that are missing remove `{0}-shm`", path.display())]
    LogShort {
        /// The file.
        path: PathBuf,
    },
    /// A backup, put in the place of a store whose log was left. SQLite would join the two.
    #[error("`{0}` is a backup that was put in the place of a store whose log is still there; nothing was changed: remove `{0}-wal` and `{0}-shm`", path.display())]
    LogOfAnother {
        /// The file.
        path: PathBuf,
    },
    /// A rollback journal that no server left. SQLite would write it into the store.
    #[error("`{0}-journal` is no server's, and would be written into `{0}`; nothing was changed: move it away", path.display())]
    JournalOfAnother {
        /// The file.
        path: PathBuf,
    },
    /// There is no room for a copy, and only a copy is looked at.
    #[error("`{}` was not looked at: a copy of it needs {needed} MiB, and `{}` has {free}; TMPDIR names another directory", path.display(), place.display())]
    NoRoom {
        /// The file.
        path: PathBuf,
        /// Where the copy would be.
        place: PathBuf,
        /// In MiB.
        needed: u64,
        /// In MiB.
        free: u64,
    },
    /// No copy can be made for another reason than room, and only a copy is looked at.
    #[error("`{}` was not looked at: no copy of it can be made in `{}`: {detail}; TMPDIR names another directory", path.display(), place.display())]
    NoCopy {
        /// The file.
        path: PathBuf,
        /// Where the copy would be.
        place: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// A store, but another than its owner knows: nothing was written.
    #[error("`{}` is another store, or the log beside it is; it was left as it is", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// A file, but not one of ours.
    #[error("`{}` is not a daypass store; it was left as it is: name another data directory", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer version wrote it and uses what this version does not know.
    #[error("`{}` was written by a newer daypass (it needs store format {needs}, this is {FORMAT}); use that version, or restore an older backup", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The format that a program needs to know to use this file.
        needs: i64,
    },
    /// Another process holds it locked.
    #[error("`{}` is in use by another process; stop that one first", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It can be read, but not written.
    #[error("`{}`, or its `-wal` or `-shm`, cannot be written by this user; make its owner the server's user, or the file system writable", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// There is no room for the little that opening needs.
    #[error("the disk of `{}` is full; make room on it, but not by removing a file of the data directory", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot open the store `{}`: {detail}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

impl OpenError {
    pub(super) fn io(path: &Path, error: &std::io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            std::io::ErrorKind::StorageFull => Self::Full { path },
            _ => Self::Io { path, detail: error.to_string() },
        }
    }

    /// The same of another file: what was looked at is a copy of it.
    pub(super) fn about(mut self, file: &Path) -> Self {
        match &mut self {
            Self::Corrupt { path, .. }
            | Self::Lost { path, .. }
            | Self::LogLost { path }
            | Self::LogShort { path }
            | Self::LogOfAnother { path }
            | Self::JournalOfAnother { path }
            | Self::NoRoom { path, .. }
            | Self::NoCopy { path, .. }
            | Self::Unknown { path }
            | Self::Foreign { path }
            | Self::TooNew { path, .. }
            | Self::Busy { path }
            | Self::ReadOnly { path }
            | Self::Full { path }
            | Self::Io { path, .. } => file.clone_into(path),
        }
        self
    }

    /// Of a file that is there.
    pub(super) fn unopened(path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        match error.kind() {
            PermissionDenied | ReadOnlyFilesystem => Self::ReadOnly { path: path.to_owned() },
            _ => Self::io(path, error),
        }
    }

    pub(super) fn corrupt(path: &Path, detail: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), detail: detail.into() }
    }

    pub(super) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            // Longer than anything of ours is.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TooBig) => {
                Self::Corrupt { path, detail: error.to_string() }
            }
            // See `connect_patiently`.
            Some(ErrorCode::OperationInterrupted) => {
                Self::Corrupt { path, detail: "its tables are more than could be read".to_owned() }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            Some(ErrorCode::CannotOpen) if files::is_denied(&files::with_suffix(&path, "-shm")) => {
                Self::ReadOnly { path }
            }
            Some(ErrorCode::DiskFull) => Self::Full { path },
            // SQLite calls the memory that connections share, which is a file, too small.
            _ if error.sqlite_extended_error_code() == Some(ffi::SQLITE_IOERR_SHMSIZE) => Self::Full { path },
            _ => Self::Io { path, detail: error.to_string() },
        }
    }

    pub(super) fn damage(path: &Path, damage: Damage) -> Self {
        match damage {
            Damage::Found(detail) => Self::corrupt(path, detail),
            Damage::Failed(error) => Self::sqlite(path, &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_user_is_told_as_such() {
        let error = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let told = OpenError::unopened(Path::new("store"), &error).to_string();
        assert!(told.contains("cannot be written by this user; make its owner the server's user"), "{told}");
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        let path = Path::new("store");
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_SHMSIZE] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert!(OpenError::sqlite(path, &error).to_string().contains("is full; make room"));
        }
        let error = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert!(OpenError::io(path, &error).to_string().contains("is full; make room"));
    }
}
