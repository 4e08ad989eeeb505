//! `daypass:GetInstanceMetadata`: what an agent tells of its machine.

use std::sync::Arc;

use daypass_directory::{Authorized, Caller, Checks, Operation, Scope, View};
use daypass_model::{AccountId, Secret};
use serde::{Deserialize, Serialize};

use super::{itself, profile_of, role_of};
use crate::action::{Action, Unsigned};
use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::machine::{self, Presented};
use crate::request::hidden;
use crate::services::OwnService;

pub(in crate::actions::daypass) struct GetInstanceMetadata;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::daypass) struct Input {
    instance_arn: String,
    #[serde(deserialize_with = "hidden")]
    proof: Secret,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::daypass) struct Output {
    instance_id: String,
    account_id: AccountId,
    region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_profile_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_profile_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_name: Option<String>,
    /// A role made again is another one, whatever its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    role_id: Option<String>,
}

impl Action for GetInstanceMetadata {
    const NAME: &'static str = "daypass:GetInstanceMetadata";
    const CALLERS: Callers = Callers::Vouched;
    const READ_ONLY: bool = true;
    const AUDIT: AuditTraits = AuditTraits { hidden: &["/proof"], ..AuditTraits::PLAIN };
    type Input = Input;
    type Output = Output;

    fn checks(_: &Scope, _: &Input) -> Checks {
        Checks::nothing_can_deny()
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let instance = itself(&call, &call.input().instance_arn)?;
        let account = call.account();
        let profile = profile_of(&account, &instance);
        let role = profile.and_then(|profile| role_of(&account, profile));
        Ok(Output {
            instance_id: instance.record.id.clone(),
            account_id: account.id(),
            region: instance.record.region.clone(),
            instance_profile_arn: profile.map(|profile| profile.arn.clone()),
            instance_profile_id: profile.map(|profile| profile.record.id.to_string()),
            role_name: role.map(|role| role.record.name.clone()),
            role_id: role.map(|role| role.record.id.to_string()),
        })
    }
}

impl Unsigned for GetInstanceMetadata {
    async fn vouch(op: &Operation, house: &House, input: &Input) -> Result<(Arc<View>, Caller), Error> {
        let call = Presented {
            instance: &input.instance_arn,
            action: "GetInstanceMetadata",
            params: &[],
            proof: &input.proof,
            once: false,
        };
        let (view, instance) = machine::by_key(op, house, &call).await?;
        let service = machine::service(OwnService::Ec2, &instance, &instance.arn);
        Ok((view, machine::caller(&instance, service)))
    }
}
