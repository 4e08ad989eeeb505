//! What the tests share: directories of their own, and short words for common steps.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use daypass_store::conformance::wait;
use daypass_store::{Commit, OpenError, Record, Revision, SqliteStore, Store};
use rusqlite::Connection;

/// An empty directory on the disk of the build, removed when dropped.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("store-{}-{n}", std::process::id()));
        let _left_over = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where a store's file goes.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("store.db")
    }

    pub(crate) fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.file()).unwrap()
    }

    /// Names of everything in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _best_effort = std::fs::remove_dir_all(&self.0);
    }
}

/// Every file of the directory with its bytes, but SQLite's shared-memory index, which is scratch.
pub(crate) fn bytes_of(dir: &TempDir) -> Vec<(String, Vec<u8>)> {
    let names = dir.names().into_iter().filter(|name| !name.ends_with("-shm"));
    names.map(|name| (name.clone(), std::fs::read(dir.path().join(name)).unwrap())).collect()
}

/// Opening is refused in one line that names the file, and leaves every byte as it was.
pub(crate) fn refused(dir: &TempDir) -> OpenError {
    let before = bytes_of(dir);
    let error = SqliteStore::open(&dir.file()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(dir.file().to_str().unwrap()) && !message.contains('\n'), "{message}");
    assert!(bytes_of(dir) == before, "a refused file was changed");
    error
}

/// Commits that must succeed.
pub(crate) fn commit(store: &SqliteStore, commit: Commit) -> Revision {
    wait(store.commit(commit)).unwrap()
}

/// All there is.
pub(crate) fn load(store: &SqliteStore) -> (Revision, Vec<Record>) {
    wait(store.load("")).unwrap()
}

/// Runs SQL on a file behind the store's back.
pub(crate) fn tamper(file: &Path, sql: &str) {
    let db = Connection::open(file).unwrap();
    db.execute_batch(sql).unwrap();
    db.close().unwrap();
}
