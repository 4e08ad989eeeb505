//! Encrypted assertions: the key out of its RSA envelope, the text out of its ciphertext.
//!
//! Encryption hides an assertion from the browser that carries it and proves nothing: what comes out has to be signed as
//! any other assertion. Nobody learns from here how far a decryption got, not even the operator: every failure is the
//! same fault, and the caller makes it the same answer as that of a signature that does not hold. Answers that differ
//! are what padding and well-formedness oracles are built of.
//!
//! Governing documents: XML Encryption 1.1, sections 5.2, 5.5 and 4.4; RFC 8017, section 7.1.

use std::fmt;
use std::ops::Range;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use data_encoding::BASE64;
use daypass_model::Random;
use rsa::pkcs8::{DecodePrivateKey, PrivateKeyInfoRef};
use rsa::traits::PublicKeyParts as _;
use x509_cert::der::Encode;
use x509_cert::der::asn1::OctetStringRef;
use zeroize::Zeroizing;

use super::signature::DS;
use super::xml::{Element, Fault, base64};

const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
const XENC11: &str = "http://www.w3.org/2009/xmlenc11#";
const NONCE: usize = 12;
const BLOCK: usize = 16;

/// The one fault there is.
pub(super) const UNDECRYPTED: Fault =
    Fault("the assertion cannot be decrypted, or what is in it does not verify");

/// A private key that identity providers encrypt assertions to.
pub struct DecryptionKey {
    aws_lc: OaepPrivateDecryptingKey,
    /// The same key for the one combination of digests that aws-lc-rs does not have.
    other: rsa::PrivateKey,
}

/// The text is not a private key that assertions can be decrypted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one RSA private key of 2,048 to 8,192 bits, unencrypted, in PEM")]
pub struct InvalidDecryptionKey;

impl DecryptionKey {
    /// Reads an RSA private key of 2,048 to 8,192 bits in PEM, PKCS #8 or PKCS #1 (RFC 7468, RFC 8017).
    ///
    /// # Errors
    /// It is something else, or encrypted, or there are several.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidDecryptionKey> {
        let read = |label: &str| -> Option<Zeroizing<Vec<u8>>> {
            let body = pem.trim().strip_prefix(&format!("-----BEGIN {label}-----"))?;
            let body = body.strip_suffix(&format!("-----END {label}-----"))?;
            let packed: Zeroizing<Vec<u8>> =
                Zeroizing::new(body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
            BASE64.decode(&packed).ok().map(Zeroizing::new)
        };
        let der = match read("PRIVATE KEY") {
            Some(der) => der,
            None => {
                in_pkcs8(&read("RSA PRIVATE KEY").ok_or(InvalidDecryptionKey)?).ok_or(InvalidDecryptionKey)?
            }
        };
        // First, as it refuses keys of other lengths at once.
        let key = PrivateDecryptingKey::from_pkcs8(&der).map_err(|_| InvalidDecryptionKey)?;
        let aws_lc = OaepPrivateDecryptingKey::new(key).map_err(|_| InvalidDecryptionKey)?;
        let other = rsa::PrivateKey::from_pkcs8_der(&der).map_err(|_| InvalidDecryptionKey)?;
        Ok(Self { aws_lc, other })
    }

    /// Its length in bits, that of the modulus.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.aws_lc.key_size_bits()
    }

    /// Whether it is the same key, however it was written.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.other.n() == other.other.n()
    }

    /// The message in an OAEP envelope. Randomness only blinds the calculation.
    fn open(&self, oaep: Oaep, sealed: &[u8], random: &dyn Random) -> Option<Zeroizing<Vec<u8>>> {
        let with = |algorithm: &'static OaepAlgorithm| {
            let mut plain = Zeroizing::new(vec![0; self.aws_lc.min_output_size()]);
            let length = self.aws_lc.decrypt(algorithm, sealed, &mut plain, None).ok()?.len();
            plain.truncate(length);
            Some(plain)
        };
        match oaep {
            Oaep::Sha1 => with(&OAEP_SHA1_MGF1SHA1),
            Oaep::Sha256 => with(&OAEP_SHA256_MGF1SHA256),
            Oaep::Sha256OverSha1 => {
                let padding = rsa::Oaep::<sha2::Sha256, sha1::Sha1>::new_with_mgf_hash();
                let plain = self.other.decrypt_blinded(&mut Blinding(random), padding, sealed);
                plain.ok().map(Zeroizing::new)
            }
        }
    }
}

