//! Access tokens: only their provider can read them, so it is asked for each call, and nothing is kept but how it stands.
//!
//! Anybody can make such a call. So each provider has turns and a short line of its own, of which no address takes more than half
//! and a little, and whoever does not get a turn soon is told to try again.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use daypass_authn::oidc::ACCESS_TOKEN_INFO_BYTES_MAX;
use daypass_model::Secret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failing::Failures;
use super::gate::Place;
use super::source::{KeysHealth, NoKeys};
use super::{FetchError, ProviderKeys};
use crate::federation::fetch::Wanted;
use crate::network::network;

/// Calls at once about tokens of one provider.
const TURNS_MAX: usize = 8;
/// Calls that have a turn or wait for one.
const LINE_MAX: usize = 64;
/// Those of one address, while half of the line is taken.
const LINE_OF_ADDRESS_MAX: usize = 8;
/// How long one is waited for.
const TURN_TIME_MAX: Duration = Duration::from_secs(3);

/// Where a provider tells of its access tokens.
#[derive(Debug, Clone, Copy)]
pub(in crate::federation) struct Endpoint<'a> {
    /// Without a query.
    pub(in crate::federation) url: &'a str,
    /// See [`Wanted::insecure`].
    pub(in crate::federation) insecure: Option<&'a str>,
}

/// What came of asking about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::federation) enum Told {
    /// What the token is.
    Token,
    /// That it is none of theirs: anybody can bring one that is not, so it says nothing about the provider.
    Rejected,
    /// Nothing.
    Nothing,
}

/// The lines, and how it stands with whoever is asked.
pub(super) struct Unkept {
    turns_max: usize,
    lines: Mutex<BTreeMap<String, Line>>,
    failing: Failures<&'static str>,
}

/// The line of one provider.
struct Line {
    all: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    /// The turns that an address may have, of those that are in the line.
    of_addresses: HashMap<Option<IpAddr>, Arc<Semaphore>>,
}

/// The right to ask about one token, until it is dropped.
pub(in crate::federation) struct Turn {
    _held: [OwnedSemaphorePermit; 3],
    pub(super) place: Place,
}

impl Unkept {
    /// Of so many fetches in all most are for keys, which many calls are served by.
    pub(super) fn new(fetches_max: usize) -> Self {
        let turns_max = (fetches_max / 8).clamp(1, TURNS_MAX);
        Self { turns_max, lines: Mutex::default(), failing: Failures::default() }
    }

    pub(super) fn health(&self, now: i64) -> impl Iterator<Item = KeysHealth> {
        self.failing.told(now).into_iter().map(|(provider, since)| KeysHealth {
            provider: provider.to_owned(),
            fetched_at: None,
            failing_since: Some(since),
        })
    }

    /// A place in the line, and a turn before long. An address has half of the turns at the most.
    async fn turn(&self, provider: &str, address: Option<IpAddr>) -> Option<[OwnedSemaphorePermit; 3]> {
        let (in_line, of_address, turns) = {
            let mut lines = lock(&self.lines);
            let line = lines.entry(provider.to_owned()).or_insert_with(|| Line {
                all: Arc::new(Semaphore::new(LINE_MAX)),
                turns: Arc::new(Semaphore::new(self.turns_max)),
                of_addresses: HashMap::new(),
            });
            // Those of whom nobody is in the line are forgotten: there are no more than places in it.
            line.of_addresses.retain(|_, turns| Arc::strong_count(turns) > 1);
            let share = self.turns_max.div_ceil(2);
            let of_address = line.of_addresses.entry(network(address));
            let of_address = of_address.or_insert_with(|| Arc::new(Semaphore::new(share))).clone();
            // While there is much room an address may have it: many people can be behind one.
            let is_long = line.all.available_permits() <= LINE_MAX / 2;
            if is_long && Arc::strong_count(&of_address) > LINE_OF_ADDRESS_MAX + 1 {
                return None;
            }
            let in_line = line.all.clone().try_acquire_owned().ok()?;
            (in_line, of_address, line.turns.clone())
        };
        let both = async {
            let of_address = of_address.acquire_owned().await.ok()?;
            Some([in_line, of_address, turns.acquire_owned().await.ok()?])
        };
        tokio::time::timeout(TURN_TIME_MAX, both).await.ok()?
    }
}

