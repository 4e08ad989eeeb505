//! The races that IAM's delete preconditions and quotas depend on: a deleter and whoever makes what
//! it must not leave behind cannot both win. All contenders decide on one snapshot and commit at once.
//! Preconditions: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html> and its
//! siblings. A user's record holds its keys and inline policies; links to it are keys of their own.

use super::{Commit, Dice, Store, at_once, commit, exists, happens, keys, load};
use crate::Guard;

/// Rounds that each race runs at least.
const ROUNDS_MIN: usize = 40;
/// Rounds after which a race in which one side never won is called no race.
const ROUNDS_MAX: usize = 2_000;
/// Contenders beside the deleter.
const MAKERS: usize = 3;

const USER: &str = "/111122223333/user/";
const GROUP: &str = "/111122223333/group/";
const ROLE: &str = "/111122223333/role/";
const POLICY: &str = "/111122223333/policy/";
const PROFILE: &str = "/111122223333/instance-profile/";
const MEMBER: &str = "/111122223333/member/";
const ATTACHED: &str = "/111122223333/attached/";
const BOUNDED: &str = "/111122223333/bounded/";
const HOLDS_ROLE: &str = "/111122223333/role-in-profile/";

/// The user's record holds the key, a pointer names its owner.
pub fn user_delete_against_create_access_key(store: &dyn Store) {
    record_against_its_writers(store, USER, &|n| Some(format!("/access-key/AKIA{n}")));
}

/// The attachment is part of the user's record and a link under the policy.
pub fn user_delete_against_attach_policy(store: &dyn Store) {
    record_against_its_writers(store, USER, &|n| Some(format!("{ATTACHED}P{n}/AIDA")));
}

/// The membership is part of the user's record and a link under the group.
pub fn user_delete_against_add_to_group(store: &dyn Store) {
    record_against_its_writers(store, USER, &|n| Some(format!("{MEMBER}G{n}/AIDA")));
}

/// Members are links only: a group may have very many.
pub fn group_delete_against_add_member(store: &dyn Store) {
    parent_against_child_makers(store, GROUP, MEMBER, USER);
}

/// See its name.
pub fn role_delete_against_attach_policy(store: &dyn Store) {
    record_against_its_writers(store, ROLE, &|n| Some(format!("{ATTACHED}P{n}/AROA")));
}

/// A role in a profile is a link under the role, made while the profile's record is written.
pub fn role_delete_against_add_to_instance_profile(store: &dyn Store) {
    parent_against_child_makers(store, ROLE, HOLDS_ROLE, PROFILE);
}

/// The profile's record names its one role.
pub fn instance_profile_delete_against_add_role(store: &dyn Store) {
    record_against_its_writers(store, PROFILE, &|n| Some(format!("{HOLDS_ROLE}R{n}/AIPA")));
}

/// See its name.
pub fn policy_delete_against_attach(store: &dyn Store) {
    parent_against_child_makers(store, POLICY, ATTACHED, ROLE);
}

/// See its name.
pub fn policy_delete_against_put_boundary(store: &dyn Store) {
    parent_against_child_makers(store, POLICY, BOUNDED, USER);
}

/// Versions are part of the policy's record.
pub fn policy_delete_against_create_version(store: &dyn Store) {
    record_against_its_writers(store, POLICY, &|_| None);
}

/// Both rewrite the policy's record: a version that has become the default cannot go.
pub fn version_delete_against_set_default(store: &dyn Store) {
    let mut seen = Outcomes::default();
    seen.run("the delete", "the set-default", |round, _| {
        let key = format!("{POLICY}ANPA{round}");
        let since = commit(store, Commit::new().put(&key, "versions 1 2, default 1"));
        let write = |value: &'static str| Commit::new().guard(Guard::unchanged(&key, since)).put(&key, value);
        let won = race(store, vec![write("versions 1, default 1"), write("versions 1 2, default 2")]);
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        won[0]
    });
}

