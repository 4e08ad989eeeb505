//! What an IAM call is authorised on: the ARN with the stored path and case, the resource's condition
//! keys, and the words in which a denial names it.
//!
//! Source: "Actions, resources, and condition keys for AWS Identity and Access Management" in the
//! Service Authorization Reference.

use daypass_directory::{
    AccountView, AnyPolicy, Check, Checks, Group, InstanceProfile, MfaDevice, OidcProvider, Role,
    SamlProvider, Scope, User,
};
use daypass_model::{Arn, EntityKind, TagSet, entity_arn};

use crate::actions::iam::rules;
use crate::error::Error;

/// A check on an existing user; one that does not exist is asked about as `/<name>`.
pub(super) fn user(action: &str, scope: &Scope, name: &str) -> Check {
    let found = scope.account().user(name);
    let arn = found.map_or_else(|| missing(scope, EntityKind::User, name), |user| user.arn.clone());
    let check = scope.check(action, arn).shown(format!("user {name}"));
    match found {
        Some(user) => tagged(check, &user.record.tags, true),
        None => check,
    }
}

/// A check on an existing group. Groups have no tags.
pub(super) fn group(action: &str, scope: &Scope, name: &str) -> Check {
    let found = scope.account().group(name);
    let arn = found.map_or_else(|| missing(scope, EntityKind::Group, name), |group| group.arn.clone());
    scope.check(action, arn).shown(format!("group {name}"))
}

/// A check on an existing role.
pub(super) fn role(action: &str, scope: &Scope, name: &str) -> Check {
    let found = scope.account().role(name);
    let arn = found.map_or_else(|| missing(scope, EntityKind::Role, name), |role| role.arn.clone());
    let check = scope.check(action, arn).shown(format!("role {name}"));
    match found {
        Some(role) => tagged(check, &role.record.tags, true),
        None => check,
    }
}

/// A check on an existing instance profile.
pub(super) fn instance_profile(action: &str, scope: &Scope, name: &str) -> Check {
    let found = scope.account().instance_profile(name);
    let kind = EntityKind::InstanceProfile;
    let arn = found.map_or_else(|| missing(scope, kind, name), |profile| profile.arn.clone());
    let check = scope.check(action, arn).shown(format!("instance profile {name}"));
    match found {
        Some(profile) => tagged(check, &profile.record.tags, false),
        None => check,
    }
}

/// A check on a managed policy, by the ARN that the call names. Policies have no policies of their own, so no
/// other account's caller is ever let in.
pub(super) fn policy(action: &str, scope: &Scope, arn: &str) -> Check {
    let owner = rules::owner_of_policy(arn).unwrap_or(scope.account().id());
    let check = Check::new(action, arn, owner).shown(format!("policy {arn}"));
    match scope.account().policy(arn) {
        Some(AnyPolicy::Customer(policy)) => tagged(check, &policy.record.tags, false),
        _ => check,
    }
}

/// A check on an MFA device, by the serial number that the call names. One that is no ARN of a device stands for
/// none of ours and is asked about as `/<serial number>`.
pub(super) fn mfa_device(action: &str, scope: &Scope, serial_number: &str) -> Check {
    let arn: Option<Arn> = serial_number.parse().ok();
    let arn = arn.filter(|arn| arn.service() == "iam" && arn.resource().starts_with("mfa/"));
    let check = match arn.as_ref().and_then(Arn::account_id) {
        Some(owner) => Check::new(action, serial_number, owner),
        None => scope.check(action, missing(scope, EntityKind::MfaDevice, serial_number)),
    };
    match scope.account().mfa_device(serial_number) {
        Some(device) => tagged(check, &device.record.tags, false),
        None => check,
    }
}

/// A check on an OpenID Connect provider, by the ARN that the call names.
pub(in crate::actions) fn oidc_provider(action: &str, scope: &Scope, arn: &str) -> Check {
    let check = provider(action, scope, EntityKind::OidcProvider, arn);
    match scope.account().oidc_provider(arn) {
        Some(provider) => tagged(check, &provider.record.tags, false),
        None => check,
    }
}

/// A check on a SAML provider, by the ARN that the call names.
pub(super) fn saml_provider(action: &str, scope: &Scope, arn: &str) -> Check {
    let check = provider(action, scope, EntityKind::SamlProvider, arn);
    match scope.account().saml_provider(arn) {
        Some(provider) => tagged(check, &provider.record.tags, false),
        None => check,
    }
}

