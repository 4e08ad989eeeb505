//! So many of something in so much time, and then so often.

use std::sync::{Mutex, PoisonError};

/// See the module.
pub(crate) struct Ration {
    size: u32,
    /// How long it takes until there is one more, in seconds.
    every: i64,
    kept: Mutex<Kept>,
}

struct Kept {
    left: u32,
    /// Unix seconds: when one was added last.
    at: i64,
}

impl Ration {
    pub(crate) fn new(size: u32, every: i64) -> Self {
        Self { size, every: every.max(1), kept: Mutex::new(Kept { left: size, at: i64::MIN }) }
    }

    /// Take one, if there is one.
    pub(crate) fn take(&self, now: i64) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.fill(&mut kept, now);
        let there_is = kept.left > 0;
        kept.left = kept.left.saturating_sub(1);
        there_is
    }

    /// One that was taken is not used after all.
    pub(crate) fn put_back(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.left = kept.left.saturating_add(1).min(self.size);
    }

    /// Whether nothing of it is in use.
    pub(crate) fn is_full(&self, now: i64) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.fill(&mut kept, now);
        kept.left == self.size
    }

    fn fill(&self, kept: &mut Kept, now: i64) {
        // A clock that was put back takes nothing away and gives nothing.
        let more = now.saturating_sub(kept.at).max(0) / self.every;
        kept.left = u32::try_from(more).unwrap_or(u32::MAX).saturating_add(kept.left).min(self.size);
        kept.at = if kept.left == self.size || now < kept.at { now } else { kept.at + more * self.every };
    }
}

#[cfg(test)]
mod tests {
    //! How many, and when again.

    use super::*;

    #[test]
    fn so_many_and_then_so_often() {
        let ration = Ration::new(3, 10);
        let takes = |now, tries| (0..tries).filter(|_| ration.take(now)).count();
        assert_eq!(takes(1000, 9), 3);
        assert_eq!(takes(1009, 9), 0);
        assert_eq!(takes(1010, 9), 1);
        assert_eq!(takes(1039, 9), 2);
        assert_eq!(takes(1040, 9), 1);
        assert!(ration.is_full(1100) && takes(1100, 9) == 3, "no more than at the beginning");
        ration.put_back();
        assert_eq!(takes(1100, 9), 1);
        // The clock was ahead.
        assert_eq!((takes(100, 9), takes(110, 9)), (0, 1));
    }
}
