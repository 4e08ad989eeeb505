//! `iam:ListInstanceProfilesForRole`

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::fold_name;
use serde::{Deserialize, Serialize};

use super::InstanceProfileShape;
use crate::action::Action;
use crate::actions::iam::target;
use crate::actions::paging::{Selection, page_of_size};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct ListInstanceProfilesForRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    role_name: String,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    instance_profiles: Vec<InstanceProfileShape>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Action for ListInstanceProfilesForRole {
    const NAME: &'static str = "iam:ListInstanceProfilesForRole";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::role(Self::NAME, scope, &input.role_name))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let role = target::find_role(&account, &input.role_name)?;
        let selection = Selection {
            of: format!("ListInstanceProfilesForRole {}", role.record.id),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let profiles = account.profiles_of_role(&role.record.id);
        let mut profiles: Vec<_> =
            profiles.map(|profile| (fold_name(&profile.record.name), profile)).collect();
        profiles.sort_by(|(a, _), (b, _)| a.cmp(b));
        let size_max = |profile: &_| InstanceProfileShape::size_max(&account, profile);
        let page =
            page_of_size(house, call.scope(), &selection, profiles.into_iter(), |profile| size_max(profile))?;
        let page = page.map(|profile| InstanceProfileShape::listed(call.view(), &account, profile));
        Ok(Output { instance_profiles: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
