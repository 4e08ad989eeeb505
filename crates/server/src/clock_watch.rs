//! Whether the machine's clock can be right: it is not before what was written here, and it does not go back.
//!
//! With a clock that went back, sessions that are over live again and those of the time between are refused; nobody
//! would look for that at the clock. It is said in the log and nothing else comes of it.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;

use daypass_service::House;
use jiff::Timestamp;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::config::Config;
use crate::data_dir::names;

/// How often the clock is looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(10);
/// Seconds back that are told of; a clock that is kept right is put right by less.
const BACK_MAX: i64 = 60;
/// Seconds that a file system's times may be ahead: it may be another machine's.
const AHEAD_MAX: i64 = 10;

/// When the store, its log, the audit or the session log was last written.
pub(crate) fn last_written(config: &Config) -> Option<Timestamp> {
    let data = &config.data;
    let audit = config.audit_file.clone().unwrap_or_else(|| data.join(names::AUDIT));
    let log = data.join(format!("{}-wal", names::STORE));
    let files = [data.join(names::STORE), log, data.join(names::SESSION_LOG), audit];
    let last = files.iter().filter_map(|path| path.metadata().ok()).map(|file| file.mtime()).max();
    last.map(|last| Timestamp::from_second(last).unwrap_or(Timestamp::MAX))
}

/// At a start, before anything is written: what is wrong with a clock that is behind what was written before.
pub(crate) fn behind(now: Timestamp, last: Timestamp) -> Option<String> {
    let seconds = last.as_second() - now.as_second();
    (seconds > AHEAD_MAX).then(|| {
        format!("the clock is {seconds} seconds behind what was last written here, at {last}: it went back, or ran ahead then")
    })
}

/// The clock, and what time passed since it was looked at.
pub(crate) struct ClockWatch {
    last: Timestamp,
}

impl ClockWatch {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { last: now }
    }

    /// What is wrong with a clock that says `now` when so much time has passed.
    pub(crate) fn look(&mut self, now: Timestamp, passed: Duration) -> Option<String> {
        let passed = i64::try_from(passed.as_secs()).unwrap_or(i64::MAX);
        let back = self.last.as_second().saturating_add(passed) - now.as_second();
        self.last = now;
        (back > BACK_MAX).then(|| {
            format!("the clock went back by {back} seconds: sessions that were over may live again, and those issued since then are refused for a while")
        })
    }
}

/// Look at the clock from time to time.
pub(crate) async fn tend(house: Arc<House>) {
    let mut ticks = interval(LOOKED_AT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut watch, mut looked) = (ClockWatch::new(house.now()), Instant::now());
    loop {
        ticks.tick().await;
        let since = std::mem::replace(&mut looked, Instant::now());
        if let Some(wrong) = watch.look(house.now(), looked.duration_since(since)) {
            tracing::warn!("{wrong}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_clock_that_goes_back_is_told_of_once_and_one_that_goes_ahead_is_not() {
        let mut watch = ClockWatch::new(at(0));
        for (now, passed, back) in [
            (10, 10, None),
            (9, 10, None),
            (-40, 10, None),
            // A minute more than the ten seconds that passed.
            (-91, 10, Some("61 seconds")),
            (-81, 10, None),
            (4_000, 10, None),
            // A machine that slept.
            (4_010, 4_000, Some("3990 seconds")),
            (i64::from(i32::MAX), 10, None),
        ] {
            let told = watch.look(at(now), Duration::from_secs(passed));
            match back {
                Some(back) => assert!(told.as_ref().is_some_and(|told| told.contains(back)), "{told:?}"),
                None => assert_eq!(told, None, "{now}"),
            }
        }
    }

    #[test]
    fn a_start_before_the_last_write_is_told_of() {
        assert_eq!(behind(at(0), at(AHEAD_MAX)), None);
        assert_eq!(behind(at(100), at(0)), None);
        assert!(behind(at(0), at(11)).unwrap().contains("11 seconds behind"));
    }
}