/// The older form of an RSA key, as the newer one writes it.
fn in_pkcs8(pkcs1: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let key = OctetStringRef::new(pkcs1).ok()?;
    PrivateKeyInfoRef::new(rsa::pkcs1::ALGORITHM_ID, key).to_der().ok().map(Zeroizing::new)
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<decryption key>")
    }
}

/// Digest and mask generation of OAEP. SHA-1 is sound here: OAEP does not rest on collisions.
#[derive(Clone, Copy)]
enum Oaep {
    Sha1,
    Sha256,
    /// SHA-256 with MGF1 over SHA-1.
    Sha256OverSha1,
}

/// How the assertion itself is encrypted.
#[derive(Clone, Copy)]
enum Cipher {
    Cbc { key_bytes: usize },
    Gcm { key_bytes: usize },
}

/// What an `EncryptedAssertion` holds, as it was sent.
pub(super) struct Sealed {
    envelope: Envelope,
    data: Data,
}

impl Sealed {
    /// Reads it, as far as that needs no private key.
    ///
    /// # Errors
    /// [`UNDECRYPTED`], whatever it was; also when no key is as long as the envelope.
    pub(super) fn read(assertion: Element<'_>, keys: &[&DecryptionKey]) -> Result<Self, Fault> {
        let (envelope, data) = read(assertion).map_err(|_| UNDECRYPTED)?;
        let fits = |key: &&DecryptionKey| key.aws_lc.key_size_bytes() == envelope.sealed.len();
        if keys.iter().any(fits) { Ok(Self { envelope, data }) } else { Err(UNDECRYPTED) }
    }

    /// What was encrypted, and where in the source it belongs. `keys` are tried in their order.
    ///
    /// # Errors
    /// [`UNDECRYPTED`], whatever it was.
    pub(super) fn open(
        &self,
        keys: &[&DecryptionKey],
        random: &dyn Random,
    ) -> Result<(String, Range<usize>), Fault> {
        let Envelope { oaep, sealed } = &self.envelope;
        let plain = keys
            .iter()
            .filter_map(|key| key.open(*oaep, sealed, random))
            .find_map(|key| self.data.cipher.open(&key, &self.data.sealed))
            .ok_or(UNDECRYPTED)?;
        Ok((plain, self.data.place.clone()))
    }
}

struct Envelope {
    oaep: Oaep,
    sealed: Vec<u8>,
}

struct Data {
    cipher: Cipher,
    sealed: Vec<u8>,
    place: Range<usize>,
}

/// One `EncryptedData` and its one `EncryptedKey`, inside it or beside it (SAML 2.0 Core, section 2.3.4, with erratum
/// E43).
fn read(assertion: Element<'_>) -> Result<(Envelope, Data), Fault> {
    let data = assertion.the(XENC, "EncryptedData")?;
    let inside = data.only(DS, "KeyInfo")?.map(|info| info.only(XENC, "EncryptedKey")).transpose()?.flatten();
    let key = match (inside, assertion.only(XENC, "EncryptedKey")?) {
        (Some(key), None) | (None, Some(key)) => key,
        _ => return Err(UNDECRYPTED),
    };
    let envelope = Envelope { oaep: oaep(key.the(XENC, "EncryptionMethod")?)?, sealed: sealed(key)? };
    let cipher = match algorithm(data.the(XENC, "EncryptionMethod")?) {
        "http://www.w3.org/2001/04/xmlenc#aes128-cbc" => Cipher::Cbc { key_bytes: 16 },
        "http://www.w3.org/2001/04/xmlenc#aes256-cbc" => Cipher::Cbc { key_bytes: 32 },
        "http://www.w3.org/2009/xmlenc11#aes128-gcm" => Cipher::Gcm { key_bytes: 16 },
        "http://www.w3.org/2009/xmlenc11#aes256-gcm" => Cipher::Gcm { key_bytes: 32 },
        _ => return Err(UNDECRYPTED),
    };
    Ok((envelope, Data { cipher, sealed: sealed(data)?, place: data.range() }))
}

