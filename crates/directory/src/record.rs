//! What the store holds: one JSON record per entity, with everything its quotas bound.
//!
//! Every record carries its format version, the id of the request that last wrote it, and, in
//! `unknown`, members that a newer daypass put there: they survive a rewrite by this one. So do those of
//! the structures inside records; only tags and owners are values, to which nothing is ever added.
//! Golden files under `tests/golden` keep the forms from drifting.

mod machine;
mod provider;
mod sign_in;

use daypass_model::{AccessKeyId, AccountId, TagSet, UniqueId};
use serde::{Deserialize, Serialize};

pub use machine::{InstanceRecord, JoinSecretRecord, JoinedRecord, TaskRecord};
pub use provider::{
    AssertionEncryption, OidcProviderRecord, SamlPrivateKeyRecord, SamlProviderRecord,
    WebIdentityIssuerRecord, WebIdentityKeysRecord,
};
pub use sign_in::{
    AccountAliasRecord, ConsoleSessionRecord, EarlierPasswordRecord, LoginProfileRecord, MfaDeviceRecord,
    PasswordPolicyRecord,
};

/// The format version this daypass writes.
pub const RECORD_VERSION: u32 = 1;

/// Bookkeeping that every record carries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Written {
    /// Format version of the record.
    #[serde(rename = "v")]
    pub version: u32,
    /// The request that last wrote it; after a commit of unknown outcome this tells whether it was done.
    pub request_id: String,
}

/// Members of a newer format, kept as they are.
pub type Unknown = serde_json::Map<String, serde_json::Value>;

