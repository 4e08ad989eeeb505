//! Loads, commits, revisions, bounds.

use std::task::{Context, Waker};

use super::{Commit, Store, commit, exists, happens, keys, load, wait};
use crate::record::{COMMIT_CHANGES_MAX, COMMIT_GUARDS_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX};
use crate::{CommitError, Guard, Invalid, Revision, StoreError};

/// See its name.
pub fn a_new_store_stands_at_revision_zero_and_holds_nothing(store: &dyn Store) {
    assert_eq!(load(store, ""), (Revision::ZERO, Vec::new()));
    assert_eq!(wait(store.current()), Ok(Revision::ZERO));
}

/// See its name.
pub fn load_gives_what_was_committed_in_byte_order_of_the_keys(store: &dyn Store) {
    commit(store, Commit::new().put("b", "2").put("é", "5").put("a/c", "1"));
    commit(store, Commit::new().put("Z", "0").put("b!", "3").put("ba", "4"));
    let (revision, records) = load(store, "");
    let got: Vec<_> = records.iter().map(|r| (&*r.key, &r.value[..], r.revision.get())).collect();
    let want: [(&str, &[u8], u64); 6] =
        [("Z", b"0", 2), ("a/c", b"1", 1), ("b", b"2", 1), ("b!", b"3", 2), ("ba", b"4", 2), ("é", b"5", 1)];
    assert_eq!(got, want);
    assert_eq!(revision, Revision::new(2));
}

/// Wildcards of SQL, letter case and characters of several bytes have no meaning of their own.
pub fn a_prefix_is_compared_byte_by_byte(store: &dyn Store) {
    let names = [
        "/1/a",
        "/1/a%",
        "/1/a%b",
        "/1/a_",
        "/1/ab",
        "/1/A",
        "/10/a",
        "/1",
        "/1/é",
        "/1/éa",
        "/1/\u{10ffff}x",
    ];
    commit(store, names.iter().fold(Commit::new(), |c, name| c.put(*name, "")));
    assert_eq!(keys(store, "/1/a%"), ["/1/a%", "/1/a%b"]);
    assert_eq!(keys(store, "/1/a_"), ["/1/a_"]);
    assert_eq!(keys(store, "/1/A"), ["/1/A"]);
    assert_eq!(keys(store, "/1/é"), ["/1/é", "/1/éa"]);
    assert_eq!(keys(store, "/1/\u{10ffff}"), ["/1/\u{10ffff}x"]);
    assert_eq!(keys(store, "/10/"), ["/10/a"]);
    assert_eq!(keys(store, "/1/").len(), 9);
    assert_eq!(keys(store, "").len(), names.len());
    assert!(keys(store, "/2").is_empty());
}

/// See its name.
pub fn a_put_replaces_value_and_revision_of_that_key_only(store: &dyn Store) {
    commit(store, Commit::new().put("a", "1").put("b", "1"));
    let second = commit(store, Commit::new().put("a", "2"));
    let (_, records) = load(store, "");
    assert_eq!((&records[0].value[..], records[0].revision), (&b"2"[..], second));
    assert_eq!((&records[1].value[..], records[1].revision), (&b"1"[..], Revision::new(1)));
}

/// See its name.
pub fn a_deleted_key_is_gone_and_may_come_back(store: &dyn Store) {
    commit(store, Commit::new().put("a", "1").put("b", "1"));
    commit(store, Commit::new().delete("a"));
    assert_eq!(keys(store, ""), ["b"]);
    let again = commit(store, Commit::new().put("a", "3"));
    assert_eq!(load(store, "a").1[0].revision, again);
}

/// See its name.
pub fn every_commit_takes_the_next_revision_and_current_tells_it(store: &dyn Store) {
    let mut last = Revision::ZERO;
    for n in 0..10 {
        let next = commit(store, Commit::new().put(format!("k{}", n % 3), n.to_string()));
        assert!(next > last, "{next} after {last}");
        assert_eq!(wait(store.current()), Ok(next));
        assert_eq!(load(store, "").0, next);
        last = next;
    }
}

/// See its name.
pub fn a_commit_that_changes_nothing_takes_no_revision(store: &dyn Store) {
    let stands = commit(store, Commit::new().put("a", "1"));
    assert_eq!(commit(store, Commit::new()), stands);
    assert_eq!(commit(store, Commit::new().delete("never was")), stands);
    assert_eq!(wait(store.current()), Ok(stands));
    let same = commit(store, Commit::new().put("a", "1"));
    assert!(same > stands, "a put is a change, even of the same bytes");
}

/// See its name.
pub fn a_refused_commit_leaves_no_trace(store: &dyn Store) {
    let stands = commit(store, Commit::new().put("a", "1").put("b", "1"));
    let before = load(store, "");
    let mut all = Commit::new().delete("b").put("a", "2");
    for n in 0..100 {
        all = all.put(format!("new{n}"), "x");
    }
    assert!(!happens(store, all.guard(Guard::unchanged("a", stands)).guard(Guard::absent("b"))));
    assert_eq!(load(store, ""), before);
    assert_eq!(wait(store.current()), Ok(stands));
    assert_eq!(store.watch(stands).unwrap().try_next(), Ok(None));
}

