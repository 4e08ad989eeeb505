//! The keys that tokens of our own are signed with: previous, active and next, each a pair for every algorithm.
//!
//! Whoever holds them can speak for everybody here to whoever believes our tokens, so they never leave the server.
//! `next` is in the key set that everybody reads before anything is signed with it; `previous` stays there until no
//! token that it signed can live.

use std::fmt;

use data_encoding::BASE64_NOPAD;
use daypass_model::Secret;
use serde::Serialize;

use super::signing::{NotSigned, PublicJwk, SigningAlgorithm, SigningKey};

/// A pair for every algorithm, made at once.
pub struct IssuerKey {
    /// Unix seconds.
    created: i64,
    rs256: SigningKey,
    es384: SigningKey,
}

/// Previous, active and next.
pub struct IssuerKeys {
    previous: Option<IssuerKey>,
    active: IssuerKey,
    next: IssuerKey,
    /// What everybody may read.
    key_set: String,
}

/// The text holds no such keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the keys of an issuer")]
pub struct InvalidIssuerKeys;

impl IssuerKey {
    /// New pairs. `created` is in Unix seconds. It takes a while: not for a thread that others wait for.
    ///
    /// # Errors
    /// The crypto library makes none.
    pub fn generate(created: i64) -> Result<Self, NotSigned> {
        let rs256 = SigningKey::generate(SigningAlgorithm::Rs256)?;
        let es384 = SigningKey::generate(SigningAlgorithm::Es384)?;
        Ok(Self { created, rs256, es384 })
    }

    fn pair(&self, algorithm: SigningAlgorithm) -> &SigningKey {
        match algorithm {
            SigningAlgorithm::Rs256 => &self.rs256,
            SigningAlgorithm::Es384 => &self.es384,
        }
    }

    fn public(&self) -> [&PublicJwk; 2] {
        SigningAlgorithm::ALL.map(|algorithm| self.pair(algorithm).public())
    }

    /// The same once more: the crypto library's pairs cannot be copied.
    fn again(&self) -> Result<Self, InvalidIssuerKeys> {
        let again = |algorithm| {
            SigningKey::read(algorithm, self.pair(algorithm).private().clone()).ok_or(InvalidIssuerKeys)
        };
        Ok(Self {
            created: self.created,
            rs256: again(SigningAlgorithm::Rs256)?,
            es384: again(SigningAlgorithm::Es384)?,
        })
    }
}

impl IssuerKeys {
    /// Keys that have signed nothing yet, or have no keys before them.
    #[must_use]
    pub fn new(active: IssuerKey, next: IssuerKey) -> Self {
        Self::of(None, active, next)
    }

    fn of(previous: Option<IssuerKey>, active: IssuerKey, next: IssuerKey) -> Self {
        #[derive(Serialize)]
        struct KeySet<'a> {
            keys: Vec<&'a PublicJwk>,
        }
        let all = [Some(&next), Some(&active), previous.as_ref()];
        let keys = all.into_iter().flatten().flat_map(IssuerKey::public).collect();
        let key_set = serde_json::to_string(&KeySet { keys }).unwrap_or_default();
        Self { previous, active, next, key_set }
    }

    /// One rotation on: next → active → previous, and `next`. What the old previous signed verifies no longer.
    ///
    /// # Errors
    /// Never for keys that were read or made.
    pub fn rotated(&self, next: IssuerKey) -> Result<Self, InvalidIssuerKeys> {
        Ok(Self::of(Some(self.active.again()?), self.next.again()?, next))
    }

    /// A token with these claims, which are a JSON object.
    ///
    /// # Errors
    /// The crypto library makes no signature.
    pub fn token(&self, algorithm: SigningAlgorithm, claims: &[u8]) -> Result<Secret, NotSigned> {
        self.active.pair(algorithm).token(claims)
    }

    /// Role, time of creation in Unix seconds, and `kid` of every public key, for the operator.
    pub fn listed(&self) -> impl Iterator<Item = (&'static str, i64, [&str; 2])> {
        let roles = [
            ("previous", self.previous.as_ref()),
            ("active", Some(&self.active)),
            ("next", Some(&self.next)),
        ];
        roles.into_iter().filter_map(|(role, key)| {
            let key = key?;
            Some((role, key.created, key.public().map(|public| public.kid.as_str())))
        })
    }

    /// The public keys as a JSON Web Key Set: next, active, previous.
    #[must_use]
    pub fn key_set(&self) -> &str {
        &self.key_set
    }

    /// One line for each: role, time of creation, private keys in base64. For sealing into a record.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        let all = [
            ("previous", self.previous.as_ref()),
            ("active", Some(&self.active)),
            ("next", Some(&self.next)),
        ];
        let all = || all.iter().filter_map(|(role, key)| Some((*role, (*key)?)));
        let bytes = |key: &IssuerKey| {
            SigningAlgorithm::ALL
                .map(|algorithm| key.pair(algorithm).private().expose().len())
                .iter()
                .sum::<usize>()
        };
        // One buffer that never moves: the secret wipes it, and no copy stays behind.
        let mut out = String::with_capacity(all().map(|(_, key)| 2 * bytes(key) + 64).sum());
        for (role, key) in all() {
            out.push_str(&format!("{role} {}", key.created));
            for algorithm in SigningAlgorithm::ALL {
                out.push(' ');
                BASE64_NOPAD.encode_append(key.pair(algorithm).private().expose(), &mut out);
            }
            out.push('\n');
        }
        Secret::new(out)
    }

    /// Reads what [`IssuerKeys::to_text`] wrote.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn from_text(text: &Secret) -> Result<Self, InvalidIssuerKeys> {
        let (mut previous, mut active, mut next) = (None, None, None);
        for line in text.expose_str().lines() {
            let mut words = line.split(' ');
            let slot = match words.next() {
                Some("previous") => &mut previous,
                Some("active") => &mut active,
                Some("next") => &mut next,
                _ => return Err(InvalidIssuerKeys),
            };
            let key = read_key(words).ok_or(InvalidIssuerKeys)?;
            if slot.replace(key).is_some() {
                return Err(InvalidIssuerKeys);
            }
        }
        match (active, next) {
            (Some(active), Some(next)) => Ok(Self::of(previous, active, next)),
            _ => Err(InvalidIssuerKeys),
        }
    }
}

