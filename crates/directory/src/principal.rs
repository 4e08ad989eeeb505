//! Resolve: from a verified credential to the live user, role or root behind it.

use std::sync::Arc;

use daypass_authn::token::SessionKind;
use daypass_model::{AccessKeyId, AccountId, TagSet, UniqueId};
use jiff::Timestamp;

use crate::credential::{Caller, Proof};
use crate::entity::{Role, User};
use crate::record::KeyOwner;
use crate::session::Session;
use crate::view::View;
use crate::vouched::{Vouched, VouchedBy};

/// Who makes a call, as policies see it.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The account.
    pub account: AccountId,
    /// The live entity.
    pub identity: Identity,
    /// Present with temporary credentials.
    pub session: Option<Arc<Session>>,
    /// The access key id that signed; none where a provider vouches.
    pub access_key_id: Option<AccessKeyId>,
    /// The ARN that GetCallerIdentity answers: of the session, for sessions.
    pub arn: String,
    /// `aws:userid`.
    pub user_id: String,
}

/// The live entity behind a principal.
#[derive(Debug, Clone)]
pub enum Identity {
    /// The account's root user.
    Root,
    /// An IAM user, by its keys or by GetSessionToken.
    User(Arc<User>),
    /// A session of a role.
    Role(Arc<Role>),
    /// A session of GetFederationToken.
    Federated(Issuer),
    /// Nobody of this house, for whom an identity provider vouches; or a service.
    Vouched(Arc<Vouched>),
}

/// Who called GetFederationToken.
#[derive(Debug, Clone)]
pub enum Issuer {
    /// The root user.
    Root,
    /// A user.
    User(Arc<User>),
}

/// The role, user or root behind a session; the account is the principal's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionIssuer<'a> {
    /// `Role`, `IAMUser` or `Root`.
    pub kind: &'static str,
    /// The unique id; of root, the account number.
    pub id: &'a str,
    /// The ARN.
    pub arn: String,
    /// The name; root has none.
    pub name: Option<&'a str>,
}

/// How far ahead of this node's clock another's may be that issued a session, in seconds: as far as that of a
/// client that signs.
pub const AHEAD_SECONDS_MAX: i64 = 15 * 60;

/// Why there is nobody behind a good signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPrincipal {
    /// The session has ended.
    #[error("the session has expired")]
    Expired,
    /// It was issued while a clock ran ahead: it would outlive its time, and a Deny on sessions issued before now
    /// would not reach it.
    #[error("the session was issued in the future")]
    IssuedAhead,
    /// It was ended before its time.
    #[error("the session was revoked")]
    Revoked,
    /// The user, role or account is gone: made again under the same name, it is somebody else.
    #[error("the user, role or account is gone")]
    Gone,
}

impl Principal {
    /// Who `caller` is in this view, at this moment.
    ///
    /// # Errors
    /// [`NoPrincipal`].
    pub fn resolve(view: &View, caller: Caller, now: Timestamp) -> Result<Self, NoPrincipal> {
        let Caller { access_key_id, account, proof } = caller;
        let account_view = view.account(account).ok_or(NoPrincipal::Gone)?;
        let session = match proof {
            Proof::LongTerm(KeyOwner::Root) => {
                return Ok(Self::new(account, Identity::Root, None, access_key_id));
            }
            Proof::LongTerm(KeyOwner::User(id)) => {
                let user = account_view.user_by_id(&id).ok_or(NoPrincipal::Gone)?.clone();
                return Ok(Self::new(account, Identity::User(user), None, access_key_id));
            }
            Proof::Vouched(vouched) => {
                return Ok(Self::new(account, Identity::Vouched(vouched), None, access_key_id));
            }
            Proof::Session(session) => session,
        };
        if session.claims.is_expired(now) {
            return Err(NoPrincipal::Expired);
        }
        if session.claims.issued_at > now.as_second().saturating_add(AHEAD_SECONDS_MAX) {
            return Err(NoPrincipal::IssuedAhead);
        }
        if view.is_revoked((&session.claims).into()) {
            return Err(NoPrincipal::Revoked);
        }
        // INVARIANT (signed-out-is-over): what was issued in the name of a console session ends with its record.
        if session.claims.console.is_some_and(|id| view.console_session(id).is_none()) {
            return Err(NoPrincipal::Revoked);
        }
        let id = UniqueId::from(session.claims.principal_id.clone());
        let user = || account_view.user_by_id(&id).cloned().ok_or(NoPrincipal::Gone);
        let identity = match session.claims.kind {
            SessionKind::Root => Identity::Root,
            SessionKind::User => Identity::User(user()?),
            SessionKind::FederatedByRoot => Identity::Federated(Issuer::Root),
            SessionKind::Federated => Identity::Federated(Issuer::User(user()?)),
            SessionKind::Role => {
                Identity::Role(account_view.role_by_id(&id).cloned().ok_or(NoPrincipal::Gone)?)
            }
        };
        Ok(Self::new(account, identity, Some(session), access_key_id))
    }

