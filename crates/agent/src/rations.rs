//! How often the server says no to those who ask by a token. Whoever guesses makes it say no, and its account's audit grow: of
//! that there is a ration for each task, one for each place, and one for all. Beyond it the agent refuses by itself.
//!
//! A pod that was given something before has a ration of its own, whatever others use up: its token is renewed now and then.
//! It is known by its unique id, which the server verified then. Who names that id without being the pod uses up that one.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::place::Place;
use crate::ration::Ration;

/// Refusals for one task, one address, one pod: so many, and then one more each so many seconds.
const OF_ONE: (u32, i64) = (10, 6);
/// Those for many whom nothing tells apart: the programs of this machine, and what may be one in an IPv6 network. Half of all.
const OF_MANY: (u32, i64) = (30, 2);
/// Those for all together.
const OF_ALL: (u32, i64) = (60, 1);
/// Pods that are known: as many as a node has, and more.
const PODS_MAX: usize = 256;

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) who: Who,
    pub(crate) place: Place,
}

/// Who it says it is, which nobody has verified.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    /// A task, by its id.
    Task(String),
    /// A pod, by its unique id, if its token has one.
    Pod(Option<String>),
}

/// Who has a ration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Sharer {
    Task(String),
    Pod(String),
    Place(Place),
    Network(IpAddr),
}

/// See the module.
pub(crate) struct Rations {
    all: Arc<Ration>,
    /// Those of which something is in use.
    each: Mutex<BTreeMap<Sharer, Arc<Ration>>>,
    /// Unique ids of pods that were given something, the latest last.
    pods: Mutex<VecDeque<String>>,
}

/// One of each ration.
pub(crate) struct Taken(Vec<Arc<Ration>>);

impl Default for Rations {
    fn default() -> Self {
        Self { all: ration(OF_ALL), each: Mutex::default(), pods: Mutex::default() }
    }
}

impl Rations {
    /// Take one of each ration that the asker has a part in, if there is one of each.
    pub(crate) fn take(&self, asker: &Asker, now: i64) -> Option<Taken> {
        if let Who::Pod(Some(uid)) = &asker.who
            && self.has_given(uid)
            && let Some(taken) = take(vec![self.of(Sharer::Pod(uid.clone()), now)], now)
        {
            return Some(taken);
        }
        let task = match &asker.who {
            Who::Task(task) => Some(Sharer::Task(task.clone())),
            Who::Pod(_) => None,
        };
        let network = asker.place.network().map(Sharer::Network);
        let sharers = task.into_iter().chain([Sharer::Place(asker.place)]).chain(network);
        let mut of_asker: Vec<_> = sharers.map(|sharer| self.of(sharer, now)).collect();
        of_asker.push(self.all.clone());
        take(of_asker, now)
    }

    /// The server gave something: what the asker said of itself is so.
    pub(crate) fn given(&self, asker: &Asker) {
        let Who::Pod(Some(uid)) = &asker.who else { return };
        let mut pods = self.pods.lock().unwrap_or_else(PoisonError::into_inner);
        pods.retain(|known| known != uid);
        pods.push_back(uid.clone());
        if pods.len() > PODS_MAX {
            pods.pop_front();
        }
    }

    fn has_given(&self, uid: &str) -> bool {
        self.pods.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|known| known == uid)
    }

    /// That of one. One of which nothing is in use is as good as none.
    fn of(&self, sharer: Sharer, now: i64) -> Arc<Ration> {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        // No more than those in all and of the pods that are known can be in use, so that this stays small.
        each.retain(|_, ration| !ration.is_full(now) || Arc::strong_count(ration) > 1);
        let size = match sharer {
            Sharer::Place(Place::Here) | Sharer::Network(_) => OF_MANY,
            Sharer::Task(_) | Sharer::Pod(_) | Sharer::Place(Place::At(_)) => OF_ONE,
        };
        each.entry(sharer).or_insert_with(|| ration(size)).clone()
    }
}

impl Taken {
    /// The server did not say no.
    pub(crate) fn put_back(self) {
        self.0.iter().for_each(|ration| ration.put_back());
    }
}

