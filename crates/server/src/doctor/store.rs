//! The store: of a server that runs, by asking it; otherwise by reading a copy of the file, which is left as it is.

use std::cell::{Cell, RefCell};
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use daypass_authn::SystemRandom;
use daypass_authn::token::MasterKey;
use daypass_directory::{Directory, View, is_of_master, key};
use daypass_model::SystemClock;
use daypass_store::{DirLock, Holding, LockError, MemoryStore, OpenError, Revision, SqliteStore, Store};

use super::paste::{free, resolved, word};
use super::rights::{Owner, may_look};
use super::start::UNPIN;
use super::{Finding, Level, Patient, server};
use crate::data_dir::{
    Age, KeySource, Links, find_master_key, find_next_key, is_begun, names, open_regular, read_master_key,
};
use crate::failure::Failure;
use crate::{first_account, preflight};

/// Of a directory without an account.
const BEGUN: &str = "a first start did not come to its end here, and the next one goes on with it";

pub(super) fn findings(patient: &Patient) -> Vec<Finding> {
    let data = &patient.config.data;
    let file = data.join(names::STORE);
    let Some(owner) = Owner::of(data).filter(|_| data.is_dir() && may_look(patient)) else {
        return Vec::new();
    };
    // While the file is read no server starts.
    let _look = match DirLock::look(data) {
        Ok(look) => look,
        Err(LockError::Held { .. }) => return server::findings(patient, &owner),
        Err(error) => return vec![no_lock(&error, &owner, patient)],
    };
    if file.symlink_metadata().is_err() {
        return vec![absent(&owner, patient)];
    }
    if let Err(failure) = preflight::log_is_there(data) {
        return vec![Finding::told("store", Level::Problem, failure.to_string(), restore(&owner, patient))];
    }
    let config = &patient.config;
    if let Some(pipe) = config.master_key_file.as_ref().filter(|path| is_no_file(path)) {
        let says = format!(
            "`{}` is no file but a pipe or a device, and what comes out of it is the start's: the store was not looked at",
            pipe.display()
        );
        return vec![Finding::told("store", Level::Warning, says, None)];
    }
    let master = match find_master_key(data, config.master_key.as_ref(), config.master_key_file.as_deref()) {
        Ok(Some(master)) => master,
        Ok(None) => return vec![absent(&owner, patient)],
        Err(failure) => return vec![no_key(&failure, &owner, patient)],
    };
    // What a rotation that was cut short left: the next start puts it in its place.
    let next = if config.key_source() == KeySource::Own { find_next_key(data) } else { Ok(None) };
    let next = match next {
        Ok(next) => next,
        Err(failure) => {
            let paste = format!("ls -ld {}", word(&data.join(names::MASTER_KEY_NEXT)));
            return vec![Finding::problem("store", failure.to_string(), paste)];
        }
    };
    let (is_next, sealed) = (Cell::new(false), RefCell::default());
    let ours = |check: &[u8]| {
        is_next.set(next.as_ref().is_some_and(|next| is_of_master(next, check)));
        *sealed.borrow_mut() = check.to_vec();
        is_next.get() || is_of_master(&master, check)
    };
    let holding = Holding { prefix: key::ACCOUNTS, known: Some((key::MASTER_KEY_CHECK, &ours)) };
    vec![match SqliteStore::examine(&file, holding) {
        Ok(store) => {
            let master = next.filter(|_| is_next.get()).unwrap_or(master);
            contents(patient, &owner, store, master)
        }
        // As a start has it, which goes on with it.
        Err(OpenError::Lost { .. }) if is_begun(data) => {
            Finding::ok("store", format!("there is no account in it: {BEGUN}"))
        }
        Err(OpenError::Unknown { .. }) => another_key(patient, &file, &sealed.borrow()),
        Err(error) => {
            // It may be whole.
            let is_unseen = matches!(error, OpenError::NoRoom { .. } | OpenError::NoCopy { .. });
            let level = if is_unseen { Level::Warning } else { Level::Problem };
            Finding::told("store", level, error.to_string(), mended_by(&error, &file, &owner, patient))
        }
    }]
}

