//! `iam:GetInstanceProfile`

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::InstanceProfileShape;
use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct GetInstanceProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    instance_profile_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    instance_profile: InstanceProfileShape,
}

impl Action for GetInstanceProfile {
    const NAME: &'static str = "iam:GetInstanceProfile";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::instance_profile(Self::NAME, scope, &input.instance_profile_name))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let account = call.account();
        let profile = target::find_instance_profile(&account, &call.input().instance_profile_name)?;
        Ok(Output { instance_profile: InstanceProfileShape::whole(call.view(), &account, profile) })
    }
}
