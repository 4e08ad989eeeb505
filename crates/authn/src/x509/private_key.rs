//! The private key of a certificate, for whoever calls by one: read from PEM, and signatures that the certificate verifies.
//!
//! Source: RFC 5958 and 7468 (`PRIVATE KEY`), RFC 8017, appendix A.1.2 (`RSA PRIVATE KEY`), RFC 5915 (`EC PRIVATE KEY`).

use std::fmt;

use aws_lc_rs::digest::{Digest, SHA384};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA256_ASN1_SIGNING,
    EcdsaKeyPair, RSA_PKCS1_SHA256,
};
use data_encoding::BASE64;
use daypass_model::Secret;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::Certificate;
use super::key::Scheme;

/// Bytes of a SHA-384 digest before those of a SHA-256 digest of the same number.
const PADDING_BYTES: usize = 48 - 32;

/// Why a text holds no private key that can be used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// There is none in it, or no end of it, or no base64.
    #[error("it holds no private key in PEM")]
    Form,
    /// One that a passphrase opens.
    #[error("its private key is encrypted; only keys without a passphrase can be used")]
    Encrypted,
    /// More than one.
    #[error("it holds more than one private key")]
    Two,
    /// Of another kind.
    #[error("its private key is neither RSA of 2,048 to 8,192 bits nor ECDSA on P-256, P-384 or P-521")]
    Kind,
    /// That of somebody else.
    #[error("the private key is not that of the certificate")]
    OfAnother,
}

/// A private key. It prints nothing of itself.
pub struct PrivateKey(Kind);

enum Kind {
    Rsa(RsaKeyPair),
    /// P-256 and P-521, for which the library signs SHA-256.
    Ecdsa(EcdsaKeyPair),
    P384(EcdsaKeyPair),
}

impl PrivateKey {
    /// The one private key in a text. Parameters of a curve and certificates may stand beside it.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn from_pem(text: &Secret) -> Result<Self, BadKey> {
        let (label, der) = block(text.expose_str())?;
        let kind = match label {
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).map(Kind::Rsa).ok(),
            "EC PRIVATE KEY" => elliptic(&der),
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der).map(Kind::Rsa).ok().or_else(|| elliptic(&der)),
            _ => None,
        };
        kind.map(Self).ok_or(BadKey::Kind)
    }

    pub(crate) fn scheme(&self) -> Scheme {
        match self.0 {
            Kind::Rsa(_) => Scheme::Rsa,
            Kind::Ecdsa(_) | Kind::P384(_) => Scheme::Ecdsa,
        }
    }

    /// A signature of `message` by SHA-256, which `certificate` verifies.
    ///
    /// # Errors
    /// The key is another's.
    pub(crate) fn sign_for(&self, certificate: &Certificate, message: &[u8]) -> Result<Vec<u8>, BadKey> {
        let signature = self.sign(message).ok_or(BadKey::Kind)?;
        let is_of_it = certificate.signed(self.scheme(), message, &signature);
        is_of_it.then_some(signature).ok_or(BadKey::OfAnother)
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.0 {
            Kind::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            Kind::Ecdsa(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            // What is signed of a digest is a number (FIPS 186-5, section 6.4.1): zeros before it make it as long as the library
            // wants digests for this curve, and leave it the same.
            Kind::P384(pair) => {
                let mut number = vec![0; PADDING_BYTES];
                number.extend_from_slice(&Sha256::digest(message));
                let digest = Digest::import_less_safe(&number, &SHA384).ok()?;
                Some(pair.sign_digest(&digest).ok()?.as_ref().to_vec())
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// On whichever curve it is.
fn elliptic(der: &[u8]) -> Option<Kind> {
    let on = |curve| EcdsaKeyPair::from_private_key_der(curve, der).ok();
    on(&ECDSA_P256_SHA256_ASN1_SIGNING)
        .or_else(|| on(&ECDSA_P521_SHA256_ASN1_SIGNING))
        .map(Kind::Ecdsa)
        .or_else(|| on(&ECDSA_P384_SHA384_ASN1_SIGNING).map(Kind::P384))
}

/// Label and content of the one block of a private key.
fn block(text: &str) -> Result<(&str, Zeroizing<Vec<u8>>), BadKey> {
    let mut found = None;
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let label = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
        let Some(label) = label.filter(|label| label.ends_with("PRIVATE KEY")) else { continue };
        let mut base64 = Zeroizing::new(String::with_capacity(text.len()));
        loop {
            let line = lines.next().ok_or(BadKey::Form)?;
            // RFC 1421, section 4.6.1.1: so OpenSSL says in its old form that a passphrase opens it.
            if line.starts_with("Proc-Type:") && line.ends_with("ENCRYPTED") {
                return Err(BadKey::Encrypted);
            }
            match line.strip_prefix("-----END ").and_then(|rest| rest.strip_suffix("-----")) {
                Some(end) if end == label => break,
                _ => base64.push_str(line),
            }
        }
        if label == "ENCRYPTED PRIVATE KEY" {
            return Err(BadKey::Encrypted);
        }
        let der = BASE64.decode(base64.as_bytes()).map(Zeroizing::new).map_err(|_| BadKey::Form)?;
        if found.replace((label, der)).is_some() {
            return Err(BadKey::Two);
        }
    }
    found.ok_or(BadKey::Form)
}
