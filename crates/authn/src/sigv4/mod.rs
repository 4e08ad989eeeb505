//! AWS Signature Version 4 and 4A, from the verifier's side, a signer of the former, a verifier of Signature
//! Version 2 for who switches it on, and a verifier and a signer by the key of a certificate (IAM Roles Anywhere).
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
//! Governing documents: IAM User Guide, "AWS Signature Version 4 for API requests" with "Create a signed AWS API
//! request", "How AWS SigV4a works" and "Troubleshoot Signature Version 4 signing"; Amazon S3 API Reference, "Signature
//! Calculations for the Authorization Header" and "Authenticating Requests: Using Query Parameters".

mod algorithm;
mod by_certificate;
mod canonical;
mod error;
mod explain;
mod form;
mod key;
mod presented;
mod proof;
mod public_key;
mod region_set;
mod request;
mod rules;
mod sign;
mod sign_by_certificate;
mod time;
mod verify;
mod version_2;

pub use algorithm::Algorithm;
pub use by_certificate::{CertificateProof, X509, X509_CHAIN, presented_by_certificate};
pub use error::AuthError;
pub use explain::{Explained, TextDifference, explain, first_difference};
pub use form::is_form;
pub use key::{SigningKey, SigningKeyCache, VerifyingKey};
pub use presented::{PRESIGNED_PARAMETERS, Presented, presented, presented_or_version_2};
pub use proof::{Place, Proof, Scope};
pub use request::HttpRequest;
pub use rules::{BodyHash, PathRule, PayloadRule, PresignedLifetime, Rules, ServiceRule, is_s3_family};
pub use sign::{Credentials, SignError, SignatureForm, sign};
pub use sign_by_certificate::{CertificateSignError, sign_by_certificate};
pub use time::amz_date;
pub use verify::{PayloadHash, Verified, verify};
pub use version_2::{VERSION_2_PARAMETERS, Version2};

/// The last part of every credential scope.
pub(crate) const TERMINATOR: &str = "aws4_request";
/// Stands in for the payload hash of an S3 request whose body is not signed.
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
