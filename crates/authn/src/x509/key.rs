//! Public keys of certificates, and the signatures that they verify: RSA with PKCS #1 v1.5 and ECDSA, each with SHA-256 or
//! stronger. Nothing else is an algorithm here, so that nothing weaker can be asked for.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use x509_cert::der::Any;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::certificate::Unfit;

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const RSA_ENCRYPTION: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = oid("1.2.840.10045.2.1");
const P256: ObjectIdentifier = oid("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = oid("1.3.132.0.34");
const P521: ObjectIdentifier = oid("1.3.132.0.35");
/// ML-DSA-44, -65 and -87 (FIPS 204).
const ML_DSA: [ObjectIdentifier; 3] =
    [oid("2.16.840.1.101.3.4.3.17"), oid("2.16.840.1.101.3.4.3.18"), oid("2.16.840.1.101.3.4.3.19")];
/// Signature algorithms of certificates (RFC 4055, RFC 5758).
const SIGNATURES: [(ObjectIdentifier, Scheme, Hash); 6] = [
    (oid("1.2.840.113549.1.1.11"), Scheme::Rsa, Hash::Sha256),
    (oid("1.2.840.113549.1.1.12"), Scheme::Rsa, Hash::Sha384),
    (oid("1.2.840.113549.1.1.13"), Scheme::Rsa, Hash::Sha512),
    (oid("1.2.840.10045.4.3.2"), Scheme::Ecdsa, Hash::Sha256),
    (oid("1.2.840.10045.4.3.3"), Scheme::Ecdsa, Hash::Sha384),
    (oid("1.2.840.10045.4.3.4"), Scheme::Ecdsa, Hash::Sha512),
];
/// Of an RSA modulus, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// How a signature is made, without its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// RSASSA-PKCS1-v1_5.
    Rsa,
    /// ECDSA, as an ASN.1 sequence of two numbers.
    Ecdsa,
}

/// The digest in a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// Scheme and digest of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SignatureAlgorithm {
    scheme: Scheme,
    hash: Hash,
}

impl SignatureAlgorithm {
    pub(super) fn of(identifier: &AlgorithmIdentifierOwned) -> Result<Self, Unfit> {
        let (_, scheme, hash) = SIGNATURES
            .into_iter()
            .find(|(known, ..)| *known == identifier.oid)
            .ok_or(if ML_DSA.contains(&identifier.oid) { Unfit::MlDsa } else { Unfit::WeakSignature })?;
        // RFC 4055, section 5, and RFC 5758, section 3.2: NULL, and nothing.
        let parameters_fit = match (scheme, &identifier.parameters) {
            (Scheme::Rsa, Some(parameters)) => *parameters == Any::null(),
            (Scheme::Rsa, None) | (Scheme::Ecdsa, None) => true,
            (Scheme::Ecdsa, Some(_)) => false,
        };
        if parameters_fit { Ok(Self { scheme, hash }) } else { Err(Unfit::Form) }
    }
}

/// The key that a certificate is for.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    kind: Kind,
    /// An `RSAPublicKey`, or a point.
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    P521,
}

impl PublicKey {
    pub(super) fn of(info: &SubjectPublicKeyInfoOwned) -> Result<Self, Unfit> {
        let bytes = info.subject_public_key.as_bytes().ok_or(Unfit::Form)?;
        let curve = info.algorithm.parameters.as_ref().and_then(|it| it.decode_as::<ObjectIdentifier>().ok());
        let kind = match (info.algorithm.oid, curve) {
            (RSA_ENCRYPTION, _) if rsa_bits(bytes).is_some_and(|bits| RSA_BITS.contains(&bits)) => Kind::Rsa,
            (EC_PUBLIC_KEY, Some(P256)) => Kind::P256,
            (EC_PUBLIC_KEY, Some(P384)) => Kind::P384,
            (EC_PUBLIC_KEY, Some(P521)) => Kind::P521,
            (oid, _) if ML_DSA.contains(&oid) => return Err(Unfit::MlDsa),
            _ => return Err(Unfit::Key),
        };
        Ok(Self { kind, bytes: bytes.to_vec() })
    }

    pub(super) fn scheme(&self) -> Scheme {
        match self.kind {
            Kind::Rsa => Scheme::Rsa,
            Kind::P256 | Kind::P384 | Kind::P521 => Scheme::Ecdsa,
        }
    }

    /// Whether `signature` of `message` is this key's. A key of the other scheme has not signed it.
    pub(super) fn verifies(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        algorithm.scheme == self.scheme() && self.verifies_by(algorithm.hash, message, signature)
    }

    /// The same with SHA-256, by the key's own scheme.
    pub(super) fn verifies_sha256(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifies_by(Hash::Sha256, message, signature)
    }

    fn verifies_by(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match (self.kind, hash) {
            (Kind::Rsa, Hash::Sha256) => &RSA_PKCS1_2048_8192_SHA256,
            (Kind::Rsa, Hash::Sha384) => &RSA_PKCS1_2048_8192_SHA384,
            (Kind::Rsa, Hash::Sha512) => &RSA_PKCS1_2048_8192_SHA512,
            (Kind::P256, Hash::Sha256) => &ECDSA_P256_SHA256_ASN1,
            (Kind::P256, Hash::Sha384) => &ECDSA_P256_SHA384_ASN1,
            (Kind::P256, Hash::Sha512) => &ECDSA_P256_SHA512_ASN1,
            (Kind::P384, Hash::Sha256) => &ECDSA_P384_SHA256_ASN1,
            (Kind::P384, Hash::Sha384) => &ECDSA_P384_SHA384_ASN1,
            (Kind::P384, Hash::Sha512) => &ECDSA_P384_SHA512_ASN1,
            (Kind::P521, Hash::Sha256) => &ECDSA_P521_SHA256_ASN1,
            (Kind::P521, Hash::Sha384) => &ECDSA_P521_SHA384_ASN1,
            (Kind::P521, Hash::Sha512) => &ECDSA_P521_SHA512_ASN1,
        };
        UnparsedPublicKey::new(algorithm, &self.bytes).verify(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.kind)
    }
}

/// Bits of the modulus.
fn rsa_bits(key: &[u8]) -> Option<usize> {
    use x509_cert::der::Decode as _;
    let key = rsa::pkcs1::RsaPublicKeyRef::from_der(key).ok()?;
    let bytes = key.modulus.as_bytes();
    let leading = bytes.first().map_or(8, |byte| byte.leading_zeros() as usize);
    (bytes.len() * 8).checked_sub(leading)
}
