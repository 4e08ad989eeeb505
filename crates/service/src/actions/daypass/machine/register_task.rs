//! `daypass:RegisterTask`: a role of its own for a program on a machine. Whoever registers it hands the role out, and must be
//! allowed to pass it.

use daypass_authn::machine::MachineSecret;
use daypass_directory::record::{TaskRecord, Unknown};
use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use daypass_model::limits::TASKS_PER_INSTANCE_MAX;
use daypass_model::{EntityKind, Secret, SessionId, uuid};
use serde::{Deserialize, Serialize};

use super::{arn_of, find};
use crate::action::Action;
use crate::actions::pass_role;
use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::exposed;
use crate::services::OwnService;

pub(in crate::actions::daypass) struct RegisterTask;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::daypass) struct Input {
    instance_id: String,
    role_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::daypass) struct Output {
    task_id: String,
    relative_uri: String,
    #[serde(serialize_with = "exposed")]
    authorization_token: Secret,
}

impl Action for RegisterTask {
    const NAME: &'static str = "daypass:RegisterTask";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    const AUDIT: AuditTraits = AuditTraits { role: Some("RoleArn"), ..AuditTraits::PLAIN };
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let arn = arn_of(scope, &input.instance_id);
        let passed = pass_role::by_arn(scope, &input.role_arn, OwnService::EcsTasks);
        let passed = pass_role::for_one(passed, &arn);
        Checks::one(scope.check(Self::NAME, arn)).and(passed)
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let instance = find(&account, &input.instance_id)?;
        let missing = || Error::no_such_entity(format!("The role {} cannot be found.", input.role_arn));
        let role = pass_role::passed(&account, &input.role_arn, missing)?;
        if account.tasks_on(&instance.record.id).count() >= TASKS_PER_INSTANCE_MAX {
            let message = format!("Cannot exceed quota for TasksPerInstance: {TASKS_PER_INSTANCE_MAX}");
            return Err(Error::limit_exceeded(message));
        }
        let random = house.directory.random();
        let (id, token) = (uuid(random).replace('-', ""), MachineSecret::generate(random));
        let mut change = call.change(op);
        let record = TaskRecord {
            written: change.written(),
            id: id.clone(),
            instance: instance.record.id.clone(),
            role: role.record.id.clone(),
            created: op.now.as_second(),
            sessions: SessionId::generate(account.id(), random),
            unused: true,
            token_hash: token.hash(),
            unknown: Unknown::new(),
        };
        change.unchanged(key::instance(account.id(), &instance.record.id), instance.revision);
        change.unchanged(key::entity(account.id(), EntityKind::Role, &role.record.id), role.revision);
        change.quiet(key::tasks_on(account.id(), &instance.record.id));
        let place = key::task(account.id(), &instance.record.id, &id);
        change.absent(place.clone());
        change.put(place, &record);
        house.directory.commit(change).await?;
        let relative_uri = format!("/v2/credentials/{id}");
        Ok(Output { task_id: id, relative_uri, authorization_token: token.text() })
    }
}
