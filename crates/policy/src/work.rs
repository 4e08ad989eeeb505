//! How much a decision may cost.
//!
//! Matching takes, at worst, a step for each byte of a text of the request and each pattern that it meets. A
//! caller chooses some of those texts (`aws:UserAgent`, tags) and may have written the patterns too: a hundred policies
//! full of wildcards against a long text are minutes of work, and whoever decides does nothing else meanwhile. So
//! there is a bound, far above what policies that mean something need. Behind it nothing is compared any more: every
//! Deny applies and no Allow does.

use std::cell::Cell;

use crate::context::Context;

/// Steps of one decision: patterns times bytes. Three policies of the largest size against every text of an ordinary
/// request are about a hundredth of it.
pub(crate) const STEPS_MAX: u64 = 32_000_000;

/// What is left to spend on one decision.
#[derive(Debug)]
pub(crate) struct Work {
    left: Cell<u64>,
    /// Bytes of the longest text, or of all values of the longest key, that a pattern may meet.
    longest: u64,
}

impl Work {
    /// For a request about this resource in this context.
    pub(crate) fn new(resource: &str, context: &Context) -> Work {
        // A value costs something even if it is empty.
        let bytes = |values: &[String]| values.iter().map(|value| value.len() + 1).sum::<usize>();
        let keys = context.iter().map(|(_, values, _)| bytes(values));
        let longest = keys.max().unwrap_or_default().max(resource.len() + 1);
        Work { left: Cell::new(STEPS_MAX), longest: u64::try_from(longest).unwrap_or(u64::MAX) }
    }

    /// Whether so many patterns may still be held against the request, which they then are.
    pub(crate) fn spend(&self, patterns: u64) -> bool {
        let left = patterns.checked_mul(self.longest).and_then(|steps| self.left.get().checked_sub(steps));
        // A statement that does not fit ends it, or which ones are skipped would be a matter of their size.
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }
}
