//! The keys of OpenID Connect providers, fetched when a token asks for them and kept.
//!
//! A key that is known never waits for its provider within the time that the provider gave. One that is not known is looked for
//! at once, a few times a minute for each provider at the most, since anybody can send a token with a new key id. What was
//! fetched is renewed in the background before its time is over, and goes on counting for a while when the provider does not answer.

mod clients;
mod entry;
mod failing;
mod gate;
mod shelf;
mod source;
#[cfg(test)]
mod tests;
mod unkept;

use std::collections::HashSet;
use std::sync::Arc;

use daypass_authn::oidc::{DISCOVERY_BYTES_MAX, Discovery, KEY_SET_BYTES_MAX, KeySet};

use super::fetch::{Fetch, FetchError, Fetching, Wanted};
use clients::Clients;
use entry::Entry;
pub use entry::STALE_SECONDS_MAX;
use gate::Gate;
pub use gate::Place;
use shelf::Shelf;
pub use source::{Found, KeysHealth, NoKeys, Source};
use unkept::Unkept;
pub(super) use unkept::{Endpoint, Told, Turn};

/// Fetches at once.
pub const FETCHES_MAX: usize = 64;

/// The keys of every provider that was asked for.
pub struct ProviderKeys {
    fetch: Box<dyn Fetch>,
    shelf: Shelf,
    gate: Gate,
    unkept: Unkept,
    clients: Clients,
}

struct Nobody;

impl Fetch for Nobody {
    fn fetch<'a>(&'a self, wanted: Wanted<'a>) -> Fetching<'a> {
        Box::pin(std::future::ready(Err(FetchError::Refused(wanted.url.to_owned(), "nobody is asked here"))))
    }
}

impl ProviderKeys {
    /// With nothing known yet.
    #[must_use]
    pub fn new(fetch: Box<dyn Fetch>) -> Self {
        Self::with_fetches(fetch, FETCHES_MAX)
    }

