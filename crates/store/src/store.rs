//! The trait every backend implements; narrow on purpose.

use std::path::Path;
use std::pin::Pin;

use crate::error::{CommitError, StoreError};
use crate::feed::{Compacted, Watch};
use crate::record::{Commit, Record, Revision, Spent};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A store of records. Object safe: pass it as `Arc<dyn Store>`.
///
/// Dropping a future stops the waiting, not the work: a commit already handed over may still happen.
pub trait Store: Send + Sync + 'static {
    /// Every record whose key begins with `prefix`, in byte order of the keys, as they were at one
    /// moment, and the store's revision at that moment. It contains every commit acknowledged before
    /// the call. The empty prefix means all.
    ///
    /// # Errors
    /// The store is away, or the prefix is out of bounds.
    fn load(&self, prefix: &str) -> BoxFuture<'_, Result<(Revision, Vec<Record>), StoreError>>;

    /// Does all of `commit` if its guards hold, and answers when that is durable and in the watch.
    ///
    /// # Errors
    /// [`CommitError::Unknown`] means that it may have happened; after any other error it did not.
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Revision, CommitError>>;

    /// The changes of every commit after `after`, typically the revision of a [`load`](Store::load).
    ///
    /// # Errors
    /// The changes since then are no longer kept, or this store never was at `after`: load again.
    fn watch(&self, after: Revision) -> Result<Watch, Compacted>;

    /// The revision of the newest commit of any node.
    ///
    /// # Errors
    /// The store is away.
    fn current(&self) -> BoxFuture<'_, Result<Revision, StoreError>>;

    /// Spends `fact` until `expires_at` (Unix seconds, as is `now`). Among any number of calls
    /// exactly one hears [`Spent::First`] while the fact lives; a fact that has expired at `now` is
    /// [`Spent::Already`], and so is one that may have been forgotten because a clock ran ahead for
    /// longer than [`SPENT_KEPT_SECONDS`](crate::SPENT_KEPT_SECONDS).
    /// Afterwards the same text may be spent again with a later expiry. Durable before it answers.
    ///
    /// # Errors
    /// As for a commit; never [`CommitError::Conflict`]. After [`CommitError::Unknown`] the fact must
    /// be taken as spent.
    fn spend(&self, fact: &str, expires_at: i64, now: i64) -> BoxFuture<'_, Result<Spent, CommitError>>;

    /// Writes a consistent copy of the whole store to `path`, which must not exist, while commits go
    /// on; answers the revision of the copy. The destination appears complete or not at all.
    ///
    /// # Errors
    /// The destination exists or cannot be written, or the backend has no backups.
    fn backup(&self, path: &Path) -> BoxFuture<'_, Result<Revision, StoreError>>;

    /// Writes something that changes nothing, behind everything that was handed over before. Once it has answered, each
    /// of those commits is in the watch or never will be: also one that was [`CommitError::Unknown`], or that nobody
    /// waits for any more.
    ///
    /// # Errors
    /// As for a commit; nothing is known then.
    fn settle(&self) -> BoxFuture<'_, Result<(), CommitError>>;

    /// Whether commits come through, as far as this node knows: the last one did. While none does, the store
    /// tries before it answers.
    ///
    /// # Errors
    /// Why not, for the operator.
    fn writable(&self) -> BoxFuture<'_, Result<(), String>>;
}
