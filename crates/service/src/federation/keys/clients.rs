//! Signing people in at a provider: where its endpoints are, which is kept for a while, and the exchange of a code, of which
//! nothing is.
//!
//! Anybody can begin a sign-in. So a provider that does not answer is not asked again at once, and exchanges have a line for each
//! provider, as questions about access tokens have.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use daypass_authn::oidc::{DISCOVERY_BYTES_MAX, SignInEndpoints};
use daypass_model::Secret;

use super::source::{NoKeys, Source};
use super::{FetchError, ProviderKeys};
use crate::federation::fetch::{Form, Wanted};

/// For how long endpoints are known, and for how long it is that there are none, in seconds.
const KNOWN_SECONDS: i64 = 300;
const FAILED_SECONDS: i64 = 10;
/// Longest answer to a code, in bytes: three tokens.
const ANSWER_BYTES_MAX: usize = 128 * 1024;

/// What is known of endpoints, by the provider's id, and since when.
#[derive(Default)]
pub(super) struct Clients(Mutex<BTreeMap<String, Known>>);

#[derive(Clone)]
struct Known {
    at: i64,
    endpoints: Result<Arc<SignInEndpoints>, NoKeys>,
}

impl Clients {
    fn known(&self, provider: &str, now: i64) -> Option<Result<Arc<SignInEndpoints>, NoKeys>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(provider).cloned()?;
        let seconds = if known.endpoints.is_ok() { KNOWN_SECONDS } else { FAILED_SECONDS };
        (known.at..known.at + seconds).contains(&now).then_some(known.endpoints)
    }

    fn keep(&self, provider: &str, known: Known) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // There are as many as the operator's list has, and whatever was deleted and made again.
        all.retain(|_, other| known.at - other.at < KNOWN_SECONDS);
        all.insert(provider.to_owned(), known);
    }
}

impl ProviderKeys {
    /// Where people sign in at a provider.
    ///
    /// # Errors
    /// [`NoKeys`].
    pub(in crate::federation) async fn endpoints(
        &self,
        source: &Source,
        address: Option<IpAddr>,
        now: i64,
    ) -> Result<Arc<SignInEndpoints>, NoKeys> {
        if let Some(known) = self.clients.known(&source.provider, now) {
            return known;
        }
        let _turn = self.turn_to_ask(&line_of(source), address).await?;
        // Whoever had the turn before may have fetched them.
        if let Some(known) = self.clients.known(&source.provider, now) {
            return known;
        }
        let endpoints = self.fetch_endpoints(source).await.map(Arc::new);
        if !matches!(endpoints, Err(NoKeys::Busy)) {
            self.clients.keep(&source.provider, Known { at: now, endpoints: endpoints.clone() });
        }
        if let Err(error) = &endpoints {
            tracing::warn!(provider = source.name, %error, "where people sign in at an identity provider could not be fetched");
        }
        endpoints
    }

    async fn fetch_endpoints(&self, source: &Source) -> Result<SignInEndpoints, NoKeys> {
        let place = self.gate.fetch(source.account).ok_or(NoKeys::Busy)?;
        let url = source.discovery_url.as_str();
        let wanted = Wanted {
            url,
            query: None,
            form: None,
            bytes_max: DISCOVERY_BYTES_MAX,
            insecure: source.insecure.then_some(source.issuer.as_str()),
            thumbprints: &source.thumbprints,
            place,
        };
        let document = self.fetch.fetch(wanted).await?;
        SignInEndpoints::parse(&document.body, &source.issuer).map_err(|_| NoKeys::Document(url.to_owned()))
    }

    /// What a provider answers to a code.
    ///
    /// # Errors
    /// Why it does not; 400 and its like are the answer to a code that is none.
    pub(in crate::federation) async fn exchange(
        &self,
        source: &Source,
        token_url: &str,
        (body, authorization): (&Secret, Option<&Secret>),
        address: Option<IpAddr>,
    ) -> Result<Vec<u8>, NoKeys> {
        let turn = self.turn_to_ask(&line_of(source), address).await?;
        let wanted = Wanted {
            url: token_url,
            query: None,
            form: Some(Form { body, authorization }),
            bytes_max: ANSWER_BYTES_MAX,
            insecure: source.insecure.then_some(source.issuer.as_str()),
            thumbprints: &source.thumbprints,
            place: turn.place.clone(),
        };
        let answer: Result<_, FetchError> = self.fetch.fetch(wanted).await;
        Ok(answer?.body)
    }
}

fn line_of(source: &Source) -> String {
    format!("sign-in {}", source.provider)
}
