//! Unique ids, access key ids and session ids.
//!
//! Unique ids and access key ids: IAM User Guide, "IAM identifiers". The embedding of the account
//! number in an access key id is AWS's own (`sts:GetAccessKeyInfo` answers from it alone).

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{AccountId, Random};

/// What a unique id names; the kind is its first four letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntityKind {
    /// `AIDA…`
    User,
    /// `AROA…`
    Role,
    /// `AGPA…`
    Group,
    /// `ANPA…`, a managed policy
    Policy,
    /// `AMFA…`, a virtual MFA device. Ours: AWS shows no id of one.
    MfaDevice,
    /// `AOIP…`, an OpenID Connect provider. Ours, too.
    OidcProvider,
    /// `ASSP…`, a SAML provider. Ours, too; AWS shows ids of another form, which are made of these.
    SamlProvider,
    /// `AIPA…`, an instance profile
    InstanceProfile,
}

impl EntityKind {
    /// The four letters.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::User => "AIDA",
            Self::Role => "AROA",
            Self::Group => "AGPA",
            Self::Policy => "ANPA",
            Self::MfaDevice => "AMFA",
            Self::OidcProvider => "AOIP",
            Self::SamlProvider => "ASSP",
            Self::InstanceProfile => "AIPA",
        }
    }

    /// The word for it in ARNs and sentences: `user`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
            Self::Group => "group",
            Self::Policy => "policy",
            Self::MfaDevice => "mfa",
            Self::OidcProvider => "oidc-provider",
            Self::SamlProvider => "saml-provider",
            Self::InstanceProfile => "instance-profile",
        }
    }
}

/// A unique id: four letters for the kind and 17 characters of `[A-Z2-7]`. Never used twice, so a
/// user made again under the same name is somebody else.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UniqueId(String);

