//! One thing that the server gives and that is kept here: asked for before its time is over, by one call at a time, and shown
//! on while the server is away.
//!
//! What is kept is shown past its end, too: whoever signs with it hears `ExpiredToken` from the server, and the SDKs go on by
//! themselves once there is something new. A server that says no is believed at once: nothing old is shown then.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::World;
use crate::ration::Ration;
use crate::upstream::CallError;

/// How long a program is kept waiting for something new while there is something old. Its SDK waits for one second.
const WAIT_WITH_OLD: Duration = Duration::from_millis(700);
/// How long it is kept waiting while there is nothing.
const WAIT_WITH_NOTHING: Duration = Duration::from_secs(6);
/// After a try that came to nothing, the next comes so much later, in seconds, and by chance up to twice that.
const RETRY_SECONDS: i64 = 5;
/// How far a clock may be put back, in seconds, before what was planned by it is void.
const PUT_BACK_MAX: i64 = 30;

/// What the server gave, and when it is to be asked again.
pub(crate) struct Fetched<T> {
    pub(crate) value: T,
    /// Unix seconds.
    pub(crate) refresh_at: i64,
}

/// What a program can be shown.
pub(crate) enum Shown<T> {
    /// This; since when the server does not answer, if it does not.
    Good(Arc<T>, Option<i64>),
    /// The server said no.
    Refused(Refusal),
    /// There is nothing, and nobody to ask.
    Nothing,
}

/// What the server said instead of giving something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// Unix seconds.
    pub(crate) at: i64,
}

/// See the module.
pub(crate) struct Shelf<T> {
    /// What the log calls it.
    name: String,
    /// How often the log hears of trouble, where others than the machine's own programs make it.
    warnings: Option<Arc<Ration>>,
    kept: Mutex<Kept<T>>,
    flight: tokio::sync::Mutex<()>,
}

struct Kept<T> {
    good: Option<Arc<T>>,
    refused: Option<Refusal>,
    /// Unix seconds: from then on the server is asked again.
    due_at: i64,
    /// Unix seconds: when that was planned. A clock that is before this was ahead then.
    planned_at: i64,
    away_since: Option<i64>,
}

