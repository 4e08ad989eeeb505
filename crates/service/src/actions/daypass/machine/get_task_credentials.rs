//! `daypass:GetTaskCredentials`: the role of a task, asked for by the agent of the machine that it runs on, with the token of
//! the task. The role's trust policy must let `ecs-tasks.amazonaws.com` in.

use std::sync::Arc;

use daypass_authn::machine::MachineSecret;
use daypass_directory::{Authorized, Caller, Checks, Instance, Operation, Scope, Task, View};
use daypass_model::Secret;
use serde::Deserialize;

use super::session::{Given, give, note_use};
use super::{itself, role_arn};
use crate::action::{Action, Unsigned};
use crate::actions::sts::vouched;
use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::machine::{self, Presented};
use crate::request::hidden;
use crate::services::OwnService;

pub(in crate::actions::daypass) struct GetTaskCredentials;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::daypass) struct Input {
    instance_arn: String,
    task_id: String,
    #[serde(deserialize_with = "hidden")]
    authorization_token: Secret,
    #[serde(deserialize_with = "hidden")]
    proof: Secret,
}

impl Action for GetTaskCredentials {
    const NAME: &'static str = "daypass:GetTaskCredentials";
    const CALLERS: Callers = Callers::Vouched;
    const READ_ONLY: bool = false;
    const ISSUES: bool = true;
    const AUDIT: AuditTraits = AuditTraits {
        read_only: Some(true),
        hidden: &["/authorizationToken", "/proof"],
        ..AuditTraits::PLAIN
    };
    type Input = Input;
    type Output = Given;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let account = scope.account();
        let task = account.task(&input.task_id).filter(|task| is_whose_token(task, input));
        match task.and_then(|task| role_arn(&account, &task.record.role)) {
            Some(arn) => vouched::checks("sts:AssumeRole", scope, &arn, &input.task_id),
            None => Checks::nobody_may(Self::NAME, input.instance_arn.as_str()),
        }
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Given, Error> {
        let (input, account) = (call.input(), call.account());
        let gone = || Error::internal("a task was authorized that is not there");
        let task = account.task(&input.task_id).ok_or_else(gone)?;
        let arn = role_arn(&account, &task.record.role).ok_or_else(gone)?;
        let instance = itself(&call, &input.instance_arn)?;
        note_use(op, house, &call, &instance, Some(task)).await?;
        // It ends with its machine, too.
        let above = [instance.record.sessions, task.record.sessions];
        give(op, house, &call, &arn, &task.record.id, &above)
    }
}

impl Unsigned for GetTaskCredentials {
    async fn vouch(op: &Operation, house: &House, input: &Input) -> Result<(Arc<View>, Caller), Error> {
        let params = [
            ("TaskId", input.task_id.as_str()),
            ("AuthorizationToken", input.authorization_token.expose_str()),
        ];
        let call = Presented {
            instance: &input.instance_arn,
            action: "GetTaskCredentials",
            params: &params,
            proof: &input.proof,
            once: true,
        };
        let (view, instance) = machine::by_key(op, house, &call).await?;
        let mut service =
            machine::service(OwnService::EcsTasks, &instance, &task_arn(&instance, &input.task_id));
        service.kept = vec![("ec2:SourceInstanceARN".into(), vec![instance.arn.clone()])];
        Ok((view, machine::caller(&instance, service)))
    }
}

/// Whether a call is for this task: from its machine, and with its token.
fn is_whose_token(task: &Task, input: &Input) -> bool {
    let on = input.instance_arn.rsplit('/').next();
    let token = MachineSecret::read(input.authorization_token.expose_str());
    on == Some(task.record.instance.as_str())
        && token.is_some_and(|token| token.has_hash(&task.record.token_hash))
}

/// As ECS writes it, the machine standing for the cluster.
fn task_arn(instance: &Instance, task: &str) -> String {
    let (region, account) = (&instance.record.region, instance.account);
    format!("arn:aws:ecs:{region}:{account}:task/{}/{task}", instance.record.id)
}
