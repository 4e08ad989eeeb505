//! One session in the log, and what a search asks of it.

use std::net::IpAddr;

use daypass_authn::token::{PrincipalAbove, SessionClaims, SessionKind};
use daypass_directory::{Descent, Operation, Principal, View, assumed_role_arn, federated_user_arn};
use daypass_model::{AccessKeyId, AccountId, SessionId, cut};
use serde::{Deserialize, Serialize};

/// Characters of a user agent that are kept.
const USER_AGENT_MAX: usize = 256;

/// A session that was issued. No token and no secret: nothing here lets anybody in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEntry {
    /// The session.
    pub id: SessionId,
    /// The sessions it came from, the first one first.
    pub ancestry: Vec<SessionId>,
    /// The access key id that was issued.
    pub access_key_id: AccessKeyId,
    /// `Root`, `IAMUser`, `AssumedRole` or `FederatedUser`.
    #[serde(rename = "type")]
    pub identity_type: String,
    /// The account it acts in.
    pub account: AccountId,
    /// The ARN under which it calls.
    pub arn: String,
    /// Of the user, role or root behind it.
    pub principal_arn: String,
    /// Its unique id; of root, the account number.
    pub principal_id: String,
    /// Of a role session or federated user; else empty.
    pub session_name: String,
    /// When it was issued, in Unix seconds.
    pub at: i64,
    /// When it says that it was issued, which is what revocations go by: a scoped session says what its parent says.
    pub issued_at: i64,
    /// Unix seconds.
    pub expires_at: i64,
    /// Who asked.
    pub requested_by: Requester,
    /// The long-term access key that the chain began with.
    pub first_key: Option<AccessKeyId>,
    /// The source identity.
    pub source_identity: Option<String>,
    /// Where the call came from.
    pub source_ip: Option<IpAddr>,
    /// What made it, in its own words.
    pub user_agent: Option<String>,
    /// Whether the session counts as authenticated with MFA.
    pub mfa: bool,
    /// Layers of session policies.
    pub layers: usize,
    /// How many of them GetScopedCredentials added.
    pub scoped_layers: usize,
    /// What it was told of the session.
    pub description: Option<String>,
    /// The session of the console that it is or was issued in the name of, and with whose record it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<SessionId>,
    /// Whose sessions and keys it came from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub principals_above: Vec<PrincipalAbove>,
}

/// Who asked for a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    /// The account.
    pub account: AccountId,
    /// The ARN.
    pub arn: String,
    /// The access key id that signed; none where an identity provider vouched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<AccessKeyId>,
}

/// How a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It may call.
    Live,
    /// Its time is over.
    Expired,
    /// It was ended.
    Revoked,
    /// The user or role behind it is gone.
    PrincipalDeleted,
}

impl Status {
    /// How a session is at this moment, by its token or by its entry in the log.
    #[must_use]
    pub fn of(session: Descent<'_>, expires_at: i64, view: &View, now: i64) -> Self {
        if expires_at <= now {
            Self::Expired
        } else if view.is_revoked(session) {
            Self::Revoked
        } else if !view.has_principal(session.account, session.principal_id) {
            Self::PrincipalDeleted
        } else {
            Self::Live
        }
    }

    /// The word of daypass's own API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Expired => "Expired",
            Self::Revoked => "Revoked",
            Self::PrincipalDeleted => "PrincipalDeleted",
        }
    }
}

impl SessionEntry {
    /// Of a session with these claims that `who` was given.
    pub(crate) fn of(
        op: &Operation,
        who: &Principal,
        claims: &SessionClaims,
        access_key_id: &AccessKeyId,
        description: Option<&str>,
    ) -> Self {
        let requested_by = Requester {
            account: who.account,
            arn: who.arn.clone(),
            access_key_id: who.access_key_id.clone(),
        };
        let (identity_type, arn) = identity(claims);
        Self {
            id: claims.session_id,
            ancestry: claims.ancestry.clone(),
            access_key_id: access_key_id.clone(),
            identity_type: identity_type.to_owned(),
            account: claims.account,
            arn,
            principal_arn: claims.principal_arn.clone(),
            principal_id: claims.principal_id.clone(),
            session_name: claims.session_name.clone(),
            at: op.now.as_second(),
            issued_at: claims.issued_at,
            expires_at: claims.expires_at,
            requested_by,
            first_key: claims.first_key.clone(),
            source_identity: claims.source_identity.clone(),
            source_ip: op.source_ip,
            user_agent: op.user_agent.as_deref().map(|agent| cut(agent, USER_AGENT_MAX).to_owned()),
            mfa: claims.mfa_authenticated_at.is_some(),
            layers: claims.layers.len(),
            scoped_layers: claims.scoped_layers,
            description: description.map(str::to_owned),
            console: claims.console,
            principals_above: claims.principals_above.clone(),
        }
    }

