//! The SQLite file: what survives closing, what is refused and left as it was, limits, backups.

use std::task::{Context, Waker};

use daypass_store::conformance::wait;
use daypass_store::{
    Commit, CommitError, Compacted, Guard, OpenError, Revision, SPENT_KEPT_SECONDS, Spent, SqliteStore,
    Store, WatchEnd,
};
use rusqlite::Connection;

use crate::support::{TempDir, bytes_of, commit, load, refused, tamper};

/// A closed store with enough in it for pages of every kind.
fn filled(dir: &TempDir) {
    let store = dir.open();
    for n in 0..40 {
        commit(&store, Commit::new().put(format!("/k/{n:03}"), vec![b'v'; 200 * n]));
    }
}

#[test]
fn a_reopened_store_holds_records_revision_and_spent_facts() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("a", "1").put("b", "2"));
    commit(&store, Commit::new().put("c", "3").delete("a"));
    assert_eq!(wait(store.spend("fact", 200, 100)), Ok(Spent::First));
    let before = load(&store);
    drop(store);
    assert_eq!(dir.names(), ["store.db"], "a closed store is one file");

    let store = dir.open();
    assert_eq!(load(&store), before);
    assert_eq!(wait(store.current()), Ok(Revision::new(2)));
    assert_eq!(wait(store.spend("fact", 200, 100)), Ok(Spent::Already));
    assert_eq!(commit(&store, Commit::new().put("d", "")), Revision::new(3));
    assert!(matches!(store.watch(Revision::ZERO), Err(Compacted)), "changes before the start are not kept");
    assert!(store.watch(Revision::new(2)).is_ok());
}

#[test]
fn what_was_forgotten_before_a_restart_stays_unspendable() {
    let dir = TempDir::new();
    let store = dir.open();
    assert_eq!(wait(store.spend("code", 200, 100)), Ok(Spent::First));
    assert_eq!(wait(store.spend("other", 90_000, 80_000)), Ok(Spent::First));
    drop(store);
    assert_eq!(wait(dir.open().spend("code", 200, 100)), Ok(Spent::Already));
}

#[test]
fn a_clock_that_was_ahead_for_hours_shuts_nothing_over_a_restart() {
    let dir = TempDir::new();
    let store = dir.open();
    let ahead = 100 + SPENT_KEPT_SECONDS - 60;
    assert_eq!(wait(store.spend("before", 700, 100)), Ok(Spent::First));
    for n in 0..100 {
        assert_eq!(wait(store.spend(&format!("ahead/{n}"), ahead + n + 60, ahead + n)), Ok(Spent::First));
    }
    drop(store);
    let store = dir.open();
    assert_eq!(wait(store.spend("before", 700, 101)), Ok(Spent::Already));
    assert_eq!(wait(store.spend("after", 701, 101)), Ok(Spent::First));
}

#[test]
fn a_dropped_store_ends_its_watches_after_the_last_change() {
    let dir = TempDir::new();
    let store = dir.open();
    let mut watch = store.watch(Revision::ZERO).unwrap();
    let last = commit(&store, Commit::new().put("a", ""));
    drop(store);
    assert_eq!(wait(watch.next()).unwrap().revision, last);
    assert_eq!(wait(watch.next()), Err(WatchEnd::Closed));
}

#[test]
fn a_commit_whose_caller_went_away_harms_no_other() {
    let dir = TempDir::new();
    let store = dir.open();
    for n in 0..50 {
        let mut gone = store.commit(Commit::new().put(format!("gone/{n}"), ""));
        let _polled_once = gone.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        drop(gone);
    }
    let last = commit(&store, Commit::new().put("stays", ""));
    let (revision, records) = load(&store);
    assert_eq!((revision, records.len()), (last, 51), "a commit handed over happens");
}

#[test]
fn a_change_made_behind_its_back_makes_watchers_load_again() {
    let dir = TempDir::new();
    let store = dir.open();
    let mut watch = store.watch(Revision::ZERO).unwrap();
    let other = Connection::open(dir.file()).unwrap();
    other.execute_batch("UPDATE meta SET revision = 7").unwrap();
    let next = commit(&store, Commit::new().put("a", ""));
    assert_eq!(next, Revision::new(8));
    assert_eq!(watch.try_next(), Err(WatchEnd::Compacted(Compacted)));
}

#[test]
fn a_load_that_sees_more_than_was_published_catches_up_first() {
    let dir = TempDir::new();
    let store = dir.open();
    let other = Connection::open(dir.file()).unwrap();
    other.execute_batch("UPDATE meta SET revision = 7").unwrap();
    let (revision, _) = load(&store);
    assert_eq!(revision, Revision::new(7));
    let mut watch = store.watch(revision).unwrap();
    let next = commit(&store, Commit::new().put("a", ""));
    assert_eq!(wait(watch.next()).unwrap().revision, next);
}

