//! Session tokens and the keys behind them.
//!
//! A session token is sealed claims: it says who its holder is, not what the holder may do. Any node that
//! holds the [`Keyring`] opens it without asking a store. The secret access key that goes with it is
//! derived from the keyring, never carried. This file's neighbours: the claims, their compact form, their
//! compression, the keyring, and the master key that seals records at rest.
//!
//! This room refuses to know whether a session was revoked or its principal still exists.
//!
//! ```text
//! session token, before base64 (a multiple of three bytes, so it never needs padding):
//!
//!  0         1            5           17                              n-16      n
//!  +---------+------------+-----------+------------- … --------------+---------+
//!  | version | key id     | nonce     | ciphertext                   | tag     |
//!  | 1       | 4, big end.| 12 random |                              | 16      |
//!  +---------+------------+-----------+------------- … --------------+---------+
//!  associated data: version | key id | access key id
//!  plaintext: fields (see `codec`), then a zero byte and zeroes up to the size asked for
//! ```
//!
//! Governing documents: RFC 8452 (AES-256-GCM-SIV), RFC 5869 (HKDF-SHA-256), RFC 4648 §4 (base64), RFC 8878
//! (zstd).

mod aead;
mod claims;
mod codec;
mod keyring;
mod master;
mod pack;
mod seal;
mod wire;

pub use claims::{PrincipalAbove, SessionClaims, SessionKind, SessionLayer};
pub use keyring::{InvalidKeyring, Keyring, KeyringKey, KeyringKeys, Purpose};
pub use master::{BadSeal, InvalidMasterKey, MasterKey};
pub use seal::{Opened, SealError, Sealed};

/// The text is not a token of ours, or not for this access key, or not whole.
///
/// It carries no detail: a bit flip, a truncation, a splice, another key pair and a spelling that is not
/// canonical look alike to whoever tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid token")]
pub struct BadToken;
