//! As which instance the agent speaks: it joins once, by a secret that is good for that one instance, and proves every later
//! call by its key. What it hears is kept on shelves.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use data_encoding::HEXLOWER;
use daypass_authn::machine::{JOINED_BEFORE, MachineKey, PROOF_USED_BEFORE, Purpose};
use daypass_model::Secret;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::credentials::Credentials;
use crate::pod;
use crate::shelf::{Fetched, Shelf, Shown};
use crate::state::{Identity, Slot, State, read_private};
use crate::upstream::{CallError, Upstream};
use crate::{Settings, Trouble, World};

/// For how long what the server says of the instance is taken as true, in seconds.
const FACTS_SECONDS: i64 = 300;
/// How long to wait for the next try to join.
const JOIN_AGAIN: Duration = Duration::from_secs(5);
/// Credentials that are newer, in seconds, are not replaced because the server says that they are over.
const NEW_SECONDS: i64 = 10;

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
    /// Its unique id, of a server that tells it.
    pub(crate) role_id: Option<String>,
}

/// The machine.
pub(crate) struct Machine {
    pub(crate) world: World,
    upstream: Upstream,
    identity: OnceLock<Speaker>,
    facts: Arc<Shelf<Facts>>,
    /// The unique id of the role that the instance had when that was asked last.
    role_id: Mutex<Option<String>>,
    version_1: Arc<Shelf<Credentials>>,
    version_2: Arc<Shelf<Credentials>>,
    /// A session of this machine ended before its time, since that was asked last.
    was_ended: AtomicBool,
}

