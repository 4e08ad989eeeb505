//! `sts:GetCallerIdentity`: who am I? Nobody can be denied it, not even by an explicit Deny.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct GetCallerIdentity;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    arn: String,
    user_id: String,
    account: String,
}

impl Action for GetCallerIdentity {
    const NAME: &'static str = "sts:GetCallerIdentity";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(_: &Scope, _: &Input) -> Checks {
        Checks::nothing_can_deny()
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let who = call.principal();
        Ok(Output { arn: who.arn.clone(), user_id: who.user_id.clone(), account: who.account.to_string() })
    }
}