#[test]
fn a_damaged_file_is_refused_and_left_as_it_was() {
    type Harm = fn(&mut Vec<u8>);
    let harms: [(&str, Harm); 6] = [
        ("empty", |bytes| bytes.clear()),
        ("cut within the header", |bytes| bytes.truncate(60)),
        ("cut in half", |bytes| bytes.truncate(bytes.len() / 2)),
        ("another beginning", |bytes| bytes[..16].fill(b'x')),
        ("a page of the tree overwritten", |bytes| bytes[4096 * 3..4096 * 4].fill(0xAA)),
        ("the schema overwritten", |bytes| bytes[100..4096].fill(0xFF)),
    ];
    for (what, harm) in harms {
        let dir = TempDir::new();
        filled(&dir);
        let mut bytes = std::fs::read(dir.file()).unwrap();
        harm(&mut bytes);
        std::fs::write(dir.file(), bytes).unwrap();
        let error = refused(&dir);
        assert!(matches!(error, OpenError::Corrupt { .. }), "{what}: {error}");
        assert!(error.to_string().contains("restore a backup"), "{error}");
    }
}

#[test]
fn a_damaged_file_keeps_its_log_too() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("a", "in the log"));
    let files = bytes_of(&dir);
    drop(store);
    let crashed = TempDir::new();
    for (name, mut bytes) in files {
        if name == "store.db" {
            bytes[4096..].fill(0xAA);
        }
        std::fs::write(crashed.path().join(name), bytes).unwrap();
    }
    assert_eq!(crashed.names(), ["store.db", "store.db-wal"]);
    assert!(matches!(refused(&crashed), OpenError::Corrupt { .. }));
}

#[test]
fn a_file_that_is_missing_beside_its_log_is_not_made_anew() {
    let dir = TempDir::new();
    std::fs::write(dir.path().join("store.db-wal"), "frames").unwrap();
    assert!(matches!(refused(&dir), OpenError::Corrupt { .. }));
    assert_eq!(dir.names(), ["store.db-wal"]);
}

#[test]
fn a_record_newer_than_the_store_is_damage() {
    let dir = TempDir::new();
    filled(&dir);
    tamper(&dir.file(), "UPDATE meta SET revision = 3");
    assert!(matches!(refused(&dir), OpenError::Corrupt { .. }));
}

#[test]
fn a_file_of_another_program_is_refused_and_left_as_it_was() {
    let dir = TempDir::new();
    tamper(&dir.file(), "CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    assert!(matches!(refused(&dir), OpenError::Foreign { .. }));
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_left_as_it_was() {
    for column in ["lowest_reader", "lowest_writer"] {
        let dir = TempDir::new();
        filled(&dir);
        tamper(
            &dir.file(),
            &format!("UPDATE meta SET {column} = 2; ALTER TABLE meta ADD COLUMN more INTEGER"),
        );
        let error = refused(&dir);
        assert!(matches!(error, OpenError::TooNew { needs: 2, .. }), "{error}");
        assert!(error.to_string().contains("newer daypass"), "{error}");
    }
}

#[test]
fn a_directory_that_is_missing_or_a_path_that_is_one_is_an_error_that_names_it() {
    let dir = TempDir::new();
    for path in [dir.path().join("none/store.db"), dir.path().to_owned()] {
        let error = SqliteStore::open(&path).unwrap_err();
        assert!(matches!(error, OpenError::Io { .. }), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()));
    }
    assert!(dir.names().is_empty());
}

#[test]
fn what_an_interrupted_creation_left_is_no_obstacle() {
    let dir = TempDir::new();
    for left_over in ["store.db.new", "store.db.new-wal", "store.db.new-journal"] {
        std::fs::write(dir.path().join(left_over), "half a database").unwrap();
    }
    drop(dir.open());
    assert_eq!(dir.names(), ["store.db"]);
}

#[test]
fn a_full_store_refuses_writes_and_goes_on_reading() {
    let dir = TempDir::new();
    drop(dir.open());
    let store = SqliteStore::open_limited(&dir.file(), 1024 * 1024).unwrap();
    let mut watch = store.watch(Revision::ZERO).unwrap();
    let mut written = 0_usize;
    let refusal = loop {
        let next =
            Commit::new().put(format!("/k/{written}"), vec![1; 50_000]).put("/last", written.to_string());
        match wait(store.commit(next)) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 30, "the limit holds");
    };
    assert_eq!(refusal, CommitError::Full);
    assert!(written > 10);
    let (revision, records) = load(&store);
    assert_eq!((revision.get(), records.len()), (written as u64, written + 1));
    let last = records.iter().find(|r| &*r.key == "/last").unwrap();
    assert_eq!(last.value, (written - 1).to_string(), "the refused commit left nothing");
    for _ in 0..written {
        assert!(watch.try_next().unwrap().is_some());
    }
    assert_eq!(watch.try_next(), Ok(None));

    commit(&store, Commit::new().delete("/k/0").delete("/k/1"));
    commit(&store, Commit::new().put("/k/again", vec![1; 50_000]));
}

