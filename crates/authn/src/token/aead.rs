//! AES-256-GCM-SIV with a random nonce, in the one layout everything here uses.
//!
//! A nonce that repeats by chance reveals only that two plaintexts are equal (RFC 8452 §1); session claims
//! are never equal, for each holds its 128-bit session id.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use daypass_model::Random;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes that sealing adds behind a header: nonce and tag.
pub(super) const OVERHEAD: usize = NONCE_LEN + 16;

/// A key for one purpose.
pub(super) struct Aead(LessSafeKey);

/// Sealing or opening failed; for opening this says nothing about why.
#[derive(Debug)]
pub(super) struct Failed;

impl Aead {
    #[expect(clippy::expect_used, reason = "the key length is the algorithm's, by type")]
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, key).expect("32 bytes")))
    }

    /// `header | nonce | ciphertext | tag`; the associated data is `header | context`.
    pub(super) fn seal(
        &self,
        header: &[u8],
        context: &[u8],
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, Failed> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let mut out = Vec::with_capacity(header.len() + plaintext.len() + OVERHEAD);
        out.extend_from_slice(header);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plaintext);
        let body = out.get_mut(header.len() + NONCE_LEN..).ok_or(Failed)?;
        let aad = Aad::from([header, context].concat());
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad, body)
            .map_err(|_| Failed)?;
        out.extend_from_slice(tag.as_ref());
        Ok(out)
    }

    /// The plaintext of what [`Aead::seal`] made with the same context. `sealed` begins with the header.
    pub(super) fn open(
        &self,
        header_len: usize,
        context: &[u8],
        mut sealed: Vec<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, Failed> {
        let (header, rest) = sealed.split_at_mut_checked(header_len).ok_or(Failed)?;
        let (nonce, body) = rest.split_at_mut_checked(NONCE_LEN).ok_or(Failed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Failed)?;
        let aad = Aad::from([&*header, context].concat());
        let length = self.0.open_in_place(nonce, aad, body).map_err(|_| Failed)?.len();
        sealed.drain(..header_len + NONCE_LEN);
        sealed.truncate(length);
        Ok(Zeroizing::new(sealed))
    }
}

/// A key of its own for each purpose. INVARIANT (purpose-keys): no two purposes share a key, so what was
/// sealed for one never opens as another.
#[expect(clippy::expect_used, reason = "32 bytes are far below HKDF's limit of 255 blocks (RFC 5869 §2.3)")]
pub(super) fn purpose_key(secret: &[u8], salt: &[u8], purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), secret).expand(purpose, &mut *key).expect("length within bounds");
    key
}
