//! What a call can answer instead of a result: an AWS error code and a careful message.
//!
//! Inside, causes are rich types of the rooms below; here they become what a client may see. Causes
//! that must look alike outside become the same value here. Which HTTP status goes with a code is the
//! server's table.

use daypass_authn::token::SealError;
use daypass_directory::{Denied, NotCommitted};
use daypass_model::AccountId;

/// An error as AWS's clients know it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Error {
    /// The code on the wire, such as `NoSuchEntity`.
    pub code: &'static str,
    /// AWS's sentence, where AWS has one.
    pub message: String,
    kind: Kind,
    /// Boxed, since hardly any error has one.
    provider: Option<Box<ProviderAsked>>,
}

/// The identity provider that did not vouch for a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderAsked {
    /// As trust policies name it.
    pub(crate) name: String,
    /// Whose it is; a built-in one is nobody's.
    pub(crate) account: Option<AccountId>,
    /// Whether whoever was refused had what only one should have: its line is not rationed.
    pub(crate) is_alarm: bool,
    /// What of the proof was verified before it was refused, under the names of an audit event.
    pub(crate) verified: Vec<(&'static str, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Final,
    /// Decide again on a newer snapshot; seen outside only after the last try.
    Conflict,
    /// Our fault: the log says why, the client is not told.
    Internal(&'static str),
}

impl Error {
    /// An error with this code and message.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), kind: Kind::Final, provider: None }
    }

    /// 400: a parameter's shape or value.
    #[must_use]
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationError", message)
    }

    /// 400: IAM's word for a value that has the right shape and no sense.
    #[must_use]
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new("InvalidInput", message)
    }

    /// 404.
    #[must_use]
    pub fn no_such_entity(message: impl Into<String>) -> Self {
        Self::new("NoSuchEntity", message)
    }

    /// 409.
    #[must_use]
    pub fn already_exists(message: impl Into<String>) -> Self {
        Self::new("EntityAlreadyExists", message)
    }

    /// 409.
    #[must_use]
    pub fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::new("LimitExceeded", message)
    }

    /// 409.
    #[must_use]
    pub fn delete_conflict(what: &str) -> Self {
        Self::new("DeleteConflict", what)
    }

    /// 400: a policy that says what no policy may say.
    #[must_use]
    pub fn malformed_policy(message: impl Into<String>) -> Self {
        Self::new("MalformedPolicyDocument", message)
    }

    /// 403, with a sentence of its own.
    #[must_use]
    pub fn access_denied(message: impl Into<String>) -> Self {
        Self::new("AccessDenied", message)
    }

    /// 403: an access key id, secret or token that proves nothing, whatever the reason.
    #[must_use]
    pub fn invalid_client_token() -> Self {
        Self::new("InvalidClientTokenId", "The security token included in the request is invalid.")
    }

    /// 500: our fault. `why` is in the log under the request id, and nowhere else.
    #[must_use]
    pub fn internal(why: &'static str) -> Self {
        let message = "The request processing has failed because of an unknown error, exception or failure.";
        Self { kind: Kind::Internal(why), ..Self::new("InternalFailure", message) }
    }

    /// 503.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new("ServiceUnavailable", message)
    }

    /// The same where deciding again on a newer snapshot may succeed; a client sees it after the last try only.
    #[must_use]
    pub(crate) fn into_conflict(self) -> Self {
        Self { kind: Kind::Conflict, ..self }
    }

    /// The same, said of a provider that does not vouch for the caller. Its sentence quotes nothing that is not verified.
    #[must_use]
    pub(crate) fn of_provider(self, provider: ProviderAsked) -> Self {
        Self { provider: Some(Box::new(provider)), ..self }
    }

    /// The provider that does not vouch for the caller.
    #[must_use]
    pub(crate) fn provider(&self) -> Option<&ProviderAsked> {
        self.provider.as_deref()
    }

    /// What went wrong inside, of an internal failure.
    #[must_use]
    pub fn why(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Internal(why) => Some(why),
            Kind::Final | Kind::Conflict => None,
        }
    }

    /// Whether deciding again on a newer snapshot may succeed.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.kind == Kind::Conflict
    }
}

impl From<Box<Denied>> for Error {
    fn from(denied: Box<Denied>) -> Self {
        Self::access_denied(denied.to_string())
    }
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        match error {
            SealError::TooLarge { .. } => Self::new("PackedPolicyTooLarge", error.to_string()),
            SealError::Bound(_) => Self::validation(error.to_string()),
        }
    }
}

impl From<NotCommitted> for Error {
    fn from(error: NotCommitted) -> Self {
        match error {
            NotCommitted::Conflict => {
                let message = "The request was rejected because multiple requests to change this object were submitted simultaneously.";
                Self::new("ConcurrentModification", message).into_conflict()
            }
            NotCommitted::Unavailable(why) => {
                tracing::error!(%why, "a write was not made");
                Self::unavailable(
                    "The request cannot be written now; nothing is known to have changed. Try again.",
                )
            }
            NotCommitted::Unknown(why) => {
                tracing::error!(%why, "nobody can tell whether a write was made");
                Self::unavailable(
                    "The outcome of the request is unknown: it may have been made. Look before you try again.",
                )
            }
            NotCommitted::Full => Self::unavailable("The server's disk is full: nothing was written."),
            // The quotas keep records within the store's bounds. Should one get past them, trying again would be in vain.
            NotCommitted::OutOfBounds(bound) => {
                Self::limit_exceeded(format!("Cannot exceed quota for StoredSize: {bound}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use daypass_store::Invalid;

    use super::*;

    #[test]
    fn what_can_never_be_stored_is_not_to_be_tried_again() {
        let error = Error::from(NotCommitted::OutOfBounds(Invalid::ValueTooLarge(1_301_034)));
        let sentence = "Cannot exceed quota for StoredSize: a value of 1301034 bytes is larger than 1048576";
        assert_eq!((error.code, error.message.as_str()), ("LimitExceeded", sentence));
        assert!(!error.is_conflict());
    }
}
