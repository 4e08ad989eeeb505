//! `iam:DeleteServiceLinkedRole`: done with the answer, where AWS asks the service first whether it uses the role. Its sessions end
//! with it.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::is_service_linked;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeleteServiceLinkedRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    role_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    deletion_task_id: String,
}

impl Action for DeleteServiceLinkedRole {
    const NAME: &'static str = "iam:DeleteServiceLinkedRole";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::role(Self::NAME, scope, &input.role_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (name, account) = (&call.input().role_name, call.account());
        let role = target::find_role(&account, name)?;
        let record = &role.record;
        if !is_service_linked(&record.path) {
            let message = format!("The service-linked role with name {name} cannot be found.");
            return Err(Error::no_such_entity(message));
        }
        let task =
            format!("task{}{}/{}", record.path, record.name, daypass_model::uuid(house.directory.random()));
        let mut change = call.deletion(op, &task);
        change.remove(account.id(), role.revision, record);
        house.directory.commit(change).await?;
        Ok(Output { deletion_task_id: task })
    }
}
