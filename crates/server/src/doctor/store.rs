//! The store: of a server that runs, by asking it; otherwise by reading the file, which is left as it is.

use std::fs::OpenOptions;
use std::io::{Error, ErrorKind, Read};
use std::path::Path;

use daypass_directory::{is_of_master, key};
use daypass_model::Authority;
use daypass_store::{DirLock, Holding, LockError, OpenError, SqliteStore};

use super::probe::{Trust, ask};
use super::process::Running;
use super::rights::{Owner, may_look};
use super::{Finding, Patient};
use crate::banner::{shell_word, url_for_clients};
use crate::data_dir::{KeySource, Links, find_master_key, find_next_key, names, open_regular};
use crate::failure::Failure;

pub(super) fn findings(patient: &Patient) -> Vec<Finding> {
    let data = &patient.config.data;
    let file = data.join(names::STORE);
    let Some(owner) = Owner::of(data).filter(|_| data.is_dir() && may_look(patient)) else {
        return Vec::new();
    };
    // Held while the file is read, so that no server starts meanwhile.
    let lock = match DirLock::acquire(data) {
        Ok(lock) => lock,
        Err(LockError::Held { .. }) => return vec![running(patient)],
        Err(error) => return vec![no_lock(&error, &owner, data)],
    };
    owner.give(&lock);
    if file.symlink_metadata().is_err() {
        return vec![absent(&owner, patient)];
    }
    let config = &patient.config;
    let master = match find_master_key(data, config.master_key.as_ref(), config.master_key_file.as_deref()) {
        Ok(Some(master)) => master,
        Ok(None) => return vec![absent(&owner, patient)],
        Err(failure) => return vec![no_key(&failure, &owner, patient)],
    };
    // What a rotation that was cut short left: the next start puts it in its place.
    let next = if config.key_source() == KeySource::Own { find_next_key(data).ok().flatten() } else { None };
    let ours = |check: &[u8]| {
        [Some(&master), next.as_ref()].into_iter().flatten().any(|key| is_of_master(key, check))
    };
    let holding = Holding { prefix: key::ACCOUNTS, known: Some((key::MASTER_KEY_CHECK, &ours)) };
    // SQLite would look at a store that it cannot write, and leave a log and a shared memory beside it.
    let written = open_regular(OpenOptions::new().read(true).write(true), &file, Links::Refused);
    let is_denied =
        |error: &Error| matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem);
    let examined = match written.err().filter(is_denied) {
        Some(_) => Err(OpenError::ReadOnly { path: file.clone() }),
        // As a start sees it; what only reads the file does not look at the log then.
        None if is_backup(&file) && has_log(&file) => Err(OpenError::LogOfAnother { path: file.clone() }),
        None => SqliteStore::examine(&file, holding),
    };
    vec![match examined {
        Ok(revision) => {
            Finding::ok("store", format!("whole, at revision {revision}, sealed with this master key"))
        }
        Err(OpenError::Unknown { .. }) => Finding::problem(
            "store",
            format!("`{}` was sealed with another master key", file.display()),
            "daypass serve --master-key-file FILE",
        ),
        Err(error) => {
            let paste = mended_by(&error, &file, &owner, patient);
            Finding::problem("store", error.to_string(), paste)
        }
    }]
}

/// Whether no server has opened it since it was made (<https://www.sqlite.org/fileformat.html>, section 1.3.3).
fn is_backup(store: &Path) -> bool {
    let mut header = [0; 20];
    let file = open_regular(OpenOptions::new().read(true), store, Links::Refused);
    let read = file.and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header.ends_with(&[1, 1])
}

