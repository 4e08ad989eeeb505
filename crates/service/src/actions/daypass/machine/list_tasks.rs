//! `daypass:ListTasks`: the account's tasks, by id; all, or those on one machine.

use std::sync::Arc;

use daypass_directory::{AccountView, Authorized, Checks, Operation, Scope, Task};
use serde::{Deserialize, Serialize};

use super::role_arn;
use crate::action::Action;
use crate::actions::daypass::listed::Listed;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::Time;

pub(in crate::actions::daypass) struct ListTasks;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::daypass) struct Input {
    instance_id: Option<String>,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::daypass) struct Shown {
    task_id: String,
    instance_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    create_date: Time,
}

impl Action for ListTasks {
    const NAME: &'static str = "daypass:ListTasks";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Listed<Shown>;

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Listed<Shown>, Error> {
        let (input, account) = (call.input(), call.account());
        let on = input.instance_id.as_deref();
        let selection = Selection {
            of: format!("ListTasks {}", on.unwrap_or_default()),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let wanted = |task: &&Arc<Task>| on.is_none_or(|id| task.record.instance == id);
        let items = account.tasks().filter(wanted).map(|task| (task.record.id.clone(), task));
        let page = page(house, call.scope(), &selection, items)?.map(|found| Shown::of(&account, found));
        Ok(Listed { name: "Tasks", page })
    }
}

impl Shown {
    fn of(account: &AccountView<'_>, task: &Arc<Task>) -> Self {
        Self {
            task_id: task.record.id.clone(),
            instance_id: task.record.instance.clone(),
            role_arn: role_arn(account, &task.record.role),
            create_date: Time(task.record.created),
        }
    }
}