/// As whom it speaks.
struct Speaker {
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
            role_id: Mutex::new(None),
            version_1: Shelf::new("credentials by version 1"),
            version_2: Shelf::new("credentials by version 2"),
            was_ended: AtomicBool::new(false),
        }))
    }

    /// Take the identity that is kept, or join. Waits for as long as the server is away.
    ///
    /// # Errors
    /// There is nothing to join with, or the server refuses.
    pub(crate) async fn join(&self, settings: &Settings) -> Result<(), Trouble> {
        let state = State::open(&settings.state)?;
        let secret = settings.join_secret.as_deref().map(|path| {
            let told = |error| Trouble::new(format!("--join-secret-file {}: {error}", path.display()));
            read_private(path).map_err(|error| (error.kind() == ErrorKind::NotFound, told(error)))
        });
        let had_joined = "it had joined";
        let (identity, what) = match (state.identity(Slot::Present)?, secret) {
            // A secret that is spent may be gone.
            (Some(present), None | Some(Err((true, _)))) => (present, had_joined),
            (Some(present), Some(Ok(secret))) if present.secret_hash == hash(&secret) => {
                (present, had_joined)
            }
            (_, Some(Ok(secret))) => (self.join_by(settings, &state, &secret).await?, "joined"),
            // One that is there and cannot be read may be a new one.
            (_, Some(Err((_, trouble)))) => return Err(trouble),
            (None, None) => {
                return Err(Trouble::new(
                    "this machine has not joined: give --instance and --join-secret-file, as daypass:RegisterInstance answered them",
                ));
            }
        };
        if settings.instance.as_ref().is_some_and(|instance| *instance != identity.instance) {
            return Err(Trouble::new(format!(
                "this machine joined as {}: remove {} to join as another",
                identity.instance,
                settings.state.display()
            )));
        }
        tracing::info!(instance = identity.instance, server = self.upstream.url(), "{what}");
        let key = identity.key()?;
        drop(self.identity.set(Speaker { instance: identity.instance, key }));
        // Whoever asked before that heard that there is nothing.
        self.facts.expire();
        Ok(())
    }

    /// Join by a secret that was not used here to the end.
    async fn join_by(
        &self,
        settings: &Settings,
        state: &State,
        secret: &Secret,
    ) -> Result<Identity, Trouble> {
        // A try for another instance, by a flag that was mistyped, is not gone on with.
        let is_of_instance =
            |begun: &Identity| settings.instance.as_ref().is_none_or(|instance| *instance == begun.instance);
        let begun = state.identity(Slot::Joining)?;
        let begun = begun.filter(|begun| begun.secret_hash == hash(secret) && is_of_instance(begun));
        let identity = match begun {
            Some(begun) => begun,
            None => {
                let instance = settings.instance.clone().ok_or_else(|| {
                    Trouble::new("--join-secret-file needs --instance, the ARN that the secret is for")
                })?;
                // A key is made for one joining: no proof by it is good elsewhere.
                let key = MachineKey::generate().map_err(|error| Trouble::new(error.to_string()))?;
                let identity = Identity::new(instance, hash(secret), &key);
                // Before the server hears of it: its answer may be lost.
                state.keep(Slot::Joining, &identity)?;
                identity
            }
        };
        self.ask_to_join(&identity.instance, &identity.key()?, secret).await?;
        state.keep(Slot::Present, &identity)?;
        Ok(identity)
    }

    async fn ask_to_join(&self, instance: &str, key: &MachineKey, secret: &Secret) -> Result<(), Trouble> {
        let (public, secret) = (key.public().text(), secret.expose_str().trim());
        let params = [("PublicKey", public.as_str()), ("JoinSecret", secret)];
        let mut told = false;
        loop {
            match self.prove_and_call(key, instance, "JoinInstance", &params).await {
                Ok(_) => return Ok(()),
                Err(CallError::Refused { code, message, .. }) => {
                    let said = message.trim_end_matches('.');
                    let advice = if message == JOINED_BEFORE {
                        "If it was never used here, somebody else has used it: deregister the instance or renew its secret (daypass:RenewJoinSecret), which ends what that machine got, and look in the audit for JoinInstance"
                    } else {
                        "Look whether --server, --instance and the secret are what daypass:RegisterInstance answered; daypass:RenewJoinSecret gives another secret"
                    };
                    return Err(Trouble::new(format!(
                        "this machine may not join as {instance}: {code}: {said}. {advice}"
                    )));
                }
                Err(away) => {
                    if !told {
                        let why = away.to_string();
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
            let role_id = value.profile.as_ref().and_then(|profile| profile.role_id.clone());
            *machine.role_id.lock().unwrap_or_else(PoisonError::into_inner) = role_id;
            if value.role().is_none() {
                tracing::warn!(
                    instance = value.instance_id,
                    "the instance profile has no role: programs get nothing"
                );
            }
            Ok(Fetched { value, refresh_at: now + FACTS_SECONDS })
        };
        self.facts.get(&self.world, fetch).await
    }

    /// Credentials of the role of its instance profile.
    pub(crate) async fn credentials(self: &Arc<Self>, delivery: Delivery) -> Shown<Credentials> {
        let shelf = self.shelf(delivery);
        // Those of a role that was made again under its name are dead, however long they were to live.
        if matches!(shelf.shown(), Shown::Good(credentials, _) if credentials.role_id != self.role_id()) {
            shelf.forget();
        }
        let machine = self.clone();
        let fetch = move || async move {
            let delivery = match delivery {
                Delivery::Version1 => "1.0",
                Delivery::Version2 => "2.0",
            };
            // Before the call: what it gives is of this role or of a later one.
            let role_id = machine.role_id();
            let answer = machine.call("GetInstanceCredentials", &[("RoleDelivery", delivery)]).await?;
            let mut fetched = machine.taken(&answer)?;
            fetched.value.role_id = role_id;
            Ok(fetched)
        };
        shelf.get(&self.world, fetch).await
    }

    fn role_id(&self) -> Option<String> {
        self.role_id.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Credentials of another role than the profile had are not the right ones, however new they are.
    pub(crate) fn role_is_another(&self, delivery: Delivery) {
        self.shelf(delivery).expire();
    }

    /// The role is another than the server said before: it is asked again at the next request.
    pub(crate) fn facts_are_old(&self) {
        self.facts.expire();
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

    /// The role of a pod's service account, asked for with the role of this machine.
    pub(crate) async fn of_pod(
        self: &Arc<Self>,
        cluster: &str,
        token: &str,
    ) -> Result<Fetched<Credentials>, CallError> {
        let Shown::Good(facts, _) = self.facts().await else { return Err(no_node_role()) };
        let Shown::Good(node, _) = self.credentials(Delivery::Version2).await else {
            return Err(no_node_role());
        };
        let ask = async |node: &Credentials| {
            pod::ask(&self.upstream, node, &facts.region, cluster, token, self.world.clock.now()).await
        };
        let mut answer = ask(&node).await;
        if answer.as_ref().is_err_and(pod::is_of_node)
            && let Some(other) = self.other_than(&node).await
        {
            answer = ask(&other).await;
        }
        let answer = answer.map_err(pod::of_pod_alone)?;
        let value = Credentials::of_pod(&answer, self.world.now()).ok_or_else(not_understood)?;
        let refresh_at = value.refresh_at(&self.world);
        Ok(Fetched { value, refresh_at })
    }

    /// Others than these, of which the server said that they are over before their time: somebody ended that session.
    async fn other_than(self: &Arc<Self>, ended: &Credentials) -> Option<Arc<Credentials>> {
        let is_it = |shown: &Shown<Credentials>| matches!(shown, Shown::Good(credentials, _) if credentials.access_key_id == ended.access_key_id);
        if is_it(&self.version_2.shown()) {
            if self.world.now() < ended.issued_at.saturating_add(NEW_SECONDS) {
                return None;
            }
            self.version_2.expire();
            self.was_ended.store(true, Ordering::Relaxed);
        }
        match self.credentials(Delivery::Version2).await {
            Shown::Good(other, _) if other.access_key_id != ended.access_key_id => Some(other),
            _ => None,
        }
    }

    /// Whether a session of this machine ended before its time, since this was asked last: what descends from it may have
    /// ended with it.
    pub(crate) fn was_ended(&self) -> bool {
        self.was_ended.swap(false, Ordering::Relaxed)
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
        // Whatever stands between and sends a call again uses up its proof: that says nothing of the machine.
        match self.prove_and_call_once(key, instance, action, params).await {
            Err(CallError::Refused { message, .. }) if message == PROOF_USED_BEFORE => {}
            answered => return answered,
        }
        match self.prove_and_call_once(key, instance, action, params).await {
            Err(CallError::Refused { code, message, .. }) if message == PROOF_USED_BEFORE => Err(
                CallError::Away(format!("{code}: {message} Twice: calls reach the server more than once")),
            ),
            answered => answered,
        }
    }

    async fn prove_and_call_once(
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
    /// The name of its role.
    pub(crate) fn role(&self) -> Option<&str> {
        self.profile.as_ref()?.role.as_deref()
    }

    fn read(answer: &Value, at: i64) -> Option<Self> {
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        let profile = text("InstanceProfileArn").zip(text("InstanceProfileId"));
        Some(Self {
            account: text("AccountId")?,
            region: text("Region")?,
            instance_id: text("InstanceId")?,
            at,
            profile: profile.map(|(arn, id)| Profile {
                arn,
                id,
                role: text("RoleName"),
                role_id: text("RoleId"),
            }),
        })
    }
}

fn no_node_role() -> CallError {
    CallError::Away("this machine has no credentials of its own, with which a pod's are asked for".into())
}

fn not_understood() -> CallError {
    CallError::Away("the server's answer is not what it should be".into())
}

fn hash(secret: &Secret) -> String {
    HEXLOWER.encode(&Sha256::digest(secret.expose_str().trim()))
}
