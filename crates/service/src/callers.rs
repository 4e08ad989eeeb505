//! Who may use an action at all, by kind of credential, before any policy is asked.
//!
//! Source: "Compare AWS STS credentials" in the IAM User Guide, and the API reference of each action.

use daypass_authn::token::SessionKind;
use daypass_directory::{Identity, Principal};

use crate::error::Error;

/// The kinds of callers that an action admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Any credentials at all.
    Anyone,
    /// Long-term keys of a user or of root: GetSessionToken, GetFederationToken.
    LongTermKeys,
    /// Temporary credentials of whatever kind: GetScopedCredentials.
    Sessions,
    /// Users, by key or GetSessionToken, and role sessions: AssumeRole.
    AssumesRoles,
    /// Users, by key or GetSessionToken, and role sessions, without a word of its own for root: GetWebIdentityToken.
    UsersAndRoles,
    /// Everyone but sessions of GetFederationToken and GetSessionToken: the rest of STS.
    NoDerivedSessions,
    /// Nobody with credentials: whoever is vouched for.
    Vouched,
    /// IAM: whoever is signed in to the console; else no federated sessions, and sessions of GetSessionToken only if MFA was
    /// given for them.
    Iam,
}

impl Callers {
    /// Let the caller in, or refuse in AWS's words for this kind of credential.
    ///
    /// # Errors
    /// AccessDenied, or InvalidClientTokenId for sessions that IAM does not take.
    pub fn admit(self, principal: &Principal, service: &str, action: &str) -> Result<(), Error> {
        use SessionKind::{Federated, FederatedByRoot, Role, Root, User};
        let session = principal.session.as_ref().map(|session| session.claims.kind);
        let refused = match self {
            Self::Anyone | Self::Vouched => None,
            Self::LongTermKeys => session
                .map(|_| Error::access_denied(format!("Cannot call {action} with session credentials"))),
            Self::Sessions => session.is_none().then(|| {
                let message = "The credentials of the request are not temporary security credentials.";
                Error::new("InvalidSubjectCredentials", message)
            }),
            Self::AssumesRoles => assumes_roles(principal, service, action),
            Self::UsersAndRoles => match principal.identity {
                Identity::User(_) | Identity::Role(_) => None,
                Identity::Root | Identity::Federated(_) | Identity::Vouched(_) => {
                    Some(not_authorized(principal, service, action))
                }
            },
            Self::NoDerivedSessions => match session {
                None | Some(Role) => None,
                Some(User | Root | Federated | FederatedByRoot) => {
                    Some(not_authorized(principal, service, action))
                }
            },
            Self::Iam => match session {
                None | Some(Role) => None,
                Some(User | Root) if principal.has_mfa() => None,
                Some(_) if principal.is_in_console() => None,
                Some(User | Root | Federated | FederatedByRoot) => Some(Error::invalid_client_token()),
            },
        };
        refused.map_or(Ok(()), Err)
    }

    /// In the words of the coverage table.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Anyone => "any credentials",
            Self::LongTermKeys => "long-term keys of users and root",
            Self::Vouched => "nobody signs: an identity provider vouches",
            Self::Sessions => "temporary credentials",
            Self::AssumesRoles | Self::UsersAndRoles => {
                "users, role sessions, GetSessionToken sessions of users"
            }
            Self::NoDerivedSessions => "all but federated-user and GetSessionToken sessions",
            Self::Iam => {
                "all but federated-user sessions outside the console and GetSessionToken sessions without MFA"
            }
        }
    }
}

fn assumes_roles(principal: &Principal, service: &str, action: &str) -> Option<Error> {
    match principal.identity {
        Identity::User(_) | Identity::Role(_) => None,
        Identity::Root => Some(Error::access_denied("Roles may not be assumed by root accounts.")),
        Identity::Federated(_) | Identity::Vouched(_) => Some(not_authorized(principal, service, action)),
    }
}

fn not_authorized(principal: &Principal, service: &str, action: &str) -> Error {
    Error::access_denied(format!("User: {} is not authorized to perform: {service}:{action}", principal.arn))
}
