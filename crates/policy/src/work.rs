//! How much a decision may cost.
//!
//! Matching takes, at worst, a step for each byte of a text of the request and each pattern that it meets, and for
//! each piece of a pattern more. A caller chooses some of those texts (`aws:UserAgent`, tags) and may have written the
//! patterns too: a hundred policies full of wildcards against a long text are minutes of work, and whoever decides
//! does nothing else meanwhile. So there is a bound, far above what policies that mean something need. Behind it
//! nothing is compared any more: every Deny applies and no Allow does.

use std::cell::Cell;

/// Steps of one decision, of a few nanoseconds each: a tenth of a second at most, by `cargo xtask bench`. A hundred
/// policies of three hundred patterns each, against an ordinary request, stay below it
/// (`hostile::the_bound_is_far_from_what_means_something`).
const STEPS_MAX: u64 = 32_000_000;
/// Steps for a piece of a pattern, whatever the text: a search is set up, or a variable looked up.
const STEPS_PER_PIECE: u64 = 64;
/// Steps for a byte that is put into lower case before it is compared.
const STEPS_PER_FOLDED_BYTE: u64 = 8;
/// Units of a pattern that are searched for in one pass over a text.
const BLOCK: usize = 64;

/// What some patterns cost for a text that they are held against.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Weight {
    per_byte: u64,
    per_text: u64,
}

impl Weight {
    /// Of these patterns, as they are written.
    pub(crate) fn of<'a>(patterns: impl Iterator<Item = &'a str>) -> Weight {
        patterns.fold(Weight::default(), |sum, pattern| {
            let pieces = pattern.bytes().filter(|byte| matches!(byte, b'*' | b'?' | b'$')).count();
            let passes = if pieces > 0 { pattern.len() / BLOCK } else { 0 };
            Weight {
                per_byte: sum.per_byte + 1 + steps(passes),
                per_text: sum.per_text + STEPS_PER_PIECE * (1 + steps(pieces)),
            }
        })
    }

    /// The same patterns, compared without regard to case.
    pub(crate) fn ignoring_case(self) -> Weight {
        Weight { per_byte: self.per_byte.saturating_mul(STEPS_PER_FOLDED_BYTE), ..self }
    }
}

/// What is left to spend on one decision.
#[derive(Debug)]
pub(crate) struct Work(Cell<u64>);

impl Work {
    pub(crate) fn new() -> Work {
        Work(Cell::new(STEPS_MAX))
    }

    /// Whether patterns may still be held against so many texts with so many bytes in all, which they then are.
    pub(crate) fn spend(&self, weight: Weight, texts: usize, bytes: usize) -> bool {
        let by_bytes = weight.per_byte.saturating_mul(steps(bytes));
        let steps = weight.per_text.saturating_mul(steps(texts)).saturating_add(by_bytes);
        let left = self.0.get().checked_sub(steps);
        // What does not fit ends it, or which statements are looked at would be a matter of their size.
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }

    /// What is spent of all that may be, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a share; its last digits mean nothing")]
    pub(crate) fn share_spent(&self) -> f64 {
        (STEPS_MAX - self.0.get()) as f64 / STEPS_MAX as f64
    }
}

fn steps(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
