//! The audit on standard output, beside the file. Best effort: whoever reads it may be slow, stopped or gone, and
//! the file must not wait for that. So a thread of its own writes, and what it cannot take is counted.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::now;

/// Batches that may wait, each about as large as what is written to the file at once, at most.
pub(super) const BATCHES_MAX: usize = 32;
/// The shortest time between two lines in the log about what is missing.
const TELL_AFTER: Duration = Duration::from_secs(60);
/// How long the end waits for what is on its way.
const END_AFTER: Duration = Duration::from_secs(2);

pub(super) struct Echo {
    queue: SyncSender<Vec<u8>>,
    /// Nothing is ever sent: it closes with the thread.
    ended: Receiver<()>,
    counts: Arc<Counts>,
    offered: u64,
    /// How many of the missed ones the log knows of, and since when.
    told: u64,
    told_at: Option<Instant>,
}

/// Lines, by what became of them.
#[derive(Default)]
struct Counts {
    echoed: AtomicU64,
    missed: AtomicU64,
}

impl Echo {
    pub(super) fn start(mut out: Box<dyn Write + Send>) -> io::Result<Self> {
        let (queue, batches) = sync_channel::<Vec<u8>>(BATCHES_MAX);
        let (ending, ended) = sync_channel(0);
        let counts = Arc::new(Counts::default());
        let counting = counts.clone();
        std::thread::Builder::new().name("audit-stdout".into()).spawn(move || {
            let _ended: SyncSender<()> = ending;
            for batch in batches {
                let outcome = out.write_all(&batch).and_then(|()| out.flush());
                let count = if outcome.is_ok() { &counting.echoed } else { &counting.missed };
                count.fetch_add(lines(&batch), Ordering::SeqCst);
            }
        })?;
        Ok(Self { queue, ended, counts, offered: 0, told: 0, told_at: None })
    }

    /// Pass whole lines on, or count them. Never waits.
    pub(super) fn offer(&mut self, batch: &[u8]) {
        self.offered += lines(batch);
        if self.queue.try_send(batch.to_vec()).is_err() {
            self.counts.missed.fetch_add(lines(batch), Ordering::SeqCst);
        }
        let missed = self.missed();
        let now = now();
        let lately = self.told_at.is_some_and(|at| now.saturating_duration_since(at) < TELL_AFTER);
        if missed > self.told && !lately {
            (self.told, self.told_at) = (missed, Some(now));
            tell(missed);
        }
    }

    /// How many lines were not taken so far.
    fn missed(&self) -> u64 {
        self.counts.missed.load(Ordering::SeqCst)
    }

    /// Let what is on its way come through, for a while. How many lines did not.
    pub(super) fn end(self) -> u64 {
        drop(self.queue);
        // Closed or too late: which of the two, the count says.
        let _closed = self.ended.recv_timeout(END_AFTER);
        let missed = self.offered.saturating_sub(self.counts.echoed.load(Ordering::SeqCst));
        if missed > 0 {
            tell(missed);
        }
        missed
    }
}

fn tell(lines: u64) {
    tracing::warn!(
        lines,
        "standard output does not take every audit line; so many are missing there since the start, the file has them"
    );
}

fn lines(batch: &[u8]) -> u64 {
    batch.iter().filter(|byte| **byte == b'\n').count() as u64
}
