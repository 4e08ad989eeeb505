//! The lock of a data directory: one process at a time may own it. The lock file also says who the
//! owner is, so that a refused second server can name the first.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Name of the lock file inside the directory.
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
    /// The lock file could not be made or written.
    #[error("cannot lock `{}`: {detail}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

/// Ownership of a data directory until dropped. The operating system lets go of it when the process
/// ends, however it ends; the file stays, since removing it would let two owners lock two files.
#[derive(Debug)]
pub struct DirLock {
    file: File,
    path: PathBuf,
}

impl DirLock {
    /// Takes the lock of `dir`, which must exist, without waiting, and writes this process's id.
    ///
    /// # Errors
    /// Another process holds it, or the file cannot be opened or written.
    pub fn acquire(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(FILE_NAME);
        let failed = |e: std::io::Error| LockError::Io { path: path.clone(), detail: e.to_string() };
        let mut file = options().open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { dir: dir.to_owned(), owner: owner(&mut file) });
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        let mut lock = Self { file, path };
        lock.describe("")?;
        Ok(lock)
    }

    /// Says more about the owner, e.g. the address it listens on: one line, cut to 256 bytes.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn describe(&mut self, about: &str) -> Result<(), LockError> {
        let mut line = format!("process {} {about}", std::process::id());
        line.retain(|c| !c.is_control());
        line.truncate(line.floor_char_boundary(OWNER_BYTES_MAX));
        self.write(line.trim_end())
            .map_err(|e| LockError::Io { path: self.path.clone(), detail: e.to_string() })
    }

    fn write(&mut self, line: &str) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(format!("{line}\n").as_bytes())
    }
}

/// What the holder wrote about itself; never trusted to be short or printable.
fn owner(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let max = u64::try_from(OWNER_BYTES_MAX).unwrap_or(u64::MAX);
    if file.take(max).read_to_end(&mut bytes).is_err() {
        bytes.clear();
    }
    let text: String = String::from_utf8_lossy(&bytes).chars().filter(|c| !c.is_control()).collect();
    if text.is_empty() { "unknown process".to_owned() } else { text }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