fn oaep(method: Element<'_>) -> Result<Oaep, Fault> {
    let digest = method.only(DS, "DigestMethod")?.map(algorithm);
    let mask = method.only(XENC11, "MGF")?.map(algorithm);
    let named = usize::from(digest.is_some()) + usize::from(mask.is_some());
    let mask_sha1 = match (algorithm(method), mask) {
        // The first name stands for MGF1 with SHA-1 (section 5.5.2) and takes no other.
        ("http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", None)
        | (
            "http://www.w3.org/2009/xmlenc11#rsa-oaep",
            None | Some("http://www.w3.org/2009/xmlenc11#mgf1sha1"),
        ) => true,
        ("http://www.w3.org/2009/xmlenc11#rsa-oaep", Some("http://www.w3.org/2009/xmlenc11#mgf1sha256")) => {
            false
        }
        _ => return Err(UNDECRYPTED),
    };
    // Nothing else may be there: a label, for instance.
    if method.elements().count() != named {
        return Err(UNDECRYPTED);
    }
    match (digest, mask_sha1) {
        (None | Some("http://www.w3.org/2000/09/xmldsig#sha1"), true) => Ok(Oaep::Sha1),
        (Some("http://www.w3.org/2001/04/xmlenc#sha256"), true) => Ok(Oaep::Sha256OverSha1),
        (Some("http://www.w3.org/2001/04/xmlenc#sha256"), false) => Ok(Oaep::Sha256),
        _ => Err(UNDECRYPTED),
    }
}

fn algorithm(method: Element<'_>) -> &str {
    method.attribute("Algorithm").unwrap_or_default()
}

fn sealed(encrypted: Element<'_>) -> Result<Vec<u8>, Fault> {
    base64(encrypted.the(XENC, "CipherData")?.the(XENC, "CipherValue")?.text()?)
}

impl Cipher {
    /// The text in `sealed`; `None` when the key has another length, or it is not text.
    fn open(self, key: &[u8], sealed: &[u8]) -> Option<String> {
        let plain = match self {
            Self::Gcm { key_bytes } if key.len() == key_bytes => gcm(key, sealed)?,
            Self::Cbc { key_bytes } if key.len() == key_bytes => cbc(key, sealed)?,
            _ => return None,
        };
        String::from_utf8(plain).ok()
    }
}

/// Nonce, ciphertext, tag (section 5.2.4).
fn gcm(key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, body) = sealed.split_at_checked(NONCE)?;
    let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let mut body = body.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let length = key.open_in_place(nonce, Aad::empty(), &mut body).ok()?.len();
    body.truncate(length);
    Some(body)
}

/// Vector, ciphertext; the last byte of the plaintext says how many to take away, and no other byte of the padding
/// means anything (section 5.2.3).
fn cbc(key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (vector, body) = sealed.split_at_checked(BLOCK)?;
    if body.is_empty() || !body.len().is_multiple_of(BLOCK) {
        return None;
    }
    let algorithm = if key.len() == 16 { &AES_128 } else { &AES_256 };
    let key = DecryptingKey::cbc(UnboundCipherKey::new(algorithm, key).ok()?).ok()?;
    let vector = DecryptionContext::Iv128(FixedLength::try_from(vector).ok()?);
    let mut body = body.to_vec();
    key.decrypt(&mut body, vector).ok()?;
    let padding = usize::from(*body.last()?);
    if !(1..=BLOCK).contains(&padding) {
        return None;
    }
    body.truncate(body.len() - padding);
    Some(body)
}

/// The house's randomness for the library's trait.
struct Blinding<'r>(&'r dyn Random);

impl rsa::rand_core::TryRng for Blinding<'_> {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rsa::rand_core::TryCryptoRng for Blinding<'_> {}
