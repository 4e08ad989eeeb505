//! The session log: which sessions were issued, for whoever looks for one. Information, never authority: a token opens
//! and a revocation holds whether the log knows the session or not.
//!
//! It is bounded, and of this server alone. Issuing hands an entry over and goes on; what does not fit is counted, and
//! lists then say that they may be incomplete. Where entries are kept beyond this process is the server's business
//! ([`SessionQueue`]).

mod entry;
mod index;

use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use daypass_model::AccountId;

pub use entry::{Requester, Selection, SessionEntry, Status};
pub use index::{Found, LOOKED_AT_MAX, Position, SessionIndex};

/// The way of an entry into the index.
pub trait SessionQueue: Send + Sync + 'static {
    /// Take an entry without waiting for anything. `false` when there is no room for it.
    fn push(&self, entry: SessionEntry) -> bool;

    /// Completes when what was pushed before is in the index, or after a short while.
    fn caught_up(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// See the module.
pub struct SessionLog {
    index: Arc<Mutex<SessionIndex>>,
    queue: Box<dyn SessionQueue>,
    lost: AtomicU64,
    /// The latest end among the lost ones.
    lost_until: AtomicI64,
}

impl SessionLog {
    /// A log whose entries come into the index through this queue.
    #[must_use]
    pub fn new(index: Arc<Mutex<SessionIndex>>, queue: Box<dyn SessionQueue>) -> Self {
        Self { index, queue, lost: AtomicU64::new(0), lost_until: AtomicI64::new(i64::MIN) }
    }

    /// A log of at most so many sessions that ends with this process.
    #[must_use]
    pub fn in_memory(sessions_max: usize) -> Self {
        let index = Arc::new(Mutex::new(SessionIndex::new(sessions_max)));
        Self::new(index.clone(), Box::new(Straight(index)))
    }

    /// Take in what is known of a session.
    pub fn keep(&self, entry: SessionEntry) {
        let end = entry.expires_at;
        if !self.queue.push(entry) {
            self.lost.fetch_add(1, Ordering::SeqCst);
            self.lost_until.fetch_max(end, Ordering::SeqCst);
        }
    }

    /// How many sessions were issued that the log never had, since the start.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::SeqCst)
    }

    /// The index at this moment (Unix seconds), with everything in it that was issued before.
    pub async fn read(&self, now: i64) -> Reading<'_> {
        self.queue.caught_up().await;
        let index = lock(&self.index);
        let lost_live = self.lost_until.load(Ordering::SeqCst) > now;
        Reading { may_be_incomplete: lost_live || index.has_dropped_live(now), index }
    }
}

impl SessionLog {
    /// Before which second sessions of a user, role or root were issued that were issued by now: those of this very
    /// second, and those that come from a clock which was ahead, as far as the log knows.
    pub async fn issued_by_now(&self, account: AccountId, principal_id: &str, now: i64) -> i64 {
        let newest = self.read(now).await.index.newest_since(account, principal_id, now);
        newest.unwrap_or(now).saturating_add(1)
    }
}

/// The index, while somebody looks.
pub struct Reading<'a> {
    /// It.
    pub index: MutexGuard<'a, SessionIndex>,
    /// Whether sessions that live are missing.
    pub may_be_incomplete: bool,
}

struct Straight(Arc<Mutex<SessionIndex>>);

impl SessionQueue for Straight {
    fn push(&self, entry: SessionEntry) -> bool {
        lock(&self.0).insert(entry);
        true
    }

    fn caught_up(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}

fn lock(index: &Mutex<SessionIndex>) -> MutexGuard<'_, SessionIndex> {
    index.lock().unwrap_or_else(PoisonError::into_inner)
}
