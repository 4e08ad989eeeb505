//! Rules of associations that need more than a parameter's shape: EKS's model has hardly a bound.

use daypass_directory::pods::record::PodAssociationRecord;
use daypass_directory::{AccountView, Role};
use daypass_model::limits::{SESSION_POLICY_CHARACTERS_MAX, TAGS_MAX};
use daypass_model::{AccountId, Arn, Tag, TagSet, is_reserved};
use daypass_policy::Kind;
use std::sync::Arc;

use super::shape::Tags;
use crate::actions::pass_role;
use crate::error::Error;
use crate::federation::{is_label, is_subdomain};

/// Characters of a role's ARN.
const ARN_LENGTH_MAX: usize = 2048;
/// Characters of a `clientRequestToken`.
const REQUEST_TOKEN_LENGTH_MAX: usize = 256;

/// What a call says is wrong.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new("InvalidParameterException", message)
}

/// Namespace and service account, as Kubernetes calls them.
pub(super) fn check_names(namespace: &str, service_account: &str) -> Result<(), Error> {
    if !is_label(namespace) {
        return Err(invalid("The namespace is no name of a Kubernetes namespace."));
    }
    if !is_subdomain(service_account) {
        return Err(invalid("The service account is no name of a Kubernetes service account."));
    }
    Ok(())
}

/// A `clientRequestToken` that can be looked at.
pub(super) fn check_token(token: Option<&str>) -> Result<(), Error> {
    match token {
        Some(token) if token.chars().count() > REQUEST_TOKEN_LENGTH_MAX => {
            Err(invalid(format!("A clientRequestToken has {REQUEST_TOKEN_LENGTH_MAX} characters at most.")))
        }
        _ => Ok(()),
    }
}

/// The role of the account that an ARN names, after the check on passing it.
pub(super) fn role<'v>(account: &AccountView<'v>, arn: &str) -> Result<&'v Arc<Role>, Error> {
    let missing = || invalid(format!("Role {arn} does not exist."));
    pass_role::passed(account, arn, missing).map_err(|error| invalid(error.message))
}

/// The role that is assumed with the first, which may be another account's: what it says is asked when a pod comes.
pub(super) fn check_target(arn: &str) -> Result<(), Error> {
    let parsed: Option<Arn> = arn.parse().ok().filter(|_| arn.len() <= ARN_LENGTH_MAX);
    // What would be a pattern elsewhere, or no name, is nobody's role.
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
    };
    let is_path = |path: &str| path.bytes().all(|byte| byte.is_ascii_graphic() && !b"*?".contains(&byte));
    let is_role = parsed.is_some_and(|arn| {
        let of_role = arn.resource_parts().filter(|(kind, _)| *kind == "role");
        let is_of_iam = arn.partition() == "aws" && arn.service() == "iam" && arn.region().is_empty();
        is_of_iam
            && arn.account_id().is_some()
            && of_role.is_some_and(|(_, path)| is_path(path) && path.rsplit('/').next().is_some_and(is_name))
    });
    if is_role { Ok(()) } else { Err(invalid(format!("{arn} is no ARN of a role."))) }
}

/// A session policy, which goes with sessions that have no tags (Amazon EKS API Reference, `policy`).
pub(super) fn check_policy(policy: Option<&str>, disable_session_tags: bool) -> Result<(), Error> {
    let Some(policy) = policy else { return Ok(()) };
    if !disable_session_tags {
        return Err(invalid("disableSessionTags must be true where there is a policy."));
    }
    if policy.chars().count() > SESSION_POLICY_CHARACTERS_MAX {
        return Err(invalid(format!("A policy has {SESSION_POLICY_CHARACTERS_MAX} characters at most.")));
    }
    daypass_policy::validate(Kind::Session, policy).map_err(|malformed| invalid(malformed.message))
}

/// Tags as a call passes them.
pub(super) fn given(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// The same, added to what there is. `refused` is the word of the operation for what is wrong.
pub(super) fn add_tags(to: &mut TagSet, tags: &Tags, refused: fn(String) -> Error) -> Result<(), Error> {
    let given = given(tags);
    if given.iter().any(|tag| is_reserved(&tag.key) || is_reserved(&tag.value)) {
        return Err(refused("Tag keys and values beginning with aws: are reserved for system use.".into()));
    }
    if given.iter().cloned().collect::<TagSet>().len() < given.len() {
        let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
        return Err(refused(message.into()));
    }
    given.into_iter().for_each(|tag| to.insert(tag));
    if to.len() > TAGS_MAX {
        return Err(refused(format!("An association may have {TAGS_MAX} tags.")));
    }
    Ok(())
}

/// What the target role's trust policy may ask as `sts:ExternalId`, so that no other association has that role:
/// `<region>/<account>/<cluster>/<namespace>/<service account>`.
pub(in crate::actions) fn external_id(account: AccountId, of: &PodAssociationRecord) -> String {
    let PodAssociationRecord { region, cluster, namespace, service_account, .. } = of;
    format!("{region}/{account}/{cluster}/{namespace}/{service_account}")
}

#[cfg(test)]
mod tests {
    //! What is no role.

    use super::*;

    #[test]
    fn a_target_is_one_role() {
        for good in ["role/Depot", "role/team/a%b/Depot", "role/x.y=z@w+v,u_t-s"] {
            assert!(check_target(&format!("arn:aws:iam::444455556666:{good}")).is_ok(), "{good}");
        }
        for bad in [
            "arn:aws:iam::444455556666:role/*",
            "arn:aws:iam::444455556666:role/",
            "arn:aws:iam::444455556666:role/x\n",
            "arn:aws:iam::444455556666:role/a b/x",
            "arn:aws:iam::444455556666:role/te?m/x",
            "arn:aws:iam::444455556666:user/Alice",
            "arn:aws:iam::4444:role/x",
            "arn:aws:iam:eu-west-1:444455556666:role/x",
            "arn:aws-cn:iam::444455556666:role/x",
            "arn:aws:sts::444455556666:role/x",
        ] {
            assert!(check_target(bad).is_err(), "{bad}");
        }
    }
}
