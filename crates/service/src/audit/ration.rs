//! Lines that anybody can have written, by calls that prove nothing: so many, and what is beyond them is counted.

use std::sync::{Mutex, PoisonError};

/// Lines that may come at once.
pub(super) const BURST_MAX: u32 = 1000;
/// Lines that may be written in a second, once the burst is used up.
const PER_SECOND: u32 = 20;

/// How far the clock must have been put back to count as put back, in seconds: less is one call before another.
const PUT_BACK_MIN: i64 = 60;

/// How many lines may still be written: a bucket that fills with time.
pub(crate) struct Ration {
    bucket: Mutex<Bucket>,
    /// What the log says when it is empty.
    used_up: &'static str,
}

struct Bucket {
    second: i64,
    left: u32,
    not_logged: u64,
}

impl Ration {
    pub(crate) fn new(used_up: &'static str) -> Self {
        Self { bucket: Mutex::new(Bucket { second: 0, left: BURST_MAX, not_logged: 0 }), used_up }
    }

    /// Whether a line may be written at `now` (Unix seconds, of this moment and not of a call's beginning: whoever waited would
    /// turn the time back, and the bucket fill for everybody), and how many were not since the last one.
    pub(crate) fn take(&self, now: i64) -> Option<u64> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = u32::try_from(now.saturating_sub(bucket.second)).unwrap_or(0);
        // Backward too: a clock that ran ahead and was put right must not silence the log until it is there again.
        if now > bucket.second || bucket.second - now > PUT_BACK_MIN {
            bucket.second = now;
        }
        let filled = bucket.left.saturating_add(passed.saturating_mul(PER_SECOND));
        bucket.left = filled.min(BURST_MAX);
        if bucket.left == 0 {
            bucket.not_logged += 1;
            if bucket.not_logged == 1 {
                tracing::warn!("{}", self.used_up);
            }
            return None;
        }
        bucket.left -= 1;
        Some(std::mem::take(&mut bucket.not_logged))
    }

    /// How many lines were not written since the last one.
    pub(super) fn rest(&self) -> u64 {
        std::mem::take(&mut self.bucket.lock().unwrap_or_else(PoisonError::into_inner).not_logged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_once_their_ration_is_used_up() {
        let ration = Ration::new("used up");
        assert!((0..BURST_MAX).all(|_| ration.take(1_000_000) == Some(0)));
        assert_eq!((ration.take(1_000_000), ration.take(1_000_000)), (None, None));
        assert_eq!(ration.take(1_000_001), Some(2));
        assert_eq!((1..PER_SECOND).filter(|_| ration.take(1_000_001) == Some(0)).count(), 19);
        assert_eq!(ration.take(1_000_001), None);
        // Neither does a line that comes late.
        assert_eq!((ration.take(1_000_000 - 15), ration.take(1_000_001)), (None, None));
        assert_eq!(ration.take(1_000_002), Some(3));
        assert_eq!((1..PER_SECOND).filter(|_| ration.take(1_000_002) == Some(0)).count(), 19);
        assert_eq!(ration.take(1_000_002), None);
        // A clock that is put back fills nothing, and time goes on from there.
        assert_eq!(ration.take(999_000), None);
        assert_eq!(ration.take(999_001), Some(2));
        assert_eq!(ration.take(2_000_000), Some(0));
    }
}
