//! What an IAM call is authorised on: the ARN with the stored path and case, the resource's condition
//! keys, and the words in which a denial names it.
//!
//! Source: "Actions, resources, and condition keys for AWS Identity and Access Management" in the
//! Service Authorization Reference.

use daypass_directory::{AccountView, AnyPolicy, Check, Checks, Group, Principal, Role, User, View};
use daypass_model::{AccountId, Tag, TagSet};

use crate::actions::iam::rules;
use crate::error::Error;

/// A check on an existing user; one that does not exist is asked about as `/<name>`.
pub(super) fn user(action: &str, view: &View, who: &Principal, name: &str) -> Check {
    let found = in_account(view, who).and_then(|account| account.user(name));
    let arn = found.map_or_else(|| missing(who.account, "user", name), |user| user.arn.clone());
    let check = Check::new(action, arn, who.account).shown(format!("user {name}"));
    match found {
        Some(user) => tagged(check, &user.record.tags, true),
        None => check,
    }
}

/// A check on an existing group. Groups have no tags.
pub(super) fn group(action: &str, view: &View, who: &Principal, name: &str) -> Check {
    let found = in_account(view, who).and_then(|account| account.group(name));
    let arn = found.map_or_else(|| missing(who.account, "group", name), |group| group.arn.clone());
    Check::new(action, arn, who.account).shown(format!("group {name}"))
}

/// A check on an existing role.
pub(super) fn role(action: &str, view: &View, who: &Principal, name: &str) -> Check {
    let found = in_account(view, who).and_then(|account| account.role(name));
    let arn = found.map_or_else(|| missing(who.account, "role", name), |role| role.arn.clone());
    let check = Check::new(action, arn, who.account).shown(format!("role {name}"));
    match found {
        Some(role) => tagged(check, &role.record.tags, true),
        None => check,
    }
}

/// A check on a managed policy, by the ARN that the call names. Policies have no policies of their own, so no
/// other account's caller is ever let in.
pub(super) fn policy(action: &str, view: &View, who: &Principal, arn: &str) -> Check {
    let owner = rules::owner_of_policy(arn).unwrap_or(who.account);
    let check = Check::new(action, arn, owner).shown(format!("policy {arn}"));
    match in_account(view, who).and_then(|account| account.policy(arn)) {
        Some(AnyPolicy::Customer(policy)) => tagged(check, &policy.record.tags, false),
        _ => check,
    }
}

/// A check on something to be made; `kind` is the ARN's word for it.
pub(super) fn new(action: &str, who: &Principal, kind: &str, path: &str, name: &str) -> Check {
    Check::new(action, format!("arn:aws:iam::{}:{kind}{path}{name}", who.account), who.account)
}

/// A check on a collection: the reference says `*`, AWS's denials name `arn:aws:iam::A:user/`.
pub(super) fn collection(action: &str, who: &Principal, kind: &str, path_prefix: Option<&str>) -> Check {
    Check::new(
        action,
        format!("arn:aws:iam::{}:{kind}{}", who.account, path_prefix.unwrap_or("/")),
        who.account,
    )
}

/// The target's present boundary, `iam:PermissionsBoundary`; the key is absent when it has none.
pub(super) fn with_user_boundary(check: Check, view: &View, who: &Principal, name: &str) -> Check {
    let user = in_account(view, who).and_then(|account| account.user(name));
    check.with_some("iam:PermissionsBoundary", user.and_then(|user| user.record.boundary.as_deref()))
}

/// The same of a role.
pub(super) fn with_role_boundary(check: Check, view: &View, who: &Principal, name: &str) -> Check {
    let role = in_account(view, who).and_then(|account| account.role(name));
    check.with_some("iam:PermissionsBoundary", role.and_then(|role| role.record.boundary.as_deref()))
}

/// `aws:RequestTag/…` and `aws:TagKeys` of a call that passes tags. Of two tags with the same key the last
/// value is the one tested; the call then fails on the duplicate.
pub(super) fn with_request_tags(mut check: Check, tags: &[Tag]) -> Check {
    if tags.is_empty() {
        return check;
    }
    let last_wins: TagSet = tags.iter().cloned().collect();
    for tag in &last_wins {
        check = check.with(format!("aws:RequestTag/{}", tag.key), tag.value.as_str());
    }
    check.with("aws:TagKeys", tags.iter().map(|tag| tag.key.clone()).collect::<Vec<_>>())
}

/// The account of the caller; every IAM call is about it.
pub(super) fn in_account<'v>(view: &'v View, who: &Principal) -> Option<AccountView<'v>> {
    view.account(who.account)
}

/// The same in an action, where it must be there.
pub(super) fn account<'v>(view: &'v View, who: &Principal) -> Result<AccountView<'v>, Error> {
    in_account(view, who).ok_or_else(Error::internal)
}

/// The user of this name, or AWS's sentence.
pub(super) fn find_user<'v>(
    account: &AccountView<'v>,
    name: &str,
) -> Result<&'v std::sync::Arc<User>, Error> {
    account
        .user(name)
        .ok_or_else(|| Error::no_such_entity(format!("The user with name {name} cannot be found.")))
}

/// The role of this name, or AWS's sentence.
pub(super) fn find_role<'v>(
    account: &AccountView<'v>,
    name: &str,
) -> Result<&'v std::sync::Arc<Role>, Error> {
    account
        .role(name)
        .ok_or_else(|| Error::no_such_entity(format!("The role with name {name} cannot be found.")))
}

/// The group of this name, or AWS's sentence.
pub(super) fn find_group<'v>(
    account: &AccountView<'v>,
    name: &str,
) -> Result<&'v std::sync::Arc<Group>, Error> {
    account
        .group(name)
        .ok_or_else(|| Error::no_such_entity(format!("The group with name {name} cannot be found.")))
}

/// What a write to an existing entity must be allowed: its check, except that AWS's managed policies are
/// nobody's to change.
pub(super) fn writing(check: Check) -> Checks {
    if check.resource.starts_with("arn:aws:iam::aws:") {
        let shown = check.shown.unwrap_or(check.resource);
        return Checks::nobody_may(check.action, shown);
    }
    Checks::one(check)
}

/// The check on what a rename or move makes of an entity, when that is another ARN: the permission is needed
/// there too.
pub(super) fn moved(check: &Check, who: &Principal, kind: &str, path: &str, name: &str) -> Option<Check> {
    let mut moved = check.clone();
    moved.resource = new("", who, kind, path, name).resource;
    (moved.resource != check.resource).then_some(moved)
}

fn missing(account: AccountId, kind: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:{kind}/{name}")
}

/// The tags of the target; `iam:ResourceTag` exists for users and roles only.
fn tagged(mut check: Check, tags: &TagSet, iam_key: bool) -> Check {
    for tag in tags {
        check = check.with(format!("aws:ResourceTag/{}", tag.key), tag.value.as_str());
        if iam_key {
            check = check.with(format!("iam:ResourceTag/{}", tag.key), tag.value.as_str());
        }
    }
    check
}
