//! Which machine makes a call: by its join secret once, by its key ever after. Nothing that is refused is repeated, and what is
//! refused of an instance that is there, its account hears of.

use std::sync::Arc;

use daypass_authn::machine::{
    JOINED_BEFORE, MachineProof, MachinePublicKey, MachineSecret, NoMachineProof, PROOF_USED_BEFORE, Purpose,
};
use daypass_directory::{Caller, Instance, Operation, Value, View, Vouched};
use daypass_model::{Arn, Authority, Secret};

use crate::error::{Error, ProviderAsked};
use crate::house::House;
use crate::services::OwnService;

/// What a call brings.
pub(crate) struct Presented<'a> {
    /// ARN of the instance.
    pub(crate) instance: &'a str,
    /// The operation.
    pub(crate) action: &'static str,
    /// Its parameters, as the proof has them.
    pub(crate) params: &'a [(&'a str, &'a str)],
    /// The proof.
    pub(crate) proof: &'a Secret,
    /// Whether it counts once. What gives nothing secret may be asked again.
    pub(crate) once: bool,
}

/// The machine that makes a call, by its key.
///
/// # Errors
/// InvalidIdentityToken, ExpiredTokenException; 503 when nobody can tell whether the proof was used before.
pub(crate) async fn by_key(
    op: &Operation,
    house: &House,
    call: &Presented<'_>,
) -> Result<(Arc<View>, Arc<Instance>), Error> {
    let (_, instance) = find(house, call.instance)?;
    let proven = async {
        let joined = instance.record.joined.as_ref().ok_or_else(not_this_machine)?;
        let key = MachinePublicKey::parse(&joined.public_key);
        let key = key.ok_or_else(|| Error::internal("a key of a machine cannot be read"))?;
        verify(op, house, call, &key).await
    };
    match proven.await {
        Ok(()) => still(house, call, &instance),
        Err(error) => Err(told_of(&instance, error)),
    }
}

/// The machine that wants to join as an instance, by the secret and by the key that is to be the instance's.
///
/// # Errors
/// As [`by_key`].
pub(crate) async fn by_secret(
    op: &Operation,
    house: &House,
    call: &Presented<'_>,
    secret: &Secret,
    public_key: &str,
) -> Result<(Arc<View>, Arc<Instance>), Error> {
    let (view, instance) = find(house, call.instance)?;
    let proven = async {
        let join = &instance.record.join;
        let secret = MachineSecret::read(secret.expose_str()).filter(|secret| secret.has_hash(&join.hash));
        let key = secret.and_then(|_| MachinePublicKey::parse(public_key)).ok_or_else(no_secret)?;
        verify(op, house, call, &key).await?;
        match &instance.record.joined {
            // The answer to the first call may be lost.
            Some(joined) if joined.public_key == public_key => Ok(()),
            Some(_) => {
                // Two had the secret: one of them is a thief, and nobody can tell which.
                tracing::warn!(
                    instance = instance.arn,
                    source_ip = op.source_ip.map(tracing::field::display),
                    "a join secret was used twice, by two machines"
                );
                Err(Error::new(INVALID, JOINED_BEFORE))
            }
            None if join.expires <= op.now.as_second() => Err(no_secret()),
            None => Ok(()),
        }
    };
    match proven.await {
        // The view from before the wait: who joined meanwhile is in the way of the commit, which decides again, and is told of.
        Ok(()) => Ok((view, instance)),
        Err(error) => Err(told_of(&instance, error)),
    }
}

/// The same instance by a view from after the wait: what was changed meanwhile counts.
fn still(
    house: &House,
    call: &Presented<'_>,
    proven: &Instance,
) -> Result<(Arc<View>, Arc<Instance>), Error> {
    let (view, now) = find(house, call.instance)?;
    // Another secret is another machine's, and gives its sessions another beginning.
    let is_same =
        now.record.sessions == proven.record.sessions && now.record.join.hash == proven.record.join.hash;
    if is_same { Ok((view, now)) } else { Err(told_of(&now, not_this_machine())) }
}

/// The service that asks for a machine, or for what runs on it. `source` is the ARN of that.
pub(crate) fn service(service: OwnService, instance: &Instance, source: &str) -> Vouched {
    let key = |name: &str, value: &str| (name.to_owned(), Value::from(value));
    let keys = vec![
        key("aws:SourceArn", source),
        key("aws:SourceAccount", instance.account.as_str()),
        key("ec2:SourceInstanceARN", &instance.arn),
    ];
    Vouched { keys, ..Vouched::service(service.name()) }
}

/// The caller that a machine is.
pub(crate) fn caller(instance: &Instance, vouched: Vouched) -> Caller {
    Caller::vouched(instance.account, vouched)
}

const INVALID: &str = "InvalidIdentityToken";

fn find(house: &House, arn: &str) -> Result<(Arc<View>, Arc<Instance>), Error> {
    let view = house.directory.snapshot();
    let arn: Option<Arn> = arn.parse().ok();
    let instance = arn.and_then(|arn| view.instance(&arn).cloned()).ok_or_else(not_this_machine)?;
    Ok((view, instance))
}

async fn verify(
    op: &Operation,
    house: &House,
    call: &Presented<'_>,
    key: &MachinePublicKey,
) -> Result<(), Error> {
    let Presented { instance, action, params, .. } = *call;
    let purpose = Purpose { instance, action, params };
    let now = op.now.as_second();
    let proof = MachineProof::verify(call.proof.expose_str(), key, &purpose, now)?;
    // As signed requests: for this server's public URL, where it is known.
    let own = house.settings.public_authority.as_ref();
    if own.is_some_and(|own| proof.server.parse::<Authority>().as_ref() != Ok(own)) {
        return Err(Error::new(INVALID, "The proof was made for another server."));
    }
    if !call.once {
        return Ok(());
    }
    let until = now + MachineProof::SECONDS;
    if house.directory.spend_proof(op, &key.thumbprint(), &proof.id, until).await? {
        Ok(())
    } else {
        Err(Error::new(INVALID, PROOF_USED_BEFORE))
    }
}

fn told_of(instance: &Instance, error: Error) -> Error {
    let is_alarm = error.message == JOINED_BEFORE;
    error.of_provider(ProviderAsked {
        name: instance.arn.clone(),
        account: Some(instance.account),
        is_alarm,
        verified: Vec::new(),
    })
}

/// The same whether there is such an instance or not.
fn not_this_machine() -> Error {
    Error::new(INVALID, "There is no such instance, or the machine is not the one that joined as it.")
}

fn no_secret() -> Error {
    Error::new(INVALID, "The join secret is not that of the instance, or its time is over.")
}

impl From<NoMachineProof> for Error {
    fn from(cause: NoMachineProof) -> Self {
        match cause {
            NoMachineProof::Other => not_this_machine(),
            NoMachineProof::Time => {
                let message =
                    "The proof is of another time: the clock of the machine or of the server is wrong.";
                Self::new("ExpiredTokenException", message)
            }
        }
    }
}
