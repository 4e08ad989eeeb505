//! The master key's file, and the one that a rotation is about to put in its place.

use std::io;
use std::path::{Path, PathBuf};

use daypass_authn::token::MasterKey;
use daypass_model::{Random, Secret};
use jiff::Timestamp;

use super::DataDir;
use super::names::{MASTER_KEY, MASTER_KEY_NEXT, STORE, master_key_until};
use super::private_file::{
    SECRET_BYTES_MAX, read_handed_secret, read_secret, read_secret_of, sync_directory, write_secret,
};
use super::regular::Links;
use crate::failure::Failure;

/// Where a server reads its master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// In its data directory.
    Own,
    /// In this file.
    File(PathBuf),
    /// In `DAYPASS_MASTER_KEY`.
    Environment,
}

impl DataDir {
    /// Whether it has a master key of its own.
    #[must_use]
    pub fn has_master_key(&self) -> bool {
        self.file(MASTER_KEY).exists()
    }

    /// The master key: from the environment's text, from a file, or the directory's own, made on first start.
    ///
    /// # Errors
    /// It cannot be read or is no master key. A directory with a store but without its key is not given a new one.
    pub fn master_key(
        &self,
        given: Option<&Secret>,
        file: Option<&Path>,
        random: &dyn Random,
    ) -> Result<MasterKey, Failure> {
        match find_master_key(&self.path, given, file)? {
            Some(key) => Ok(key),
            None => {
                let key = MasterKey::generate(random);
                write_secret(&self.file(MASTER_KEY), key.to_text().expose())?;
                Ok(key)
            }
        }
    }
}

/// Write down a master key before anything is sealed with it.
///
/// # Errors
/// It cannot be written. There is nothing then.
pub(crate) fn write_next(data: &Path, key: &MasterKey) -> Result<(), Failure> {
    forget_next(data)?;
    write_secret(&data.join(MASTER_KEY_NEXT), key.to_text().expose())
}

/// Write the master key that is in force where its file should be, if somebody took that away: backups are opened with it.
///
/// # Errors
/// It cannot be written; or something else has its name, which is nobody's to remove but the operator's.
pub(crate) fn put_back(data: &Path, present: &MasterKey) -> Result<(), Failure> {
    let own = data.join(MASTER_KEY);
    let elsewhere = || {
        Failure::new(format!(
            "nothing was changed: `{}` is not the master key that is in force, which this server has in memory alone: move that away, and ask again",
            own.display()
        ))
    };
    match read_secret(&own) {
        Ok(text) => {
            let is_present = parse(&text, "it").is_ok_and(|key| key.to_text() == present.to_text());
            if is_present { Ok(()) } else { Err(elsewhere()) }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write_secret(&own, present.to_text().expose())
        }
        Err(_) => Err(elsewhere()),
    }
}

/// The next master key is none after all.
///
/// # Errors
/// It cannot be removed.
pub(crate) fn forget_next(data: &Path) -> Result<(), Failure> {
    let next = data.join(MASTER_KEY_NEXT);
    match std::fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::disk(&format!("`{}` cannot be removed", next.display()), &error))
        }
        _ => Ok(()),
    }
}

/// Put the next master key in the place of the present one, which is kept under another name: that name, unless somebody
/// took the present one away. At no moment is there neither.
///
/// # Errors
/// The disk refuses; the next start tries again.
pub(crate) fn adopt_next(data: &Path, now: Timestamp) -> Result<Option<PathBuf>, Failure> {
    let (own, next) = (data.join(MASTER_KEY), data.join(MASTER_KEY_NEXT));
    let is_there = own.exists();
    let kept = if is_there { keep(data, &own, now)? } else { PathBuf::new() };
    let moved = std::fs::rename(&next, &own).and_then(|()| sync_directory(&own));
    moved.map_err(|error| Failure::disk(&format!("`{}` cannot be replaced", own.display()), &error))?;
    Ok(is_there.then_some(kept))
}

/// Keep a master key that is replaced; the file's path. A try that was cut off may have come that far, and two rotations
/// may have one second. A copy, since not every file system has links.
fn keep(data: &Path, own: &Path, now: Timestamp) -> Result<PathBuf, Failure> {
    let unread = |path: &Path, error: &io::Error| {
        Failure::disk(&format!("`{}` cannot be read", path.display()), error)
    };
    let text = read_secret(own).map_err(|error| unread(own, &error))?;
    let mut n = 0;
    loop {
        let kept = data.join(master_key_until(now, n));
        match read_secret(&kept) {
            Ok(other) if other == text => return Ok(kept),
            Ok(_) => n += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return write_secret(&kept, text.expose()).map(|()| kept);
            }
            Err(error) => return Err(unread(&kept, &error)),
        }
    }
}