/// A check on an identity provider of a kind. What is no ARN of one is asked about as `/<what it is>`.
fn provider(action: &str, scope: &Scope, kind: EntityKind, arn: &str) -> Check {
    let owner = arn.parse().ok().filter(|arn| is_of(arn, kind)).and_then(|arn: Arn| arn.account_id());
    match owner {
        Some(owner) => Check::new(action, arn, owner),
        None => scope.check(action, missing(scope, kind, arn)),
    }
}

/// Whether an ARN is one of entities of this kind.
fn is_of(arn: &Arn, kind: EntityKind) -> bool {
    arn.service() == "iam" && arn.resource_parts().is_some_and(|(word, _)| word == kind.word())
}

/// A check on something to be made.
pub(super) fn new(action: &str, scope: &Scope, kind: EntityKind, path: &str, name: &str) -> Check {
    scope.check(action, entity_arn(scope.account().id(), kind, path, name))
}

/// A check on a collection: the reference says `*`, AWS's denials name `arn:aws:iam::A:user/`.
pub(super) fn collection(action: &str, scope: &Scope, kind: EntityKind, path_prefix: Option<&str>) -> Check {
    new(action, scope, kind, path_prefix.unwrap_or("/"), "")
}

/// The target's present boundary, `iam:PermissionsBoundary`; the key is absent when it has none.
pub(super) fn with_user_boundary(check: Check, scope: &Scope, name: &str) -> Check {
    let user = scope.account().user(name);
    check.with_some("iam:PermissionsBoundary", user.and_then(|user| user.record.boundary.as_deref()))
}

/// The same of a role.
pub(super) fn with_role_boundary(check: Check, scope: &Scope, name: &str) -> Check {
    let role = scope.account().role(name);
    check.with_some("iam:PermissionsBoundary", role.and_then(|role| role.record.boundary.as_deref()))
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

/// The instance profile of this name, or AWS's sentence.
pub(super) fn find_instance_profile<'v>(
    account: &AccountView<'v>,
    name: &str,
) -> Result<&'v std::sync::Arc<InstanceProfile>, Error> {
    account
        .instance_profile(name)
        .ok_or_else(|| Error::no_such_entity(format!("Instance Profile {name} cannot be found.")))
}

/// The MFA device with this serial number, or AWS's sentence.
pub(super) fn find_mfa_device<'v>(
    account: &AccountView<'v>,
    serial_number: &str,
) -> Result<&'v std::sync::Arc<MfaDevice>, Error> {
    account.mfa_device(serial_number).ok_or_else(|| {
        Error::no_such_entity(format!("MFA Device with serial number {serial_number} does not exist."))
    })
}

/// The OpenID Connect provider of this ARN, or AWS's sentence.
pub(in crate::actions) fn find_oidc_provider<'v>(
    account: &AccountView<'v>,
    arn: &str,
) -> Result<&'v std::sync::Arc<OidcProvider>, Error> {
    arn_of(arn, EntityKind::OidcProvider)?;
    account
        .oidc_provider(arn)
        .ok_or_else(|| Error::no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}")))
}

/// The SAML provider of this ARN, or AWS's sentence.
pub(super) fn find_saml_provider<'v>(
    account: &AccountView<'v>,
    arn: &str,
) -> Result<&'v std::sync::Arc<SamlProvider>, Error> {
    arn_of(arn, EntityKind::SamlProvider)?;
    account
        .saml_provider(arn)
        .ok_or_else(|| Error::no_such_entity(format!("Manifest not found for arn {arn}")))
}

/// Whether a call names an entity of the right kind at all.
fn arn_of(arn: &str, kind: EntityKind) -> Result<(), Error> {
    let is_one = arn.parse().is_ok_and(|parsed| is_of(&parsed, kind));
    if is_one { Ok(()) } else { Err(Error::invalid_input(format!("ARN {arn} is not valid."))) }
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
pub(super) fn moved(check: &Check, scope: &Scope, kind: EntityKind, path: &str, name: &str) -> Option<Check> {
    let mut moved = check.clone();
    moved.resource = entity_arn(scope.account().id(), kind, path, name);
    (moved.resource != check.resource).then_some(moved)
}

fn missing(scope: &Scope, kind: EntityKind, name: &str) -> String {
    entity_arn(scope.account().id(), kind, "/", name)
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
