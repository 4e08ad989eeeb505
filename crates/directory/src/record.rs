//! What the store holds: one JSON record per entity, with everything its quotas bound.
//!
//! Every record carries its format version, the id of the request that last wrote it, and, in
//! `unknown`, members that a newer daypass put there: they survive a rewrite by this one. So do those of
//! the structures inside records; only tags and owners are values, to which nothing is ever added.
//! Golden files under `tests/golden` keep the forms from drifting.
//! LONG: one list of plain structures.

use std::net::IpAddr;

use daypass_model::{AccessKeyId, AccountId, EntityKind, SessionId, TagSet, UniqueId};
use serde::{Deserialize, Serialize};

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

/// `/<account>/mfa/<id>`: a virtual MFA device. It is its owner's as long as it has one, and stays when it has none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MfaDeviceRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// `AMFA…`; the serial number is the ARN, which somebody else's device may have later.
    pub id: UniqueId,
    /// The name as it was given.
    pub name: String,
    /// `/` or `/…/`
    pub path: String,
    /// Unix seconds.
    pub created: i64,
    /// The seed in base32, sealed with the master key and bound to this record.
    pub sealed_seed: String,
    /// Whose it is; absent while it is not enabled.
    #[serde(default)]
    pub owner: Option<KeyOwner>,
    /// Unix seconds; since when it is its owner's.
    #[serde(default)]
    pub enabled: Option<i64>,
    /// By how many steps its clock is ahead of ours; negative when behind.
    #[serde(default)]
    pub clock_offset: i64,
    /// The counter of the first code of the last pair that enabled or resynchronised it: an older pair does neither.
    #[serde(default)]
    pub last_pair: Option<i64>,
    /// Tags.
    #[serde(default)]
    pub tags: TagSet,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/oidc-provider/<id>`: a provider of OpenID Connect tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OidcProviderRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// `AOIP…`; a provider made again at the same URL is the same to whoever trusts it, but its keys are fetched anew.
    pub id: UniqueId,
    /// Its issuer, without the scheme.
    pub url: String,
    /// Whether the issuer's scheme is `http`, which only the operator's list of insecure issuers allows.
    #[serde(default, skip_serializing_if = "is_false")]
    pub plain_http: bool,
    /// Unix seconds.
    pub created: i64,
    /// Audiences whose tokens count.
    #[serde(default)]
    pub client_ids: Vec<String>,
    /// SHA-1 of certificates, in lower-case hex, that may vouch for its keys' server.
    #[serde(default)]
    pub thumbprints: Vec<String>,
    /// Further algorithms of its tokens, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<String>,
    /// Claims that are condition keys, by name or dotted path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub condition_claims: Vec<String>,
    /// Tags.
    #[serde(default)]
    pub tags: TagSet,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl OidcProviderRecord {
    /// What its tokens say as `iss`.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}://{}", if self.plain_http { "http" } else { "https" }, self.url)
    }
}

/// `/<account>/saml-provider/<id>`: an identity provider that sends SAML assertions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SamlProviderRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// `ASSP…`; a provider made again under the same name is the same to whoever trusts it.
    pub id: UniqueId,
    /// The name as it was given.
    pub name: String,
    /// Unix seconds.
    pub created: i64,
    /// Its metadata, as it was given.
    pub metadata: String,
    /// Unix seconds; when the metadata came.
    pub metadata_since: i64,
    /// How its assertions come, where that was said.
    #[serde(default)]
    pub encryption: Option<AssertionEncryption>,
    /// Private keys that assertions are encrypted to, the oldest first.
    #[serde(default)]
    pub private_keys: Vec<SamlPrivateKeyRecord>,
    /// Tags.
    #[serde(default)]
    pub tags: TagSet,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What every `SAMLProviderUUID` begins with.
const SAML_UUID: &str = "SAMLSP";

impl SamlProviderRecord {
    /// `SAMLProviderUUID`, which is part of the address for encrypted assertions.
    #[must_use]
    pub fn uuid(&self) -> String {
        let id = self.id.as_str();
        format!("{SAML_UUID}{}", id.strip_prefix(EntityKind::SamlProvider.prefix()).unwrap_or(id))
    }

    /// The id that a UUID is of.
    pub(crate) fn id_of_uuid(uuid: &str) -> Option<UniqueId> {
        let rest = uuid.strip_prefix(SAML_UUID)?;
        Some(UniqueId::from(format!("{}{rest}", EntityKind::SamlProvider.prefix())))
    }
}

/// `AssertionEncryptionMode`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AssertionEncryption {
    /// Encrypted or not.
    Allowed,
    /// Never without.
    Required,
}

/// A private key of a SAML provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SamlPrivateKeyRecord {
    /// `KeyId`
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// The key in PEM, sealed with the master key and bound to this key of this provider.
    pub sealed_pem: String,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/login-profile/<AIDA…>`: the password of a user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoginProfileRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds: since when the password is the present one.
    pub changed: i64,
    /// The hash of the password, sealed with the master key and bound to this record: without the master key nobody can
    /// guess by it.
    pub sealed_hash: String,
    /// Whether the user must choose another password before anything else.
    #[serde(default)]
    pub reset_required: bool,
    /// The passwords before, the oldest first.
    #[serde(default)]
    pub earlier: Vec<EarlierPasswordRecord>,
    /// Unix seconds: when somebody last signed in with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<i64>,
    /// SHA-256 of the secrets of browsers that somebody signed in with it from, in hexadecimal digits, the latest last. They
    /// have tries of their own, which nobody else can use up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub browsers: Vec<String>,
    /// Those of them from which a code of a device came, too: what was known before there was a device has no tries of codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub browsers_with_code: Vec<String>,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A password that a user had.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EarlierPasswordRecord {
    /// Its hash, sealed with the master key and bound to the earlier passwords of this record.
    pub sealed_hash: String,
    /// Unix seconds: since when it was the present one.
    pub changed: i64,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
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

