//! A copy of a store's files, which is read in their place. SQLite writes beside what it reads, and into it: whoever only
//! looks would change what it looks at, and root what another user put under these names.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::open_error::OpenError;
use super::own_directory::OwnDirectory;
use super::{files, open};

const MIB: u64 = 1024 * 1024;
/// What SQLite may need beside the copy, for the index of a log.
const BESIDE: u64 = 2 * MIB;
/// What is left free at the least: others have files there too, and the store may be of somebody who wants it full. Or a
/// tenth of what is free, if that is more.
const LEFT_FREE: u64 = 64 * MIB;

/// What is copied. Not the rollback journal: a name in it is that of a file, wherever it is, which SQLite reads, and may
/// remove when it has played the journal back.
const COPIED: [&str; 3] = ["", "-wal", "-shm"];

/// In a directory of this process's own, which goes when this is dropped.
pub(super) struct Copy {
    directory: OwnDirectory,
    place: PathBuf,
    bytes: u64,
}

impl Copy {
    /// Copies what is there of a store that nobody has open, unless its head is no store's.
    pub(super) fn of(path: &Path) -> Result<Self, OpenError> {
        let mut found = Vec::new();
        for suffix in COPIED {
            match files::open_itself(&files::with_suffix(path, suffix)) {
                Err(e) if e.kind() == ErrorKind::NotFound && !suffix.is_empty() => {}
                opened => found.push((suffix, opened.map_err(|e| OpenError::unopened(path, &e))?)),
            }
        }
        if let Some((_, file)) = found.first() {
            open::check_header(path, file)?;
        }
        let length = |file: &File| file.metadata().map_or(0, |found| found.len());
        let files: Vec<_> = found.into_iter().map(|(suffix, file)| (suffix, length(&file), file)).collect();
        let bytes = files.iter().fold(BESIDE, |sum, (_, length, _)| sum.saturating_add(*length));
        let place = std::env::temp_dir();
        let directory =
            OwnDirectory::new(&place.join("daypass-doctor-")).map_err(|e| not_made(path, &place, &e))?;
        let copy = Self { directory, place, bytes };
        let free = copy.free();
        if free < needed(bytes, free) {
            return Err(copy.has_no_room(path));
        }
        for (suffix, length, file) in files {
            copy.add(suffix, length, &file).map_err(|failed| match failed {
                Failed::Read(e) => OpenError::unopened(path, &e),
                Failed::Written(e) if e.kind() == ErrorKind::StorageFull => copy.has_no_room(path),
                Failed::Written(e) => not_made(path, &copy.place, &e),
            })?;
        }
        Ok(copy)
    }

    /// The copy of the store's file.
    pub(super) fn file(&self) -> PathBuf {
        self.directory.file()
    }

    fn add(&self, suffix: &str, length: u64, from: &File) -> Result<(), Failed> {
        let to = files::with_suffix(&self.file(), suffix);
        let mut to =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(Failed::Written)?;
        // Not what is added to it meanwhile: there may be no end of that.
        let mut from = from.take(length);
        let mut block = vec![0; 256 * 1024];
        loop {
            let read = from.read(&mut block).map_err(Failed::Read)?;
            if read == 0 {
                return Ok(());
            }
            to.write_all(block.get(..read).unwrap_or_default()).map_err(Failed::Written)?;
        }
    }

    fn free(&self) -> u64 {
        let found = rustix::fs::statvfs(self.directory.path());
        found.map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Of the store that this is a copy of.
    pub(super) fn has_no_room(&self, path: &Path) -> OpenError {
        let free = self.free();
        OpenError::NoRoom {
            path: path.to_owned(),
            place: self.place.clone(),
            needed: needed(self.bytes, free).div_ceil(MIB),
            free: free / MIB,
        }
    }
}

/// Which of the two disks failed.
enum Failed {
    Read(Error),
    Written(Error),
}

/// What must be free for a copy of so many bytes.
fn needed(bytes: u64, free: u64) -> u64 {
    bytes.saturating_add(LEFT_FREE.max(free / 10))
}

fn not_made(path: &Path, place: &Path, error: &Error) -> OpenError {
    OpenError::NoCopy { path: path.to_owned(), place: place.to_owned(), detail: error.to_string() }
}
