//! Races of deleters with makers: whoever deletes a parent and whoever makes what that deletion must not
//! leave behind cannot both win. All contenders decide on one snapshot and commit at once.
//!
//! A child is part of its parent's record, or a key under a prefix of the parent's, or both at once: part
//! of one parent's record and a link under the other's prefix.

use super::{Commit, Dice, Store, at_once, commit, exists, happens, keys, load};
use crate::Guard;

/// Rounds that each race runs at least.
const ROUNDS_MIN: usize = 40;
/// Rounds after which a race in which one side never won is called no race.
const ROUNDS_MAX: usize = 2_000;
/// Contenders beside the deleter.
const MAKERS: usize = 3;

const PARENT: &str = "/parent/";
const OTHER: &str = "/other-parent/";
const CHILD: &str = "/child/";
const LINK: &str = "/link/";

/// The children are in the parent's record, so each maker rewrites it: exactly one contender wins.
pub fn parent_delete_against_children_in_its_record(store: &dyn Store) {
    record_against_its_writers(store, &|_| None);
}

/// The children are in the parent's record, and links elsewhere say so.
pub fn parent_delete_against_children_in_its_record_with_links(store: &dyn Store) {
    record_against_its_writers(store, &|n| Some(format!("{LINK}{n}")));
}

/// The children are keys under a prefix: the deleter guards that they are quiet, a maker that the
/// parent is unchanged. Either the deleter wins or every maker does.
pub fn parent_delete_against_links_under_it(store: &dyn Store) {
    let mut seen = Outcomes::default();
    seen.run("the delete", "the makers", |round, dice| {
        let parent = format!("{PARENT}{round}");
        let links = format!("{LINK}{round}/");
        let other = |n: usize| format!("{OTHER}{round}.{n}");
        let setup = (0..MAKERS).fold(Commit::new().put(&parent, ""), |c, n| c.put(other(n), ""));
        let since = commit(store, setup);
        let delete = Commit::new()
            .guard(Guard::unchanged(&parent, since))
            .guard(Guard::prefix_quiet(&links, since))
            .delete(&parent);
        let make = |n: usize| {
            Commit::new()
                .guard(Guard::unchanged(&parent, since))
                .guard(Guard::unchanged(other(n), since))
                .guard(Guard::absent(format!("{links}{n}")))
                .put(format!("{links}{n}"), "")
                .put(other(n), "linked")
        };
        let commits = std::iter::once(delete).chain((0..MAKERS).map(make)).collect();
        let won = shuffled(dice, commits).race(store);
        assert!(won[1..].iter().all(|maker| *maker != won[0]), "round {round}: {won:?}");
        assert_eq!(exists(store, &parent), !won[0]);
        assert_eq!(keys(store, &links).len(), if won[0] { 0 } else { MAKERS });
        won[0]
    });
}

/// A link must not outlive either of its parents.
pub fn deletes_of_both_parents_against_a_link_between_them(store: &dyn Store) {
    let mut seen = Outcomes::default();
    seen.run("a delete", "the new link", |round, dice| {
        let (parent, other) = (format!("{PARENT}{round}"), format!("{OTHER}{round}"));
        let since = commit(store, Commit::new().put(&parent, "").put(&other, ""));
        let links = format!("{LINK}{round}/");
        let link = format!("{links}{round}");
        let delete_parent = Commit::new()
            .guard(Guard::unchanged(&parent, since))
            .guard(Guard::prefix_quiet(&links, since))
            .delete(&parent);
        let delete_other = Commit::new().guard(Guard::unchanged(&other, since)).delete(&other);
        let make = Commit::new()
            .guard(Guard::unchanged(&other, since))
            .guard(Guard::unchanged(&parent, since))
            .put(&other, "linked")
            .put(&link, "");
        let won = shuffled(dice, vec![delete_parent, delete_other, make]).race(store);
        assert_eq!(exists(store, &link), won[2], "the link is there if its maker won");
        assert_eq!(exists(store, &parent) && exists(store, &other), won[2], "and then both parents are");
        assert_eq!(won[0], won[1], "either the two deletes win or the new link does");
        assert_ne!(won[0], won[2]);
        won[0]
    });
}

/// Both rewrite the parent's record: a child that has become its first cannot go.
pub fn child_delete_against_its_promotion(store: &dyn Store) {
    let mut seen = Outcomes::default();
    seen.run("the delete", "the promotion", |round, _| {
        let key = format!("{PARENT}{round}");
        let since = commit(store, Commit::new().put(&key, "children 1 2, first 1"));
        let write = |value: &'static str| Commit::new().guard(Guard::unchanged(&key, since)).put(&key, value);
        let won = race(store, vec![write("children 1, first 1"), write("children 1 2, first 2")]);
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        won[0]
    });
}

