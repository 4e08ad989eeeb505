//! Randomness as a parameter. The real source lives in `authn` (the crypto library's); tests seed one.

use std::sync::Mutex;

/// A source of random bytes. For keys, nonces and ids it must be cryptographically secure.
pub trait Random: Send + Sync + 'static {
    /// Fill `bytes` entirely.
    fn fill(&self, bytes: &mut [u8]);
}

/// A repeatable source **for tests only**: SplitMix64 from a seed.
#[derive(Debug)]
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// The same seed gives the same bytes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            for (byte, source) in chunk.iter_mut().zip((z ^ (z >> 31)).to_le_bytes()) {
                *byte = source;
            }
        }
    }
}
