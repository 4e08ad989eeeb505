//! Whole calls in process: everything that a call is, from the request's proof to its audit event, without sockets and
//! disks. What authenticates and authorizes a caller is the greater part of each.

use std::hint::black_box;
use std::sync::Arc;

use allocation_counter::measure;
use daypass_authn::SystemRandom;
use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, SigningKeyCache, sign};
use daypass_authn::token::MasterKey;
use daypass_directory::Directory;
use daypass_model::{AccountId, Clock, Secret, SystemClock};
use daypass_service::federation::ProviderKeys;
use daypass_service::params::Params;
use daypass_service::sessions::SessionLog;
use daypass_service::{Audit, AuditLog, DecisionLog, Error, House, Request, Settings, call};
use daypass_store::MemoryStore;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::load::now;
use crate::question::{ACCOUNT, documents};

/// Rounds, of which the best counts, and the calls of one.
const ROUNDS: usize = 60;
const CALLS: usize = 300;
const ROLE: &str = "arn:aws:iam::111122223333:role/reader";

/// Prints a line for each of some calls.
pub(crate) fn print() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let (house, root) = runtime.block_on(open())?;
    let bench = Bench { runtime, house };
    let user = bench.set_up(&root)?;
    let assume = [("RoleArn", ROLE), ("RoleSessionName", "bench")];
    let session = bench.call(&user, "sts", "AssumeRole", &assume)?;
    let session = Keys::of(session.get("Credentials").ok_or("no credentials")?)?;
    println!("\nns a call in process, best of {ROUNDS} rounds, one thread; allocations of one call");
    bench.measure(
        "GetCallerIdentity, user: authenticated, nothing to authorize",
        &user,
        "sts",
        "GetCallerIdentity",
        &[],
    )?;
    bench.measure("GetCallerIdentity, session of a role", &session, "sts", "GetCallerIdentity", &[])?;
    bench.measure(
        "GetUser, user with 6 policies: authenticated and authorized",
        &user,
        "iam",
        "GetUser",
        &[("UserName", "app")],
    )?;
    bench.measure(
        "AssumeRole, user with 6 policies: two sides authorize, a session is issued",
        &user,
        "sts",
        "AssumeRole",
        &assume,
    )
}

/// Credentials of a caller.
struct Keys {
    id: String,
    secret: Secret,
    token: Option<String>,
}

impl Keys {
    fn of(answer: &Value) -> Outcome<Self> {
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let (id, secret) = text("AccessKeyId").zip(text("SecretAccessKey")).ok_or("no credentials")?;
        Ok(Self {
            id: id.to_owned(),
            secret: Secret::new(secret),
            token: text("SessionToken").map(str::to_owned),
        })
    }
}

/// Events go nowhere: the disk is not under test.
struct Nowhere;

impl AuditLog for Nowhere {
    fn reserve(&self, _: usize) -> Result<(), Error> {
        Ok(())
    }

    fn append(&self, lines: String, _: usize) -> bool {
        drop(black_box(lines));
        true
    }

    fn give_back(&self, _: usize) {}
}

