//! The nouns of daypass: accounts, ARNs, ids, tags, secrets, limits, and the clock and randomness
//! that everything else takes as parameters.
//!
//! This room answers for what these things *are* (their form, their bounds, their order) and knows
//! nothing of requests, policies, storage or time of day. It is pure: no I/O, no ambient clock.
//!
//! Governing documents: the AWS IAM User Guide (identifiers, tags, quotas) and the AWS General
//! Reference (ARN format).

mod account;
mod arn;
mod authority;
mod clock;
mod id;
pub mod limits;
mod name;
mod random;
mod secret;
mod tag;
mod text;

pub use account::{AccountId, InvalidAccountId};
pub use arn::{Arn, InvalidArn, entity_arn};
pub use authority::{Authority, InvalidAuthority};
pub use clock::{Clock, MockClock, SystemClock, rfc3339_seconds};
pub use id::{
    AccessKeyId, AccessKeyKind, EntityKind, InvalidAccessKeyId, InvalidSessionId, SessionId, UniqueId, uuid,
};
pub use name::{fold_name, is_reserved_path, is_service_linked, is_session_name, is_source_identity};
pub use random::{Random, SeededRandom};
pub use secret::Secret;
pub use tag::{Tag, TagSet, is_reserved, same_key};
pub use text::cut;
