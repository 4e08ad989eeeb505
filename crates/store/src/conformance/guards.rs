//! Each guard, both outcomes.

use super::{Commit, Store, commit, exists, happens, keys, wait};
use crate::{Guard, Revision};

/// See its name.
pub fn unchanged_holds_until_the_key_is_put_again(store: &dyn Store) {
    let first = commit(store, Commit::new().put("a", "1").put("b", "1"));
    let other = commit(store, Commit::new().put("b", "2"));
    let guarded = |since| Commit::new().guard(Guard::unchanged("a", since)).put("c", "");
    assert!(happens(store, guarded(first)), "put at `since` itself");
    assert!(happens(store, guarded(other)), "put before `since`");
    let again = commit(store, Commit::new().put("a", "1"));
    assert!(!happens(store, guarded(other)), "put after `since`, even with the same bytes");
    assert!(happens(store, guarded(again)));
}

/// See its name.
pub fn unchanged_fails_for_a_key_that_is_gone_or_never_was(store: &dyn Store) {
    commit(store, Commit::new().put("a", "1"));
    let gone = commit(store, Commit::new().delete("a"));
    for key in ["a", "never"] {
        assert!(!happens(store, Commit::new().guard(Guard::unchanged(key, gone)).put("c", "")), "{key}");
    }
    assert!(!exists(store, "c"));
}

/// A name that is made again is another entity: what was decided about the old one must not count.
pub fn unchanged_notices_a_key_that_was_deleted_and_made_again(store: &dyn Store) {
    let seen = commit(store, Commit::new().put("a", "1"));
    commit(store, Commit::new().delete("a"));
    commit(store, Commit::new().put("a", "1"));
    assert!(!happens(store, Commit::new().guard(Guard::unchanged("a", seen)).put("c", "")));
}

/// See its name.
pub fn absent_holds_only_while_the_key_does_not_exist(store: &dyn Store) {
    let make = || Commit::new().guard(Guard::absent("a")).put("a", "1");
    assert!(happens(store, make()));
    assert!(!happens(store, make()));
    commit(store, Commit::new().delete("a"));
    assert!(happens(store, make()));
    assert!(happens(store, Commit::new().guard(Guard::absent("a/b")).put("c", "")), "a key is no prefix");
}

/// See its name.
pub fn prefix_quiet_notices_a_new_key_and_a_changed_one(store: &dyn Store) {
    let seen = commit(store, Commit::new().put("p/1", "").put("p", ""));
    let quiet = |since| Commit::new().guard(Guard::prefix_quiet("p/", since)).put("c", "");
    assert!(happens(store, quiet(seen)));
    let changed = commit(store, Commit::new().put("p/1", "x"));
    assert!(!happens(store, quiet(seen)), "a key under it changed");
    assert!(happens(store, quiet(changed)));
    commit(store, Commit::new().put("p/2", ""));
    assert!(!happens(store, quiet(changed)), "a key under it is new");
    assert!(!happens(store, quiet(Revision::ZERO)), "since the beginning: nothing may exist");
}

/// See its name.
pub fn prefix_quiet_ignores_old_keys_other_prefixes_and_deleted_keys(store: &dyn Store) {
    let seen = commit(store, Commit::new().put("p/1", "").put("p_/1", ""));
    commit(store, Commit::new().put("p", "").put("p_/2", "").put("q/1", "").put("P/1", "").put("pp/1", ""));
    commit(store, Commit::new().put("p/2", ""));
    commit(store, Commit::new().delete("p/2").delete("p/1"));
    assert!(happens(store, Commit::new().guard(Guard::prefix_quiet("p/", seen)).put("c", "")));
    assert!(happens(store, Commit::new().guard(Guard::prefix_quiet("none/", Revision::ZERO)).put("c", "")));
    assert!(!happens(store, Commit::new().guard(Guard::prefix_quiet("", seen)).put("d", "")), "\"\" is all");
}

/// See its name.
pub fn all_guards_must_hold(store: &dyn Store) {
    let seen = commit(store, Commit::new().put("a", "").put("p/1", ""));
    let good = [Guard::unchanged("a", seen), Guard::absent("x"), Guard::prefix_quiet("p/", seen)];
    let bad = [Guard::unchanged("x", seen), Guard::absent("a"), Guard::prefix_quiet("p/", Revision::ZERO)];
    let with = |guards: &[Guard]| Commit { guards: guards.to_vec(), ..Commit::new().put("c", "") };
    assert!(happens(store, with(&good)));
    for wrong in 0..3 {
        let mut guards = good.clone();
        guards[wrong] = bad[wrong].clone();
        assert!(!happens(store, with(&guards)), "guard {wrong}");
    }
}

/// See its name.
pub fn guards_alone_are_checked_too(store: &dyn Store) {
    let seen = commit(store, Commit::new().put("a", ""));
    assert!(happens(store, Commit::new().guard(Guard::unchanged("a", seen))));
    assert!(!happens(store, Commit::new().guard(Guard::absent("a"))));
    assert_eq!(wait(store.current()), Ok(seen));
}

/// See its name.
pub fn guards_see_the_store_before_their_own_commit(store: &dyn Store) {
    let seen = commit(store, Commit::new().put("p/1", ""));
    let replace = Commit::new()
        .guard(Guard::absent("p/2"))
        .guard(Guard::prefix_quiet("p/", seen))
        .guard(Guard::unchanged("p/1", seen))
        .put("p/2", "")
        .delete("p/1");
    assert!(happens(store, replace));
    assert_eq!(keys(store, "p/"), ["p/2"]);
}
