//! `daypass:DeleteResourcePolicy`: leave a resource without a policy of its own.

use daypass_directory::key;
use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::resource;
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct DeleteResourcePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    resource_arn: String,
}

impl Action for DeleteResourcePolicy {
    const NAME: &'static str = "daypass:DeleteResourcePolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, &input.resource_arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (account, arn) = (call.account(), &call.input().resource_arn);
        let found = resource::kept(&account, arn)?;
        let mut change = call.change(op);
        let place = key::resource_policy(account.id(), arn);
        change.unchanged(place.clone(), found.revision);
        change.delete(place);
        Ok(house.directory.commit(change).await?)
    }
}