/// `/<account>/password-policy`: what passwords of the account must be like, where it says so itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PasswordPolicyRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// Characters that a password has at least.
    pub length_min: u32,
    /// Whether there must be a symbol.
    #[serde(default)]
    pub require_symbols: bool,
    /// Whether there must be a digit.
    #[serde(default)]
    pub require_numbers: bool,
    /// Whether there must be an upper-case letter.
    #[serde(default)]
    pub require_uppercase: bool,
    /// Whether there must be a lower-case letter.
    #[serde(default)]
    pub require_lowercase: bool,
    /// Whether every user may change its own password.
    #[serde(default)]
    pub users_may_change: bool,
    /// Days after which a password expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_max: Option<u32>,
    /// How many of the passwords before a new one may not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse_prevention: Option<u32>,
    /// Whether an administrator must replace a password that expired.
    #[serde(default)]
    pub hard_expiry: bool,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/account-alias`: the other name of the account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountAliasRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// The alias.
    pub alias: String,
    /// Unix seconds.
    pub created: i64,
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

/// `/web-identity-keys`: the keys that tokens of GetWebIdentityToken are signed with, sealed with the master key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebIdentityKeysRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// The serialised keys, sealed and bound to `/web-identity-keys`.
    pub sealed: String,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/web-identity-issuer`: as whom the account's tokens are issued.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebIdentityIssuerRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// What tells the account's issuer from others; drawn once, and never given up.
    pub uuid: String,
    /// Unix seconds.
    pub created: i64,
    /// Whether tokens are issued.
    pub enabled: bool,
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

/// `/<account>/console-session/<session id>`: somebody is signed in to the console. The record ends with the sign-out, and
/// everything that was issued in the session's name with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConsoleSessionRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// Of the cookie: see `authn::browser`.
    pub secret_hash: String,
    /// With which its token opens.
    pub access_key_id: AccessKeyId,
    /// What the session is: a session token, which is no credential without the secret that nobody was given.
    pub token: String,
    /// Whose it is, for the bound of sessions that one may have at once: `<principal id>:<session name>:<first key>`.
    pub owner: String,
    /// Unix seconds.
    pub begun: i64,
    /// Unix seconds.
    pub expires: i64,
    /// Where its holder signs in again, in the words of who sent them here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Where the way was to lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl ConsoleSessionRecord {
    /// The principal of its owner.
    #[must_use]
    pub fn principal_id(&self) -> &str {
        self.owner.split(':').next().unwrap_or_default()
    }
}

/// `/<account>/instance/<i-…>`: a machine, whose agent gets credentials of the role of its instance profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstanceRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// `i-…`
    pub id: String,
    /// Where it is said to be.
    pub region: String,
    /// Unix seconds.
    pub created: i64,
    /// Its instance profile, `AIPA…`.
    pub profile: UniqueId,
    /// From which all its sessions descend: whoever ends this one with all that it issued ends them.
    pub sessions: SessionId,
    /// Whether no session was ever given that descends from it, so that there is nothing to end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unused: bool,
    /// The secret that it may join with.
    pub join: JoinSecretRecord,
    /// Since when, and with which key.
    #[serde(default)]
    pub joined: Option<JoinedRecord>,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A join secret, as far as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JoinSecretRecord {
    /// Its SHA-256, in lower-case hexadecimal digits: it is long and random.
    pub hash: String,
    /// Unix seconds.
    pub expires: i64,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// How a machine joined.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JoinedRecord {
    /// Its public key, see `authn::machine`.
    pub public_key: String,
    /// Unix seconds.
    pub at: i64,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<IpAddr>,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/task/<uuid>`: a program on a machine, with a role of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaskRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// A UUID.
    pub id: String,
    /// The machine, `i-…`.
    pub instance: String,
    /// Its role.
    pub role: UniqueId,
    /// Unix seconds.
    pub created: i64,
    /// From which all its sessions descend.
    pub sessions: SessionId,
    /// Whether none was ever given, so that there is nothing to end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unused: bool,
    /// SHA-256 of its authorization token, in lower-case hexadecimal digits: it is long and random.
    pub token_hash: String,
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
