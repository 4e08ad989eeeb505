//! X.509 certificates as a proof of identity: whether one leads to a trust anchor, and what it says of whoever holds its key.
//!
//! The library reads DER; every rule of what is trusted is ours, and what a rule does not know is refused. Nothing here is
//! fetched: no issuer, no list, no status. Who asks gives everything, the time too.
//!
//! Governing documents: RFC 5280; IAM Roles Anywhere User Guide, "The IAM Roles Anywhere trust model".

mod certificate;
mod chain;
mod crl;
mod key;
mod names;
mod pem;
mod private_key;

pub use certificate::{Certificate, Unfit};
pub use chain::{CHAIN_MAX, Untrusted, ended_anchor, path};
pub use crl::{BadCrl, Crl};
pub(crate) use key::Scheme;
pub use names::{FIELDS, Field};
pub use pem::{BadPem, blocks};
pub use private_key::{BadKey, PrivateKey};
