//! The one thing of a disk that can run out, so that tests can make it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::data_dir::{Links, open_regular};

/// The end of a file in which a line that was being written is looked for.
const TAIL_BYTES: u64 = 1024 * 1024;

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

/// A file that is only ever added to. No link: rotating would move that, and the room would be kept on its disk instead
/// of on that of the lines.
pub(super) fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    open_regular(&mut options, path, Links::Refused).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory => io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{error} (it is cut and renamed; for lines on standard output there is --audit-stdout)"),
        ),
        _ => error,
    })
}

/// Cut off what follows the last whole line: a crash may have come in the middle of one. The length.
pub(super) fn cut_torn_line(path: &Path, file: &File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(TAIL_BYTES);
    let mut reader = file;
    reader.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    reader.take(TAIL_BYTES).read_to_end(&mut tail)?;
    let torn = tail.iter().rev().take_while(|byte| **byte != b'\n').count() as u64;
    if torn > 0 {
        tracing::warn!(bytes = torn, path = %path.display(), "the last audit line was torn by a crash; it is removed");
        file.set_len(length.saturating_sub(torn))?;
    }
    Ok(length.saturating_sub(torn))
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
