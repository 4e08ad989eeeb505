//! OpenID Connect tokens from the verifier's side.
//!
//! It answers for which token a provider signed, for whom and until when, as AWS reads it. It refuses to know which
//! providers there are, how their keys are fetched, and what a token's subject may do.
//!
//! Governing documents: AWS STS API Reference, AssumeRoleWithWebIdentity; OpenID Connect Core 1.0; RFC 7515, 7517, 7518, 7519, 8037.

mod algorithm;
mod claims;
mod discovery;
mod json;
mod key_set;
mod thumbprint;
mod token;

pub use algorithm::Algorithm;
pub use claims::{BadClaim, Claims, PassedTags};
pub use discovery::{DISCOVERY_BYTES_MAX, Discovery, NoDiscovery};
pub use key_set::{KEY_SET_BYTES_MAX, KeySet, NoKeySet};
pub use thumbprint::thumbprint;
pub use token::{AGE_SECONDS_MAX, LEEWAY_SECONDS, TOKEN_BYTES_MAX, Token, TokenError, VerifiedToken};
