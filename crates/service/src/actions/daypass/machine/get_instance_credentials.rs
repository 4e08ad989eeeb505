//! `daypass:GetInstanceCredentials`: the role of a machine's instance profile, for its programs. The role's trust policy must let
//! `ec2.amazonaws.com` in.
//!
//! Which network the machine is in (`aws:Ec2InstanceSourceVpc`, `aws:Ec2InstanceSourcePrivateIPv4`) nobody here knows for sure: the
//! session says nothing of it, so that policies that ask for it hold.

use std::sync::Arc;

use daypass_directory::{Authorized, Caller, Checks, Instance, Operation, Scope, Value, View};
use daypass_model::Secret;
use serde::Deserialize;

use super::session::{Given, give, note_use};
use super::{itself, profile_of, role_of};
use crate::action::{Action, Unsigned};
use crate::actions::sts::vouched;
use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::machine::{self, Presented};
use crate::request::hidden;
use crate::services::OwnService;

pub(in crate::actions::daypass) struct GetInstanceCredentials;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::daypass) struct Input {
    instance_arn: String,
    role_delivery: String,
    #[serde(deserialize_with = "hidden")]
    proof: Secret,
}

impl Action for GetInstanceCredentials {
    const NAME: &'static str = "daypass:GetInstanceCredentials";
    const CALLERS: Callers = Callers::Vouched;
    const READ_ONLY: bool = false;
    const ISSUES: bool = true;
    const AUDIT: AuditTraits =
        AuditTraits { read_only: Some(true), hidden: &["/proof"], ..AuditTraits::PLAIN };
    type Input = Input;
    type Output = Given;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let instance = input.instance_arn.parse().ok().and_then(|arn| scope.view().instance(&arn).cloned());
        let found = instance.as_ref().and_then(|instance| Some((instance, role_arn(scope, instance)?)));
        match found {
            Some((instance, arn)) => vouched::checks("sts:AssumeRole", scope, &arn, &instance.record.id),
            None => Checks::nobody_may(Self::NAME, input.instance_arn.as_str()),
        }
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Given, Error> {
        let instance = itself(&call, &call.input().instance_arn)?;
        let arn = role_arn(call.scope(), &instance);
        let arn = arn.ok_or_else(|| Error::internal("a role was authorized that is not there"))?;
        note_use(op, house, &call, &instance, None).await?;
        give(op, house, &call, &arn, &instance.record.id, &[instance.record.sessions])
    }
}

impl Unsigned for GetInstanceCredentials {
    async fn vouch(op: &Operation, house: &House, input: &Input) -> Result<(Arc<View>, Caller), Error> {
        let call = Presented {
            instance: &input.instance_arn,
            action: "GetInstanceCredentials",
            params: &[("RoleDelivery", &input.role_delivery)],
            proof: &input.proof,
            once: true,
        };
        let (view, instance) = machine::by_key(op, house, &call).await?;
        let mut service = machine::service(OwnService::Ec2, &instance, &instance.arn);
        service.keys.push(("ec2:RoleDelivery".into(), Value::from(input.role_delivery.as_str())));
        service.kept = vec![
            ("ec2:RoleDelivery".into(), vec![input.role_delivery.clone()]),
            ("ec2:SourceInstanceARN".into(), vec![instance.arn.clone()]),
        ];
        Ok((view, machine::caller(&instance, service)))
    }
}

fn role_arn(scope: &Scope, instance: &Instance) -> Option<String> {
    let account = scope.account();
    role_of(&account, profile_of(&account, instance)?).map(|role| role.arn.clone())
}
