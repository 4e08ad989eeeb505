//! Which resources an account may speak for, and which policy guards one.
//!
//! A policy is kept under the ARN of a resource and found again by the ARN that a CheckRequest names. Both go
//! through `of_account` and `guard`, so that a policy nobody's question leads to is refused when it is
//! written, and no second spelling of a resource leads around its policy.

use std::borrow::Cow;
use std::sync::Arc;

use daypass_directory::{AccountView, ResourcePolicy};
use daypass_model::{AccountId, Arn};

use crate::error::Error;

/// The partition of every account here.
const PARTITION: &str = "aws";

/// Services whose resources and actions daypass itself decides; nobody else may ask about them.
const OWN_SERVICES: [&str; 7] = ["sts", "iam", "daypass", "signin", "eks", "eks-auth", "rolesanywhere"];

/// The actions of Amazon S3 that take no resource, in lower case (Service Authorization Reference, "Actions
/// defined by Amazon S3": those without a resource type).
const S3_WITHOUT_RESOURCE: [&str; 12] = [
    "s3:createjob",
    "s3:getaccesspoint",
    "s3:getaccountpublicaccessblock",
    "s3:listaccesspoints",
    "s3:listaccesspointsforobjectlambda",
    "s3:listallmybuckets",
    "s3:listjobs",
    "s3:listmultiregionaccesspoints",
    "s3:liststoragelensconfigurations",
    "s3:putaccesspointpublicaccessblock",
    "s3:putaccountpublicaccessblock",
    "s3:putstoragelensconfiguration",
];

/// A resource of the asker's account: of no service of ours, with no other account in its ARN, and in the one
/// spelling that its policy is found by.
fn of_account(account: AccountId, arn: &str) -> Result<Arn, Error> {
    let parsed: Arn = arn.parse().map_err(|_| Error::validation(format!("{arn} is not an ARN.")))?;
    if is_own_service(parsed.service()) {
        return Err(Error::validation(format!("{arn} belongs to daypass itself.")));
    }
    // `arn:aws-cn:s3:::b` or `arn:aws:S3:::b` would be the bucket to a careless service, and lead past its policy.
    if parsed.partition() != PARTITION || !parsed.service().bytes().all(is_plain) {
        return Err(Error::validation(format!("{arn} does not begin with arn:aws: and a service's prefix.")));
    }
    if parsed.service() == "s3" {
        refuse_other_spelling_of_bucket(&parsed)?;
    }
    match parsed.account() {
        "" => Ok(parsed),
        owner if owner == account.as_str() => Ok(parsed),
        _ => Err(Error::validation(format!(
            "{arn} belongs to another account; assume a role there to speak for it."
        ))),
    }
}

/// Buckets and objects have neither region nor account in their ARNs (Service Authorization Reference,
/// "Resource types defined by Amazon S3"); with one, the bucket's policy would not be found.
fn refuse_other_spelling_of_bucket(arn: &Arn) -> Result<(), Error> {
    let bucket = arn.resource_parts().map_or(arn.resource(), |(bucket, _)| bucket);
    if !arn.region().is_empty() || !arn.account().is_empty() {
        Err(Error::validation(format!("{arn}: the ARN of a bucket or object has no region and no account.")))
    } else if bucket.is_empty() || has_wildcard(bucket) {
        Err(Error::validation(format!("{arn} names no bucket.")))
    } else {
        Ok(())
    }
}

/// Refuse what cannot have a policy of its own: no CheckRequest would ever come to it.
pub(super) fn can_have_policy(account: AccountId, arn: &str) -> Result<(), Error> {
    let parsed = of_account(account, arn)?;
    // Policies are found by exact ARN: a pattern would guard nothing.
    if has_wildcard(arn) {
        return Err(Error::validation(format!("{arn} is a pattern; a policy belongs to one resource.")));
    }
    match guard(&parsed) {
        guard if guard == arn => Ok(()),
        guard => Err(Error::validation(format!("{arn} is guarded by the policy of {guard}."))),
    }
}

/// The policy that guards what a CheckRequest asks about. An action without a resource (`*`) has none.
///
/// # Errors
/// ValidationError: not a resource of the account, or `*` for an action that has one.
pub(super) fn policy<'v>(
    account: &AccountView<'v>,
    action: &str,
    resource: &str,
) -> Result<Option<&'v Arc<ResourcePolicy>>, Error> {
    if resource == "*" {
        // Of other services it is not known which actions take a resource; the asker knows its own.
        let action_of_s3 = action.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("s3:"));
        if action_of_s3 && !S3_WITHOUT_RESOURCE.contains(&action.to_ascii_lowercase().as_str()) {
            return Err(Error::validation(format!("{action} acts on a bucket or object: name it.")));
        }
        return Ok(None);
    }
    let arn = of_account(account.id(), resource)?;
    Ok(account.resource_policy(&guard(&arn)))
}

/// The policy kept under exactly this ARN: what Get and Delete mean. Never the one of the bucket around an
/// object: the caller's permission is for the ARN it named.
pub(super) fn kept<'v>(account: &AccountView<'v>, arn: &str) -> Result<&'v Arc<ResourcePolicy>, Error> {
    let missing = || Error::no_such_entity(format!("There is no policy for {arn}."));
    account.resource_policy(arn).ok_or_else(missing)
}

/// The ARN that the policy of a resource is kept under: its own, for an S3 object its bucket's.
fn guard(arn: &Arn) -> Cow<'_, str> {
    match arn.resource_parts() {
        Some((bucket, _)) if arn.service() == "s3" => Cow::Owned(format!("arn:{PARTITION}:s3:::{bucket}")),
        _ => Cow::Borrowed(arn.as_str()),
    }
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
}

/// Whether a signing name or action prefix is one of ours.
pub(super) fn is_own_service(name: &str) -> bool {
    OWN_SERVICES.iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// The signing names whose requests nobody may have checked.
pub(super) fn own_services() -> &'static [&'static str] {
    &OWN_SERVICES
}
