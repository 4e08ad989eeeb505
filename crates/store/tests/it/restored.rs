//! Files that are put together by hand after a crash: a store without its log, a backup beside another's log.

use daypass_store::conformance::wait;
use daypass_store::{Commit, Holding, OpenError, Revision, SqliteStore, Store};

use crate::support::{TempDir, bytes_of, commit, load, refused};

/// The directory as it is now, as a kill at this moment would leave it.
fn killed(dir: &TempDir) -> TempDir {
    let killed = TempDir::new();
    for name in dir.names() {
        std::fs::copy(dir.path().join(&name), killed.path().join(&name)).unwrap();
    }
    killed
}

fn remove(dir: &TempDir, suffix: &str) {
    std::fs::remove_file(dir.path().join(format!("store.db{suffix}"))).unwrap();
}

/// The two bytes of a file's header that say whether it may have a log.
fn mode(file: &std::path::Path) -> [u8; 2] {
    let bytes = std::fs::read(file).unwrap();
    [bytes[18], bytes[19]]
}

/// A backup of a store at revision 1, in the place of one that was killed at revision 2.
fn restored() -> TempDir {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/a", "1"));
    let backup = dir.path().join("backup");
    wait(store.backup(&backup)).unwrap();
    commit(&store, Commit::new().put("/a", "2"));
    let killed = killed(&dir);
    std::fs::rename(killed.path().join("backup"), killed.file()).unwrap();
    assert_eq!(killed.names(), ["store.db", "store.db-shm", "store.db-wal"]);
    killed
}

/// The file of one store and the log of another: SQLite joins them, and only the owner can tell.
#[test]
fn a_store_that_its_owner_does_not_know_is_left_as_it_is() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/check", "another's").put("/a", "1"));
    let killed = killed(&dir);
    let before = bytes_of(&killed);
    let open = |wanted: &[u8]| {
        let is_right = |found: &[u8]| found == wanted;
        SqliteStore::open_holding(
            &killed.file(),
            Holding { prefix: "/a", known: Some(("/check", &is_right)) },
        )
    };
    let error = open(b"ours").unwrap_err();
    assert!(matches!(error, OpenError::Unknown { .. }), "{error}");
    assert!(bytes_of(&killed) == before, "neither file nor log has changed");
    assert_eq!(load(&open(b"another's").unwrap()).0, Revision::new(1));
    assert!(bytes_of(&killed) != before, "otherwise the log is written back");
}

#[test]
fn a_store_whose_log_was_removed_after_a_crash_does_not_open_without_a_word() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/a", "1"));
    wait(store.write_back()).unwrap();
    commit(&store, Commit::new().put("/a", "2"));
    let whole = killed(&dir);
    let torn = killed(&dir);
    remove(&torn, "-wal");
    let error = refused(&torn);
    assert!(matches!(error, OpenError::LogLost { .. }), "{error}");
    for word in ["store.db-wal", "last commits", "put the log back, or restore a backup", "remove `"] {
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(load(&whole.open()).0, Revision::new(2), "nothing is wrong after a mere crash");
    remove(&torn, "-shm");
    assert_eq!(load(&torn.open()).0, Revision::new(1), "as the line says, without what was in the log");
}

#[test]
fn a_backup_beside_the_log_of_the_store_it_replaces_is_refused_until_that_is_gone() {
    let dir = restored();
    let error = refused(&dir);
    assert!(matches!(error, OpenError::LogOfAnother { .. }), "{error}");
    assert!(error.to_string().contains("remove `"), "{error}");
    remove(&dir, "-wal");
    remove(&dir, "-shm");
    assert_eq!(load(&dir.open()).0, Revision::new(1));
}

#[test]
fn what_is_left_of_an_empty_log_is_no_obstacle_to_a_backup() {
    for names in [&["-wal", "-shm"][..], &["-wal"], &["-shm"]] {
        let dir = restored();
        remove(&dir, "-wal");
        remove(&dir, "-shm");
        for name in names {
            let left = if *name == "-shm" { "anything" } else { "" };
            std::fs::write(dir.path().join(format!("store.db{name}")), left).unwrap();
        }
        let store = dir.open();
        assert_eq!(mode(&dir.file()), [2, 2], "{names:?}");
        commit(&store, Commit::new().put("/b", "2"));
        assert_eq!(load(&killed(&dir).open()).0, Revision::new(2), "{names:?}");
    }
}

#[test]
fn a_backup_is_marked_as_one_and_a_store_like_any_other_once_it_was_opened() {
    let dir = restored();
    assert_eq!(mode(&dir.file()), [1, 1]);
    remove(&dir, "-wal");
    remove(&dir, "-shm");
    let store = dir.open();
    // The header comes before the log, whenever a kill comes.
    assert_eq!(mode(&dir.file()), [2, 2]);
    assert_eq!(load(&killed(&dir).open()).0, Revision::new(1));
    commit(&store, Commit::new().put("/b", "2"));
    assert_eq!(load(&killed(&dir).open()).0, Revision::new(2));
    drop(store);
    assert_eq!((dir.names(), mode(&dir.file())), (vec!["store.db".to_owned()], [2, 2]));
}
