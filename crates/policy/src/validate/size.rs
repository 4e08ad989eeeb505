//! How long a document of each kind may be, by the quotas that one document alone can break.
//!
//! It is no part of `validate`: IAM looks at what a document says first, and has another error for its length.
//! Figures: IAM User Guide, "IAM and AWS STS quotas"; AWS Organizations User Guide, "Quotas and service limits".

use super::Kind;
use crate::text::size_without_white_space;

/// A document that is longer than any of its kind may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong {
    kind: Kind,
    size: usize,
    size_max: usize,
}

/// Whether the document is within the quota of its kind.
///
/// ```
/// use daypass_policy::{Kind, check_size};
/// let blank = " ".repeat(5000);
/// assert!(check_size(Kind::Trust, &blank).is_ok());
/// assert_eq!(check_size(Kind::Scp, &blank), Ok(()));
/// assert!(check_size(Kind::Scp, &" ".repeat(5121)).is_err());
/// ```
///
/// # Errors
///
/// `TooLong`, which says how long it is and how long it may be.
pub fn check_size(kind: Kind, text: &str) -> Result<(), TooLong> {
    let Some(size_max) = kind.size_max() else { return Ok(()) };
    let size = if kind.counts_white_space() { text.chars().count() } else { size_without_white_space(text) };
    if size > size_max { Err(TooLong { kind, size, size_max }) } else { Ok(()) }
}

impl Kind {
    /// Most characters of a document. Inline policies share one quota with the others of their user, group or role:
    /// this is the largest of the three, which a role has. The quotas of other services' policies are theirs.
    #[must_use]
    pub const fn size_max(self) -> Option<usize> {
        match self {
            Kind::Managed | Kind::Boundary => Some(6144),
            Kind::Inline => Some(10_240),
            Kind::Session | Kind::Trust => Some(2048),
            Kind::Scp | Kind::Rcp => Some(5120),
            Kind::Resource => None,
        }
    }

    fn counts_white_space(self) -> bool {
        matches!(self, Kind::Session | Kind::Scp | Kind::Rcp)
    }
}

impl TooLong {
    /// AWS's `LimitExceeded` text, where it names nothing but the quota.
    #[must_use]
    pub fn aws_message(&self) -> Option<String> {
        let quota = match self.kind {
            Kind::Managed | Kind::Boundary => "PolicySize",
            Kind::Trust => "ACLSizePerRole",
            _ => return None,
        };
        Some(format!("Cannot exceed quota for {quota}: {}", self.size_max))
    }
}

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let TooLong { kind, size, size_max } = self;
        let white_space =
            if kind.counts_white_space() { "white space included" } else { "without white space" };
        let note = match kind {
            Kind::Inline => "; users and groups have less, and an entity's inline policies share it",
            Kind::Trust => ", although AWS raises this quota to 4096 for accounts that ask",
            _ => "",
        };
        write!(f, "The policy has {size} characters {white_space}; {size_max} are the most{note}.")
    }
}

impl std::error::Error for TooLong {}
