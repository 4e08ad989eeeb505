//! `daypass:DeregisterInstance`: the end of an instance, of the tasks on it, and of every session that they got.

use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Deserialize;

use super::{arn_of, find, profile_of};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::daypass) struct DeregisterInstance;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::daypass) struct Input {
    instance_id: String,
}

impl Action for DeregisterInstance {
    const NAME: &'static str = "daypass:DeregisterInstance";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let account = scope.account();
        let profile = account.instance(&input.instance_id).and_then(|found| profile_of(&account, found));
        let check = scope.check(Self::NAME, arn_of(scope, &input.instance_id));
        Checks::one(check.with_some("ec2:InstanceProfile", profile.map(|found| found.arn.clone())))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account, now) = (call.input(), call.account(), op.now.as_second());
        let instance = find(&account, &input.instance_id)?;
        let mut change = call.change(op);
        // What has nothing to end takes no place of a revocation.
        if instance.record.joined.is_some() && !instance.record.unused {
            account.end_sessions_below(&mut change, instance.record.sessions, now)?;
        }
        // Sessions of tasks descend from the machine's.
        for task in account.tasks_on(&instance.record.id) {
            account.remove_task(&mut change, task);
        }
        // A task that is registered meanwhile finds its instance changed; one that was is looked for again.
        change.quiet(key::tasks_on(account.id(), &instance.record.id));
        let place = key::instance(account.id(), &instance.record.id);
        change.unchanged(place.clone(), instance.revision);
        change.delete(place);
        Ok(house.directory.commit(change).await?)
    }
}
