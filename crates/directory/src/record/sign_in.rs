//! Records of people who sign in: what they prove themselves by, and where they are signed in.

use daypass_model::{AccessKeyId, TagSet, UniqueId};
use serde::{Deserialize, Serialize};

use super::{KeyOwner, Unknown, Written};

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