/// A house with one account, and its root user's keys.
async fn open() -> Outcome<(House, Keys)> {
    let store = Arc::new(MemoryStore::new());
    let master = MasterKey::generate(&SystemRandom);
    let directory = Directory::open(store, master, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
    let account: AccountId = ACCOUNT.parse()?;
    let (record, secret) = directory.new_access_key(account, SystemClock.now().as_second())?;
    let root = Keys { id: record.id.to_string(), secret, token: None };
    directory.create_account(account, record, "bench").await?;
    let house = House {
        directory,
        audit: Audit::new(Box::new(Nowhere)),
        settings: Settings::default(),
        provider_keys: ProviderKeys::asking_nobody(),
        signing_keys: SigningKeyCache::new(100),
        assertions: daypass_service::federation::Assertions::default(),
        passwords: daypass_service::Passwords::default(),
        refusals: daypass_service::federation::Refusals::default(),
        decisions: DecisionLog::default(),
        session_log: SessionLog::in_memory(1000),
    };
    Ok((house, root))
}

struct Bench {
    runtime: Runtime,
    house: House,
}

impl Bench {
    /// A user with the five policies of the question and one for what it does here, and a role that trusts it.
    fn set_up(&self, root: &Keys) -> Outcome<Keys> {
        let own = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"{ROLE}"}},
  {{"Effect":"Allow","Action":"iam:Get*","Resource":"arn:aws:iam::*:user/${{aws:username}}"}}]}}"#
        );
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/app"},"Action":"sts:AssumeRole"}]}"#;
        let iam = |action: &str, params: &[(&str, &str)]| self.call(root, "iam", action, params);
        iam("CreateUser", &[("UserName", "app")])?;
        // Inline policies of a user have 2,048 characters in all, these have more.
        for (place, document) in documents(true).iter().chain([&own]).enumerate() {
            let name = format!("p{place}");
            iam("CreatePolicy", &[("PolicyName", &name), ("PolicyDocument", document)])?;
            let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
            iam("AttachUserPolicy", &[("UserName", "app"), ("PolicyArn", &arn)])?;
        }
        iam("CreateRole", &[("RoleName", "reader"), ("AssumeRolePolicyDocument", trust)])?;
        let answer = iam("CreateAccessKey", &[("UserName", "app")])?;
        Keys::of(answer.get("AccessKey").ok_or("no key")?)
    }

    /// Makes a call that must succeed.
    fn call(
        &self,
        who: &Keys,
        service: &'static str,
        action: &str,
        params: &[(&str, &str)],
    ) -> Outcome<Value> {
        let response = self.runtime.block_on(call(&self.house, request(who, service, action, params)?));
        match response.outcome {
            Ok(reply) => Ok(serde_json::to_value(&*reply)?),
            Err(error) => Err(format!("{action}: {error}").into()),
        }
    }

    fn measure(
        &self,
        name: &str,
        who: &Keys,
        service: &'static str,
        action: &str,
        params: &[(&str, &str)],
    ) -> Outcome<()> {
        self.call(who, service, action, params)?;
        let requests =
            |count| (0..count).map(|_| request(who, service, action, params)).collect::<Outcome<Vec<_>>>();
        let run = |requests: Vec<Request>| {
            self.runtime.block_on(async {
                for request in requests {
                    drop(black_box(call(&self.house, request).await));
                }
            });
        };
        let mut best = u128::MAX;
        for _ in 0..ROUNDS {
            // Made and signed before the clock runs.
            let requests = requests(CALLS)?;
            let started = now();
            run(requests);
            best = best.min(started.elapsed().as_nanos());
        }
        let one = requests(1)?;
        let allocations = measure(|| run(one)).count_total;
        println!("{:>10} {allocations:>6}  {name}", best / CALLS as u128);
        Ok(())
    }
}

/// A signed call as it comes out of the wire's hands.
fn request(who: &Keys, service: &'static str, action: &str, params: &[(&str, &str)]) -> Outcome<Request> {
    let mut http = HttpRequest::new("POST", "/", "").with_header("host", "daypass.test");
    let credentials = Credentials {
        access_key_id: &who.id,
        secret_access_key: &who.secret,
        session_token: who.token.as_deref(),
    };
    sign(&mut http, &credentials, "eu-west-1", service, SignatureForm::Header, SystemClock.now())?;
    let pairs = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(Request {
        id: "00000000-0000-4000-8000-000000000000".into(),
        secure: None,
        source_ip: Some([192, 0, 2, 10].into()),
        http,
        service,
        action: action.to_owned(),
        version: None,
        params: Params::from_pairs(pairs).map_err(|error| Error::new(error.code(), error.to_string())),
    })
}
