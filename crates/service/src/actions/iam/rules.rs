//! Rules of IAM's writes that need more than a parameter's shape: tags, paths, boundaries, inline sizes.

use std::sync::Arc;

use daypass_directory::record::{InlinePolicy, Unknown};
use daypass_directory::{AccountView, AnyPolicy, Change, Role, key};
use daypass_model::limits::{POLICY_TEXTS_SIZE_MAX, TAGS_MAX};
use daypass_model::{AccountId, Arn, EntityKind, Tag, TagSet, UniqueId, is_reserved, is_reserved_path};
use daypass_policy::size_without_white_space;

use crate::error::Error;

/// Tags as a call passes them, checked; an entity keeps at most 50.
pub(super) fn tags(tags: &[Tag]) -> Result<TagSet, Error> {
    if tags.iter().any(|tag| is_reserved(&tag.key)) {
        return Err(Error::invalid_input("Tag keys beginning with aws: are reserved for system use."));
    }
    let set: TagSet = tags.iter().cloned().collect();
    if set.len() < tags.len() {
        return Err(duplicate_tag_key());
    }
    if set.len() > TAGS_MAX {
        return Err(too_many_tags());
    }
    Ok(set)
}

/// The same for a managed policy. AWS tells keys of policies apart by case, so of a key given twice it says no more
/// than that; pairs that differ only in case are our own refusal.
pub(super) fn tags_of_policy(given: &[Tag]) -> Result<TagSet, Error> {
    let twice = |(n, tag): (usize, &Tag)| given.iter().take(n).any(|earlier| earlier.key == tag.key);
    if given.iter().enumerate().any(twice) {
        return Err(Error::invalid_input("Duplicate tag keys found."));
    }
    tags(given)
}

/// Two tags of one request, or of one entity, whose keys are the same to a condition.
pub(super) fn duplicate_tag_key() -> Error {
    Error::invalid_input("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
}

/// More than [`TAGS_MAX`] tags on one entity.
pub(super) fn too_many_tags() -> Error {
    Error::limit_exceeded("The number of tags has reached the maximum limit.")
}

/// A managed policy that a call wants to attach.
pub(super) fn attachable<'v>(account: &AccountView<'v>, arn: &str) -> Result<AnyPolicy<'v>, Error> {
    let missing = || Error::no_such_entity(format!("Policy {arn} does not exist or is not attachable."));
    account.policy(arn).ok_or_else(missing)
}

/// A managed policy that a call wants to use as a boundary.
pub(super) fn boundary<'v>(account: &AccountView<'v>, arn: &str) -> Result<AnyPolicy<'v>, Error> {
    arn_of_policy(arn)?;
    let missing = || Error::no_such_entity(format!("Scope ARN: {arn} does not exist or is not attachable."));
    account.policy(arn).ok_or_else(missing)
}

/// A parameter that must be the ARN of a managed policy.
pub(super) fn arn_of_policy(arn: &str) -> Result<(), Error> {
    match arn.parse::<Arn>() {
        Ok(parsed) if parsed.service() == "iam" && parsed.resource().starts_with("policy/") => Ok(()),
        _ => Err(Error::invalid_input(format!("ARN {arn} is not valid."))),
    }
}

/// The account that a customer managed policy's ARN names; none for policies of AWS and for what is no such ARN.
pub(super) fn owner_of_policy(arn: &str) -> Option<AccountId> {
    arn_of_policy(arn).ok()?;
    arn.parse::<Arn>().ok()?.account_id()
}

/// How an entity may depend on a managed policy.
#[derive(Clone, Copy)]
pub(super) enum Link {
    /// Attached to it.
    Attached,
    /// Its permissions boundary.
    Boundary,
}

impl Link {
    fn place(self, account: AccountId, policy: &UniqueId, entity: &UniqueId) -> String {
        match self {
            Self::Attached => key::attached(account, policy, entity),
            Self::Boundary => key::bounded(account, policy, entity),
        }
    }
}

