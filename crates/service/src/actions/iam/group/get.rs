//! `iam:GetGroup`: the group and its members, a page at a time.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::fold_name;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::shape::{GroupShape, UserShape};
use crate::actions::iam::target;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct GetGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    group_name: String,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    group: GroupShape,
    users: Vec<UserShape>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Action for GetGroup {
    const NAME: &'static str = "iam:GetGroup";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::group(Self::NAME, scope, &input.group_name))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let group = target::find_group(&account, &input.group_name)?;
        let selection = Selection {
            of: format!("GetGroup {}", group.record.id),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let mut members: Vec<_> =
            account.members(&group.record.id).map(|user| (fold_name(&user.record.name), user)).collect();
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        let members =
            members.into_iter().map(|(name, user)| (name, UserShape::listed(&user.arn, &user.record)));
        let page = page(house, call.scope(), &selection, members)?;
        let group = GroupShape::of(&group.arn, &group.record);
        Ok(Output { group, users: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
