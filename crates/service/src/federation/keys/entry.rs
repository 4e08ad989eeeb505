//! What is known of one provider's keys, and when it was asked for them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use daypass_authn::oidc::KeySet;

use super::source::{KeysHealth, NoKeys, Source};

/// How long keys count after they were fetched last, in seconds, whatever their provider said of how long to keep them.
/// As long a provider is remembered that nobody asks for.
pub const STALE_SECONDS_MAX: i64 = 24 * 60 * 60;
/// Bounds of how long keys are kept before they are renewed, in seconds, and what is meant where a provider does not say.
const KEPT_SECONDS_MIN: i64 = 5 * 60;
const KEPT_SECONDS_MAX: i64 = 6 * 60 * 60;
const KEPT_SECONDS_DEFAULT: i64 = 60 * 60;
/// A provider is asked once in this time, in seconds: three times a minute.
const FETCHED_EVERY_SECONDS: i64 = 20;
/// How long before its renewal is due again a provider is left alone that did not answer, in seconds.
pub(super) const RETRY_SECONDS: i64 = 60;
/// After so long without a renewal, in seconds, calls no longer leave it to the background.
const UNTRIED_SECONDS_MAX: i64 = 2 * RETRY_SECONDS;
/// What an entry takes beside its source and its keys, in bytes, as a generous guess.
const OVERHEAD_BYTES: usize = 512;

/// The keys of one provider.
pub(super) struct Entry {
    state: Mutex<State>,
    /// When somebody last asked for them, in Unix seconds.
    used_at: AtomicI64,
    /// Held by whoever fetches.
    pub(super) turn: tokio::sync::Mutex<()>,
}

struct State {
    source: Arc<Source>,
    known: Option<Known>,
    /// When the last fetch began, in Unix seconds.
    tried_at: Option<i64>,
    /// Fetches that came to an end.
    ended: u64,
    /// Why the last of them gave nothing.
    error: Option<NoKeys>,
    failing_since: Option<i64>,
}

#[derive(Clone)]
pub(super) struct Known {
    pub(super) keys: Arc<KeySet>,
    fetched_at: i64,
    kept_seconds: i64,
}

impl Entry {
    pub(super) fn new(source: Source, now: i64) -> Self {
        let (source, known, tried_at) = (Arc::new(source), None, None);
        let state = State { source, known, tried_at, ended: 0, error: None, failing_since: None };
        Self { state: Mutex::new(state), used_at: AtomicI64::new(now), turn: tokio::sync::Mutex::default() }
    }

    /// Somebody asks for them, by this source. Where it is not the one by which they were fetched, they count no longer: other
    /// thumbprints vouch for them now. When the provider was asked goes on counting.
    pub(super) fn uses(&self, source: &Source, now: i64) {
        self.used_at.fetch_max(now, Ordering::Relaxed);
        self.becomes(source);
    }

    pub(super) fn becomes(&self, source: &Source) {
        let mut state = self.state();
        if *state.source != *source {
            state.source = Arc::new(source.clone());
            state.known = None;
        }
    }

    /// Whether nobody asked for them in a day.
    pub(super) fn is_forgotten(&self, now: i64) -> bool {
        now.saturating_sub(self.used_at()) >= STALE_SECONDS_MAX
    }

    pub(super) fn used_at(&self) -> i64 {
        self.used_at.load(Ordering::Relaxed)
    }

    pub(super) fn source(&self) -> Arc<Source> {
        self.state().source.clone()
    }

    /// What is known, while it counts.
    pub(super) fn known(&self, now: i64) -> Option<Known> {
        self.state().known.clone().filter(|known| known.age(now) <= STALE_SECONDS_MAX)
    }

    /// Whether the provider's time for them is over, and nobody tried to renew them since, or for long.
    pub(super) fn is_untried(&self, known: &Known, now: i64) -> bool {
        let over = known.fetched_at.saturating_add(known.kept_seconds);
        let tried = |at: i64| at >= over && now.saturating_sub(at) < UNTRIED_SECONDS_MAX;
        now >= over && !self.state().tried_at.is_some_and(tried)
    }

    /// Whether it is time to renew, or to see whether a provider that failed is there again: somebody may be called out of bed
    /// for it. When, the more overdue the smaller.
    pub(super) fn due(&self, now: i64) -> Option<i64> {
        let state = self.state();
        if state.tried_at.is_some_and(|at| now.saturating_sub(at) < RETRY_SECONDS) {
            return None;
        }
        let known = state.known.as_ref().filter(|known| known.age(now) <= STALE_SECONDS_MAX);
        let over = known.map(|known| known.fetched_at.saturating_add(known.kept_seconds * 3 / 4));
        over.filter(|since| now >= *since).or(state.failing_since)
    }

    /// Whether the provider may be asked once more now, which then counts.
    pub(super) fn begin(&self, now: i64) -> bool {
        let mut state = self.state();
        // A call's clock stands at its beginning, so that the last fetch may have begun after it; a clock that was put back is
        // another matter.
        let lately = -RETRY_SECONDS..FETCHED_EVERY_SECONDS;
        if state.tried_at.is_some_and(|at| lately.contains(&now.saturating_sub(at))) {
            return false;
        }
        state.tried_at = Some(now);
        true
    }

    /// How many fetches came to an end, and why the last gave nothing.
    pub(super) fn ended(&self) -> (u64, Option<NoKeys>) {
        let state = self.state();
        (state.ended, state.error.clone())
    }

    /// A fetch by this source came to its end.
    pub(super) fn end(&self, by: &Source, fetched: Result<(Arc<KeySet>, Option<i64>), NoKeys>, now: i64) {
        let mut state = self.state();
        state.ended += 1;
        match fetched {
            Ok((keys, max_age)) => {
                (state.error, state.failing_since) = (None, None);
                let kept = max_age.unwrap_or(KEPT_SECONDS_DEFAULT);
                let kept_seconds = kept.clamp(KEPT_SECONDS_MIN, KEPT_SECONDS_MAX);
                if *state.source == *by {
                    state.known = Some(Known { keys, fetched_at: now, kept_seconds });
                }
            }
            Err(error) => {
                state.error = Some(error);
                state.failing_since.get_or_insert(now);
            }
        }
    }

    /// What keeping it takes, in bytes, about.
    pub(super) fn bytes(&self) -> usize {
        let state = self.state();
        OVERHEAD_BYTES + state.source.bytes() + state.known.as_ref().map_or(0, |known| known.keys.bytes())
    }

    /// How it stands with them; nothing is told of one that never was asked.
    pub(super) fn health(&self) -> Option<KeysHealth> {
        let state = self.state();
        let fetched_at = state.known.as_ref().map(|known| known.fetched_at);
        (fetched_at.is_some() || state.failing_since.is_some()).then(|| KeysHealth {
            provider: state.source.name.clone(),
            fetched_at,
            failing_since: state.failing_since,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn age(&self, now: i64) -> i64 {
        now.saturating_sub(self.fetched_at)
    }
}
