//! Passwords: what is kept of them, and whether one is that again.
//!
//! Kept is a hash by argon2id, in the form of a PHC string, which names its own costs: those may rise later, and what was
//! made before goes on counting. To make one or to compare with one takes some tens of milliseconds of a processor and 19
//! MiB, on purpose; it is for the caller to do so where nobody else waits. This file refuses to know whose password it is,
//! and which passwords are good enough.
//!
//! Governing documents: RFC 9106 (Argon2). The costs are the first of those that OWASP's Password Storage Cheat Sheet
//! holds for the least.

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use data_encoding::HEXLOWER;
use daypass_model::{Random, Secret};
use sha2::{Digest as _, Sha256};

/// Memory of one hash.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// Lanes, each of which could have a thread of its own.
const LANES: u32 = 1;
/// Length of a salt (RFC 9106, section 3.1, recommends it).
const SALT_BYTES: usize = 16;
/// Length of what comes out.
const HASH_BYTES: usize = 32;

/// What makes two hashes of one password differ.
pub struct Salt([u8; SALT_BYTES]);

/// What is kept of a password. Whoever has it can guess, so it is a secret too.
#[derive(Clone, Debug)]
pub struct PasswordHash(Secret);

/// The text is no hash of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash of a password is a PHC string of argon2id")]
pub struct InvalidHash;

/// No hash could be made, which no password causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password was not hashed")]
pub struct NotHashed;

impl Salt {
    /// A new salt.
    #[must_use]
    pub fn new(random: &dyn Random) -> Self {
        let mut bytes = [0; SALT_BYTES];
        random.fill(&mut bytes);
        Self(bytes)
    }
}

impl PasswordHash {
    /// Hash a password.
    ///
    /// # Errors
    /// Never for passwords of the length that IAM takes.
    pub fn of(password: &Secret, salt: &Salt) -> Result<Self, NotHashed> {
        let hash: phc::PasswordHash =
            hasher()?.hash_password_with_salt(password.expose(), &salt.0).map_err(|_| NotHashed)?;
        Ok(Self(Secret::new(hash.to_string())))
    }

    /// Read a hash back.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn from_text(text: Secret) -> Result<Self, InvalidHash> {
        let hash = parsed(&text).ok_or(InvalidHash)?;
        let is_ours = hash.algorithm == Algorithm::Argon2id.ident();
        let is_whole = hash.salt.is_some() && hash.hash.is_some();
        if is_ours && is_whole { Ok(Self(text)) } else { Err(InvalidHash) }
    }

    /// The hash, for the record that seals it.
    #[must_use]
    pub fn to_text(&self) -> &Secret {
        &self.0
    }

    /// By which the same hash is known again: its SHA-256 in hexadecimal digits. Whoever has it can guess as by the hash.
    #[must_use]
    pub fn fingerprint(&self) -> Secret {
        Secret::new(HEXLOWER.encode(&Sha256::digest(self.0.expose())))
    }

    /// Whether this is the password that the hash was made of, in constant time.
    #[must_use]
    pub fn matches(&self, password: &Secret) -> bool {
        let (Some(hash), Ok(hasher)) = (parsed(&self.0), hasher()) else { return false };
        hasher.verify_password(password.expose(), &hash).is_ok()
    }
}

/// No, after as long as [`PasswordHash::matches`] takes: nobody hears by the time of a refusal whether there was a password
/// to compare with.
#[must_use]
pub fn matches_nobody(password: &Secret) -> bool {
    nobody().matches(password)
}

