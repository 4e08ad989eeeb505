//! Another master key for a server that runs: where the new one comes from, and where it has to be before the next start.

use std::path::{Path, PathBuf};

use daypass_authn::token::MasterKey;
use daypass_directory::{MasterNotRotated, NotCommitted};
use daypass_service::House;

use crate::data_dir::names::MASTER_KEY_NEXT;
use crate::data_dir::{
    KeySource, adopt_next, find_next_key, forget_next, put_back, read_master_key, write_next,
};
use crate::failure::Failure;

/// Another master key is in force.
#[derive(Debug)]
pub(crate) struct Rotated {
    /// File with the one before, if it was the data directory's.
    pub(crate) kept: Option<PathBuf>,
    /// Where the operator has to put the new one, if it is not.
    pub(crate) put: Option<String>,
    /// Whether this was the end of an earlier rotation, and no other was begun.
    pub(crate) is_earlier: bool,
}

impl Rotated {
    /// For the audit.
    pub(crate) fn told(&self) -> String {
        if self.is_earlier {
            return "the rotation that had begun before was finished, and no other begun".to_owned();
        }
        let kept = self.kept.as_ref().map(|kept| format!("the one before is in {}", kept.display()));
        kept.unwrap_or_else(|| "it is kept outside the data directory".to_owned())
    }
}

/// Replace the master key by that in `new_key_file`, or by a new one; or finish the rotation that has not come to its
/// end. One at a time: the caller sees to that.
///
/// A key of the data directory is written down before anything is sealed with it, and takes its place once the store is
/// sealed with it; a start after a crash in between sees from the store which of the two it is.
///
/// # Errors
/// The key is elsewhere and no file is given; the file has none, or the present one; it was not written, or not wholly.
pub(crate) async fn rotate(
    house: &House,
    data: &Path,
    source: &KeySource,
    new_key_file: Option<PathBuf>,
    request_id: &str,
) -> Result<Rotated, Failure> {
    let put = match source {
        KeySource::Own => None,
        KeySource::File(file) => Some(format!("into `{}`", file.display())),
        KeySource::Environment => Some("into DAYPASS_MASTER_KEY".to_owned()),
    };
    // Until then nobody knows which key is in force, and none may be lost.
    let settled = house.directory.settled().await;
    settled.map_err(|error| {
        Failure::new(format!(
            "nothing was changed, and what was asked for before may still be done: {error}; keep every master key, and ask again when `/readyz` says that the store is well, or start again"
        ))
    })?;
    // One that was cut short by a full disk, say.
    let finished =
        house.directory.finish_master_rotation(request_id).await.map_err(MasterNotRotated::NotFinished);
    let is_earlier = finished.map_err(|error| not_rotated(&error, data, put.as_deref()))?;
    settle_next(house, data)?;
    if is_earlier {
        return Ok(Rotated { kept: None, put, is_earlier });
    }
    let key = match (&new_key_file, &put) {
        (Some(file), _) if !file.is_absolute() => {
            return Err(Failure::new(format!("`{}` is not an absolute path", file.display())));
        }
        (Some(file), _) => read_master_key(file)?,
        (None, None) => MasterKey::generate(house.directory.random()),
        (None, Some(place)) => {
            return Err(Failure::new(format!(
                "the master key is not in the data directory: make a new one (`head -c 32 /dev/urandom | base64`), name its file with --new-key-file, and put it {place} before the next start"
            )));
        }
    };
    if house.directory.is_sealed_with(&key) {
        return Err(Failure::new("that is the master key which is in force already; nothing was changed"));
    }
    if put.is_none() {
        put_back(data, &house.directory.master_key())?;
        write_next(data, &key)?;
    }
    let mut adopted = Ok(None);
    let adopt = || {
        if put.is_none() {
            adopted = adopt_next(data, house.now());
        }
    };
    let rotated = house.directory.rotate_master_key(request_id, key, adopt).await;
    rotated.map_err(|error| not_rotated(&error, data, put.as_deref()))?;
    let kept = adopted.map_err(|error| {
        Failure::new(format!(
            "the master key was replaced, but its file was not: {error}; the new one is in `{}`: mend that and start again, or ask again",
            data.join(MASTER_KEY_NEXT).display()
        ))
    })?;
    Ok(Rotated { kept, put, is_earlier: false })
}

/// What an earlier rotation wrote down and could not put in its place: if it is the key in force, it is the only copy.
fn settle_next(house: &House, data: &Path) -> Result<(), Failure> {
    match find_next_key(data)? {
        Some(next) if house.directory.is_sealed_with(&next) => adopt_next(data, house.now()).map(drop),
        _ => Ok(()),
    }
}

fn not_rotated(error: &MasterNotRotated, data: &Path, put: Option<&str>) -> Failure {
    let put = put.map(|place| format!("; put the new one {place} before the next start")).unwrap_or_default();
    match error {
        // The next start sees which it is.
        MasterNotRotated::NotBegun(NotCommitted::Unknown(_)) => Failure::new(format!(
            "{error}; the store may be sealed with the new key: keep both, ask again{put}"
        )),
        MasterNotRotated::NotBegun(_) => {
            let left = put.is_empty().then(|| forget_next(data)).transpose();
            let left = left.err().map(|error| format!(" ({error})")).unwrap_or_default();
            Failure::new(format!("the master key was not replaced: {error}{left}"))
        }
        MasterNotRotated::NotFinished(_) => {
            Failure::new(format!("{error}; ask again to finish, or start again{put}"))
        }
    }
}
