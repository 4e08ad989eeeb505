//! Access tokens: only their provider can read them, so it is asked for each call, and nothing is kept but how it stands.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use daypass_authn::oidc::ACCESS_TOKEN_INFO_BYTES_MAX;
use daypass_model::Secret;
use tokio::sync::Semaphore;

use super::ProviderKeys;
use super::gate::ASKED_AT_ONCE_MAX;
use super::source::{KeysHealth, NoKeys};
use crate::federation::fetch::{FetchError, Wanted};

/// Where a provider tells of its access tokens.
#[derive(Debug, Clone, Copy)]
pub(in crate::federation) struct Endpoint<'a> {
    /// The provider, as trust policies name it.
    pub(in crate::federation) provider: &'static str,
    /// Without a query.
    pub(in crate::federation) url: &'a str,
    /// See [`Wanted::insecure`].
    pub(in crate::federation) insecure: Option<&'a str>,
}

/// How it stands with whoever is asked.
pub(super) struct Unkept {
    turns: Semaphore,
    /// Since when they do not answer, in Unix seconds.
    failing_since: Mutex<BTreeMap<&'static str, Option<i64>>>,
}

impl Default for Unkept {
    fn default() -> Self {
        Self { turns: Semaphore::new(ASKED_AT_ONCE_MAX), failing_since: Mutex::default() }
    }
}

impl Unkept {
    pub(super) fn health(&self) -> impl Iterator<Item = KeysHealth> {
        let state = self.state().clone();
        state.into_iter().map(|(provider, failing_since)| KeysHealth {
            provider: provider.to_owned(),
            fetched_at: None,
            failing_since,
        })
    }

    /// Anybody can have a provider asked, so its failing is logged once, not for each call.
    fn note(&self, endpoint: &Endpoint<'_>, error: Option<&FetchError>, now: i64) {
        // To refuse a token is an answer.
        let error = error.filter(|error| !matches!(error, FetchError::Status(_, status) if *status < 500));
        let mut state = self.state();
        let since = state.entry(endpoint.provider).or_default();
        match (error, *since) {
            (Some(error), None) => {
                let provider = endpoint.provider;
                tracing::warn!(provider, %error, "an identity provider does not tell of its access tokens");
                *since = Some(now);
            }
            (Some(_), Some(_)) => {}
            (None, _) => *since = None,
        }
    }

    fn state(&self) -> MutexGuard<'_, BTreeMap<&'static str, Option<i64>>> {
        self.failing_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProviderKeys {
    /// What an endpoint answers to a query with an access token.
    ///
    /// # Errors
    /// [`NoKeys::Fetch`], [`NoKeys::Busy`].
    pub(in crate::federation) async fn tell_of_token(
        &self,
        endpoint: &Endpoint<'_>,
        query: &Secret,
        now: i64,
    ) -> Result<Vec<u8>, NoKeys> {
        let _waits = self.gate.wait_to_ask().ok_or(NoKeys::Busy)?;
        let _turn = self.unkept.turns.acquire().await.map_err(|_| NoKeys::Busy)?;
        let wanted = Wanted {
            url: endpoint.url,
            query: Some(query),
            bytes_max: ACCESS_TOKEN_INFO_BYTES_MAX,
            insecure: endpoint.insecure,
            thumbprints: &[],
            place: self.gate.ask().ok_or(NoKeys::Busy)?,
        };
        let outcome = self.fetch.fetch(wanted).await;
        self.unkept.note(endpoint, outcome.as_ref().err(), now);
        Ok(outcome?.body)
    }
}
