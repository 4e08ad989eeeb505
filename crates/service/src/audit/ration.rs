//! Lines that anybody can have written, by calls that prove nothing: so many, and what is beyond them is counted.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::network::network;

/// Lines that may come at once.
pub(super) const BURST_MAX: u32 = 1000;
/// Lines that may be written in a second, once the burst is used up.
const PER_SECOND: u32 = 20;
/// The same of one among many, and of all of these.
const OF_ONE: (u32, u32) = (100, 2);
const OF_ALL: (u32, u32) = (2000, 30);
/// Rations that many share.
const PLACES: usize = 64;
/// How often the log says that one of these is used up, in seconds.
const SAID_EVERY: i64 = 60;
/// How far the clock must have been put back to count as put back, in seconds: less is one call before another.
const PUT_BACK_MIN: i64 = 60;

/// How many lines may still be written.
pub(crate) struct Ration {
    bucket: Bucket,
    not_logged: AtomicU64,
    /// What the log says when it is empty.
    used_up: &'static str,
}

impl Ration {
    pub(crate) fn new(used_up: &'static str) -> Self {
        Self { bucket: Bucket::new((BURST_MAX, PER_SECOND)), not_logged: AtomicU64::new(0), used_up }
    }

    /// Whether a line may be written at `now` (Unix seconds, of this moment and not of a call's beginning: whoever waited would
    /// turn the time back, and the bucket fill for everybody), and how many were not since the last one.
    pub(crate) fn take(&self, now: i64) -> Option<u64> {
        if self.bucket.draw(now) {
            return Some(self.rest());
        }
        if self.not_logged.fetch_add(1, Ordering::SeqCst) == 0 {
            tracing::warn!("{}", self.used_up);
        }
        None
    }

    /// How many lines were not written since the last one.
    pub(super) fn rest(&self) -> u64 {
        self.not_logged.swap(0, Ordering::SeqCst)
    }
}

/// Rations of many, by a provider's name and the address of who speaks of it: whoever uses one up leaves the others theirs, but
/// for the few that share its place. What is not written is counted for all of them together, since a count of one place
/// would be said of whoever is there next.
pub(crate) struct Rations {
    places: Vec<Bucket>,
    all: Bucket,
    hasher: RandomState,
    not_logged: AtomicU64,
    said_at: AtomicI64,
    used_up: &'static str,
}

impl Rations {
    pub(crate) fn new(used_up: &'static str) -> Self {
        Self {
            places: (0..PLACES).map(|_| Bucket::new(OF_ONE)).collect(),
            all: Bucket::new(OF_ALL),
            hasher: RandomState::new(),
            not_logged: AtomicU64::new(0),
            said_at: AtomicI64::new(i64::MIN),
            used_up,
        }
    }

    /// Whether a line may be written of this provider and address, and how many of all were not since the last one.
    pub(crate) fn take(&self, provider: &str, address: Option<IpAddr>, now: i64) -> Option<u64> {
        let place = self.hasher.hash_one((provider, network(address))) % PLACES as u64;
        let place = self.places.get(usize::try_from(place).ok()?)?;
        if place.draw(now) && self.all.draw(now) {
            return Some(self.rest());
        }
        self.not_logged.fetch_add(1, Ordering::SeqCst);
        let said = self.said_at.load(Ordering::SeqCst);
        let is_due = now.saturating_sub(said) >= SAID_EVERY || said.saturating_sub(now) >= SAID_EVERY;
        if is_due && self.said_at.compare_exchange(said, now, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            tracing::warn!("{}", self.used_up);
        }
        None
    }

    pub(super) fn rest(&self) -> u64 {
        self.not_logged.swap(0, Ordering::SeqCst)
    }
}

/// It fills with time.
struct Bucket {
    burst_max: u32,
    per_second: u32,
    state: Mutex<State>,
}

struct State {
    second: i64,
    left: u32,
}

impl Bucket {
    fn new((burst_max, per_second): (u32, u32)) -> Self {
        Self { burst_max, per_second, state: Mutex::new(State { second: 0, left: burst_max }) }
    }

    /// Whether there was one left at `now`.
    fn draw(&self, now: i64) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = u32::try_from(now.saturating_sub(state.second)).unwrap_or(0);
        // Backward too: a clock that ran ahead and was put right must not silence the log until it is there again.
        if now > state.second || state.second - now > PUT_BACK_MIN {
            state.second = now;
        }
        let filled = state.left.saturating_add(passed.saturating_mul(self.per_second));
        state.left = filled.min(self.burst_max);
        let there = state.left > 0;
        state.left = state.left.saturating_sub(1);
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: usize) -> Option<IpAddr> {
        Some(format!("2001:db8:0:{n:x}::1").parse().unwrap())
    }

    #[test]
    fn one_that_uses_up_its_ration_leaves_the_others_theirs() {
        let rations = Rations::new("used up");
        let flood = (0..10_000).filter(|_| rations.take("flood", address(0), 1_000_000).is_some()).count();
        assert_eq!(flood, 100);
        let take = |name: &str, from, now| rations.take(name, from, now).is_some();
        let others = (1..200).filter(|n| take("flood", address(*n), 1_000_000)).count();
        assert!(
            (170..200).contains(&others),
            "whoever has another address, but for its neighbours: {others}"
        );
        let others = (1..200).filter(|n| take(&n.to_string(), address(0), 1_000_000)).count();
        assert!((170..200).contains(&others), "other providers: {others}");
        // What was not written is told once, and of nobody by name.
        let told: u64 = (1_000_001..1_000_100).filter_map(|now| rations.take("flood", address(0), now)).sum();
        assert!(told <= 2 * 200, "those since the last line of all: {told}");
        assert_eq!(rations.rest(), 0);
    }

    #[test]
    fn all_of_them_together_have_a_bound() {
        let rations = Rations::new("used up");
        let written = |now| {
            let told = (0..50_000).filter_map(|n| rations.take(&n.to_string(), address(n % 1000), now));
            told.fold((0, 0), |(lines, counted), not_logged| (lines + 1, counted + not_logged))
        };
        let (first, second) = (written(1_000_000), written(1_000_010));
        assert_eq!((first.0, second.0), (2000, 300));
        assert_eq!(first.1 + second.1 + rations.rest(), 100_000 - 2300, "each is counted once");
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