fn has_log(store: &Path) -> bool {
    let log = format!("{}-wal", store.display());
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

fn no_lock(error: &LockError, owner: &Owner, data: &Path) -> Finding {
    let lock = data.join(names::LOCK);
    let paste = match error {
        LockError::Denied { .. } if lock.exists() => owner.chown(&word(&lock)),
        LockError::Denied { .. } => format!("chmod 700 {}", word(data)),
        LockError::ReadOnly { .. } => remount(data),
        LockError::Held { .. } | LockError::Io { .. } => {
            format!("df -h {0}; df -i {0}; ls -ld {0} {1}", word(data), word(&lock))
        }
    };
    Finding::problem("store", error.to_string(), paste)
}

/// The line that makes a file system writable which a directory is on.
pub(super) fn remount(directory: &Path) -> String {
    format!("sudo mount -o remount,rw \"$(findmnt -no TARGET -T {})\"", word(directory))
}

fn mended_by(error: &OpenError, file: &Path, owner: &Owner, patient: &Patient) -> String {
    // What root does to a name in a directory of another user, it may do to something else by the time it does it.
    let (store, as_owner) = (word(file), owner.sudo(patient.user));
    match error {
        OpenError::ReadOnly { .. } if is_read_only(file) => remount(&patient.config.data),
        OpenError::ReadOnly { .. } => {
            format!("{} && {as_owner}chmod 600 {store}*", owner.chown(&format!("{store}*")))
        }
        // Moved, not removed: what is taken for another store's log may be somebody's.
        OpenError::LogOfAnother { .. } => {
            format!("{as_owner}mv {store}-wal {store}-wal.old; {as_owner}rm -f {store}-shm")
        }
        OpenError::Busy { .. } => format!("sudo fuser -v {store}*"),
        OpenError::Full { .. } => format!("df -h {0}; df -i {0}", word(&patient.config.data)),
        OpenError::Io { .. } => format!("ls -l {store}*; sudo dmesg | tail"),
        _ => restore(owner, patient),
    }
}

fn is_read_only(file: &Path) -> bool {
    let mounted = file.parent().and_then(|directory| rustix::fs::statvfs(directory).ok());
    mounted.is_some_and(|mounted| mounted.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

/// A backup in a new directory, with the master key that is here.
fn restore(owner: &Owner, patient: &Patient) -> String {
    let data = &patient.config.data;
    let new = word(Path::new(&format!("{}.new", data.display())));
    let sudo = owner.sudo(patient.user);
    let restore = format!("{sudo}daypass restore BACKUP --data {new}");
    match patient.config.key_source() {
        KeySource::Own => {
            let (user, key) = (shell_word(&owner.name()), word(&data.join(names::MASTER_KEY)));
            let own = if sudo.is_empty() { String::new() } else { format!("-o {user} ") };
            let by = if sudo.is_empty() { "" } else { "sudo " };
            // The key as its owner: what root reads there may be a link to what is root's, and end up readable.
            format!(
                "{by}install -d -m 700 {own}{new} && {sudo}install -m 600 {key} {new}/master-key && {restore}"
            )
        }
        KeySource::File(file) => format!("{restore} --master-key-file {}", word(&file)),
        KeySource::Environment => restore,
    }
}

fn word(path: &Path) -> String {
    shell_word(&path.to_string_lossy())
}

fn absent(owner: &Owner, patient: &Patient) -> Finding {
    let data = &patient.config.data;
    let master = data.join(names::MASTER_KEY);
    if !master.exists() {
        return Finding::ok("store", "there is none: the first start makes it");
    }
    Finding::problem(
        "store",
        format!("`{}` is there and no store", master.display()),
        format!("{}daypass restore BACKUP --data {}", owner.sudo(patient.user), word(data)),
    )
}

/// A key that is there is never written over: what cannot be read, or looks like none, may be the only one.
fn no_key(failure: &Failure, owner: &Owner, patient: &Patient) -> Finding {
    let config = &patient.config;
    let place = config.master_key_file.clone().unwrap_or_else(|| config.data.join(names::MASTER_KEY));
    let shown = word(&place);
    let links = if config.master_key_file.is_some() { Links::Followed } else { Links::Refused };
    let opened = open_regular(OpenOptions::new().read(true), &place, links);
    let paste = match opened.err().map(|error| error.kind()) {
        _ if config.master_key.is_some() => "printenv DAYPASS_MASTER_KEY | base64 -d | wc -c".to_owned(),
        Some(ErrorKind::NotFound) => {
            let user = shell_word(&owner.name());
            match owner.sudo(patient.user).is_empty() {
                true => format!("install -m 600 MASTER_KEY {shown}"),
                false => format!("sudo install -m 600 -o {user} MASTER_KEY {shown}"),
            }
        }
        Some(ErrorKind::PermissionDenied) => {
            format!("{} && {}chmod 600 {shown}", owner.chown(&shown), owner.sudo(patient.user))
        }
        Some(_) => format!("ls -l {shown}"),
        None => format!("base64 -d < {shown} | wc -c"),
    };
    Finding::problem("store", failure.to_string(), paste)
}

/// What the server that runs says on its admin listener.
fn running(patient: &Patient) -> Finding {
    let url = url_for_clients(None, "http", patient.config.admin_listen);
    let paste = format!("curl -s {url}/readyz");
    let process = Running::on(&patient.config.data);
    if let Some(stopped) = process.as_ref().filter(|process| process.is_stopped()) {
        return hung(stopped);
    }
    let answer = url.parse::<Authority>().map_err(|_| ErrorKind::InvalidInput);
    let answer = answer.and_then(|to| {
        ask(&to, "/readyz", &format!("host: {to}\r\n"), &Trust::Anybody).map_err(|error| error.kind())
    });
    match (answer, process) {
        (Ok(answer), _) if answer.status() == 200 => {
            Finding::ok("store", format!("a server runs on it: {}", answer.body.trim().replace('\n', "; ")))
        }
        (Ok(answer), _) if answer.status() == 503 => Finding::problem(
            "store",
            format!("the server that runs on it is not ready: {}", answer.body.trim().replace('\n', "; ")),
            paste,
        ),
        (Err(ErrorKind::TimedOut | ErrorKind::WouldBlock), Some(process))
            if process.listens_at(patient.config.admin_listen.port()) != Some(false) =>
        {
            // By now it may be seen to be stopped.
            hung(&Running::on(&patient.config.data).unwrap_or(process))
        }
        _ => Finding::warning(
            "store",
            format!("a server runs on it, and does not answer at {url}/readyz"),
            paste,
        ),
    }
}

fn hung(process: &Running) -> Finding {
    let (says, paste) = process.described();
    Finding::problem("store", format!("the server that runs on it does not answer: {says}"), paste)
}
