//! Which resources an account may speak for, and which policy a resource has.

use std::sync::Arc;

use daypass_directory::{AccountView, Check, Principal, ResourcePolicy};
use daypass_model::{AccountId, Arn};

use crate::error::Error;

/// Services whose resources and actions daypass itself decides; nobody else may ask about them.
const OWN_SERVICES: [&str; 4] = ["sts", "iam", "daypass", "signin"];

/// A resource of the asker's account: of no service of ours, and with no other account in its ARN.
pub(super) fn of_account(account: AccountId, arn: &str) -> Result<Arn, Error> {
    let parsed: Arn = arn.parse().map_err(|_| Error::validation(format!("{arn} is not an ARN.")))?;
    if is_own_service(parsed.service()) {
        return Err(Error::validation(format!("{arn} belongs to daypass itself.")));
    }
    match parsed.account() {
        "" => Ok(parsed),
        owner if owner == account.as_str() => Ok(parsed),
        _ => Err(Error::validation(format!(
            "{arn} belongs to another account; assume a role there to speak for it."
        ))),
    }
}

/// Whether a signing name or action prefix is one of ours.
pub(super) fn is_own_service(name: &str) -> bool {
    OWN_SERVICES.iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// The signing names whose requests nobody may have checked.
pub(super) fn own_services() -> &'static [&'static str] {
    &OWN_SERVICES
}

/// The policy that guards a resource: that of its exact ARN, for an S3 object its bucket's.
pub(super) fn policy<'v>(account: &AccountView<'v>, resource: &str) -> Option<&'v Arc<ResourcePolicy>> {
    let bucket = resource.strip_prefix("arn:aws:s3:::").and_then(|rest| rest.split_once('/'));
    match bucket {
        Some((bucket, _)) => account.resource_policy(&format!("arn:aws:s3:::{bucket}")),
        None => account.resource_policy(resource),
    }
}

/// The permission to read or write the policy of a resource.
pub(super) fn check(action: &str, who: &Principal, arn: &str) -> Check {
    Check::new(action, arn, who.account)
}
