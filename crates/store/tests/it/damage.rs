//! What must not pass for a store: records that are not as they were written, and files that hold less than
//! they must. And what must not pass for one that can be written.

use std::io::Write;

use daypass_store::conformance::wait;
use daypass_store::{
    Commit, CommitError, Guard, Holding, OpenError, Revision, SqliteStore, Store, StoreError,
};

use crate::support::{TempDir, bytes_of, commit, load, refused, tamper};

/// Where a text is in a file, as bytes.
fn find(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap()
}

const ACCOUNTS: Holding<'_> = Holding { prefix: "/account/", known: None };

#[test]
fn a_record_with_one_other_bit_is_refused_and_named() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/policy/x", r#"{"Effect":"Deny","Action":"s3:DeleteObject"}"#));
    commit(&store, Commit::new().put("/policy/y", "another"));
    drop(store);
    let whole = std::fs::read(dir.file()).unwrap();
    let at = find(&whole, "s3:DeleteObject");
    for bit in 0..7 {
        let mut bytes = whole.clone();
        bytes[at + 3] ^= 1 << bit;
        std::fs::write(dir.file(), bytes).unwrap();
        let error = refused(&dir);
        assert!(matches!(&error, OpenError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains("the record `/policy/x` is not as it was written"), "{error}");
    }
    std::fs::write(dir.file(), whole).unwrap();
    assert_eq!(load(&dir.open()).1.len(), 2);
}

#[test]
fn key_and_revision_of_a_record_are_covered_too() {
    for harm in [
        "UPDATE records SET key = '/policy/z' WHERE key = '/policy/x'",
        "UPDATE records SET revision = 2 WHERE key = '/policy/x'",
        "UPDATE records SET value = (SELECT value FROM records WHERE key = '/policy/y') WHERE key = '/policy/x'",
    ] {
        let dir = TempDir::new();
        let store = dir.open();
        commit(&store, Commit::new().put("/policy/x", "a"));
        commit(&store, Commit::new().put("/policy/y", "b"));
        drop(store);
        tamper(&dir.file(), harm);
        assert!(matches!(refused(&dir), OpenError::Corrupt { .. }), "{harm}");
    }
}

#[test]
fn a_record_that_is_damaged_while_the_store_is_open_is_not_read() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/policy/x", "Deny"));
    tamper(&dir.file(), "UPDATE records SET value = CAST('Allow' AS BLOB)");
    let Err(StoreError::Unavailable(why)) = wait(store.load("")) else { panic!("it was read") };
    assert!(why.contains("it is damaged (the record `/policy/x`"), "{why}");
    let copy = dir.path().join("copy.db");
    let told = wait(store.backup(&copy)).unwrap_err().to_string();
    assert!(told.starts_with("the store is damaged: the record `/policy/x`"), "{told}");
    assert!(!copy.exists(), "no backup is better than a damaged one");
}

#[test]
fn a_backup_of_a_file_that_was_overwritten_blames_the_store_and_not_the_copy() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/policy/x", vec![b'v'; 50_000]));
    drop(store);
    let store = dir.open();
    let mut bytes = std::fs::read(dir.file()).unwrap();
    bytes[4096..].fill(0xAA);
    // Into the file that is open.
    std::fs::OpenOptions::new().write(true).open(dir.file()).unwrap().write_all(&bytes).unwrap();
    let told = wait(store.backup(&dir.path().join("copy.db"))).unwrap_err().to_string();
    assert!(told.starts_with("the store is damaged: ") && told.contains("restore the last backup"), "{told}");
}

/// Guards are answered from indexes alone.
#[test]
fn an_index_that_says_less_than_the_table_is_damage() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/a", "1"));
    drop(store);
    tamper(
        &dir.file(),
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, '(revision, key)', '(revision, key) WHERE revision > 9')
         WHERE name = 'records_by_revision';",
    );
    tamper(&dir.file(), "REINDEX records_by_revision");
    tamper(
        &dir.file(),
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, ' WHERE revision > 9', '') WHERE name = 'records_by_revision';",
    );
    assert!(matches!(refused(&dir), OpenError::Corrupt { .. }));
}

