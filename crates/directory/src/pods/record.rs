//! What the store holds of clusters and of the roles of their service accounts.

use daypass_model::{TagSet, UniqueId};
use serde::{Deserialize, Serialize};

use crate::record::{Unknown, Written};

/// `/<account>/pod-cluster/<name>`: a Kubernetes cluster whose pods get roles.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PodClusterRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// Its name.
    pub name: String,
    /// Where its maker signed for; part of its ARN.
    pub region: String,
    /// The OpenID Connect provider that signs the tokens of its service accounts. One that is made anew for the same issuer is
    /// another.
    pub provider: UniqueId,
    /// Unix seconds.
    pub created: i64,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// `/<account>/pod-association/<cluster>/<a-…>`: which role the pods of a service account get.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PodAssociationRecord {
    /// Bookkeeping.
    #[serde(flatten)]
    pub written: Written,
    /// `a-` and 17 letters and digits; never used again.
    pub id: String,
    /// The cluster's name.
    pub cluster: String,
    /// The cluster's region; part of its ARN.
    pub region: String,
    /// Namespace of the service account.
    pub namespace: String,
    /// Name of the service account.
    pub service_account: String,
    /// The role. Whoever associated it could pass this very role: another of the same name is not meant.
    pub role: UniqueId,
    /// Its ARN, as it was given: what is shown when the role is gone.
    pub role_arn: String,
    /// ARN of a role, of whatever account, that is assumed with the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_role: Option<String>,
    /// Whether sessions have no tags.
    #[serde(default)]
    pub disable_session_tags: bool,
    /// A policy that sessions are limited by, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: TagSet,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub modified: i64,
    /// By which call it was made, for whoever repeats that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<MadeByRecord>,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The call that made an association: SHA-256 in lower-case hexadecimal digits of what is the caller's to choose, however long.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MadeByRecord {
    /// Of its `clientRequestToken`.
    pub token_hash: String,
    /// Of its other parameters.
    pub parameters_hash: String,
    /// See [`Unknown`].
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl MadeByRecord {
    /// Whether it is the same call.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.token_hash == other.token_hash && self.parameters_hash == other.parameters_hash
    }
}
