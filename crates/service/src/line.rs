//! Work that takes a processor for a while: decrypting an assertion, hashing a password. It is not done on the threads that
//! serve everybody, for one call of an account at a time and a few in all. Whoever else asks waits among those of the same
//! account and, there, of the same address, as far as so many do not wait already. Strangers, whom anybody can be, have half of
//! an account's places and one of its turns at a time: the rest is for those who have shown something.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use daypass_model::AccountId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;
use crate::network::network;

/// How many calls may be in a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lengths {
    /// Calls of one account that are at it or wait for it.
    pub(crate) of_account: usize,
    /// Those of them that one address makes, while half of the account's are taken: many people can be behind one.
    pub(crate) of_address: usize,
}

/// Whether whoever asks has shown something already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Standing {
    /// A call that is signed, a browser that the user has signed in from, a step after one that was done.
    Known,
    /// Anybody.
    Stranger,
}

/// Whose calls wait for each other.
type Address = (AccountId, Standing, Option<IpAddr>);

/// Counts who is at it and who waits.
pub(crate) struct Line {
    all: Arc<Semaphore>,
    queues: Mutex<Queues>,
    lengths: Lengths,
}

/// Half of the processors, one at the least.
pub(crate) fn half_of_processors() -> usize {
    available_parallelism().map_or(1, |processors| processors.get() / 2).max(1)
}

/// Whoever is in a queue holds it.
#[derive(Default)]
struct Queues {
    of_accounts: HashMap<AccountId, Arc<Semaphore>>,
    of_strangers: HashMap<AccountId, Arc<Semaphore>>,
    of_addresses: HashMap<Address, Arc<Semaphore>>,
}

/// A place in the line, until this is dropped or the work is done.
pub(crate) struct Place {
    of_all: Arc<Semaphore>,
    of_account: Arc<Semaphore>,
    of_strangers: Option<Arc<Semaphore>>,
    of_address: Arc<Semaphore>,
}

/// It is one's turn until this is dropped.
struct Turn {
    _of_address: OwnedSemaphorePermit,
    _of_strangers: Option<OwnedSemaphorePermit>,
    _of_account: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Line {
    /// So many at once in all, and lines of these lengths.
    pub(crate) fn new(at_once: usize, lengths: Lengths) -> Self {
        Self { all: Arc::new(Semaphore::new(at_once)), queues: Mutex::default(), lengths }
    }

    /// Do `work` for this account, when it is its turn.
    ///
    /// # Errors
    /// Throttling, which clients try again: too many wait already.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        account: AccountId,
        address: Option<IpAddr>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.place(account, address, Standing::Known)?.run(work).await
    }

    /// A place in the account's line.
    ///
    /// # Errors
    /// Throttling, which clients try again: too many wait already.
    pub(crate) fn place(
        &self,
        account: AccountId,
        address: Option<IpAddr>,
        standing: Standing,
    ) -> Result<Place, Error> {
        self.free_place(account, address, standing).ok_or_else(busy)
    }

    fn free_place(&self, account: AccountId, address: Option<IpAddr>, standing: Standing) -> Option<Place> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let Queues { of_accounts, of_strangers, of_addresses } = &mut *queues;
        let Lengths { of_account: places, of_address: few } = self.lengths;
        let of_account = queue(of_accounts, account, places)?;
        let (of_strangers, taken, places, few) = match standing {
            Standing::Known => (None, Arc::strong_count(&of_account), places, few),
            Standing::Stranger => {
                let strangers = queue(of_strangers, account, places / 2)?;
                let taken = Arc::strong_count(&strangers);
                (Some(strangers), taken, places / 2, few / 2)
            }
        };
        let max = if taken > places / 2 + 1 { few.max(1) } else { places };
        let of_address = queue(of_addresses, (account, standing, network(address)), max)?;
        Some(Place { of_all: self.all.clone(), of_account, of_strangers, of_address })
    }
}

impl Place {
    /// Do `work`, when it is its turn.
    ///
    /// # Errors
    /// It ended before it was done.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = self.turn().await.ok_or_else(busy)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held here: whoever asked may be gone, and the work goes on.
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| Error::internal("work that was done aside ended before it was done"))
    }

    /// First come, first served; accounts in turn, and of each its strangers all together and the addresses, since each has but
    /// one call that waits with those of others.
    async fn turn(self) -> Option<Turn> {
        let of_address = self.of_address.acquire_owned().await.ok()?;
        let of_strangers = match self.of_strangers {
            Some(strangers) => Some(strangers.acquire_owned().await.ok()?),
            None => None,
        };
        let of_account = self.of_account.acquire_owned().await.ok()?;
        let of_all = self.of_all.acquire_owned().await.ok()?;
        Some(Turn {
            _of_address: of_address,
            _of_strangers: of_strangers,
            _of_account: of_account,
            _of_all: of_all,
        })
    }
}

/// The queue, unless it is full.
fn queue<K: Eq + Hash>(queues: &mut HashMap<K, Arc<Semaphore>>, of: K, max: usize) -> Option<Arc<Semaphore>> {
    // Whoever waits or has its turn holds its queue, and is given it in here only.
    queues.retain(|_, queue| Arc::strong_count(queue) > 1);
    let queue = queues.entry(of).or_insert_with(|| Arc::new(Semaphore::new(1)));
    (Arc::strong_count(queue) <= max).then(|| queue.clone())
}

