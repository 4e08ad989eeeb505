//! Whether writes come through: noted by the writer, asked by whoever watches over the server.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A disk that takes longer for one transaction is no disk to rely on.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// The writer's state, as others may see it.
#[derive(Debug, Default)]
pub(super) struct Pulse(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When the writer took up what it works on.
    busy_since: Option<Instant>,
    /// The last write failed, until one succeeds.
    failed: bool,
}

/// Why writes do not come through.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The last one failed.
    Failed,
    /// One has been waiting for the disk for so long.
    Stuck(Duration),
}

impl Pulse {
    /// The writer begins.
    pub(super) fn begin(&self) {
        self.state().busy_since = Some(now());
    }

    /// The writer waits for work.
    pub(super) fn end(&self) {
        self.state().busy_since = None;
    }

    /// Something is on the disk. Whether that ends a trouble.
    pub(super) fn wrote(&self) -> bool {
        std::mem::take(&mut self.state().failed)
    }

    /// Something should be, and is not or may not be. Whether that begins a trouble.
    pub(super) fn failed(&self) -> bool {
        !std::mem::replace(&mut self.state().failed, true)
    }

    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble_at(now())
    }

    fn trouble_at(&self, now: Instant) -> Option<Trouble> {
        let state = self.state();
        let waiting = state.busy_since.map(|since| now.saturating_duration_since(since));
        match waiting.filter(|waiting| *waiting >= STUCK_AFTER) {
            Some(waiting) => Some(Trouble::Stuck(waiting)),
            None => state.failed.then_some(Trouble::Failed),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long the disk takes is measured, never compared with a date"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_does_not_come_back_is_told_after_a_while() {
        let pulse = Pulse::default();
        pulse.begin();
        let began = pulse.state().busy_since.unwrap();
        assert_eq!(pulse.trouble_at(began + Duration::from_secs(9)), None);
        let waited = Duration::from_secs(42);
        assert_eq!(pulse.trouble_at(began + waited), Some(Trouble::Stuck(waited)));
        pulse.end();
        assert_eq!(pulse.trouble_at(began + waited), None);
    }

    #[test]
    fn a_failure_is_told_until_a_write_succeeds() {
        let pulse = Pulse::default();
        assert!(!pulse.wrote(), "nothing was wrong");
        assert!(pulse.failed() && !pulse.failed(), "said once");
        assert_eq!(pulse.trouble(), Some(Trouble::Failed));
        assert!(pulse.wrote() && !pulse.wrote());
        assert_eq!(pulse.trouble(), None);
    }
}