/// The files of a store as they are while it is open, or after a crash, with its log harmed.
fn crashed(files: &[(String, Vec<u8>)], harm: impl Fn(&mut Vec<u8>)) -> TempDir {
    let crashed = TempDir::new();
    for (name, bytes) in files {
        let mut bytes = bytes.clone();
        if name.ends_with("-wal") {
            harm(&mut bytes);
        }
        std::fs::write(crashed.path().join(name), bytes).unwrap();
    }
    crashed
}

/// Opening what must hold something is refused, and leaves every byte as it was, a log without any too.
fn lost(dir: &TempDir) -> OpenError {
    let before = bytes_of(dir);
    let error = SqliteStore::open_holding(&dir.file(), ACCOUNTS).unwrap_err();
    assert!(bytes_of(dir) == before, "a refused file was changed");
    error
}

#[test]
fn a_store_that_lost_its_log_does_not_pass_for_a_new_one() {
    let dir = TempDir::new();
    assert!(lost(&dir).to_string().contains("is missing"));
    let store = dir.open();
    commit(&store, Commit::new().put("/keyring", "k").put("/account", "a"));
    commit(&store, Commit::new().put("/account/111122223333", "a"));
    let files = bytes_of(&dir);
    drop(store);
    SqliteStore::open_holding(&dir.file(), ACCOUNTS).unwrap();
    let cuts: [fn(&mut Vec<u8>); 2] = [Vec::clear, |log| log.truncate(log.len() - 4096)];
    for cut in cuts {
        let error = lost(&crashed(&files, cut));
        assert!(matches!(error, OpenError::Lost { .. }), "{error}");
        assert!(error.to_string().contains("holds nothing under `/account/`"), "{error}");
    }
}

/// SQLite would stop at the first bad frame and write over what is behind it.
#[test]
fn one_flipped_bit_in_the_log_does_not_undo_the_commits_behind_it() {
    let dir = TempDir::new();
    let store = dir.open();
    for n in 0..20 {
        commit(&store, Commit::new().put(format!("/{n}"), "v"));
    }
    let files = bytes_of(&dir);
    let (_, log) = files.iter().find(|(name, _)| name.ends_with("-wal")).unwrap();
    // Of the head: magic, page size, salt, sum. Of the first frame: page number, salt, sum, page. Half way.
    for at in [0, 9, 17, 30, 35, 40, 50, 100, log.len() / 2] {
        let error = refused(&crashed(&files, |log| log[at] ^= 4));
        assert!(error.to_string().contains("write-ahead log"), "byte {at}: {error}");
    }
    assert_eq!(load(&crashed(&files, |_| {}).open()).0, Revision::new(20));
}

#[test]
fn what_a_crash_cuts_off_the_log_is_no_damage() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/a", "1"));
    let first = bytes_of(&dir).iter().find(|(name, _)| name.ends_with("-wal")).unwrap().1.len();
    commit(&store, Commit::new().put("/a", "2"));
    let files = bytes_of(&dir);
    // The last transaction cut anywhere, or with a hole: nobody was told that it is done.
    for keep in [first, first + 10, first + 4120, first + 5000] {
        let cut = crashed(&files, |log| log.truncate(keep));
        assert_eq!(load(&cut.open()).0, Revision::new(1), "{keep}");
    }
    let hole = crashed(&files, |log| log[first..first + 4120].fill(0));
    assert_eq!(load(&hole.open()).0, Revision::new(1));
}

