//! A daypass without sockets, and the clients that call it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, sign};
use daypass_authn::token::MasterKey;
use daypass_directory::{Directory, SessionRules};
use daypass_model::{AccountId, Clock, MockClock, Secret, SeededRandom};
use daypass_service::federation::ProviderKeys;
use daypass_service::params::Params;
use daypass_service::sessions::SessionLog;
use daypass_service::{Audit, AuditLog, Error, House, Reply, Request, Services, Settings, call};
use daypass_store::{COMMIT_CHANGES_MAX, Commit, MemoryStore, Record, Revision, Store};
use serde_json::Value;

use crate::providers::Providers;

/// The first account of every test house.
pub const ACCOUNT: &str = "111122223333";
/// Another, where a test has two.
pub const OTHER: &str = "444455556666";
/// What the master key is drawn from; houses draw from the numbers after it.
pub const SEED: u64 = 42;

/// Where everybody reaches a test house.
pub const BASE: &str = "https://sts.example.net";

/// Sessions that the log of a test house keeps.
const SESSIONS_MAX: usize = 1000;

/// A house with one account, and everything its calls left in the audit.
pub struct TestHouse {
    pub house: Arc<House>,
    pub clock: Arc<MockClock>,
    pub audit: Arc<Mutex<Vec<Value>>>,
    /// Bytes that are set aside in the audit.
    pub room: Arc<AtomicUsize>,
    pub root: Keys,
    /// The identity providers of the world outside.
    pub providers: Providers,
    store: Arc<dyn Store>,
    next_request: Mutex<u32>,
}

/// Credentials as a client holds them.
#[derive(Clone, Debug)]
pub struct Keys {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

struct Lines {
    events: Arc<Mutex<Vec<Value>>>,
    room: Arc<AtomicUsize>,
}

impl AuditLog for Lines {
    fn reserve(&self, bytes: usize) -> Result<(), Error> {
        self.room.fetch_add(bytes, Ordering::SeqCst);
        Ok(())
    }

    fn append(&self, lines: String, reserved: usize) -> bool {
        self.give_back(reserved);
        let events = lines.lines().map(|line| serde_json::from_str(line).expect("an audit line is JSON"));
        self.events.lock().unwrap().extend(events);
        true
    }

    fn give_back(&self, reserved: usize) {
        self.room.fetch_sub(reserved, Ordering::SeqCst);
    }
}

/// Who runs which service in every test house.
fn services() -> Services {
    let mut services = Services::default();
    services.register("scheduler.internal", ACCOUNT.parse().unwrap()).unwrap();
    services.register("batch.amazonaws.com", ACCOUNT.parse().unwrap()).unwrap();
    services
}

impl TestHouse {
    /// A fresh house; the clock stands at 2026-01-15T12:00:00Z.
    pub async fn new() -> Self {
        Self::on(Arc::new(MemoryStore::new())).await
    }

