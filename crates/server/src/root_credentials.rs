//! The files with root keys in the data directory, and their end: one that opens nothing only misleads, and one
//! whose key was taken away for good reason should not linger.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use daypass_directory::{Directory, View};
use daypass_model::{AccessKeyId, AccountId};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::data_dir::read_secret;

/// The first account's file; those of others have their account's number behind it.
pub(crate) const NAME: &str = "root-credentials";

/// The name of the file for an account that is not the first.
pub(crate) fn name_of(account: AccountId) -> String {
    format!("{NAME}-{account}")
}

/// The name of the file for one more key of an account's root user.
pub(crate) fn name_of_key(account: AccountId, key: &AccessKeyId) -> String {
    format!("{NAME}-{account}-{key}")
}

/// A file, and the id of the key in it. The secret is not kept.
#[derive(Debug)]
pub(crate) struct KeyFile {
    pub(crate) path: PathBuf,
    pub(crate) key: AccessKeyId,
}

/// The files that a data directory holds. What cannot be read is not ours to judge, and stays.
pub(crate) fn find(data: &Path) -> Vec<KeyFile> {
    let entries = std::fs::read_dir(data).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_ours))
        .filter_map(|entry| read(entry.path()))
        .collect()
}

fn is_ours(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(NAME).and_then(|rest| rest.strip_prefix('-')) else {
        return name == NAME;
    };
    let (account, key) = rest.split_once('-').map_or((rest, None), |(account, key)| (account, Some(key)));
    account.parse::<AccountId>().is_ok() && key.is_none_or(|key| key.parse::<AccessKeyId>().is_ok())
}

fn read(path: PathBuf) -> Option<KeyFile> {
    let text = read_secret(&path).ok()?;
    let id = text.expose_str().lines().find_map(|line| line.strip_prefix("aws_access_key_id = "))?;
    Some(KeyFile { key: id.parse().ok()?, path })
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

/// Whether a file holds the one key that was written into it, and nothing else.
fn is_as_written(text: &str, key: &AccessKeyId) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    matches!(lines.as_slice(), ["[default]", id, secret]
        if id.strip_prefix("aws_access_key_id = ") == Some(key.as_str())
            && secret.starts_with("aws_secret_access_key = "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_somebody_else_wrote_to_is_told_apart() {
        let key: AccessKeyId = "AKIAQNZGKIQY56JQ7WML".parse().unwrap();
        let written = "[default]\naws_access_key_id = AKIAQNZGKIQY56JQ7WML\naws_secret_access_key = s\n";
        assert!(is_as_written(written, &key));
        let more = format!("{written}[admin]\naws_access_key_id = AKIASP2TPHJSQH3FJRUX\n");
        let other = written.replace("QNZGKIQY56JQ7WML", "SP2TPHJSQH3FJRUX");
        for text in [&more, &other, &format!("{written}region = us-east-1\n"), &String::new()] {
            assert!(!is_as_written(text, &key), "{text}");
        }
    }

    #[test]
    fn only_files_that_we_make_are_looked_at() {
        for name in
            [NAME, "root-credentials-111122223333", "root-credentials-111122223333-AKIAIOSFODNN7EXAMPLE"]
        {
            assert!(is_ours(name), "{name}");
        }
        for name in [
            "root-credentials.bak",
            "root-credentials-",
            "root-credentials-mine",
            "root-credentials2",
            "root-credentials-111122223333-x",
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
