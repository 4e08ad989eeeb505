//! Backups: consistent, complete or absent, private.

use daypass_store::conformance::wait;
use daypass_store::{Commit, Spent, SqliteStore, Store, StoreError};

use crate::support::{TempDir, commit, load};

#[test]
fn a_backup_is_the_store_at_one_revision_while_commits_go_on() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/n", "0"));
    let copies: Vec<_> = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 1..300 {
                commit(
                    &store,
                    Commit::new().put("/n", n.to_string()).put(format!("/k/{n}"), vec![b'v'; 2_000]),
                );
            }
        });
        let copies = (0..5)
            .map(|n| {
                let path = dir.path().join(format!("copy-{n}.db"));
                (wait(store.backup(&path)).unwrap(), path)
            })
            .collect();
        writer.join().unwrap();
        copies
    });
    for (revision, path) in copies {
        let copy = SqliteStore::open(&path).unwrap();
        let (at, records) = load(&copy);
        assert_eq!(at, revision);
        let n = (revision.get() - 1).to_string();
        assert_eq!(records.iter().find(|r| &*r.key == "/n").unwrap().value, n);
        assert_eq!(records.len() as u64, revision.get());
        assert_eq!(commit(&copy, Commit::new().put("/more", "")).get(), revision.get() + 1);
    }
}

#[test]
fn a_backup_keeps_spent_facts_and_replaces_nothing() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("a", "1"));
    assert_eq!(wait(store.spend("fact", 200, 100)), Ok(Spent::First));
    let path = dir.path().join("copy.db");
    wait(store.backup(&path)).unwrap();
    let first = std::fs::read(&path).unwrap();
    commit(&store, Commit::new().put("a", "2"));
    assert_eq!(wait(store.backup(&path)), Err(StoreError::Exists(path.clone())));
    assert!(std::fs::read(&path).unwrap() == first);
    let told = wait(store.backup(&dir.path().join("none/copy.db"))).unwrap_err().to_string();
    assert!(
        told.starts_with("cannot write the backup `")
            && told.ends_with("name a file in a directory that the server's user can write"),
        "{told}"
    );
    drop(store);
    assert_eq!(dir.names(), ["copy.db", "store.db"], "nothing partial is left");
    assert_eq!(wait(SqliteStore::open(&path).unwrap().spend("fact", 200, 100)), Ok(Spent::Already));
}

/// The one of another server too, which is asked for a backup of this name at the same moment.
#[test]
fn a_backup_that_is_told_as_made_is_there() {
    let (dir, other) = (TempDir::new(), TempDir::new());
    let (first, second) = (dir.open(), other.open());
    commit(&first, Commit::new().put("/whose", "first"));
    commit(&second, Commit::new().put("/whose", "second").put("/more", vec![b'v'; 100_000]));
    let place = TempDir::new();
    for n in 0..20 {
        let path = place.path().join(format!("copy-{n}"));
        let (of_first, of_second) = std::thread::scope(|scope| {
            let of_second = scope.spawn(|| wait(second.backup(&path)));
            (wait(first.backup(&path)), of_second.join().unwrap())
        });
        assert!(of_first.is_ok() != of_second.is_ok(), "{of_first:?} {of_second:?}");
        let exists = Err(StoreError::Exists(path.clone()));
        assert!(of_first == exists || of_second == exists, "{of_first:?} {of_second:?}");
        let copy = SqliteStore::open(&path).unwrap();
        let expected = if of_first.is_ok() { "first" } else { "second" };
        assert_eq!(load(&copy).1.iter().find(|r| &*r.key == "/whose").unwrap().value, expected);
    }
    assert_eq!(place.names().len(), 20, "{:?}", place.names());
}

#[test]
fn what_bears_a_name_like_an_unfinished_backups_stays() {
    let dir = TempDir::new();
    let store = dir.open();
    let names = ["copy.partial", "copy.partial-wal", "copy.partial-0123456789abcdef", "copy-journal"];
    for name in names {
        std::fs::write(dir.path().join(name), "theirs").unwrap();
    }
    wait(store.backup(&dir.path().join("copy"))).unwrap();
    for name in names {
        assert_eq!(std::fs::read(dir.path().join(name)).unwrap(), b"theirs", "{name}");
    }
    assert!(wait(store.backup(&dir.path().join("copy"))).is_err());
}

#[cfg(unix)]
#[test]
fn store_log_and_backup_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("a", "1"));
    wait(store.backup(&dir.path().join("copy.db"))).unwrap();
    let names = dir.names();
    assert_eq!(names, ["copy.db", "store.db", "store.db-shm", "store.db-wal"]);
    for name in names {
        let mode = std::fs::metadata(dir.path().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
