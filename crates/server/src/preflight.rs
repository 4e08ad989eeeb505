//! What is in the way of a start that can be seen before anything is opened. `serve` refuses it and the doctor tells of it,
//! both by what is here.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use daypass_store::SqliteStore;

use crate::config::check_variables;
use crate::data_dir::names::{
    AUDIT, DEMO_MARK, FIRST_START, OPERATOR_SOCKET, RESTORING, SESSION_LOG, STORE, STORE_LOG, is_beside,
    is_ours,
};
use crate::data_dir::{Age, DataDir};
use crate::failure::Failure;
use crate::{audit_file, session_file};

/// # Errors
/// A variable of this process's environment is no setting, and looks like one.
pub(crate) fn variables_are_settings() -> Result<(), Failure> {
    check_variables(std::env::vars_os().map(|(name, _)| name))
}

/// Something else that bears a name which a server gives to a file, or to its socket.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) path: PathBuf,
    kind: &'static str,
}

impl From<Taken> for Failure {
    fn from(Taken { path, kind }: Taken) -> Self {
        Self::new(format!("`{}` is not {kind}; remove it, or move it away", path.display()))
    }
}

/// # Errors
/// One of them is taken.
pub(crate) fn names_are_free(data: &Path, audit: &Path, audit_keep: u32) -> Result<(), Taken> {
    // What a start removes or replaces as a file.
    for path in [FIRST_START, DEMO_MARK].map(|name| data.join(name)) {
        if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            return Err(Taken { path, kind: "a regular file" });
        }
    }
    if let Some(path) = audit_file::taken_beside(audit, audit_keep) {
        return Err(Taken { path, kind: "of this audit" });
    }
    let restoring = data.join(RESTORING);
    if restoring.symlink_metadata().is_ok_and(|found| !found.is_dir()) {
        return Err(Taken { path: restoring, kind: "a directory" });
    }
    let sessions = data.join(SESSION_LOG);
    if sessions.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(Taken { path: sessions, kind: "a regular file" });
    }
    let socket = data.join(OPERATOR_SOCKET);
    if socket.symlink_metadata().is_ok_and(|found| !found.file_type().is_socket()) {
        return Err(Taken { path: socket, kind: "a socket" });
    }
    Ok(())
}

/// # Errors
/// The session log cannot be gone on with.
pub(crate) fn sessions_are_a_file(data: &Path) -> Result<(), Failure> {
    session_file::check(&data.join(SESSION_LOG))
}

/// # Errors
/// The audit is another file of the data directory, or no audit at all.
pub(crate) fn audit_is_one(data: &Path, audit: &Path) -> Result<(), Failure> {
    let parent = directory_of(audit);
    // With a slash behind it, or a dot, there is a name, and it is a directory's.
    let last = audit.file_name().map(OsStr::as_bytes);
    if last.is_none_or(|name| !audit.as_os_str().as_bytes().ends_with(name)) {
        return Err(Failure::new(format!(
            "the audit file `{}` is named as a directory; name a file with --audit-file",
            audit.display()
        )));
    }
    if last != Some(AUDIT.as_bytes()) && is_of_directory(data, audit) {
        return Err(Failure::new(format!(
            "the audit file `{}` would be another file of the data directory; name another with --audit-file (nothing was changed)",
            audit.display()
        )));
    }
    match audit_file::check(audit) {
        // It is made then.
        Err(error) if error.kind() == io::ErrorKind::NotFound && (parent.is_dir() || parent == data) => {
            Ok(())
        }
        checked => checked.map_err(|error| no_audit(audit, &error)),
    }
}

/// Whether a path is one of the names that a server gives to a file of the data directory.
pub(crate) fn is_of_directory(data: &Path, path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(is_ours) && is_in(data, path)
}

