//! Claims ↔ token text: sizes, padding, base64.
//!
//! Knows the layout drawn in the module above; the keys come from the keyring.

use data_encoding::{BASE64, BASE64_NOPAD};
use daypass_model::limits::SESSION_TOKEN_SIZE_MAX;
use daypass_model::{AccessKeyId, Random, Secret};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::BadToken;
use super::aead::{Aead, OVERHEAD};
use super::claims::SessionClaims;
use super::codec::{self, ANCESTORS_MAX, LAYERS_MAX, PRINCIPALS_MAX};

/// Token format 1.
const VERSION: u8 = 1;
/// Version and key id.
const HEADER: usize = 5;
/// Most bytes of claims, so that the text has at most [`SESSION_TOKEN_SIZE_MAX`] characters.
const CLAIMS_MAX: usize = SESSION_TOKEN_SIZE_MAX / 4 * 3 - HEADER - OVERHEAD;

/// A session token and what goes with it.
#[derive(Clone)]
pub struct Sealed {
    /// The session token: base64, at most 4,096 characters. A credential: never log it.
    pub token: String,
    /// The secret access key that belongs to the token and its access key id: 40 characters.
    pub secret_access_key: Secret,
    /// `PackedPolicySize`: session policies and tags, in percent of the room the token has for them.
    pub packed_policy_percent: u32,
    /// `SessionTokenUtilization`: the token, in percent of the largest one.
    pub utilization_percent: u32,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealed")
            .field("packed_policy_percent", &self.packed_policy_percent)
            .field("utilization_percent", &self.utilization_percent)
            .finish_non_exhaustive()
    }
}

/// What an opened token says and the secret that goes with it.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What the token says.
    pub claims: SessionClaims,
    /// The secret access key with which its holder signs.
    pub secret_access_key: Secret,
}

/// The claims do not fit into a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Session policies and tags are too large. The messages are AWS's.
    #[error("{}", too_large(*.percent, *.of_tags))]
    TooLarge {
        /// Their size in percent of the room; over 100.
        percent: u32,
        /// Whether the tags take more of it than the policies.
        of_tags: bool,
    },
    /// A bound that callers keep was broken: what it was.
    #[error("a session token cannot hold {0}")]
    Bound(&'static str),
}

fn too_large(percent: u32, of_tags: bool) -> String {
    if of_tags {
        format!("Packed size of session tags consumes {percent}% of allotted space.")
    } else {
        format!("Packed policy consumes {percent}% of allotted space, please use smaller policy.")
    }
}

/// The keys that one keyring entry has for session tokens.
pub(super) struct TokenKeys {
    pub(super) id: u32,
    pub(super) seal: Aead,
    /// HKDF over the key that session secrets come from.
    pub(super) secrets: Hkdf<Sha256>,
}

impl TokenKeys {
    pub(super) fn seal(
        &self,
        claims: &SessionClaims,
        access_key_id: &AccessKeyId,
        size_min: usize,
        random: &dyn Random,
    ) -> Result<Sealed, SealError> {
        let (plain, packed_policy_percent) = padded(claims, size_min)?;
        let header = header(self.id);
        let sealed = self
            .seal
            .seal(&header, access_key_id.as_str().as_bytes(), &plain, random)
            .map_err(|_| SealError::Bound("so much"))?;
        let token = BASE64_NOPAD.encode(&sealed);
        Ok(Sealed {
            secret_access_key: self.secret_access_key(access_key_id, claims),
            packed_policy_percent,
            utilization_percent: percent(token.len(), SESSION_TOKEN_SIZE_MAX),
            token,
        })
    }

    pub(super) fn open(&self, sealed: Vec<u8>, access_key_id: &AccessKeyId) -> Result<Opened, BadToken> {
        let plain =
            self.seal.open(HEADER, access_key_id.as_str().as_bytes(), sealed).map_err(|_| BadToken)?;
        let claims = codec::decode(&plain).map_err(|_| BadToken)?;
        let secret_access_key = self.secret_access_key(access_key_id, &claims);
        Ok(Opened { claims, secret_access_key })
    }

    /// 240 bits as 40 characters of `[A-Za-z0-9+/]`. The zero byte cannot occur in an access key id.
    #[expect(clippy::expect_used, reason = "30 bytes are far below HKDF's limit of 255 blocks")]
    fn secret_access_key(&self, access_key_id: &AccessKeyId, claims: &SessionClaims) -> Secret {
        let mut bytes = Zeroizing::new([0; 30]);
        let info = [access_key_id.as_str().as_bytes(), &[0], &claims.session_id.0];
        self.secrets.expand_multi_info(&info, &mut *bytes).expect("length within bounds");
        Secret::new(BASE64.encode(&*bytes))
    }
}

/// Base64 → bytes and key id. Everything that is not exactly one spelling of a token is refused here.
pub(super) fn read_token(token: &str) -> Result<(u32, Vec<u8>), BadToken> {
    if token.len() > SESSION_TOKEN_SIZE_MAX || !token.len().is_multiple_of(4) {
        return Err(BadToken);
    }
    let bytes = BASE64_NOPAD.decode(token.as_bytes()).map_err(|_| BadToken)?;
    match bytes.as_slice() {
        &[VERSION, a, b, c, d, ref rest @ ..] if rest.len() >= OVERHEAD => {
            Ok((u32::from_be_bytes([a, b, c, d]), bytes))
        }
        _ => Err(BadToken),
    }
}

fn header(key_id: u32) -> [u8; HEADER] {
    let [a, b, c, d] = key_id.to_be_bytes();
    [VERSION, a, b, c, d]
}

/// The claims with their padding, and `PackedPolicySize`.
fn padded(claims: &SessionClaims, size_min: usize) -> Result<(Zeroizing<Vec<u8>>, u32), SealError> {
    if claims.ancestry.len() > ANCESTORS_MAX {
        return Err(SealError::Bound("so many ancestors"));
    }
    if claims.ancestry.len() != claims.ancestry_ends.len() {
        return Err(SealError::Bound("ancestors without their ends"));
    }
    if claims.principals_above.len() > PRINCIPALS_MAX {
        return Err(SealError::Bound("so many principals above"));
    }
    if claims.layers.len() > LAYERS_MAX {
        return Err(SealError::Bound("so many layers of session policies"));
    }
    if size_min > SESSION_TOKEN_SIZE_MAX {
        return Err(SealError::Bound("a minimum over the maximum"));
    }
    if claims.expires_at.checked_sub(claims.issued_at).is_none() {
        return Err(SealError::Bound("such a lifetime"));
    }
    let encoded = codec::encode(claims);
    let passed = encoded.policy_bytes + encoded.tag_bytes;
    let others = encoded.bytes.len() - passed;
    let room = CLAIMS_MAX.checked_sub(others).filter(|room| *room > 0);
    let room = room.ok_or(SealError::Bound("such long names"))?;
    let packed = percent(passed, room);
    if passed > room {
        return Err(SealError::TooLarge {
            percent: packed,
            of_tags: encoded.tag_bytes > encoded.policy_bytes,
        });
    }
    let mut plain = Zeroizing::new(encoded.bytes);
    // Whole groups of three bytes, and enough of them.
    let unpadded = HEADER + OVERHEAD + plain.len();
    let groups = unpadded.div_ceil(3).max(size_min.div_ceil(4));
    plain.resize(groups * 3 - HEADER - OVERHEAD, 0);
    Ok((plain, packed))
}

/// Rounded up, so that what takes any room never shows 0.
fn percent(part: usize, whole: usize) -> u32 {
    u32::try_from((part * 100).div_ceil(whole)).unwrap_or(u32::MAX)
}
