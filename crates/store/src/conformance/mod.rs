//! The suite that every backend passes: each promise of [`Store`] as one case, races included.
//! A backend's tests call [`conformance_tests!`](crate::conformance_tests) with a function that makes
//! an empty [`Subject`]. A case fails by panicking, as tests do.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test suite: it fails by panicking"
)]

pub mod guards;
pub mod model;
pub mod promises;
pub mod races;
pub mod spend;
pub mod watch;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Barrier, LazyLock};

use bytes::Bytes;

use crate::{Commit, CommitError, Record, Revision, Store};

/// An empty store, and whatever must live as long (a directory, a server).
pub struct Subject {
    store: Arc<dyn Store>,
    _keep: Box<dyn Any>,
}

impl Subject {
    /// A store under test; `keep` is dropped after it.
    pub fn new(store: Arc<dyn Store>, keep: impl Any) -> Self {
        Self { store, _keep: Box::new(keep) }
    }
}

/// Runs one case on a new subject.
pub fn run(make: impl FnOnce() -> Subject, case: fn(&dyn Store)) {
    let subject = make();
    case(&*subject.store);
}

/// Waits for a future on the suite's runtime; callable from any thread outside of it.
pub fn wait<F: Future>(future: F) -> F::Output {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime for the suite")
    });
    RUNTIME.block_on(future)
}

/// Small, seeded, reproducible chance for tests (SplitMix64); never for secrets.
pub struct Dice(u64);

impl Dice {
    /// Dice that always roll the same for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bound = u64::try_from(bound).expect("a small bound");
        usize::try_from((z ^ (z >> 31)) % bound).expect("below a usize")
    }

    /// Puts `items` in a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// Commits that must succeed.
fn commit(store: &dyn Store, commit: Commit) -> Revision {
    wait(store.commit(commit)).expect("the commit succeeds")
}

/// Does the commit happen, or does a guard refuse it? Anything else fails the case.
fn happens(store: &dyn Store, commit: Commit) -> bool {
    match wait(store.commit(commit)) {
        Ok(_) => true,
        Err(CommitError::Conflict) => false,
        Err(other) => panic!("neither done nor a conflict: {other:?}"),
    }
}

fn load(store: &dyn Store, prefix: &str) -> (Revision, Vec<Record>) {
    wait(store.load(prefix)).expect("the load succeeds")
}

fn keys(store: &dyn Store, prefix: &str) -> Vec<String> {
    load(store, prefix).1.iter().map(|record| record.key.to_string()).collect()
}

fn exists(store: &dyn Store, key: &str) -> bool {
    keys(store, key).iter().any(|k| k == key)
}

/// A store's contents as a map.
type Contents = BTreeMap<String, (Bytes, Revision)>;

fn contents(records: Vec<Record>) -> Contents {
    records.into_iter().map(|r| (r.key.to_string(), (r.value, r.revision))).collect()
}

/// Runs every piece of work in a thread of its own, all let go at once; answers in the order given.
fn at_once<T: Send>(works: Vec<Box<dyn FnOnce() -> T + Send + '_>>) -> Vec<T> {
    let barrier = Barrier::new(works.len());
    std::thread::scope(|scope| {
        let threads: Vec<_> = works
            .into_iter()
            .map(|work| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    work()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no contender panics")).collect()
    })
}

/// Declares one `#[test]` for each case of the suite; the argument is a function that makes an empty
/// [`Subject`](crate::conformance::Subject).
#[macro_export]
macro_rules! conformance_tests {
    ($make:path) => {
        $crate::conformance_tests! { @cases $make;
            promises::{
                a_new_store_stands_at_revision_zero_and_holds_nothing,
                load_gives_what_was_committed_in_byte_order_of_the_keys,
                a_prefix_is_compared_byte_by_byte,
                a_put_replaces_value_and_revision_of_that_key_only,
                a_deleted_key_is_gone_and_may_come_back,
                every_commit_takes_the_next_revision_and_current_tells_it,
                a_commit_that_changes_nothing_takes_no_revision,
                a_refused_commit_leaves_no_trace,
                values_of_any_bytes_and_the_largest_size_survive,
                what_is_out_of_bounds_is_refused_and_what_is_just_within_is_not,
                a_loads_revision_covers_every_acknowledged_commit,
                after_settling_what_was_handed_over_is_in_the_watch,
            }
            guards::{
                unchanged_holds_until_the_key_is_put_again,
                unchanged_fails_for_a_key_that_is_gone_or_never_was,
                unchanged_notices_a_key_that_was_deleted_and_made_again,
                absent_holds_only_while_the_key_does_not_exist,
                prefix_quiet_notices_a_new_key_and_a_changed_one,
                prefix_quiet_ignores_old_keys_other_prefixes_and_deleted_keys,
                all_guards_must_hold,
                guards_alone_are_checked_too,
                guards_see_the_store_before_their_own_commit,
            }
            watch::{
                a_watch_gives_one_change_for_each_commit_in_order,
                a_watch_waits_for_the_next_commit,
                an_acknowledged_commit_is_in_the_watch_already,
                a_watch_may_begin_in_the_past,
                a_watch_from_a_revision_never_reached_is_refused,
                a_slow_watcher_is_told_to_load_again,
                a_load_and_a_watch_join_without_a_gap,
            }
            model::{
                random_commits_do_what_a_simple_model_does,
                concurrent_commits_are_one_sequence_in_which_every_guard_held,
            }
            races::{
                parent_delete_against_children_in_its_record,
                parent_delete_against_children_in_its_record_with_links,
                parent_delete_against_links_under_it,
                deletes_of_both_parents_against_a_link_between_them,
                child_delete_against_its_promotion,
                many_makers_of_one_key,
                the_last_child_of_a_quota,
            }
            spend::{
                a_fact_is_spent_first_exactly_once,
                facts_are_apart_from_records_revisions_and_the_watch,
                an_expired_fact_is_never_first,
                after_its_expiry_the_same_text_may_be_spent_anew,
                a_clock_that_ran_ahead_makes_no_spent_fact_spendable,
                a_clock_that_ran_ahead_for_hours_keeps_nothing_out,
                facts_out_of_bounds_are_refused,
                of_many_spenders_exactly_one_is_first,
            }
        }
    };
    (@cases $make:path; $($module:ident::{ $($case:ident,)+ })+) => {
        $($(
            #[test]
            fn $case() {
                $crate::conformance::run($make, $crate::conformance::$module::$case);
            }
        )+)+
    };
}