fn read_key<'t>(mut words: impl Iterator<Item = &'t str>) -> Option<IssuerKey> {
    let created = words.next()?.parse().ok()?;
    let mut pair = |algorithm| {
        let private = Secret::new(BASE64_NOPAD.decode(words.next()?.as_bytes()).ok()?);
        SigningKey::read(algorithm, private)
    };
    let (rs256, es384) = (pair(SigningAlgorithm::Rs256)?, pair(SigningAlgorithm::Es384)?);
    words.next().is_none().then_some(IssuerKey { created, rs256, es384 })
}

/// Prints ids only.
impl fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = |key: &IssuerKey| key.public().map(|public| public.kid.clone());
        f.debug_struct("IssuerKeys")
            .field("previous", &self.previous.as_ref().map(ids))
            .field("active", &ids(&self.active))
            .field("next", &ids(&self.next))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::oidc::{Algorithm, KeySet, Token};

    fn keys() -> IssuerKeys {
        IssuerKeys::new(IssuerKey::generate(1).unwrap(), IssuerKey::generate(2).unwrap())
    }

    fn verifies(keys: &IssuerKeys, token: &Secret) -> bool {
        let set = KeySet::parse(keys.key_set().as_bytes()).unwrap();
        let token = Token::read(token.expose_str()).unwrap();
        token.verify(&set, Algorithm::is_common, Timestamp::from_second(1_768_478_400).unwrap()).is_ok()
    }

    #[test]
    fn a_token_verifies_until_its_key_has_left_the_set() {
        let claims = json!({"iss": "https://a.test", "sub": "s", "aud": "x", "iat": 1_768_478_400, "exp": 1_768_478_700});
        let first = keys();
        for algorithm in SigningAlgorithm::ALL {
            let token = first.token(algorithm, claims.to_string().as_bytes()).unwrap();
            let second = first.rotated(IssuerKey::generate(3).unwrap()).unwrap();
            let third = second.rotated(IssuerKey::generate(4).unwrap()).unwrap();
            assert!(verifies(&first, &token) && verifies(&second, &token), "{algorithm:?}");
            assert!(!verifies(&third, &token), "{algorithm:?}");
            let newer = second.token(algorithm, claims.to_string().as_bytes()).unwrap();
            assert!(verifies(&first, &newer), "{algorithm:?}: the key set told of the key before it signed");
        }
    }

    #[test]
    fn a_key_set_tells_of_the_public_keys_and_of_nothing_else() {
        let keys = keys().rotated(IssuerKey::generate(3).unwrap()).unwrap();
        let set: Value = serde_json::from_str(keys.key_set()).unwrap();
        let set = set["keys"].as_array().unwrap();
        assert_eq!(set.len(), 6);
        for key in set {
            let mut names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            names.sort_unstable();
            match key["kty"].as_str().unwrap() {
                "RSA" => assert_eq!(names, ["alg", "e", "kid", "kty", "n", "use"]),
                _ => assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]),
            }
        }
        assert_eq!(KeySet::parse(keys.key_set().as_bytes()).unwrap().len(), 6);
    }

    #[test]
    fn what_was_written_reads_back_and_nothing_else_does() {
        let keys = keys().rotated(IssuerKey::generate(3).unwrap()).unwrap();
        let text = keys.to_text();
        let read = IssuerKeys::from_text(&text).unwrap();
        assert_eq!((read.key_set(), read.to_text() == text), (keys.key_set(), true));
        let lines: Vec<_> = text.expose_str().lines().collect();
        let more = format!("{} x", lines[0]);
        for wrong in [
            vec![],
            vec![lines[1]],
            vec![lines[1], lines[1], lines[2]],
            vec![more.as_str(), lines[1], lines[2]],
        ] {
            assert!(IssuerKeys::from_text(&Secret::new(wrong.join("\n"))).is_err());
        }
        let printed = format!("{keys:?}");
        assert!(printed.len() < 600 && printed.contains("active"), "{printed}");
    }
}