/// Whether a path is the audit's, or one of the names that a server gives to files beside it.
pub(crate) fn is_of_audit(audit: &Path, path: &Path) -> bool {
    let (Some(of), Some(name)) = (audit.file_name(), path.file_name()) else { return false };
    (name == of || is_beside(of.as_bytes(), name.as_bytes())) && is_in(directory_of(audit), path)
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn is_in(directory: &Path, path: &Path) -> bool {
    let parent = directory_of(path);
    match (parent.canonicalize(), directory.canonicalize()) {
        (Ok(parent), Ok(directory)) => parent == directory,
        _ => parent == directory,
    }
}

/// What is in the way of the audit.
pub(crate) fn no_audit(path: &Path, error: &io::Error) -> Failure {
    let what = format!("the audit file `{}` cannot be opened", path.display());
    match error.kind() {
        io::ErrorKind::NotFound => Failure::new(format!(
            "{what}: there is no such directory; make it for the server's user (0700), or name another file with --audit-file"
        )),
        io::ErrorKind::ResourceBusy => {
            Failure::new(format!("{what}: {error}; each needs one of its own, named with --audit-file"))
        }
        _ => Failure::disk(&what, error),
    }
}

/// # Errors
/// There was a store once, and there is none.
pub(crate) fn store_is_there(data: &Path, age: &Age) -> Result<(), Failure> {
    let store = data.join(STORE);
    match age {
        Age::Used(found) if !store.exists() => Err(lost(&store, "is missing", found)),
        _ => Ok(()),
    }
}

/// A store that was used and is not the one that was.
pub(crate) fn lost(store: &Path, what: &str, found: &[PathBuf]) -> Failure {
    let found: Vec<_> = found.iter().map(|path| format!("`{}`", path.display())).collect();
    Failure::new(format!(
        "`{}` {what}, but an account was made here once, as is seen from {}; nothing was changed: restore a backup of the store, or move these away to begin anew",
        store.display(),
        found.join(", ")
    ))
}

/// Of a store that was used before.
///
/// # Errors
/// A server was killed over it, and the store's log was removed since with all that would show it.
pub(crate) fn log_is_there(data: &Path) -> Result<(), Failure> {
    let store = data.join(STORE);
    let has_log = data.join(STORE_LOG).symlink_metadata().is_ok();
    // There is no log beside a backup.
    if !was_killed(data) || has_log || !matches!(SqliteStore::is_backup(&store), Ok(false)) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the write-ahead log of `{}` is gone, and the server did not end in order: the last commits were in it; put it back, or restore a backup; to go on without those commits remove `{}` (nothing was changed)",
        store.display(),
        data.join(OPERATOR_SOCKET).display()
    )))
}

/// An orderly end removes the operator's socket.
fn was_killed(data: &Path) -> bool {
    data.join(OPERATOR_SOCKET).symlink_metadata().is_ok_and(|found| found.file_type().is_socket())
}

/// The store is open: from here on it is this process's end that leaves a log or none.
pub(crate) fn forget_kill(data: &DataDir) {
    if was_killed(data.path()) {
        data.remove(OPERATOR_SOCKET);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn what_bears_a_name_of_ours_is_of_its_kind() {
        const FILE: &str = "is not a regular file";
        for (name, why) in [
            (SESSION_LOG, FILE),
            (OPERATOR_SOCKET, "is not a socket"),
            (FIRST_START, FILE),
            (DEMO_MARK, FILE),
            ("lines.reserve", "is not of this audit"),
            ("lines.next", "is not of this audit"),
        ] {
            let dir = Scratch::new("names");
            let free = || names_are_free(dir.path(), &dir.join("lines"), 2);
            free().unwrap();
            std::fs::create_dir(dir.join(name)).unwrap();
            let line = Failure::from(free().unwrap_err()).to_string();
            assert!(line.contains(name) && line.contains(why), "{line}");
        }
    }

    #[test]
    fn no_other_file_of_the_directory_is_an_audit() {
        let dir = Scratch::new("audit-apart");
        std::os::unix::fs::symlink(dir.path(), dir.join("way")).unwrap();
        for (audit, is_one) in [
            (AUDIT, true),
            ("lines", true),
            ("way/lines", true),
            ("none/lines", false),
            (STORE, false),
            (SESSION_LOG, false),
            ("master-key", false),
            ("audit.jsonl.1", false),
            ("way/daypass.lock", false),
        ] {
            let found = audit_is_one(dir.path(), &dir.join(audit));
            assert_eq!(found.is_ok(), is_one, "{audit}: {found:?}");
        }
        std::fs::write(dir.join("lines"), "a note").unwrap();
        let line = audit_is_one(dir.path(), &dir.join("lines")).unwrap_err().to_string();
        assert!(line.contains("its first line is no audit line"), "{line}");
    }
}
