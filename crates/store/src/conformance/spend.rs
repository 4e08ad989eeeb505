//! Facts that can be spent once: codes, assertion ids, one-time tokens. Times are Unix seconds.

use super::{Commit, Store, at_once, commit, load, wait};
use crate::record::KEY_BYTES_MAX;
use crate::{CommitError, Invalid, Revision, SPENT_KEPT_SECONDS, Spent};

fn spend(store: &dyn Store, fact: &str, expires_at: i64, now: i64) -> Spent {
    wait(store.spend(fact, expires_at, now)).expect("the spending succeeds")
}

/// See its name.
pub fn a_fact_is_spent_first_exactly_once(store: &dyn Store) {
    assert_eq!(spend(store, "totp/AIDA/58000000", 190, 100), Spent::First);
    assert_eq!(spend(store, "totp/AIDA/58000000", 190, 100), Spent::Already);
    assert_eq!(spend(store, "totp/AIDA/58000000", 500, 189), Spent::Already, "a later expiry does not help");
    assert_eq!(spend(store, "totp/AIDA/58000001", 190, 100), Spent::First);
    assert_eq!(spend(store, "totp/AIDA/5800000", 190, 100), Spent::First, "a fact is no prefix");
}

/// See its name.
pub fn facts_are_apart_from_records_revisions_and_the_watch(store: &dyn Store) {
    let stands = commit(store, Commit::new().put("a", "1"));
    assert_eq!(spend(store, "a", 190, 100), Spent::First);
    assert_eq!(wait(store.current()), Ok(stands));
    assert_eq!(load(store, "").1.len(), 1);
    assert_eq!(store.watch(stands).unwrap().try_next(), Ok(None));
    let next = commit(store, Commit::new().delete("a"));
    assert_eq!(spend(store, "a", 190, 100), Spent::Already, "deleting the key of the same name is no matter");
    assert_eq!(next, Revision::new(2));
}

/// See its name.
pub fn an_expired_fact_is_never_first(store: &dyn Store) {
    assert_eq!(spend(store, "late", 100, 100), Spent::Already);
    assert_eq!(spend(store, "later", 100, 101), Spent::Already);
    assert_eq!(spend(store, "in time", 100, 99), Spent::First);
    assert_eq!(spend(store, "before the epoch", -5, -10), Spent::First);
}

/// See its name.
pub fn after_its_expiry_the_same_text_may_be_spent_anew(store: &dyn Store) {
    assert_eq!(spend(store, "lock/AIDA", 200, 100), Spent::First);
    assert_eq!(spend(store, "lock/AIDA", 300, 199), Spent::Already);
    assert_eq!(spend(store, "lock/AIDA", 300, 200), Spent::First);
    assert_eq!(spend(store, "lock/AIDA", 300, 201), Spent::Already);
}

/// A clock jumps ahead, facts expire and are forgotten, the clock is set right: still spent. Many, so
/// that a store which forgets a few at a time has to come to it.
pub fn a_clock_that_ran_ahead_makes_no_spent_fact_spendable(store: &dyn Store) {
    let fact = |n: i64| format!("assertion/{n}");
    for n in 0..100 {
        assert_eq!(spend(store, &fact(n), 1_000 + n, 100), Spent::First);
    }
    for n in 0..10 {
        assert_eq!(spend(store, &format!("ahead/{n}"), 1_000_000, 900_000), Spent::First);
    }
    for n in 0..100 {
        assert_eq!(spend(store, &fact(n), 1_000 + n, 101), Spent::Already, "{n}");
    }
    assert_eq!(spend(store, "new", 2_000, 101), Spent::First, "the store goes on");
}

/// What is spent while a clock is ahead for some hours keeps nothing out when it is set right, and nothing of before is forgotten.
pub fn a_clock_that_ran_ahead_for_hours_keeps_nothing_out(store: &dyn Store) {
    let (now, ahead) = (100, SPENT_KEPT_SECONDS / 2);
    assert_eq!(spend(store, "before", now + 600, now), Spent::First);
    for n in (0..ahead - 60).step_by(60) {
        let then = now + ahead + n;
        assert_eq!(spend(store, &format!("ahead/{n}"), then + 120, then), Spent::First);
    }
    assert_eq!(spend(store, "before", now + 600, now + 1), Spent::Already);
    for n in 0..100 {
        assert_eq!(spend(store, &format!("after/{n}"), now + 121, now + 1), Spent::First, "{n}");
    }
}

/// See its name.
pub fn facts_out_of_bounds_are_refused(store: &dyn Store) {
    let refused = |fact: &str, why| {
        assert_eq!(wait(store.spend(fact, 200, 100)), Err(CommitError::Invalid(why)));
    };
    refused("", Invalid::KeyEmpty);
    refused("a\0", Invalid::KeyControl);
    refused(&"f".repeat(KEY_BYTES_MAX + 1), Invalid::KeyTooLong(KEY_BYTES_MAX + 1));
    assert_eq!(spend(store, &"f".repeat(KEY_BYTES_MAX), 200, 100), Spent::First);
}

/// See its name.
pub fn of_many_spenders_exactly_one_is_first(store: &dyn Store) {
    for round in 0..40 {
        let fact = format!("code/{round}");
        let spender = || {
            let fact = &fact;
            Box::new(move || spend(store, fact, 200, 100)) as Box<dyn FnOnce() -> Spent + Send>
        };
        let answers = at_once((0..8).map(|_| spender()).collect());
        assert_eq!(answers.iter().filter(|spent| **spent == Spent::First).count(), 1, "round {round}");
    }
}