/// `/account/<id>`: an account and its root user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// The account number.
    pub id: AccountId,
    /// Unix seconds.
    pub created: i64,
    /// Access keys of the root user.
    #[serde(default)]
    pub root_keys: Vec<AccessKeyRecord>,
    /// Unix seconds: since when there is no such account any more. The record stays, so that its number is not
    /// given to anybody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<i64>,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A long-term access key, inside its owner's record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessKeyRecord {
    /// `AKIA…`
    pub id: AccessKeyId,
    /// The secret access key, sealed with the master key and bound to `/access-key/<id>`.
    pub sealed_secret: String,
    /// Whether it may be used.
    pub active: bool,
    /// Unix seconds.
    pub created: i64,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// An inline policy of a user, group or role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InlinePolicy {
    /// Its name; unique in its entity ignoring case, the first spelling is kept.
    pub name: String,
    /// The text as it was given.
    pub document: String,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/user/<id>`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// `AIDA…`
    pub id: UniqueId,
    /// The name as it was given.
    pub name: String,
    /// `/` or `/…/`
    pub path: String,
    /// Unix seconds.
    pub created: i64,
    /// At most two.
    #[serde(default)]
    pub access_keys: Vec<AccessKeyRecord>,
    /// Inline policies.
    #[serde(default)]
    pub inline: Vec<InlinePolicy>,
    /// ARNs of attached managed policies.
    #[serde(default)]
    pub attached: Vec<String>,
    /// Ids of the groups it is in.
    #[serde(default)]
    pub groups: Vec<UniqueId>,
    /// ARN of the permissions boundary.
    #[serde(default)]
    pub boundary: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: TagSet,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/group/<id>`. Its members are links of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// `AGPA…`
    pub id: UniqueId,
    /// The name as it was given.
    pub name: String,
    /// `/` or `/…/`
    pub path: String,
    /// Unix seconds.
    pub created: i64,
    /// Inline policies.
    #[serde(default)]
    pub inline: Vec<InlinePolicy>,
    /// ARNs of attached managed policies.
    #[serde(default)]
    pub attached: Vec<String>,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/instance-profile/<id>`: the role that programs on a machine get.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstanceProfileRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// `AIPA…`
    pub id: UniqueId,
    /// The name as it was given.
    pub name: String,
    /// `/` or `/…/`
    pub path: String,
    /// Unix seconds.
    pub created: i64,
    /// Id of its role, of the same account. There is never more than one.
    #[serde(default)]
    pub role: Option<UniqueId>,
    /// Tags.
    #[serde(default)]
    pub tags: TagSet,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/role/<id>`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoleRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// `AROA…`
    pub id: UniqueId,
    /// The name as it was given.
    pub name: String,
    /// `/` or `/…/`
    pub path: String,
    /// Unix seconds.
    pub created: i64,
    /// The trust policy, users and roles in it replaced by their unique ids.
    pub trust: String,
    /// As given; absent and empty differ.
    #[serde(default)]
    pub description: Option<String>,
    /// Seconds.
    pub session_duration_max: i64,
    /// Inline policies.
    #[serde(default)]
    pub inline: Vec<InlinePolicy>,
    /// ARNs of attached managed policies.
    #[serde(default)]
    pub attached: Vec<String>,
    /// ARN of the permissions boundary.
    #[serde(default)]
    pub boundary: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: TagSet,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/policy/<id>`: a customer managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// `ANPA…`
    pub id: UniqueId,
    /// The name as it was given.
    pub name: String,
    /// `/` or `/…/`
    pub path: String,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds; moves when versions come, go or become the default.
    pub updated: i64,
    /// Immutable.
    #[serde(default)]
    pub description: Option<String>,
    /// At most five, oldest first.
    pub versions: Vec<PolicyVersionRecord>,
    /// Number of the default version.
    pub default_version: u32,
    /// Number of the next version; never goes back.
    pub next_version: u32,
    /// Tags.
    #[serde(default)]
    pub tags: TagSet,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// One version of a managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PolicyVersionRecord {
    /// 1 for `v1`.
    pub number: u32,
    /// The text as it was given.
    pub document: String,
    /// Unix seconds.
    pub created: i64,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/access-key/<id>`: whose key it is. Stays, without owner, when the key is deleted, so that the id is never used again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessKeyPointer {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// The account.
    pub account: AccountId,
    /// The owner; absent once the key is deleted.
    #[serde(default)]
    pub owner: Option<KeyOwner>,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The owner of a long-term access key, or of an MFA device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyOwner {
    /// The root user of the account.
    Root,
    /// A user, by unique id.
    User(UniqueId),
}

/// `/<account>/service-role-deletions`: which service-linked roles were deleted lately, for who asks what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceRoleDeletionsRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// Ids of the tasks that are done, the oldest first.
    pub done: Vec<String>,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/resource-policy/<SHA-256 of the ARN>`: the policy of a resource of some service behind daypass.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResourcePolicyRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// The resource.
    pub arn: String,
    /// The text, users and roles in it replaced by their unique ids.
    pub document: String,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/keyring`: the keys that seal session tokens, themselves sealed with the master key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyringRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// The serialised keyring, sealed and bound to `/keyring`.
    pub sealed: String,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/used/<id>`: the last use of an access key or a role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UsedRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// Unix seconds.
    pub at: i64,
    /// The service it was for.
    pub service: String,
    /// The region it was signed for.
    pub region: String,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/revoked-session/<session id>`: a session that ended before its time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionRevocationRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// Unix seconds.
    pub at: i64,
    /// Unix seconds; no session that it names lives then, and the record is of no use.
    pub expires: i64,
    /// Whether the sessions that descend from it ended with it.
    pub issued_too: bool,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/revoked-principal/<unique id>`: sessions of a user, role or root that ended before their time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PrincipalRevocationRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// Those issued before this second of Unix time.
    pub before: i64,
    /// Those issued before this one with every session that descends from them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_too_before: Option<i64>,
    /// Unix seconds; none of them lives then, and the record is of no use.
    pub expires: i64,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A name or link: a key whose presence says everything but what it points to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pointer {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// What it points to.
    pub to: String,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Written {
    /// Bookkeeping of a record that `request_id` writes now.
    #[must_use]
    pub fn by(request_id: &str) -> Self {
        Self { version: RECORD_VERSION, request_id: request_id.to_owned() }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
