//! `daypass:GetResourcePolicy`: the policy of a resource, as it was written.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::resource;
use crate::action::Action;
use crate::actions::principals;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct GetResourcePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    resource_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    resource_arn: String,
    policy: String,
}

impl Action for GetResourcePolicy {
    const NAME: &'static str = "daypass:GetResourcePolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, &input.resource_arn))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (account, arn) = (call.account(), &call.input().resource_arn);
        let found = resource::kept(&account, arn)?;
        Ok(Output {
            resource_arn: arn.clone(),
            policy: principals::shown(call.view(), &found.record.document),
        })
    }
}
