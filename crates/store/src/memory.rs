//! The store in memory: for tests, and for servers that may forget. It keeps every promise but
//! durability, and can be told to fail as a real store would.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::error::{CommitError, StoreError};
use crate::feed::{Compacted, Feed, Watch};
use crate::guard::{Look, all_hold};
use crate::record::{Change, Commit, Record, Revision, SPENT_KEPT_SECONDS, Spent, check_key, check_prefix};
use crate::store::{BoxFuture, Store};

/// A failure that a [`MemoryStore`] plays until told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The store cannot be reached: everything but an existing watch fails.
    Away,
    /// No room: writes fail, reads go on.
    Full,
    /// Commits happen, but their answers get lost ([`CommitError::Unknown`]).
    AnswersLost,
    /// Commits wait for ever.
    Stuck,
}

/// See the module's head.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    feed: Arc<Feed>,
}

impl MemoryStore {
    /// An empty store at revision 0.
    #[must_use]
    pub fn new() -> Self {
        Self { state: Mutex::default(), feed: Feed::new(Revision::ZERO) }
    }

    /// A store with these records, at this revision.
    pub(crate) fn holding(revision: Revision, records: Vec<Record>) -> Self {
        let records = records.into_iter().map(|record| (record.key, (record.value, record.revision)));
        let state = State { records: records.collect(), revision, ..State::default() };
        Self { state: Mutex::new(state), feed: Feed::new(revision) }
    }

    /// Plays `fault` from now on; `None` heals.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    fn load_now(&self, prefix: &str) -> Result<(Revision, Vec<Record>), StoreError> {
        check_prefix(prefix)?;
        let state = self.state();
        state.reachable().map_err(StoreError::Unavailable)?;
        let records = state.under(prefix).map(|(key, (value, revision))| Record {
            key: Arc::clone(key),
            value: value.clone(),
            revision: *revision,
        });
        Ok((state.revision, records.collect()))
    }

    fn commit_now(&self, commit: Commit) -> Result<Revision, CommitError> {
        commit.validate()?;
        let mut state = self.state();
        state.writable()?;
        let Ok(holds) = all_hold(&commit.guards, &*state);
        if !holds {
            return Err(CommitError::Conflict);
        }
        if let Some(change) = state.apply(commit) {
            // Still under the lock, so that changes are published in order.
            self.feed.publish([change]);
        }
        state.answer(state.revision)
    }

    fn spend_now(&self, fact: &str, expires_at: i64, now: i64) -> Result<Spent, CommitError> {
        check_key(fact)?;
        let mut state = self.state();
        state.writable()?;
        let spent = state.spent.spend(fact, expires_at, now);
        state.answer(spent)
    }

    fn current_now(&self) -> Result<Revision, StoreError> {
        let state = self.state();
        state.reachable().map_err(StoreError::Unavailable)?;
        Ok(state.revision)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for MemoryStore {
    fn drop(&mut self) {
        self.feed.close();
    }
}

impl Store for MemoryStore {
    fn load(&self, prefix: &str) -> BoxFuture<'_, Result<(Revision, Vec<Record>), StoreError>> {
        let loaded = self.load_now(prefix);
        Box::pin(async { loaded })
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Revision, CommitError>> {
        Box::pin(async {
            if self.state().fault == Some(Fault::Stuck) {
                std::future::pending::<()>().await;
            }
            self.commit_now(commit)
        })
    }

    fn watch(&self, after: Revision) -> Result<Watch, Compacted> {
        self.feed.watch(after)
    }

    fn current(&self) -> BoxFuture<'_, Result<Revision, StoreError>> {
        Box::pin(async { self.current_now() })
    }

    fn spend(&self, fact: &str, expires_at: i64, now: i64) -> BoxFuture<'_, Result<Spent, CommitError>> {
        let fact = fact.to_owned();
        Box::pin(async move { self.spend_now(&fact, expires_at, now) })
    }

    fn backup(&self, _path: &Path) -> BoxFuture<'_, Result<Revision, StoreError>> {
        Box::pin(async { Err(StoreError::Unsupported("be backed up: it is memory only")) })
    }

    fn settle(&self) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(async { self.commit(Commit::new()).await.map(drop) })
    }

    fn writable(&self) -> BoxFuture<'_, Result<(), String>> {
        let writable = self.state().writable().map_err(|error| error.to_string());
        Box::pin(std::future::ready(writable))
    }
}

