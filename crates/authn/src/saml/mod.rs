//! SAML 2.0, from the service provider's side: what an identity provider sends to AssumeRoleWithSAML.
//!
//! In the order of use:
//!
//! 1. [`Metadata::parse`]: whom an operator believes, and which keys it signs with.
//! 2. [`receive`]: an authentication response → a [`VerifiedAssertion`], or a [`SamlError`] in AWS's words. One whose
//!    assertion is encrypted takes two steps more, [`EncryptedResponse::decrypt`] and [`DecryptedResponse::verify`], since
//!    the first of them is work that keeps whoever does it. [`verify`] is all of them.
//! 3. The caller asks the trust policy, with the assertion's [`condition_keys`](VerifiedAssertion::condition_keys), and
//!    remembers the assertion's id for as long as it may be used, if it is to be used once.
//!
//! A document is read into one tree (`xml`), within bounds that are checked before (`bounds`). An element is believed when
//! a signature directly inside it verifies (`signature`, over the text that `c14n` makes of it, with a key out of the
//! metadata), and everything said about the subject is read from that element. An encrypted assertion (`encryption`) is
//! put in its place as text and the whole read again: still one tree. What is accepted is one form of each standard;
//! everything else that they allow is refused.
//!
//! Governing documents: SAML 2.0 Core, Bindings, Profiles and Metadata (OASIS, 2005), with the approved errata; XML
//! Signature Syntax and Processing 1.1; Exclusive XML Canonicalization 1.0; XML Encryption Syntax and Processing 1.1;
//! AWS STS API Reference, AssumeRoleWithSAML; IAM User Guide, "Configure SAML assertions for the authentication response".

mod assertion;
mod bounds;
mod c14n;
mod condition_key;
mod encryption;
mod error;
mod expected;
mod key;
mod metadata;
mod response;
mod signature;
mod time;
mod xml;

pub use assertion::{RolePair, VerifiedAssertion};
pub use condition_key::{ConditionKey, name_qualifier};
pub use encryption::{DecryptionKey, InvalidDecryptionKey};
pub use error::SamlError;
pub use expected::{Encryption, Expected, Requested, is_aws_endpoint};
pub use metadata::{InvalidMetadata, Metadata};
pub use response::{DecryptedResponse, EncryptedResponse, Named, Received, receive, verify};

/// A door for the fuzz targets to what nothing outside calls by itself.
#[cfg(fuzzing)]
pub mod fuzzing {
    use super::{bounds, c14n, xml};

    /// The canonical form of a whole document, if it is one that is read.
    #[must_use]
    pub fn canonical_form(text: &str) -> Option<String> {
        let source = xml::Source::new(text.to_owned(), &bounds::RESPONSE).ok()?;
        let tree = source.parse().ok()?;
        c14n::canonical(tree.root(), None, &[]).ok()
    }
}

/// SAML's assertions.
const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// SAML's protocol messages.
const SAMLP: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