impl UniqueId {
    /// A new id of this kind: 85 random bits.
    #[must_use]
    pub fn generate(kind: EntityKind, random: &dyn Random) -> Self {
        let mut bytes = [0; 11];
        random.fill(&mut bytes);
        let mut id = String::from(kind.prefix());
        id.extend(BASE32_NOPAD.encode(&bytes).chars().take(17));
        Self(id)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for UniqueId {
    /// Take an id that a record or a token already holds.
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Long-term or temporary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessKeyKind {
    /// `AKIA…`, of a user or of root
    LongTerm,
    /// `ASIA…`, valid only together with a session token
    Temporary,
}

/// An access key id: `AKIA` or `ASIA` and 16 base32 characters that embed the account number.
/// Ids pinned by configuration (root keys) may have another form and embed none.
///
/// With 39 random bits, a temporary key's id is a hint and never an identity: sessions have ids of their own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(String);

/// The text cannot be an access key id (16–128 characters of `[A-Za-z0-9_]`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an access key id is 16 to 128 letters, digits and underscores")]
pub struct InvalidAccessKeyId;

impl AccessKeyId {
    /// A new id for a key of `account`.
    ///
    /// The ten bytes behind the 16 characters hold, from the top bit on: one set bit, the 40-bit
    /// account number, 39 random bits.
    #[must_use]
    pub fn generate(kind: AccessKeyKind, account: AccountId, random: &dyn Random) -> Self {
        let mut bytes = [0; 10];
        random.fill(&mut bytes);
        let high = (1 << 47) | (account.number() << 7) | u64::from(bytes[5] & 0x7f);
        let [.., b0, b1, b2, b3, b4, b5] = high.to_be_bytes();
        bytes[..6].copy_from_slice(&[b0, b1, b2, b3, b4, b5]);
        let prefix = match kind {
            AccessKeyKind::LongTerm => "AKIA",
            AccessKeyKind::Temporary => "ASIA",
        };
        Self(format!("{prefix}{}", BASE32_NOPAD.encode(&bytes)))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Temporary exactly when it begins `ASIA`.
    #[must_use]
    pub fn kind(&self) -> AccessKeyKind {
        if self.0.starts_with("ASIA") { AccessKeyKind::Temporary } else { AccessKeyKind::LongTerm }
    }

    /// The account number embedded in the id; `None` where the id has another form.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        let encoded = self.0.get(4..).filter(|rest| rest.len() == 16)?;
        let bytes = BASE32_NOPAD.decode(encoded.as_bytes()).ok()?;
        let high = bytes.iter().take(6).fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        AccountId::from_number((high & 0x7fff_ffff_ff80) >> 7)
    }
}

impl FromStr for AccessKeyId {
    type Err = InvalidAccessKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidAccessKeyId> {
        let fits = (16..=128).contains(&text.len());
        let word = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if fits && word { Ok(Self(text.to_owned())) } else { Err(InvalidAccessKeyId) }
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for AccessKeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AccessKeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The identity of a session: the 40-bit number of its account and 88 random bits. Prints as 32 hexadecimal digits.
///
/// The account is in it so that whoever ends a session by its id, with what it issued in other accounts too, can be
/// held to sessions of its own account, wherever the session was issued and whether or not anybody kept a list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub [u8; 16]);

/// The text is no session id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a session id is 32 hexadecimal digits in lower case")]
pub struct InvalidSessionId;

impl SessionId {
    /// A new id for a session of `account`.
    #[must_use]
    pub fn generate(account: AccountId, random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        let [_, _, _, number @ ..] = account.number().to_be_bytes();
        bytes[..5].copy_from_slice(&number);
        Self(bytes)
    }

    /// The account that the session acts in.
    #[must_use]
    pub fn account(self) -> Option<AccountId> {
        let [a, b, c, d, e, ..] = self.0;
        AccountId::from_number(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(text: &str) -> Result<Self, InvalidSessionId> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| InvalidSessionId)?;
        bytes.try_into().map(Self).map_err(|_| InvalidSessionId)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A random UUID (RFC 9562, version 4), the form of request and event ids.
#[must_use]
pub fn uuid(random: &dyn Random) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = HEXLOWER.encode(&bytes);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandom;

    #[test]
    fn uuids_are_of_version_4() {
        let id = uuid(&SeededRandom::new(5));
        let bytes = id.as_bytes();
        assert_eq!((id.len(), bytes[14], bytes[8], bytes[23]), (36, b'4', b'-', b'-'));
        assert!(b"89ab".contains(&bytes[19]), "{id}");
        assert_ne!(id, uuid(&SeededRandom::new(6)));
    }

    #[test]
    fn a_session_id_is_of_its_account_and_its_text_reads_back() {
        for (number, account) in [(0, "000000000000"), (999_999_999_999, "999999999999")] {
            let of = AccountId::from_number(number).unwrap();
            let (id, other) = (
                SessionId::generate(of, &SeededRandom::new(5)),
                SessionId::generate(of, &SeededRandom::new(6)),
            );
            assert_ne!(id, other);
            assert_eq!(id.account().unwrap().as_str(), account);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        // 999,999,999,999 is 0xE8D4A50FFF.
        let text = "e8d4a50fff0000000000000000000000";
        assert_eq!(text.parse::<SessionId>().unwrap().account().unwrap().as_str(), "999999999999");
        assert_eq!(SessionId([0xff; 16]).account(), None, "no account has so large a number");
        for bad in ["", "E8D4A50FFF0000000000000000000000", "e8d4a50fff", &text[1..], "zz"] {
            assert_eq!(bad.parse::<SessionId>(), Err(InvalidSessionId), "{bad}");
        }
    }

    #[test]
    fn the_account_is_read_from_real_access_key_ids() {
        // Pairs published by people who worked out the encoding.
        for (id, account) in
            [("ASIAQNZGKIQY56JQ7WML", "029608264753"), ("AKIASP2TPHJSQH3FJRUX", "171436882533")]
        {
            assert_eq!(id.parse::<AccessKeyId>().unwrap().account().unwrap().as_str(), account);
        }
        assert_eq!("AKIAIOSFODNN7EXAMPL".parse::<AccessKeyId>().unwrap().account(), None);
    }

    #[test]
    fn generated_keys_embed_their_account_and_kind() {
        let random = SeededRandom::new(1);
        for account in ["000000000000", "111122223333", "999999999999"] {
            let account: AccountId = account.parse().unwrap();
            for kind in [AccessKeyKind::LongTerm, AccessKeyKind::Temporary] {
                let id = AccessKeyId::generate(kind, account, &random);
                assert_eq!(id.as_str().len(), 20);
                assert_eq!((id.account(), id.kind()), (Some(account), kind));
                assert_eq!(id.as_str().parse::<AccessKeyId>().unwrap(), id);
            }
        }
    }

    #[test]
    fn unique_ids_have_the_published_form() {
        let id = UniqueId::generate(EntityKind::Role, &SeededRandom::new(7));
        assert_eq!(id.as_str().len(), 21);
        assert!(id.as_str().starts_with("AROA"));
        assert!(id.as_str().bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    }
}