/// After a kill the memory that connections shared says what was in the log.
#[test]
fn acknowledged_commits_that_are_missing_in_the_log_are_not_passed_over() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/a", "1"));
    let log_of = |files: &[(String, Vec<u8>)]| files[1].1.len();
    let first = log_of(&bytes_of(&dir));
    commit(&store, Commit::new().put("/a", "2"));
    let files = bytes_of(&dir);
    let last = log_of(&files);
    let shared = std::fs::read(dir.path().join("store.db-shm")).unwrap();
    let killed = |harm: &dyn Fn(&mut Vec<u8>)| {
        let killed = crashed(&files, harm);
        std::fs::write(killed.path().join("store.db-shm"), &shared).unwrap();
        killed
    };
    for keep in [0, 20, 32, first, first + 10, last - 1] {
        let short = killed(&|log| log.truncate(keep));
        let error = refused(&short);
        assert!(matches!(error, OpenError::LogShort { .. }), "{keep}: {error}");
        std::fs::remove_file(short.path().join("store.db-shm")).unwrap();
        let left = u64::from(keep >= first);
        assert_eq!(load(&short.open()).0, Revision::new(left), "as the line says, without what is missing");
    }
    let error = refused(&killed(&|log| log[last - 1] ^= 1));
    assert!(matches!(error, OpenError::LogShort { .. }), "{error}");
    assert_eq!(load(&killed(&|_| {}).open()).0, Revision::new(2));
    // What was begun and not acknowledged may follow, or what was there before the log began anew.
    assert_eq!(load(&killed(&|log| log.extend([7; 5000])).open()).0, Revision::new(2));
}

/// Every moment of a store's life, as a kill would leave it: what is in the file already may go from the log.
#[test]
fn a_kill_at_any_moment_is_no_shortness_of_the_log() {
    let mut dir = TempDir::new();
    let killed = |dir: &TempDir, log_too: bool| {
        let killed = TempDir::new();
        for name in dir.names().iter().filter(|name| log_too || !name.ends_with("-wal")) {
            std::fs::copy(dir.path().join(name), killed.path().join(name)).unwrap();
        }
        if !log_too {
            std::fs::write(killed.path().join("store.db-wal"), "").unwrap();
        }
        killed
    };
    let found = |dir: &TempDir, log_too: bool| load(&killed(dir, log_too).open()).0;
    let mut at = Revision::ZERO;
    for _ in 0..3 {
        let store = dir.open();
        assert_eq!((found(&dir, true), found(&dir, false)), (at, at), "just opened");
        for n in 0..3 {
            at = commit(&store, Commit::new().put(format!("/{n}"), vec![b'v'; 5000]));
            assert_eq!(found(&dir, true), at);
        }
        wait(store.write_back()).unwrap();
        assert_eq!((found(&dir, true), found(&dir, false)), (at, at), "written back");
        at = commit(&store, Commit::new().put("/after", ""));
        assert_eq!(found(&dir, true), at);
        let next = killed(&dir, true);
        drop(store);
        dir = next;
    }
}

#[test]
fn a_log_that_turned_is_no_damage() {
    let dir = TempDir::new();
    let store = dir.open();
    for n in 0..50 {
        commit(&store, Commit::new().put(format!("/{n}"), vec![b'v'; 3000]));
    }
    // As SQLite does by itself once the log has a thousand pages: written back, and begun again in its place.
    tamper(&dir.file(), "PRAGMA wal_checkpoint(RESTART)");
    let last = commit(&store, Commit::new().put("/more", ""));
    let files = bytes_of(&dir);
    assert_eq!(load(&crashed(&files, |_| {}).open()).0, last);
}

#[test]
fn after_writing_back_the_file_alone_is_the_store() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/account/1", "a"));
    wait(store.write_back()).unwrap();
    let alone = TempDir::new();
    std::fs::copy(dir.file(), alone.file()).unwrap();
    let copy = SqliteStore::open_holding(&alone.file(), ACCOUNTS).unwrap();
    assert_eq!(load(&copy), load(&store));
    assert_eq!(commit(&store, Commit::new().put("/b", "")), Revision::new(2), "and it goes on");
}

#[test]
fn a_store_that_could_not_write_looks_again_when_it_is_asked() {
    let dir = TempDir::new();
    drop(dir.open());
    let store = SqliteStore::open_limited(&dir.file(), 100 * 1024).unwrap();
    assert_eq!(wait(store.writable()), Ok(()));
    let large = Commit::new().put("/large", vec![1; 200_000]);
    assert_eq!(wait(store.commit(large)), Err(CommitError::Full));
    assert_eq!(
        wait(store.writable()),
        Ok(()),
        "it looks again before it answers, and there is room for less"
    );
}

