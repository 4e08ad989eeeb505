//! The one thing of a disk that can run out, so that tests can make it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crate::data_dir::{Links, open_regular};

/// The end of a file in which a line that was being written is looked for.
const TAIL_BYTES: u64 = 1024 * 1024;

/// How lines of the audit begin: a call's, and others', whose members are in the order of their names
/// (`daypass_service::Audit`).
const BEGINNINGS: [&[u8]; 5] = [
    b"{\"eventVersion\":\"",
    b"{\"additionalEventData\":",
    b"{\"errorCode\":\"",
    b"{\"errorMessage\":\"",
    b"{\"eventCategory\":\"",
];

/// Writes to files.
pub(super) trait Disk: Send {
    /// As `write(2)`: how many of the bytes were taken.
    ///
    /// # Errors
    /// Of the file system; no space left.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize>;
}

/// The disk itself.
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        file.write(bytes)
    }
}

/// All of the bytes.
pub(super) fn write_all(disk: &dyn Disk, file: &mut File, bytes: &[u8]) -> io::Result<()> {
    struct To<'a>(&'a dyn Disk, &'a mut File);
    impl Write for To<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(self.1, bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    To(disk, file).write_all(bytes)
}

/// A file that is only ever added to, and only by whoever has it open. No link: rotating would move that, and the room
/// would be kept on its disk instead of on that of the lines.
pub(super) fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = open(options.read(true).append(true).create(true).mode(0o600), path)?;
    // Two who rotate one file would lose what the other writes.
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(io::Error::new(io::ErrorKind::ResourceBusy, "another server writes it"))
        }
        // A file system without locks is no reason not to serve.
        Err(TryLockError::Error(_)) | Ok(()) => Ok(file),
    }
}

/// Whether a file that is there can be gone on with, for whoever does not write it.
pub(super) fn check(path: &Path) -> io::Result<()> {
    torn(&open(OpenOptions::new().read(true), path)?).map(drop)
}

fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    open_regular(options, path, Links::Refused).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory => io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{error} (it is cut and renamed; for lines on standard output there is --audit-stdout)"),
        ),
        _ => error,
    })
}

/// Cut off what follows the last whole line: a crash may have come in the middle of one. The length.
pub(super) fn cut_torn_line(path: &Path, file: &File) -> io::Result<u64> {
    let (length, torn) = (file.metadata()?.len(), torn(file)?);
    if torn > 0 {
        tracing::warn!(bytes = torn, path = %path.display(), "the last audit line was torn by a crash; it is removed");
        file.set_len(length.saturating_sub(torn))?;
    }
    Ok(length.saturating_sub(torn))
}

/// How many bytes of a line are at its end that a crash tore.
///
/// INVARIANT (own-lines): nothing is cut but what begins as a line of ours, and nothing is added to what is no audit.
/// Whoever names a key, a store or a backup as the audit loses nothing of it.
fn torn(file: &File) -> io::Result<u64> {
    let head = part(file, 0)?;
    let (first, is_whole) = match head.iter().position(|byte| *byte == b'\n') {
        Some(end) => (head.get(..end).unwrap_or_default(), true),
        None => (&head[..], false),
    };
    let is_ours = begins_as_ours(first)
        || is_whole && serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(first).is_ok();
    if !is_ours {
        return Err(not_ours("its first line is no audit line"));
    }
    let tail = part(file, file.metadata()?.len().saturating_sub(TAIL_BYTES))?;
    let torn = tail.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    // Of a line that is longer the beginning is not at hand, and there is none so long.
    if torn.len() as u64 == TAIL_BYTES || !begins_as_ours(torn) {
        return Err(not_ours("what follows its last whole line is no beginning of an audit line"));
    }
    Ok(torn.len() as u64)
}

fn not_ours(why: &str) -> io::Error {
    let why =
        format!("{why}; name another file with --audit-file, or move this one away (nothing was changed)");
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// So much of a file from there on.
fn part(file: &File, from: u64) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len().saturating_sub(from).min(TAIL_BYTES);
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}

/// Or could, if there were more of it; behind it may be what a power failure left unwritten.
fn begins_as_ours(line: &[u8]) -> bool {
    let written = line.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let line = line.get(..written).unwrap_or_default();
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning) || beginning.starts_with(line))
}

/// A file of `bytes` that take room on the disk. What else has its name goes, whatever it is: what a link leads to is
/// not written over.
pub(super) fn fill(disk: &dyn Disk, path: &Path, bytes: u64) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_file() && found.len() == bytes => return Ok(()),
        Ok(_) => std::fs::remove_file(path)?,
        Err(_) => {}
    }
    let filled = write_filler(disk, path, bytes);
    if filled.is_err() {
        drop(std::fs::remove_file(path));
    }
    filled
}

fn write_filler(disk: &dyn Disk, path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    // Not zeros: a file system that compresses, or leaves holes, would keep no room for them.
    let mut state = bytes | 1;
    let mut block = [0; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        for word in block.chunks_exact_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            word.copy_from_slice(&state.to_le_bytes());
        }
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
        write_all(disk, &mut file, block.get(..size).unwrap_or_default())?;
        left -= size as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn nothing_is_cut_that_does_not_begin_as_a_line_of_the_audit() {
        let dir = Scratch::new("own-lines");
        let path = dir.join("audit.jsonl");
        let whole = "{\"eventVersion\":\"1.08\"}\n";
        for (text, left) in [
            ("", Some("")),
            ("{\"ev", Some("")),
            ("{\"eventVersion\":\"1.0", Some("")),
            ("\0\0\0", Some("")),
            (whole, Some(whole)),
            ("{\"somebody\": \"else\"}\n", Some("{\"somebody\": \"else\"}\n")),
            (&format!("{whole}{{\"errorMess"), Some(whole)),
            (&format!("{whole}{{\"eventVersion\":\"1.0\0\0"), Some(whole)),
            (&format!("{whole}a note"), None),
            ("c29tZSBtYXN0ZXIga2V5IG9mIGEgdGVzdCwgMzIgYi4=", None),
            ("one\ntwo", None),
            ("[1]\n", None),
            ("{\"aws_access_key_id\": 1}", None),
            ("SQLite format 3\0\n{\"ev", None),
        ] {
            std::fs::write(&path, text).unwrap();
            let (checked, cut) = (check(&path), cut_torn_line(&path, &append(&path).unwrap()));
            assert_eq!((checked.is_ok(), cut.is_ok()), (left.is_some(), left.is_some()), "{text:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), left.unwrap_or(text));
        }
    }

    #[test]
    fn one_audit_is_one_servers() {
        let dir = Scratch::new("one-audit");
        let path = dir.join("audit.jsonl");
        let first = append(&path).unwrap();
        assert!(append(&path).unwrap_err().to_string().contains("another server writes it"));
        drop(first);
        append(&path).unwrap();
    }
}
