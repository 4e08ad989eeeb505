//! AWS Signature Version 4, from the verifier's side, and a signer.
//!
//! The order of use, which is also AWS's order of checks:
//!
//! 1. [`presented`]: what does the request present? [`Presented::Nothing`], a [`Proof`], or an error.
//! 2. The caller looks up the access key and opens the session token (not this room's business).
//! 3. [`SigningKeyCache::verify`] against the [`Rules`] of the endpoint: scope, time, signature.
//! 4. The caller checks that the session token has not expired.
//!
//! INVARIANT (never-anonymous): a request with any part of a credential is never `Nothing`.
//!
//! Governing documents: IAM User Guide, "Create a signed AWS API request" and "Troubleshoot Signature
//! Version 4 signing"; Amazon S3 API Reference, "Signature Calculations for the Authorization Header"
//! and "Authenticating Requests: Using Query Parameters".

mod canonical;
mod error;
mod explain;
mod form;
mod key;
mod presented;
mod proof;
mod request;
mod rules;
mod sign;
mod time;
mod verify;

pub use error::AuthError;
pub use explain::{Explained, TextDifference, explain, first_difference};
pub use form::is_form;
pub use key::{SigningKey, SigningKeyCache};
pub use presented::{PRESIGNED_PARAMETERS, Presented, presented};
pub use proof::{Place, Proof, Scope};
pub use request::HttpRequest;
pub use rules::{BodyHash, PathRule, PayloadRule, PresignedLifetime, Rules, ServiceRule, is_s3_family};
pub use sign::{Credentials, SignError, SignatureForm, sign};
pub use time::amz_date;
pub use verify::{PayloadHash, Verified, verify};

/// The only algorithm accepted so far.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The last part of every credential scope.
pub(crate) const TERMINATOR: &str = "aws4_request";
/// Stands in for the payload hash of an S3 request whose body is not signed.
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
