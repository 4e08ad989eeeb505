//! `iam:ListGroups`

use daypass_directory::{Authorized, Checks, Operation, Principal, View};
use daypass_model::fold_name;
use serde::{Deserialize, Serialize};

use crate::action::{Action, read};
use crate::actions::iam::shape::GroupShape;
use crate::actions::iam::target;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

pub(in crate::actions::iam) struct ListGroups;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    groups: Vec<GroupShape>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Action for ListGroups {
    const NAME: (&'static str, &'static str) = ("iam", "ListGroups");
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params)
    }

    fn checks(_: &View, who: &Principal, input: &Input) -> Checks {
        Checks::one(target::collection("iam:ListGroups", who, "group", input.path_prefix.as_deref()))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, view) = (call.input(), call.view());
        let account = target::account(view, call.principal())?;
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let selection = Selection {
            account: account.id(),
            of: format!("ListGroups {prefix}"),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let groups = account.groups().filter(|group| group.record.path.starts_with(prefix));
        let groups = groups.map(|group| (fold_name(&group.record.name), GroupShape::of(&group.arn, &group.record)));
        let page = page(house, view, &selection, groups)?;
        Ok(Output { groups: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
