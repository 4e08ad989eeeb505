//! Tokens of OpenID Connect providers, and what is none.

pub(crate) mod issuer;
mod keys;
mod tokens;
