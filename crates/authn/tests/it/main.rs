//! The room from outside: signatures against published and independent vectors and the official signer,
//! refusals in AWS's words, tokens against tampering.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail loudly, as tests may"
)]

mod dictionary;
mod malformed;
mod mistakes;
mod official_signer;
mod oidc;
mod payload_table;
mod published;
mod saml;
mod support;
mod tampering;
mod tokens;
mod untrue;
mod variants;
mod variants_of_2;
mod vectors;
mod version_4a;
mod x509;
