//! OpenID Connect tokens: of identity providers from the verifier's side, and tokens of our own.
//!
//! It answers for which token a provider signed, for whom and until when, as AWS reads it; for what a provider says of an access
//! token; and for the keys that sign our tokens, and what others need to verify them. It refuses to know which providers there are, how their keys are fetched,
//! what a token's subject may do, and what our tokens say.
//!
//! Governing documents: AWS STS API Reference, AssumeRoleWithWebIdentity and GetWebIdentityToken; OpenID Connect Core 1.0;
//! RFC 7515, 7517, 7518, 7519, 7638, 8037.

mod access_token;
mod algorithm;
mod claims;
mod discovery;
mod dpop;
mod issuer_keys;
mod json;
mod key_set;
mod signing;
mod thumbprint;
mod token;

pub use access_token::{ACCESS_TOKEN_INFO_BYTES_MAX, AccessTokenInfo, NoTokenInfo};
pub use algorithm::Algorithm;
pub use claims::{BadClaim, Claims, PassedTags};
pub use discovery::{DISCOVERY_BYTES_MAX, Discovery, NoDiscovery, SignInEndpoints};
pub use dpop::{Dpop, NoProof, challenge_of};
pub use issuer_keys::{InvalidIssuerKeys, IssuerKey, IssuerKeys};
pub use key_set::{KEY_SET_BYTES_MAX, KeySet, NoKeySet};
pub use signing::{NotSigned, SigningAlgorithm};
pub use thumbprint::thumbprint;
pub use token::{AGE_SECONDS_MAX, LEEWAY_SECONDS, TOKEN_BYTES_MAX, Token, TokenError, VerifiedToken};
