//! `daypass:ListResourcePolicies`: every resource of the account that has a policy of its own.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Serialize;

use super::listed::{Listed, Whole};
use crate::action::Action;
use crate::actions::paging::page_of_size;
use crate::actions::principals;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct ListResourcePolicies;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shown {
    resource_arn: String,
    policy: String,
}

impl Action for ListResourcePolicies {
    const NAME: &'static str = "daypass:ListResourcePolicies";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Whole;
    type Output = Listed<Shown>;

    fn checks(scope: &Scope, _: &Whole) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Whole>) -> Result<Listed<Shown>, Error> {
        let (selection, account) = (call.input().of("ListResourcePolicies"), call.account());
        let listed = account.resource_policies().map(|found| {
            let resource_arn = found.record.arn.clone();
            (
                resource_arn.clone(),
                Shown { resource_arn, policy: principals::shown(call.view(), &found.record.document) },
            )
        });
        let page = page_of_size(house, call.scope(), &selection, listed, |shown| shown.policy.len())?;
        Ok(Listed { name: "ResourcePolicies", page })
    }
}