/// Write the link beside the entity's record, so that the policy cannot be deleted meanwhile; policies of AWS need none.
pub(super) fn link(change: &mut Change, link: Link, policy: AnyPolicy<'_>, entity: &UniqueId) {
    if let AnyPolicy::Customer(policy) = policy {
        let (account, id) = (policy.account, &policy.record.id);
        change.unchanged(key::entity(account, EntityKind::Policy, id), policy.revision);
        change.point(link.place(account, id, entity), entity.as_str());
    }
}

/// Take the link away again.
pub(super) fn unlink(
    change: &mut Change,
    link: Link,
    account: &AccountView<'_>,
    policy_arn: &str,
    entity: &UniqueId,
) {
    if let Some(AnyPolicy::Customer(policy)) = account.policy(policy_arn) {
        change.delete(link.place(policy.account, &policy.record.id, entity));
    }
}

/// Put an inline policy among the others: names ignore case and the first spelling is kept. The sums are bounded.
pub(super) fn put_inline(
    inline: &mut Vec<InlinePolicy>,
    name: &str,
    document: &str,
    size_max: usize,
    owner: &str,
) -> Result<(), Error> {
    match inline.iter_mut().find(|policy| policy.name.eq_ignore_ascii_case(name)) {
        Some(policy) => document.clone_into(&mut policy.document),
        None => inline.push(InlinePolicy {
            name: name.to_owned(),
            document: document.to_owned(),
            unknown: Unknown::new(),
        }),
    }
    let size: usize = inline.iter().map(|policy| size_without_white_space(&policy.document)).sum();
    if size > size_max {
        return Err(Error::limit_exceeded(format!(
            "Maximum policy size of {size_max} bytes exceeded for {owner}"
        )));
    }
    texts_within(inline.iter().map(|policy| &*policy.document), owner)
}

/// Whether the policies of one entity, as they were written, fit into its record.
pub(super) fn texts_within<'a>(texts: impl Iterator<Item = &'a str>, owner: &str) -> Result<(), Error> {
    if texts.map(str::len).sum::<usize>() > POLICY_TEXTS_SIZE_MAX {
        return Err(Error::limit_exceeded(format!(
            "Maximum policy size of {POLICY_TEXTS_SIZE_MAX} bytes with white space exceeded for {owner}"
        )));
    }
    Ok(())
}

/// A path that a customer may put a role under. A role under AWS's own paths would be taken for one of AWS's:
/// nobody could change it any more, and service control policies would not hold for it.
pub(super) fn path_of_customer(path: &str) -> Result<(), Error> {
    if is_reserved_path(path) {
        return Err(Error::invalid_input(format!("The path {path} is reserved for roles of AWS services.")));
    }
    Ok(())
}

/// Roles that only AWS's services may change.
pub(super) fn modifiable(role: &Arc<Role>) -> Result<(), Error> {
    let path = &role.record.path;
    if is_reserved_path(path) {
        let name = &role.record.name;
        return Err(Error::new(
            "UnmodifiableEntity",
            format!(
                "Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
            ),
        ));
    }
    Ok(())
}

/// `Cannot exceed quota for <quota>: <n>`
pub(super) fn within(quota: &str, count: usize, max: usize) -> Result<(), Error> {
    if count > max {
        Err(Error::limit_exceeded(format!("Cannot exceed quota for {quota}: {max}")))
    } else {
        Ok(())
    }
}

/// Room for one more entity of a kind, which nobody else may take meanwhile.
pub(super) fn room(
    change: &mut Change,
    account: AccountId,
    kind: EntityKind,
    quota: &str,
    count: usize,
    max: usize,
) -> Result<(), Error> {
    within(quota, count + 1, max)?;
    change.quiet(key::entities(account, kind));
    Ok(())
}

/// The user that a call names, or who calls; a role session must name one.
pub(super) fn named_user<'a>(
    name: Option<&'a str>,
    who: &'a daypass_directory::Principal,
) -> Result<&'a str, Error> {
    let must = || Error::validation("Must specify userName when calling with non-User credentials");
    name.or_else(|| who.user_name()).ok_or_else(must)
}
