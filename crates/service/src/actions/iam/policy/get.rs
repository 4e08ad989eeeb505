//! `iam:GetPolicy`

use daypass_directory::{Authorized, Checks, Operation, Principal, View};
use serde::{Deserialize, Serialize};

use super::find;
use super::shape::PolicyShape;
use crate::action::{Action, read};
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

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
    const NAME: (&'static str, &'static str) = ("iam", "GetPolicy");
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params)
    }

    fn checks(view: &View, who: &Principal, input: &Input) -> Checks {
        Checks::one(target::policy("iam:GetPolicy", view, who, &input.policy_arn))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let account = target::account(call.view(), call.principal())?;
        let policy = find::find(&account, &call.input().policy_arn)?;
        Ok(Output { policy: PolicyShape::whole(&account, &policy) })
    }
}
