//! What the store holds of Roles Anywhere. Ids are UUIDs, and never used again: what is made anew under an old name is
//! something else.

use daypass_model::{TagSet, UniqueId};
use serde::{Deserialize, Serialize};

use crate::record::{Unknown, Written};

/// What trust anchors, profiles and lists of revocations have alike.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResourceRecord {
    /// UUID.
    pub id: String,
    /// Where its maker signed for; part of its ARN.
    pub region: String,
    /// As it was given; not unique.
    pub name: String,
    /// Whether it counts.
    pub enabled: bool,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub updated: i64,
    /// Tags.
    #[serde(default)]
    pub tags: TagSet,
}

/// `/<account>/trust-anchor/<uuid>`: authorities whose certificates are a proof of identity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrustAnchorRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// What it has in common with the others. Nothing in it is flattened: `unknown` would take it, too.
    #[serde(flatten)]
    pub common: ResourceRecord,
    /// Their certificates in PEM, as they were given.
    pub certificates: String,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/anywhere-profile/<uuid>`: which roles holders of certificates may ask for, and how far.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProfileRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// What it has in common with the others. Nothing in it is flattened: `unknown` would take it, too.
    #[serde(flatten)]
    pub common: ResourceRecord,
    /// The roles.
    pub roles: Vec<ProfileRoleRecord>,
    /// ARNs of managed policies that sessions are limited by.
    #[serde(default)]
    pub managed_policies: Vec<String>,
    /// A policy that sessions are limited by, as it was given.
    #[serde(default)]
    pub session_policy: Option<String>,
    /// Seconds.
    pub duration: i64,
    /// Whether a call must bring properties of its machine.
    #[serde(default)]
    pub require_instance_properties: bool,
    /// Whether a call may name its session.
    #[serde(default)]
    pub accept_role_session_name: bool,
    /// Which values of certificates become session tags.
    pub mappings: Vec<MappingRecord>,
    /// ARN of whoever made it.
    pub created_by: String,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A role of a profile. Whoever put it there could pass this very role: another of the same name is not meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileRoleRecord {
    /// Its ARN.
    pub arn: String,
    /// Its unique id.
    pub id: UniqueId,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Which values of one field of a certificate become session tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingRecord {
    /// `x509Subject`, `x509Issuer`, `x509SAN`
    pub field: String,
    /// `CN`, `Name/O`, `*`
    pub specifiers: Vec<String>,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/crl/<uuid>`: certificates that an authority of a trust anchor revoked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CrlRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// What it has in common with the others. Nothing in it is flattened: `unknown` would take it, too.
    #[serde(flatten)]
    pub common: ResourceRecord,
    /// UUID of the trust anchor.
    pub trust_anchor: String,
    /// The list in PEM, as it was given.
    pub list: String,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/x509-subject/<uuid>`: somebody who asked for sessions by certificates of a trust anchor. Nothing is decided on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubjectRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// UUID, made of the account and the subject.
    pub id: String,
    /// Where it was first seen; part of its ARN.
    pub region: String,
    /// The distinguished name.
    pub subject: String,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds: not much longer ago than this it was last seen.
    pub last_seen: i64,
    /// Its certificates, the latest first.
    #[serde(default)]
    pub credentials: Vec<SubjectCredentialRecord>,
    /// What it said of its machine, the latest first.
    #[serde(default)]
    pub instance_properties: Vec<InstancePropertiesRecord>,
    /// Tags.
    #[serde(default)]
    pub tags: TagSet,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A certificate of a subject.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubjectCredentialRecord {
    /// Unix seconds.
    pub seen: i64,
    /// Decimal.
    pub serial: String,
    /// The distinguished name of who issued it.
    pub issuer: String,
    /// DER, base64.
    pub certificate: String,
    /// Whether what was asked for by it then was refused. The same certificate may be there with and without.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What a subject said of its machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstancePropertiesRecord {
    /// Unix seconds.
    pub seen: i64,
    /// As given: names and values, which are values to this house, too.
    pub values: Vec<(String, String)>,
    /// Whether what was asked for then was refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}
