//! As which instance the agent speaks: it joins once, by a secret that is good for that one instance, and proves every later
//! call by its key. What it hears is kept on shelves.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use data_encoding::HEXLOWER;
use daypass_authn::machine::{MachineKey, Purpose};
use daypass_model::Secret;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::credentials::Credentials;
use crate::shelf::{Fetched, Shelf, Shown};
use crate::state::{Joined, State, read_private};
use crate::upstream::{CallError, Upstream};
use crate::{Settings, Trouble, World};

/// For how long what the server says of the instance is taken as true, in seconds.
const FACTS_SECONDS: i64 = 300;
/// How long to wait for the next try to join.
const JOIN_AGAIN: Duration = Duration::from_secs(5);

/// By which version of instance metadata credentials are told: of those of version 1 policies may say no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Version1,
    Version2,
}

/// What the server says of the instance.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) instance_id: String,
    /// Unix seconds.
    pub(crate) at: i64,
    pub(crate) profile: Option<Profile>,
}

/// Its instance profile.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) arn: String,
    pub(crate) id: String,
    pub(crate) role: Option<String>,
}

/// The machine.
pub(crate) struct Machine {
    pub(crate) world: World,
    upstream: Upstream,
    identity: OnceLock<Identity>,
    facts: Arc<Shelf<Facts>>,
    version_1: Arc<Shelf<Credentials>>,
    version_2: Arc<Shelf<Credentials>>,
}

struct Identity {
    instance: String,
    key: MachineKey,
}

impl Machine {
    pub(crate) fn new(settings: &Settings, world: World) -> Result<Arc<Self>, Trouble> {
        Ok(Arc::new(Self {
            world,
            upstream: Upstream::new(&settings.server, settings.roots.clone())?,
            identity: OnceLock::new(),
            facts: Shelf::new("the instance"),
            version_1: Shelf::new("credentials by version 1"),
            version_2: Shelf::new("credentials by version 2"),
        }))
    }

    /// Take the identity that is kept, or join. Waits for as long as the server is away.
    ///
    /// # Errors
    /// There is nothing to join with, or the server refuses.
    pub(crate) async fn join(&self, settings: &Settings) -> Result<(), Trouble> {
        let state = State::open(&settings.state)?;
        let secret = settings.join_secret.as_deref().map(|path| {
            read_private(path)
                .map_err(|error| Trouble::new(format!("--join-secret-file {}: {error}", path.display())))
        });
        let kept = state.joined()?.zip(state.key()?);
        let (joined, key) = match (kept, secret) {
            // A secret that is spent may be gone.
            (Some((joined, key)), None | Some(Err(_))) => (joined, key),
            (Some((joined, key)), Some(Ok(secret))) if joined.secret_hash == hash(&secret) => (joined, key),
            (_, None) => {
                return Err(Trouble::new(
                    "this machine has not joined: give --instance and --join-secret-file, as daypass:RegisterInstance answered them",
                ));
            }
            (_, Some(Err(trouble))) => return Err(trouble),
            (_, Some(Ok(secret))) => {
                let instance = settings.instance.clone().ok_or_else(|| {
                    Trouble::new("--join-secret-file needs --instance, the ARN that the secret is for")
                })?;
                // A key is made for one joining: no proof by it is good elsewhere.
                let key = MachineKey::generate().map_err(|error| Trouble::new(error.to_string()))?;
                let joined = Joined { instance, secret_hash: hash(&secret), done: false };
                state.keep(&key, &joined)?;
                (joined, key)
            }
        };
        if settings.instance.as_ref().is_some_and(|instance| *instance != joined.instance) {
            return Err(Trouble::new(format!(
                "this machine joined as {}: remove {} to join as another",
                joined.instance,
                settings.state.display()
            )));
        }
        if !joined.done {
            let path = settings.join_secret.as_deref().ok_or_else(|| {
                Trouble::new("this machine has not joined to the end: give --join-secret-file again")
            })?;
            let secret = read_private(path)
                .map_err(|error| Trouble::new(format!("--join-secret-file {}: {error}", path.display())))?;
            self.ask_to_join(&joined.instance, &key, &secret).await?;
            state.keep(&key, &Joined { done: true, ..joined.clone() })?;
        }
        tracing::info!(instance = joined.instance, server = self.upstream.url(), "joined");
        drop(self.identity.set(Identity { instance: joined.instance, key }));
        // Whoever asked before that heard that there is nothing.
        self.facts.expire();
        Ok(())
    }

