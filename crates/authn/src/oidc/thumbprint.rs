//! Thumbprints of certificates: what an administrator compares a provider's server with.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use data_encoding::HEXLOWER;

/// The SHA-1 of a certificate in DER, in lower-case hex (IAM User Guide, "Obtain the thumbprint for an OpenID Connect
/// identity provider"). AWS has no other form of it; who can find a second certificate for one is not known.
#[must_use]
pub fn thumbprint(certificate: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate).as_ref())
}
