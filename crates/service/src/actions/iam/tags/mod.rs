//! Tags of users, roles, customer managed policies, instance profiles, MFA devices and identity providers. Groups have none.
//!
//! Users and roles hold one tag for a key whatever its case. AWS tells the keys of policies and devices apart by case, but
//! conditions do not ("Tagging IAM resources" and `aws:ResourceTag` in the IAM User Guide): of `Env` and `env`
//! a condition sees one, and nobody can say which. Here neither ever holds such a pair.

mod list;
mod tag;
mod untag;

pub(super) use list::ListTags;
pub(super) use tag::Tag;
pub(super) use untag::Untag;

use daypass_directory::record::{
    InstanceProfileRecord, MfaDeviceRecord, OidcProviderRecord, PolicyRecord, RoleRecord, SamlProviderRecord,
    UserRecord,
};
use daypass_directory::{AccountView, AnyPolicy, Check, Checks};
use daypass_model::TagSet;

use crate::actions::iam::kind::{
    InstanceProfile, Kind, MfaDevice, OidcProvider, Policy, Role, SamlProvider, User,
};
use crate::actions::iam::target;
use crate::error::Error;

/// A kind of entity that has tags.
pub(super) trait Taggable: Kind {
    /// The operation that adds tags.
    const TAG: &'static str;
    /// The operation that takes them away.
    const UNTAG: &'static str;
    /// The operation that lists them.
    const LIST: &'static str;
    /// Whether `Env` names the tag `env`.
    const KEYS_IGNORE_CASE: bool;
    /// Whether taking no tags away is refused, as recorded for providers.
    const UNTAGS_SOMETHING: bool = false;

    /// Where the record keeps them.
    fn tags(record: &mut Self::Record) -> &mut TagSet;

    /// The unique id and the tags of the entity that a call names.
    fn find_tags<'v>(account: &AccountView<'v>, name: &str) -> Result<(&'v str, &'v TagSet), Error>;

    /// What a change of tags must be allowed.
    fn writing(check: Check) -> Checks {
        Checks::one(check)
    }
}

/// What every policy of AWS has.
static NO_TAGS: TagSet = TagSet::new();

impl Taggable for User {
    const TAG: &'static str = "iam:TagUser";
    const UNTAG: &'static str = "iam:UntagUser";
    const LIST: &'static str = "iam:ListUserTags";
    const KEYS_IGNORE_CASE: bool = true;

    fn tags(record: &mut UserRecord) -> &mut TagSet {
        &mut record.tags
    }

    fn find_tags<'v>(account: &AccountView<'v>, name: &str) -> Result<(&'v str, &'v TagSet), Error> {
        Self::find(account, name).map(|user| (user.record.id.as_str(), &user.record.tags))
    }
}

impl Taggable for Role {
    const TAG: &'static str = "iam:TagRole";
    const UNTAG: &'static str = "iam:UntagRole";
    const LIST: &'static str = "iam:ListRoleTags";
    const KEYS_IGNORE_CASE: bool = true;

    fn tags(record: &mut RoleRecord) -> &mut TagSet {
        &mut record.tags
    }

    fn find_tags<'v>(account: &AccountView<'v>, name: &str) -> Result<(&'v str, &'v TagSet), Error> {
        Self::find(account, name).map(|role| (role.record.id.as_str(), &role.record.tags))
    }
}

impl Taggable for Policy {
    const TAG: &'static str = "iam:TagPolicy";
    const UNTAG: &'static str = "iam:UntagPolicy";
    const LIST: &'static str = "iam:ListPolicyTags";
    const KEYS_IGNORE_CASE: bool = false;

    fn tags(record: &mut PolicyRecord) -> &mut TagSet {
        &mut record.tags
    }

    fn find_tags<'v>(account: &AccountView<'v>, arn: &str) -> Result<(&'v str, &'v TagSet), Error> {
        if let Some(AnyPolicy::Aws(policy)) = account.policy(arn) {
            return Ok((policy.id, &NO_TAGS));
        }
        Self::find(account, arn).map(|policy| (policy.record.id.as_str(), &policy.record.tags))
    }

    fn writing(check: Check) -> Checks {
        target::writing(check)
    }
}

impl Taggable for InstanceProfile {
    const TAG: &'static str = "iam:TagInstanceProfile";
    const UNTAG: &'static str = "iam:UntagInstanceProfile";
    const LIST: &'static str = "iam:ListInstanceProfileTags";
    const KEYS_IGNORE_CASE: bool = false;

    fn tags(record: &mut InstanceProfileRecord) -> &mut TagSet {
        &mut record.tags
    }

    fn find_tags<'v>(account: &AccountView<'v>, name: &str) -> Result<(&'v str, &'v TagSet), Error> {
        Self::find(account, name).map(|profile| (profile.record.id.as_str(), &profile.record.tags))
    }
}

impl Taggable for MfaDevice {
    const TAG: &'static str = "iam:TagMFADevice";
    const UNTAG: &'static str = "iam:UntagMFADevice";
    const LIST: &'static str = "iam:ListMFADeviceTags";
    const KEYS_IGNORE_CASE: bool = false;

    fn tags(record: &mut MfaDeviceRecord) -> &mut TagSet {
        &mut record.tags
    }

    fn find_tags<'v>(account: &AccountView<'v>, serial: &str) -> Result<(&'v str, &'v TagSet), Error> {
        Self::find(account, serial).map(|device| (device.record.id.as_str(), &device.record.tags))
    }
}

impl Taggable for OidcProvider {
    const TAG: &'static str = "iam:TagOpenIDConnectProvider";
    const UNTAG: &'static str = "iam:UntagOpenIDConnectProvider";
    const LIST: &'static str = "iam:ListOpenIDConnectProviderTags";
    const KEYS_IGNORE_CASE: bool = false;
    const UNTAGS_SOMETHING: bool = true;

    fn tags(record: &mut OidcProviderRecord) -> &mut TagSet {
        &mut record.tags
    }

    fn find_tags<'v>(account: &AccountView<'v>, arn: &str) -> Result<(&'v str, &'v TagSet), Error> {
        Self::find(account, arn).map(|provider| (provider.record.id.as_str(), &provider.record.tags))
    }
}

impl Taggable for SamlProvider {
    const TAG: &'static str = "iam:TagSAMLProvider";
    const UNTAG: &'static str = "iam:UntagSAMLProvider";
    const LIST: &'static str = "iam:ListSAMLProviderTags";
    const KEYS_IGNORE_CASE: bool = false;
    const UNTAGS_SOMETHING: bool = true;

    fn tags(record: &mut SamlProviderRecord) -> &mut TagSet {
        &mut record.tags
    }

    fn find_tags<'v>(account: &AccountView<'v>, arn: &str) -> Result<(&'v str, &'v TagSet), Error> {
        Self::find(account, arn).map(|provider| (provider.record.id.as_str(), &provider.record.tags))
    }
}
