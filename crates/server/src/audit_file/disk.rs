//! The one thing of a disk that can run out, so that tests can make it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::ROOM;
use super::writer::SLACK;
use crate::data_dir::{Links, open_regular};

/// The end of a file in which a line that was being written is looked for.
const TAIL_BYTES: u64 = 1024 * 1024;
/// A first line that a crash tore is shorter.
const FIRST_LINE_BYTES_MAX: u64 = 64 * 1024;
/// So much of a file tells whose it is.
const HEAD_BYTES: usize = 4096;

/// Of a filler.
const FILLER_BYTES: u64 = ROOM + SLACK;

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
    locked(open(OpenOptions::new().read(true).append(true).create(true).mode(0o600), path)?)
}

/// The same of one that is not there yet.
pub(super) fn append_new(path: &Path) -> io::Result<File> {
    locked(open(OpenOptions::new().read(true).append(true).create_new(true).mode(0o600), path)?)
}

fn locked(file: File) -> io::Result<File> {
    // Two who rotate one file would lose what the other writes.
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(io::Error::new(io::ErrorKind::ResourceBusy, "another server writes it"))
        }
        // A file system without locks is no reason not to serve.
        Err(TryLockError::Error(_)) | Ok(()) => Ok(file),
    }
}

/// Whether a file that is there can be gone on with, for whoever does not write it. Opened as it would be then: a file
/// that nothing can be added to can be read.
pub(super) fn check(path: &Path) -> io::Result<()> {
    end(&open(OpenOptions::new().read(true).append(true), path)?).map(drop)
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

/// What follows the last end of a line.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Nothing.
    Whole,
    /// A line, which lacks its end only; and so many bytes that were never written.
    Unended(u64),
    /// So many bytes of a line.
    Torn(u64),
}

/// Cut off what follows the last whole line: a crash may have come in the middle of one. The length.
pub(super) fn cut_torn_line(path: &Path, file: &File) -> io::Result<u64> {
    let (length, path) = (file.metadata()?.len(), path.display());
    match end(file)? {
        End::Whole => Ok(length),
        End::Unended(unwritten) => {
            tracing::warn!(%path, "the last audit line had no end, as after a crash; it is kept");
            let length = length.saturating_sub(unwritten);
            file.set_len(length)?;
            let mut file = file;
            file.write_all(b"\n")?;
            Ok(length + 1)
        }
        End::Torn(bytes) => {
            tracing::warn!(bytes, %path, "the last audit line was torn by a crash; it is removed");
            let length = length.saturating_sub(bytes);
            file.set_len(length)?;
            Ok(length)
        }
    }
}

/// How a file ends.
///
/// INVARIANT (own-lines): nothing is cut but the beginning of a line of ours, and nothing is added to what is no audit.
/// Whoever names a key, a store or a backup as the audit loses nothing of it.
fn end(file: &File) -> io::Result<End> {
    let length = file.metadata()?.len();
    let head = part(file, 0, TAIL_BYTES)?;
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    // A line that has its end was written whole, and anybody's file may begin as the beginning of one: only what is all
    // that there is may have been torn.
    let is_all = first.len() as u64 == length;
    if !(if is_all { begins_as_ours(first) } else { begins_as_whole(first) }) {
        return Err(not_ours("its first line is no audit line"));
    }
    let tail = part(file, length.saturating_sub(TAIL_BYTES), TAIL_BYTES)?;
    let rest = tail.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = written(rest);
    if rest.is_empty() {
        return Ok(End::Whole);
    }
    // Of a line that is longer the beginning is not at hand, and there is none so long.
    if rest.len() as u64 == TAIL_BYTES || !begins_as_ours(line) {
        return Err(not_ours("what follows its last whole line is no beginning of an audit line"));
    }
    if serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line).is_ok() {
        return Ok(End::Unended((rest.len() - line.len()) as u64));
    }
    // With no whole line before it there is little that tells whose it is.
    if rest.len() as u64 == length && (matches!(line, b"" | b"{") || length >= FIRST_LINE_BYTES_MAX) {
        return Err(not_ours("there is no whole audit line in it"));
    }
    Ok(End::Torn(rest.len() as u64))
}

fn not_ours(why: &str) -> io::Error {
    let why =
        format!("{why}; name another file with --audit-file, or move this one away (nothing was changed)");
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// So much of a file from there on, at most.
fn part(file: &File, from: u64, bytes_max: u64) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len().saturating_sub(from).min(bytes_max);
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}

