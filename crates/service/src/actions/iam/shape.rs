//! Structures that several answers share, under the public model's names.
//!
//! Which members a call shows is a rule of that call (ListUsers never shows tags, GetUser does when there
//! are any); the constructors here are named after those rules. They take the record: what a write answers is what it
//! wrote, and nothing that happened to it since.

use daypass_directory::record::{AccessKeyRecord, GroupRecord, RoleRecord, UserRecord};
use daypass_directory::{AccountView, AnyPolicy, Role, User, View};
use daypass_model::{Tag, TagSet};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::actions::principals;
use crate::request::Time;

/// RFC 3986's unreserved characters stay.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Text, a policy document above all, URL-encoded as IAM does.
pub(super) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, RESERVED).to_string()
}

/// `User`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UserShape {
    path: String,
    user_name: String,
    user_id: String,
    arn: String,
    create_date: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_last_used: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<BoundaryShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
}

/// `AttachedPermissionsBoundary`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BoundaryShape {
    permissions_boundary_type: &'static str,
    permissions_boundary_arn: String,
}

impl BoundaryShape {
    pub(super) fn of(arn: &Option<String>) -> Option<Self> {
        // On the wire the type is `Policy`, whatever the model's enum says.
        let arn = arn.clone()?;
        Some(Self { permissions_boundary_type: "Policy", permissions_boundary_arn: arn })
    }
}

/// Tags that are shown only when there are any.
pub(super) fn some_tags(tags: &TagSet) -> Option<Vec<Tag>> {
    (!tags.is_empty()).then(|| tags.iter().cloned().collect())
}

impl UserShape {
    /// As lists show a user: without tags and boundary.
    pub(super) fn listed(arn: &str, user: &UserRecord) -> Self {
        Self {
            path: user.path.clone(),
            user_name: user.name.clone(),
            user_id: user.id.to_string(),
            arn: arn.to_owned(),
            create_date: Time(user.created),
            password_last_used: None,
            permissions_boundary: None,
            tags: None,
        }
    }

    /// As CreateUser and GetUser show it.
    pub(super) fn whole(arn: &str, user: &UserRecord) -> Self {
        Self {
            permissions_boundary: BoundaryShape::of(&user.boundary),
            tags: some_tags(&user.tags),
            ..Self::listed(arn, user)
        }
    }
}

impl UserShape {
    /// The same with the user's last sign-in, which GetUser and ListUsers alone tell of.
    pub(super) fn with_password_of(self, account: &AccountView<'_>, user: &User) -> Self {
        let profile = account.login_profile(&user.record.id);
        let password_last_used = profile.and_then(|profile| profile.record.last_used).map(Time);
        Self { password_last_used, ..self }
    }
}

/// `User` of the root user: no name and no path.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RootShape {
    user_id: String,
    arn: String,
    create_date: Time,
}

impl RootShape {
    pub(super) fn of(account: &AccountView<'_>) -> Self {
        Self {
            user_id: account.id().to_string(),
            arn: account.id().root_arn(),
            create_date: Time(account.root().map_or(0, |root| root.record.created)),
        }
    }
}

/// `Group`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GroupShape {
    path: String,
    group_name: String,
    group_id: String,
    arn: String,
    create_date: Time,
}

impl GroupShape {
    pub(super) fn of(arn: &str, group: &GroupRecord) -> Self {
        Self {
            path: group.path.clone(),
            group_name: group.name.clone(),
            group_id: group.id.to_string(),
            arn: arn.to_owned(),
            create_date: Time(group.created),
        }
    }
}

/// `Role`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RoleShape {
    path: String,
    role_name: String,
    role_id: String,
    arn: String,
    create_date: Time,
    assume_role_policy_document: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_session_duration: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<BoundaryShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_last_used: Option<RoleLastUsed>,
}

/// `RoleLastUsed`, empty when never used.
#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RoleLastUsed {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_used_date: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<String>,
}

impl RoleShape {
    /// As ListRoles shows it: description and session duration, never tags, boundary or last use.
    pub(super) fn listed(view: &View, arn: &str, role: &RoleRecord) -> Self {
        Self {
            path: role.path.clone(),
            role_name: role.name.clone(),
            role_id: role.id.to_string(),
            arn: arn.to_owned(),
            create_date: Time(role.created),
            assume_role_policy_document: encoded(&principals::shown(view, &role.trust)),
            // An update can empty it; an empty one is as none.
            description: role.description.clone().filter(|text| !text.is_empty()),
            max_session_duration: Some(role.session_duration_max),
            permissions_boundary: None,
            tags: None,
            role_last_used: None,
        }
    }

    /// As it stands in an instance profile: description and session duration are not shown there.
    pub(super) fn nested(view: &View, role: &Role) -> Self {
        Self { description: None, max_session_duration: None, ..Self::listed(view, &role.arn, &role.record) }
    }

    /// What a role takes in a list at most: encoded, a character of the trust policy is up to three.
    pub(super) fn size_max(role: &Role) -> usize {
        3 * role.record.trust.len() + role.record.description.as_ref().map_or(0, String::len)
    }

    /// As CreateRole and UpdateRoleDescription show it: no session duration, even when given.
    pub(super) fn created(view: &View, arn: &str, role: &RoleRecord) -> Self {
        Self {
            max_session_duration: None,
            permissions_boundary: BoundaryShape::of(&role.boundary),
            tags: some_tags(&role.tags),
            ..Self::listed(view, arn, role)
        }
    }

    /// As GetRole shows it.
    pub(super) fn whole(view: &View, role: &Role, last_used: RoleLastUsed) -> Self {
        Self {
            role_last_used: Some(last_used),
            max_session_duration: Some(role.record.session_duration_max),
            ..Self::created(view, &role.arn, &role.record)
        }
    }
}

/// `AttachedPolicy`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttachedPolicy {
    policy_name: String,
    policy_arn: String,
}

impl AttachedPolicy {
    pub(super) fn of(policy: &AnyPolicy<'_>) -> Self {
        Self { policy_name: policy.name().to_owned(), policy_arn: policy.arn().to_owned() }
    }
}

/// `AccessKeyMetadata`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AccessKeyMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    access_key_id: String,
    status: &'static str,
    create_date: Time,
}

impl AccessKeyMetadata {
    pub(super) fn of(user_name: Option<&str>, key: &AccessKeyRecord) -> Self {
        Self {
            user_name: user_name.map(str::to_owned),
            access_key_id: key.id.to_string(),
            status: status(key.active),
            create_date: Time(key.created),
        }
    }
}

/// `Active` or `Inactive`
pub(super) fn status(active: bool) -> &'static str {
    if active { "Active" } else { "Inactive" }
}