fn take(rations: Vec<Arc<Ration>>, now: i64) -> Option<Taken> {
    let mut taken = Taken(Vec::with_capacity(rations.len()));
    for ration in rations {
        if !ration.take(now) {
            taken.put_back();
            return None;
        }
        taken.0.push(ration);
    }
    Some(taken)
}

fn ration((size, every): (u32, i64)) -> Arc<Ration> {
    Arc::new(Ration::new(size, every))
}

#[cfg(test)]
mod tests {
    //! Whose refusals take whose ration.

    use super::*;

    fn at(text: &str) -> Place {
        Place::At(text.parse().unwrap())
    }

    fn pod(uid: &str, place: Place) -> Asker {
        Asker { who: Who::Pod(Some(uid.into())), place }
    }

    fn task(id: usize, place: Place) -> Asker {
        Asker { who: Who::Task(id.to_string()), place }
    }

    /// How many of so many refusals the server was asked for.
    fn refused(rations: &Rations, tries: usize, now: i64, asker: impl Fn(usize) -> Asker) -> usize {
        (0..tries).filter(|n| rations.take(&asker(*n), now).is_some()).count()
    }

    #[test]
    fn one_pod_takes_its_part_alone() {
        let rations = Rations::default();
        let forger = |n: usize| pod(&format!("forged-{n}"), at("10.0.0.2"));
        assert_eq!(refused(&rations, 500, 1000, forger), 10);
        for n in 3..8 {
            let honest = pod("other", at(&format!("10.0.0.{n}")));
            assert!(rations.take(&honest, 1000).is_some(), "{n}");
        }
        assert_eq!(refused(&rations, 500, 1060, forger), 10, "one in six seconds");
    }

    #[test]
    fn who_invents_tasks_takes_its_part_alone() {
        let rations = Rations::default();
        assert_eq!(refused(&rations, 500, 1000, |n| task(n, at("10.0.0.2"))), 10);
        assert_eq!(refused(&rations, 500, 1000, |_| task(1000, at("10.0.0.3"))), 10);
        // Programs of this machine leave something for others, and hear no more than half themselves.
        assert_eq!(refused(&rations, 500, 1000, |n| task(n + 2000, Place::Here)), 30);
        assert_eq!(refused(&rations, 500, 1000, |_| task(1001, at("10.0.0.4"))), 10);
        assert_eq!(refused(&rations, 500, 1000, |_| task(1002, at("10.0.0.5"))), 0, "sixty in all");
        assert!(rations.each.lock().unwrap().len() < 70, "{}", rations.each.lock().unwrap().len());
    }

    #[test]
    fn addresses_of_an_ipv6_network_take_half_of_all() {
        let rations = Rations::default();
        let many = |n: usize| pod("x", at(&format!("fd00::{n:x}")));
        assert_eq!(refused(&rations, 500, 1000, many), 30);
        assert!(rations.take(&pod("y", at("fd00:0:0:1::1")), 1000).is_some());
    }

    #[test]
    fn a_pod_that_was_given_something_is_not_kept_from_it_by_its_neighbours() {
        let rations = Rations::default();
        let nat = at("10.0.0.1");
        let known = pod("1f2e", nat);
        rations.given(&known);
        assert_eq!(refused(&rations, 500, 1000, |n| pod(&format!("forged-{n}"), nat)), 10);
        assert!(rations.take(&pod("new", nat), 1000).is_none());
        assert!(rations.take(&known, 1000).is_some());
        // Whoever names it uses up that one, and then its place's.
        assert_eq!(refused(&rations, 500, 1000, |_| known.clone()), 9);
        for n in 0..PODS_MAX {
            rations.given(&pod(&n.to_string(), nat));
        }
        assert!(!rations.has_given("1f2e") && rations.has_given("0"));
    }

    #[test]
    fn what_is_put_back_was_not_taken() {
        let rations = Rations::default();
        for n in 0..500 {
            rations.take(&task(n, at("10.0.0.2")), 1000).unwrap().put_back();
        }
    }
}
