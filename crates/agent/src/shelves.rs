//! Shelves for whoever proves something by a token: one for each token, which is known here by its hash alone, and as many as
//! there is room for.
//!
//! Of the server's refusals there are rations (`rations`). What has credentials is asked for again without one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::World;
use crate::ration::Ration;
use crate::rations::{Asker, Rations, Who};
use crate::shelf::{Fetched, Shelf, Shown};
use crate::upstream::CallError;

/// Tokens, good or not, that are known at once. The next one takes the place of what was asked for longest ago.
const SHELVES_MAX: usize = 256;

/// Warnings that the server refuses.
const WARNINGS: (u32, i64) = (10, 60);
/// The error code of what the agent refuses by itself, with HTTP 429.
pub(crate) const TOO_MANY: &str = "TooManyRequestsException";

/// For whom, and the SHA-256 of the token.
type Claim = (String, [u8; 32]);

/// See the module.
pub(crate) struct Shelves<T> {
    known: Mutex<Known<T>>,
    rations: Arc<Rations>,
    warnings: Arc<Ration>,
}

struct Known<T> {
    /// With the number of the last request for it.
    shelves: BTreeMap<Claim, (Arc<Shelf<T>>, u64)>,
    requests: u64,
}

impl<T> Default for Shelves<T> {
    fn default() -> Self {
        let (size, every) = WARNINGS;
        Self {
            known: Mutex::new(Known { shelves: BTreeMap::new(), requests: 0 }),
            rations: Arc::default(),
            warnings: Arc::new(Ration::new(size, every)),
        }
    }
}

impl<T: Send + Sync + 'static> Shelves<T> {
    /// What there is for whoever has this token, after the server was asked if that is due.
    pub(crate) async fn get<F>(
        &self,
        world: &World,
        asker: Asker,
        token: &str,
        fetch: impl FnOnce() -> F + Send + 'static,
    ) -> Shown<T>
    where
        F: Future<Output = Result<Fetched<T>, CallError>> + Send,
    {
        let whose = match &asker.who {
            Who::Task(task) => task.as_str(),
            Who::Pod(_) => "a pod",
        };
        let shelf = self.of(whose, token);
        let is_proven = matches!(shelf.shown(), Shown::Good(..));
        let (rations, now) = (self.rations.clone(), world.now());
        let rationed = move || async move {
            let taken = if is_proven { None } else { Some(rations.take(&asker, now).ok_or_else(too_many)?) };
            let fetched = fetch().await;
            if fetched.is_ok() {
                rations.given(&asker);
            }
            // A server that failed at a token, and not at everything, is as good at it as one that says no: an issuer that is asked
            // for a key that there is not.
            if matches!(fetched, Ok(_) | Err(CallError::Away(_)))
                && let Some(taken) = taken
            {
                taken.put_back();
            }
            fetched
        };
        shelf.get(world, rationed).await
    }

    /// What is kept is perhaps of no use any more: each is asked for again by the next who wants it.
    pub(crate) fn expire(&self) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.shelves.values().for_each(|(shelf, _)| shelf.expire());
    }

    fn of(&self, whose: &str, token: &str) -> Arc<Shelf<T>> {
        let claim = (whose.to_owned(), Sha256::digest(token).into());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.requests += 1;
        let request = known.requests;
        if !known.shelves.contains_key(&claim) && known.shelves.len() >= SHELVES_MAX {
            known.make_room();
        }
        let name = format!("credentials of {whose}");
        let found = known
            .shelves
            .entry(claim)
            .or_insert_with(|| (Shelf::rationed(name, self.warnings.clone()), request));
        found.1 = request;
        found.0.clone()
    }
}

fn too_many() -> CallError {
    let message = "The server refused too many calls of this machine lately; ask again later.";
    CallError::Refused { status: 429, code: TOO_MANY.into(), message: message.into() }
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
