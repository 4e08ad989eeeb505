//! `daypass:GetResourcePolicy`: the policy of a resource, as it was written.

use daypass_directory::{Authorized, Checks, Operation, Principal, View};
use serde::{Deserialize, Serialize};

use crate::action::{Action, read};
use crate::actions::daypass::resource;
use crate::actions::principals;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

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
    const NAME: (&'static str, &'static str) = ("daypass", "GetResourcePolicy");
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params)
    }

    fn checks(_: &View, who: &Principal, input: &Input) -> Checks {
        Checks::one(resource::check("daypass:GetResourcePolicy", who, &input.resource_arn))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (who, view, arn) = (call.principal(), call.view(), &call.input().resource_arn);
        let account = view.account(who.account).ok_or_else(Error::internal)?;
        let found = resource::kept(&account, arn)?;
        Ok(Output { resource_arn: arn.clone(), policy: principals::shown(view, &found.record.document) })
    }
}
