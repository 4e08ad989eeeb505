//! Shelves for whoever proves something by a token: one for each token, which is known here by its hash alone, and as many as
//! there is room for.
//!
//! Whoever guesses makes the server say no, and its account's audit grow: of that there is a ration for each task, and one for
//! all. Beyond it the agent refuses by itself. What has credentials is asked for again without one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::World;
use crate::ration::Ration;
use crate::shelf::{Fetched, Shelf, Shown};
use crate::upstream::CallError;

/// Tokens, good or not, that are known at once. The next one takes the place of what was asked for longest ago.
const SHELVES_MAX: usize = 256;

/// Refusals of the server for one task: so many, and then one more each so many seconds.
const OF_ONE: (u32, i64) = (10, 6);
/// Those for all together.
const OF_ALL: (u32, i64) = (60, 1);
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

/// Of refusals.
struct Rations {
    all: Ration,
    /// By task: those of which something is in use.
    each: Mutex<BTreeMap<String, Arc<Ration>>>,
}

struct Known<T> {
    /// With the number of the last request for it.
    shelves: BTreeMap<Claim, (Arc<Shelf<T>>, u64)>,
    requests: u64,
}

impl<T> Default for Shelves<T> {
    fn default() -> Self {
        let ration = |(size, every): (u32, i64)| Ration::new(size, every);
        Self {
            known: Mutex::new(Known { shelves: BTreeMap::new(), requests: 0 }),
            rations: Arc::new(Rations { all: ration(OF_ALL), each: Mutex::default() }),
            warnings: Arc::new(ration(WARNINGS)),
        }
    }
}

impl<T: Send + Sync + 'static> Shelves<T> {
    /// What there is for whoever has this token, after the server was asked if that is due; `whose` is what the log calls it.
    /// Those of one `task` have a ration together.
    pub(crate) async fn get<F>(
        &self,
        world: &World,
        (whose, task): (&str, Option<&str>),
        token: &str,
        fetch: impl FnOnce() -> F + Send + 'static,
    ) -> Shown<T>
    where
        F: Future<Output = Result<Fetched<T>, CallError>> + Send,
    {
        let shelf = self.of(whose, token);
        let is_proven = matches!(shelf.shown(), Shown::Good(..));
        let (rations, task, now) = (self.rations.clone(), task.map(str::to_owned), world.now());
        let rationed = move || async move {
            if is_proven {
                return fetch().await;
            }
            let of_task = task.map(|task| rations.of(&task, now));
            let of_task = of_task.as_deref();
            if !of_task.is_none_or(|ration| ration.take(now)) {
                return Err(too_many());
            }
            let put_back = || of_task.into_iter().for_each(Ration::put_back);
            if !rations.all.take(now) {
                put_back();
                return Err(too_many());
            }
            let fetched = fetch().await;
            if !matches!(fetched, Err(CallError::Refused { .. })) {
                put_back();
                rations.all.put_back();
            }
            fetched
        };
        shelf.get(world, rationed).await
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

impl Rations {
    /// That of a task. One of which nothing is in use is as good as none.
    fn of(&self, task: &str, now: i64) -> Arc<Ration> {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        // No more than those in all can be in use, so that this stays small.
        each.retain(|_, ration| !ration.is_full(now) || Arc::strong_count(ration) > 1);
        each.entry(task.to_owned()).or_insert_with(|| Arc::new(Ration::new(OF_ONE.0, OF_ONE.1))).clone()
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