    fn new(
        account: AccountId,
        identity: Identity,
        session: Option<Arc<Session>>,
        access_key_id: Option<AccessKeyId>,
    ) -> Self {
        let name = session.as_ref().map_or("", |session| session.claims.session_name.as_str());
        let (arn, user_id) = match &identity {
            Identity::Root => (account.root_arn(), account.to_string()),
            Identity::User(user) => (user.arn.clone(), user.record.id.to_string()),
            Identity::Role(role) => {
                (assumed_role_arn(account, &role.record.name, name), format!("{}:{name}", role.record.id))
            }
            Identity::Federated(_) => (federated_user_arn(account, name), format!("{account}:{name}")),
            Identity::Vouched(vouched) => (vouched.provider.clone(), vouched.provider.clone()),
        };
        Self { account, identity, session, access_key_id, arn, user_id }
    }

    /// `aws:PrincipalType`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.identity {
            Identity::Root => "Account",
            // Of whoever a provider vouches for, as recorded.
            Identity::User(_) | Identity::Vouched(_) => "User",
            Identity::Role(_) => "AssumedRole",
            Identity::Federated(_) => "FederatedUser",
        }
    }

    /// What kind of identity calls, in the words of CloudTrail, which CheckRequest uses as well.
    #[must_use]
    pub fn identity_type(&self) -> &'static str {
        match &self.identity {
            Identity::Root => "Root",
            Identity::User(_) => "IAMUser",
            Identity::Role(_) => "AssumedRole",
            Identity::Federated(_) => "FederatedUser",
            Identity::Vouched(vouched) => match &vouched.by {
                VouchedBy::WebIdentity => "WebIdentityUser",
                VouchedBy::Saml(_) => "SAMLUser",
                VouchedBy::Service => "AWSService",
            },
        }
    }

    /// Who stands behind the session of a role or federated user, in the same words.
    #[must_use]
    pub fn session_issuer(&self) -> Option<SessionIssuer<'_>> {
        let issuer = |kind, id, arn: &str, name| Some(SessionIssuer { kind, id, arn: arn.to_owned(), name });
        match &self.identity {
            Identity::Root | Identity::User(_) | Identity::Vouched(_) => None,
            Identity::Role(role) => {
                issuer("Role", role.record.id.as_str(), &role.arn, Some(role.record.name.as_str()))
            }
            Identity::Federated(Issuer::User(user)) => {
                issuer("IAMUser", user.record.id.as_str(), &user.arn, Some(user.record.name.as_str()))
            }
            Identity::Federated(Issuer::Root) => {
                issuer("Root", self.account.as_str(), &self.account.root_arn(), None)
            }
        }
    }

    /// `aws:PrincipalArn`: of a role session, the role's ARN with its path.
    #[must_use]
    pub fn principal_arn(&self) -> &str {
        match &self.identity {
            Identity::Role(role) => &role.arn,
            Identity::Root | Identity::User(_) | Identity::Federated(_) | Identity::Vouched(_) => &self.arn,
        }
    }

    /// What is said of it, where it is vouched for.
    #[must_use]
    pub fn vouched(&self) -> Option<&Vouched> {
        match &self.identity {
            Identity::Vouched(vouched) => Some(vouched),
            Identity::Root | Identity::User(_) | Identity::Role(_) | Identity::Federated(_) => None,
        }
    }

    /// The user's name; absent for everything but users.
    #[must_use]
    pub fn user_name(&self) -> Option<&str> {
        self.user().map(|user| user.record.name.as_str())
    }

    /// The user itself, by long-term key or GetSessionToken.
    #[must_use]
    pub fn user(&self) -> Option<&Arc<User>> {
        match &self.identity {
            Identity::User(user) => Some(user),
            Identity::Root | Identity::Role(_) | Identity::Federated(_) | Identity::Vouched(_) => None,
        }
    }

    /// Whether it is the root user, by its own keys or by GetSessionToken. A federated session is not, even one that
    /// root issued.
    #[must_use]
    pub fn is_root(&self) -> bool {
        matches!(self.identity, Identity::Root)
    }

    /// Whether its session was given for a one-time code.
    #[must_use]
    pub fn has_mfa(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.claims.mfa_authenticated_at.is_some())
    }

    /// Whether it is signed in to the console, by its page or by credentials in that session's name.
    #[must_use]
    pub fn is_in_console(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.claims.console == Some(session.claims.session_id))
    }

    /// The principal's tags: those of the user (of a federated session: the issuing user) or role, overlaid by the session's.
    #[must_use]
    pub fn tags(&self) -> TagSet {
        let mut tags = match &self.identity {
            Identity::User(user) | Identity::Federated(Issuer::User(user)) => user.record.tags.clone(),
            Identity::Role(role) => role.record.tags.clone(),
            // What a provider passes is asked for as tags of the request, not yet the principal's.
            Identity::Root | Identity::Federated(Issuer::Root) | Identity::Vouched(_) => TagSet::new(),
        };
        for tag in self.session.iter().flat_map(|session| &session.claims.tags) {
            tags.insert(tag.clone());
        }
        tags
    }
}

/// `arn:aws:sts::<account>:assumed-role/<role>/<session>`; the role's path is dropped.
#[must_use]
pub fn assumed_role_arn(account: AccountId, role: &str, session: &str) -> String {
    format!("arn:aws:sts::{account}:assumed-role/{role}/{session}")
}

/// `arn:aws:sts::<account>:federated-user/<name>`.
#[must_use]
pub fn federated_user_arn(account: AccountId, name: &str) -> String {
    format!("arn:aws:sts::{account}:federated-user/{name}")
}
