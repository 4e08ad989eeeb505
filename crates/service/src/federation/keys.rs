//! The keys of OpenID Connect providers, fetched when a token asks for them and kept.
//!
//! A key that is known never waits for its provider. One that is not known is looked for at once, a few times a minute for
//! each provider at the most, since anybody can send a token with a new key id. What was fetched is renewed in the
//! background before its time is over, and goes on counting for a while when the provider does not answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use daypass_authn::oidc::{DISCOVERY_BYTES_MAX, Discovery, KEY_SET_BYTES_MAX, KeySet};
use quick_cache::sync::Cache;

use super::fetch::{Fetch, FetchError, Fetching, Wanted};

/// Fetches for a provider within a minute.
const FETCHES_PER_MINUTE: usize = 3;
/// How long keys count after they were fetched last, in seconds, whatever their provider said of how long to keep them.
pub const STALE_SECONDS_MAX: i64 = 24 * 60 * 60;
/// Bounds of how long keys are kept before they are renewed, in seconds, and what is meant where a provider does not say.
const KEPT_SECONDS_MIN: i64 = 5 * 60;
const KEPT_SECONDS_MAX: i64 = 6 * 60 * 60;
const KEPT_SECONDS_DEFAULT: i64 = 60 * 60;
/// How long before its renewal is due again a provider is left alone that did not answer, in seconds.
const RETRY_SECONDS: i64 = 60;
/// Providers whose keys are kept.
const PROVIDERS_KEPT_MAX: usize = 10_000;

/// Where the keys of a provider come from, and who vouches for that.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    /// The unique id of the provider, or the name of one that is built in: keys that one account's thumbprints vouch for
    /// are not another's.
    pub provider: String,
    /// What its tokens say as `iss`.
    pub issuer: String,
    /// The discovery document.
    pub discovery_url: String,
    /// See [`Wanted::thumbprints`].
    pub thumbprints: Vec<String>,
    /// Whether the operator lists the issuer as insecure.
    pub insecure: bool,
}

/// Why there are no keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoKeys {
    /// They could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What was fetched is no discovery document of the issuer, or no key set.
    #[error("what `{0}` answers is no such document of the issuer")]
    Document(String),
    /// They were asked for too often.
    #[error("the provider was asked for its keys {FETCHES_PER_MINUTE} times within a minute")]
    TooOften,
}

/// How it stands with the keys of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysHealth {
    /// The issuer.
    pub issuer: String,
    /// When its keys were fetched last, in Unix seconds.
    pub fetched_at: Option<i64>,
    /// Since when they cannot be, in Unix seconds.
    pub failing_since: Option<i64>,
}

/// The keys of every provider that was asked for.
pub struct ProviderKeys {
    fetch: Box<dyn Fetch>,
    entries: Cache<Source, Arc<Entry>>,
}

struct Nobody;

impl Fetch for Nobody {
    fn fetch<'a>(&'a self, wanted: Wanted<'a>) -> Fetching<'a> {
        Box::pin(std::future::ready(Err(FetchError::Refused(wanted.url.to_owned(), "nobody is asked here"))))
    }
}

/// The keys of one.
#[derive(Default)]
struct Entry {
    known: RwLock<Option<Known>>,
    /// Held by whoever fetches.
    turn: tokio::sync::Mutex<()>,
    attempts: Mutex<Attempts>,
}

#[derive(Clone)]
struct Known {
    keys: Arc<KeySet>,
    fetched_at: i64,
    kept_seconds: i64,
}

#[derive(Default)]
struct Attempts {
    /// When the last fetches began, in Unix seconds, at most [`FETCHES_PER_MINUTE`].
    at: VecDeque<i64>,
    failing_since: Option<i64>,
}

impl ProviderKeys {
    /// With nothing known yet.
    #[must_use]
    pub fn new(fetch: Box<dyn Fetch>) -> Self {
        Self { fetch, entries: Cache::new(PROVIDERS_KEPT_MAX) }
    }

    /// For a house that asks nobody: every token is refused for want of keys.
    #[must_use]
    pub fn asking_nobody() -> Self {
        Self::new(Box::new(Nobody))
    }

    /// The keys of a provider, among them the one with this id if the provider has it.
    ///
    /// # Errors
    /// [`NoKeys`].
    pub async fn keys(&self, source: &Source, key_id: Option<&str>, now: i64) -> Result<Arc<KeySet>, NoKeys> {
        let entry = self.entry(source);
        let known = entry.known(now);
        if let Some(known) = known.as_ref().filter(|known| known.keys.knows(key_id)) {
            return Ok(known.keys.clone());
        }
        let _turn = entry.turn.lock().await;
        // Whoever held the turn before may have fetched what is looked for.
        let newer = entry.known(now);
        if let Some(newer) = newer.as_ref().filter(|newer| newer.keys.knows(key_id)) {
            return Ok(newer.keys.clone());
        }
        match (self.fetch_now(source, &entry, now).await, newer) {
            (Ok(keys), _) => Ok(keys),
            // The token then names a key that nobody knows of, which is no fault of the provider's.
            (Err(NoKeys::TooOften), Some(newer)) => Ok(newer.keys),
            (Err(error), _) => Err(error),
        }
    }

