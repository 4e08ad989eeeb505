//! `daypass:DeleteResourcePolicy`: leave a resource without a policy of its own.

use daypass_directory::key;
use daypass_directory::{Authorized, Checks, Operation, Principal, View};
use serde::Deserialize;

use crate::action::{Action, read};
use crate::actions::daypass::resource;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

pub(super) struct DeleteResourcePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    resource_arn: String,
}

impl Action for DeleteResourcePolicy {
    const NAME: (&'static str, &'static str) = ("daypass", "DeleteResourcePolicy");
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params)
    }

    fn checks(_: &View, who: &Principal, input: &Input) -> Checks {
        Checks::one(resource::check("daypass:DeleteResourcePolicy", who, &input.resource_arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (who, view, arn) = (call.principal(), call.view(), &call.input().resource_arn);
        let account = view.account(who.account).ok_or_else(Error::internal)?;
        let found = resource::kept(&account, arn)?;
        let mut change = house.change(op, view);
        let place = key::resource_policy(who.account, arn);
        change.unchanged(place.clone(), found.revision);
        change.delete(place);
        Ok(house.directory.commit(change).await?)
    }
}
