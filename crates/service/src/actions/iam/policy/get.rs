//! `iam:GetPolicy`

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::find;
use super::shape::PolicyShape;
use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct GetPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    policy_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    policy: PolicyShape,
}

impl Action for GetPolicy {
    const NAME: &'static str = "iam:GetPolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::policy(Self::NAME, scope, &input.policy_arn))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let account = call.account();
        let policy = find::find(&account, &call.input().policy_arn)?;
        Ok(Output { policy: PolicyShape::whole(&account, &policy) })
    }
}
