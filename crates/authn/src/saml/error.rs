//! Why an authentication response gets nobody a session, in AWS's words.
//!
//! A variant is what happened; [`SamlError::code`] is AWS's error code and `Display` its message, word for word where AWS
//! has one. [`SamlError::reason`] is for the operator's log: it names what is wrong and repeats nothing of the message.
//!
//! Governing documents: AWS STS API Reference, AssumeRoleWithSAML; IAM User Guide, "Troubleshoot SAML federation with
//! IAM".

use super::xml::Fault;

/// Why an authentication response is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SamlError {
    /// It is not base64 of a SAML 2.0 response of the form accepted, or lacks something that it must have.
    #[error("Invalid base64 SAMLResponse")]
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The identity provider says that it did not authenticate anybody.
    #[error("Invalid base64 SAMLResponse")]
    Status,
    /// The assertion is not signed. That of the response around it does not replace its own signature.
    #[error("Response (with optional signature) must contain an assertion with a mandatory signature")]
    AssertionNotSigned,
    /// A signature does not hold, or the assertion cannot be decrypted: nothing is said about which.
    #[error("Response signature invalid")]
    Signature {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The provider takes encrypted assertions only (`AssertionEncryptionMode` `Required`).
    #[error("Response must contain an encrypted assertion")]
    AssertionNotEncrypted,
    /// Another entity issued it than the metadata describes.
    #[error("Issuer not present in specified provider")]
    Issuer,
    /// The metadata has ended.
    #[error("Metadata of the specified provider has expired")]
    MetadataExpired,
    /// The assertion is about nobody.
    #[error("Not authorized to perform sts:AssumeRoleWithSAML")]
    NoSubject,
    /// The role is one of those that AWS IAM Identity Center makes for itself.
    #[error("Not authorized to perform sts:AssumeRoleWithSAML")]
    ReservedRole,
    /// It was made for another recipient.
    #[error("Response does not contain the required recipient.")]
    Recipient,
    /// It was made for another audience.
    #[error("Response does not contain the required audience.")]
    Audience,
    /// It was sent to another address than this one.
    #[error("Response does not contain the required destination.")]
    Destination,
    /// It has expired.
    #[error("Response has expired")]
    Expired,
    /// It is from further ahead than clocks may differ.
    #[error("Response is not yet valid")]
    NotYetValid,
    /// The assertion is older than one may be.
    #[error("Token must be redeemed within 5 minutes of issuance")]
    TooOld,
    /// The role and the provider that were asked for are no pair in the assertion.
    #[error("SAML Assertion doesn't contain the requested Role and Metadata in the attributes")]
    RoleNotListed,
    /// There is no name for the session.
    #[error("RoleSessionName is required in AuthnResponse")]
    NoRoleSessionName,
    /// The name for the session is none.
    #[error("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{{2,64}}")]
    RoleSessionName,
    /// The duration is no number of seconds between 900 and 43,200.
    #[error("SessionDuration in AuthnResponse must be an integer between 900 and 43200")]
    SessionDuration,
    /// The source identity is none.
    #[error("Source Identity must match [a-zA-Z_0-9+=,.@-]{{2,64}} and not begin with \"aws:\"")]
    SourceIdentity,
    /// Attributes give a condition key that holds one value several: whichever was taken, a Deny on another would not apply.
    #[error("{key} in AuthnResponse must have at most one value")]
    SeveralValues {
        /// The key.
        key: &'static str,
    },
    /// A session tag has no value, or several.
    #[error("PrincipalTag in AuthnResponse must have exactly one value")]
    PrincipalTag,
}

impl SamlError {
    /// AWS's error code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSubject | Self::ReservedRole => "AccessDenied",
            Self::Expired | Self::TooOld => "ExpiredTokenException",
            _ => "InvalidIdentityToken",
        }
    }

    /// What is wrong, where the message does not say it.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Malformed { reason } | Self::Signature { reason } => Some(reason),
            Self::Status => Some("the status is not Success"),
            Self::NoSubject => Some("the assertion has no NameID"),
            Self::ReservedRole => Some("a role of AWS IAM Identity Center"),
            _ => None,
        }
    }
}

/// What is found in reading is the form's fault; signatures say so themselves.
impl From<Fault> for SamlError {
    fn from(Fault(reason): Fault) -> Self {
        Self::Malformed { reason }
    }
}
