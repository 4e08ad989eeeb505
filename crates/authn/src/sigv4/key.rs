//! Signing keys and the bounded cache of them.

use std::sync::Arc;

use daypass_model::Secret;
use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::TERMINATOR;
use super::proof::Scope;

type HmacSha256 = Hmac<Sha256>;

/// A key for one secret, day, region and service. It signs nothing else, and the secret cannot be told from it.
#[derive(Clone)]
pub struct SigningKey {
    mac: HmacSha256,
    bytes: Zeroizing<[u8; 32]>,
}

impl SigningKey {
    /// Derive the key: four HMACs in a row (IAM User Guide, "Create a signed AWS API request", step 4).
    #[must_use]
    pub fn derive(secret_access_key: &Secret, scope: &Scope) -> Self {
        let start = Zeroizing::new([b"AWS4", secret_access_key.expose()].concat());
        let date = hmac(&start, scope.date.as_bytes());
        let region = hmac(&*date, scope.region.as_bytes());
        let service = hmac(&*region, scope.service.as_bytes());
        Self::from_bytes(*hmac(&*service, TERMINATOR.as_bytes()))
    }

    /// A key that was derived elsewhere.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { mac: keyed(&bytes), bytes: Zeroizing::new(bytes) }
    }

    /// The key itself, for handing to a verifier of that one service, region and day.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// HMAC of a string to sign.
    pub(crate) fn sign(&self, string_to_sign: &[u8]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(string_to_sign);
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(<secret>)")
    }
}

fn hmac(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = keyed(key);
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[expect(
    clippy::expect_used,
    reason = "HMAC takes keys of any length (RFC 2104); the error type is for other MACs"
)]
fn keyed(key: &[u8]) -> HmacSha256 {
    <HmacSha256 as KeyInit>::new_from_slice(key).expect("HMAC takes any key length")
}

/// A bounded cache of signing keys.
///
/// INVARIANT (key-by-secret): an entry is found by SHA-256 over secret, date, region and service, never by
/// access key id: an id can be pinned, reused or collide, and then the wrong secret would verify.
pub struct SigningKeyCache {
    keys: Cache<[u8; 32], Arc<SigningKey>>,
}

impl SigningKeyCache {
    /// A cache for at most about this many keys.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { keys: Cache::new(capacity.max(1)) }
    }

    /// The key for this secret and scope, derived if it is not at hand.
    ///
    /// Check scope and time first: then at most two days, and the regions clients sign for, compete for room.
    #[must_use]
    pub fn key(&self, secret_access_key: &Secret, scope: &Scope) -> Arc<SigningKey> {
        let place = fingerprint(secret_access_key, scope);
        if let Some(key) = self.keys.get(&place) {
            return key;
        }
        let key = Arc::new(SigningKey::derive(secret_access_key, scope));
        self.keys.insert(place, Arc::clone(&key));
        key
    }

    /// How many keys it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Forget everything.
    pub fn clear(&self) {
        self.keys.clear();
    }
}

impl std::fmt::Debug for SigningKeyCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeyCache").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Each part with its length in front, so that no two scopes read the same.
fn fingerprint(secret: &Secret, scope: &Scope) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [secret.expose(), scope.date.as_bytes(), scope.region.as_bytes(), scope.service.as_bytes()] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(date: &str, region: &str, service: &str) -> Scope {
        Scope { date: date.into(), region: region.into(), service: service.into() }
    }

    #[test]
    fn the_published_key_is_derived() {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let key = SigningKey::derive(&secret, &scope("20260115", "us-east-1", "sts"));
        assert_eq!(
            data_encoding::HEXLOWER.encode(key.expose()),
            "d89168d789be02eccf685b6ec6d8530267b4b202a2a009c9318141906bf42440"
        );
        assert_eq!(format!("{key:?}"), "SigningKey(<secret>)");
    }

    #[test]
    fn the_cache_stays_bounded_and_tells_secrets_apart() {
        let cache = SigningKeyCache::new(64);
        for n in 0..1000 {
            let _key = cache.key(&Secret::new(format!("secret-{n}")), &scope("20260115", "r", "sts"));
        }
        assert!(cache.len() <= 64, "{}", cache.len());
        let (a, b) = (Secret::new("a"), Secret::new("b"));
        let day = scope("20260115", "r", "sts");
        assert_ne!(cache.key(&a, &day).expose(), cache.key(&b, &day).expose());
        assert_eq!(cache.key(&a, &day).expose(), cache.key(&a, &day).expose());
        // Moving a letter from one part to the next is another key.
        assert_ne!(
            cache.key(&a, &scope("20260115", "rs", "ts")).expose(),
            cache.key(&a, &scope("20260115", "r", "sts")).expose()
        );
    }
}
