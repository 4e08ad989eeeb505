//! `iam:UpdateRole`: description and longest session. What the call leaves out keeps its value.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct UpdateRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    role_name: String,
    description: Option<String>,
    max_session_duration: Option<i64>,
}

/// A result without members, which is not the same as no result.
#[derive(Serialize)]
pub(in crate::actions::iam) struct Output {}

impl Action for UpdateRole {
    const NAME: &'static str = "iam:UpdateRole";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = target::role(Self::NAME, scope, &input.role_name);
        Checks::one(target::with_role_boundary(check, scope, &input.role_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let role = target::find_role(&account, &input.role_name)?;
        rules::modifiable(role)?;
        let mut record = role.record.clone();
        if let Some(description) = &input.description {
            record.description = Some(description.clone());
        }
        if let Some(seconds) = input.max_session_duration {
            record.session_duration_max = seconds;
        }
        let mut change = call.change(op);
        change.update(account.id(), role.revision, record);
        house.directory.commit(change).await?;
        Ok(Output {})
    }
}
