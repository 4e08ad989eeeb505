//! Whom slow, heavy and many providers get in the way of: their own account.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::entry::RETRY_SECONDS;
use super::*;
use crate::federation::fetch::Fetched;

const NOW: i64 = 1_768_478_400;
const A: &str = "111122223333";
const B: &str = "444455556666";

/// What the world outside answers: keys `1` for everybody, unless it is told otherwise.
#[derive(Clone, Default)]
struct World(Arc<Mutex<Answers>>);

#[derive(Default)]
struct Answers {
    bodies: HashMap<String, Vec<u8>>,
    /// Hosts that do not answer yet.
    slow: HashSet<String>,
    down: bool,
    asked: Vec<String>,
    woken: Arc<tokio::sync::Notify>,
}

impl World {
    fn answers(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.0.lock().unwrap()
    }

    fn slow(&self, host: &str) {
        self.answers().slow.insert(host.to_owned());
    }

    fn quick(&self) {
        let mut answers = self.answers();
        answers.slow.clear();
        answers.woken.notify_waiters();
    }

    /// Hosts that were asked for their discovery document since this was asked last.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.answers().asked)
    }

    fn publish(&self, host: &str, key_ids: &[String]) {
        let keys: Vec<_> = key_ids.iter().map(|id| json!({
            "kty": "EC", "crv": "P-256", "kid": id,
            // RFC 7515, appendix A.3.1
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        })).collect();
        let body = json!({"keys": keys}).to_string().into_bytes();
        self.answers().bodies.insert(host.to_owned(), body);
    }

    fn answer(&self, url: &str) -> Result<Fetched, FetchError> {
        let answers = self.answers();
        let (host, path) = url.trim_start_matches("https://").split_once('/').unwrap();
        if answers.down {
            return Err(FetchError::Unreachable(url.to_owned(), "down".into()));
        }
        let body = if path == "keys" {
            let known = answers.bodies.get(host).cloned();
            drop(answers);
            known.unwrap_or_else(|| {
                self.publish(host, &["1".to_owned()]);
                self.answers().bodies[host].clone()
            })
        } else {
            let issuer = format!("https://{host}");
            json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")}).to_string().into_bytes()
        };
        Ok(Fetched { body, max_age: None })
    }
}

impl Fetch for World {
    fn fetch<'a>(&'a self, wanted: Wanted<'a>) -> Fetching<'a> {
        Box::pin(async move {
            let host = wanted.url.split('/').nth(2).unwrap().to_owned();
            if !wanted.url.ends_with("/keys") {
                self.answers().asked.push(host.clone());
            }
            let woken = self.answers().woken.clone();
            while self.answers().slow.contains(&host) {
                woken.notified().await;
            }
            self.answer(wanted.url)
        })
    }
}

fn source(account: &str, host: &str) -> Source {
    Source {
        account: Some(account.parse().unwrap()),
        provider: format!("{account}/{host}"),
        name: format!("arn:aws:iam::{account}:oidc-provider/{host}"),
        issuer: format!("https://{host}"),
        discovery_url: format!("https://{host}/.well-known/openid-configuration"),
        thumbprints: Vec::new(),
        insecure: false,
    }
}

fn keys() -> (Arc<ProviderKeys>, World) {
    let world = World::default();
    (Arc::new(ProviderKeys::new(Box::new(world.clone()))), world)
}

fn same(source: &Source) -> Option<Source> {
    Some(source.clone())
}

async fn ask(keys: &ProviderKeys, source: &Source, now: i64) -> Result<bool, NoKeys> {
    keys.keys(source, Some("1"), now).await.map(|found| found.waited)
}

/// A call in the background that has come as far as it can.
async fn asking(
    keys: &Arc<ProviderKeys>,
    source: &Source,
    now: i64,
) -> tokio::task::JoinHandle<Result<bool, NoKeys>> {
    let (keys, source) = (keys.clone(), source.clone());
    let task = tokio::spawn(async move { ask(&keys, &source, now).await });
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    task
}

