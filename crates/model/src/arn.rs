//! Amazon Resource Names: `arn:partition:service:region:account:resource`.

use std::fmt;
use std::str::FromStr;

use crate::limits::ARN_LENGTH_MAX;
use crate::{AccountId, EntityKind};

/// A parsed ARN. It keeps the text as given; the six fields are views of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    text: String,
    /// Byte positions of the five colons that end the first five fields.
    colons: [u16; 5],
}

/// The text is not an ARN: fewer than six fields, another first field, or too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an ARN")]
pub struct InvalidArn;

impl Arn {
    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `aws`, `aws-cn`, …
    #[must_use]
    pub fn partition(&self) -> &str {
        self.field(0)
    }

    /// `iam`, `sts`, `s3`, …
    #[must_use]
    pub fn service(&self) -> &str {
        self.field(1)
    }

    /// The region, empty for global services.
    #[must_use]
    pub fn region(&self) -> &str {
        self.field(2)
    }

    /// The account field as written: empty, `aws`, or twelve digits.
    #[must_use]
    pub fn account(&self) -> &str {
        self.field(3)
    }

    /// The account field when it is an account number.
    #[must_use]
    pub fn account_id(&self) -> Option<AccountId> {
        self.account().parse().ok()
    }

    /// Everything after the fifth colon; may itself hold colons and slashes.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.text.get(usize::from(self.colons[4]) + 1..).unwrap_or_default()
    }

    /// The resource split at its first slash: `user/div/Bob` → (`user`, `div/Bob`).
    #[must_use]
    pub fn resource_parts(&self) -> Option<(&str, &str)> {
        self.resource().split_once('/')
    }

    fn field(&self, n: usize) -> &str {
        let bounds = self.colons.get(n).zip(self.colons.get(n + 1));
        bounds
            .and_then(|(&from, &to)| self.text.get(usize::from(from) + 1..usize::from(to)))
            .unwrap_or_default()
    }
}

/// `arn:aws:iam::<account>:<kind><path><name>`, the ARN of an entity; of a collection, with an empty name.
#[must_use]
pub fn entity_arn(account: AccountId, kind: EntityKind, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:{}{path}{name}", kind.word())
}

impl FromStr for Arn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        if text.len() > ARN_LENGTH_MAX || !text.starts_with("arn:") {
            return Err(InvalidArn);
        }
        let mut colons = [0; 5];
        let mut found = text.match_indices(':').map(|(at, _)| at);
        for slot in &mut colons {
            *slot = u16::try_from(found.next().ok_or(InvalidArn)?).map_err(|_| InvalidArn)?;
        }
        let arn = Self { text: text.to_owned(), colons };
        if arn.partition().is_empty() || arn.service().is_empty() || arn.resource().is_empty() {
            return Err(InvalidArn);
        }
        Ok(arn)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_split_at_the_first_five_colons() {
        let arn: Arn = "arn:aws:logs:eu-west-1:111122223333:log-group:x:*".parse().unwrap();
        assert_eq!(
            (arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource()),
            ("aws", "logs", "eu-west-1", "111122223333", "log-group:x:*")
        );
        let user: Arn = "arn:aws:iam::111122223333:user/div/Bob".parse().unwrap();
        assert_eq!(user.resource_parts(), Some(("user", "div/Bob")));
        assert_eq!(user.account_id().unwrap().as_str(), "111122223333");
    }

    #[test]
    fn what_has_fewer_than_six_fields_is_no_arn() {
        for bad in [
            "",
            "arn",
            "arn:aws:iam::1",
            "=arn:aws:iam::1:x",
            "nothing-valid-in-here",
            "arn:aws:iam::123456789012:",
        ] {
            assert!(bad.parse::<Arn>().is_err(), "{bad}");
        }
        assert!(format!("arn:aws:s3:::{}", "x".repeat(2048)).parse::<Arn>().is_err());
    }
}