#[test]
fn a_commit_that_does_not_fit_harms_no_other_of_its_group() {
    let dir = TempDir::new();
    drop(dir.open());
    let store = SqliteStore::open_limited(&dir.file(), 1024 * 1024).unwrap();
    let sized = |n| if n % 2 == 0 { 10 } else { 700_000 };
    let commits = (0..20).map(|n| Commit::new().put(format!("/{n:02}"), vec![1; sized(n)])).collect();
    let answers = in_one_group(&dir, &store, commits);
    for (n, answer) in answers.iter().enumerate() {
        match n {
            1 => assert!(answer.is_ok(), "the first large one fits"),
            _ if n % 2 == 0 => assert!(answer.is_ok(), "commit {n}: {answer:?}"),
            _ => assert_eq!(*answer, Err(CommitError::Full), "commit {n}"),
        }
    }
    assert_eq!(load(&store).1.len(), 11);
}

#[test]
fn a_commit_that_fails_half_way_is_undone_alone() {
    let dir = TempDir::new();
    let store = dir.open();
    tamper(
        &dir.file(),
        "CREATE TRIGGER no BEFORE INSERT ON records WHEN NEW.key = '/poison' \
         BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    let plain = |n: usize| Commit::new().put(format!("/{n}"), "");
    let poisoned = Commit::new().put("/half", "").put("/poison", "").put("/other half", "").delete("/0");
    let answers = in_one_group(&dir, &store, vec![plain(0), plain(1), poisoned, plain(2)]);
    assert!(matches!(answers[2], Err(CommitError::Unavailable(_))), "{:?}", answers[2]);
    let revisions: Vec<_> = [0, 1, 3].map(|n: usize| answers[n].clone().unwrap().get()).into();
    assert_eq!(revisions, [1, 2, 3], "a failed commit takes no revision");
    let keys: Vec<_> = load(&store).1.iter().map(|r| r.key.to_string()).collect();
    assert_eq!(keys, ["/0", "/1", "/2"]);
}

/// Here the COMMIT itself fails, as on a broken disk: by a deferred constraint.
#[test]
fn a_commit_that_fails_at_its_very_end_is_unknown_and_the_store_goes_on() {
    let dir = TempDir::new();
    let store = dir.open();
    commit(&store, Commit::new().put("/a", "1"));
    let mut watch = store.watch(Revision::new(1)).unwrap();
    tamper(
        &dir.file(),
        "CREATE TABLE p (x INTEGER PRIMARY KEY);
         CREATE TABLE c (x REFERENCES p (x) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER no AFTER INSERT ON records WHEN NEW.key = '/poison' BEGIN INSERT INTO c VALUES (1); END",
    );
    assert_eq!(wait(store.commit(Commit::new().put("/poison", ""))), Err(CommitError::Unknown));
    assert_eq!(load(&store).0, Revision::new(1));
    assert_eq!(watch.try_next(), Ok(None), "what did not happen is not in the watch");
    let next = commit(&store, Commit::new().guard(Guard::absent("/poison")).put("/a", "2"));
    assert_eq!(watch.try_next().unwrap().unwrap().revision, next);
}

/// Commits that the writer finds waiting together: it is held up at the first one meanwhile. (The
/// first may be alone in its transaction.)
fn in_one_group(
    dir: &TempDir,
    store: &SqliteStore,
    commits: Vec<Commit>,
) -> Vec<Result<Revision, CommitError>> {
    let hold = Connection::open(dir.file()).unwrap();
    hold.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting: Vec<_> = commits.into_iter().map(|commit| store.commit(commit)).collect();
    let mut idle = Context::from_waker(Waker::noop());
    for commit in &mut waiting {
        assert!(commit.as_mut().poll(&mut idle).is_pending(), "nothing is acknowledged yet");
    }
    hold.execute_batch("ROLLBACK").unwrap();
    waiting.into_iter().map(wait).collect()
}

#[test]
fn what_was_replaced_or_deleted_is_wiped_from_the_file() {
    let dir = TempDir::new();
    let store = dir.open();
    let secret = "sealed-with-the-old-key-".repeat(40);
    for n in 0..50 {
        commit(&store, Commit::new().put(format!("/a/{n}"), secret.clone()));
    }
    for n in 0..50 {
        let key = format!("/a/{n}");
        commit(&store, if n % 2 == 0 { Commit::new().put(&key, "new") } else { Commit::new().delete(&key) });
    }
    drop(store);
    // Opening and closing again writes the log back, where that was not done.
    drop(dir.open());
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(24).any(|window| window == b"sealed-with-the-old-key-");
        assert!(!found, "{}", path.display());
    }
}
