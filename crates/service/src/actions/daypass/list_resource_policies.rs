//! `daypass:ListResourcePolicies`: every resource of the account that has a policy of its own.

use daypass_directory::{Authorized, Check, Checks, Operation, Principal, View};
use serde::{Deserialize, Serialize};

use crate::action::{Action, read};
use crate::actions::paging::{Selection, page_of_size};
use crate::actions::principals;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

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
    const NAME: (&'static str, &'static str) = ("daypass", "ListResourcePolicies");
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params)
    }

    fn checks(_: &View, who: &Principal, _: &Input) -> Checks {
        Checks::one(Check::new("daypass:ListResourcePolicies", "*", who.account))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, view) = (call.input(), call.view());
        let account = view.account(call.principal().account).ok_or_else(Error::internal)?;
        let selection = Selection {
            account: account.id(),
            of: "ListResourcePolicies".into(),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let listed = account.resource_policies().map(|found| {
            let resource_arn = found.record.arn.clone();
            (
                resource_arn.clone(),
                Listed { resource_arn, policy: principals::shown(view, &found.record.document) },
            )
        });
        let page = page_of_size(house, view, &selection, listed, |listed| listed.policy.len())?;
        Ok(Output { resource_policies: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
