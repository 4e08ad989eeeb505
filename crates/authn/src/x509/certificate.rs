//! One certificate, read strictly: what RFC 5280 forbids is no certificate here, and what this does not understand is refused
//! where it is critical.

use std::fmt;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Reader as _, SliceReader};
use x509_cert::ext::pkix::name::GeneralNames;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use x509_cert::ext::{Extension, Extensions};
use x509_cert::time::Time;

use super::key::{PublicKey, Scheme, SignatureAlgorithm};
use super::names::{self, Field};

/// Largest certificate; those of any use have a few thousand bytes.
const BYTES_MAX: usize = 16 * 1024;
/// At most some dozens in a certificate of any use; comparing them is quadratic.
const EXTENSIONS_MAX: usize = 64;
/// RFC 5280, section 4.1.2.2.
const SERIAL_BYTES_MAX: usize = 20;

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const ALTERNATIVE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// Why a certificate is none that can be used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// No DER of a certificate, or one that is too large, or with something behind it.
    #[error("it is no well-formed certificate")]
    Form,
    /// Of another version than 3.
    #[error("it is not of version 3")]
    Version,
    /// A serial number that is not positive or has more than twenty bytes.
    #[error("its serial number is not a positive number of 20 bytes at most")]
    Serial,
    /// An extension twice, or too many of them.
    #[error("it repeats an extension")]
    Extensions,
    /// A critical extension that is not understood, or one that limits what is issued below.
    #[error("it has a critical extension that is not supported")]
    Critical,
    /// Constraints on the names of those below, which nothing here enforces.
    #[error("it has name constraints, which are not supported")]
    NameConstraints,
    /// Signed with MD5, SHA-1, or an algorithm that is not RSA or ECDSA.
    #[error("its signature algorithm is not RSA or ECDSA with SHA-256 or stronger")]
    WeakSignature,
    /// A key that is neither RSA of 2,048 bits or more nor of a NIST curve.
    #[error("its key is neither RSA of 2,048 bits or more nor ECDSA")]
    Key,
    /// ML-DSA, which AWS takes and daypass does not yet.
    #[error("ML-DSA is not supported")]
    MlDsa,
    /// A name in an encoding that nobody reads alike.
    #[error("a name in it cannot be read")]
    Names,
    /// Not an authority: basic constraints without CA.
    #[error("it is not the certificate of an authority (basic constraints)")]
    NoAuthority,
    /// An authority where somebody else's is asked for.
    #[error("it is the certificate of an authority (basic constraints)")]
    Authority,
    /// Its key usage does not allow what the key was used for.
    #[error("its key usage does not allow this")]
    KeyUsage,
    /// Its extended key usage does not have client authentication.
    #[error("its extended key usage has no client authentication")]
    ExtendedKeyUsage,
    /// Before its time.
    #[error("it is not valid yet")]
    NotYetValid,
    /// After its time.
    #[error("it has expired")]
    Expired,
}

/// A certificate. That it could be read proves nothing: see [`path`](super::path).
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// What is signed, as it came.
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    /// Big endian, without leading zeros.
    serial: Vec<u8>,
    /// In DER, for comparison.
    pub(super) issuer: Vec<u8>,
    pub(super) subject: Vec<u8>,
    key: PublicKey,
    not_before: i64,
    not_after: i64,
    is_authority: bool,
    path_len: Option<u8>,
    key_usage: Option<KeyUsage>,
    extended_key_usage: Option<Vec<ObjectIdentifier>>,
    names: [Vec<(String, String)>; 3],
}

