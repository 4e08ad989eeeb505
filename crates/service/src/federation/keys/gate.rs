//! How many fetches go on at once, and how many calls wait for one: bounded in all, and for each account, so that one account's
//! slow providers leave room for another's.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::source::Party;

/// Fetches at once of one account's providers.
const FETCHES_OF_PARTY_MAX: usize = 4;
/// Calls that wait at once for fetches of one account's providers.
const WAITING_OF_PARTY_MAX: usize = 1000;

/// What a fetch takes up, given back once nothing goes on any more that was begun for it: whoever fetches keeps a clone
/// with everything that could outlast the fetch.
#[derive(Clone)]
pub struct Place {
    _held: Arc<dyn Any + Send + Sync>,
}

impl Place {
    /// One that holds this for as long as it is needed.
    #[must_use]
    pub fn holding(held: Arc<dyn Any + Send + Sync>) -> Self {
        Self { _held: held }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Place")
    }
}

/// Counts who fetches and who waits.
pub(super) struct Gate {
    fetches_max: usize,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Default)]
struct Counts {
    fetches: usize,
    of: HashMap<(What, Party), usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Fetch,
    Wait,
    /// About an access token.
    Ask,
}

/// Counted until it is dropped.
pub(super) struct Counted {
    what: What,
    party: Party,
    counts: Arc<Mutex<Counts>>,
}

impl Gate {
    pub(super) fn new(fetches_max: usize) -> Self {
        Self { fetches_max, counts: Arc::default() }
    }

    /// Room for a fetch.
    pub(super) fn fetch(&self, party: Party) -> Option<Place> {
        self.place(What::Fetch, party, FETCHES_OF_PARTY_MAX)
    }

    /// Room to ask about an access token, whoever's it is: of so many at once.
    pub(super) fn ask(&self, max: usize) -> Option<Place> {
        self.place(What::Ask, None, max)
    }

    /// Room to wait for a fetch.
    pub(super) fn wait(&self, party: Party) -> Option<Counted> {
        lock(&self.counts).begin(What::Wait, party, WAITING_OF_PARTY_MAX)?;
        Some(self.counted(What::Wait, party))
    }

    fn place(&self, what: What, party: Party, max: usize) -> Option<Place> {
        let mut counts = lock(&self.counts);
        if counts.fetches >= self.fetches_max {
            return None;
        }
        counts.begin(what, party, max)?;
        counts.fetches += 1;
        Some(Place::holding(Arc::new(self.counted(what, party))))
    }

    fn counted(&self, what: What, party: Party) -> Counted {
        Counted { what, party, counts: self.counts.clone() }
    }
}

impl Counts {
    fn begin(&mut self, what: What, party: Party, max: usize) -> Option<()> {
        let count = self.of.entry((what, party)).or_default();
        (*count < max).then(|| *count += 1)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        if matches!(self.what, What::Fetch | What::Ask) {
            counts.fetches = counts.fetches.saturating_sub(1);
        }
        let key = (self.what, self.party);
        let left = counts.of.get(&key).map_or(0, |count| count.saturating_sub(1));
        match left {
            0 => counts.of.remove(&key),
            _ => counts.of.insert(key, left),
        };
    }
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_has_four_places_and_all_together_as_many_as_there_are() {
        let gate = Gate::new(6);
        let parties: Vec<Party> =
            ["111122223333", "444455556666"].iter().map(|id| Some(id.parse().unwrap())).collect();
        let mut held: Vec<Place> = (0..4).map(|_| gate.fetch(parties[0]).unwrap()).collect();
        assert!(gate.fetch(parties[0]).is_none());
        held.push(gate.fetch(parties[1]).unwrap());
        held.push(gate.fetch(None).unwrap());
        assert!(gate.fetch(None).is_none(), "six in all");
        let outlasts = held[0].clone();
        drop(held.remove(0));
        assert!(gate.fetch(None).is_none(), "something goes on that was begun for it");
        drop(outlasts);
        held.push(gate.fetch(parties[0]).unwrap());
        drop(held);
        assert!(lock(&gate.counts).of.is_empty());
    }

    #[test]
    fn so_many_calls_wait_for_one_account() {
        let gate = Gate::new(1);
        let waiting: Vec<Counted> = (0..WAITING_OF_PARTY_MAX).map(|_| gate.wait(None).unwrap()).collect();
        assert!(gate.wait(None).is_none());
        assert!(gate.wait(Some("111122223333".parse().unwrap())).is_some());
        drop(waiting);
        assert!(gate.wait(None).is_some());
    }
}
