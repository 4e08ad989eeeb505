//! What the tests share: directories of their own, and short words for common steps.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use daypass_store::conformance::wait;
use daypass_store::{Commit, Record, Revision, SqliteStore, Store};
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