/// Of many that make one key exactly one wins, and its record is the one that stays.
pub fn many_makers_of_one_key(store: &dyn Store) {
    for round in 0..ROUNDS_MIN {
        let key = format!("{PARENT}{round}");
        let make = |n: usize| Commit::new().guard(Guard::absent(&key)).put(&key, n.to_string());
        let won = race(store, (0..8).map(make).collect());
        let winners: Vec<_> = (0..8).filter(|n| won[*n]).collect();
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        assert_eq!(load(store, &key).1[0].value, winners[0].to_string());
    }
}

/// Each contender reads, counts, writes and tries again on a conflict: the quota is met exactly.
pub fn the_last_child_of_a_quota(store: &dyn Store) {
    const QUOTA: usize = 2;
    for round in 0..ROUNDS_MIN {
        let parent = format!("{PARENT}{round}");
        commit(store, Commit::new().put(&parent, ""));
        let make = |n: usize| {
            let parent = &parent;
            move || loop {
                let (since, records) = load(store, parent);
                let children = std::str::from_utf8(&records[0].value).unwrap().to_owned();
                if children.split_whitespace().count() >= QUOTA {
                    return false;
                }
                let make = Commit::new()
                    .guard(Guard::unchanged(parent, since))
                    .put(parent, format!("{children} {n}"))
                    .put(format!("{CHILD}{round}/{n}"), "");
                if happens(store, make) {
                    return true;
                }
            }
        };
        let won = at_once((0..6).map(|n| Box::new(make(n)) as Box<dyn FnOnce() -> bool + Send>).collect());
        assert_eq!(won.iter().filter(|won| **won).count(), QUOTA);
        assert_eq!(keys(store, &format!("{CHILD}{round}/")).len(), QUOTA);
    }
}

fn record_against_its_writers(store: &dyn Store, link: &dyn Fn(String) -> Option<String>) {
    let mut seen = Outcomes::default();
    seen.run("the delete", "a writer", |round, dice| {
        let record = format!("{PARENT}{round}");
        let since = commit(store, Commit::new().put(&record, ""));
        let delete = Commit::new().guard(Guard::unchanged(&record, since)).delete(&record);
        let link = |n: usize| link(format!("{round}.{n}"));
        let write = |n: usize| {
            let write = Commit::new().guard(Guard::unchanged(&record, since)).put(&record, n.to_string());
            match link(n) {
                Some(link) => write.guard(Guard::absent(&link)).put(link, ""),
                None => write,
            }
        };
        let commits = std::iter::once(delete).chain((0..MAKERS).map(write)).collect();
        let won = shuffled(dice, commits).race(store);
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "round {round}: {won:?}");
        assert_eq!(exists(store, &record), !won[0]);
        for (n, won) in won[1..].iter().enumerate() {
            if let Some(link) = link(n) {
                assert_eq!(exists(store, &link), *won, "the link is there if its maker won");
            }
        }
        won[0]
    });
}

/// Counts who won, so that a race that one side cannot win is noticed.
#[derive(Default)]
struct Outcomes {
    first: usize,
    second: usize,
}

impl Outcomes {
    /// Runs rounds until both sides have won; a round answers whether the first did.
    fn run(&mut self, first: &str, second: &str, mut round: impl FnMut(usize, &mut Dice) -> bool) {
        let mut dice = Dice::new(7);
        for n in 0..ROUNDS_MAX {
            if round(n, &mut dice) {
                self.first += 1;
            } else {
                self.second += 1;
            }
            if n + 1 >= ROUNDS_MIN && self.first > 0 && self.second > 0 {
                return;
            }
        }
        panic!("no race: {first} won {} times, {second} {}", self.first, self.second);
    }
}

/// Contenders in the order in which their threads start, each with its place in the answer.
struct Contenders(Vec<(usize, Commit)>);

fn shuffled(dice: &mut Dice, commits: Vec<Commit>) -> Contenders {
    let mut order: Vec<_> = commits.into_iter().enumerate().collect();
    dice.shuffle(&mut order);
    Contenders(order)
}

impl Contenders {
    /// Who won, in the order before shuffling.
    fn race(self, store: &dyn Store) -> Vec<bool> {
        let (places, commits): (Vec<_>, Vec<_>) = self.0.into_iter().unzip();
        let mut won: Vec<_> = places.into_iter().zip(race(store, commits)).collect();
        won.sort_unstable();
        won.into_iter().map(|(_, won)| won).collect()
    }
}

/// Commits all at once; who won?
fn race(store: &dyn Store, commits: Vec<Commit>) -> Vec<bool> {
    let work = |commit| Box::new(move || happens(store, commit)) as Box<dyn FnOnce() -> bool + Send>;
    at_once(commits.into_iter().map(work).collect())
}