/// The master key that a rotation wrote down and has not put in its place.
///
/// # Errors
/// It is there and cannot be read.
pub(crate) fn find_next_key(data: &Path) -> Result<Option<MasterKey>, Failure> {
    let path = data.join(MASTER_KEY_NEXT);
    match read_secret(&path) {
        Ok(text) => parse(&text, &format!("`{}`", path.display())).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::disk(&format!("`{}` cannot be read", path.display()), &error)),
    }
}

/// A master key in a file of the operator's.
///
/// # Errors
/// It cannot be read, or is none.
pub(crate) fn read_master_key(path: &Path) -> Result<MasterKey, Failure> {
    let text = read_secret_of(path, Links::Followed, SECRET_BYTES_MAX);
    let text =
        text.map_err(|error| Failure::disk(&format!("`{}` cannot be read", path.display()), &error))?;
    parse_given(&text, &format!("`{}`", path.display()))
}

/// The master key of a directory; `None` where it has none and needs none, since it has no store.
///
/// # Errors
/// As [`DataDir::master_key`].
pub(crate) fn find_master_key(
    data: &Path,
    given: Option<&Secret>,
    file: Option<&Path>,
) -> Result<Option<MasterKey>, Failure> {
    let own = data.join(MASTER_KEY);
    if let Some(text) = given {
        return parse_given(text, "DAYPASS_MASTER_KEY").map(Some);
    }
    let path = file.unwrap_or(&own);
    match file.map_or_else(|| read_secret(&own), read_handed_secret) {
        Ok(text) => parse_given(&text, &format!("`{}`", path.display())).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.is_none() => {
            if let Some(next) = find_next_key(data)? {
                // Another master key was put in the place of a lost one, and the server ended before that was done.
                return Ok(Some(next));
            }
            if data.join(STORE).exists() {
                return Err(Failure::new(format!(
                    "`{}` is missing, and the store beside it cannot be opened without it; put the file back, or give the key in DAYPASS_MASTER_KEY_FILE",
                    own.display()
                )));
            }
            Ok(None)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::new(format!(
            "the master key `{}` is missing; put it there, or name the file that it is in with --master-key-file",
            path.display()
        ))),
        Err(error) => {
            Err(Failure::disk(&format!("the master key `{}` cannot be read", path.display()), &error))
        }
    }
}

/// One that may be somebody's own make.
fn parse_given(text: &Secret, place: &str) -> Result<MasterKey, Failure> {
    let key = parse(text, place)?;
    if key.is_one_byte_repeated() {
        return Err(no_key(place, "all bytes of this master key are the same, so anybody can guess it"));
    }
    Ok(key)
}

fn parse(text: &Secret, place: &str) -> Result<MasterKey, Failure> {
    MasterKey::from_text(text).map_err(|error| no_key(place, &error.to_string()))
}

fn no_key(place: &str, why: &str) -> Failure {
    Failure::new(format!("{place}: {why}; for a new server `head -c 32 /dev/urandom | base64` makes one"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_key_that_anybody_can_guess_is_refused_wherever_it_comes_from() {
        let dir = Scratch::new("guessed");
        let zeros = format!("{}=", "A".repeat(43));
        let file = dir.join("key");
        std::fs::write(&file, &zeros).unwrap();
        let given = Secret::new(zeros.as_str());
        let nowhere = dir.join("none");
        for refused in [
            read_master_key(&file).map(drop),
            find_master_key(&nowhere, None, Some(&file)).map(drop),
            find_master_key(&nowhere, Some(&given), None).map(drop),
        ] {
            let line = refused.unwrap_err().to_string();
            assert!(line.contains("all bytes of this master key are the same"), "{line}");
            assert!(!line.contains(&zeros), "{line}");
        }
    }

    #[test]
    fn links_lead_to_the_key_that_a_setting_names_and_to_no_other() {
        let dir = Scratch::new("linked-key");
        std::fs::write(dir.join("precious"), "c29tZSBtYXN0ZXIga2V5IG9mIGEgdGVzdCwgMzIgYi4=").unwrap();
        for name in [MASTER_KEY, MASTER_KEY_NEXT, "mounted"] {
            std::os::unix::fs::symlink(dir.join("precious"), dir.join(name)).unwrap();
        }
        let mounted = dir.join("mounted");
        assert!(read_master_key(&mounted).is_ok());
        assert!(find_master_key(dir.path(), None, Some(&mounted)).unwrap().is_some());
        for refused in [find_master_key(dir.path(), None, None), find_next_key(dir.path())] {
            let line = refused.unwrap_err().to_string();
            assert!(line.contains("it is a link; put the file itself there"), "{line}");
        }
    }
}
