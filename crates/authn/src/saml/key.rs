//! The public keys that an identity provider signs with, out of its certificates, and one check of a signature.
//!
//! A certificate is here what carries a key, as AWS has it: nobody asks who issued it or whether it is over. It must
//! parse, though, and hold a key that is fit for one of the algorithms below.
//!
//! Governing documents: RFC 5280; XML Signature 1.1, sections 6.4.2 and 6.4.3; RFC 6931, section 2.3.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};

use super::xml::Fault;

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// Smallest and largest RSA modulus, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=8192;
/// From here on the algorithms are those that aws-lc-rs does not call legacy.
const RSA_BITS_USUAL: usize = 2048;

/// A public key that an identity provider may sign with.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SigningKey {
    kind: Kind,
    /// The key itself: an `RSAPublicKey`, or a point.
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa { bits: usize },
    P256,
    P384,
    P521,
}

/// The digest that goes into a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// How a signature is made, without the digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    RsaPkcs1,
    Ecdsa,
}

impl SigningKey {
    /// The key of a certificate in DER.
    pub(super) fn from_certificate(der: &[u8]) -> Result<Self, Fault> {
        let certificate =
            Certificate::from_der(der).map_err(|_| Fault("a certificate that does not parse"))?;
        let certificate = certificate.tbs_certificate();
        let extensions = certificate.extensions().map_or(&[][..], |all| all.as_slice());
        // At most some dozens in a certificate of any use; the comparison is quadratic.
        if extensions.len() > 64 {
            return Err(Fault("a certificate with too many extensions"));
        }
        let repeated = |(at, one): (usize, &x509_cert::ext::Extension)| {
            extensions.iter().skip(at + 1).any(|other| other.extn_id == one.extn_id)
        };
        if extensions.iter().enumerate().any(repeated) {
            return Err(Fault("a certificate that repeats an extension"));
        }
        let info = certificate.subject_public_key_info();
        let bytes = info.subject_public_key.raw_bytes();
        let curve = info.algorithm.parameters.as_ref().and_then(|it| it.decode_as::<ObjectIdentifier>().ok());
        let kind = match (info.algorithm.oid, curve) {
            (RSA_ENCRYPTION, _) => Kind::Rsa { bits: rsa_bits(bytes)? },
            (EC_PUBLIC_KEY, Some(P256)) => Kind::P256,
            (EC_PUBLIC_KEY, Some(P384)) => Kind::P384,
            (EC_PUBLIC_KEY, Some(P521)) => Kind::P521,
            _ => return Err(Fault("a certificate with a key that is neither RSA nor of a NIST curve")),
        };
        Ok(Self { kind, bytes: bytes.to_vec() })
    }

    /// Whether `signature` is this key's of `message`. A key of the other scheme has not signed it.
    pub(super) fn verifies(&self, scheme: Scheme, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let Some(algorithm) = self.algorithm(scheme, hash) else { return false };
        let key = UnparsedPublicKey::new(algorithm, &self.bytes);
        match self.coordinate_bytes() {
            None => key.verify(message, signature).is_ok(),
            Some(bytes) => {
                der_of_concatenated(signature, bytes).is_some_and(|it| key.verify(message, &it).is_ok())
            }
        }
    }