    async fn ask_to_join(&self, instance: &str, key: &MachineKey, secret: &Secret) -> Result<(), Trouble> {
        let (public, secret) = (key.public().text(), secret.expose_str().trim());
        let params = [("PublicKey", public.as_str()), ("JoinSecret", secret)];
        let mut told = false;
        loop {
            match self.prove_and_call(key, instance, "JoinInstance", &params).await {
                Ok(_) => return Ok(()),
                Err(CallError::Refused { code, message, .. }) => {
                    return Err(Trouble::new(format!(
                        "this machine may not join as {instance}: {code}: {message}. If the secret was never used here, somebody else has used it: deregister the instance or renew its secret (daypass:RenewJoinSecret), which ends what that machine got, and look in the audit for JoinInstance"
                    )));
                }
                Err(CallError::Away(why)) => {
                    if !told {
                        tracing::warn!(why, "the server does not answer: waiting to join");
                        told = true;
                    }
                    tokio::time::sleep(JOIN_AGAIN).await;
                }
            }
        }
    }

    /// Whether it may ask for anything.
    pub(crate) fn has_joined(&self) -> bool {
        self.identity.get().is_some()
    }

    /// What the server says of the instance.
    pub(crate) async fn facts(self: &Arc<Self>) -> Shown<Facts> {
        let machine = self.clone();
        let fetch = move || async move {
            let answer = machine.call("GetInstanceMetadata", &[]).await?;
            let now = machine.world.now();
            let value = Facts::read(&answer, now).ok_or_else(not_understood)?;
            Ok(Fetched { value, refresh_at: now + FACTS_SECONDS })
        };
        self.facts.get(&self.world, fetch).await
    }

    /// Credentials of the role of its instance profile.
    pub(crate) async fn credentials(self: &Arc<Self>, delivery: Delivery) -> Shown<Credentials> {
        let shelf = self.shelf(delivery);
        let machine = self.clone();
        let fetch = move || async move {
            let delivery = match delivery {
                Delivery::Version1 => "1.0",
                Delivery::Version2 => "2.0",
            };
            let answer = machine.call("GetInstanceCredentials", &[("RoleDelivery", delivery)]).await?;
            machine.taken(&answer)
        };
        shelf.get(&self.world, fetch).await
    }

    /// Credentials of the role of another profile than before are not the right ones, however new they are.
    pub(crate) fn role_is_another(&self, delivery: Delivery) {
        self.shelf(delivery).expire();
    }

    /// Credentials that there are, without asking.
    pub(crate) fn at_hand(&self) -> Shown<Credentials> {
        self.version_2.shown()
    }

    /// Credentials of a task that runs here, for whoever has its token.
    pub(crate) async fn of_task(&self, task: &str, token: &str) -> Result<Fetched<Credentials>, CallError> {
        let params = [("TaskId", task), ("AuthorizationToken", token)];
        let answer = self.call("GetTaskCredentials", &params).await?;
        self.taken(&answer)
    }

    fn shelf(&self, delivery: Delivery) -> &Arc<Shelf<Credentials>> {
        match delivery {
            Delivery::Version1 => &self.version_1,
            Delivery::Version2 => &self.version_2,
        }
    }

    fn taken(&self, answer: &Value) -> Result<Fetched<Credentials>, CallError> {
        let value = Credentials::read(answer, self.world.now()).ok_or_else(not_understood)?;
        let refresh_at = value.refresh_at(&self.world);
        tracing::info!(
            role = value.role_arn,
            access_key_id = value.access_key_id,
            expires = crate::credentials::time(value.expires_at),
            "new credentials"
        );
        Ok(Fetched { value, refresh_at })
    }

    async fn call(&self, action: &str, params: &[(&str, &str)]) -> Result<Value, CallError> {
        let not_yet = || CallError::Away("this machine has not joined yet".into());
        let identity = self.identity.get().ok_or_else(not_yet)?;
        self.prove_and_call(&identity.key, &identity.instance, action, params).await
    }

    async fn prove_and_call(
        &self,
        key: &MachineKey,
        instance: &str,
        action: &str,
        params: &[(&str, &str)],
    ) -> Result<Value, CallError> {
        let purpose = Purpose { instance, action, params };
        let proof = key.prove(&purpose, &self.upstream.url(), self.world.now(), &*self.world.random);
        let proof = proof.map_err(|error| CallError::Away(error.to_string()))?;
        let text = |(name, value): &(&str, &str)| ((*name).to_owned(), Value::from(*value));
        let mut body: Map<String, Value> = params.iter().map(text).collect();
        body.insert("InstanceArn".into(), instance.into());
        body.insert("Proof".into(), proof.expose_str().into());
        self.upstream.call(action, &Value::Object(body)).await
    }
}

impl Facts {
    fn read(answer: &Value, at: i64) -> Option<Self> {
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        let profile = text("InstanceProfileArn").zip(text("InstanceProfileId"));
        Some(Self {
            account: text("AccountId")?,
            region: text("Region")?,
            instance_id: text("InstanceId")?,
            at,
            profile: profile.map(|(arn, id)| Profile { arn, id, role: text("RoleName") }),
        })
    }
}

fn not_understood() -> CallError {
    CallError::Away("the server's answer is not what it should be".into())
}

fn hash(secret: &Secret) -> String {
    HEXLOWER.encode(&Sha256::digest(secret.expose_str().trim()))
}