    /// The same on a store of the test's own.
    pub async fn on(store: Arc<dyn Store>) -> Self {
        let clock = Arc::new(MockClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
        let random = Arc::new(SeededRandom::new(SEED + 1));
        let mut house = Self::open(store, clock, random).await;
        house.root = account(&house.house, ACCOUNT).await;
        house
    }

    /// The same on a store of the test's own, where sessions depend on what `rules` say.
    pub async fn with_rules(rules: SessionRules) -> Self {
        let clock = Arc::new(MockClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
        let random = Arc::new(SeededRandom::new(SEED + 1));
        let log = SessionLog::in_memory(SESSIONS_MAX);
        let mut house = Self::open_with(Arc::new(MemoryStore::new()), clock, random, rules, log).await;
        house.root = account(&house.house, ACCOUNT).await;
        house
    }

    /// Another house that begins with everything this one knows, at the same moment, and goes its own way.
    pub async fn copy(&self) -> Self {
        self.copy_with(|record| record.value.clone()).await
    }

    /// The same, with every record as `change` makes it.
    pub async fn copy_with(&self, change: impl Fn(&Record) -> Bytes) -> Self {
        let store = MemoryStore::new();
        let (_, records) = self.stored().await;
        let puts = records.iter().map(|record| (record.key.to_string(), change(record))).collect();
        store.commit(Commit { puts, ..Commit::new() }).await.unwrap();
        let clock = Arc::new(MockClock::at(self.clock.now()));
        // Other randomness than the first house's: access key ids are never made twice.
        let mut house = Self::open(Arc::new(store), clock, Arc::new(SeededRandom::new(SEED + 2))).await;
        house.root = self.root.clone();
        house.providers.answer_as(&self.providers);
        for entry in
            self.house.session_log.read(0).await.index.search(None, None, usize::MAX, |_| true).entries
        {
            house.house.session_log.keep((*entry).clone());
        }
        house
    }

    /// The same house as an operator set it up who chose otherwise.
    pub fn with_settings(&self, settings: Settings) -> Self {
        let house = House {
            directory: self.house.directory.clone(),
            audit: Audit::new(Box::new(Lines { events: self.audit.clone(), room: self.room.clone() })),
            settings,
            session_log: SessionLog::in_memory(SESSIONS_MAX),
            provider_keys: ProviderKeys::new(Box::new(self.providers.clone())),
            signing_keys: daypass_authn::sigv4::SigningKeyCache::new(100),
            assertions: daypass_service::federation::Assertions::default(),
            passwords: daypass_service::Passwords::default(),
            refusals: daypass_service::federation::Refusals::default(),
            decisions: daypass_service::DecisionLog::default(),
        };
        Self {
            house: Arc::new(house),
            clock: self.clock.clone(),
            audit: self.audit.clone(),
            room: self.room.clone(),
            root: self.root.clone(),
            providers: self.providers.clone(),
            store: self.store.clone(),
            next_request: Mutex::new(0),
        }
    }

    /// Everything in the store, and the revision: the same before and after a call that changed nothing.
    pub async fn stored(&self) -> (Revision, Vec<Record>) {
        self.store.load("/").await.unwrap()
    }

    /// Put records into the store as nobody's call, and return once the house knows them.
    pub async fn put(&self, puts: Vec<(String, Bytes)>) {
        let mut followed = self.house.directory.revisions();
        for puts in puts.chunks(COMMIT_CHANGES_MAX) {
            let commit = Commit { puts: puts.to_vec(), ..Commit::new() };
            let revision = self.store.commit(commit).await.unwrap();
            let far_enough = |state: &Result<Revision, String>| *state.as_ref().unwrap() >= revision;
            followed.wait_for(far_enough).await.unwrap();
        }
    }

    /// The present moment, in Unix seconds.
    pub fn clock_now(&self) -> i64 {
        self.clock.now().as_second()
    }

    async fn open(store: Arc<dyn Store>, clock: Arc<MockClock>, random: Arc<SeededRandom>) -> Self {
        let log = SessionLog::in_memory(SESSIONS_MAX);
        Self::open_with(store, clock, random, SessionRules::default(), log).await
    }

    /// The same with a session log of the test's own.
    pub async fn with_log(log: SessionLog) -> Self {
        let clock = Arc::new(MockClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
        let (store, random) = (Arc::new(MemoryStore::new()), Arc::new(SeededRandom::new(SEED + 1)));
        let mut house = Self::open_with(store, clock, random, SessionRules::default(), log).await;
        house.root = account(&house.house, ACCOUNT).await;
        house
    }

    async fn open_with(
        store: Arc<dyn Store>,
        clock: Arc<MockClock>,
        random: Arc<SeededRandom>,
        rules: SessionRules,
        session_log: SessionLog,
    ) -> Self {
        let master = MasterKey::generate(&SeededRandom::new(SEED));
        let directory =
            Directory::open_with(store.clone(), master, clock.clone(), random, rules).await.unwrap();
        let (audit, room) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let providers = Providers::default();
        let house = House {
            directory,
            audit: Audit::new(Box::new(Lines { events: audit.clone(), room: room.clone() })),
            settings: Settings {
                issuer_base: Some(BASE.to_owned()),
                services: services(),
                ..Settings::default()
            },
            session_log,
            provider_keys: ProviderKeys::new(Box::new(providers.clone())),
            signing_keys: daypass_authn::sigv4::SigningKeyCache::new(100),
            assertions: daypass_service::federation::Assertions::default(),
            passwords: daypass_service::Passwords::default(),
            refusals: daypass_service::federation::Refusals::default(),
            decisions: daypass_service::DecisionLog::default(),
        };
        let nobody =
            Keys { access_key_id: String::new(), secret_access_key: String::new(), session_token: None };
        let next_request = Mutex::new(0);
        Self { house: Arc::new(house), clock, audit, room, root: nobody, providers, store, next_request }
    }

    /// Another account; its root keys.
    pub async fn account(&self, id: &str) -> Keys {
        account(&self.house, id).await
    }

    /// Call an operation with a header signature; the answer as JSON (`null` for a void reply).
    pub async fn call(
        &self,
        who: &Keys,
        service: &'static str,
        action: &str,
        params: &[(&str, &str)],
    ) -> Result<Value, Error> {
        let pairs = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let version = match service {
            "sts" => "2011-06-15",
            "iam" => "2010-05-08",
            _ => "2026-11-01",
        };
        let params = Params::from_pairs(pairs).map_err(|error| Error::new(error.code(), error.to_string()));
        self.send(who, service, action, version, params).await
    }

    /// Call an operation of daypass's own API with a JSON body.
    pub async fn call_json(&self, who: &Keys, action: &str, body: &Value) -> Result<Value, Error> {
        let params = Params::from_json(body.to_string().as_bytes())
            .map_err(|error| Error::new(error.code(), error.to_string()));
        self.send(who, "daypass", action, "2026-11-01", params).await
    }

    /// Call an operation of a service that speaks REST, with everything in the body.
    pub async fn call_rest(
        &self,
        who: &Keys,
        service: &'static str,
        action: &str,
        body: &Value,
    ) -> Result<Value, Error> {
        let params = Params::from_json(body.to_string().as_bytes())
            .map_err(|error| Error::new(error.code(), error.to_string()));
        self.send(who, service, action, "", params).await
    }

    /// The same as root, where it must succeed.
    pub async fn root(&self, service: &'static str, action: &str, params: &[(&str, &str)]) -> Value {
        let answer = self.call(&self.root, service, action, params).await;
        answer.unwrap_or_else(|error| panic!("{action} {params:?}: {error}"))
    }

    /// A user with an access key and, if given, an inline policy.
    pub async fn user(&self, name: &str, policy: Option<&str>) -> Keys {
        self.root("iam", "CreateUser", &[("UserName", name)]).await;
        if let Some(document) = policy {
            let params = [("UserName", name), ("PolicyName", "p"), ("PolicyDocument", document)];
            self.root("iam", "PutUserPolicy", &params).await;
        }
        Keys::of(&self.root("iam", "CreateAccessKey", &[("UserName", name)]).await["AccessKey"])
    }

    async fn send(
        &self,
        who: &Keys,
        service: &'static str,
        action: &str,
        version: &str,
        params: Result<Params, Error>,
    ) -> Result<Value, Error> {
        let http =
            self.signed(who, service, HttpRequest::new("POST", "/", "").with_header("host", "daypass.test"));
        self.send_http(http, service, action, version, params).await
    }

    /// Call an operation with a request that carries whatever proof the test gave it.
    pub async fn send_http(
        &self,
        http: HttpRequest,
        service: &'static str,
        action: &str,
        version: &str,
        params: Result<Params, Error>,
    ) -> Result<Value, Error> {
        let reply = self.reply(http, service, action, version, params).await?;
        Ok(serde_json::to_value(&*reply).unwrap())
    }

    /// The same as the server gets it: with its members in order.
    pub async fn reply(
        &self,
        http: HttpRequest,
        service: &'static str,
        action: &str,
        version: &str,
        params: Result<Params, Error>,
    ) -> Result<Reply, Error> {
        let id = {
            let mut next = self.next_request.lock().unwrap();
            *next += 1;
            request_id(*next)
        };
        let request = Request {
            id,
            source_ip: Some("192.0.2.10".parse().unwrap()),
            secure: None,
            http,
            service,
            action: action.to_owned(),
            version: Some(version.to_owned()),
            params,
        };
        call(&self.house, request).await.outcome
    }

    /// The id of the request that was made last.
    pub fn last_request_id(&self) -> String {
        request_id(*self.next_request.lock().unwrap())
    }

    /// The id that the next request will have.
    pub fn next_request_id(&self) -> String {
        request_id(*self.next_request.lock().unwrap() + 1)
    }

    /// Sign a request in header form, now, for eu-west-1.
    pub fn signed(&self, who: &Keys, service: &str, mut request: HttpRequest) -> HttpRequest {
        let secret = Secret::new(who.secret_access_key.as_str());
        let credentials = Credentials {
            access_key_id: &who.access_key_id,
            secret_access_key: &secret,
            session_token: who.session_token.as_deref(),
        };
        sign(&mut request, &credentials, "eu-west-1", service, SignatureForm::Header, self.clock.now())
            .unwrap();
        request
    }
}

fn request_id(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

impl Keys {
    /// From `Credentials` or `AccessKey` of an answer.
    pub fn of(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        Self {
            access_key_id: text("AccessKeyId").expect("AccessKeyId"),
            secret_access_key: text("SecretAccessKey").expect("SecretAccessKey"),
            session_token: text("SessionToken"),
        }
    }
}

async fn account(house: &House, id: &str) -> Keys {
    let account: AccountId = id.parse().unwrap();
    let now = house.now().as_second();
    let (record, secret) = house.directory.new_access_key(account, now).unwrap();
    let access_key_id = record.id.to_string();
    house.directory.create_account(account, record, "test").await.unwrap();
    Keys { access_key_id, secret_access_key: secret.expose_str().to_owned(), session_token: None }
}