    fn algorithm(&self, scheme: Scheme, hash: Hash) -> Option<&'static dyn VerificationAlgorithm> {
        Some(match (scheme, self.kind, hash) {
            (Scheme::RsaPkcs1, Kind::Rsa { .. }, Hash::Sha1) => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            (Scheme::RsaPkcs1, Kind::Rsa { bits: RSA_BITS_USUAL.. }, Hash::Sha256) => {
                &RSA_PKCS1_2048_8192_SHA256
            }
            (Scheme::RsaPkcs1, Kind::Rsa { bits: RSA_BITS_USUAL.. }, Hash::Sha384) => {
                &RSA_PKCS1_2048_8192_SHA384
            }
            (Scheme::RsaPkcs1, Kind::Rsa { bits: RSA_BITS_USUAL.. }, Hash::Sha512) => {
                &RSA_PKCS1_2048_8192_SHA512
            }
            // AWS takes keys of 1,024 bits; the library has no SHA-384 for them.
            (Scheme::RsaPkcs1, Kind::Rsa { .. }, Hash::Sha256) => {
                &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
            }
            (Scheme::RsaPkcs1, Kind::Rsa { .. }, Hash::Sha512) => {
                &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
            }
            (Scheme::Ecdsa, Kind::P256, Hash::Sha256) => &ECDSA_P256_SHA256_ASN1,
            (Scheme::Ecdsa, Kind::P256, Hash::Sha384) => &ECDSA_P256_SHA384_ASN1,
            (Scheme::Ecdsa, Kind::P256, Hash::Sha512) => &ECDSA_P256_SHA512_ASN1,
            (Scheme::Ecdsa, Kind::P384, Hash::Sha256) => &ECDSA_P384_SHA256_ASN1,
            (Scheme::Ecdsa, Kind::P384, Hash::Sha384) => &ECDSA_P384_SHA384_ASN1,
            (Scheme::Ecdsa, Kind::P384, Hash::Sha512) => &ECDSA_P384_SHA512_ASN1,
            (Scheme::Ecdsa, Kind::P521, Hash::Sha256) => &ECDSA_P521_SHA256_ASN1,
            (Scheme::Ecdsa, Kind::P521, Hash::Sha384) => &ECDSA_P521_SHA384_ASN1,
            (Scheme::Ecdsa, Kind::P521, Hash::Sha512) => &ECDSA_P521_SHA512_ASN1,
            _ => return None,
        })
    }

    /// Bytes of one of the two numbers of an ECDSA signature.
    fn coordinate_bytes(&self) -> Option<usize> {
        match self.kind {
            Kind::Rsa { .. } => None,
            Kind::P256 => Some(32),
            Kind::P384 => Some(48),
            Kind::P521 => Some(66),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.kind)
    }
}

/// Bits of the modulus, which must be a length that we verify with.
fn rsa_bits(key: &[u8]) -> Result<usize, Fault> {
    let unfit = Fault("a certificate with an RSA key of another length than 1,024 to 8,192 bits");
    let modulus = rsa::pkcs1::RsaPublicKeyRef::from_der(key).map_err(|_| unfit)?.modulus;
    let bytes = modulus.as_bytes();
    let leading = bytes.first().map_or(8, |byte| byte.leading_zeros() as usize);
    let bits = (bytes.len() * 8).saturating_sub(leading);
    if RSA_BITS.contains(&bits) { Ok(bits) } else { Err(unfit) }
}

/// XML Signature writes an ECDSA signature as its two numbers, one after the other (section 6.4.3); the library takes
/// every combination of curve and digest only as a DER sequence of them.
fn der_of_concatenated(signature: &[u8], bytes: usize) -> Option<Vec<u8>> {
    use x509_cert::der::asn1::UintRef;
    if signature.len() != 2 * bytes {
        return None;
    }
    let (r, s) = signature.split_at_checked(bytes)?;
    vec![UintRef::new(r).ok()?, UintRef::new(s).ok()?].to_der().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_become_a_sequence_of_integers() {
        let mut numbers = vec![0; 64];
        numbers[31] = 5;
        numbers[32] = 0x80;
        let der = der_of_concatenated(&numbers, 32).unwrap();
        assert_eq!(der[..5], [0x30, 3 + 2 + 33, 2, 1, 5]);
        assert_eq!(der[5..9], [2, 33, 0, 0x80]);
        assert_eq!(der_of_concatenated(&numbers[1..], 32), None);
        assert_eq!(der_of_concatenated(&[numbers, vec![0]].concat(), 32), None);
        // A length of two bytes.
        assert_eq!(der_of_concatenated(&[0xff; 132], 66).unwrap()[..3], [0x30, 0x81, 138]);
    }
}