impl ProviderKeys {
    /// A turn to ask a provider about a token.
    ///
    /// # Errors
    /// [`NoKeys::Busy`].
    pub(in crate::federation) async fn turn_to_ask(
        &self,
        provider: &str,
        address: Option<IpAddr>,
    ) -> Result<Turn, NoKeys> {
        let held = self.unkept.turn(provider, address).await.ok_or(NoKeys::Busy)?;
        let place = self.gate.ask(2 * self.unkept.turns_max).ok_or(NoKeys::Busy)?;
        Ok(Turn { _held: held, place })
    }

    /// What an endpoint answers to a query with an access token.
    ///
    /// # Errors
    /// Why it does not.
    pub(in crate::federation) async fn tell_of_token(
        &self,
        turn: &Turn,
        endpoint: &Endpoint<'_>,
        query: &Secret,
    ) -> Result<Vec<u8>, FetchError> {
        let wanted = Wanted {
            url: endpoint.url,
            query: Some(query),
            form: None,
            bytes_max: ACCESS_TOKEN_INFO_BYTES_MAX,
            insecure: endpoint.insecure,
            thumbprints: &[],
            place: turn.place.clone(),
        };
        Ok(self.fetch.fetch(wanted).await?.body)
    }

    /// Keep in mind how a provider stands: by whole calls, since one of two endpoints may answer and the other not.
    pub(in crate::federation) fn told_of_token(
        &self,
        provider: &'static str,
        told: Told,
        why: Option<&FetchError>,
        now: i64,
    ) {
        let failing = &self.unkept.failing;
        match told {
            Told::Rejected => {}
            Told::Token if failing.over(&provider, now) => {
                tracing::info!(provider, "an identity provider tells of its access tokens again");
            }
            Told::Nothing if failing.met(provider, now) => {
                let why = why.map(tracing::field::display);
                tracing::warn!(provider, why, "an identity provider does not tell of its access tokens");
            }
            Told::Token | Told::Nothing => {}
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    //! Who gets a turn.

    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_leaves_turns_to_others_and_one_provider_to_the_other() {
        let unkept = Unkept::new(64);
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(unkept.turn("www.amazon.com", address("203.0.113.7")).await.unwrap());
        }
        let begun = tokio::time::Instant::now();
        assert!(unkept.turn("www.amazon.com", address("::ffff:203.0.113.7")).await.is_none(), "its fifth");
        assert_eq!(begun.elapsed(), TURN_TIME_MAX);
        for n in 0..4 {
            held.push(unkept.turn("www.amazon.com", address(&format!("2001:db8:0:{n}::1"))).await.unwrap());
        }
        assert!(unkept.turn("www.amazon.com", address("198.51.100.1")).await.is_none(), "eight in all");
        assert!(unkept.turn("graph.facebook.com", address("203.0.113.7")).await.is_some());
        held.pop();
        assert!(unkept.turn("www.amazon.com", address("198.51.100.1")).await.is_some());
    }

    /// How many of these calls wait, polled once; the others were refused at once.
    async fn waiting<F: Future>(calls: Vec<F>) -> (usize, Vec<std::pin::Pin<Box<F>>>) {
        let mut calls: Vec<_> = calls.into_iter().map(Box::pin).collect();
        let pending = std::future::poll_fn(|context| {
            let pending = calls.iter_mut().map(|call| call.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(pending.filter(|pending| *pending).count())
        });
        (pending.await, calls)
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_may_have_half_of_the_line_and_leaves_the_rest() {
        let unkept = Unkept::new(64);
        // All of one network of IPv6, which is one address.
        let from = |n: usize| unkept.turn("www.amazon.com", address(&format!("2001:db8::{n:x}")));
        let mut held = Vec::new();
        for n in 0..4 {
            held.push(from(n).await.unwrap());
        }
        let (flood, _waits) = waiting((0..100).map(from).collect()).await;
        assert_eq!(flood + held.len(), LINE_MAX / 2);
        let other = |n: usize| unkept.turn("www.amazon.com", address(&format!("203.0.113.{n}")));
        let begun = tokio::time::Instant::now();
        let mut theirs = Vec::new();
        for n in 0..4 {
            theirs.push(other(n).await.unwrap());
        }
        assert_eq!(begun.elapsed(), Duration::ZERO, "half of the turns are theirs");
        let (second, _more) = waiting((0..100).map(|_| other(9)).collect()).await;
        assert_eq!(second, LINE_OF_ADDRESS_MAX, "while the line is long each has a few places");
        drop((held, theirs));
    }

    #[test]
    fn of_few_fetches_few_are_questions_about_tokens() {
        for (fetches, turns) in [(4, 1), (11, 1), (32, 4), (64, 8), (1000, 8)] {
            assert_eq!(Unkept::new(fetches).turns_max, turns, "{fetches}");
        }
    }
}
