//! Time as a parameter. Nothing in daypass asks the system for the time but [`SystemClock`].

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The present moment, UTC.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that tests set and move; it never moves by itself.
#[derive(Debug)]
pub struct MockClock(AtomicI64);

impl MockClock {
    /// A clock that stands at `start`, to the millisecond.
    #[must_use]
    pub fn at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.as_millisecond()))
    }

    /// Move forward (or back) by `seconds`.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// `2026-01-02T03:04:05Z`: ISO 8601, UTC, whole seconds, as AWS's Query services print times.
#[must_use]
pub fn rfc3339_seconds(time: Timestamp) -> String {
    let utc = TimeZone::UTC.to_datetime(time);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        utc.year(),
        utc.month(),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_as_whole_seconds_with_z() {
        let time: Timestamp = "2019-11-09T13:34:41.987Z".parse().unwrap();
        assert_eq!(rfc3339_seconds(time), "2019-11-09T13:34:41Z");
    }

    #[test]
    fn a_mock_clock_moves_only_when_told() {
        let clock = MockClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        let first = clock.now();
        assert_eq!(clock.now(), first);
        clock.advance(61);
        assert_eq!(clock.now().as_second() - first.as_second(), 61);
    }
}
