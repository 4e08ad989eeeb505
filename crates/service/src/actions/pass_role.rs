//! `iam:PassRole`: the permission to hand a role to a service, which then acts with it for others. There is no
//! operation of this name; whoever takes a role for a machine or a profile asks this of its caller.
//!
//! Without it, whoever may start a machine could give it any role of the account, and would have what the role may.
//! A role is passed inside its own account only, and service-linked roles to nobody. Source: "Grant a user permissions to pass a
//! role to an AWS service", IAM User Guide.

use std::sync::Arc;

use daypass_directory::{AccountView, Check, Role, Scope};
use daypass_model::{Arn, EntityKind, entity_arn, is_reserved_path};

use crate::error::Error;
use crate::services::OwnService;

/// What in the account the role may be associated with, `iam:AssociatedResourceArn`.
fn associated(service: OwnService, scope: &Scope) -> String {
    let account = scope.account().id();
    match service {
        OwnService::Ec2 | OwnService::EcsTasks => format!("arn:aws:ec2:*:{account}:instance/*"),
        OwnService::Pods => format!("arn:aws:eks:*:{account}:podidentityassociation/*"),
        OwnService::RolesAnywhere => format!("arn:aws:rolesanywhere:*:{account}:profile/*"),
    }
}

/// The check on passing the role of this name, of the caller's account. One that is missing is asked about as `/<name>`.
pub(in crate::actions) fn by_name(scope: &Scope, name: &str, to: OwnService) -> Check {
    match scope.account().role(name) {
        Some(role) => of_role(scope, role, to),
        None => asked(scope, entity_arn(scope.account().id(), EntityKind::Role, "/", name), to),
    }
}

/// The check on passing the role of this ARN. Another account's is asked about as another account's: nobody may.
pub(in crate::actions) fn by_arn(scope: &Scope, arn: &str, to: OwnService) -> Check {
    if let Some(role) = named(&scope.account(), arn) {
        return of_role(scope, role, to);
    }
    let owner = arn.parse::<Arn>().ok().and_then(|arn| arn.account_id());
    Check { owner: owner.unwrap_or_else(|| scope.account().id()), ..asked(scope, arn, to) }
}

/// The role that an ARN names, after the check on passing it.
///
/// # Errors
/// `missing`, if there is none; ValidationError for a service-linked role.
pub(in crate::actions) fn passed<'v>(
    account: &AccountView<'v>,
    arn: &str,
    missing: impl FnOnce() -> Error,
) -> Result<&'v Arc<Role>, Error> {
    let role = named(account, arn).ok_or_else(missing)?;
    if is_reserved_path(&role.record.path) {
        return Err(Error::validation(format!("The service-linked role {arn} is passed to nobody.")));
    }
    Ok(role)
}

/// The role of the account that an ARN names to the letter, for whoever hands it out. A service-linked role is its service's alone,
/// also where it was passed before anybody looked.
pub(crate) fn find<'v>(account: &AccountView<'v>, arn: &str) -> Option<&'v Arc<Role>> {
    named(account, arn).filter(|role| !is_reserved_path(&role.record.path))
}

fn named<'v>(account: &AccountView<'v>, arn: &str) -> Option<&'v Arc<Role>> {
    let parsed: Arn = arn.parse().ok()?;
    let name = parsed.resource_parts().filter(|(kind, _)| *kind == "role")?.1.rsplit('/').next()?;
    account.role(name).filter(|role| role.arn == arn)
}

/// The same check where it is known with what the role will be associated.
pub(in crate::actions) fn for_one(mut check: Check, associated: &str) -> Check {
    check.keys.retain(|(key, _)| key != ASSOCIATED);
    check.with(ASSOCIATED, associated)
}

const ASSOCIATED: &str = "iam:AssociatedResourceArn";

/// Its tags are there for conditions, though AWS advises against them here: a Deny by tag holds.
pub(in crate::actions) fn of_role(scope: &Scope, role: &Role, to: OwnService) -> Check {
    let check = asked(scope, &*role.arn, to);
    role.record.tags.iter().fold(check, |check, tag| {
        let (key, value) = (&tag.key, tag.value.as_str());
        check.with(format!("aws:ResourceTag/{key}"), value).with(format!("iam:ResourceTag/{key}"), value)
    })
}

fn asked(scope: &Scope, arn: impl Into<String>, to: OwnService) -> Check {
    scope
        .check("iam:PassRole", arn)
        .with("iam:PassedToService", to.name())
        .with(ASSOCIATED, associated(to, scope))
}
