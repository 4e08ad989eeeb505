//! Files with a secret in them, and what makes a name in a directory last.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use daypass_model::Secret;

use super::regular::{Links, open_regular};
use crate::failure::Failure;

/// Others than the owner: group and all.
pub(super) fn warn_if_open(path: &Path, warning: &str) {
    let mode = path.metadata().map_or(0, |found| found.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), mode = format!("{:o}", mode & 0o777), "{warning}");
    }
}

/// Most bytes of a file with a secret of ours, or one like it.
pub(super) const SECRET_BYTES_MAX: u64 = 4096;

/// A file of the data directory with a secret in it.
pub(crate) fn read_secret(path: &Path) -> io::Result<Secret> {
    read_secret_of(path, Links::Refused, SECRET_BYTES_MAX)
}

/// A file with a secret in it, so many bytes of it at most.
pub(crate) fn read_secret_of(path: &Path, links: Links, bytes_max: u64) -> io::Result<Secret> {
    secret_in(open_regular(OpenOptions::new().read(true), path, links)?, path, bytes_max)
}

/// A secret that is handed over once, at a start: in a file, or through a pipe, whose other end is waited for.
pub(crate) fn read_handed_secret(path: &Path) -> io::Result<Secret> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    secret_in(file, path, SECRET_BYTES_MAX)
}

fn secret_in(mut file: File, path: &Path, bytes_max: u64) -> io::Result<Secret> {
    warn_if_open(path, "a file with a secret is open to others; chmod 600 it");
    // As large as it will be: what a vector leaves behind when it grows is not wiped.
    let bytes = file.metadata()?.len().min(bytes_max);
    let mut text = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0).max(128) + 1);
    Read::by_ref(&mut file).take(bytes_max).read_to_end(&mut text)?;
    Ok(Secret::new(text))
}

/// A new file that only its owner reads: whole and on disk before this returns, or not there at all.
///
/// # Errors
/// There is such a file, or it could not be written.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    make_private(path, |file| file.write_all(bytes))
}

fn make_private(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), Failure> {
    // Two of the operator's requests may want the same file. Nobody else writes here: the directory is locked.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    fill_then_rename(&unfinished, path, fill).map_err(|error| {
        drop(std::fs::remove_file(&unfinished));
        Failure::disk(&format!("`{}` cannot be written", path.display()), &error)
    })
}

fn fill_then_rename(
    unfinished: &Path,
    path: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    // What a crash left goes, whatever it is: a link would be followed, another's file be read by that other.
    match std::fs::remove_file(unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(unfinished)?;
    fill(&mut file)?;
    file.sync_all()?;
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    std::fs::rename(unfinished, path)?;
    sync_directory(path)
}

/// Make what happened to a name in a directory last.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_secret_is_written_whole_or_not_at_all_and_replaces_nothing() {
        let scratch = Scratch::new("secret");
        let path = scratch.join("key");
        // What a crash left of an earlier try is no obstacle.
        std::fs::write(scratch.join("key.unfinished"), "ha").unwrap();
        write_secret(&path, b"whole").unwrap();
        assert!(write_secret(&path, b"another").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1, "nothing unfinished is left");
    }

    #[test]
    fn a_full_disk_leaves_no_empty_secret_and_is_told_as_such() {
        let scratch = Scratch::new("full");
        let path = scratch.join("key");
        let full = |file: &mut File| {
            file.write_all(b"wh")?;
            Err(io::ErrorKind::StorageFull.into())
        };
        let line = make_private(&path, full).unwrap_err().to_string();
        assert!(line.contains("the disk is full; make room"), "{line}");
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
        write_secret(&path, b"whole").unwrap();
    }
}
