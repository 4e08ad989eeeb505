//! What is in the way of a start that can be seen before anything is opened. `serve` refuses it and the doctor tells of it,
//! both by what is here.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use daypass_store::SqliteStore;

use crate::config::check_variables;
use crate::data_dir::DataDir;
use crate::data_dir::names::{OPERATOR_SOCKET, SESSION_LOG, STORE, STORE_LOG};
use crate::failure::Failure;

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
pub(crate) fn names_are_free(data: &Path) -> Result<(), Taken> {
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
        for (name, why) in [(SESSION_LOG, "is not a regular file"), (OPERATOR_SOCKET, "is not a socket")] {
            let dir = Scratch::new("names");
            names_are_free(dir.path()).unwrap();
            std::fs::create_dir(dir.join(name)).unwrap();
            let line = Failure::from(names_are_free(dir.path()).unwrap_err()).to_string();
            assert!(line.contains(name) && line.contains(why), "{line}");
        }
    }
}
