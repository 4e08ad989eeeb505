//! The data directory: who may hold it, what lies in it, and its first start.
//!
//! ```text
//! daypass.lock       held while a server runs; names it
//! store.sqlite       the records (WAL beside it)
//! master-key         0600; seals every secret in the store. Not made when the environment gives one
//! root-credentials   0600; the first root key, in the form of an AWS credentials file; with a hyphen and their
//!                    number behind the name, those of other accounts
//! audit.jsonl        one event per line, rotated by size; beside it audit.jsonl.reserve, room for a full disk
//! operator.sock      0600; the operator's door while the server runs
//! ```

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use daypass_authn::token::MasterKey;
use daypass_model::{Random, Secret};
use daypass_store::DirLock;

use crate::failure::Failure;

/// A data directory that this process holds.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: DirLock,
}

impl DataDir {
    /// Make the directory if there is none (0700) and take its lock.
    ///
    /// # Errors
    /// It cannot be made, is not a directory, or another server holds it.
    pub fn acquire(path: &Path) -> Result<Self, Failure> {
        let made = DirBuilder::new().mode(0o700).recursive(true).create(path);
        made.map_err(|error| {
            Failure::new(format!(
                "the data directory `{}` cannot be made: {error}; name another with --data",
                path.display()
            ))
        })?;
        let lock = DirLock::acquire(path).map_err(|error| Failure::new(error.to_string()))?;
        // Absolute, so that what the banner says to paste works in another directory.
        Ok(Self { path: path.canonicalize().unwrap_or_else(|_| path.to_owned()), lock })
    }

    /// Tell whoever finds the directory taken where this server listens.
    pub fn describe(&mut self, address: &str) {
        if let Err(error) = self.lock.describe(address) {
            tracing::warn!(%error, "the lock does not name this server");
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
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
        let own = self.file("master-key");
        if let Some(text) = given {
            return MasterKey::from_text(text)
                .map_err(|error| Failure::new(format!("DAYPASS_MASTER_KEY: {error}")));
        }
        let path = file.unwrap_or(&own);
        match read_secret(path) {
            Ok(text) => MasterKey::from_text(&text)
                .map_err(|error| Failure::new(format!("`{}`: {error}", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound && file.is_none() => {
                if self.file("store.sqlite").exists() {
                    return Err(Failure::new(format!(
                        "`{}` is missing, and the store beside it cannot be opened without it; put the file back, or give the key in DAYPASS_MASTER_KEY_FILE",
                        own.display()
                    )));
                }
                let key = MasterKey::generate(random);
                write_secret(&own, key.to_text().expose())?;
                Ok(key)
            }
            Err(error) => {
                Err(Failure::new(format!("the master key `{}` cannot be read: {error}", path.display())))
            }
        }
    }

    /// Remove a file of ours, if it is there.
    pub fn remove(&self, name: &str) {
        match std::fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, name, "a file could not be removed");
            }
            _ => {}
        }
    }
}

/// A file with a secret in it.
pub(crate) fn read_secret(path: &Path) -> io::Result<Secret> {
    let mut file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "a file with a secret can be read by others; chmod 600 it");
    }
    let mut text = Vec::with_capacity(128);
    Read::by_ref(&mut file).take(4096).read_to_end(&mut text)?;
    Ok(Secret::new(text))
}

/// A new file that only its owner reads, on disk before this returns.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        if let Some(parent) = path.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    };
    write()
        .map_err(|error: io::Error| Failure::new(format!("`{}` cannot be written: {error}", path.display())))
}