    /// The session that asked for it.
    #[must_use]
    pub fn parent(&self) -> Option<SessionId> {
        self.ancestry.last().copied()
    }

    /// Whether it came from a session of the other one's principal that was issued no later than that.
    #[must_use]
    pub fn names_above(&self, other: &Self) -> bool {
        let mut above = self.principals_above.iter();
        above.any(|above| {
            above.account == other.account && above.id == other.principal_id && above.since <= other.issued_at
        })
    }

    /// How it is at this moment.
    #[must_use]
    pub fn status(&self, view: &View, now: i64) -> Status {
        let descent = Descent {
            id: self.id,
            ancestry: &self.ancestry,
            account: self.account,
            principal_id: &self.principal_id,
            issued_at: self.issued_at,
            first_key: self.first_key.as_ref(),
            principals_above: &self.principals_above,
        };
        // What the keys there are have not sealed opens no more: somebody replaced them all.
        if now < self.expires_at && self.at < view.keyring().oldest() {
            return Status::Revoked;
        }
        // Signed out.
        if now < self.expires_at && self.console.is_some_and(|id| view.console_session(id).is_none()) {
            return Status::Revoked;
        }
        Status::of(descent, self.expires_at, view, now)
    }

    /// The name of the user or role behind it; `root`.
    fn principal_name(&self) -> &str {
        self.principal_arn.rsplit(['/', ':']).next().unwrap_or_default()
    }

    /// Whether a chain of the session's own account brought this key to it: issued to it, signed for it, or stood at
    /// the beginning. Keys of other accounts are not for this one to look for.
    fn has_to_do_with(&self, key: &str, view: &View) -> bool {
        let asker = &self.requested_by;
        let asked_by = asker.account == self.account
            && asker.access_key_id.as_ref().is_some_and(|id| id.as_str() == key);
        let is_own = |key: &&AccessKeyId| view.account_of_key(key) == Some(self.account);
        let first = self.first_key.as_ref().filter(is_own);
        self.access_key_id.as_str() == key || asked_by || first.is_some_and(|first| first.as_str() == key)
    }
}

/// What kind of identity a session with these claims is, and under which ARN it calls.
pub(crate) fn identity(claims: &SessionClaims) -> (&'static str, String) {
    let (account, name) = (claims.account, &claims.session_name);
    match claims.kind {
        SessionKind::Root => ("Root", claims.principal_arn.clone()),
        SessionKind::User => ("IAMUser", claims.principal_arn.clone()),
        SessionKind::Federated | SessionKind::FederatedByRoot => {
            ("FederatedUser", federated_user_arn(account, name))
        }
        SessionKind::Role => {
            let role = claims.principal_arn.rsplit('/').next().unwrap_or_default();
            ("AssumedRole", assumed_role_arn(account, role, name))
        }
    }
}

/// What a search asks for; each of these that is given must be so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// ARN of the principal or the session.
    pub principal_arn: Option<String>,
    /// How the name of the principal, or of the session, begins.
    pub name_prefix: Option<String>,
    /// The name of the role session or federated user.
    pub session_name: Option<String>,
    /// The source identity.
    pub source_identity: Option<String>,
    /// An access key id that was issued for it, signed for it, or stood at the beginning of its chain.
    pub access_key_id: Option<String>,
    /// Whether those that are over are meant too.
    #[serde(default)]
    pub ended_too: bool,
}

impl Selection {
    /// Whether an entry is meant.
    #[must_use]
    pub fn matches(&self, entry: &SessionEntry, view: &View, now: i64) -> bool {
        let is = |asked: &Option<String>, test: &dyn Fn(&str) -> bool| asked.as_deref().is_none_or(test);
        is(&self.principal_arn, &|arn| entry.principal_arn == arn || entry.arn == arn)
            && is(&self.session_name, &|name| entry.session_name == name)
            && is(&self.source_identity, &|said| entry.source_identity.as_deref() == Some(said))
            && is(&self.access_key_id, &|key| entry.has_to_do_with(key, view))
            && is(&self.name_prefix, &|prefix| {
                entry.principal_name().starts_with(prefix) || entry.session_name.starts_with(prefix)
            })
            && (self.ended_too || entry.status(view, now) == Status::Live)
    }
}
