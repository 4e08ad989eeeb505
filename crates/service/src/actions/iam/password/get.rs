//! `iam:GetLoginProfile`: whether a user has a password, and since when.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::LoginProfileShape;
use crate::action::Action;
use crate::actions::iam::access_key::owner;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct GetLoginProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    login_profile: LoginProfileShape,
}

impl Action for GetLoginProfile {
    const NAME: &'static str = "iam:GetLoginProfile";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(owner::check(Self::NAME, scope, input.user_name.as_deref()))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let user = super::user(call.scope(), call.input().user_name.as_deref())?;
        let profile = super::profile(&call.account(), user)?;
        Ok(Output { login_profile: LoginProfileShape::of(user, &profile.record) })
    }
}
