//! `iam:UpdateRoleDescription`: the older, narrower form of UpdateRole.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::shape::RoleShape;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct UpdateRoleDescription;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    role_name: String,
    description: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    role: RoleShape,
}

impl Action for UpdateRoleDescription {
    const NAME: &'static str = "iam:UpdateRoleDescription";
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
        record.description = Some(input.description.clone());
        let described = RoleShape::created(call.view(), &role.arn, &record);
        let mut change = call.change(op);
        change.update(account.id(), role.revision, record);
        house.directory.commit(change).await?;
        Ok(Output { role: described })
    }
}
