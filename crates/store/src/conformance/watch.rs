//! The watch: every change once, in order, or a clear word that some are lost.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::{Commit, Contents, Store, commit, contents, happens, load, wait};
use crate::record::VALUE_BYTES_MAX;
use crate::{Change, Compacted, Guard, HISTORY_BYTES_MAX, Revision, Watch, WatchEnd};

/// See its name.
pub fn a_watch_gives_one_change_for_each_commit_in_order(store: &dyn Store) {
    let mut watch = store.watch(Revision::ZERO).unwrap();
    let one = commit(store, Commit::new().put("b", "1").put("a", "1"));
    assert!(!happens(store, Commit::new().guard(Guard::absent("a")).put("a", "2")));
    commit(store, Commit::new().delete("never was"));
    let two = commit(store, Commit::new().put("a", "2").delete("b").delete("never was"));

    let first = wait(watch.next()).unwrap();
    assert_eq!(first.revision, one);
    let puts: Vec<_> = first.puts.iter().map(|r| (&*r.key, &r.value[..], r.revision)).collect();
    assert_eq!(puts, [("b", &b"1"[..], one), ("a", &b"1"[..], one)]);
    assert!(first.deletes.is_empty());

    let second = wait(watch.next()).unwrap();
    assert_eq!(second.revision, two);
    assert_eq!((second.puts.len(), &*second.puts[0].key, second.puts[0].revision), (1, "a", two));
    assert_eq!(second.deletes, [Arc::from("b")], "only what existed");
    assert_eq!(watch.try_next(), Ok(None));
    assert_eq!(watch.position(), two);
}

/// See its name.
pub fn a_watch_waits_for_the_next_commit(store: &dyn Store) {
    let mut watch = store.watch(Revision::ZERO).unwrap();
    let mut next = pin!(watch.next());
    let mut idle = Context::from_waker(Waker::noop());
    assert!(matches!(next.as_mut().poll(&mut idle), Poll::Pending));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(next));
        let at = commit(store, Commit::new().put("a", ""));
        assert_eq!(waiting.join().unwrap().unwrap().revision, at);
    });
}

/// A writer that waits for its own snapshot needs this.
pub fn an_acknowledged_commit_is_in_the_watch_already(store: &dyn Store) {
    let mut watch = store.watch(Revision::ZERO).unwrap();
    for n in 0..50 {
        let at = commit(store, Commit::new().put(format!("k{n}"), ""));
        assert_eq!(watch.try_next().unwrap().unwrap().revision, at);
    }
}

/// See its name.
pub fn a_watch_may_begin_in_the_past(store: &dyn Store) {
    let revisions: Vec<_> = (0..5).map(|n| commit(store, Commit::new().put(format!("k{n}"), ""))).collect();
    for (seen, after) in revisions.iter().enumerate() {
        let mut watch = store.watch(*after).unwrap();
        for expected in &revisions[seen + 1..] {
            assert_eq!(watch.try_next().unwrap().unwrap().revision, *expected);
        }
        assert_eq!(watch.try_next(), Ok(None));
    }
}

/// E.g. of a store that was restored from a backup: its next changes are not the ones missed.
pub fn a_watch_from_a_revision_never_reached_is_refused(store: &dyn Store) {
    let stands = commit(store, Commit::new().put("a", ""));
    assert!(store.watch(stands).is_ok());
    assert!(matches!(store.watch(Revision::new(stands.get() + 1)), Err(Compacted)));
}

/// See its name.
pub fn a_slow_watcher_is_told_to_load_again(store: &dyn Store) {
    let mut slow = store.watch(Revision::ZERO).unwrap();
    let first = commit(store, Commit::new().put("first", ""));
    let large = bytes::Bytes::from(vec![1; VALUE_BYTES_MAX]);
    for n in 0..=HISTORY_BYTES_MAX / VALUE_BYTES_MAX {
        commit(store, Commit::new().put(format!("large{}", n % 2), large.clone()));
    }
    assert_eq!(slow.try_next(), Err(WatchEnd::Compacted(Compacted)));
    assert_eq!(wait(slow.next()), Err(WatchEnd::Compacted(Compacted)), "it stays so");
    assert!(matches!(store.watch(first), Err(Compacted)));
    let (revision, _) = load(store, "");
    let mut fresh = store.watch(revision).unwrap();
    let last = commit(store, Commit::new().put("last", ""));
    assert_eq!(wait(fresh.next()).unwrap().revision, last);
}

/// What a reader of `load` and `watch` ends with is what the store holds, wherever it began.
pub fn a_load_and_a_watch_join_without_a_gap(store: &dyn Store) {
    const WRITERS: usize = 3;
    const COMMITS: usize = 60;
    let followers: Vec<(Contents, Watch)> = std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                for n in 0..COMMITS {
                    let key = |n: usize| format!("{writer}/{}", n % 7);
                    commit(store, Commit::new().put(key(n), n.to_string()).delete(key(n + 3)));
                }
            });
        }
        let follower = scope.spawn(move || {
            (0..40)
                .map(|_| {
                    let (revision, records) = load(store, "");
                    (contents(records), store.watch(revision).unwrap())
                })
                .collect()
        });
        follower.join().unwrap()
    });
    let (revision, records) = load(store, "");
    let end = contents(records);
    for (mut state, mut watch) in followers {
        while let Some(change) = watch.try_next().unwrap() {
            apply(&mut state, &change);
        }
        assert_eq!(watch.position(), revision);
        assert_eq!(state, end);
    }
}

/// Follows a change.
pub(super) fn apply(state: &mut Contents, change: &Change) {
    for key in &change.deletes {
        state.remove(&**key).expect("only existing keys are deleted");
    }
    for record in &change.puts {
        assert_eq!(record.revision, change.revision);
        state.insert(record.key.to_string(), (record.value.clone(), record.revision));
    }
}
