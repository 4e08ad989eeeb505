//! A provider's public keys: a JSON Web Key Set (RFC 7517, RFC 7518 section 6), read as AWS reads it.
//!
//! Which keys of a set count was recorded against AWS: those with a `kid` only, the later of two with the same; no key
//! for encryption, none with `key_ops`; a certificate must be of the key beside it. A key's own `alg` is not asked.

use std::collections::HashMap;
use std::fmt;
use std::ops::RangeInclusive;

use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Map, Value};
use x509_cert::Certificate;
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode as _, Reader as _, SliceReader};

use super::algorithm::{Algorithm, Curve};
use super::json;

/// Longest key set that is read, in bytes.
pub const KEY_SET_BYTES_MAX: usize = 512 * 1024;
/// Beyond this many of a kind no key of that kind counts.
const KEYS_OF_KIND_MAX: usize = 100;
/// Longest id of a key that counts, in bytes: a thumbprint, a UUID or a name are far shorter.
const KEY_ID_BYTES_MAX: usize = 512;
/// Shortest and longest modulus that counts, in bytes: those of 2048 and 8192 bits.
const MODULUS_BYTES: RangeInclusive<usize> = 256..=1024;
/// Longest exponent, in bytes.
const EXPONENT_BYTES_MAX: usize = 8;
/// What keeping a key takes beside its id and its numbers, in bytes, as a generous guess.
const KEY_OVERHEAD_BYTES: usize = 128;

/// The keys of a provider that may verify a token.
#[derive(Debug, Default)]
pub struct KeySet(HashMap<Box<str>, PublicKey>);

/// A text that is no key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no JSON Web Key Set")]
pub struct NoKeySet;

/// One public key: its numbers alone. A form ready for use is several times as large, there is one for each algorithm, and to
/// make it takes less time than to verify by it.
pub(super) enum PublicKey {
    Rsa(RsaPublicKeyComponents<Box<[u8]>>),
    /// As certificates have it.
    Point(Curve, Box<[u8]>),
}

impl KeySet {
    /// Read a key set. Keys that cannot verify a token are left out; that none is left is no error yet.
    ///
    /// # Errors
    /// [`NoKeySet`].
    pub fn parse(text: &[u8]) -> Result<KeySet, NoKeySet> {
        if text.len() > KEY_SET_BYTES_MAX {
            return Err(NoKeySet);
        }
        let set = json::object(text).ok_or(NoKeySet)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(NoKeySet)?;
        let keys = || keys.iter().filter_map(Value::as_object);
        let is_rsa = |key: &Map<String, Value>| key.get("kty").and_then(Value::as_str) == Some("RSA");
        let too_many_rsa = keys().filter(|key| is_rsa(key)).count() > KEYS_OF_KIND_MAX;
        let too_many_others = keys().filter(|key| !is_rsa(key)).count() > KEYS_OF_KIND_MAX;
        let counts = |key: &&Map<String, Value>| !if is_rsa(key) { too_many_rsa } else { too_many_others };
        let usable = keys().filter(counts).filter_map(|key| Some((key_id(key)?, PublicKey::read(key)?)));
        let mut keys: HashMap<_, _> = usable.collect();
        keys.shrink_to_fit();
        Ok(KeySet(keys))
    }

    /// What keeping it takes, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(id, key)| id.len() + key.bytes() + KEY_OVERHEAD_BYTES).sum()
    }

    /// Whether a token that names this key (or none) finds one.
    #[must_use]
    pub fn knows(&self, key_id: Option<&str>) -> bool {
        self.find(key_id).is_some()
    }

    /// The key that a token names. One that names none means the only one there is.
    pub(super) fn find(&self, key_id: Option<&str>) -> Option<&PublicKey> {
        match key_id {
            Some(key_id) => self.0.get(key_id),
            None if self.0.len() == 1 => self.0.values().next(),
            None => None,
        }
    }

    /// How many keys count.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no key counts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn key_id(key: &Map<String, Value>) -> Option<Box<str>> {
    key.get("kid")?.as_str().filter(|id| (1..=KEY_ID_BYTES_MAX).contains(&id.len())).map(Box::from)
}

