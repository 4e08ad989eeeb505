//! A copy of a store's files, which is read in their place. SQLite writes beside what it reads, and into it: whoever only
//! looks would change what it looks at, and root what another user put under these names.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Error, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::files;
use super::open_error::OpenError;

const MIB: u64 = 1024 * 1024;
/// What SQLite may need beside the copy, for the index of a log.
const BESIDE: u64 = 2 * MIB;
/// How many names are tried for the directory.
const NAMES_MAX: u32 = 1000;

/// What is copied. Not the rollback journal: a name in it is that of a file, wherever it is, which SQLite reads, and may
/// remove when it has played the journal back.
const COPIED: [&str; 3] = ["", "-wal", "-shm"];

/// In a directory of this process's own, which goes when this is dropped.
pub(super) struct Copy {
    directory: PathBuf,
    bytes: u64,
}

impl Copy {
    /// Copies what is there of a store that nobody has open.
    pub(super) fn of(path: &Path) -> Result<Self, OpenError> {
        let mut found = Vec::new();
        for suffix in COPIED {
            match files::open_itself(&files::with_suffix(path, suffix)) {
                Err(e) if e.kind() == ErrorKind::NotFound && !suffix.is_empty() => {}
                opened => found.push((suffix, opened.map_err(|e| OpenError::unopened(path, &e))?)),
            }
        }
        let length = |file: &File| file.metadata().map_or(0, |found| found.len());
        let files: Vec<_> = found.into_iter().map(|(suffix, file)| (suffix, length(&file), file)).collect();
        let bytes = files.iter().fold(BESIDE, |sum, (_, length, _)| sum.saturating_add(*length));
        let place = std::env::temp_dir();
        let copy = Self { directory: own_directory(&place).map_err(|e| not_made(path, &place, &e))?, bytes };
        if copy.free() < bytes {
            return Err(copy.has_no_room(path));
        }
        for (suffix, length, file) in files {
            copy.add(suffix, length, &file).map_err(|e| match e.kind() {
                ErrorKind::StorageFull => copy.has_no_room(path),
                _ => not_made(path, &place, &e),
            })?;
        }
        Ok(copy)
    }

    /// The copy of the store's file.
    pub(super) fn file(&self) -> PathBuf {
        self.directory.join("store")
    }

    fn add(&self, suffix: &str, length: u64, from: &File) -> Result<(), Error> {
        let to = files::with_suffix(&self.file(), suffix);
        let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        // Not what is added to it meanwhile: there may be no end of that.
        std::io::copy(&mut from.take(length), &mut to).map(drop)
    }

    fn free(&self) -> u64 {
        rustix::fs::statvfs(&self.directory).map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Of the store that this is a copy of.
    pub(super) fn has_no_room(&self, path: &Path) -> OpenError {
        OpenError::NoRoom {
            path: path.to_owned(),
            place: self.directory.parent().unwrap_or(&self.directory).to_owned(),
            needed: self.bytes.div_ceil(MIB),
            free: self.free() / MIB,
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            tracing::warn!(path = %self.directory.display(), %error, "a copy of the store could not be removed");
        }
    }
}

/// One that was not there: nobody else has made it, and nobody else may look into it.
fn own_directory(place: &Path) -> Result<PathBuf, Error> {
    let name = |n: u32| place.join(format!("daypass-doctor-{}-{n}", std::process::id()));
    for path in (0..NAMES_MAX).map(name) {
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|()| path),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn not_made(path: &Path, place: &Path, error: &Error) -> OpenError {
    let detail = format!(
        "no copy of it can be made in `{}`: {error}; TMPDIR names another directory",
        place.display()
    );
    OpenError::Io { path: path.to_owned(), detail }
}