impl<T: Send + Sync + 'static> Shelf<T> {
    pub(crate) fn new(name: impl Into<String>) -> Arc<Self> {
        Self::of(name.into(), None)
    }

    /// One of many, whose warnings have a ration together.
    pub(crate) fn rationed(name: impl Into<String>, warnings: Arc<Ration>) -> Arc<Self> {
        Self::of(name.into(), Some(warnings))
    }

    fn of(name: String, warnings: Option<Arc<Ration>>) -> Arc<Self> {
        let kept =
            Kept { good: None, refused: None, due_at: i64::MIN, planned_at: i64::MIN, away_since: None };
        Arc::new(Self { name, warnings, kept: Mutex::new(kept), flight: tokio::sync::Mutex::new(()) })
    }

    /// What there is, after the server was asked if that is due. The call goes on when whoever waits for it does not.
    pub(crate) async fn get<F>(
        self: &Arc<Self>,
        world: &World,
        fetch: impl FnOnce() -> F + Send + 'static,
    ) -> Shown<T>
    where
        F: Future<Output = Result<Fetched<T>, CallError>> + Send,
    {
        if self.is_due(world.now()) {
            let (shelf, of_task) = (self.clone(), world.clone());
            let asking = tokio::spawn(async move { shelf.refresh(&of_task, fetch).await });
            let wait = if self.kept().good.is_some() { WAIT_WITH_OLD } else { WAIT_WITH_NOTHING };
            drop(tokio::time::timeout(wait, asking).await);
        }
        self.shown()
    }

    /// What there is, without asking.
    pub(crate) fn shown(&self) -> Shown<T> {
        let kept = self.kept();
        match (&kept.good, &kept.refused) {
            (Some(good), _) => Shown::Good(good.clone(), kept.away_since),
            (None, Some(refusal)) => Shown::Refused(refusal.clone()),
            (None, None) => Shown::Nothing,
        }
    }

    /// What is kept is of no use any more: the next who asks has to be told something new.
    pub(crate) fn expire(&self) {
        self.kept().due_at = i64::MIN;
    }

    /// What is kept is worth nothing any more: nobody is shown it again.
    pub(crate) fn forget(&self) {
        let mut kept = self.kept();
        (kept.good, kept.due_at) = (None, i64::MIN);
    }

    async fn refresh<F>(&self, world: &World, fetch: impl FnOnce() -> F)
    where
        F: Future<Output = Result<Fetched<T>, CallError>>,
    {
        let _turn = self.flight.lock().await;
        if !self.is_due(world.now()) {
            return; // somebody was here before
        }
        let fetched = fetch().await;
        let now = world.now();
        let mut kept = self.kept();
        kept.planned_at = now;
        match fetched {
            Ok(Fetched { value, refresh_at }) => {
                if kept.away_since.is_some() || kept.refused.is_some() {
                    tracing::info!(what = self.name, "the server gives it again");
                }
                kept.good = Some(Arc::new(value));
                (kept.refused, kept.away_since, kept.due_at) = (None, None, refresh_at);
            }
            Err(CallError::Refused { status, code, message }) => {
                if kept.refused.as_ref().is_none_or(|before| before.code != code) && self.may_warn(now) {
                    tracing::warn!(what = self.name, code, message, "the server refuses it");
                }
                kept.refused = Some(Refusal { status, code, message, at: now });
                (kept.good, kept.away_since, kept.due_at) = (None, None, self.retry_at(world));
            }
            Err(CallError::Failed { status, code, message }) => {
                if self.may_warn(now) {
                    tracing::warn!(what = self.name, code, message, "the server failed");
                }
                kept.refused = Some(Refusal { status, code, message, at: now });
                kept.away_since.get_or_insert(now);
                kept.due_at = self.retry_at(world);
            }
            Err(CallError::Away(why)) => {
                if kept.away_since.is_none() && self.may_warn(now) {
                    let shown_on = kept.good.is_some();
                    tracing::warn!(what = self.name, why, shown_on, "the server does not answer");
                }
                kept.away_since.get_or_insert(now);
                kept.due_at = self.retry_at(world);
            }
        }
    }

    fn may_warn(&self, now: i64) -> bool {
        self.warnings.as_ref().is_none_or(|ration| ration.take(now))
    }

    fn retry_at(&self, world: &World) -> i64 {
        world.now() + RETRY_SECONDS + world.below(RETRY_SECONDS)
    }

    fn is_due(&self, now: i64) -> bool {
        let kept = self.kept();
        now >= kept.due_at || now < kept.planned_at.saturating_sub(PUT_BACK_MAX)
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    //! When the server is asked, and what is shown meanwhile.

    use std::sync::atomic::{AtomicU32, Ordering};

    use daypass_model::{MockClock, SeededRandom};
    use jiff::Timestamp;

    use super::*;

    fn world() -> (Arc<MockClock>, World) {
        let clock = Arc::new(MockClock::at(Timestamp::UNIX_EPOCH));
        (clock.clone(), World { clock, random: Arc::new(SeededRandom::new(1)) })
    }

    async fn got(shelf: &Arc<Shelf<u32>>, world: &World, answer: Result<u32, CallError>) -> String {
        let refresh_at = world.now() + 100;
        let fetched = answer.map(|value| Fetched { value, refresh_at });
        told(&shelf.get(world, move || async move { fetched }).await)
    }

    fn told(shown: &Shown<u32>) -> String {
        match shown {
            Shown::Good(value, away) => format!("{value} {away:?}"),
            Shown::Refused(refusal) => refusal.code.clone(),
            Shown::Nothing => "nothing".into(),
        }
    }

    fn away() -> Result<u32, CallError> {
        Err(CallError::Away("no".into()))
    }

    fn refused() -> Result<u32, CallError> {
        Err(CallError::Refused { status: 403, code: "AccessDenied".into(), message: String::new() })
    }

    #[tokio::test]
    async fn what_is_kept_is_shown_until_it_is_due_and_on_while_the_server_is_away() {
        let (clock, world) = world();
        let shelf = Shelf::new("it");
        assert_eq!(got(&shelf, &world, Ok(1)).await, "1 None");
        clock.advance(99);
        assert_eq!(got(&shelf, &world, Ok(2)).await, "1 None");
        clock.advance(1);
        assert_eq!(got(&shelf, &world, away()).await, "1 Some(100)");
        assert_eq!(got(&shelf, &world, Ok(2)).await, "1 Some(100)", "the next try comes later");
        clock.advance(100_000);
        assert_eq!(got(&shelf, &world, away()).await, "1 Some(100)", "for however long");
        clock.advance(10);
        assert_eq!(got(&shelf, &world, Ok(3)).await, "3 None");
    }

    #[tokio::test]
    async fn a_server_that_says_no_is_believed() {
        let (clock, world) = world();
        let shelf = Shelf::new("it");
        assert_eq!(got(&shelf, &world, away()).await, "nothing");
        clock.advance(10);
        assert_eq!(got(&shelf, &world, Ok(1)).await, "1 None");
        clock.advance(100);
        assert_eq!(got(&shelf, &world, refused()).await, "AccessDenied");
        clock.advance(10);
        assert_eq!(got(&shelf, &world, away()).await, "AccessDenied");
        clock.advance(10);
        assert_eq!(got(&shelf, &world, Ok(2)).await, "2 None");
        shelf.expire();
        assert_eq!(got(&shelf, &world, Ok(3)).await, "3 None");
    }

    #[tokio::test]
    async fn a_clock_that_was_ahead_for_a_moment_keeps_nothing_from_being_asked_for() {
        let (clock, world) = world();
        let shelf = Shelf::new("it");
        clock.advance(86_400);
        // A server whose clock is right takes no proof of another day.
        assert_eq!(got(&shelf, &world, away()).await, "nothing");
        clock.advance(-86_400);
        assert_eq!(got(&shelf, &world, Ok(1)).await, "1 None");
        clock.advance(86_400);
        assert_eq!(got(&shelf, &world, Ok(2)).await, "2 None");
        clock.advance(-86_301);
        assert_eq!(got(&shelf, &world, Ok(3)).await, "3 None");
        // What NTP takes back is no such moment.
        clock.advance(-PUT_BACK_MAX);
        assert_eq!(got(&shelf, &world, Ok(4)).await, "3 None");
    }

    #[tokio::test]
    async fn many_who_ask_at_once_make_one_call() {
        let (_, world) = world();
        let (shelf, calls) = (Shelf::new("it"), Arc::new(AtomicU32::new(0)));
        let ask = || {
            let (shelf, world, calls) = (shelf.clone(), world.clone(), calls.clone());
            tokio::spawn(async move {
                let fetch = move || async move {
                    tokio::task::yield_now().await;
                    let value = calls.fetch_add(1, Ordering::SeqCst);
                    Ok(Fetched { value, refresh_at: 100 })
                };
                told(&shelf.get(&world, fetch).await)
            })
        };
        let asking: Vec<_> = (0..20).map(|_| ask()).collect();
        for asked in asking {
            assert_eq!(asked.await.unwrap(), "0 None");
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }
}