impl PublicKey {
    pub(super) fn read(key: &Map<String, Value>) -> Option<PublicKey> {
        let text = |name: &str| key.get(name)?.as_str();
        if key.contains_key("key_ops") || key.get("use").is_some_and(|purpose| purpose == "enc") {
            return None;
        }
        // A secret has no place in a document that everybody reads: whoever made it, it is not to be relied on.
        if key.contains_key("d") || key.contains_key("k") {
            return None;
        }
        let number = |name: &str| BASE64URL_NOPAD.decode(text(name)?.as_bytes()).ok();
        let numbers = match text("kty")? {
            "RSA" => Numbers::Rsa { modulus: number("n")?, exponent: number("e")? },
            "EC" => Numbers::Point(Curve::parse("EC", text("crv")?)?, number("x")?, number("y")?),
            "OKP" => Numbers::Point(Curve::parse("OKP", text("crv")?)?, number("x")?, Vec::new()),
            _ => return None,
        };
        match key.get("x5c") {
            Some(chain) if !numbers.are_certified_by(chain) => None,
            _ => numbers.into_key(),
        }
    }

    /// Whether this is the key's signature of the message by this algorithm.
    pub(super) fn holds(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.ready_for(algorithm).is_some_and(|key| key.verify_sig(message, signature).is_ok())
    }

    fn ready_for(&self, algorithm: Algorithm) -> Option<ParsedPublicKey> {
        match self {
            PublicKey::Rsa(components) => components.to_parsed_public_key(algorithm.of_rsa()?).ok(),
            PublicKey::Point(curve, point) => {
                let (fitting, checker) = curve.algorithm();
                (fitting == algorithm).then(|| ParsedPublicKey::new(checker, point).ok())?
            }
        }
    }

    /// Whether its numbers are those of a key.
    fn is_sound(&self) -> bool {
        let any = match self {
            PublicKey::Rsa(_) => Algorithm::Rs256,
            PublicKey::Point(curve, _) => curve.algorithm().0,
        };
        self.ready_for(any).is_some()
    }

    fn bytes(&self) -> usize {
        match self {
            PublicKey::Rsa(components) => components.n.len() + components.e.len(),
            PublicKey::Point(_, point) => point.len(),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublicKey::Rsa(_) => formatter.write_str("Rsa"),
            PublicKey::Point(curve, _) => curve.fmt(formatter),
        }
    }
}

/// What a key consists of.
enum Numbers {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Point(Curve, Vec<u8>, Vec<u8>),
}

impl Numbers {
    fn into_key(self) -> Option<PublicKey> {
        let key = match &self {
            Numbers::Rsa { modulus, exponent } => {
                // No leading zeros (RFC 7518, section 6.3.1); some providers write one all the same.
                let (n, e) = (without_zeros(modulus), without_zeros(exponent));
                let counts = MODULUS_BYTES.contains(&n.len()) && e.len() <= EXPONENT_BYTES_MAX;
                counts.then(|| PublicKey::Rsa(RsaPublicKeyComponents { n: n.into(), e: e.into() }))?
            }
            Numbers::Point(curve, ..) => PublicKey::Point(*curve, self.bytes()?.into()),
        };
        key.is_sound().then_some(key)
    }

    /// A point as certificates have it; its coordinates are of full length (RFC 7518, section 6.2.1.2).
    fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Numbers::Point(Curve::Ed25519, x, _) => {
                (x.len() == Curve::Ed25519.coordinate_bytes()).then(|| x.clone())
            }
            Numbers::Point(curve, x, y) => {
                let full = |coordinate: &[u8]| coordinate.len() == curve.coordinate_bytes();
                (full(x) && full(y)).then(|| [&[4], x.as_slice(), y.as_slice()].concat())
            }
            Numbers::Rsa { .. } => None,
        }
    }

    /// Whether the first certificate of an `x5c` is one of this key.
    fn are_certified_by(&self, chain: &Value) -> bool {
        let first = chain.as_array().and_then(|chain| chain.first()?.as_str());
        let der = first.and_then(|first| BASE64.decode(first.as_bytes()).ok());
        let Some(certificate) = der.and_then(|der| Certificate::from_der(&der).ok()) else { return false };
        let certified = &certificate.tbs_certificate().subject_public_key_info().subject_public_key;
        match self {
            Numbers::Point(..) => self.bytes().is_some_and(|bytes| certified.raw_bytes() == bytes),
            Numbers::Rsa { modulus, exponent } => rsa_numbers(certified.raw_bytes())
                .is_some_and(|(n, e)| n == without_zeros(modulus) && e == without_zeros(exponent)),
        }
    }
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017, appendix A.1.1), without leading zeros.
pub(super) fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = SliceReader::new(der).ok()?;
    let numbers = reader.sequence(|numbers| {
        Ok::<_, x509_cert::der::Error>((
            UintRef::decode(numbers)?.as_bytes(),
            UintRef::decode(numbers)?.as_bytes(),
        ))
    });
    numbers.ok()
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}
