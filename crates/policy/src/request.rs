//! What is asked: who calls, which action, on which resource, with which context.
//!
//! These are plain borrowed values; nothing here decides anything. The caller says what kind of principal
//! it is, because the policy language treats the kinds differently.

use crate::context::Context;

/// One request to decide.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who calls.
    pub principal: Principal<'a>,
    /// `service:Name`.
    pub action: &'a str,
    /// The ARN of the resource, or `*` for actions that take none.
    pub resource: &'a str,
    /// The account that owns the resource, whatever its ARN says. `None` means the caller's own.
    pub resource_account: Option<&'a str>,
    /// The condition keys of the request. Nothing is added to them.
    pub context: &'a Context,
}

/// The kinds of callers, as policies see them (IAM User Guide, "AWS JSON policy elements: Principal").
///
/// Accounts are twelve digits; ids are the unique ids (`AIDA…`, `AROA…`) that stored trust and resource
/// policies hold in the place of ARNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal<'a> {
    /// The root user of an account.
    Root {
        /// Its account.
        account: &'a str,
    },
    /// An IAM user, by its access keys or by a session of its own (GetSessionToken).
    User {
        /// Its account.
        account: &'a str,
        /// Its ARN, with the path.
        arn: &'a str,
        /// Its unique id.
        id: Option<&'a str>,
    },
    /// A role session.
    Role {
        /// The account of the role.
        account: &'a str,
        /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
        session_arn: &'a str,
        /// The ARN of the role, with the path.
        role_arn: &'a str,
        /// The unique id of the role.
        role_id: Option<&'a str>,
        /// Whether it is a service-linked role, which service and resource control policies do not bind.
        service_linked: bool,
    },
    /// A federated user (GetFederationToken).
    Federated {
        /// The account of the issuing user.
        account: &'a str,
        /// `arn:aws:sts::ACCOUNT:federated-user/NAME`.
        arn: &'a str,
        /// Who called GetFederationToken.
        issuer: Issuer<'a>,
    },
    /// An AWS service acting for itself, such as `ec2.amazonaws.com`.
    Service {
        /// Its name.
        name: &'a str,
    },
    /// An identity provider whose token or assertion asks for a role (AssumeRoleWithWebIdentity and
    /// AssumeRoleWithSAML).
    Provider {
        /// The account it is registered in, if it is.
        account: Option<&'a str>,
        /// Its ARN, or a bare name such as `cognito-identity.amazonaws.com`.
        name: &'a str,
    },
    /// Nobody: the request was not signed.
    Anonymous,
}

/// Who issued the credentials of a federated user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuer<'a> {
    /// An IAM user.
    User {
        /// Its ARN.
        arn: &'a str,
        /// Its unique id.
        id: Option<&'a str>,
    },
    /// The root user of the account.
    Root,
    /// Not known: no policy can name it, and its rights are the identity policies given.
    Unknown,
}

impl<'a> Principal<'a> {
    /// The account the caller belongs to. Services, anonymous callers and unregistered providers have none.
    #[must_use]
    pub fn account(&self) -> Option<&'a str> {
        match *self {
            Principal::Root { account }
            | Principal::User { account, .. }
            | Principal::Role { account, .. }
            | Principal::Federated { account, .. } => Some(account),
            Principal::Provider { account, .. } => account,
            Principal::Service { .. } | Principal::Anonymous => None,
        }
    }

    /// Whether the caller is an identity of an account, with policies of its own.
    pub(crate) fn has_identity(&self) -> bool {
        matches!(
            self,
            Principal::Root { .. }
                | Principal::User { .. }
                | Principal::Role { .. }
                | Principal::Federated { .. }
        )
    }

    /// Service-linked roles are bound neither by service nor by resource control policies.
    pub(crate) fn is_service_linked(&self) -> bool {
        matches!(self, Principal::Role { service_linked: true, .. })
    }
}