impl Certificate {
    /// Read the DER of one.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn from_der(der: &[u8]) -> Result<Self, Unfit> {
        if der.len() > BYTES_MAX {
            return Err(Unfit::Form);
        }
        let read = x509_cert::Certificate::from_der(der).map_err(|_| Unfit::Form)?;
        let raw = Raw::of(der).ok_or(Unfit::Form)?;
        let tbs = read.tbs_certificate();
        if tbs.version() != x509_cert::certificate::Version::V3 {
            return Err(Unfit::Version);
        }
        // RFC 5280, section 4.1.1.2.
        if read.signature_algorithm() != tbs.signature() {
            return Err(Unfit::Form);
        }
        let is_as_written = |name, der| names::is_as_written(name, der);
        if !is_as_written(tbs.subject(), raw.subject) || !is_as_written(tbs.issuer(), raw.issuer) {
            return Err(Unfit::Names);
        }
        let extensions = Known::of(tbs.extensions())?;
        let signature = read.signature().as_bytes().ok_or(Unfit::Form)?;
        Ok(Self {
            der: der.to_vec(),
            tbs: raw.tbs.to_vec(),
            algorithm: SignatureAlgorithm::of(read.signature_algorithm())?,
            signature: signature.to_vec(),
            serial: positive(raw.serial).ok_or(Unfit::Serial)?,
            issuer: raw.issuer.to_vec(),
            subject: raw.subject.to_vec(),
            key: PublicKey::of(tbs.subject_public_key_info())?,
            not_before: seconds(tbs.validity().not_before),
            not_after: seconds(tbs.validity().not_after),
            is_authority: extensions.basic.as_ref().is_some_and(|basic| basic.ca),
            path_len: extensions.basic.and_then(|basic| basic.path_len_constraint),
            key_usage: extensions.key_usage,
            extended_key_usage: extensions.extended,
            names: [
                names::parts(tbs.subject())?,
                names::parts(tbs.issuer())?,
                names::alternative(&extensions.alternative)?,
            ],
        })
    }

    /// As it came.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The serial number, a positive integer in big endian order.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// The serial number as credentials name it.
    #[must_use]
    pub fn serial_decimal(&self) -> String {
        decimal(&self.serial)
    }

    /// The serial number in hexadecimal, two digits for each byte.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        HEXLOWER.encode(&self.serial)
    }

    /// The first value of each kind in a field, in the order in which they stand there: (`CN`, …).
    pub fn values(&self, field: Field) -> impl Iterator<Item = (&str, &str)> {
        let [subject, issuer, alternative] = &self.names;
        let values = match field {
            Field::Subject => subject,
            Field::Issuer => issuer,
            Field::AlternativeName => alternative,
        };
        let first = |at: usize, kind: &str| values.iter().position(|(known, _)| known == kind) == Some(at);
        let all = values.iter().enumerate();
        all.filter(move |(at, (kind, _))| first(*at, kind))
            .map(|(_, (kind, text))| (kind.as_str(), text.as_str()))
    }

    /// Subject or issuer as people read it.
    #[must_use]
    pub fn shown(&self, field: Field) -> String {
        let [subject, issuer, _] = &self.names;
        names::shown(if field == Field::Issuer { issuer } else { subject })
    }

    /// When it ends, in Unix seconds.
    #[must_use]
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    /// Whether `signature` of `message` was made with its key, by SHA-256 and this scheme.
    pub(crate) fn signed(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        scheme == self.key.scheme() && self.key.verifies_sha256(message, signature)
    }

    /// Whether the holder of its key issued `other`: by name and signature.
    pub(super) fn issued(&self, other: &Self) -> bool {
        self.subject == other.issuer && self.key.verifies(other.algorithm, &other.tbs, &other.signature)
    }

    /// The same of a list of revocations, in whose name `issuer` stands.
    pub(super) fn signed_list(
        &self,
        issuer: &[u8],
        algorithm: SignatureAlgorithm,
        tbs: &[u8],
        signature: &[u8],
    ) -> bool {
        self.subject == issuer
            && self.key_usage.is_none_or(|usage| usage.crl_sign())
            && self.key.verifies(algorithm, tbs, signature)
    }

    /// What the certificate of whoever calls must be like.
    pub(super) fn check_end_entity(&self, now: Timestamp) -> Result<(), Unfit> {
        self.check_time(now)?;
        if self.is_authority {
            return Err(Unfit::Authority);
        }
        if !self.key_usage.is_some_and(|usage| usage.digital_signature()) {
            return Err(Unfit::KeyUsage);
        }
        match &self.extended_key_usage {
            Some(usages) if !usages.contains(&CLIENT_AUTH) => Err(Unfit::ExtendedKeyUsage),
            _ => Ok(()),
        }
    }

    /// What the certificate of an authority must be like, of a trust anchor too.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn check_authority(&self, now: Timestamp) -> Result<(), Unfit> {
        self.check_time(now)?;
        // An authority has a name (RFC 5280, section 4.1.2.6), by which what it issued is known.
        if !self.is_authority || self.shown(Field::Subject).is_empty() {
            return Err(Unfit::NoAuthority);
        }
        if !self.key_usage.is_some_and(|usage| usage.key_cert_sign()) {
            return Err(Unfit::KeyUsage);
        }
        let for_clients = |usages: &Vec<_>| usages.contains(&CLIENT_AUTH) || usages.contains(&ANY_USAGE);
        match &self.extended_key_usage {
            Some(usages) if !for_clients(usages) => Err(Unfit::ExtendedKeyUsage),
            _ => Ok(()),
        }
    }

    /// Whether so many authorities may stand between it and the end.
    pub(super) fn allows_below(&self, authorities: usize) -> bool {
        self.path_len.is_none_or(|max| authorities <= usize::from(max))
    }

    /// Whether it is within its time.
    ///
    /// # Errors
    /// [`Unfit::NotYetValid`], [`Unfit::Expired`].
    pub fn check_time(&self, now: Timestamp) -> Result<(), Unfit> {
        // Both ends are within (RFC 5280, section 4.1.2.5).
        match now.as_second() {
            now if now < self.not_before => Err(Unfit::NotYetValid),
            now if now > self.not_after => Err(Unfit::Expired),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", self.shown(Field::Subject), self.serial_hex())
    }
}

