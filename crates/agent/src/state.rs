//! What an agent keeps over restarts: the machine's key, and as which instance it joined. Only its owner reads it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use daypass_authn::machine::MachineKey;
use daypass_model::Secret;
use serde::{Deserialize, Serialize};

use crate::Trouble;

/// Most bytes of one of its files, and of a join secret.
const BYTES_MAX: u64 = 4096;

/// The directory.
pub(crate) struct State {
    directory: PathBuf,
}

/// As which instance the machine joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Joined {
    /// ARN.
    pub(crate) instance: String,
    /// SHA-256 of the join secret that was used, in hexadecimal digits: another one means to join anew.
    pub(crate) secret_hash: String,
    /// Whether the server said so.
    pub(crate) done: bool,
}

impl State {
    /// Open it, or make it.
    ///
    /// # Errors
    /// It cannot be made, or others may read it.
    pub(crate) fn open(directory: &Path) -> Result<Self, Trouble> {
        let failed = |error: io::Error| Trouble::new(format!("--state {}: {error}", directory.display()));
        match DirBuilder::new().mode(0o700).create(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        let found = directory.metadata().map_err(failed)?;
        if found.permissions().mode() & 0o077 != 0 {
            let line = format!("--state {0}: others may read it; chmod 700 {0}", directory.display());
            return Err(Trouble::new(line));
        }
        Ok(Self { directory: directory.to_owned() })
    }

    /// The key, if there is one.
    pub(crate) fn key(&self) -> Result<Option<MachineKey>, Trouble> {
        let path = self.directory.join("key");
        let Some(document) = self.read("key")? else { return Ok(None) };
        let broken = |_| Trouble::new(format!("`{}` is no key; remove it and join anew", path.display()));
        MachineKey::read(document).map(Some).map_err(broken)
    }

    /// As which instance it joined, if it did.
    pub(crate) fn joined(&self) -> Result<Option<Joined>, Trouble> {
        let path = self.directory.join("instance.json");
        let Some(text) = self.read("instance.json")? else { return Ok(None) };
        let broken = |error| Trouble::new(format!("`{}`: {error}; remove it and join anew", path.display()));
        serde_json::from_slice(text.expose()).map(Some).map_err(broken)
    }

    /// Keep a key, and what it is for. The key comes first: what was joined with is never lost.
    pub(crate) fn keep(&self, key: &MachineKey, joined: &Joined) -> Result<(), Trouble> {
        self.write("key", key.private().expose())?;
        let text = serde_json::to_vec(joined).map_err(|error| Trouble::new(error.to_string()))?;
        self.write("instance.json", &text)
    }

    fn read(&self, name: &str) -> Result<Option<Secret>, Trouble> {
        match read_private(&self.directory.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Trouble::new(format!("`{}`: {error}", self.directory.join(name).display()))),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let path = self.directory.join(name);
        replace(&self.directory, &path, bytes)
            .map_err(|error| Trouble::new(format!("`{}` cannot be written: {error}", path.display())))
    }
}

/// A file with a secret, which only its owner may read.
///
/// # Errors
/// As the system says; others may read it; it is too long.
pub(crate) fn read_private(path: &Path) -> io::Result<Secret> {
    let file = File::open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if found.permissions().mode() & 0o077 != 0 {
        return Err(io::Error::other("others may read it; chmod 600 it"));
    }
    if found.len() > BYTES_MAX {
        return Err(io::Error::other("it is too long"));
    }
    let mut text = Vec::with_capacity(usize::try_from(BYTES_MAX).unwrap_or(0));
    file.take(BYTES_MAX).read_to_end(&mut text)?;
    Ok(Secret::new(text))
}

/// Whole and on disk, or as it was.
fn replace(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    File::open(directory)?.sync_all()
}
