//! What an agent keeps over restarts: the machine's key, and as which instance it joined. Only its owner reads it.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use daypass_authn::machine::MachineKey;
use daypass_model::Secret;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::Trouble;

/// Most bytes of one of its files, and of a join secret.
const BYTES_MAX: u64 = 4096;

/// The directory.
pub(crate) struct State {
    directory: PathBuf,
}

/// As which instance the machine speaks, and by which key: one file, so that neither is ever without the other.
#[derive(Serialize, Deserialize)]
pub(crate) struct Identity {
    /// ARN.
    pub(crate) instance: String,
    /// SHA-256 of the join secret that was used, in hexadecimal digits: another one means to join anew.
    pub(crate) secret_hash: String,
    /// PKCS #8, in base64.
    key: String,
}

/// The identity that counts, and the one that is to count once the server says so: a secret that is not good takes nothing away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Present,
    Joining,
}

impl Slot {
    const fn file(self) -> &'static str {
        match self {
            Self::Present => "identity.json",
            Self::Joining => "joining.json",
        }
    }
}

impl Identity {
    pub(crate) fn new(instance: String, secret_hash: String, key: &MachineKey) -> Self {
        Self { instance, secret_hash, key: BASE64.encode(key.private().expose()) }
    }

    /// Its key.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn key(&self) -> Result<MachineKey, Trouble> {
        let broken =
            || Trouble::new("the key in the state directory is none; remove the directory and join anew");
        let document = BASE64.decode(self.key.as_bytes()).map_err(|_| broken())?;
        MachineKey::read(Secret::new(document)).map_err(|_| broken())
    }
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
        if !is_ours(&found) {
            let line = format!("--state {}: it belongs to another user", directory.display());
            return Err(Trouble::new(line));
        }
        if found.permissions().mode() & 0o077 != 0 {
            let line = format!("--state {0}: others may read it; chmod 700 {0}", directory.display());
            return Err(Trouble::new(line));
        }
        Ok(Self { directory: directory.to_owned() })
    }

    /// An identity, if there is one.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn identity(&self, slot: Slot) -> Result<Option<Identity>, Trouble> {
        let path = self.directory.join(slot.file());
        let told = |why: &dyn std::fmt::Display| Trouble::new(format!("`{}`: {why}", path.display()));
        match read_private(&path) {
            Ok(text) => serde_json::from_slice(text.expose()).map(Some).map_err(|error| told(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(told(&error)),
        }
    }

    /// Keep an identity. The present one takes the place of that which was to be.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn keep(&self, slot: Slot, identity: &Identity) -> Result<(), Trouble> {
        let text = serde_json::to_vec(identity).map_err(|error| Trouble::new(error.to_string()))?;
        self.write(slot.file(), &text)?;
        if slot == Slot::Present {
            drop(std::fs::remove_file(self.directory.join(Slot::Joining.file())));
        }
        Ok(())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let path = self.directory.join(name);
        replace(&self.directory, &path, bytes)
            .map_err(|error| Trouble::new(format!("`{}` cannot be written: {error}", path.display())))
    }
}

/// A file, which is no pipe that nobody may ever write to, and no device.
///
/// # Errors
/// As the system says; it is no file.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let no_wait = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new().read(true).custom_flags(no_wait).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    Ok(file)
}

/// Whoever owns a file or a directory may change it, whatever its mode says.
fn is_ours(found: &Metadata) -> bool {
    is_of(found, rustix::process::geteuid().as_raw())
}

fn is_of(found: &Metadata, user: u32) -> bool {
    found.uid() == user
}

/// A file with a secret, which only its owner may read.
///
/// # Errors
/// As the system says; others may read it; it is too long.
pub(crate) fn read_private(path: &Path) -> io::Result<Secret> {
    read_private_within(path, BYTES_MAX)
}

/// The same, of so many bytes at the most.
pub(crate) fn read_private_within(path: &Path, bytes_max: u64) -> io::Result<Secret> {
    let file = open_regular(path)?;
    let found = file.metadata()?;
    if !is_ours(&found) {
        return Err(io::Error::other("it belongs to another user"));
    }
    if found.permissions().mode() & 0o077 != 0 {
        return Err(io::Error::other("others may read it; chmod 600 it"));
    }
    if found.len() > bytes_max {
        return Err(io::Error::other("it is too long"));
    }
    let mut text = Vec::with_capacity(usize::try_from(bytes_max).unwrap_or(0));
    file.take(bytes_max).read_to_end(&mut text)?;
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

#[cfg(test)]
mod tests {
    //! Whose files are believed.

    use super::*;

    #[test]
    fn what_belongs_to_another_user_is_not_believed() {
        let own = std::env::current_exe().unwrap().metadata().unwrap();
        assert!(is_of(&own, own.uid()) && !is_of(&own, own.uid() + 1));
        // A test does not run as another user: what root and nobody else has stands for theirs.
        let roots = Path::new("/").metadata().unwrap();
        assert_eq!(is_ours(&roots), roots.uid() == rustix::process::geteuid().as_raw());
    }

    #[test]
    fn a_pipe_is_not_waited_for_and_a_device_not_read() {
        assert_eq!(open_regular(Path::new("/dev/zero")).unwrap_err().to_string(), "it is no file");
        let path = std::env::temp_dir().join(format!("daypass-agent-pipe-{}", std::process::id()));
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR).unwrap();
        let opened = open_regular(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(opened.unwrap_err().to_string(), "it is no file");
    }
}
