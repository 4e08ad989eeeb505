//! Key pairs that sign tokens of our own: JSON Web Tokens in compact form (RFC 7515, section 7.1), and the public keys
//! as others read them (RFC 7517; RFC 7518, section 6).

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding,
};
use data_encoding::BASE64URL_NOPAD;
use daypass_model::Secret;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::key_set::rsa_numbers;

/// Length of a coordinate on P-384.
const COORDINATE_BYTES: usize = 48;

/// How a token of ours may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
}

impl SigningAlgorithm {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Rs256, Self::Es384];

    /// The name that a token's header has for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es384 => "ES384",
        }
    }

    /// By its name, which is case-sensitive.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// The crypto library made no key, or no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token could not be signed")]
pub struct NotSigned;

/// A key pair, and what everybody may know of it.
pub(super) struct SigningKey {
    algorithm: SigningAlgorithm,
    pair: Pair,
    /// PKCS #8.
    private: Secret,
    public: PublicJwk,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
}

/// A public key with its id, as it stands in a key set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct PublicJwk {
    pub(super) kid: String,
    #[serde(rename = "use")]
    purpose: &'static str,
    alg: &'static str,
    #[serde(flatten)]
    numbers: Numbers,
}

/// The members of a key that its thumbprint is made of, in the order of their names (RFC 7638, section 3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Numbers {
    Ec { crv: &'static str, kty: &'static str, x: String, y: String },
    Rsa { e: String, kty: &'static str, n: String },
}

/// Header of a token.
#[derive(Serialize)]
struct Header<'a> {
    kid: &'a str,
    typ: &'static str,
    alg: &'static str,
}

impl SigningKey {
    /// A new key pair. The crypto library draws it itself; one of RSA takes a while.
    pub(super) fn generate(algorithm: SigningAlgorithm) -> Result<Self, NotSigned> {
        let private = match algorithm {
            SigningAlgorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| NotSigned)?;
                Secret::new(pair.as_der().map_err(|_| NotSigned)?.as_ref().to_vec())
            }
            SigningAlgorithm::Es384 => {
                let random = SystemRandom::new();
                let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random);
                Secret::new(pair.map_err(|_| NotSigned)?.as_ref().to_vec())
            }
        };
        Self::read(algorithm, private).ok_or(NotSigned)
    }

    /// The key pair that a PKCS #8 document holds.
    pub(super) fn read(algorithm: SigningAlgorithm, private: Secret) -> Option<Self> {
        let der = private.expose();
        let (pair, numbers) = match algorithm {
            SigningAlgorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(der).ok()?;
                let (n, e) = rsa_numbers(pair.public_key().as_ref())?;
                let numbers = Numbers::Rsa { e: text(e), kty: "RSA", n: text(n) };
                (Pair::Rsa(Box::new(pair)), numbers)
            }
            SigningAlgorithm::Es384 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der).ok()?;
                // Uncompressed, and both coordinates of full length.
                let point = pair.public_key().as_ref().strip_prefix(&[4])?;
                let (x, y) = point.split_at_checked(COORDINATE_BYTES)?;
                let numbers = Numbers::Ec { crv: "P-384", kty: "EC", x: text(x), y: text(y) };
                (Pair::Ec(pair), numbers)
            }
        };
        let kid = numbers.thumbprint();
        let public = PublicJwk { kid, purpose: "sig", alg: algorithm.name(), numbers };
        Some(Self { algorithm, pair, private, public })
    }

    pub(super) fn private(&self) -> &Secret {
        &self.private
    }

    pub(super) fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// A token with these claims, which are a JSON object.
    pub(super) fn token(&self, claims: &[u8]) -> Result<Secret, NotSigned> {
        let header = Header { kid: &self.public.kid, typ: "JWT", alg: self.algorithm.name() };
        let header = serde_json::to_vec(&header).map_err(|_| NotSigned)?;
        let signed = format!("{}.{}", text(&header), text(claims));
        let signature = self.signature(signed.as_bytes())?;
        Ok(Secret::new(format!("{signed}.{}", text(&signature))))
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, NotSigned> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let padding: &dyn RsaEncoding = &RSA_PKCS1_SHA256;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).map_err(|_| NotSigned)?;
                Ok(signature)
            }
            // As RFC 7518, section 3.4, has it: both numbers of full length, one behind the other.
            Pair::Ec(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| NotSigned),
        }
    }
}

impl Numbers {
    /// RFC 7638: whoever has the key can tell its id.
    fn thumbprint(&self) -> String {
        // Texts and nothing else: serde_json has no way to fail on them.
        text(&Sha256::digest(serde_json::to_vec(self).unwrap_or_default()))
    }
}

fn text(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_the_rfc() {
        // RFC 7638, section 3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let numbers = Numbers::Rsa { e: "AQAB".into(), kty: "RSA", n: n.into() };
        assert_eq!(numbers.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
