//! `daypass:DeregisterTask`: the end of a task, and of every session that it got.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::arn_of;
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::daypass) struct DeregisterTask;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::daypass) struct Input {
    task_id: String,
}

impl Action for DeregisterTask {
    const NAME: &'static str = "daypass:DeregisterTask";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        // On its instance, as to register it. One that is not there is on none.
        let task = scope.account().task(&input.task_id);
        let instance = task.map_or("*", |task| task.record.instance.as_str());
        Checks::one(scope.check(Self::NAME, arn_of(scope, instance)))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (id, account) = (&call.input().task_id, call.account());
        let missing = || Error::no_such_entity(format!("The task with id {id} cannot be found."));
        let task = account.task(id).ok_or_else(missing)?;
        let mut change = call.change(op);
        // What has nothing to end takes no place of a revocation.
        if !task.record.unused {
            account.end_sessions_below(&mut change, task.record.sessions, op.now.as_second())?;
        }
        account.remove_task(&mut change, task);
        Ok(house.directory.commit(change).await?)
    }
}