/// The hash of a password that nobody can find: salt and hash are nothing but zeros.
fn nobody() -> PasswordHash {
    let zeros = |bytes: usize| "A".repeat((bytes * 8).div_ceil(6));
    let (salt, hash) = (zeros(SALT_BYTES), zeros(HASH_BYTES));
    PasswordHash(Secret::new(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${hash}")))
}

fn parsed(text: &Secret) -> Option<phc::PasswordHash> {
    phc::PasswordHash::new(text.expose_str()).ok()
}

fn hasher() -> Result<Argon2<'static>, NotHashed> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).map_err(|_| NotHashed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};
    use daypass_model::SeededRandom;

    use super::*;

    fn hash(password: &str, seed: u64) -> PasswordHash {
        PasswordHash::of(&Secret::new(password), &Salt::new(&SeededRandom::new(seed))).unwrap()
    }

    /// RFC 9106, section 5.3.
    #[test]
    fn the_argon2id_underneath_is_that_of_the_rfc() {
        let data = AssociatedData::new(&[4; 12]).unwrap();
        let params = ParamsBuilder::new().m_cost(32).t_cost(3).p_cost(4).data(data).build().unwrap();
        let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut tag = [0; 32];
        argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
        let expected = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";
        assert_eq!(HEXLOWER.encode(&tag), expected);
    }

    #[test]
    fn a_hash_costs_what_it_costs() {
        let text = hash("correct horse", 1);
        let text = text.to_text().expose_str();
        assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
        let lengths: Vec<_> = text.split('$').skip(4).map(str::len).collect();
        assert_eq!(lengths, [22, 43], "128 bits of salt, 256 of hash");
    }

    #[test]
    fn one_password_matches_its_hash_and_no_other_does() {
        let hash = hash("Tr0ub4dor&3", 1);
        assert!(hash.matches(&Secret::new("Tr0ub4dor&3")));
        for other in ["", "tr0ub4dor&3", "Tr0ub4dor&3 ", "Tr0ub4dor&", "Tr0ub4dor&3\0"] {
            assert!(!hash.matches(&Secret::new(other)), "{other}");
        }
    }

    #[test]
    fn two_hashes_of_one_password_differ_and_both_match() {
        let random = SeededRandom::new(1);
        let password = Secret::new("correct horse");
        let [a, b] = [(); 2].map(|()| PasswordHash::of(&password, &Salt::new(&random)).unwrap());
        assert_ne!(a.to_text(), b.to_text());
        assert!(a.matches(&password) && b.matches(&password));
    }

    /// One that an earlier or later daypass made at other costs, here at few.
    #[test]
    fn a_hash_counts_at_the_costs_that_it_names() {
        let params = Params::new(64, 1, 1, Some(32)).unwrap();
        let cheap: phc::PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_with_salt(b"correct horse", &[7; 16])
            .unwrap();
        let hash = PasswordHash::from_text(Secret::new(cheap.to_string())).unwrap();
        assert!(hash.matches(&Secret::new("correct horse")) && !hash.matches(&Secret::new("wrong horse")));
    }

    #[test]
    fn a_text_that_is_no_hash_is_refused() {
        let whole = hash("x", 1);
        let whole = whole.to_text().expose_str();
        assert!(PasswordHash::from_text(Secret::new(whole)).is_ok());
        let of_another_kind = whole.replace("argon2id", "argon2i");
        let (without_hash, _) = whole.rsplit_once('$').unwrap();
        for text in ["", "x", of_another_kind.as_str(), without_hash] {
            assert_eq!(PasswordHash::from_text(Secret::new(text)).unwrap_err(), InvalidHash, "{text}");
        }
    }

    /// Where the text of nobody's hash could not be read, the answer would come at once.
    #[test]
    fn nobody_has_a_password_and_it_takes_a_whole_comparison_to_say_so() {
        assert!(!matches_nobody(&Secret::new("")) && !matches_nobody(&Secret::new("correct horse")));
        let costs = |hash: &PasswordHash| {
            let hash = parsed(&PasswordHash::from_text(hash.0.clone()).unwrap().0).unwrap();
            (hash.algorithm, hash.version, hash.params, hash.salt.unwrap().len(), hash.hash.unwrap().len())
        };
        assert_eq!(costs(&nobody()), costs(&hash("x", 1)));
    }

    #[test]
    fn a_hash_prints_nothing_of_itself() {
        assert_eq!(format!("{:?}", hash("correct horse", 1)), "PasswordHash(<secret>)");
    }
}
