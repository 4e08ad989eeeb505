//! Shelves for whoever proves something by a token: one for each token, which is known here by its hash alone, and as many as
//! there is room for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::shelf::{Shelf, Shown};

/// Tokens, good or not, that are known at once. The next one takes the place of what was asked for longest ago.
const SHELVES_MAX: usize = 256;

/// For whom, and the SHA-256 of the token.
type Claim = (String, [u8; 32]);

/// See the module.
pub(crate) struct Shelves<T>(Mutex<Known<T>>);

struct Known<T> {
    /// With the number of the last request for it.
    shelves: BTreeMap<Claim, (Arc<Shelf<T>>, u64)>,
    requests: u64,
}

impl<T> Default for Shelves<T> {
    fn default() -> Self {
        Self(Mutex::new(Known { shelves: BTreeMap::new(), requests: 0 }))
    }
}

impl<T: Send + Sync + 'static> Shelves<T> {
    /// The shelf of whoever has this token; `whose` is what the log calls it.
    pub(crate) fn of(&self, whose: &str, token: &str) -> Arc<Shelf<T>> {
        let claim = (whose.to_owned(), Sha256::digest(token).into());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.requests += 1;
        let request = known.requests;
        if !known.shelves.contains_key(&claim) && known.shelves.len() >= SHELVES_MAX {
            known.make_room();
        }
        let name = format!("credentials of {whose}");
        let found = known.shelves.entry(claim).or_insert_with(|| (Shelf::new(name), request));
        found.1 = request;
        found.0.clone()
    }
}

impl<T: Send + Sync + 'static> Known<T> {
    /// Whoever guesses tokens takes no room from those who have one.
    fn make_room(&mut self) {
        let oldest = |good: bool| {
            let shelves = self.shelves.iter();
            let of_kind = shelves.filter(|(_, (shelf, _))| matches!(shelf.shown(), Shown::Good(..)) == good);
            of_kind.min_by_key(|(_, (_, request))| *request).map(|(claim, _)| claim.clone())
        };
        if let Some(claim) = oldest(false).or_else(|| oldest(true)) {
            self.shelves.remove(&claim);
        }
    }
}