/// A transaction whose pages are as they were writes nothing, and comes through on a full disk.
#[test]
fn a_store_that_cannot_write_tries_with_a_page_that_changes_nothing() {
    let dir = TempDir::new();
    drop(dir.open());
    let store = SqliteStore::open_limited(&dir.file(), 100 * 1024).unwrap();
    let at = commit(&store, Commit::new().put("/a", "1"));
    let mut watch = store.watch(at).unwrap();
    assert_eq!(wait(store.commit(Commit::new().put("/large", vec![1; 200_000]))), Err(CommitError::Full));
    let log = dir.path().join("store.db-wal");
    let before = std::fs::read(&log).unwrap();
    assert_eq!(wait(store.writable()), Ok(()));
    let after = std::fs::read(&log).unwrap();
    assert!(after != before, "the disk was asked for nothing");
    assert_eq!((load(&store).0, watch.try_next()), (at, Ok(None)));
    let more = commit(&store, Commit::new().put("/b", "2"));
    assert_eq!((more.get(), watch.try_next().unwrap().unwrap().revision), (at.get() + 1, more));
}

#[test]
fn a_refused_guard_is_no_trouble() {
    let dir = TempDir::new();
    let store = dir.open();
    let guarded = Commit::new().guard(Guard::unchanged("/a", Revision::ZERO)).put("/a", "");
    assert_eq!(wait(store.commit(guarded)), Err(CommitError::Conflict));
    assert_eq!(wait(store.writable()), Ok(()));
}

#[test]
fn a_store_that_is_a_link_is_refused_and_told() {
    let (dir, elsewhere) = (TempDir::new(), TempDir::new());
    drop(elsewhere.open());
    std::os::unix::fs::symlink(elsewhere.file(), dir.file()).unwrap();
    let error = SqliteStore::open(&dir.file()).unwrap_err().to_string();
    assert!(error.contains("it is a link; move the file itself here"), "{error}");
    assert_eq!(examined(&dir), error, "whoever only looks at it is told the same");
}

/// That a log is there tells of a kill: whoever only looks leaves it, even where nothing is in it.
#[test]
fn examining_a_store_shows_its_records_and_leaves_its_log() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/account/1", "a"));
    drop(store);
    let before = dir.names();
    let (store, examine) = (dir.open(), |dir: &TempDir| {
        let found = SqliteStore::examine(&dir.file(), ACCOUNTS).unwrap();
        wait(found.load("")).unwrap()
    });
    let killed = crashed(&bytes_of(&dir), |log| assert!(log.is_empty(), "nothing was written since"));
    let names = killed.names();
    assert!(names.iter().any(|name| name == "store.db-wal"), "{names:?}");
    let files = bytes_of(&killed);
    for _ in 0..2 {
        assert_eq!(examine(&killed), load(&store));
        assert!(bytes_of(&killed) == files, "{:?}", killed.names());
    }
    assert_eq!(load(&killed.open()), load(&store));
    drop(store);
    assert_eq!(examine(&dir).0, Revision::new(1));
    assert_eq!(dir.names(), before, "and nothing stays of a store that ended in order");
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    for suffix in ["", "-wal", "-shm"] {
        let dir = TempDir::new();
        drop(dir.open());
        let mut pipe = dir.file().into_os_string();
        pipe.push(suffix);
        drop(std::fs::remove_file(&pipe));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let error = SqliteStore::open(&dir.file()).unwrap_err().to_string();
        assert!(error.contains("is not a regular file"), "{error}");
        assert_eq!(examined(&dir), error);
    }
}

/// Why somebody who only reads it finds it no store.
fn examined(dir: &TempDir) -> String {
    SqliteStore::examine(&dir.file(), ACCOUNTS).unwrap_err().to_string()
}
