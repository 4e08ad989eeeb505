//! `InstanceProfile`, as each call shows it.

use daypass_directory::record::InstanceProfileRecord;
use daypass_directory::{AccountView, InstanceProfile, Role, View};
use daypass_model::Tag;
use serde::Serialize;

use crate::actions::iam::shape::{RoleShape, some_tags};
use crate::request::Time;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct InstanceProfileShape {
    path: String,
    instance_profile_name: String,
    instance_profile_id: String,
    arn: String,
    create_date: Time,
    /// Always there, with one or none.
    roles: Vec<RoleShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
}

impl InstanceProfileShape {
    /// As CreateInstanceProfile shows it: tags only if there are any, and no role yet.
    pub(super) fn created(arn: &str, profile: &InstanceProfileRecord) -> Self {
        Self {
            path: profile.path.clone(),
            instance_profile_name: profile.name.clone(),
            instance_profile_id: profile.id.to_string(),
            arn: arn.to_owned(),
            create_date: Time(profile.created),
            roles: Vec::new(),
            tags: some_tags(&profile.tags),
        }
    }

    /// As lists show it: never with tags.
    pub(in crate::actions::iam) fn listed(
        view: &View,
        account: &AccountView<'_>,
        profile: &InstanceProfile,
    ) -> Self {
        let role = role_of(account, profile).map(|role| RoleShape::nested(view, role));
        Self { roles: role.into_iter().collect(), tags: None, ..Self::created(&profile.arn, &profile.record) }
    }

    /// As GetInstanceProfile shows it: tags always, even when there are none.
    pub(super) fn whole(view: &View, account: &AccountView<'_>, profile: &InstanceProfile) -> Self {
        let tags = profile.record.tags.iter().cloned().collect();
        Self { tags: Some(tags), ..Self::listed(view, account, profile) }
    }

    /// What it takes in a list at most: its role's trust policy.
    pub(in crate::actions::iam) fn size_max(account: &AccountView<'_>, profile: &InstanceProfile) -> usize {
        role_of(account, profile).map_or(0, RoleShape::size_max)
    }
}

fn role_of<'v>(account: &AccountView<'v>, profile: &InstanceProfile) -> Option<&'v Role> {
    profile.record.role.as_ref().and_then(|id| account.role_by_id(id)).map(|role| &**role)
}
