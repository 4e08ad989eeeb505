//! The lock of a data directory: one process at a time may own it. A file in it says who the owner is, so
//! that a refused second server can name the first.
//!
//! What is locked is the directory itself: whoever removes the file lets nobody in.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

/// Name of the owner's file inside the directory.
const FILE_NAME: &str = "daypass.lock";
/// Most bytes of the owner's line.
const OWNER_BYTES_MAX: usize = 256;

/// Why a directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process owns the directory.
    #[error("`{}` is in use by another daypass ({owner}); stop it first, or name another data directory", dir.display())]
    Held {
        /// The directory.
        dir: PathBuf,
        /// What the owner wrote about itself: its process id and, once known, its address.
        owner: String,
    },
    /// It is another user's.
    #[error("`{}` cannot be opened by this user; make the server's user the owner of the data directory (0700) and of every file in it (0600)", path.display())]
    Denied {
        /// The file.
        path: PathBuf,
    },
    /// Nothing can be written there.
    #[error("`{}` cannot be made: its file system is mounted read-only; make that writable, or name another directory with --data", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The directory could not be locked, or the file in it not be made or written.
    #[error("cannot lock `{}`: {detail}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

impl LockError {
    fn io(path: &Path, error: &Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            ErrorKind::PermissionDenied => Self::Denied { path },
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            _ => Self::Io { path, detail: error.to_string() },
        }
    }
}

/// Ownership of a data directory until dropped. The operating system lets go of it when the process
/// ends, however it ends; the file stays.
#[derive(Debug)]
pub struct DirLock {
    /// The directory, locked for as long as this is open.
    _dir: File,
    file: File,
    /// There was no such file before.
    is_new: bool,
    path: PathBuf,
}

impl DirLock {
    /// Takes the lock of `dir`, which must exist, without waiting, and writes this process's id.
    ///
    /// # Errors
    /// Another process holds it, or the file cannot be opened or written, or is none of ours.
    pub fn acquire(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(FILE_NAME);
        let failed = |e| LockError::io(&path, &e);
        let held = File::open(dir).map_err(failed)?;
        match held.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { dir: dir.to_owned(), owner: owner(&path) });
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        let (file, is_new) = open_or_make(&path).map_err(failed)?;
        let mut lock = Self { _dir: held, file, is_new, path: path.clone() };
        match lock.write(&about_me("")) {
            // Nobody is locked out by a name that is missing, and a full disk is better told by the store.
            Err(e) if e.kind() != ErrorKind::StorageFull => Err(failed(e)),
            _ => Ok(lock),
        }
    }

    /// Says more about the owner, e.g. the address it listens on: one line, cut to 256 bytes.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn describe(&mut self, about: &str) -> Result<(), LockError> {
        self.write(&about_me(about)).map_err(|e| LockError::io(&self.path, &e))
    }

    /// What the owner of `dir` wrote about itself, whether it still owns it or not.
    #[must_use]
    pub fn owner_of(dir: &Path) -> String {
        owner(&dir.join(FILE_NAME))
    }

    /// Makes the file a user's, for whoever looks at another's directory and is to leave nothing of its own there. Only
    /// if the file was made here, and that very file: by now another one may have its name.
    ///
    /// # Errors
    /// The system refuses.
    pub fn give_to(&self, uid: u32) -> io::Result<()> {
        if self.is_new { fchown(&self.file, Some(uid), None) } else { Ok(()) }
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(format!("{line}\n").as_bytes())
    }
}

fn about_me(about: &str) -> String {
    let mut line = format!("process {} {about}", std::process::id());
    line.retain(|c| !c.is_control());
    line.truncate(line.floor_char_boundary(OWNER_BYTES_MAX));
    line.truncate(line.trim_end().len());
    line
}

/// What the holder wrote about itself; never trusted to be there, short or printable.
fn owner(path: &Path) -> String {
    let mut bytes = Vec::new();
    let max = u64::try_from(OWNER_BYTES_MAX).unwrap_or(u64::MAX);
    let file = open(OpenOptions::new().read(true), path);
    let read = file.and_then(|file| file.take(max).read_to_end(&mut bytes));
    if read.is_err() {
        bytes.clear();
    }
    let text: String = String::from_utf8_lossy(&bytes).chars().filter(|c| !c.is_control()).collect();
    if text.is_empty() { "unknown process".to_owned() } else { text }
}

/// The owner's file, and whether there was none before.
fn open_or_make(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    match open(&mut options, path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok((open(options.create_new(true), path)?, true)),
        found => Ok((found?, false)),
    }
}

/// Root may look at the directory of another user, who can have put there whatever it likes: a link or a second name
/// of root's own files, a pipe that is waited for, a device without an end.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    let refused = |why| Err(Error::new(ErrorKind::InvalidInput, why));
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match options.custom_flags(flags.bits().cast_signed()).open(path) {
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return refused("it is a link; remove it");
        }
        opened => opened?,
    };
    let found = file.metadata()?;
    if !found.is_file() {
        return refused("it is not a regular file; remove it");
    }
    if found.nlink() > 1 {
        return refused("it has a second name (a hard link); remove it");
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_another_user_is_told_as_such() {
        let refused =
            |kind: ErrorKind| LockError::io(Path::new("data/daypass.lock"), &kind.into()).to_string();
        let line = refused(ErrorKind::PermissionDenied);
        assert!(
            line.starts_with(
                "`data/daypass.lock` cannot be opened by this user; make the server's user the owner"
            ),
            "{line}"
        );
        let line = refused(ErrorKind::ReadOnlyFilesystem);
        assert!(line.contains("make that writable, or name another directory with --data"), "{line}");
        assert!(refused(ErrorKind::NotADirectory).starts_with("cannot lock `data/daypass.lock`: "));
    }
}
