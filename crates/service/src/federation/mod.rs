//! Calls that nobody signs: an identity provider vouches for whoever makes them.
//!
//! It answers for which provider a token is from, whether it verifies, and what policies may ask of it. It refuses to know
//! how a document is fetched, and whether the role that is asked for trusts the provider.

mod access_token;
mod certificate;
mod condition_keys;
mod fetch;
mod issuers;
mod keys;
mod pod;
mod published;
mod refused;
mod saml;
mod sign_in;
mod web_identity;

pub(crate) use access_token::vouch_by_access_token;
pub(crate) use certificate::{Asked, Came, claim_of, vouch_by_certificate};
pub(crate) use condition_keys::is_known_claim;
pub(crate) use fetch::is_word;
pub use fetch::{Fetch, FetchError, Fetched, Fetching, Form, Wanted};
pub use issuers::{BuiltIn, Issuers, discovery_url};
pub use keys::{FETCHES_MAX, Found, KeysHealth, NoKeys, Place, ProviderKeys, STALE_SECONDS_MAX, Source};
pub(crate) use pod::{AUDIENCE as POD_AUDIENCE, Pod, is_label, is_subdomain, pod_of_token};
pub use published::{Published, published};
pub use refused::Refusals;
pub use saml::{Assertions, Replay, SamlSettings};
pub(crate) use saml::{Response, assertion, spend_assertion, vouch_by_assertion};
pub use sign_in::SignInProvider;
pub(crate) use sign_in::{Grant, SignedIn, query};
pub use web_identity::renew_keys;
pub(crate) use web_identity::{Presented, vouch};
