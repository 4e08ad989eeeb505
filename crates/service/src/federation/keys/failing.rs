//! Since when something that is asked now and then, and of which nothing is kept, does not answer.
//!
//! Nobody asks it in the background, so that nobody would notice that it answers again: a failure that is not met again is told
//! for a while only.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// For so long is a failure told that nobody met again, in seconds.
pub(super) const TOLD_SECONDS: i64 = 300;

/// What fails, by its name.
pub(super) struct Failures<K>(Mutex<BTreeMap<K, Failing>>);

/// Since when it fails and when that was met last, in Unix seconds.
#[derive(Clone, Copy)]
struct Failing {
    since: i64,
    met: i64,
}

impl<K> Default for Failures<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Clone> Failures<K> {
    /// It failed. Whether that is news.
    pub(super) fn met(&self, name: K, now: i64) -> bool {
        let mut all = self.all(now);
        let known = all.get(&name).copied();
        all.insert(name, Failing { since: known.map_or(now, |known| known.since), met: now });
        known.is_none()
    }

    /// It answered. Whether that is news.
    pub(super) fn over(&self, name: &K, now: i64) -> bool {
        self.all(now).remove(name).is_some()
    }

    /// What fails at this moment, and since when.
    pub(super) fn told(&self, now: i64) -> Vec<(K, i64)> {
        self.all(now).iter().map(|(name, failing)| (name.clone(), failing.since)).collect()
    }

    /// Those that were met lately: there are no more than were asked in that time.
    fn all(&self, now: i64) -> MutexGuard<'_, BTreeMap<K, Failing>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, failing| now - failing.met <= TOLD_SECONDS);
        all
    }
}
