//! Keys that check signatures, and the bounded cache of them.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use daypass_model::Secret;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::proof::{Proof, Scope};
use super::public_key::PublicKey;
use super::verify::{Verified, verify};
use super::{Algorithm, AuthError, HttpRequest, Rules, TERMINATOR};

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
        let bytes = hmac(&*service, TERMINATOR.as_bytes());
        Self { mac: keyed(&*bytes), bytes }
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

pub(super) fn hmac(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
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

/// What checks the signatures that are like a [`Proof`]'s.
pub struct VerifyingKey(Kind);

enum Kind {
    Hmac(SigningKey),
    /// None of them holds where there is no key.
    Ecdsa(Option<PublicKey>),
}

impl VerifyingKey {
    /// Derive the key of this secret: for the proof's scope, or for Signature Version 4A its access key id.
    #[must_use]
    pub fn derive(secret_access_key: &Secret, proof: &Proof) -> Self {
        Self(match proof.algorithm {
            Algorithm::SigV4 => Kind::Hmac(SigningKey::derive(secret_access_key, &proof.scope)),
            Algorithm::SigV4A => Kind::Ecdsa(PublicKey::derive(secret_access_key, &proof.access_key_id)),
        })
    }

    /// Whether `signature`, in lower-case hex, is one of this text.
    pub(super) fn holds(&self, string_to_sign: &str, signature: &str) -> bool {
        match &self.0 {
            Kind::Hmac(key) => {
                // HEXLOWER takes no capital letters, as AWS takes none.
                let given = HEXLOWER.decode(signature.as_bytes()).unwrap_or_default();
                bool::from(key.sign(string_to_sign.as_bytes()).as_slice().ct_eq(&given))
            }
            Kind::Ecdsa(key) => {
                key.as_ref().is_some_and(|key| key.holds(string_to_sign.as_bytes(), signature))
            }
        }
    }

    /// The signature of this text, where it has but one.
    pub(super) fn expected(&self, string_to_sign: &str) -> Option<String> {
        match &self.0 {
            Kind::Hmac(key) => Some(HEXLOWER.encode(&key.sign(string_to_sign.as_bytes()))),
            Kind::Ecdsa(_) => None,
        }
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VerifyingKey(<secret>)")
    }
}

/// A bounded cache of the keys that check signatures.
///
/// INVARIANT (key-by-secret): an entry is found by SHA-256 over secret and whatever else the key is derived from, never
/// by access key id alone: an id can be pinned, reused or collide, and then the wrong secret would verify.
pub struct SigningKeyCache {
    keys: Cache<[u8; 32], Arc<VerifyingKey>>,
}

impl SigningKeyCache {
    /// A cache for at most about this many keys.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { keys: Cache::new(capacity.max(1)) }
    }

    /// [`verify()`] with the key of this secret, derived if it is not at hand.
    ///
    /// A derived key is kept once a signature has verified with it: whoever has an access key id and not its secret
    /// could otherwise push everybody's keys out with days and regions of his own invention.
    ///
    /// # Errors
    /// Those of [`verify()`].
    pub fn verify(
        &self,
        request: &HttpRequest,
        proof: &Proof,
        rules: &Rules<'_>,
        secret_access_key: &Secret,
        now: Timestamp,
    ) -> Result<Verified, AuthError> {
        let mut derived = None;
        let key = || {
            let place = fingerprint(secret_access_key, proof);
            self.keys.get(&place).unwrap_or_else(|| {
                let key = Arc::new(VerifyingKey::derive(secret_access_key, proof));
                derived = Some((place, Arc::clone(&key)));
                key
            })
        };
        let verified = verify(request, proof, rules, key, now)?;
        if let Some((place, key)) = derived {
            self.keys.insert(place, key);
        }
        Ok(verified)
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
}

impl std::fmt::Debug for SigningKeyCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeyCache").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// What [`VerifyingKey::derive`] goes by. Each part with its length in front, so that no two read the same.
fn fingerprint(secret: &Secret, proof: &Proof) -> [u8; 32] {
    let Proof { algorithm, access_key_id, scope, .. } = proof;
    let [first, second, third] = match algorithm {
        Algorithm::SigV4 => [&scope.date, &scope.region, &scope.service].map(String::as_str),
        Algorithm::SigV4A => [access_key_id.as_str(), "", ""],
    };
    let mut hash = Sha256::new();
    for part in
        [algorithm.as_str(), first, second, third].map(str::as_bytes).into_iter().chain([secret.expose()])
    {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::super::{Credentials, Place, Presented, SignatureForm, presented, sign};
    use super::*;

    fn scope(date: &str, region: &str, service: &str) -> Scope {
        Scope { date: date.into(), region: region.into(), service: service.into() }
    }

    #[test]
    fn the_published_key_is_derived() {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let key = SigningKey::derive(&secret, &scope("20260115", "us-east-1", "sts"));
        assert_eq!(
            HEXLOWER.encode(key.expose()),
            "d89168d789be02eccf685b6ec6d8530267b4b202a2a009c9318141906bf42440"
        );
        assert_eq!(format!("{key:?}"), "SigningKey(<secret>)");
    }

    /// A request of one secret for a region, checked with the cache and a secret.
    fn check(cache: &SigningKeyCache, signed: &Secret, region: &str, secret: &Secret) -> bool {
        let noon = "2026-01-15T12:00:00Z".parse().unwrap();
        let mut request = HttpRequest::new("POST", "/", "").with_header("host", "h");
        let credentials =
            Credentials { access_key_id: "AKIA", secret_access_key: signed, session_token: None };
        sign(&mut request, &credentials, region, "sts", SignatureForm::Header, noon).unwrap();
        let Ok(Presented::SigV4(proof)) = presented(&request) else { panic!("no proof") };
        let rules = Rules::for_service("sts");
        // Too late, it must be refused and leave nothing behind.
        let late = noon + jiff::SignedDuration::from_mins(16);
        let before = cache.len();
        assert!(cache.verify(&request, &proof, &rules, secret, late).is_err());
        assert_eq!(cache.len(), before);
        cache.verify(&request, &proof, &rules, secret, noon).is_ok()
    }

    #[test]
    fn only_keys_that_a_signature_has_verified_with_are_kept() {
        let cache = SigningKeyCache::new(64);
        let (right, wrong) = (Secret::new("right"), Secret::new("wrong"));
        for n in 0..10 {
            assert!(!check(&cache, &wrong, &format!("region-{n}"), &right));
        }
        assert!(cache.is_empty());
        assert!(check(&cache, &right, "region-1", &right) && check(&cache, &right, "region-1", &right));
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn the_cache_stays_bounded_and_tells_secrets_apart() {
        let cache = SigningKeyCache::new(64);
        for n in 0..1000 {
            let secret = Secret::new(format!("secret-{n}"));
            assert!(check(&cache, &secret, "r", &secret));
        }
        assert!(cache.len() <= 64, "{}", cache.len());
        let (a, b) = (Secret::new("a"), Secret::new("b"));
        assert!(check(&cache, &a, "r", &a) && check(&cache, &b, "r", &b));
        assert!(!check(&cache, &a, "r", &b) && !check(&cache, &b, "r", &a));
        // Moving a letter from one part to the next is another key.
        let (one, other) = (scope("20260115", "rs", "ts"), scope("20260115", "r", "sts"));
        let [one, other] = [one, other].map(|scope| proof(Algorithm::SigV4, "AKIA", scope));
        assert_ne!(fingerprint(&a, &one), fingerprint(&a, &other));
    }

    fn proof(algorithm: Algorithm, access_key_id: &str, scope: Scope) -> Proof {
        Proof {
            algorithm,
            access_key_id: access_key_id.into(),
            scope,
            session_token: None,
            time: Timestamp::UNIX_EPOCH,
            place: Place::Header,
            terminator: TERMINATOR.into(),
            time_text: String::new(),
            signed_headers: "host".into(),
            signature: String::new(),
            region_set: None,
            expires: None,
            query_payload_hash: None,
        }
    }

    #[test]
    fn keys_of_signature_version_4a_are_kept_by_secret_and_id_for_all_days_and_services() {
        let place = |secret: &str, algorithm, id, day, service| {
            fingerprint(&Secret::new(secret), &proof(algorithm, id, scope(day, "", service)))
        };
        let one = place("s", Algorithm::SigV4A, "AKIA", "20260115", "sts");
        assert_eq!(one, place("s", Algorithm::SigV4A, "AKIA", "20260116", "iam"));
        for other in [
            place("t", Algorithm::SigV4A, "AKIA", "20260115", "sts"),
            place("s", Algorithm::SigV4A, "AKIB", "20260115", "sts"),
            place("s", Algorithm::SigV4, "AKIA", "20260115", "sts"),
            // The id in the place of a day must not be taken for one.
            place("s", Algorithm::SigV4, "x", "AKIA", ""),
        ] {
            assert_ne!(one, other);
        }
    }
}
