//! `iam:GetServiceLinkedRoleDeletionStatus`: a task that there is was done when it was answered.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::EntityKind;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct GetServiceLinkedRoleDeletionStatus;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    deletion_task_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    status: &'static str,
}

impl Action for GetServiceLinkedRoleDeletionStatus {
    const NAME: &'static str = "iam:GetServiceLinkedRoleDeletionStatus";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    /// On the role that the task names, which is gone.
    fn checks(scope: &Scope, input: &Input) -> Checks {
        let (path, name) = role_of(&input.deletion_task_id).unwrap_or((super::PATH, ""));
        Checks::one(target::new(Self::NAME, scope, EntityKind::Role, path, name))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let task = &call.input().deletion_task_id;
        if role_of(task).is_none() {
            return Err(Error::invalid_input(format!("DeletionTaskId {task} is not valid.")));
        }
        if !call.account().is_deleted_by(task) {
            return Err(Error::no_such_entity(format!("The deletion task with id {task} cannot be found.")));
        }
        Ok(Output { status: "SUCCEEDED" })
    }
}

/// Path and name of the role in `task/aws-service-role/<service>/<role>/<uuid>`.
fn role_of(task: &str) -> Option<(&str, &str)> {
    let (role, _) =
        task.strip_prefix("task").filter(|rest| rest.starts_with(super::PATH))?.rsplit_once('/')?;
    let (path, name) = role.split_at_checked(role.rfind('/')? + 1)?;
    (path.len() > super::PATH.len() && !name.is_empty()).then_some((path, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_names_its_role() {
        let task = "task/aws-service-role/a.amazonaws.com/AWSServiceRoleForA/0b";
        assert_eq!(role_of(task), Some(("/aws-service-role/a.amazonaws.com/", "AWSServiceRoleForA")));
        for none in [
            "",
            "task",
            "task/aws-service-role/",
            "task/aws-service-role/a/b",
            "task/other/a/b/c",
            "/aws-service-role/a/b/c",
        ] {
            assert_eq!(role_of(none), None, "{none}");
        }
    }
}
