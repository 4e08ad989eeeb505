//! `daypass:ListResourcePolicies`: every resource of the account that has a policy of its own.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::paging::{Selection, page_of_size};
use crate::actions::principals;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct ListResourcePolicies;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    resource_policies: Vec<Listed>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    resource_arn: String,
    policy: String,
}

impl Action for ListResourcePolicies {
    const NAME: &'static str = "daypass:ListResourcePolicies";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let selection = Selection {
            of: "ListResourcePolicies".into(),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let listed = account.resource_policies().map(|found| {
            let resource_arn = found.record.arn.clone();
            (
                resource_arn.clone(),
                Listed { resource_arn, policy: principals::shown(call.view(), &found.record.document) },
            )
        });
        let page = page_of_size(house, call.scope(), &selection, listed, |listed| listed.policy.len())?;
        Ok(Output { resource_policies: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