/// AWS's word for too many calls ("Common Error Types" in its API references).
pub(crate) fn busy() -> Error {
    Error::new("Throttling", "Rate exceeded")
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use super::*;

    const LENGTHS: Lengths = Lengths { of_account: 100, of_address: 20 };

    fn new(at_once: usize) -> Line {
        Line::new(at_once, LENGTHS)
    }

    impl Line {
        /// A turn of somebody who is known.
        async fn turn(&self, account: AccountId, address: Option<IpAddr>) -> Option<Turn> {
            self.free_place(account, address, Standing::Known)?.turn().await
        }
    }

    fn account(id: &str) -> AccountId {
        id.parse().unwrap()
    }

    fn poll<T>(turn: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        turn.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn an_account_has_one_turn_and_all_together_as_many_as_there_are() {
        let line = new(2);
        let [one, two, three] = ["111122223333", "444455556666", "777788889999"].map(account);
        let first = line.turn(one, None).await.unwrap();
        let mut again = pin!(line.turn(one, None));
        assert!(poll(again.as_mut()).is_pending(), "one at a time");
        let second = line.turn(two, None).await.unwrap();
        let mut third = pin!(line.turn(three, None));
        assert!(poll(third.as_mut()).is_pending(), "two in all");
        drop(first);
        assert!(poll(again.as_mut()).is_pending(), "who came first goes first");
        drop(third.await.unwrap());
        drop(again.await.unwrap());
        drop(second);
        drop(line.turn(one, None).await.unwrap());
        assert_eq!(
            line.queues.lock().unwrap().of_accounts.len(),
            1,
            "queues that nobody is in are forgotten"
        );
    }

    fn from(n: usize) -> Option<IpAddr> {
        Some(format!("203.0.113.{n}").parse().unwrap())
    }

    #[tokio::test]
    async fn so_many_calls_of_an_account_wait_and_no_more() {
        let line = new(1);
        let [one, other] = ["111122223333", "444455556666"].map(account);
        let mut waiting: Vec<_> =
            (0..LENGTHS.of_account).map(|n| Box::pin(line.turn(one, from(n)))).collect();
        let first = poll(waiting[0].as_mut());
        assert!(first.is_ready());
        assert!(waiting[1..].iter_mut().all(|turn| poll(turn.as_mut()).is_pending()));
        assert!(line.turn(one, None).await.is_none());
        let error = line.run(one, None, || ()).await.unwrap_err();
        assert_eq!((error.code, error.message.as_str()), ("Throttling", "Rate exceeded"));
        assert!(poll(pin!(line.turn(other, None))).is_pending(), "another account's queue has room");
        waiting.clear();
        drop(first);
        assert_eq!(line.run(one, None, || 7).await.unwrap(), 7);
    }

    /// Whoever floods from one address is a queue of its own, and the next address comes after one of its calls.
    #[tokio::test]
    async fn an_address_that_asks_often_leaves_room_and_turns_to_others() {
        let line = new(1);
        let one = account("111122223333");
        let half = LENGTHS.of_account / 2;
        let mut flood: Vec<_> = (0..half).map(|_| Box::pin(line.turn(one, from(7)))).collect();
        let first = poll(flood[0].as_mut());
        assert!(first.is_ready() && flood[1..].iter_mut().all(|turn| poll(turn.as_mut()).is_pending()));
        let clothed = Some("::ffff:203.0.113.7".parse().unwrap());
        assert!(line.turn(one, clothed).await.is_none(), "half of what there is, and then no more");
        let mut honest = pin!(line.turn(one, from(8)));
        assert!(poll(honest.as_mut()).is_pending());
        drop(first);
        let turn = poll(honest.as_mut());
        assert!(turn.is_ready(), "before all that came earlier from there");
        assert!(poll(flood[1].as_mut()).is_pending());
        drop(turn);
        assert!(poll(flood[1].as_mut()).is_ready());
    }

    /// From however many addresses they come.
    #[tokio::test]
    async fn strangers_have_half_of_the_places_and_one_turn_at_a_time() {
        let line = new(1);
        let one = account("111122223333");
        let stranger = |n| line.free_place(one, from(n), Standing::Stranger);
        let mut waiting: Vec<_> = (0..100).filter_map(stranger).map(|place| Box::pin(place.turn())).collect();
        assert_eq!(waiting.len(), LENGTHS.of_account / 2);
        let first = poll(waiting[0].as_mut());
        assert!(first.is_ready() && waiting[1..].iter_mut().all(|turn| poll(turn.as_mut()).is_pending()));
        // From a stranger's own address, too.
        let mut known = pin!(line.turn(one, from(0)));
        assert!(poll(known.as_mut()).is_pending());
        drop(first);
        assert!(poll(known.as_mut()).is_ready(), "before all strangers but the one whose turn it was");
        drop(waiting);
        let of_one_address = std::iter::repeat_with(|| stranger(7)).take(100).flatten();
        let of_one_address: Vec<_> = of_one_address.collect();
        assert_eq!(of_one_address.len(), LENGTHS.of_account / 4, "and others have places left");
        assert!(stranger(8).is_some());
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_keeps_its_turn() {
        let line = new(1);
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let one = account("111122223333");
        let mut gone = Box::pin(line.run(one, None, move || wait.recv_timeout(Duration::from_secs(30))));
        assert!(poll(gone.as_mut()).is_pending());
        drop(gone);
        let mut next = pin!(line.turn(one, None));
        assert!(poll(next.as_mut()).is_pending());
        go.send(()).unwrap();
        assert!(next.await.is_some());
    }
}