/// See its name.
pub fn values_of_any_bytes_and_the_largest_size_survive(store: &dyn Store) {
    let all_bytes: Vec<u8> = (0..=255).chain([0, 0]).collect();
    let largest = vec![0xA5; VALUE_BYTES_MAX];
    let long_key = "k".repeat(KEY_BYTES_MAX);
    commit(
        store,
        Commit::new().put("bytes", all_bytes.clone()).put("empty", "").put(long_key.clone(), largest.clone()),
    );
    let values: Vec<_> = load(store, "").1.into_iter().map(|r| (r.key.to_string(), r.value)).collect();
    assert_eq!(
        values,
        [("bytes".to_owned(), all_bytes.into()), ("empty".to_owned(), "".into()), (long_key, largest.into())]
    );
}

/// See its name.
pub fn what_is_out_of_bounds_is_refused_and_what_is_just_within_is_not(store: &dyn Store) {
    let refused = |c: Commit, why: Invalid| {
        assert_eq!(wait(store.commit(c)), Err(CommitError::Invalid(why)));
    };
    let many = |n: usize| (0..n).fold(Commit::new(), |c, i| c.put(format!("n{i}"), ""));
    let guards = |n: usize| (0..n).fold(Commit::new(), |c, i| c.guard(Guard::absent(format!("g{i}"))));
    let too_long = "k".repeat(KEY_BYTES_MAX + 1);

    refused(Commit::new().put("", "x"), Invalid::KeyEmpty);
    refused(Commit::new().delete(""), Invalid::KeyEmpty);
    refused(Commit::new().put(too_long.clone(), "x"), Invalid::KeyTooLong(KEY_BYTES_MAX + 1));
    refused(Commit::new().delete(too_long.clone()), Invalid::KeyTooLong(KEY_BYTES_MAX + 1));
    refused(Commit::new().guard(Guard::absent(too_long.clone())), Invalid::KeyTooLong(KEY_BYTES_MAX + 1));
    refused(
        Commit::new().guard(Guard::prefix_quiet(too_long.clone(), Revision::ZERO)),
        Invalid::KeyTooLong(KEY_BYTES_MAX + 1),
    );
    refused(Commit::new().put("a\0b", "x"), Invalid::KeyControl);
    refused(
        Commit::new().put("a", vec![0; VALUE_BYTES_MAX + 1]),
        Invalid::ValueTooLarge(VALUE_BYTES_MAX + 1),
    );
    refused(many(COMMIT_CHANGES_MAX).delete("one more"), Invalid::TooManyChanges(COMMIT_CHANGES_MAX + 1));
    refused(guards(COMMIT_GUARDS_MAX + 1), Invalid::TooManyGuards(COMMIT_GUARDS_MAX + 1));
    refused(Commit::new().put("a", "1").delete("a"), Invalid::KeyTwice);
    let heavy = (0..8).fold(Commit::new(), |c, i| c.put(format!("{i}"), vec![0; VALUE_BYTES_MAX]));
    refused(heavy, Invalid::CommitTooLarge(8 * VALUE_BYTES_MAX + 8));
    assert_eq!(wait(store.load(&too_long)), Err(StoreError::Invalid(Invalid::KeyTooLong(KEY_BYTES_MAX + 1))));
    assert_eq!(wait(store.load("a\n")), Err(StoreError::Invalid(Invalid::KeyControl)));

    assert_eq!(load(store, "").0, Revision::ZERO, "nothing of it happened");
    commit(store, many(COMMIT_CHANGES_MAX));
    commit(store, guards(COMMIT_GUARDS_MAX).put("a", "x"));
    assert!(exists(store, "n255") && exists(store, "a"));
}

/// See its name.
pub fn a_loads_revision_covers_every_acknowledged_commit(store: &dyn Store) {
    std::thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || {
                for n in 0..25 {
                    let key = format!("{writer}/{n}");
                    let at = commit(store, Commit::new().put(key.clone(), ""));
                    let (revision, records) = load(store, &format!("{writer}/"));
                    assert!(revision >= at);
                    assert_eq!(records.len(), n + 1);
                    assert!(store.watch(revision).is_ok(), "a watch can begin where a load ended");
                }
            });
        }
    });
}

/// Also for one that nobody waits for any more.
pub fn after_settling_what_was_handed_over_is_in_the_watch(store: &dyn Store) {
    let first = commit(store, Commit::new().put("a", "1"));
    let mut watch = store.watch(first).unwrap();
    let mut handed_over = store.commit(Commit::new().put("b", "2"));
    let _ready_or_not = handed_over.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    drop(handed_over);
    wait(store.settle()).unwrap();
    let second = wait(store.current()).unwrap();
    assert_eq!((second, keys(store, "")), (first.next(), vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(wait(watch.next()).unwrap().revision, second);
    wait(store.settle()).unwrap();
    assert_eq!(wait(store.current()), Ok(second), "settling changes nothing");
}
