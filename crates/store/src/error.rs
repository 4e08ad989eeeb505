//! What can go wrong with a store, told apart by what the caller should do next.

use std::path::PathBuf;

use crate::record::{
    COMMIT_BYTES_MAX, COMMIT_CHANGES_MAX, COMMIT_GUARDS_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX,
};

/// Why a commit, or the spending of a fact, was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// A guard did not hold; nothing happened. Take a newer snapshot, decide again.
    #[error("the store changed underneath the commit")]
    Conflict,
    /// The store cannot be reached or refuses; nothing happened.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Neither done nor failed. Read again: the store shows whether it happened.
    #[error("the outcome of the commit is unknown")]
    Unknown,
    /// No room left; nothing happened. Reads go on.
    #[error("the disk of the store is full")]
    Full,
    /// The commit itself is out of bounds; nothing happened, and it never will.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

/// Why a store could not be read or backed up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached, or its medium fails.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What is in it is not what was written.
    #[error("the store is damaged: {0}; restore the last backup, and keep the damaged file")]
    Damaged(String),
    /// A prefix is out of bounds.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// This backend cannot do that.
    #[error("this store cannot {0}")]
    Unsupported(&'static str),
    /// The backup's destination exists; it was left alone.
    #[error("`{}` exists already; name a file that does not", .0.display())]
    Exists(PathBuf),
    /// The backup could not be written.
    #[error("cannot write the backup `{}`: {detail}", path.display())]
    Backup {
        /// The destination.
        path: PathBuf,
        /// What the system or SQLite said, and what to do.
        detail: String,
    },
}

/// An input beyond a bound of this store. Numbers are what was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The empty key.
    #[error("a key cannot be empty")]
    KeyEmpty,
    /// More than [`KEY_BYTES_MAX`] bytes.
    #[error("a key of {0} bytes is longer than {KEY_BYTES_MAX}")]
    KeyTooLong(usize),
    /// A control character in a key or prefix.
    #[error("a key cannot hold control characters")]
    KeyControl,
    /// One key twice among the puts and deletes of a commit.
    #[error("a commit names one key twice")]
    KeyTwice,
    /// More than [`VALUE_BYTES_MAX`] bytes.
    #[error("a value of {0} bytes is larger than {VALUE_BYTES_MAX}")]
    ValueTooLarge(usize),
    /// More than [`COMMIT_CHANGES_MAX`] puts and deletes.
    #[error("a commit of {0} changes is larger than {COMMIT_CHANGES_MAX}")]
    TooManyChanges(usize),
    /// More than [`COMMIT_GUARDS_MAX`] guards.
    #[error("a commit of {0} guards has more than {COMMIT_GUARDS_MAX}")]
    TooManyGuards(usize),
    /// More than [`COMMIT_BYTES_MAX`] bytes of keys and values.
    #[error("a commit of {0} bytes is larger than {COMMIT_BYTES_MAX}")]
    CommitTooLarge(usize),
}