/// The parts of a certificate that are compared or signed as they stand.
///
/// ```text
/// SEQUENCE { SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject, … }, … }
/// ```
struct Raw<'a> {
    tbs: &'a [u8],
    serial: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
}

impl<'a> Raw<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        let tbs = SliceReader::new(inside(der)?).ok()?.tlv_bytes().ok()?;
        let mut fields = SliceReader::new(inside(tbs)?).ok()?;
        let mut next = || fields.tlv_bytes().ok();
        let first = next()?;
        // Version 1 has no such field, and is refused by its name elsewhere.
        let serial = if first.first() == Some(&0xa0) { next()? } else { first };
        let (_algorithm, issuer, _validity, subject) = (next()?, next()?, next()?, next()?);
        Some(Self { tbs, serial: inside(serial)?, issuer, subject })
    }
}

/// What is in an element, without its tag and length.
pub(super) fn inside(element: &[u8]) -> Option<&[u8]> {
    let mut reader = SliceReader::new(element).ok()?;
    let header = x509_cert::der::Header::decode(&mut reader).ok()?;
    reader.read_slice(header.length()).ok()
}

/// The bytes of a positive INTEGER, which has no leading zeros but the one that keeps it positive.
pub(super) fn positive(integer: &[u8]) -> Option<Vec<u8>> {
    let bytes = match integer {
        [0, rest @ ..] => rest,
        [first, ..] if *first < 0x80 => integer,
        _ => return None,
    };
    (!bytes.is_empty() && bytes.len() <= SERIAL_BYTES_MAX).then(|| bytes.to_vec())
}

pub(super) fn seconds(time: Time) -> i64 {
    i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
}

/// In base 10: digit by digit, by division of the whole number.
fn decimal(bytes: &[u8]) -> String {
    let mut number = bytes.to_vec();
    let mut digits = Vec::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0u16;
        for byte in &mut number {
            let value = rest << 8 | u16::from(*byte);
            (*byte, rest) = (u8::try_from(value / 10).unwrap_or(0), value % 10);
        }
        digits.push(char::from_digit(u32::from(rest), 10).unwrap_or('0'));
    }
    digits.iter().rev().collect()
}

/// The extensions that mean something here.
#[derive(Default)]
struct Known {
    basic: Option<BasicConstraints>,
    key_usage: Option<KeyUsage>,
    extended: Option<Vec<ObjectIdentifier>>,
    alternative: GeneralNames,
}

impl Known {
    fn of(extensions: Option<&Extensions>) -> Result<Self, Unfit> {
        let all = extensions.map_or(&[][..], Vec::as_slice);
        let repeated = |(at, one): (usize, &Extension)| {
            all.iter().skip(at + 1).any(|other| other.extn_id == one.extn_id)
        };
        if all.len() > EXTENSIONS_MAX || all.iter().enumerate().any(repeated) {
            return Err(Unfit::Extensions);
        }
        let mut known = Self::default();
        for extension in all {
            let value = extension.extn_value.as_bytes();
            match extension.extn_id {
                BASIC_CONSTRAINTS => {
                    known.basic = Some(BasicConstraints::from_der(value).map_err(|_| Unfit::Form)?);
                }
                KEY_USAGE => known.key_usage = Some(KeyUsage::from_der(value).map_err(|_| Unfit::Form)?),
                EXTENDED_KEY_USAGE => {
                    let usages = ExtendedKeyUsage::from_der(value).map_err(|_| Unfit::Form)?;
                    known.extended = Some(usages.0);
                }
                ALTERNATIVE_NAME => {
                    known.alternative = GeneralNames::from_der(value).map_err(|_| Unfit::Form)?;
                    if !names::is_as_written(&known.alternative, value) {
                        return Err(Unfit::Names);
                    }
                }
                NAME_CONSTRAINTS => return Err(Unfit::NameConstraints),
                _ if extension.critical => return Err(Unfit::Critical),
                _ => {}
            }
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    //! Serial numbers.

    use super::*;

    #[test]
    fn serial_numbers_are_positive_and_written_in_base_ten() {
        assert_eq!(positive(&[0x80]), None);
        assert_eq!(positive(&[0xff, 1]), None);
        assert_eq!(positive(&[]), None);
        assert_eq!(positive(&[0]), None);
        assert_eq!(positive(&[0, 0x80]).unwrap(), [0x80]);
        assert_eq!(positive(&[0x7f; 21]), None);
        assert_eq!(positive(&[0x7f; 20]).unwrap().len(), 20);
        for (bytes, text) in [
            (&[1][..], "1"),
            (&[255], "255"),
            (&[1, 0], "256"),
            (&[0xff; 20], "1461501637330902918203684832716283019655932542975"),
        ] {
            assert_eq!(decimal(bytes), text);
        }
    }
}
