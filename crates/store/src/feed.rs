//! The recent changes of a store, kept in a bounded ring that all watchers share. A watcher is a
//! cursor into it: one that falls behind the ring costs nothing and is told to load again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::record::{Change, Revision};

/// Most changes kept for watchers.
pub const HISTORY_CHANGES_MAX: usize = 4096;
/// Most bytes of changes kept for watchers (the newest change is kept whatever its size).
pub const HISTORY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The changes asked for are no longer kept: load again and watch from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the changes since then are no longer kept; load again")]
pub struct Compacted;

/// Why a watch gives nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchEnd {
    /// The watcher fell behind what is kept.
    #[error(transparent)]
    Compacted(#[from] Compacted),
    /// The store was closed; every change before that was given.
    #[error("the store was closed")]
    Closed,
}

/// The changes of a store in order, one for each commit, from some revision on.
#[derive(Debug)]
pub struct Watch {
    feed: Arc<Feed>,
    after: Revision,
}

impl Watch {
    /// Waits for the next change. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`WatchEnd::Compacted`]: load again, then watch anew. [`WatchEnd::Closed`]: nothing will come.
    pub async fn next(&mut self) -> Result<Arc<Change>, WatchEnd> {
        loop {
            let feed = Arc::clone(&self.feed);
            // Made before looking: a change published in between wakes it.
            let woken = feed.woken.notified();
            if let Some(change) = self.try_next()? {
                return Ok(change);
            }
            woken.await;
        }
    }

    /// The next change if it is there already.
    ///
    /// # Errors
    /// As [`next`](Watch::next).
    pub fn try_next(&mut self) -> Result<Option<Arc<Change>>, WatchEnd> {
        let change = self.feed.after(self.after)?;
        if let Some(change) = &change {
            self.after = change.revision;
        }
        Ok(change)
    }

    /// The revision of the last change given, or the one the watch began after.
    #[must_use]
    pub fn position(&self) -> Revision {
        self.after
    }
}

/// The writing end: backends publish here after a commit is durable and before they acknowledge it.
#[derive(Debug)]
pub(crate) struct Feed {
    ring: Mutex<Ring>,
    woken: Notify,
}

#[derive(Debug)]
struct Ring {
    /// INVARIANT (watch-complete): every change after `floor` up to `current` is in `changes`.
    changes: VecDeque<Arc<Change>>,
    bytes: usize,
    floor: Revision,
    current: Revision,
    closed: bool,
}

impl Feed {
    /// A feed of a store that stands at `current`; what came before is not kept.
    pub(crate) fn new(current: Revision) -> Arc<Self> {
        let ring = Ring { changes: VecDeque::new(), bytes: 0, floor: current, current, closed: false };
        Arc::new(Self { ring: Mutex::new(ring), woken: Notify::new() })
    }

    /// The revision of the last change published.
    pub(crate) fn current(&self) -> Revision {
        self.ring().current
    }

    pub(crate) fn watch(self: &Arc<Self>, after: Revision) -> Result<Watch, Compacted> {
        self.ring().covers(after)?;
        Ok(Watch { feed: Arc::clone(self), after })
    }

    /// Adds changes in order, each newer than the last.
    pub(crate) fn publish(&self, changes: impl IntoIterator<Item = Change>) {
        {
            let mut ring = self.ring();
            for change in changes {
                ring.push(change);
            }
        }
        self.woken.notify_waiters();
    }

    /// The store stands at `revision` for reasons not seen here (a commit whose outcome was unknown):
    /// all watchers must load again.
    pub(crate) fn jump(&self, revision: Revision) {
        {
            let mut ring = self.ring();
            ring.changes.clear();
            ring.bytes = 0;
            ring.floor = revision;
            ring.current = revision;
        }
        self.woken.notify_waiters();
    }

    /// Nothing will come any more.
    pub(crate) fn close(&self) {
        self.ring().closed = true;
        self.woken.notify_waiters();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.ring().closed
    }

    /// The first change after `after`; none yet is `None`.
    fn after(&self, after: Revision) -> Result<Option<Arc<Change>>, WatchEnd> {
        let ring = self.ring();
        ring.covers(after)?;
        let at = ring.changes.partition_point(|change| change.revision <= after);
        match ring.changes.get(at) {
            Some(change) => Ok(Some(Arc::clone(change))),
            None if ring.closed => Err(WatchEnd::Closed),
            None => Ok(None),
        }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // Nothing in the critical sections can leave the ring half-changed.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn covers(&self, after: Revision) -> Result<(), Compacted> {
        if after < self.floor || after > self.current { Err(Compacted) } else { Ok(()) }
    }

    fn push(&mut self, change: Change) {
        debug_assert!(change.revision > self.current, "changes come in order");
        self.current = change.revision;
        self.bytes += change.weight();
        self.changes.push_back(Arc::new(change));
        while self.changes.len() > 1
            && (self.changes.len() > HISTORY_CHANGES_MAX || self.bytes > HISTORY_BYTES_MAX)
        {
            let Some(oldest) = self.changes.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(oldest.weight());
            self.floor = oldest.revision;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(number: u64) -> Change {
        Change { revision: Revision::new(number), puts: Vec::new(), deletes: Vec::new() }
    }

    #[test]
    fn the_ring_is_bounded_and_a_watcher_behind_it_is_told() {
        let feed = Feed::new(Revision::ZERO);
        let mut slow = feed.watch(Revision::ZERO).unwrap();
        let max = HISTORY_CHANGES_MAX as u64;
        feed.publish((1..=max).map(change));
        assert_eq!(slow.try_next().unwrap().unwrap().revision, Revision::new(1));
        feed.publish([change(max + 1), change(max + 2)]);
        assert_eq!(slow.try_next(), Err(WatchEnd::Compacted(Compacted)));
        assert_eq!(feed.ring().changes.len(), HISTORY_CHANGES_MAX);
        assert!(feed.watch(Revision::new(2)).is_ok(), "all after 2 is kept");
        assert!(feed.watch(Revision::new(1)).is_err());
    }

    #[test]
    fn a_jump_makes_every_watcher_load_again() {
        let feed = Feed::new(Revision::new(5));
        let mut watch = feed.watch(Revision::new(5)).unwrap();
        feed.jump(Revision::new(9));
        assert_eq!(watch.try_next(), Err(WatchEnd::Compacted(Compacted)));
        assert!(feed.watch(Revision::new(9)).is_ok());
    }

    #[test]
    fn a_closed_feed_gives_what_it_has_and_then_ends() {
        let feed = Feed::new(Revision::ZERO);
        let mut watch = feed.watch(Revision::ZERO).unwrap();
        feed.publish([change(1)]);
        feed.close();
        assert_eq!(watch.try_next().unwrap().unwrap().revision, Revision::new(1));
        assert_eq!(watch.try_next(), Err(WatchEnd::Closed));
    }
}
