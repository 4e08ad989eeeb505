//! The entries of all providers that were asked for, by provider alone: bounded by what they weigh, in all and for each account,
//! so that nobody can push out another account's.

use std::collections::hash_map::Entry as Slot;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use super::entry::Entry;
use super::source::{Party, Source};

/// What is kept of one account's providers, in bytes: of a hundred with honest key sets, a third of it.
const BYTES_OF_PARTY_MAX: usize = 2 * 1024 * 1024;
/// What is kept of all, in bytes.
const BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Shelf {
    bounds: Bounds,
    boards: RwLock<Boards>,
}

/// In bytes.
struct Bounds {
    of_party: usize,
    all: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { of_party: BYTES_OF_PARTY_MAX, all: BYTES_MAX }
    }
}

#[derive(Default)]
struct Boards {
    of: HashMap<Party, Board>,
    /// Renewals that were begun.
    renewals: u64,
}

/// One account's.
#[derive(Default)]
struct Board {
    entries: HashMap<String, (Arc<Entry>, usize)>,
    bytes: usize,
    /// Whether one of them is being renewed.
    is_renewing: bool,
    /// Which renewal was its last.
    renewed: u64,
}

/// The one renewal of its account, until it is dropped.
pub(super) struct Renewal<'s> {
    shelf: &'s Shelf,
    pub(super) party: Party,
    pub(super) entry: Arc<Entry>,
}

impl Shelf {
    /// The provider's entry, used now.
    pub(super) fn entry(&self, source: &Source, now: i64) -> Arc<Entry> {
        let found = {
            let boards = self.boards.read().unwrap_or_else(PoisonError::into_inner);
            let board = boards.of.get(&source.account);
            board.and_then(|board| board.entries.get(&source.provider)).map(|(entry, _)| entry.clone())
        };
        let entry = found.unwrap_or_else(|| {
            let entry = self.boards().add(source, now);
            self.weigh(&entry);
            entry
        });
        entry.uses(source, now);
        entry
    }

    /// Count what an entry takes by now, and make room.
    pub(super) fn weigh(&self, entry: &Arc<Entry>) {
        let source = entry.source();
        let boards = &mut *self.boards();
        let Some(board) = boards.of.get_mut(&source.account) else { return };
        let kept = board.entries.get_mut(&source.provider).filter(|(kept, _)| Arc::ptr_eq(kept, entry));
        let Some((_, bytes)) = kept else { return };
        let before = std::mem::replace(bytes, entry.bytes());
        board.bytes = board.bytes.saturating_sub(before).saturating_add(*bytes);
        while board.bytes > self.bounds.of_party && board.drop_oldest(entry) {}
        while boards.bytes() > self.bounds.all && boards.drop_of_heaviest(entry) {}
    }

    /// Keep only what this says is to be kept.
    pub(super) fn retain(&self, mut is_kept: impl FnMut(&Entry) -> bool) {
        let gone: Vec<Arc<Entry>> = self.all().into_iter().filter(|entry| !is_kept(entry)).collect();
        if gone.is_empty() {
            return;
        }
        let boards = &mut *self.boards();
        for entry in gone {
            let source = entry.source();
            if let Some(board) = boards.of.get_mut(&source.account) {
                board.remove(&source.provider);
            }
        }
        boards.of.retain(|_, board| board.is_renewing || !board.entries.is_empty());
    }

    pub(super) fn all(&self) -> Vec<Arc<Entry>> {
        let boards = self.boards.read().unwrap_or_else(PoisonError::into_inner);
        boards.of.values().flat_map(|board| board.entries.values()).map(|(entry, _)| entry.clone()).collect()
    }

    /// Begin a renewal that is due: of the account whose last was longest ago and that has none under way, the one that is
    /// most overdue. So an account whose providers are slow waits for itself.
    pub(super) fn renewal(&self, now: i64, but: &HashSet<Party>) -> Option<Renewal<'_>> {
        let boards = &mut *self.boards();
        let waiting = boards.of.iter().filter(|(party, board)| !board.is_renewing && !but.contains(party));
        let most_overdue = |(party, board): (&Party, &Board)| {
            let due = board.entries.values().filter_map(|(entry, _)| Some((entry.due(now)?, entry)));
            let (_, entry) = due.min_by_key(|(since, _)| *since)?;
            Some((board.renewed, *party, entry.clone()))
        };
        let (_, party, entry) = waiting.filter_map(most_overdue).min_by_key(|(renewed, ..)| *renewed)?;
        boards.renewals += 1;
        let board = boards.of.get_mut(&party)?;
        (board.is_renewing, board.renewed) = (true, boards.renewals);
        Some(Renewal { shelf: self, party, entry })
    }

    fn boards(&self) -> RwLockWriteGuard<'_, Boards> {
        self.boards.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Renewal<'_> {
    fn drop(&mut self) {
        if let Some(board) = self.shelf.boards().of.get_mut(&self.party) {
            board.is_renewing = false;
        }
    }
}

