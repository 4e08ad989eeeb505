//! `iam:ListEntitiesForPolicy`: who has a managed policy attached, or as the boundary.

use std::collections::BTreeMap;

use daypass_directory::{AccountView, Authorized, Checks, Operation, Scope};
use daypass_model::{UniqueId, fold_name};
use serde::{Deserialize, Serialize};

use super::list::Usage;
use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct ListEntitiesForPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    policy_arn: String,
    entity_filter: Option<EntityFilter>,
    path_prefix: Option<String>,
    policy_usage_filter: Option<Usage>,
    marker: Option<String>,
    max_items: Option<i64>,
}

/// `EntityType`; no policy is attached to policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
enum EntityFilter {
    Group,
    User,
    Role,
    LocalManagedPolicy,
    #[serde(rename = "AWSManagedPolicy")]
    AwsManagedPolicy,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    policy_groups: Vec<PolicyGroup>,
    policy_users: Vec<PolicyUser>,
    policy_roles: Vec<PolicyRole>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyGroup {
    group_name: String,
    group_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyUser {
    user_name: String,
    user_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyRole {
    role_name: String,
    role_id: String,
}

impl Action for ListEntitiesForPolicy {
    const NAME: &'static str = "iam:ListEntitiesForPolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::policy(Self::NAME, scope, &input.policy_arn))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let arn = &input.policy_arn;
        rules::arn_of_policy(arn)?;
        // Another sentence than that of reads: as recorded from AWS.
        rules::attachable(&account, arn)?;
        let (usage, filter) = (input.policy_usage_filter, input.entity_filter);
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let selection = Selection {
            of: format!("ListEntitiesForPolicy {arn} {filter:?} {usage:?} {prefix}"),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let attached = account.attached_to(arn).filter(|_| usage != Some(Usage::PermissionsBoundary));
        let bounded = account.boundary_of(arn).filter(|_| usage != Some(Usage::PermissionsPolicy));
        let users = attached.chain(bounded).filter_map(|id| Using::of(&account, id));
        let users = users.filter(|using| filter.is_none_or(|kind| using.kind == kind));
        let users = users.filter(|using| using.path.starts_with(prefix));
        // Who uses it in both ways is listed once.
        let users: BTreeMap<_, _> = users.map(|using| (using.sort_key(), using)).collect();
        let page = page(house, call.scope(), &selection, users.into_iter())?;
        let mut output = Output { is_truncated: page.is_truncated, marker: page.marker, ..Output::default() };
        page.items.into_iter().for_each(|using| output.show(&using));
        Ok(output)
    }
}

impl Output {
    fn show(&mut self, using: &Using<'_>) {
        let (name, id) = (using.name.to_owned(), using.id.to_string());
        match using.kind {
            EntityFilter::Group => self.policy_groups.push(PolicyGroup { group_name: name, group_id: id }),
            EntityFilter::User => self.policy_users.push(PolicyUser { user_name: name, user_id: id }),
            EntityFilter::Role => self.policy_roles.push(PolicyRole { role_name: name, role_id: id }),
            EntityFilter::LocalManagedPolicy | EntityFilter::AwsManagedPolicy => {}
        }
    }
}

/// An entity that uses the policy.
struct Using<'v> {
    kind: EntityFilter,
    id: &'v UniqueId,
    name: &'v str,
    path: &'v str,
}

impl<'v> Using<'v> {
    fn of(account: &AccountView<'v>, id: &'v UniqueId) -> Option<Self> {
        if let Some(user) = account.user_by_id(id) {
            return Some(Self {
                kind: EntityFilter::User,
                id,
                name: &user.record.name,
                path: &user.record.path,
            });
        }
        if let Some(group) = account.group_by_id(id) {
            return Some(Self {
                kind: EntityFilter::Group,
                id,
                name: &group.record.name,
                path: &group.record.path,
            });
        }
        let role = account.role_by_id(id)?;
        Some(Self { kind: EntityFilter::Role, id, name: &role.record.name, path: &role.record.path })
    }

    /// Groups, users, roles; by name within a kind.
    fn sort_key(&self) -> String {
        format!("{} {}", self.kind as u8, fold_name(self.name))
    }
}