/// A member link must not outlive either end.
pub fn group_delete_against_user_delete_against_add_member(store: &dyn Store) {
    let mut seen = Outcomes::default();
    seen.run("a delete", "the new member", |round, dice| {
        let (user, group) = (format!("{USER}U{round}"), format!("{GROUP}G{round}"));
        let since = commit(store, Commit::new().put(&user, "").put(&group, ""));
        let links = format!("{MEMBER}G{round}/");
        let link = format!("{links}U{round}");
        let delete_group = Commit::new()
            .guard(Guard::unchanged(&group, since))
            .guard(Guard::prefix_quiet(&links, since))
            .delete(&group);
        let delete_user = Commit::new().guard(Guard::unchanged(&user, since)).delete(&user);
        let add = Commit::new()
            .guard(Guard::unchanged(&user, since))
            .guard(Guard::unchanged(&group, since))
            .put(&user, "a member")
            .put(&link, "");
        let order = shuffled(dice, vec![delete_group, delete_user, add]);
        let won = order.race(store);
        assert_eq!(exists(store, &link), won[2], "the link is there if its maker won");
        assert_eq!(exists(store, &user) && exists(store, &group), won[2], "and then both ends are");
        assert_eq!(won[0], won[1], "either the two deletes win or the new member does");
        assert_ne!(won[0], won[2]);
        won[0]
    });
}

/// Of many creates of one name exactly one wins, and its record is the one that stays.
pub fn two_creates_of_one_name(store: &dyn Store) {
    for round in 0..ROUNDS_MIN {
        let key = format!("{USER}U{round}");
        let create = |n: usize| Commit::new().guard(Guard::absent(&key)).put(&key, n.to_string());
        let won = race(store, (0..8).map(create).collect());
        let winners: Vec<_> = (0..8).filter(|n| won[*n]).collect();
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        assert_eq!(load(store, &key).1[0].value, winners[0].to_string());
    }
}

/// Each contender reads, counts, writes and tries again on a conflict: the quota is met exactly.
pub fn the_last_key_of_a_quota(store: &dyn Store) {
    const QUOTA: usize = 2;
    for round in 0..ROUNDS_MIN {
        let user = format!("{USER}U{round}");
        commit(store, Commit::new().put(&user, ""));
        let create = |n: usize| {
            let user = &user;
            move || loop {
                let (since, records) = load(store, user);
                let keys = std::str::from_utf8(&records[0].value).unwrap().to_owned();
                if keys.split_whitespace().count() >= QUOTA {
                    return false;
                }
                let create = Commit::new()
                    .guard(Guard::unchanged(user, since))
                    .put(user, format!("{keys} AKIA{n}"))
                    .put(format!("/access-key/{round}/AKIA{n}"), "");
                if happens(store, create) {
                    return true;
                }
            }
        };
        let won = at_once((0..6).map(|n| Box::new(create(n)) as Box<dyn FnOnce() -> bool + Send>).collect());
        assert_eq!(won.iter().filter(|won| **won).count(), QUOTA);
        assert_eq!(keys(store, &format!("/access-key/{round}/")).len(), QUOTA);
    }
}

/// The children are keys under a prefix: the deleter guards that they are quiet, a maker that the
/// parent is unchanged. Either the deleter wins or every maker does.
fn parent_against_child_makers(store: &dyn Store, parents: &str, children: &str, others: &str) {
    let mut seen = Outcomes::default();
    seen.run("the delete", "the makers", |round, dice| {
        let parent = format!("{parents}X{round}");
        let links = format!("{children}X{round}/");
        let other = |n: usize| format!("{others}O{round}.{n}");
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

/// The children are in the parent's record, so each maker rewrites it: exactly one contender wins.
fn record_against_its_writers(store: &dyn Store, parents: &str, link: &dyn Fn(String) -> Option<String>) {
    let mut seen = Outcomes::default();
    seen.run("the delete", "a writer", |round, dice| {
        let record = format!("{parents}X{round}");
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
