//! Lines that anybody can have written, by calls that prove nothing: so many, and what is beyond them is counted.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

/// Lines that may come at once.
pub(super) const BURST_MAX: u32 = 1000;
/// Lines that may be written in a second, once the burst is used up.
const PER_SECOND: u32 = 20;
/// The same of one among many.
const BURST_OF_ONE_MAX: u32 = 100;
const PER_SECOND_OF_ONE: u32 = 2;
/// Rations that many share.
const PLACES: usize = 32;

/// How far the clock must have been put back to count as put back, in seconds: less is one call before another.
const PUT_BACK_MIN: i64 = 60;

/// How many lines may still be written: a bucket that fills with time.
pub(crate) struct Ration {
    bucket: Mutex<Bucket>,
    burst_max: u32,
    per_second: u32,
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
        Self::of(BURST_MAX, PER_SECOND, used_up)
    }

    fn of(burst_max: u32, per_second: u32, used_up: &'static str) -> Self {
        let bucket = Mutex::new(Bucket { second: 0, left: burst_max, not_logged: 0 });
        Self { bucket, burst_max, per_second, used_up }
    }

    /// Whether a line may be written at `now` (Unix seconds, of this moment and not of a call's beginning: whoever waited would
    /// turn the time back, and the bucket fill for everybody), and how many were not since the last one.
    pub(crate) fn take(&self, now: i64) -> Option<u64> {
        self.take_for(now, None)
    }

    /// The same of one whose name the log may say.
    fn take_for(&self, now: i64, provider: Option<&str>) -> Option<u64> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = u32::try_from(now.saturating_sub(bucket.second)).unwrap_or(0);
        // Backward too: a clock that ran ahead and was put right must not silence the log until it is there again.
        if now > bucket.second || bucket.second - now > PUT_BACK_MIN {
            bucket.second = now;
        }
        let filled = bucket.left.saturating_add(passed.saturating_mul(self.per_second));
        bucket.left = filled.min(self.burst_max);
        if bucket.left == 0 {
            bucket.not_logged += 1;
            if bucket.not_logged == 1 {
                tracing::warn!(provider, "{}", self.used_up);
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

/// Rations of many, by name: whoever uses one up leaves the others theirs, but for the few that share its place. Which those
/// are differs from start to start, so that nobody can choose to be somebody's neighbour.
pub(crate) struct Rations {
    places: Vec<Ration>,
    hasher: RandomState,
}

impl Rations {
    pub(crate) fn new(used_up: &'static str) -> Self {
        let ration = |_| Ration::of(BURST_OF_ONE_MAX, PER_SECOND_OF_ONE, used_up);
        Self { places: (0..PLACES).map(ration).collect(), hasher: RandomState::new() }
    }

    /// As [`Ration::take`], of a provider's ration.
    pub(crate) fn take(&self, provider: &str, now: i64) -> Option<u64> {
        let place = self.hasher.hash_one(provider) % PLACES as u64;
        self.places.get(usize::try_from(place).ok()?)?.take_for(now, Some(provider))
    }

    pub(super) fn rest(&self) -> u64 {
        self.places.iter().map(Ration::rest).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_uses_up_its_ration_leaves_the_others_theirs() {
        let rations = Rations::new("used up");
        let names: Vec<String> =
            (0..200).map(|n| format!("arn:aws:iam::111122223333:saml-provider/{n}")).collect();
        let flood = (0..10_000).filter(|_| rations.take("flood", 1_000_000).is_some()).count();
        assert_eq!(flood, 100);
        let heard = names.iter().filter(|name| rations.take(name, 1_000_000).is_some()).count() as u64;
        assert!((150..200).contains(&heard), "but for its neighbours: {heard}");
        assert_eq!(rations.take("flood", 1_000_001), Some(9900 + (200 - heard)));
        assert_eq!(rations.rest(), 0, "each is told of once");
    }

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
