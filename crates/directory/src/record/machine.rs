//! Records of machines, and of what runs on them.

use std::net::IpAddr;

use daypass_model::{SessionId, UniqueId};
use serde::{Deserialize, Serialize};

use super::{Unknown, Written, is_false};

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
