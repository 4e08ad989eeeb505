//! Session tokens of instance metadata, version 2: opaque, bound to one instance, good until their time is over, and as many as
//! anybody wants at once. Nothing is kept of them: a token carries its end and a code that only this agent could make, so that
//! nobody fills its memory. They end with the agent, and clients ask for another then.
//!
//! Source: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata".

use data_encoding::BASE64URL_NOPAD;
use daypass_model::{Random, Secret};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Longest life of a token, in seconds.
pub(crate) const SECONDS_MAX: i64 = 21_600;
const NONCE_BYTES: usize = 16;
const END_BYTES: usize = 8;

/// Makes and reads tokens.
pub(crate) struct Tokens {
    key: Secret,
}

impl Tokens {
    pub(crate) fn new(random: &dyn Random) -> Self {
        let mut key = [0; 32];
        random.fill(&mut key);
        Self { key: Secret::new(key) }
    }

    /// A token that is good until `end` (Unix seconds).
    pub(crate) fn make(&self, end: i64, random: &dyn Random) -> String {
        let mut body = [0; NONCE_BYTES + END_BYTES];
        let (nonce, tail) = body.split_at_mut(NONCE_BYTES);
        random.fill(nonce);
        tail.copy_from_slice(&end.to_be_bytes());
        let code = self.code(&body).finalize().into_bytes();
        BASE64URL_NOPAD.encode(&[body.as_slice(), code.as_slice()].concat())
    }

    /// Whether this is a token of ours whose time is not over.
    pub(crate) fn is_good(&self, token: &str, now: i64) -> bool {
        let Ok(bytes) = BASE64URL_NOPAD.decode(token.as_bytes()) else { return false };
        let Some((body, code)) = bytes.split_at_checked(NONCE_BYTES + END_BYTES) else { return false };
        let end = body.last_chunk().map_or(0, |end| i64::from_be_bytes(*end));
        // One with more time left than any may have was made while the clock was ahead.
        self.code(body).verify_slice(code).is_ok() && now < end && end.saturating_sub(now) <= SECONDS_MAX
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104, section 2)")]
    fn code(&self, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose()).expect("a key of any length");
        mac.update(b"metadata token v1\0");
        mac.update(body);
        mac
    }
}

#[cfg(test)]
mod tests {
    //! Until when a token is good, and what is none.

    use daypass_model::SeededRandom;

    use super::*;

    #[test]
    fn a_token_is_good_until_its_end_and_with_its_maker() {
        let random = SeededRandom::new(1);
        let (tokens, others) = (Tokens::new(&random), Tokens::new(&random));
        let token = tokens.make(1000, &random);
        assert!(tokens.is_good(&token, 999) && !tokens.is_good(&token, 1000));
        assert!(!others.is_good(&token, 999));
        assert!(!tokens.is_good(&tokens.make(SECONDS_MAX + 1, &random), 0), "made by a clock that was ahead");
        assert!(tokens.is_good(&tokens.make(SECONDS_MAX, &random), 0));
        assert_ne!(token, tokens.make(1000, &random));
    }

    #[test]
    fn no_letter_of_a_token_can_be_another() {
        let random = SeededRandom::new(2);
        let tokens = Tokens::new(&random);
        let token = tokens.make(1000, &random);
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(!tokens.is_good(std::str::from_utf8(&changed).unwrap(), 0), "{at}");
        }
        for bad in ["", "A", "AAAA", &token[..token.len() - 1], &format!("{token}A"), "\u{e9}"] {
            assert!(!tokens.is_good(bad, 0), "{bad}");
        }
    }
}
