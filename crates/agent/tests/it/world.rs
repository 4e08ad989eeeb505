//! An agent that listens, what programs send it, and a clock that stands.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use daypass_agent::{Agent, Settings, Trouble, World};
use daypass_authn::SystemRandom;
use daypass_model::MockClock;
use http::Method;
use rustls::RootCertStore;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::stub::Stub;

pub(crate) const INSTANCE: &str = "arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef0";
pub(crate) const SECRET: &str = "a-join-secret-of-forty-three-letters-or-so-";

/// A folder that goes with the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let path = std::env::temp_dir().join(format!("daypass-agent-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A server, an agent that joined there, and programs of its machine.
pub(crate) struct Machine {
    pub(crate) clock: Arc<MockClock>,
    pub(crate) stub: Arc<Stub>,
    pub(crate) scratch: Scratch,
    address: std::net::SocketAddr,
    running: JoinHandle<Result<(), Trouble>>,
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Machine {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// One whose settings are changed first.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Arc::new(MockClock::at("2026-01-02T03:04:05Z".parse().unwrap()));
        let stub = Stub::start(clock.clone(), SECRET).await;
        let machine = Self::at(clock, stub, Scratch::new(), change).await;
        machine.joined().await;
        machine
    }

    /// One at this server, in this folder. It may not have joined yet.
    pub(crate) async fn at(
        clock: Arc<MockClock>,
        stub: Arc<Stub>,
        scratch: Scratch,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = settings(&stub, &scratch);
        change(&mut settings);
        let world = World { clock: clock.clone(), random: Arc::new(SystemRandom) };
        let agent = Agent::listen(settings, world).await.unwrap();
        let address = agent.addresses()[0];
        let running = tokio::spawn(agent.run(std::future::pending(), || {}));
        Self { clock, stub, scratch, address, running }
    }

    /// Until it has what it asks for by itself at its start: nothing is under way when a test moves the clock.
    pub(crate) async fn joined(&self) {
        while self.get_v2("/healthz").await.json()["credentials"].is_null() {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// How it ended.
    pub(crate) async fn ended(mut self) -> Result<(), Trouble> {
        (&mut self.running).await.unwrap()
    }

    /// The same machine, its agent started again.
    pub(crate) async fn again(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        self.running.abort();
        let scratch = std::mem::replace(&mut self.scratch, Scratch::new());
        Self::at(self.clock.clone(), self.stub.clone(), scratch, change).await
    }

    pub(crate) async fn get(&self, path: &str, fields: &[(&str, &str)]) -> Said {
        self.ask(Method::GET, path, fields).await
    }

    /// With a session token.
    pub(crate) async fn get_v2(&self, path: &str) -> Said {
        let token = self.token(60).await;
        self.get(path, &[("x-aws-ec2-metadata-token", &token)]).await
    }

    pub(crate) async fn token(&self, seconds: u32) -> String {
        let seconds = seconds.to_string();
        let fields = [("x-aws-ec2-metadata-token-ttl-seconds", seconds.as_str())];
        let said = self.ask(Method::PUT, "/latest/api/token", &fields).await;
        assert_eq!((said.status, said.field("x-aws-ec2-metadata-token-ttl-seconds")), (200, Some(&*seconds)));
        said.body
    }

    /// Its credentials, by version 2.
    pub(crate) async fn credentials(&self) -> Value {
        let said = self.get_v2("/latest/meta-data/iam/security-credentials/Worker").await;
        assert_eq!(said.status, 200, "{}", said.body);
        serde_json::from_str(&said.body).unwrap()
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, fields: &[(&str, &str)]) -> Said {
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head.push_str(&format!("host: {}\r\n", self.address));
        }
        for (name, value) in fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        self.raw(&format!("{head}\r\n")).await
    }

    pub(crate) async fn raw(&self, request: &str) -> Said {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        Said::read(&answer)
    }
}

pub(crate) fn settings(stub: &Stub, scratch: &Scratch) -> Settings {
    let secret = scratch.join("secret");
    if !secret.exists() {
        private(&secret, SECRET);
    }
    Settings {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        allow_version_1: true,
        hop_limit: 1,
        server: stub.url(),
        roots: RootCertStore::empty(),
        state: scratch.join("state"),
        instance: Some(INSTANCE.into()),
        join_secret: Some(secret),
        cluster: None,
    }
}

/// A file that its owner alone reads.
pub(crate) fn private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) body: String,
    head: String,
}

impl Said {
    fn read(answer: &str) -> Self {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        Self { status, body: body.to_owned(), head: head.to_owned() }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}
