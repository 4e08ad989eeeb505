//! The record store: remembers bytes under keys, on one node or several, and refuses to know what
//! the bytes mean.
//!
//! What it promises, for every backend ([`conformance`](#conformance) checks all of it):
//! - a [`Commit`] happens whole or not at all, and only while each of its [`Guard`]s holds;
//! - an acknowledged commit is durable (as far as the backend is) and already in every [`Watch`];
//! - revisions grow store-wide, one for each commit that changes something;
//! - a watch gives every change once, in order, or says [`Compacted`]: then load again;
//! - a fact is [`spent`](Store::spend) first exactly once.
//!
//! There are no reads at old revisions and no scans for anything but a prefix: readers keep the
//! whole state in memory and follow the watch.
//!
//! # Conformance
//! The module `conformance` (feature of the same name) holds the suite that a backend must pass.

#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod feed;
mod guard;
mod lock;
mod memory;
mod record;
mod sqlite;
mod store;

pub use error::{CommitError, Invalid, StoreError};
pub use feed::{Compacted, HISTORY_BYTES_MAX, HISTORY_CHANGES_MAX, Watch, WatchEnd};
pub use lock::{DirLock, LockError, Look};
pub use memory::{Fault, MemoryStore};
pub use record::{
    COMMIT_BYTES_MAX, COMMIT_CHANGES_MAX, COMMIT_GUARDS_MAX, Change, Commit, Guard, KEY_BYTES_MAX, Record,
    Revision, SPENT_KEPT_SECONDS, Spent, VALUE_BYTES_MAX,
};
pub use sqlite::{Holding, Known, OpenError, Place, SqliteStore};
pub use store::{BoxFuture, Store};