impl Boards {
    fn add(&mut self, source: &Source, now: i64) -> Arc<Entry> {
        let board = self.of.entry(source.account).or_default();
        match board.entries.entry(source.provider.clone()) {
            Slot::Occupied(found) => found.get().0.clone(),
            Slot::Vacant(free) => free.insert((Arc::new(Entry::new(source.clone(), now)), 0)).0.clone(),
        }
    }

    fn bytes(&self) -> usize {
        self.of.values().map(|board| board.bytes).sum()
    }

    fn drop_of_heaviest(&mut self, but: &Arc<Entry>) -> bool {
        let heaviest = self.of.values_mut().max_by_key(|board| board.bytes);
        heaviest.is_some_and(|board| board.drop_oldest(but))
    }
}

impl Board {
    /// Let go of what was used longest ago, but for this one and what is being fetched. Whether there was any.
    fn drop_oldest(&mut self, but: &Arc<Entry>) -> bool {
        let entries = self.entries.iter().map(|(provider, (entry, _))| (provider, entry));
        let idle = entries.filter(|(_, entry)| !Arc::ptr_eq(entry, but) && entry.turn.try_lock().is_ok());
        let oldest = idle.min_by_key(|(_, entry)| entry.used_at()).map(|(provider, _)| provider.clone());
        oldest.is_some_and(|provider| self.remove(&provider))
    }

    fn remove(&mut self, provider: &str) -> bool {
        let removed = self.entries.remove(provider);
        let (is_removed, bytes) = removed.map_or((false, 0), |(_, bytes)| (true, bytes));
        self.bytes = self.bytes.saturating_sub(bytes);
        is_removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(account: u32, n: usize) -> Source {
        let provider = format!("{account}-{n:03}");
        Source {
            account: Some(format!("{account:012}").parse().unwrap()),
            name: provider.clone(),
            issuer: provider.clone(),
            discovery_url: provider.clone(),
            thumbprints: Vec::new(),
            insecure: false,
            provider,
        }
    }

    /// What is left of an account's.
    fn of(shelf: &Shelf, account: u32) -> Vec<String> {
        let prefix = format!("{account}-");
        let all = shelf.all().into_iter().map(|entry| entry.source().provider.clone());
        let mut found: Vec<String> = all.filter(|provider| provider.starts_with(&prefix)).collect();
        found.sort();
        found
    }

    #[test]
    fn an_account_keeps_what_it_used_last_and_whoever_keeps_most_makes_room_for_all() {
        let one = Entry::new(source(1, 0), 0).bytes();
        let shelf = Shelf { bounds: Bounds { of_party: 10 * one, all: 20 * one }, ..Shelf::default() };
        for account in [2, 3] {
            for n in 0..4 {
                shelf.entry(&source(account, n), 0);
            }
        }
        let fetching = shelf.entry(&source(1, 0), 0);
        let turn = fetching.turn.try_lock().unwrap();
        for n in 1..100 {
            shelf.entry(&source(1, n), i64::try_from(n).unwrap());
        }
        let mut expected: Vec<String> = (91..100).map(|n| format!("1-{n:03}")).collect();
        expected.insert(0, "1-000".into());
        assert_eq!(of(&shelf, 1), expected, "the newest, and the one that is being fetched");
        drop(turn);
        assert_eq!([of(&shelf, 2).len(), of(&shelf, 3).len()], [4, 4]);
        for n in 0..4 {
            shelf.entry(&source(4, n), 0);
        }
        assert_eq!([1, 2, 3, 4].map(|account| of(&shelf, account).len()), [8, 4, 4, 4]);
        for n in 0..100 {
            shelf.entry(&source(5, n), 0);
        }
        assert_eq!([1, 2, 3, 4, 5].map(|account| of(&shelf, account).len()), [4, 4, 4, 4, 4]);
    }
}