/// Whether what a setting names can be read once only, or has no end.
pub(super) fn is_no_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Whether a server would find every record as it must be, and what the environment pins with it.
fn contents(patient: &Patient, owner: &Owner, store: MemoryStore, master: MasterKey) -> Finding {
    let (revision, view) = match opened(patient, store, master) {
        Ok(opened) => opened,
        Err(why) => return Finding::told("store", Level::Problem, why, restore(owner, patient)),
    };
    let pinned = &patient.config.pinned;
    // What is not well formed is told of by itself.
    if first_account::parse(pinned).is_ok()
        && let Err(failure) = first_account::check(&view, pinned)
    {
        return Finding::problem("store", failure.to_string(), UNPIN);
    }
    Finding::ok("store", format!("whole, at revision {revision}, sealed with this master key"))
}

fn opened(patient: &Patient, store: MemoryStore, master: MasterKey) -> Result<(Revision, Arc<View>), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let revision = store.current().await.map_err(|error| error.to_string())?;
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let rules = patient.config.session_rules;
        // A rotation that was cut short is finished, in memory.
        let directory = Directory::open_with(Arc::new(store), master, clock, random, rules).await;
        let directory = directory.map_err(|error| error.to_string())?;
        Ok((revision, directory.snapshot()))
    })
}

/// A key of another time may be the right one, as for a backup from before a rotation.
fn another_key(patient: &Patient, file: &Path, sealed: &[u8]) -> Finding {
    let entries = std::fs::read_dir(&patient.config.data).into_iter().flatten().flatten();
    let is_key = |name: &str| name.starts_with(names::MASTER_KEY) && names::is_ours(name);
    let keys = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_key));
    let right = keys
        .map(|entry| entry.path())
        .find(|path| read_master_key(path).is_ok_and(|key| is_of_master(&key, sealed)));
    let says = format!("`{}` was sealed with another master key", file.display());
    let (says, named) = match right {
        Some(path) => (format!("{says}: that in `{}`", path.display()), path),
        None => (format!("{says}, and with none that is here"), "FILE".into()),
    };
    let named = std::path::absolute(&named).ok().filter(|path| path.exists()).unwrap_or(named);
    let line = patient.serve_line("--master-key-file", Some(&named.to_string_lossy()));
    // Both are not taken.
    let only = if patient.config.master_key.is_some() { "env -u DAYPASS_MASTER_KEY " } else { "" };
    Finding::problem("store", says, format!("{only}{line}"))
}

fn no_lock(error: &LockError, owner: &Owner, patient: &Patient) -> Finding {
    let data = &patient.config.data;
    let lock = data.join(names::LOCK);
    let found = lock.symlink_metadata().ok();
    let is_file = found.as_ref().is_some_and(|found| found.is_file() && found.nlink() == 1);
    let paste = match error {
        // A start makes another one.
        LockError::Denied { .. } if found.is_some() => owner.moves_away(&lock, patient.user),
        LockError::Io { .. } if found.is_some() && !is_file => owner.moves_away(&lock, patient.user),
        LockError::Denied { .. } => Some(format!("{}chmod 700 {}", owner.sudo(patient.user), word(data))),
        LockError::ReadOnly { .. } => Some(remount(data)),
        _ => Some(format!("df -h {0}; df -i {0}; ls -ld {0} {1}", word(data), word(&lock))),
    };
    Finding::told("store", Level::Problem, error.to_string(), paste)
}

/// The line that makes a file system writable which a directory is on.
pub(super) fn remount(directory: &Path) -> String {
    format!("sudo mount -o remount,rw \"$(findmnt -no TARGET -T {})\"", word(directory))
}

fn mended_by(error: &OpenError, file: &Path, owner: &Owner, patient: &Patient) -> Option<String> {
    // What root does to a name in a directory of another user, it may do to something else by the time it does it.
    let store = word(file);
    Some(match error {
        OpenError::ReadOnly { .. } if is_read_only(file) => remount(&patient.config.data),
        OpenError::ReadOnly { .. } => {
            let files = [names::STORE, names::STORE_LOG, names::STORE_SHARED];
            let files = files.map(|name| patient.config.data.join(name));
            owner.takes(&files, patient.user).unwrap_or_else(|| format!("ls -l {store}*"))
        }
        // Moved, not removed: what is taken for another store's log may be somebody's.
        OpenError::LogOfAnother { .. } => {
            let moved = owner.moves_away(&patient.config.data.join(names::STORE_LOG), patient.user)?;
            let by = owner.acts_in(&patient.config.data, patient.user)?;
            format!("{moved}; {by}rm -f {store}-shm")
        }
        OpenError::JournalOfAnother { .. } => {
            owner.moves_away(&patient.config.data.join(names::STORE_JOURNAL), patient.user)?
        }
        OpenError::NoRoom { place, .. } => format!("df -h {}", word(place)),
        OpenError::NoCopy { place, .. } => format!("ls -ld {0}; df -h {0}; df -i {0}", word(place)),
        OpenError::Busy { .. } => format!("sudo fuser -v {store}*"),
        OpenError::Full { .. } => format!("df -h {0}; df -i {0}", word(&patient.config.data)),
        OpenError::Io { .. } => format!("ls -l {store}*; sudo dmesg | tail"),
        _ => return restore(owner, patient),
    })
}