    /// Renew what is due: to be called every few seconds.
    pub async fn refresh(&self, now: i64) {
        let due: Vec<_> = self.entries.iter().filter(|(_, entry)| entry.is_due(now)).collect();
        for (source, entry) in due {
            let Ok(_turn) = entry.turn.try_lock() else { continue };
            // Its outcome is told by `health`.
            _ = self.fetch_now(&source, &entry, now).await;
        }
    }

    /// How it stands with every provider that was asked for.
    #[must_use]
    pub fn health(&self) -> Vec<KeysHealth> {
        let health = |(source, entry): (Source, Arc<Entry>)| KeysHealth {
            issuer: source.issuer,
            fetched_at: entry.any_known().map(|known| known.fetched_at),
            failing_since: entry.attempts().failing_since,
        };
        self.entries.iter().map(health).collect()
    }

    fn entry(&self, source: &Source) -> Arc<Entry> {
        let made =
            self.entries.get_or_insert_with(source, || Ok::<_, std::convert::Infallible>(Arc::default()));
        match made {
            Ok(entry) => entry,
            Err(never) => match never {},
        }
    }

    async fn fetch_now(&self, source: &Source, entry: &Entry, now: i64) -> Result<Arc<KeySet>, NoKeys> {
        if !entry.attempts().begin(now) {
            return Err(NoKeys::TooOften);
        }
        let fetched = self.fetch_both(source).await;
        let failing = &mut entry.attempts().failing_since;
        match fetched {
            Ok((keys, max_age)) => {
                *failing = None;
                let keys = Arc::new(keys);
                let kept_seconds =
                    max_age.unwrap_or(KEPT_SECONDS_DEFAULT).clamp(KEPT_SECONDS_MIN, KEPT_SECONDS_MAX);
                entry.keep(Known { keys: keys.clone(), fetched_at: now, kept_seconds });
                Ok(keys)
            }
            Err(error) => {
                failing.get_or_insert(now);
                tracing::warn!(provider = source.provider, %error, "keys of an identity provider could not be fetched");
                Err(error)
            }
        }
    }

    async fn fetch_both(&self, source: &Source) -> Result<(KeySet, Option<i64>), NoKeys> {
        let insecure = source.insecure.then_some(source.issuer.as_str());
        let thumbprints = source.thumbprints.as_slice();
        let url = source.discovery_url.as_str();
        let wanted = Wanted { url, bytes_max: DISCOVERY_BYTES_MAX, insecure, thumbprints };
        let document = self.fetch.fetch(wanted).await?;
        let no_document = |url: &str| NoKeys::Document(url.to_owned());
        let discovery = Discovery::parse(&document.body, &source.issuer).map_err(|_| no_document(url))?;
        let url = discovery.key_set_url.as_str();
        let wanted = Wanted { url, bytes_max: KEY_SET_BYTES_MAX, insecure, thumbprints };
        let document = self.fetch.fetch(wanted).await?;
        let keys = KeySet::parse(&document.body).map_err(|_| no_document(url))?;
        Ok((keys, document.max_age))
    }
}

impl Entry {
    /// What is known, while it counts.
    fn known(&self, now: i64) -> Option<Known> {
        self.any_known().filter(|known| now.saturating_sub(known.fetched_at) <= STALE_SECONDS_MAX)
    }

    fn any_known(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, known: Known) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }

    /// Whether it is time to renew: while somebody uses them, so that a provider that nobody asks for is left alone.
    fn is_due(&self, now: i64) -> bool {
        let Some(known) = self.any_known() else { return false };
        let retried = self.attempts().at.back().is_some_and(|last| now.saturating_sub(*last) < RETRY_SECONDS);
        let age = now.saturating_sub(known.fetched_at);
        !retried && age >= known.kept_seconds * 3 / 4 && age <= STALE_SECONDS_MAX
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempts {
    /// Whether the provider may be asked once more now.
    fn begin(&mut self, now: i64) -> bool {
        self.at.retain(|at| (0..60).contains(&now.saturating_sub(*at)));
        if self.at.len() >= FETCHES_PER_MINUTE {
            return false;
        }
        self.at.push_back(now);
        true
    }
}