#[tokio::test]
async fn a_changed_source_drops_the_keys_and_not_the_attempts() {
    let (keys, world) = keys();
    let old = source(A, "a.example");
    assert!(ask(&keys, &old, NOW).await.unwrap());
    assert!(!ask(&keys, &old, NOW).await.unwrap());
    let new = Source { thumbprints: vec!["0".repeat(40)], ..old };
    assert_eq!(ask(&keys, &new, NOW + 19).await, Err(NoKeys::TooOften));
    assert!(ask(&keys, &new, NOW + 20).await.unwrap());
    assert_eq!((world.asked().len(), keys.health(NOW).len()), (2, 1));
}

#[tokio::test]
async fn one_accounts_heavy_key_sets_push_out_its_own_alone() {
    let (keys, world) = keys();
    let honest = source(B, "honest.example");
    ask(&keys, &honest, NOW).await.unwrap();
    // Sixty of about 70 KB each.
    let heavy: Vec<String> =
        (1..=100).map(|n| if n == 1 { "1".into() } else { format!("{n:0500}") }).collect();
    for n in 0..60 {
        let host = format!("{n}.example");
        world.publish(&host, &heavy);
        ask(&keys, &source(A, &host), NOW + 1 + n).await.unwrap();
    }
    let left = keys.health(NOW);
    let of = |account: &str| left.iter().filter(|health| health.provider.contains(account)).count();
    assert_eq!(of(B), 1);
    assert!((20..35).contains(&of(A)), "{}", of(A));
    assert!(!ask(&keys, &honest, NOW + 61).await.unwrap(), "kept");
    assert!(!ask(&keys, &source(A, "59.example"), NOW + 61).await.unwrap(), "the one that was used last");
}

#[tokio::test]
async fn a_slow_account_does_not_keep_anothers_keys_from_being_renewed() {
    let (keys, world) = keys();
    for n in 0..3 {
        ask(&keys, &source(A, &format!("slow{n}.example")), NOW - 100).await.unwrap();
        world.slow(&format!("slow{n}.example"));
        ask(&keys, &source(B, &format!("quick{n}.example")), NOW).await.unwrap();
    }
    world.asked();
    let lanes: Vec<_> = (0..2)
        .map(|_| {
            let keys = keys.clone();
            tokio::spawn(async move { keys.refresh(NOW + 3000, same).await })
        })
        .collect();
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    let asked = world.asked();
    assert_eq!(asked.iter().filter(|host| host.starts_with("quick")).count(), 3, "{asked:?}");
    assert_eq!(asked.len(), 4, "one at a time of the slow account: {asked:?}");
    world.quick();
    for lane in lanes {
        lane.await.unwrap();
    }
    assert_eq!(world.asked().len(), 2);
}

#[tokio::test]
async fn whom_nobody_asks_for_in_a_day_and_who_is_gone_are_dropped_and_not_renewed() {
    let (keys, world) = keys();
    let (used, unused, gone) =
        (source(A, "used.example"), source(A, "unused.example"), source(A, "gone.example"));
    for source in [&used, &unused, &gone] {
        ask(&keys, source, NOW).await.unwrap();
    }
    world.asked();
    keys.refresh(NOW + 3000, |source| (*source != gone).then(|| source.clone())).await;
    let mut asked = world.asked();
    asked.sort();
    assert_eq!(asked, ["unused.example", "used.example"]);
    for hour in 1..24 {
        keys.refresh(NOW + hour * 3600, same).await;
    }
    ask(&keys, &used, NOW + 24 * 3600 - 1).await.unwrap();
    world.asked();
    keys.refresh(NOW + 24 * 3600, same).await;
    assert_eq!(world.asked(), ["used.example"]);
    assert_eq!(keys.health(NOW).len(), 1);
}