    /// The same with another bound of fetches at once, which are so many connections.
    #[must_use]
    pub fn with_fetches(fetch: Box<dyn Fetch>, fetches_max: usize) -> Self {
        let (gate, unkept) = (Gate::new(fetches_max), Unkept::new(fetches_max));
        Self { fetch, shelf: Shelf::default(), gate, unkept, clients: Clients::default() }
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
    pub async fn keys(
        &self,
        source: &Source,
        key_id: Option<&str>,
        now: i64,
    ) -> Result<Found<Arc<KeySet>>, NoKeys> {
        let entry = self.shelf.entry(source, now);
        let known = entry.known(now).filter(|known| known.keys.knows(key_id));
        let untried = known.as_ref().is_none_or(|known| entry.is_untried(known, now));
        let found = if untried { Some(self.ask(source, &entry, key_id, now).await) } else { None };
        match (found, known) {
            (Some(Found { keys: Ok(keys), waited }), _) => Ok(Found { keys, waited }),
            // Past their time they count while the provider is away.
            (Some(Found { waited, .. }), Some(known)) => Ok(Found { keys: known.keys, waited }),
            (None, Some(known)) => Ok(Found { keys: known.keys, waited: false }),
            (Some(Found { keys: Err(error), .. }), None) => Err(error),
            (None, None) => Err(NoKeys::TooOften),
        }
    }

    /// Fetch, or wait for whoever does: for one fetch at the most.
    async fn ask(
        &self,
        source: &Source,
        entry: &Arc<Entry>,
        key_id: Option<&str>,
        now: i64,
    ) -> Found<Result<Arc<KeySet>, NoKeys>> {
        let at_once = |error| Found { keys: Err(error), waited: false };
        let (before, _) = entry.ended();
        let Some(_waits) = self.gate.wait(source.account) else { return at_once(NoKeys::Busy) };
        let (_turn, waited) = match entry.turn.try_lock() {
            Ok(turn) => (turn, false),
            Err(_) => (entry.turn.lock().await, true),
        };
        let (ended, error) = entry.ended();
        if ended != before {
            let known = entry.known(now).filter(|known| known.keys.knows(key_id));
            // Without an error the key may have come since, as far as anybody knows.
            let keys = match (error, known) {
                (None, Some(known)) => Ok(known.keys),
                (error, _) => Err(error.unwrap_or(NoKeys::TooOften)),
            };
            return Found { keys, waited: true };
        }
        match self.fetch_now(source, entry, now).await {
            Err(error @ (NoKeys::TooOften | NoKeys::Busy)) => Found { keys: Err(error), waited },
            keys => Found { keys, waited: true },
        }
    }

    /// Renew what is due, one after another; several may do so at once, each for another account. `current` is the source of a
    /// provider as it is by now, if there still is one.
    pub async fn refresh(&self, now: i64, current: impl Fn(&Source) -> Option<Source>) {
        self.shelf.retain(|entry| match current(&entry.source()) {
            Some(source) => {
                entry.becomes(&source);
                !entry.is_forgotten(now)
            }
            None => false,
        });
        let mut busy = HashSet::new();
        while let Some(renewal) = self.shelf.renewal(now, &busy) {
            let entry = &renewal.entry;
            let outcome = match entry.turn.try_lock() {
                Ok(_turn) => self.fetch_now(&entry.source(), entry, now).await,
                Err(_) => Err(NoKeys::Busy),
            };
            // Any other outcome is told by `health`.
            if let Err(NoKeys::Busy) = outcome {
                busy.insert(renewal.party);
            }
        }
    }

    /// How it stands with every provider that was asked, at this moment (Unix seconds): those that fail first, and by name.
    #[must_use]
    pub fn health(&self, now: i64) -> Vec<KeysHealth> {
        let mut health: Vec<_> = self.shelf.all().iter().filter_map(|entry| entry.health()).collect();
        health.extend(self.unkept.health(now));
        for failing in self.clients.health(now) {
            // One line for each provider, whatever of it fails: dashboards know them by name.
            match health.iter_mut().find(|known| known.provider == failing.provider) {
                Some(known) => known.failing_since = earliest(known.failing_since, failing.failing_since),
                None => health.push(failing),
            }
        }
        health.sort_by(|one, other| {
            let key = |health: &KeysHealth| (health.failing_since.is_none(), health.failing_since);
            key(one).cmp(&key(other)).then_with(|| one.provider.cmp(&other.provider))
        });
        health
    }

    async fn fetch_now(&self, source: &Source, entry: &Arc<Entry>, now: i64) -> Result<Arc<KeySet>, NoKeys> {
        let place = self.gate.fetch(source.account).ok_or(NoKeys::Busy)?;
        if !entry.begin(now) {
            return Err(NoKeys::TooOften);
        }
        let fetched = self.fetch_both(source, &place).await;
        let fetched = fetched.map(|(keys, max_age)| (Arc::new(keys), max_age));
        if let Err(error) = &fetched {
            tracing::warn!(provider = source.name, %error, "keys of an identity provider could not be fetched");
        }
        entry.end(source, fetched.clone(), now);
        self.shelf.weigh(entry);
        fetched.map(|(keys, _)| keys)
    }

    async fn fetch_both(&self, source: &Source, place: &Place) -> Result<(KeySet, Option<i64>), NoKeys> {
        let wanted = |url, bytes_max| Wanted {
            url,
            query: None,
            form: None,
            bytes_max,
            insecure: source.insecure.then_some(source.issuer.as_str()),
            thumbprints: &source.thumbprints,
            place: place.clone(),
        };
        let no_document = |url: &str| NoKeys::Document(url.to_owned());
        let url = source.discovery_url.as_str();
        let document = self.fetch.fetch(wanted(url, DISCOVERY_BYTES_MAX)).await?;
        let discovery = Discovery::parse(&document.body, &source.issuer).map_err(|_| no_document(url))?;
        let url = discovery.key_set_url.as_str();
        let document = self.fetch.fetch(wanted(url, KEY_SET_BYTES_MAX)).await?;
        let keys = KeySet::parse(&document.body).map_err(|_| no_document(url))?;
        Ok((keys, document.max_age))
    }
}

fn earliest(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}
