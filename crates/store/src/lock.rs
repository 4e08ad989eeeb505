//! The lock of a data directory: one process at a time may own it. A file in it says who the owner is, so
//! that a refused second server can name the first.
//!
//! What is locked is the directory itself: whoever removes the file lets nobody in.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Error, ErrorKind, Read};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Name of the owner's file inside the directory.
const FILE_NAME: &str = "daypass.lock";
/// Most bytes of the owner's line.
const OWNER_BYTES_MAX: usize = 256;
/// How long an owner waits for those who only look.
const LOOK_TIME_MAX: Duration = Duration::from_secs(10);
/// How often it tries meanwhile.
const TRY_EVERY: Duration = Duration::from_millis(5);

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
    /// Somebody looks at the directory, and nobody owns it.
    #[error("`{}` is being looked at by `daypass doctor`; start again when that has ended", dir.display())]
    LookedAt {
        /// The directory.
        dir: PathBuf,
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
    fn held(dir: &Path) -> Self {
        Self::Held { dir: dir.to_owned(), owner: owner(&dir.join(FILE_NAME)) }
    }

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
    path: PathBuf,
}

/// A data directory that nobody comes to own until this is dropped: others may look at it too.
#[derive(Debug)]
pub struct Look {
    _dir: File,
}

impl DirLock {
    /// Takes the lock of `dir`, which must exist, and writes this process's id. It waits for nobody but those who only
    /// look, and for them ten seconds.
    ///
    /// # Errors
    /// Another process holds it, or the file cannot be opened or written, or is none of ours.
    pub fn acquire(dir: &Path) -> Result<Self, LockError> {
        Self::acquire_within(dir, LOOK_TIME_MAX)
    }

    fn acquire_within(dir: &Path, look_time_max: Duration) -> Result<Self, LockError> {
        let path = dir.join(FILE_NAME);
        let failed = |e| LockError::io(&path, &e);
        let held = File::open(dir).map_err(failed)?;
        take(&held, dir, look_time_max)?;
        let mut lock = Self { _dir: held, file: open_or_make(&path).map_err(failed)?, path: path.clone() };
        match lock.write(&about_me("")) {
            // Nobody is locked out by a name that is missing, and a full disk is better told by the store.
            Err(e) if e.kind() != ErrorKind::StorageFull => Err(failed(e)),
            _ => Ok(lock),
        }
    }

    /// Looks at `dir`: nobody comes to own it meanwhile. Nothing is made or written.
    ///
    /// # Errors
    /// Another process owns it, or an owner could not open the file, or would find it none of ours.
    pub fn look(dir: &Path) -> Result<Look, LockError> {
        let path = dir.join(FILE_NAME);
        let failed = |e| LockError::io(&path, &e);
        let held = File::open(dir).map_err(failed)?;
        match held.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::held(dir)),
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        match open(OpenOptions::new().read(true).write(true), &path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(failed(e)),
            _ => Ok(Look { _dir: held }),
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

    /// Over the line that is there, which is cut then: whoever is refused meanwhile reads one of the two.
    fn write(&mut self, line: &str) -> io::Result<()> {
        let line = format!("{line}\n");
        self.file.write_all_at(line.as_bytes(), 0)?;
        self.file.set_len(line.len() as u64)
    }
}

/// Lock the directory for its owner.
fn take(held: &File, dir: &Path, look_time_max: Duration) -> Result<(), LockError> {
    let failed = |e| LockError::io(&dir.join(FILE_NAME), &e);
    let mut waited = Duration::ZERO;
    loop {
        match held.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        // Beside an owner there is no room for anybody, beside who looks there is for another.
        match held.try_lock_shared() {
            Ok(()) => held.unlock().map_err(failed)?,
            Err(TryLockError::WouldBlock) => return Err(LockError::held(dir)),
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        if waited >= look_time_max {
            return Err(LockError::LookedAt { dir: dir.to_owned() });
        }
        if waited.is_zero() {
            tracing::info!("waiting for `daypass doctor`, which looks at `{}`", dir.display());
        }
        std::thread::park_timeout(TRY_EVERY);
        waited += TRY_EVERY;
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
    // Behind the first line may be the end of one that is being written over.
    let text = String::from_utf8_lossy(&bytes);
    let text: String =
        text.lines().next().into_iter().flat_map(str::chars).filter(|c| !c.is_control()).collect();
    if text.is_empty() { "unknown process".to_owned() } else { text }
}

/// The owner's file.
fn open_or_make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    match open(&mut options, path) {
        Err(e) if e.kind() == ErrorKind::NotFound => open(options.create_new(true), path),
        found => found,
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
    fn an_owner_waits_for_those_who_look_and_not_for_ever() {
        let dir = std::env::temp_dir().join(format!("daypass-store-{}-look", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        let (look, another) = (DirLock::look(&dir).unwrap(), DirLock::look(&dir).unwrap());
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0, "nothing is made");
        let refused = DirLock::acquire_within(&dir, Duration::ZERO).unwrap_err();
        assert!(refused.to_string().contains("is being looked at by `daypass doctor`"), "{refused}");
        drop(another);
        let owner = std::thread::scope(|scope| {
            let owner = scope.spawn(|| DirLock::acquire(&dir));
            drop(look);
            owner.join().unwrap().unwrap()
        });
        assert!(matches!(DirLock::look(&dir), Err(LockError::Held { .. })));
        drop(owner);
        let before = std::fs::read(dir.join(FILE_NAME)).unwrap();
        DirLock::look(&dir).unwrap();
        assert_eq!(std::fs::read(dir.join(FILE_NAME)).unwrap(), before, "nothing is written");
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_line_is_written_over_the_one_before_and_never_missing() {
        let dir = std::env::temp_dir().join(format!("daypass-store-{}-line", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        let path = dir.join(FILE_NAME);
        std::fs::write(&path, format!("process 1 http://{}\n", "a".repeat(100))).unwrap();
        let lock = DirLock::acquire(&dir).unwrap();
        let me = format!("process {}", std::process::id());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{me}\n"));
        std::fs::write(&path, format!("{me}\nttp://{}\n", "a".repeat(100))).unwrap();
        assert_eq!(DirLock::owner_of(&dir), me, "the end of the line before is none");
        drop(lock);
        std::fs::remove_dir_all(&dir).unwrap();
    }

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
