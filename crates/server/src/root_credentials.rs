//! The files with root keys in the data directory: written before their keys are made, and removed after those were
//! deleted. One that opens nothing only misleads, and one whose key was taken away for good reason should not linger.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use daypass_directory::{Directory, NotCommitted, View};
use daypass_model::{AccessKeyId, Secret};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::data_dir::names::is_root_credentials;
use crate::data_dir::{is_as_written, key_in, read_secret, write_credentials};
use crate::failure::Failure;

/// A file, and the id of the key in it. The secret is not kept.
#[derive(Debug)]
pub(crate) struct KeyFile {
    pub(crate) path: PathBuf,
    pub(crate) key: AccessKeyId,
}

impl KeyFile {
    /// Write it, before its key is made: a crash between the two leaves a file that opens nothing, never a key that
    /// nobody has.
    ///
    /// # Errors
    /// There is such a file, or it could not be written.
    pub(crate) fn write(path: PathBuf, key: AccessKeyId, secret: &Secret) -> Result<Self, Failure> {
        write_credentials(&path, &key, secret)?;
        Ok(Self { path, key })
    }

    /// Its key was made, or the file goes; unless nobody can tell: then it may be the only one that has the key.
    ///
    /// # Errors
    /// The key was not made, for all that is known; `told` says so.
    pub(crate) fn settle(
        self,
        made: Result<(), NotCommitted>,
        told: impl FnOnce(&Self, NotCommitted) -> Failure,
    ) -> Result<Self, Failure> {
        let Err(error) = made else { return Ok(self) };
        if !matches!(error, NotCommitted::Unknown(_)) {
            drop(std::fs::remove_file(&self.path));
        }
        Err(told(&self, error))
    }
}

/// The files that a data directory holds. What cannot be read is not ours to judge, and stays.
pub(crate) fn find(data: &Path) -> Vec<KeyFile> {
    let entries = std::fs::read_dir(data).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_root_credentials))
        .filter_map(|entry| read(entry.path()))
        .collect()
}

fn read(path: PathBuf) -> Option<KeyFile> {
    let text = read_secret(&path).ok()?;
    Some(KeyFile { key: key_in(text.expose_str())?, path })
}

/// Remove each file once its key was deleted, now and for as long as the directory is followed. `made` brings
/// files whose key was made meanwhile. A key that this store never knew stays: the store may be the wrong one.
pub(crate) async fn tend(
    directory: Arc<Directory>,
    mut files: Vec<KeyFile>,
    mut made: UnboundedReceiver<KeyFile>,
) {
    let mut revisions = directory.revisions();
    loop {
        let view = directory.snapshot();
        for file in files.extract_if(.., |file| was_deleted(&view, &file.key)) {
            remove(&file).await;
        }
        tokio::select! {
            changed = revisions.changed() => if changed.is_err() { return },
            Some(file) = made.recv() => files.push(file),
        }
    }
}

fn was_deleted(view: &View, key: &AccessKeyId) -> bool {
    view.operator().key_owner(key).is_some_and(|pointer| pointer.owner.is_none())
}

async fn remove(file: &KeyFile) {
    let path = &file.path;
    // Somebody may have kept other keys in it since; those are not ours to throw away.
    if read_secret(path).is_ok_and(|text| !is_as_written(text.expose_str(), &file.key)) {
        tracing::warn!(path = %path.display(), "its root key was deleted, but somebody else wrote to the file: it stays");
        return;
    }
    match tokio::fs::remove_file(path).await {
        Ok(()) => tracing::info!(path = %path.display(), "removed: its key was deleted"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "its key was deleted, but it could not be removed");
        }
    }
}