#[derive(Debug, Default)]
struct State {
    records: BTreeMap<Arc<str>, (Bytes, Revision)>,
    revision: Revision,
    spent: SpentFacts,
    fault: Option<Fault>,
}

impl State {
    fn reachable(&self) -> Result<(), String> {
        if self.fault == Some(Fault::Away) { Err("it is away".to_owned()) } else { Ok(()) }
    }

    fn writable(&self) -> Result<(), CommitError> {
        self.reachable().map_err(CommitError::Unavailable)?;
        if self.fault == Some(Fault::Full) { Err(CommitError::Full) } else { Ok(()) }
    }

    fn answer<T>(&self, answer: T) -> Result<T, CommitError> {
        if self.fault == Some(Fault::AnswersLost) { Err(CommitError::Unknown) } else { Ok(answer) }
    }

    fn under(&self, prefix: &str) -> impl Iterator<Item = (&Arc<str>, &(Bytes, Revision))> {
        let from = (std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded);
        self.records.range::<str, _>(from).take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// What changed, if anything did.
    fn apply(&mut self, commit: Commit) -> Option<Change> {
        let revision = self.revision.next();
        let mut change = Change { revision, puts: Vec::new(), deletes: Vec::new() };
        for key in commit.deletes {
            if let Some((key, _)) = self.records.remove_entry(key.as_str()) {
                change.deletes.push(key);
            }
        }
        for (key, value) in commit.puts {
            let key: Arc<str> = key.into();
            self.records.insert(Arc::clone(&key), (value.clone(), revision));
            change.puts.push(Record { key, value, revision });
        }
        if change.puts.is_empty() && change.deletes.is_empty() {
            return None;
        }
        self.revision = revision;
        Some(change)
    }
}

impl Look for State {
    type Error = Infallible;

    fn revision_of(&self, key: &str) -> Result<Option<Revision>, Infallible> {
        Ok(self.records.get(key).map(|(_, revision)| *revision))
    }

    fn newer_under(&self, prefix: &str, since: Revision) -> Result<bool, Infallible> {
        Ok(self.under(prefix).any(|(_, (_, revision))| *revision > since))
    }
}

#[derive(Debug, Default)]
struct SpentFacts {
    expiry: HashMap<Arc<str>, i64>,
    by_expiry: BTreeSet<(i64, Arc<str>)>,
    /// The latest expiry among the facts forgotten; what expires by then may have been spent.
    forgotten_until: Option<i64>,
}

impl SpentFacts {
    fn spend(&mut self, fact: &str, expires_at: i64, now: i64) -> Spent {
        self.forget(now);
        if expires_at <= now || self.forgotten_until.is_some_and(|until| expires_at <= until) {
            return Spent::Already;
        }
        let fact: Arc<str> = fact.into();
        match self.expiry.get(&fact) {
            Some(until) if *until > now => return Spent::Already,
            // Expired, and not forgotten yet.
            Some(until) => _ = self.by_expiry.remove(&(*until, Arc::clone(&fact))),
            None => {}
        }
        self.expiry.insert(Arc::clone(&fact), expires_at);
        self.by_expiry.insert((expires_at, fact));
        Spent::First
    }

    fn forget(&mut self, now: i64) {
        while let Some((expires_at, _)) = self.by_expiry.first()
            && *expires_at <= now.saturating_sub(SPENT_KEPT_SECONDS)
        {
            self.forgotten_until = self.forgotten_until.max(Some(*expires_at));
            if let Some((_, fact)) = self.by_expiry.pop_first() {
                self.expiry.remove(&fact);
            }
        }
    }
}