fn is_read_only(file: &Path) -> bool {
    let mounted = file.parent().and_then(|directory| rustix::fs::statvfs(directory).ok());
    mounted.is_some_and(|mounted| mounted.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

/// A backup in a new directory, with the master key that is here.
fn restore(owner: &Owner, patient: &Patient) -> Option<String> {
    let data = resolved(&patient.config.data);
    let new = free(&data, "new");
    let (made, restored) = (owner.makes(&new, patient.user)?, restored(owner, patient, &new));
    let key = match patient.config.key_source() {
        // As its owner: what root reads there may be a link to what is root's, and end up readable.
        KeySource::Own => {
            let (key, new) = (word(&data.join(names::MASTER_KEY)), word(&new.join(names::MASTER_KEY)));
            format!("{}install -T -m 600 {key} {new} && ", owner.sudo(patient.user))
        }
        KeySource::File(_) | KeySource::Environment => String::new(),
    };
    Some(format!("{made} && {key}{restored}"))
}

fn restored(owner: &Owner, patient: &Patient, to: &Path) -> String {
    let source = patient.config.key_source();
    let sudo =
        owner.sudo_with(patient.user, (source == KeySource::Environment).then_some("DAYPASS_MASTER_KEY"));
    let line = format!("{sudo}daypass restore BACKUP --data {}", word(to));
    match source {
        KeySource::File(file) => format!("{line} --master-key-file {}", word(&resolved(&file))),
        KeySource::Own | KeySource::Environment => line,
    }
}

/// There is no store: a start makes the first one, or misses the one that was here.
fn absent(owner: &Owner, patient: &Patient) -> Finding {
    let config = &patient.config;
    let data = &config.data;
    let age = Age::of(data, &config.audit_file.clone().unwrap_or_else(|| data.join(names::AUDIT)));
    let Err(lost) = preflight::store_is_there(data, &age) else {
        return Finding::ok(
            "store",
            format!("there is none: {}", if is_begun(data) { BEGUN } else { "the first start makes it" }),
        );
    };
    let is_there = |name: &str| data.join(name).symlink_metadata().is_ok();
    let paste = if config.key_source() == KeySource::Own && !is_there(names::MASTER_KEY) {
        // Which of the keys that were here the backup needs nobody can tell.
        None
    } else if [names::STORE, names::STORE_LOG, names::STORE_SHARED, names::STORE_JOURNAL, names::DEMO_MARK]
        .into_iter()
        .any(is_there)
    {
        restore(owner, patient)
    } else {
        Some(restored(owner, patient, &resolved(data)))
    };
    Finding::told("store", Level::Problem, lost.to_string(), paste)
}

/// A key that is there is never written over: what cannot be read, or looks like none, may be the only one.
fn no_key(failure: &Failure, owner: &Owner, patient: &Patient) -> Finding {
    let config = &patient.config;
    let place = config.master_key_file.clone().unwrap_or_else(|| config.data.join(names::MASTER_KEY));
    let shown = word(&place);
    let links = if config.master_key_file.is_some() { Links::Followed } else { Links::Refused };
    let opened = open_regular(OpenOptions::new().read(true), &place, links);
    let paste = Some(match opened.err().map(|error| error.kind()) {
        _ if config.master_key.is_some() => "printenv DAYPASS_MASTER_KEY | base64 -d | wc -c".to_owned(),
        Some(ErrorKind::NotFound) => {
            let paste = owner.puts("MASTER_KEY", &place, patient.user);
            return Finding::told("store", Level::Problem, failure.to_string(), paste);
        }
        Some(ErrorKind::PermissionDenied) => {
            owner.takes(&[place], patient.user).unwrap_or_else(|| format!("ls -l {shown}"))
        }
        Some(_) => format!("ls -l {shown}"),
        None => format!("base64 -d < {shown} | wc -c"),
    });
    Finding::told("store", Level::Problem, failure.to_string(), paste)
}
