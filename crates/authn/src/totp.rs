//! One-time codes by time: TOTP with HMAC-SHA-1, steps of 30 seconds and six digits, as virtual MFA devices make them.
//!
//! Answers which counter a code belongs to. It refuses to know what time it is, how far a device's clock is off and
//! which codes were used before: counters come in, a counter goes out.
//!
//! Governing documents: RFC 4226 (HOTP), RFC 6238 (TOTP), RFC 4648 section 6 (base32).

use std::ops::RangeInclusive;

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use data_encoding::BASE32_NOPAD;
use daypass_model::{Random, Secret};
use subtle::ConstantTimeEq;

/// Seconds for which a code is shown.
pub const STEP_SECONDS: i64 = 30;
/// Digits of a code.
pub const DIGITS: usize = 6;
/// Bytes of a seed, which make the 64 characters of base32 that AWS hands out.
const SEED_BYTES: usize = 40;

/// What a device and we share.
pub struct Seed(Key);

/// The text is no seed: not base32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a seed is text in base32")]
pub struct InvalidSeed;

/// A new seed in base32.
#[must_use]
pub fn new_seed(random: &dyn Random) -> Secret {
    let mut bytes = vec![0; SEED_BYTES];
    random.fill(&mut bytes);
    let bytes = Secret::new(bytes);
    Secret::new(BASE32_NOPAD.encode(bytes.expose()))
}

/// The counter of a moment in Unix seconds.
#[must_use]
pub const fn counter_at(seconds: i64) -> i64 {
    seconds.div_euclid(STEP_SECONDS)
}

impl Seed {
    /// Read a seed: base32 in upper case, without padding.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn from_base32(text: &Secret) -> Result<Self, InvalidSeed> {
        let bytes = Secret::new(BASE32_NOPAD.decode(text.expose()).map_err(|_| InvalidSeed)?);
        Ok(Self::of(bytes.expose()))
    }

    /// The code of a counter.
    #[must_use]
    pub fn code(&self, counter: i64) -> [u8; DIGITS] {
        let mac = sign(&self.0, &counter.to_be_bytes());
        // RFC 4226 section 5.3: the last four bits say where the 31 bits begin that count.
        let offset = mac.as_ref().last().map_or(0, |last| usize::from(last & 0xf));
        let bits =
            mac.as_ref().iter().skip(offset).take(4).fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
        let mut rest = bits & 0x7fff_ffff;
        let mut code = [b'0'; DIGITS];
        for digit in code.iter_mut().rev() {
            *digit = b"0123456789".get((rest % 10) as usize).copied().unwrap_or_default();
            rest /= 10;
        }
        code
    }

    /// Which of these counters has this code; of several the first. However early one matches, all are looked at.
    #[must_use]
    pub fn find(&self, code: &str, counters: RangeInclusive<i64>) -> Option<i64> {
        self.first(counters, |counter| self.has(counter, code))
    }

    /// After which of these counters the two codes follow each other: that of the first.
    #[must_use]
    pub fn find_pair(&self, codes: (&str, &str), counters: RangeInclusive<i64>) -> Option<i64> {
        let follow = |counter: i64| self.has(counter, codes.0) & self.has(counter.saturating_add(1), codes.1);
        self.first(counters, follow)
    }

    fn first(&self, counters: RangeInclusive<i64>, matches: impl Fn(i64) -> bool) -> Option<i64> {
        counters.fold(None, |found, counter| {
            let here = matches(counter).then_some(counter);
            found.or(here)
        })
    }

    fn has(&self, counter: i64, code: &str) -> bool {
        self.code(counter).ct_eq(code.as_bytes()).into()
    }

    fn of(bytes: &[u8]) -> Self {
        Self(Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, bytes))
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(<secret>)")
    }
}

#[cfg(test)]
mod tests {
    use daypass_model::SeededRandom;

    use super::*;

    /// The secret of both RFCs' tables, and it in base32.
    const SECRET: &[u8] = b"12345678901234567890";
    const SECRET_BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn code(seed: &Seed, counter: i64) -> String {
        String::from_utf8(seed.code(counter).to_vec()).unwrap()
    }

    #[test]
    fn the_codes_of_rfc_4226_appendix_d() {
        let seed = Seed::from_base32(&Secret::new(SECRET_BASE32)).unwrap();
        let table = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (counter, expected) in (0..).zip(table) {
            assert_eq!(code(&seed, counter), expected);
            assert_eq!(code(&Seed::of(SECRET), counter), expected);
        }
    }

    #[test]
    fn the_codes_of_rfc_6238_appendix_b() {
        let seed = Seed::of(SECRET);
        // The table has eight digits; six are its last six.
        for (time, counter, expected) in [
            (59, 1, "94287082"),
            (1_111_111_109, 0x0235_23ec, "07081804"),
            (1_111_111_111, 0x0235_23ed, "14050471"),
            (1_234_567_890, 0x0273_ef07, "89005924"),
            (2_000_000_000, 0x03f9_40aa, "69279037"),
            (20_000_000_000, 0x27bc_86aa, "65353130"),
        ] {
            assert_eq!(counter_at(time), counter);
            assert_eq!(code(&seed, counter), expected[2..], "{time}");
        }
    }

    #[test]
    fn a_code_is_found_among_the_counters_that_are_asked_about_and_no_others() {
        let seed = Seed::of(SECRET);
        assert_eq!(seed.find("969429", 1..=5), Some(3));
        assert_eq!(seed.find("969429", 3..=3), Some(3));
        assert_eq!(seed.find("969429", 4..=9), None);
        for wrong in ["969428", "96942", "9694290", "", "96942\u{0}", "\u{0669}69429"] {
            assert_eq!(seed.find(wrong, 0..=9), None, "{wrong:?}");
        }
        assert_eq!(Seed::of(b"another").find("969429", 0..=9), None);
    }

    #[test]
    fn two_codes_are_a_pair_only_one_after_the_other() {
        let seed = Seed::of(SECRET);
        assert_eq!(seed.find_pair(("969429", "338314"), 0..=9), Some(3));
        assert_eq!(seed.find_pair(("969429", "338314"), 3..=3), Some(3), "the second may lie beyond");
        assert_eq!(seed.find_pair(("969429", "338314"), 4..=9), None);
        for (first, second) in [("338314", "969429"), ("969429", "969429"), ("969429", "254676"), ("", "")] {
            assert_eq!(seed.find_pair((first, second), 0..=9), None, "{first} {second}");
        }
    }

    #[test]
    fn a_new_seed_has_64_characters_and_is_never_printed() {
        let random = SeededRandom::new(1);
        let (one, other) = (new_seed(&random), new_seed(&random));
        assert_ne!(one, other);
        let text = one.expose_str();
        assert!(text.len() == 64 && text.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7')), "{text}");
        assert_eq!(format!("{:?}", Seed::from_base32(&one).unwrap()), "Seed(<secret>)");
        for none in ["0189", "gezdgnbv", "GEZDGNB=", "A"] {
            assert_eq!(Seed::from_base32(&Secret::new(none)).err(), Some(InvalidSeed), "{none}");
        }
    }
}