fn begins_as_whole(text: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

/// Or could, if there were more of it; behind it may be what a power failure left unwritten.
fn begins_as_ours(line: &[u8]) -> bool {
    let line = written(line);
    begins_as_whole(line) || BEGINNINGS.iter().any(|beginning| beginning.starts_with(line))
}

/// Without zeros at the end.
fn written(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

fn head_of(path: &Path) -> io::Result<Vec<u8>> {
    part(&open_regular(OpenOptions::new().read(true), path, Links::Refused)?, 0, HEAD_BYTES as u64)
}

/// Whether a file is ours that was rotated: its first line begins as one of ours, whole.
pub(super) fn is_rotated(path: &Path) -> io::Result<bool> {
    Ok(begins_as_whole(&head_of(path)?))
}

/// The same, or one of which a power failure left nothing, of its first block at least.
pub(super) fn may_be_rotated(path: &Path) -> io::Result<bool> {
    let head = head_of(path)?;
    Ok(written(&head).is_empty() || begins_as_whole(&head))
}

/// Whether there is nothing in a file.
pub(super) fn is_empty(path: &Path) -> io::Result<bool> {
    let found = std::fs::symlink_metadata(path)?;
    Ok(found.is_file() && found.len() == 0)
}

/// Whether a file is a filler, or as much of one as a crash left of it. Or a link, with which nothing goes.
pub(super) fn is_filler(path: &Path) -> io::Result<bool> {
    let found = std::fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Ok(true);
    }
    if !found.is_file() || found.len() > FILLER_BYTES {
        return Ok(false);
    }
    let head = head_of(path)?;
    let mut block = [0; HEAD_BYTES];
    Noise::default().fill(&mut block);
    Ok(block.starts_with(written(&head)))
}

/// A file of `bytes` that take room on the disk. One of another size goes, and a link, which leads to what is not written
/// over; what is somebody else's does not.
pub(super) fn fill(disk: &dyn Disk, path: &Path, bytes: u64) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_file() && found.len() == bytes => return Ok(()),
        Ok(_) => remove_filler(path)?,
        Err(_) => {}
    }
    let filled = write_filler(disk, path, bytes);
    if filled.is_err() {
        drop(std::fs::remove_file(path));
    }
    filled
}

/// Let go of the room.
pub(super) fn remove_filler(path: &Path) -> io::Result<()> {
    if !is_filler(path)? {
        let why = format!("`{}` is somebody else's file; move it away", path.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
    }
    std::fs::remove_file(path)
}

fn write_filler(disk: &dyn Disk, path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut noise = Noise::default();
    let mut block = [0; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        noise.fill(&mut block);
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
        write_all(disk, &mut file, block.get(..size).unwrap_or_default())?;
        left -= size as u64;
    }
    Ok(())
}

/// Always the same bytes, so that a filler is known by them. Not zeros: a file system that compresses, or leaves holes,
/// would keep no room for them.
struct Noise(u64);

impl Default for Noise {
    fn default() -> Self {
        // That of every filler there is: whoever changes it would not know those.
        Self(0x0101_0001)
    }
}

impl Noise {
    fn fill(&mut self, block: &mut [u8]) {
        let Self(state) = self;
        for word in block.chunks_exact_mut(8) {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            word.copy_from_slice(&state.to_le_bytes());
        }
    }
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
        let line = whole.trim();
        let long = format!("{{\"eventVersion\":\"{}", "1".repeat(64 * 1024));
        for (text, left) in [
            ("", Some("")),
            ("{\"ev", Some("")),
            ("{\"eventVersion\":\"1.0", Some("")),
            ("\0\0\0", None),
            // Anybody's.
            ("{", None),
            ("{\0", None),
            ("{\n", None),
            ("{\n  \"key\": 1\n}\n", None),
            ("\n", None),
            ("\nname=value\n", None),
            ("\0\0\0\n", None),
            ("{\"eventVer\n", None),
            (&format!("{}a note\n", "\0".repeat(1024 * 1024)), None),
            (&format!("{whole}{{"), Some(whole)),
            (&long, None),
            (whole, Some(whole)),
            // What lacks its end only is no less a line.
            (line, Some(whole)),
            (&format!("{line}\0\0"), Some(whole)),
            (&format!("{whole}{line}"), Some(&format!("{whole}{whole}"))),
            (&format!("{whole}\0\0"), Some(whole)),
            (&format!("{whole}{long}"), Some(whole)),
            ("{\"somebody\": \"else\"}\n", None),
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
