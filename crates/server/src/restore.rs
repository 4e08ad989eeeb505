//! Restoring a backup: verified, with every session of the past ended, and in its place whole or not at all.
//!
//! A backup brings the keyring of its time back, which opens what was issued since, to roles and keys that may have
//! been taken away since. So the keyring is replaced before anybody can ask: no token of the past opens any more.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daypass_authn::SystemRandom;
use daypass_authn::token::MasterKey;
use daypass_directory::{Directory, Rotation, is_of_master, key};
use daypass_model::{Clock, Random, Secret, SystemClock, uuid};
use daypass_service::Audit;
use daypass_store::{Holding, OpenError, SqliteStore};

use crate::audit_file::{AuditFile, AuditLines, AuditSettings, room_lacking};
use crate::data_dir::DataDir;
use crate::data_dir::names::{MASTER_KEY, STORE};
use crate::failure::Failure;
use crate::preflight;

/// What is restored, and where to.
pub(crate) struct Restore {
    pub(crate) backup: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) master_key_file: Option<PathBuf>,
    pub(crate) master_key: Option<Secret>,
    pub(crate) audit: PathBuf,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Restored {
    /// The revision of the backup.
    pub(crate) of: u64,
    /// The revision of the store now.
    pub(crate) revision: u64,
    pub(crate) accounts: usize,
}

/// Restore. A kill at any moment leaves the directory without a store, or with the whole one.
///
/// # Errors
/// The backup is none, is damaged or newer than this program, or the master key is not its own; a server runs on the
/// directory, or it has a store; the disk refuses. There is no store then.
pub(crate) async fn restore(what: Restore) -> Result<Restored, Failure> {
    let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    is_backup(&what.backup)?;
    // Before anything is made. No audit is rotated here, so none that was is in the way.
    preflight::audit_is_one(&what.data, &what.audit)?;
    preflight::names_are_free(&what.data, &what.audit, 0)?;
    let data = DataDir::acquire(&what.data)?;
    let place = data.restoring()?;
    let made = make(&what, &data, &place, clock, random).await;
    let removed = data.restored();
    made.and_then(|restored| removed.map(|()| restored))
}

fn is_backup(path: &Path) -> Result<(), Failure> {
    match SqliteStore::is_backup(path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::new(format!(
            "`{}` is a store that a server has opened: what is in its log is not in the file; name a file that `daypass backup` made",
            path.display()
        ))),
        Err(error) => Err(refused(path, error)),
    }
}

async fn make(
    what: &Restore,
    data: &DataDir,
    place: &Path,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Restored, Failure> {
    let master = master_key(what, data, &*random)?;
    let store = Arc::new(open(&what.backup, &place.join(STORE), &master)?);
    let (id, now) = (uuid(&*random), clock.now());
    let directory = Directory::open(store, master, clock, random).await;
    let directory =
        directory.map_err(|error| Failure::new(format!("`{}`: {error}", what.backup.display())))?;
    let (of, accounts) = {
        let view = directory.snapshot();
        (view.revision().get(), view.account_ids().len())
    };
    let audit = audit_of(&what.audit)?;
    let audited = Audit::new(Box::new(AuditLines(audit.clone())));
    audited.reserve_operator().map_err(|error| unaudited(&what.audit, &audit, error.message))?;
    let done = put_in_place(&directory, &id, data).await;
    let told = format!("revision {of}: {}; every session ended", what.backup.display());
    let why = done.as_ref().err().map(ToString::to_string);
    audited.operator(&id, now, "Restore", why.as_deref().map_or(Ok(told.as_str()), Err)).await;
    audit.close();
    Ok(Restored { of, revision: done?, accounts })
}

/// The key that the backup's secrets are sealed with; none is made.
fn master_key(what: &Restore, data: &DataDir, random: &dyn Random) -> Result<MasterKey, Failure> {
    let given = what.master_key.is_some() || what.master_key_file.is_some();
    if !given && !data.has_master_key() {
        return Err(Failure::new(format!(
            "a backup has no master key in it: put the one it was made with into `{}` (0600), or name it with --master-key-file",
            data.file(MASTER_KEY).display()
        )));
    }
    data.master_key(what.master_key.as_ref(), what.master_key_file.as_deref(), random)
}

/// A copy of the backup, checked record by record.
fn open(backup: &Path, copy: &Path, master: &MasterKey) -> Result<SqliteStore, Failure> {
    // Not its permissions: a backup that may only be read is a store to write to.
    let copied = File::open(backup).and_then(|mut backup| {
        let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o600).open(copy)?;
        std::io::copy(&mut backup, &mut copy)
    });
    copied.map_err(|error| Failure::disk(&format!("`{}` cannot be copied", backup.display()), &error))?;
    let ours = |check: &[u8]| is_of_master(master, check);
    let holding = Holding { prefix: key::ACCOUNTS, known: Some((key::MASTER_KEY_CHECK, &ours)) };
    SqliteStore::open_holding(copy, holding).map_err(|error| refused(backup, error))
}

/// End every session, then copy the whole to where a server looks for it: under that name it is complete or absent.
async fn put_in_place(directory: &Directory, id: &str, data: &DataDir) -> Result<u64, Failure> {
    let rotated = directory.rotate_keyring(id, Rotation::Compromised).await;
    rotated.map_err(|error| Failure::new(format!("the sessions of the past could not be ended: {error}")))?;
    let copied = directory.backup(&data.file(STORE)).await;
    copied.map(daypass_store::Revision::get).map_err(|error| Failure::new(error.to_string()))
}

/// Nothing is restored that could not be told of: why it cannot, and what would help.
fn unaudited(path: &Path, audit: &AuditFile, otherwise: String) -> Failure {
    const MIB: u64 = 1024 * 1024;
    let lacks = room_lacking(path).div_ceil(MIB);
    let why = audit.health().err().unwrap_or(otherwise);
    Failure::new(if lacks > 0 {
        format!(
            "the audit keeps room for itself beside `{}`, and there is none ({why}): make {lacks} MiB free there, or name another file with --audit-file; nothing was restored",
            path.display()
        )
    } else {
        format!("{why}; nothing was restored")
    })
}

fn audit_of(path: &Path) -> Result<Arc<AuditFile>, Failure> {
    // Not rotated, and no old file removed: how many are kept is the server's setting.
    let settings = AuditSettings {
        path: path.to_owned(),
        rotate_bytes: u64::MAX,
        keep: u32::MAX,
        stdout: false,
        store: None,
    };
    AuditFile::open(settings).map_err(|error| {
        Failure::disk(&format!("the audit file `{}` cannot be opened", path.display()), &error)
    })
}

/// In words of the backup; the copy that was looked at is of no interest.
fn refused(backup: &Path, error: OpenError) -> Failure {
    let shown = backup.display();
    Failure::new(match error {
        OpenError::Corrupt { detail, .. } => {
            format!("`{shown}` is damaged ({detail}): nothing was restored; take another backup")
        }
        OpenError::Lost { .. } => {
            format!("`{shown}` has no account in it: nothing was restored; take another backup")
        }
        OpenError::Foreign { .. } => {
            format!("`{shown}` is no backup of daypass; name a file that `daypass backup` made")
        }
        OpenError::Unknown { .. } => {
            format!("`{shown}`: {}; nothing was restored", daypass_directory::OpenError::WrongMasterKey)
        }
        OpenError::TooNew { needs, .. } => format!(
            "`{shown}` was made by a newer daypass (it needs store format {needs}): use that version; nothing was restored"
        ),
        OpenError::Io { detail, .. } => format!("`{shown}` cannot be read: {detail}"),
        other => other.to_string(),
    })
}
