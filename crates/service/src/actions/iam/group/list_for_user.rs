//! `iam:ListGroupsForUser`

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::fold_name;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::shape::GroupShape;
use crate::actions::iam::target;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct ListGroupsForUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: String,
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

impl Action for ListGroupsForUser {
    const NAME: &'static str = "iam:ListGroupsForUser";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::user(Self::NAME, scope, &input.user_name))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let user = target::find_user(&account, &input.user_name)?;
        let selection = Selection {
            of: format!("ListGroupsForUser {}", user.record.id),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let groups = user.record.groups.iter().filter_map(|id| account.group_by_id(id));
        let mut groups: Vec<_> = groups.map(|group| (fold_name(&group.record.name), group)).collect();
        groups.sort_by(|(a, _), (b, _)| a.cmp(b));
        let groups =
            groups.into_iter().map(|(name, group)| (name, GroupShape::of(&group.arn, &group.record)));
        let page = page(house, call.scope(), &selection, groups)?;
        Ok(Output { groups: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
