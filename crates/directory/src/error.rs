//! Why the directory could not be opened, or a change was not made.

use daypass_authn::token::BadSeal;
use daypass_store::{CommitError, Invalid, StoreError};

use crate::entity::Unreadable;

/// Why a directory could not be opened. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store did not answer.
    #[error("the store cannot be read: {0}")]
    Store(#[from] StoreError),
    /// The store did not take the first records.
    #[error("the store cannot be written: {0}")]
    Commit(CommitError),
    /// Sealed with another master key.
    #[error("this is not the master key that the data was sealed with; give the one that was made with it")]
    WrongMasterKey,
    /// A secret is too large to be sealed; ours are not.
    #[error("a secret could not be sealed")]
    Seal(#[from] BadSeal),
    /// Some record is damaged.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCommitted {
    /// A record it was decided on has changed: decide again from a newer snapshot.
    #[error("a record changed meanwhile")]
    Conflict,
    /// The store is away; nothing was written.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Nobody can tell, now: it may have been written, or may yet be.
    #[error("the outcome is unknown: {0}")]
    Unknown(String),
    /// No space left: nothing was written.
    #[error("the disk is full")]
    Full,
    /// The store takes nothing so large: nothing was written, and trying again does not help.
    #[error(transparent)]
    OutOfBounds(Invalid),
}
