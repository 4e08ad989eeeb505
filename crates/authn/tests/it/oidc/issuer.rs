//! A provider made for the tests: it signs what it is told to sign.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair,
};
use data_encoding::BASE64URL_NOPAD;
use daypass_authn::oidc::Algorithm;
use serde_json::{Value, json};

/// A key pair of the provider.
pub(crate) enum Key {
    Rsa(Box<RsaKeyPair>),
    Ec(&'static str, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    pub(crate) fn generate(algorithm: Algorithm) -> Key {
        let ec = |curve, signing| Key::Ec(curve, EcdsaKeyPair::generate(signing).unwrap());
        match algorithm {
            Algorithm::Es256 => ec("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => ec("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::Es512 => ec("P-521", &ECDSA_P521_SHA512_FIXED_SIGNING),
            Algorithm::EdDsa => Key::Ed25519(Ed25519KeyPair::generate().unwrap()),
            _ => Key::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())),
        }
    }

    /// As a member of `keys`.
    pub(crate) fn jwk(&self, id: &str) -> Value {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        match self {
            Key::Rsa(pair) => {
                let (modulus, exponent) = numbers(pair.public_key().as_ref());
                json!({"kty": "RSA", "kid": id, "use": "sig", "n": text(modulus), "e": text(exponent)})
            }
            Key::Ec(curve, pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({"kty": "EC", "kid": id, "crv": curve, "x": text(x), "y": text(y)})
            }
            Key::Ed25519(pair) => {
                json!({"kty": "OKP", "kid": id, "crv": "Ed25519", "x": text(pair.public_key().as_ref())})
            }
        }
    }

    fn signature(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Key::Rsa(pair) => {
                let encoding: &'static dyn aws_lc_rs::signature::RsaEncoding = match algorithm {
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Key::Ec(_, pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A token with this header and these claims.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        let text = |part: &str| BASE64URL_NOPAD.encode(part.as_bytes());
        let signed = format!("{}.{}", text(header), text(claims));
        let algorithm: Value = serde_json::from_str(header).unwrap_or_default();
        let algorithm = algorithm["alg"].as_str().unwrap_or_default().to_owned();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&self.signature(&algorithm, signed.as_bytes())))
    }
}

/// Modulus and exponent of an `RSAPublicKey` of 2048 bits in DER: a sequence of two integers.
fn numbers(der: &[u8]) -> (&[u8], &[u8]) {
    let at = der.len() - 5;
    (&der[at - 256..at], &der[at + 2..])
}

/// A key set of these members.
pub(crate) fn key_set(keys: &[Value]) -> Vec<u8> {
    json!({"keys": keys}).to_string().into_bytes()
}
