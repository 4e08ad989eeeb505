//! A daypass without sockets, to which a story of calls can be sent, each signed as it must be.
//!
//! ```text
//! story = line*                  one call a line
//! line  = Action=…&Name=…        STS or IAM, a form
//!       | Action {…}             daypass's own API, JSON
//!       | root                   from here on root calls; at first it does
//! ```
//!
//! Credentials that an answer shows call from the next line on. So a story can make a user, give it a
//! policy, assume a role and use the session, and a fuzzer can rearrange all of it.

use std::sync::{Arc, Mutex, PoisonError};

use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, SigningKeyCache, sign};
use daypass_authn::token::MasterKey;
use daypass_directory::Directory;
use daypass_model::{AccountId, MockClock, Secret, SeededRandom};
use daypass_server::wire::{json, query, xml};
use daypass_service::params::{Params, ParamsError};
use daypass_service::sessions::SessionLog;
use daypass_service::{Audit, AuditLog, Error, Request, Response, Settings, call, shapes};
use daypass_store::MemoryStore;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::noon;

/// Calls of one story that are made.
const CALLS_MAX: usize = 20;

/// One account on a memory store.
pub struct House {
    house: daypass_service::House,
    audit: Arc<Mutex<String>>,
    root: Keys,
    caller: Keys,
    runtime: Runtime,
}

#[derive(Clone)]
struct Keys {
    id: String,
    secret: Secret,
    token: Option<String>,
}

/// Room without end: the events are under test, not the disk.
struct Lines(Arc<Mutex<String>>);

impl AuditLog for Lines {
    fn reserve(&self, _: usize) -> Result<(), Error> {
        Ok(())
    }

    fn append(&self, lines: String, _: usize) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(&lines);
        true
    }

    fn give_back(&self, _: usize) {}
}

impl House {
    /// A fresh house, the same every time.
    ///
    /// # Panics
    /// When it cannot be made, which no input causes.
    #[must_use]
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let random = Arc::new(SeededRandom::new(43));
        let master = MasterKey::generate(&SeededRandom::new(42));
        let clock = Arc::new(MockClock::at(noon()));
        let opened = runtime.block_on(Directory::open(Arc::new(MemoryStore::new()), master, clock, random));
        let directory = opened.expect("an empty store opens");
        let account: AccountId = "111122223333".parse().expect("an account");
        let (record, secret) = directory.new_access_key(account, noon().as_second()).expect("a first key");
        let root = Keys { id: record.id.to_string(), secret, token: None };
        runtime.block_on(directory.create_account(account, record, "first")).expect("a first account");
        let audit = Arc::new(Mutex::new(String::new()));
        let house = daypass_service::House {
            directory,
            audit: Audit::new(Box::new(Lines(audit.clone()))),
            settings: Settings::default(),
            session_log: SessionLog::in_memory(CALLS_MAX),
            assertions: daypass_service::federation::Assertions::default(),
            passwords: daypass_service::Passwords::default(),
            refusals: daypass_service::federation::Refusals::default(),
            decisions: daypass_service::DecisionLog::default(),
            provider_keys: daypass_service::federation::ProviderKeys::asking_nobody(),
            signing_keys: SigningKeyCache::new(16),
        };
        Self { house, audit, caller: root.clone(), root, runtime }
    }

    /// Make the calls of a story, and render every answer.
    ///
    /// # Panics
    /// On any finding.
    pub fn tell(mut self, story: &[u8]) {
        for line in story.split(|byte| *byte == b'\n').take(CALLS_MAX) {
            match line.iter().position(|byte| *byte == b' ') {
                _ if line == b"root" => self.caller = self.root.clone(),
                Some(space) if line[space..].starts_with(b" {") => {
                    let action = String::from_utf8_lossy(&line[..space]).into_owned();
                    self.call(action, &line[space + 1..], Params::from_json(&line[space + 1..]));
                }
                _ => self.call_form(line),
            }
        }
        let audit = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        for line in audit.lines() {
            serde_json::from_str::<Value>(line).expect("an audit line is JSON");
        }
    }

    fn call_form(&mut self, form: &[u8]) {
        const FORM: &[u8] = b"application/x-www-form-urlencoded";
        let Ok(pairs) = query::pairs("POST", "", FORM, form) else { return };
        let (mut action, mut rest) = (String::new(), Vec::new());
        for (name, value) in pairs {
            match name.as_str() {
                "Action" => action = value,
                "Version" => {}
                _ => rest.push((name, value)),
            }
        }
        self.call(action, form, Params::from_pairs(rest));
    }

    fn call(&mut self, action: String, body: &[u8], params: Result<Params, ParamsError>) {
        let known = |service: &&&str| shapes::operation(service, &action).is_some();
        let Some(service) = ["sts", "iam", "daypass"].iter().find(known) else { return };
        let mut http = HttpRequest::new("POST", "/", body.to_vec()).with_header("host", "daypass.test");
        let credentials = Credentials {
            access_key_id: &self.caller.id,
            secret_access_key: &self.caller.secret,
            session_token: self.caller.token.as_deref(),
        };
        sign(&mut http, &credentials, "eu-west-1", service, SignatureForm::Header, noon()).expect("signs");
        let request = Request {
            id: "00000000-0000-4000-8000-000000000000".into(),
            source_ip: Some([192, 0, 2, 10].into()),
            secure: None,
            http,
            service,
            action,
            version: None,
            params: params.map_err(|error| Error::new(error.code(), error.to_string())),
        };
        let response = self.runtime.block_on(call(&self.house, request));
        if let Some(keys) = render(service, &response).as_ref().and_then(shown) {
            let audit = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
            assert!(!audit.contains(keys.secret.expose_str()), "a secret in the audit");
            drop(audit);
            self.caller = keys;
        }
    }
}

impl Default for House {
    fn default() -> Self {
        Self::new()
    }
}

/// Every answer can be written, in either format; what it says if it is no error.
fn render(service: &str, response: &Response) -> Option<Value> {
    let (id, action) = (&response.request_id, &response.action);
    match &response.outcome {
        Ok(reply) => {
            if service != "daypass" {
                xml::reply(service, action, id, &**reply).expect("an answer can be written as XML");
            }
            let bytes = json::query_reply(action, id, &**reply).expect("an answer can be written as JSON");
            Some(serde_json::from_slice(&bytes).expect("JSON is JSON"))
        }
        Err(error) => {
            assert_ne!(error.code, "InternalFailure", "{action}: {error}");
            drop(xml::error(service, id, error.code, &error.message, true));
            None
        }
    }
}

/// The credentials in an answer.
fn shown(answer: &Value) -> Option<Keys> {
    let members = answer.as_object()?;
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    match (text("AccessKeyId"), text("SecretAccessKey")) {
        (Some(id), Some(secret)) => Some(Keys {
            id: id.to_owned(),
            secret: Secret::new(secret),
            token: text("SessionToken").map(str::to_owned),
        }),
        _ => members.values().find_map(shown),
    }
}
