//! A store whose files were removed or replaced while it is open: nothing more is acknowledged, and a backup of what
//! is still there can be made.

use std::path::Path;

use daypass_store::conformance::wait;
use daypass_store::{Commit, CommitError, SqliteStore, Store};

use crate::support::{TempDir, commit, load};

/// Refuses to write, and says so to whoever asks.
fn refuses(store: &SqliteStore, file: &Path) {
    let asked = wait(store.writable()).unwrap_err();
    let refused = wait(store.commit(Commit::new().put("/lost", "")));
    let Err(CommitError::Unavailable(why)) = refused else { panic!("acknowledged: {refused:?}") };
    for why in [asked, why, wait(store.writable()).unwrap_err()] {
        assert!(why.contains(&format!("`{}` was moved, removed or replaced", file.display())), "{why}");
        assert!(why.contains("take `daypass backup FILE` before you stop it"), "{why}");
    }
    assert!(matches!(wait(store.spend("fact", 200, 100)), Err(CommitError::Unavailable(_))));
    assert!(store.place().check().is_err());
}

#[test]
fn a_store_that_was_moved_away_acknowledges_nothing_until_it_is_put_back() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/a", "1"));
    let log = dir.path().join("store.db-wal");
    for file in [dir.file(), log] {
        let aside = dir.path().join("aside");
        std::fs::rename(&file, &aside).unwrap();
        refuses(&store, &file);
        std::fs::copy(&aside, &file).unwrap();
        refuses(&store, &file);
        std::fs::rename(&aside, &file).unwrap();
        assert_eq!(wait(store.writable()), Ok(()));
        commit(&store, Commit::new().put("/a", "again"));
    }
    drop(store);
    assert_eq!(load(&dir.open()).1[0].value, "again");
}

#[test]
fn what_is_left_of_a_removed_store_can_be_backed_up() {
    let (dir, other) = (TempDir::new(), TempDir::new());
    drop(other.open());
    let store = dir.open();
    let last = commit(&store, Commit::new().put("/a", vec![b'v'; 50_000]).put("/b", "in the log"));
    for name in dir.names() {
        std::fs::remove_file(dir.path().join(name)).unwrap();
    }
    for (n, copy) in ["removed.db", "replaced.db"].into_iter().enumerate() {
        let copy = dir.path().join(copy);
        assert_eq!(wait(store.backup(&copy)), Ok(last));
        let (revision, records) = load(&SqliteStore::open(&copy).unwrap());
        assert_eq!((revision, records.len()), (last, 2));
        if n == 0 {
            std::fs::copy(other.file(), dir.file()).unwrap();
        }
    }
    let replaced = std::fs::read(dir.file()).unwrap();
    drop(store);
    assert!(std::fs::read(dir.file()).unwrap() == replaced, "what was put in its place is another's");
}
