//! `iam:GetRole`

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::shape::{RoleLastUsed, RoleShape};
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::Time;

pub(in crate::actions::iam) struct GetRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    role_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    role: RoleShape,
}

impl Action for GetRole {
    const NAME: &'static str = "iam:GetRole";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = target::role(Self::NAME, scope, &input.role_name);
        Checks::one(target::with_role_boundary(check, scope, &input.role_name))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let account = call.account();
        let role = target::find_role(&account, &call.input().role_name)?;
        let used = house.directory.last_used().of(role.record.id.as_str());
        let used =
            used.map(|used| RoleLastUsed { last_used_date: Some(Time(used.at)), region: Some(used.region) });
        Ok(Output { role: RoleShape::whole(call.view(), role, used.unwrap_or_default()) })
    }
}
