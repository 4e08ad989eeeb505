//! What a browser proves a console session with: a secret in its cookie. Everybody else has the secret's hash, so that a
//! copy of the store opens no session, and the pages have codes made from it, so that a form of another site is not
//! taken for one of ours.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use daypass_model::{Random, Secret};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const BYTES: usize = 32;

/// The secret of one console session's cookie: 256 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserSecret(Secret);

impl BrowserSecret {
    /// A new one.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = vec![0; BYTES];
        random.fill(&mut bytes);
        Self(Secret::new(bytes))
    }

    /// Of a cookie's value; `None` for what we never wrote.
    #[must_use]
    pub fn read(value: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(value.as_bytes()).ok()?;
        (bytes.len() == BYTES).then(|| Self(Secret::new(bytes)))
    }

    /// The value of the cookie: 43 characters of base64url.
    #[must_use]
    pub fn cookie(&self) -> Secret {
        Secret::new(BASE64URL_NOPAD.encode(self.0.expose()))
    }

    /// What may be kept of it: the SHA-256 in lower-case hexadecimal digits. It is long and random, so that nothing slower
    /// is needed.
    #[must_use]
    pub fn hash(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.0.expose()))
    }

    /// Whether this is the secret of that hash, in constant time.
    #[must_use]
    pub fn has_hash(&self, hash: &str) -> bool {
        self.hash().as_bytes().ct_eq(hash.as_bytes()).into()
    }

    /// What a form of ours brings with it: nobody without the cookie can know it, and it is good for this form alone.
    #[must_use]
    pub fn form_code(&self, form: &str) -> String {
        HEXLOWER.encode(&self.mac(form).finalize().into_bytes())
    }

    /// Whether a form brought its code, in constant time.
    #[must_use]
    pub fn is_form_code(&self, form: &str, code: &str) -> bool {
        let code = HEXLOWER.decode(code.as_bytes());
        code.is_ok_and(|code| self.mac(form).verify_slice(&code).is_ok())
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104, section 2)")]
    fn mac(&self, form: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose()).expect("a key of any length");
        mac.update(b"form v1\0");
        mac.update(form.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    //! What is a secret of ours, and what its codes are good for.

    use daypass_model::SeededRandom;

    use super::*;

    #[test]
    fn a_cookie_reads_back_and_nothing_else_does() {
        let secret = BrowserSecret::generate(&SeededRandom::new(1));
        let cookie = secret.cookie();
        assert_eq!(cookie.expose().len(), 43);
        assert_eq!(BrowserSecret::read(cookie.expose_str()), Some(secret.clone()));
        let longer = format!("{}A", cookie.expose_str());
        for bad in ["", "AAAA", &longer, &cookie.expose_str()[..42], &format!("{}=", cookie.expose_str())] {
            assert_eq!(BrowserSecret::read(bad), None, "{bad}");
        }
        assert!(!format!("{secret:?}").contains(cookie.expose_str()));
    }

    #[test]
    fn a_hash_is_of_one_secret() {
        // SHA-256 of 32 zero bytes, as published everywhere.
        let zero = BrowserSecret(Secret::new([0; 32]));
        assert_eq!(zero.hash(), "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925");
        let other = BrowserSecret::generate(&SeededRandom::new(1));
        assert!(zero.has_hash(&zero.hash()));
        assert!(!other.has_hash(&zero.hash()) && !zero.has_hash("") && !zero.has_hash(&zero.hash()[..63]));
    }

    #[test]
    fn the_code_of_a_form_is_good_for_it_alone_and_with_its_cookie_alone() {
        let (one, other) =
            (BrowserSecret::generate(&SeededRandom::new(1)), BrowserSecret(Secret::new([0; 32])));
        let code = one.form_code("sign-out");
        assert!(one.is_form_code("sign-out", &code));
        assert!(!one.is_form_code("credentials", &code) && !other.is_form_code("sign-out", &code));
        for bad in ["", "00", &code[..62], &code.to_uppercase(), &other.form_code("sign-out")] {
            assert!(!one.is_form_code("sign-out", bad), "{bad}");
        }
    }
}