/// Whoever was woken for it must see that it is over, though nobody asks.
#[tokio::test]
async fn a_provider_that_failed_is_looked_after_until_it_answers() {
    let (keys, world) = keys();
    let (known, never) = (source(A, "known.example"), source(A, "never.example"));
    ask(&keys, &known, NOW).await.unwrap();
    world.answers().down = true;
    for source in [&known, &never] {
        assert!(keys.keys(source, Some("2"), NOW + 100).await.is_err());
    }
    let failing = || keys.health(NOW).iter().filter(|health| health.failing_since.is_some()).count();
    assert_eq!(failing(), 2);
    world.answers().down = false;
    world.asked();
    keys.refresh(NOW + 100 + RETRY_SECONDS - 1, same).await;
    assert!(world.asked().is_empty() && failing() == 2, "not at once");
    keys.refresh(NOW + 100 + RETRY_SECONDS, same).await;
    assert_eq!((world.asked().len(), failing()), (2, 0));
    keys.refresh(NOW + 100 + 2 * RETRY_SECONDS, same).await;
    assert_eq!(world.asked(), [""; 0], "and then no more than any other");
}

#[tokio::test]
async fn keys_past_their_time_count_only_once_their_provider_was_tried() {
    let (keys, world) = keys();
    let source = source(A, "a.example");
    ask(&keys, &source, NOW).await.unwrap();
    assert!(!ask(&keys, &source, NOW + 3599).await.unwrap());
    assert!(ask(&keys, &source, NOW + 3600).await.unwrap(), "fetched anew");
    assert_eq!(world.asked().len(), 2);
    world.answers().down = true;
    let over = NOW + 7200;
    assert!(ask(&keys, &source, over).await.unwrap(), "tried, and then the old ones count");
    for seconds in 1..120 {
        assert!(!ask(&keys, &source, over + seconds).await.unwrap(), "{seconds}");
    }
    assert_eq!(world.asked().len(), 1);
    assert!(ask(&keys, &source, over + 120).await.unwrap(), "nobody renews in the background");
    let end = NOW + 3600 + STALE_SECONDS_MAX;
    assert!(ask(&keys, &source, end).await.is_ok());
    assert!(matches!(ask(&keys, &source, end + 1).await, Err(NoKeys::TooOften)));
    assert!(matches!(ask(&keys, &source, end + 20).await, Err(NoKeys::Fetch(_))));
    assert_eq!(keys.health(NOW)[0].failing_since, Some(over));
}

#[tokio::test]
async fn whoever_waits_waits_for_one_fetch() {
    let (keys, world) = keys();
    let source = source(A, "a.example");
    world.slow("a.example");
    let mut calls = Vec::new();
    for _ in 0..5 {
        calls.push(asking(&keys, &source, NOW).await);
    }
    world.answers().down = true;
    world.quick();
    for call in calls {
        assert!(matches!(call.await.unwrap(), Err(NoKeys::Fetch(_))));
    }
    assert_eq!(world.asked().len(), 1);
}

#[tokio::test]
async fn an_account_fetches_four_at_once_and_more_are_to_try_again() {
    let (keys, world) = keys();
    let mut calls = Vec::new();
    for n in 0..5 {
        let host = format!("slow{n}.example");
        world.slow(&host);
        calls.push(asking(&keys, &source(A, &host), NOW).await);
    }
    let fifth = calls.pop().unwrap();
    assert!(fifth.is_finished(), "it waits for nobody");
    assert_eq!(fifth.await.unwrap(), Err(NoKeys::Busy));
    assert!(ask(&keys, &source(B, "b.example"), NOW).await.unwrap(), "another account has places of its own");
    // Nor was it counted as an attempt.
    world.quick();
    for call in calls {
        assert!(call.await.unwrap().unwrap());
    }
    assert!(ask(&keys, &source(A, "slow4.example"), NOW).await.unwrap());
}

#[tokio::test]
async fn attempts_are_twenty_seconds_apart() {
    let (keys, world) = keys();
    let source = source(A, "a.example");
    let unknown =
        async |now| keys.keys(&source, Some("2"), now).await.map(|found| found.keys.knows(Some("2")));
    for second in 0..120 {
        let found = unknown(NOW + second).await;
        let expected = if second % 20 == 0 { Ok(false) } else { Err(NoKeys::TooOften) };
        assert_eq!(found, expected, "{second}");
    }
    assert_eq!(world.asked().len(), 6);
    // A call that began before the last fetch did; and a clock that was put back.
    assert_eq!(unknown(NOW + 90).await, Err(NoKeys::TooOften));
    assert_eq!(unknown(NOW - 3600).await, Ok(false));
}
