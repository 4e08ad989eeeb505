//! Files: making them private, naming and removing SQLite's companions of one, making renames last.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;

/// What SQLite keeps beside a file (<https://www.sqlite.org/tempfiles.html>).
const COMPANIONS: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Makes a file that only its owner can read. What an interrupted run left in its place goes, whatever it is: it may
/// be open to others, or lead elsewhere. So do its companions, since SQLite would join them with the new file.
pub(super) fn create_private(path: &Path) -> Result<File, Error> {
    for companion in COMPANIONS {
        remove(&with_suffix(path, companion))?;
    }
    remove(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options.mode(0o600).open(path)
}

/// Gives a finished file its real name, for good. What has that name by now keeps it.
pub(super) fn put_in_place(finished: &Path, path: &Path) -> Result<(), Error> {
    put(finished, path, put_by_link)
}

/// The same where the lock of the directory is held, so that nobody takes the name meanwhile: no end of this process leaves
/// the file with two names, whatever the file system can.
pub(super) fn put_in_place_locked(finished: &Path, path: &Path) -> Result<(), Error> {
    put(finished, path, put_over)
}

fn put(finished: &Path, path: &Path, otherwise: fn(&Path, &Path) -> Result<(), Error>) -> Result<(), Error> {
    File::open(finished)?.sync_all()?;
    match renameat_with(CWD, finished, CWD, path, RenameFlags::NOREPLACE) {
        // Not every file system can.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => otherwise(finished, path)?,
        renamed => renamed?,
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent)?.sync_all()
}

/// A second name is refused where there is one. A file system that has none either gets the name as it can.
fn put_by_link(finished: &Path, path: &Path) -> Result<(), Error> {
    match std::fs::hard_link(finished, path) {
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) => {
            put_over(finished, path)
        }
        Err(error) => Err(error),
        Ok(()) => std::fs::remove_file(finished),
    }
}

fn put_over(finished: &Path, path: &Path) -> Result<(), Error> {
    if path.symlink_metadata().is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    std::fs::rename(finished, path)
}

/// `path` with `suffix` behind its file name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// That a store and what SQLite keeps beside it are files, as far as they are there: a pipe would be waited for, the log
/// of what is a link lies beside the file that it names, where nobody would look for it, and that of a file with two
/// names beside one of them only (<https://www.sqlite.org/howtocorrupt.html>, section 2.5).
pub(super) fn check_regular(path: &Path) -> Result<(), Error> {
    for suffix in [""].into_iter().chain(COMPANIONS) {
        let file = with_suffix(path, suffix);
        let named = || if suffix.is_empty() { "it".to_owned() } else { format!("`{}`", file.display()) };
        match std::fs::symlink_metadata(&file) {
            Ok(found) if found.is_symlink() => {
                return Err(Error::other(format!(
                    "{} is a link; move the file itself here, or name the directory that it is in with --data",
                    named()
                )));
            }
            Ok(found) if !found.is_file() => {
                return Err(Error::other(format!("{} is not a regular file", named())));
            }
            Ok(found) if found.nlink() > 1 => {
                return Err(Error::other(format!(
                    "{} has a second name (a hard link); remove that one, or put a copy of the file in its place",
                    named()
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Opens a file as a server would, which is as it was looked at above: its name may be another's by now. Nothing is
/// written through it.
pub(super) fn open_itself(path: &Path) -> Result<File, Error> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file =
        OpenOptions::new().read(true).write(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.nlink() > 1 {
        return Err(Error::other(format!("`{}` is no file with one name", path.display())));
    }
    Ok(file)
}

/// Opens what may be no file at all, and waits for nobody.
pub(super) fn open_at_once(path: &Path) -> Result<File, Error> {
    let file =
        OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(Error::other("it is not a regular file")) }
}

/// Whether a file is there that this user may not read.
pub(super) fn is_denied(path: &Path) -> bool {
    File::open(path).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_taken_from_what_has_it() {
        let dir = std::env::temp_dir().join(format!("daypass-files-{}", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        let (new, there) = (dir.join("new"), dir.join("there"));
        std::fs::write(&there, "theirs").unwrap();
        for put in [put_in_place, put_in_place_locked, put_by_link, put_over] {
            std::fs::write(&new, "ours").unwrap();
            assert_eq!(put(&new, &there).unwrap_err().kind(), ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read(&there).unwrap(), b"theirs");
            put(&new, &dir.join("free")).unwrap();
            assert!(!new.exists());
            assert_eq!(std::fs::read(dir.join("free")).unwrap(), b"ours");
            std::fs::remove_file(dir.join("free")).unwrap();
        }
        std::fs::remove_dir_all(dir).unwrap();
    }
}
