//! Twelve-digit account numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An AWS account number: twelve decimal digits, leading zeroes included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 12]);

/// The text was not twelve decimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an account id is twelve decimal digits")]
pub struct InvalidAccountId;

impl AccountId {
    /// All zeros: what stands for accounts that are none.
    pub const ZERO: Self = Self([b'0'; 12]);

    /// The account with this number; `None` above 999,999,999,999.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        (number <= 999_999_999_999).then(|| format!("{number:012}").parse().ok()).flatten()
    }

    /// The number, for embedding in access key ids.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
    }

    /// The twelve digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT (account-digits): `FromStr` is the only constructor and admits ASCII digits only.
        std::str::from_utf8(&self.0).unwrap_or("000000000000")
    }

    /// `arn:aws:iam::<account>:root`, the ARN of the account and of its root user.
    #[must_use]
    pub fn root_arn(&self) -> String {
        format!("arn:aws:iam::{self}:root")
    }
}

impl FromStr for AccountId {
    type Err = InvalidAccountId;

    fn from_str(text: &str) -> Result<Self, InvalidAccountId> {
        let digits: [u8; 12] = text.as_bytes().try_into().map_err(|_| InvalidAccountId)?;
        if digits.iter().all(u8::is_ascii_digit) { Ok(Self(digits)) } else { Err(InvalidAccountId) }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_twelve_ascii_digits_are_an_account() {
        assert_eq!("012345678901".parse::<AccountId>().unwrap().number(), 12_345_678_901);
        for bad in ["", "1234", "1234567890123", "12345678901a", "１２３４"] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
        }
        assert_eq!(AccountId::from_number(7).unwrap().as_str(), "000000000007");
        assert!(AccountId::from_number(1_000_000_000_000).is_none());
    }
}
