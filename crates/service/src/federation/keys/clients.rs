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

use super::failing::Failures;
use super::source::{KeysHealth, NoKeys, Source};
use super::{FetchError, ProviderKeys};
use crate::federation::fetch::{Form, Wanted};

/// For how long endpoints are known, and for how long it is that there are none, in seconds.
const KNOWN_SECONDS: i64 = 300;
const FAILED_SECONDS: i64 = 10;
/// Longest answer to a code, in bytes: three tokens.
const ANSWER_BYTES_MAX: usize = 128 * 1024;

/// What is known of endpoints, by the provider's id, since when and by which source; and what fails, by the provider's name.
#[derive(Default)]
pub(super) struct Clients {
    known: Mutex<BTreeMap<String, Known>>,
    failing: Failures<(String, Half)>,
}

/// What a sign-in asks of a provider. One may answer and the other not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Half {
    Endpoints,
    Exchange,
}

struct Known {
    at: i64,
    /// Other thumbprints vouch for other servers.
    source: Source,
    endpoints: Result<Arc<SignInEndpoints>, NoKeys>,
}

impl Clients {
    fn known(&self, source: &Source, now: i64) -> Option<Result<Arc<SignInEndpoints>, NoKeys>> {
        let all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&source.provider).filter(|known| known.source == *source)?;
        let seconds = if known.endpoints.is_ok() { KNOWN_SECONDS } else { FAILED_SECONDS };
        (known.at..known.at + seconds).contains(&now).then(|| known.endpoints.clone())
    }

    fn keep(&self, known: Known) {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // There are as many as the operator's list has, and whatever was deleted and made again.
        all.retain(|_, other| known.at - other.at < KNOWN_SECONDS);
        all.insert(known.source.provider.clone(), known);
    }

    pub(super) fn health(&self, now: i64) -> impl Iterator<Item = KeysHealth> {
        self.failing.told(now).into_iter().map(|((provider, _), since)| KeysHealth {
            provider,
            fetched_at: None,
            failing_since: Some(since),
        })
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
        if let Some(known) = self.clients.known(source, now) {
            return known;
        }
        let _turn = self.turn_to_ask(&line_of(source), address).await?;
        // Whoever had the turn before may have fetched them.
        if let Some(known) = self.clients.known(source, now) {
            return known;
        }
        let endpoints = self.fetch_endpoints(source).await.map(Arc::new);
        if !matches!(endpoints, Err(NoKeys::Busy)) {
            self.clients.keep(Known { at: now, source: source.clone(), endpoints: endpoints.clone() });
        }
        let half = (source.name.clone(), Half::Endpoints);
        match &endpoints {
            Ok(_) => _ = self.clients.failing.over(&half, now),
            Err(error) => {
                if *error != NoKeys::Busy {
                    self.clients.failing.met(half, now);
                }
                tracing::warn!(provider = source.name, %error, "where people sign in at an identity provider could not be fetched");
            }
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
        now: i64,
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
        let answer = self.fetch.fetch(wanted).await;
        self.exchanged(source, answer.as_ref().err(), now);
        Ok(answer?.body)
    }

    /// Keep in mind how it stands with the exchange of codes. Anybody can come with a code that is none, so that to be told so
    /// says nothing about the provider; and one line is enough of what everybody meets.
    fn exchanged(&self, source: &Source, error: Option<&FetchError>, now: i64) {
        let (provider, failing) = (source.name.as_str(), &self.clients.failing);
        let half = (source.name.clone(), Half::Exchange);
        match error {
            Some(error) if error.is_refusal() => {}
            None if failing.over(&half, now) => {
                tracing::info!(provider, "an identity provider exchanges the codes of sign-ins again");
            }
            Some(error) if failing.met(half, now) => {
                tracing::warn!(provider, %error, "the code of a sign-in could not be exchanged");
            }
            None | Some(_) => {}
        }
    }
}

fn line_of(source: &Source) -> String {
    format!("sign-in {}", source.provider)
}
