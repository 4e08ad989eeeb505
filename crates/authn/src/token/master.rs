//! The master key: seals secrets inside records, so that a stolen database or backup opens nothing.

use data_encoding::{BASE64, BASE64_NOPAD};
use daypass_model::{Random, Secret};

use super::aead::{Aead, purpose_key};

const SALT: &[u8] = b"daypass master key v1";
const VERSION: u8 = 1;
/// Longest sealed text that is looked at.
const SEALED_SIZE_MAX: usize = 1024 * 1024;

/// Seals what records keep secret, each bound to its record's key.
pub struct MasterKey {
    secret: Secret,
    records: Aead,
}

/// The text is not a master key: 32 bytes in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 32 bytes in base64")]
pub struct InvalidMasterKey;

/// What a record holds was not sealed with this master key for that record, or was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open: another master key, another record, or damaged")]
pub struct BadSeal;

impl MasterKey {
    /// A new master key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut secret = vec![0; 32];
        random.fill(&mut secret);
        Self::of(Secret::new(secret))
    }

    /// Read a master key: 44 characters of base64, white space around them ignored.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn from_text(text: &Secret) -> Result<Self, InvalidMasterKey> {
        let text = text.expose().trim_ascii();
        let secret = Secret::new(BASE64.decode(text).map_err(|_| InvalidMasterKey)?);
        if secret.expose().len() == 32 { Ok(Self::of(secret)) } else { Err(InvalidMasterKey) }
    }

    /// Whether it is one byte over and over: nobody drew that, and whoever guesses begins with it.
    #[must_use]
    pub fn is_one_byte_repeated(&self) -> bool {
        let secret = self.secret.expose();
        secret.iter().all(|byte| Some(byte) == secret.first())
    }

    /// The master key in base64, for its file.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        Secret::new(BASE64.encode(self.secret.expose()))
    }

    /// Seal a secret of the record under `record_key`.
    ///
    /// ```text
    /// base64( version | 96-bit nonce | ciphertext | tag ),  associated data: version | record key
    /// ```
    ///
    /// # Errors
    /// When the value is too large to be opened again.
    pub fn seal(&self, record_key: &str, value: &[u8], random: &dyn Random) -> Result<String, BadSeal> {
        let sealed = self.records.seal(&[VERSION], record_key.as_bytes(), value, random);
        let text = BASE64_NOPAD.encode(&sealed.map_err(|_| BadSeal)?);
        if text.len() > SEALED_SIZE_MAX { Err(BadSeal) } else { Ok(text) }
    }

    /// Open what [`MasterKey::seal`] made for the same record.
    ///
    /// # Errors
    /// When the key, the record or any bit is another one.
    pub fn open(&self, record_key: &str, sealed: &str) -> Result<Secret, BadSeal> {
        if sealed.len() > SEALED_SIZE_MAX {
            return Err(BadSeal);
        }
        let bytes = BASE64_NOPAD.decode(sealed.as_bytes()).map_err(|_| BadSeal)?;
        if bytes.first() != Some(&VERSION) {
            return Err(BadSeal);
        }
        let plain = self.records.open(1, record_key.as_bytes(), bytes).map_err(|_| BadSeal)?;
        Ok(Secret::new(plain.as_slice()))
    }

    fn of(secret: Secret) -> Self {
        let records = Aead::new(&purpose_key(secret.expose(), SALT, b"records v1"));
        Self { secret, records }
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(<secret>)")
    }
}

#[cfg(test)]
mod tests {
    use daypass_model::SeededRandom;

    use super::*;

    #[test]
    fn a_sealed_value_opens_for_its_record_only() {
        let random = SeededRandom::new(3);
        let master = MasterKey::generate(&random);
        let sealed = master.seal("/access-key/AKIA1", b"wJalrXUtnFEMI", &random).unwrap();
        assert_eq!(master.open("/access-key/AKIA1", &sealed).unwrap().expose(), b"wJalrXUtnFEMI");
        assert_eq!(master.open("/access-key/AKIA2", &sealed).unwrap_err(), BadSeal);
        assert!(MasterKey::generate(&random).open("/access-key/AKIA1", &sealed).is_err());
        let bytes = BASE64_NOPAD.decode(sealed.as_bytes()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(master.open("/access-key/AKIA1", &BASE64_NOPAD.encode(&changed)).is_err(), "bit {bit}");
        }
        for end in 0..sealed.len() {
            assert!(master.open("/access-key/AKIA1", &sealed[..end]).is_err());
        }
    }

    #[test]
    fn a_value_is_sealed_only_if_it_can_be_opened_again() {
        let random = SeededRandom::new(3);
        let master = MasterKey::generate(&random);
        // Beside the value: the version, a nonce and a tag.
        let most = SEALED_SIZE_MAX * 3 / 4 - 1 - 12 - 16;
        let sealed = master.seal("/a", &vec![1; most], &random).unwrap();
        assert_eq!(sealed.len(), SEALED_SIZE_MAX);
        assert_eq!(master.open("/a", &sealed).unwrap().expose().len(), most);
        assert!(master.seal("/a", &vec![1; most + 1], &random).is_err());
        assert!(most > 700_000);
    }

    #[test]
    fn a_master_key_reads_what_it_wrote() {
        let master = MasterKey::generate(&SeededRandom::new(4));
        let text = master.to_text();
        let again = MasterKey::from_text(&Secret::new([text.expose(), b"\n"].concat())).unwrap();
        assert_eq!(again.to_text(), text);
        assert_eq!(text.expose().len(), 44);
        for bad in ["", "short", "AAAA", &"A".repeat(44)] {
            assert!(MasterKey::from_text(&Secret::new(bad)).is_err(), "{bad}");
        }
        assert_eq!(format!("{master:?}"), "MasterKey(<secret>)");
    }

    #[test]
    fn a_key_that_nobody_drew_is_known() {
        let of = |bytes: &[u8]| MasterKey::from_text(&Secret::new(BASE64.encode(bytes))).unwrap();
        for byte in [0, b'x', 255] {
            assert!(of(&[byte; 32]).is_one_byte_repeated());
        }
        let mut but_one = [0; 32];
        but_one[31] = 1;
        assert!(!of(&but_one).is_one_byte_repeated());
        assert!(!MasterKey::generate(&SeededRandom::new(5)).is_one_byte_repeated());
    }
}
