//! Machines and what runs on them: instances that join, tasks on them, and what their agents ask for.

pub(super) mod deregister_instance;
pub(super) mod deregister_task;
pub(super) mod get_instance_credentials;
pub(super) mod get_instance_metadata;
pub(super) mod get_task_credentials;
pub(super) mod join_instance;
pub(super) mod list_instances;
pub(super) mod list_tasks;
pub(super) mod register_instance;
pub(super) mod register_task;
pub(super) mod renew_join_secret;
mod session;

use std::sync::Arc;

use daypass_authn::machine::MachineSecret;
use daypass_directory::record::{JoinSecretRecord, Unknown};
use daypass_directory::{AccountView, Authorized, Instance, InstanceProfile, Operation, Role, Scope};
use daypass_model::{Secret, UniqueId};
use serde::Serialize;

use crate::error::Error;
use crate::house::House;
use crate::request::{Time, exposed};

/// How long a join secret is good, in seconds, if the call does not say.
const JOIN_SECRET_SECONDS_DEFAULT: i64 = 3600;

/// A join secret, told once.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Joinable {
    instance_id: String,
    instance_arn: String,
    #[serde(serialize_with = "exposed")]
    join_secret: Secret,
    join_secret_expiration: Time,
}

/// A new join secret: what is kept of it, and itself.
fn join_secret(op: &Operation, house: &House, seconds: Option<i64>) -> (JoinSecretRecord, Secret) {
    let secret = MachineSecret::generate(house.directory.random());
    let expires = op.now.as_second() + seconds.unwrap_or(JOIN_SECRET_SECONDS_DEFAULT);
    (JoinSecretRecord { hash: secret.hash(), expires, unknown: Unknown::new() }, secret.text())
}

/// ARN of an instance that may not be there.
fn arn_of(scope: &Scope, id: &str) -> String {
    let account = scope.account();
    match account.instance(id) {
        Some(instance) => instance.arn.clone(),
        None => daypass_directory::instance_arn(account.id(), "*", id),
    }
}

fn find<'v>(account: &AccountView<'v>, id: &str) -> Result<&'v Arc<Instance>, Error> {
    let missing = || Error::no_such_entity(format!("The instance with id {id} cannot be found."));
    account.instance(id).ok_or_else(missing)
}

/// The instance profile of an instance, if it was not deleted since.
fn profile_of<'v>(account: &AccountView<'v>, instance: &Instance) -> Option<&'v Arc<InstanceProfile>> {
    account.instance_profile_by_id(&instance.record.profile)
}

fn role_of<'v>(account: &AccountView<'v>, profile: &InstanceProfile) -> Option<&'v Arc<Role>> {
    account.role_by_id(profile.record.role.as_ref()?)
}

/// ARN of the role of this id, if it is there.
fn role_arn(account: &AccountView<'_>, id: &UniqueId) -> Option<String> {
    account.role_by_id(id).map(|role| role.arn.clone())
}

/// The instance that a machine speaks as, in the view that its call was authorized in.
fn itself<I>(call: &Authorized<I>, arn: &str) -> Result<Arc<Instance>, Error> {
    let gone = || Error::internal("the instance of a call is gone");
    let arn = arn.parse().map_err(|_| gone())?;
    call.view().instance(&arn).cloned().ok_or_else(gone)
}
