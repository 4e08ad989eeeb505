//! The identity providers of the world outside, as far as a house without sockets can ask them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use daypass_service::federation::{Fetch, FetchError, Fetched, Fetching, Wanted};
use serde_json::json;
use tokio::sync::Notify;

use crate::oidc_issuer::{Key, key_set};

/// What each URL answers, and who asked.
#[derive(Clone, Default)]
pub struct Providers(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    answers: HashMap<String, Result<Fetched, FetchError>>,
    asked: Vec<String>,
    /// Forms that were sent, and the `Authorization` beside each.
    posted: Vec<(String, Option<String>)>,
    /// URLs that do not answer yet.
    held: HashSet<String>,
    go_on: Arc<Notify>,
}

impl Providers {
    /// An issuer with these keys, from now on.
    pub fn publish(&self, issuer: &str, keys: &[(&str, &Key)]) {
        self.publish_for(issuer, keys, None);
    }

    /// The same where its server says how long that is good, in seconds.
    pub fn publish_for(&self, issuer: &str, keys: &[(&str, &Key)], max_age: Option<i64>) {
        let keys: Vec<_> = keys.iter().map(|(id, key)| key.jwk(id)).collect();
        let key_set_url = format!("{issuer}/keys");
        let document = json!({"issuer": issuer, "jwks_uri": key_set_url}).to_string().into_bytes();
        self.answer(
            &format!("{issuer}/.well-known/openid-configuration"),
            Ok(Fetched { body: document, max_age: None }),
        );
        self.answer(&key_set_url, Ok(Fetched { body: key_set(&keys), max_age }));
    }

    /// What a URL with its query answers from now on.
    pub fn answer(&self, url: &str, answer: Result<Fetched, FetchError>) {
        self.0.lock().unwrap().answers.insert(url.to_owned(), answer);
    }

    /// What another world answers, from now on.
    pub fn answer_as(&self, other: &Providers) {
        let answers = other.0.lock().unwrap().answers.clone();
        self.0.lock().unwrap().answers = answers;
    }

    /// An issuer that answers no more.
    pub fn go_away(&self, issuer: &str) {
        let gone = |url: &String| FetchError::Unreachable(url.clone(), "connection refused".into());
        let mut world = self.0.lock().unwrap();
        for (url, answer) in world.answers.iter_mut().filter(|(url, _)| url.starts_with(issuer)) {
            *answer = Err(gone(url));
        }
    }

    /// A URL that does not answer until it is told to.
    pub fn hold(&self, url: &str) {
        self.0.lock().unwrap().held.insert(url.to_owned());
    }

    /// Let everybody answer.
    pub fn go_on(&self) {
        let mut world = self.0.lock().unwrap();
        world.held.clear();
        world.go_on.notify_waiters();
    }

    /// Every URL that was asked since this was asked last.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }
}

impl Providers {
    /// Every form that was sent since this was asked last, with the `Authorization` beside it.
    pub fn posted(&self) -> Vec<(String, Option<String>)> {
        std::mem::take(&mut self.0.lock().unwrap().posted)
    }
}

impl Fetch for Providers {
    fn fetch<'a>(&'a self, wanted: Wanted<'a>) -> Fetching<'a> {
        Box::pin(async move {
            let query = wanted.query.map(|query| format!("?{}", query.expose_str()));
            let asked = format!("{}{}", wanted.url, query.unwrap_or_default());
            let go_on = {
                let mut world = self.0.lock().unwrap();
                world.asked.push(asked.clone());
                if let Some(form) = wanted.form {
                    let authorization = form.authorization.map(|secret| secret.expose_str().to_owned());
                    world.posted.push((form.body.expose_str().to_owned(), authorization));
                }
                world.go_on.clone()
            };
            while self.0.lock().unwrap().held.contains(wanted.url) {
                go_on.notified().await;
            }
            let nowhere = || Err(FetchError::Unreachable(wanted.url.to_owned(), "no such host".into()));
            self.0.lock().unwrap().answers.get(&asked).cloned().unwrap_or_else(nowhere)
        })
    }
}
