//! What a session token says.

use daypass_model::{AccessKeyId, AccountId, SessionId, Tag, same_key};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a session came to be, which decides what it may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionKind {
    /// GetSessionToken by an IAM user.
    User,
    /// GetSessionToken by the root user.
    Root,
    /// GetFederationToken by an IAM user.
    Federated,
    /// GetFederationToken by the root user.
    FederatedByRoot,
    /// AssumeRole and its relatives.
    Role,
}

/// The session policies of one issuing call: their union is one ceiling.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionLayer {
    /// The inline session policy, as given.
    pub inline: Option<String>,
    /// Unique ids of managed session policies. A policy made again under the same ARN is another one, which nobody
    /// passed to this session.
    pub policy_ids: Vec<String>,
}

/// A user, role or root whose sessions or keys stand above a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalAbove {
    /// Its account.
    pub account: AccountId,
    /// The unique id; of root, the account number.
    pub id: String,
    /// When the first of its sessions above was issued, in Unix seconds; of long-term keys, when they asked.
    pub since: i64,
}

/// What a session token says. Frozen at issue; what the session may do is evaluated at each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionClaims {
    /// The session's identity.
    pub session_id: SessionId,
    /// The sessions it came from: the root identity's first, this one not included; at most 15. Of a longer chain
    /// some that are over are left out, never the first.
    pub ancestry: Vec<SessionId>,
    /// When each of those ends, in Unix seconds.
    pub ancestry_ends: Vec<i64>,
    /// How it came to be.
    pub kind: SessionKind,
    /// The account it acts in.
    pub account: AccountId,
    /// `AIDA…` of the (issuing) user, `AROA…` of the role, the account number for root.
    pub principal_id: String,
    /// ARN of that user, role or root at the time of issue, for whoever verifies offline.
    pub principal_arn: String,
    /// Role session name or federated user name; empty for the other kinds.
    pub session_name: String,
    /// Unix seconds.
    pub issued_at: i64,
    /// Unix seconds; from this second on the session is expired.
    pub expires_at: i64,
    /// Session policies, one layer for each call that passed some.
    pub layers: Vec<SessionLayer>,
    /// Session tags, passed or inherited.
    pub tags: Vec<Tag>,
    /// Keys of the tags that the next session in a chain inherits.
    pub transitive_tag_keys: Vec<String>,
    /// The source identity, once set.
    pub source_identity: Option<String>,
    /// When MFA was given, in Unix seconds.
    pub mfa_authenticated_at: Option<i64>,
    /// Context keys of the federation that survive, e.g. `saml:sub`, with their values.
    pub federation: Vec<(String, Vec<String>)>,
    /// Whether it was asked for with temporary credentials.
    pub chained: bool,
    /// How many of the layers, the last ones, GetScopedCredentials added.
    pub scoped_layers: usize,
    /// The long-term access key that the chain began with, where one did.
    pub first_key: Option<AccessKeyId>,
    /// The session of the console that it is, or in whose name it was issued: it lives only while the console's own record
    /// of that one does.
    pub console: Option<SessionId>,
    /// Whose sessions and keys it came from, each once, the first one first; at most 16. Unlike sessions none is left out
    /// of a longer chain.
    pub principals_above: Vec<PrincipalAbove>,
}

impl SessionClaims {
    /// Whether the session is over at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now.as_second() >= self.expires_at
    }

    /// The tags that the next session in a chain inherits.
    pub fn transitive_tags(&self) -> impl Iterator<Item = &Tag> {
        let transitive = |tag: &&Tag| self.transitive_tag_keys.iter().any(|key| same_key(key, &tag.key));
        self.tags.iter().filter(transitive)
    }
}
