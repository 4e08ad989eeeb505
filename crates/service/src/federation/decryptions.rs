//! Who decrypts assertions when. Anybody can ask for it by an unsigned call, and each is up to some tens of milliseconds of a
//! processor: so it is not done on the threads that serve everybody, for one call of an account at a time and a few in all.
//! Whoever else asks waits among those of the same provider's account and, there, of the same address, as far as so many do not
//! wait already.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use daypass_model::AccountId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;
use crate::network::network;

/// Decryptions at once, on a machine with twice as many processors or more.
const AT_ONCE_MAX: usize = 4;
/// Calls of one account that decrypt or wait for it.
const OF_ACCOUNT_MAX: usize = 100;
/// Those of them that one address makes, while half of the account's are taken: many people can be behind one.
const OF_ADDRESS_MAX: usize = 20;

/// Whose calls wait for each other.
type Address = (AccountId, Option<IpAddr>);

/// Counts who decrypts and who waits.
pub(super) struct Decryptions {
    all: Arc<Semaphore>,
    queues: Mutex<Queues>,
}

/// Whoever is in a queue holds it.
#[derive(Default)]
struct Queues {
    of_accounts: HashMap<AccountId, Arc<Semaphore>>,
    of_addresses: HashMap<Address, Arc<Semaphore>>,
}

/// It is one's turn until this is dropped.
struct Turn {
    _of_address: OwnedSemaphorePermit,
    _of_account: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Default for Decryptions {
    /// On half of the processors, one at the least.
    fn default() -> Self {
        let half = available_parallelism().map_or(1, |processors| processors.get() / 2);
        Self::new(half.clamp(1, AT_ONCE_MAX))
    }
}

impl Decryptions {
    fn new(at_once: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(at_once)), queues: Mutex::default() }
    }

    /// Do `work` for a provider of this account, when it is its turn.
    ///
    /// # Errors
    /// Throttling, which clients try again: too many wait already.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        account: AccountId,
        address: Option<IpAddr>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = self.turn(account, address).await.ok_or_else(busy)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held here: whoever asked may be gone, and the work goes on.
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| Error::internal("a decryption ended before it was done"))
    }

    /// First come, first served; accounts in turn and the addresses of each, since each has but one call that waits with those of
    /// others.
    async fn turn(&self, account: AccountId, address: Option<IpAddr>) -> Option<Turn> {
        let (of_account, of_address) = {
            let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
            let Queues { of_accounts, of_addresses } = &mut *queues;
            let of_account = queue(of_accounts, account, OF_ACCOUNT_MAX)?;
            let is_long = Arc::strong_count(&of_account) > OF_ACCOUNT_MAX / 2 + 1;
            let max = if is_long { OF_ADDRESS_MAX } else { OF_ACCOUNT_MAX };
            (of_account, queue(of_addresses, (account, network(address)), max)?)
        };
        let of_address = of_address.acquire_owned().await.ok()?;
        let of_account = of_account.acquire_owned().await.ok()?;
        let of_all = self.all.clone().acquire_owned().await.ok()?;
        Some(Turn { _of_address: of_address, _of_account: of_account, _of_all: of_all })
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
pub(super) fn busy() -> Error {
    Error::new("Throttling", "Rate exceeded")
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use super::*;

    fn account(id: &str) -> AccountId {
        id.parse().unwrap()
    }

    fn poll<T>(turn: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        turn.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn an_account_has_one_turn_and_all_together_as_many_as_there_are() {
        let decryptions = Decryptions::new(2);
        let [one, two, three] = ["111122223333", "444455556666", "777788889999"].map(account);
        let first = decryptions.turn(one, None).await.unwrap();
        let mut again = pin!(decryptions.turn(one, None));
        assert!(poll(again.as_mut()).is_pending(), "one at a time");
        let second = decryptions.turn(two, None).await.unwrap();
        let mut third = pin!(decryptions.turn(three, None));
        assert!(poll(third.as_mut()).is_pending(), "two in all");
        drop(first);
        assert!(poll(again.as_mut()).is_pending(), "who came first goes first");
        drop(third.await.unwrap());
        drop(again.await.unwrap());
        drop(second);
        drop(decryptions.turn(one, None).await.unwrap());
        assert_eq!(
            decryptions.queues.lock().unwrap().of_accounts.len(),
            1,
            "queues that nobody is in are forgotten"
        );
    }

    fn from(n: usize) -> Option<IpAddr> {
        Some(format!("203.0.113.{n}").parse().unwrap())
    }

    #[tokio::test]
    async fn so_many_calls_of_an_account_wait_and_no_more() {
        let decryptions = Decryptions::new(1);
        let [one, other] = ["111122223333", "444455556666"].map(account);
        let mut waiting: Vec<_> =
            (0..OF_ACCOUNT_MAX).map(|n| Box::pin(decryptions.turn(one, from(n)))).collect();
        let first = poll(waiting[0].as_mut());
        assert!(first.is_ready());
        assert!(waiting[1..].iter_mut().all(|turn| poll(turn.as_mut()).is_pending()));
        assert!(decryptions.turn(one, None).await.is_none());
        let error = decryptions.run(one, None, || ()).await.unwrap_err();
        assert_eq!((error.code, error.message.as_str()), ("Throttling", "Rate exceeded"));
        assert!(poll(pin!(decryptions.turn(other, None))).is_pending(), "another account's queue has room");
        waiting.clear();
        drop(first);
        assert_eq!(decryptions.run(one, None, || 7).await.unwrap(), 7);
    }

    /// Whoever floods from one address is a queue of its own, and the next address comes after one of its calls.
    #[tokio::test]
    async fn an_address_that_asks_often_leaves_room_and_turns_to_others() {
        let decryptions = Decryptions::new(1);
        let one = account("111122223333");
        let half = OF_ACCOUNT_MAX / 2;
        let mut flood: Vec<_> = (0..half).map(|_| Box::pin(decryptions.turn(one, from(7)))).collect();
        let first = poll(flood[0].as_mut());
        assert!(first.is_ready() && flood[1..].iter_mut().all(|turn| poll(turn.as_mut()).is_pending()));
        let clothed = Some("::ffff:203.0.113.7".parse().unwrap());
        assert!(decryptions.turn(one, clothed).await.is_none(), "half of what there is, and then no more");
        let mut honest = pin!(decryptions.turn(one, from(8)));
        assert!(poll(honest.as_mut()).is_pending());
        drop(first);
        let turn = poll(honest.as_mut());
        assert!(turn.is_ready(), "before all that came earlier from there");
        assert!(poll(flood[1].as_mut()).is_pending());
        drop(turn);
        assert!(poll(flood[1].as_mut()).is_ready());
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_keeps_its_turn() {
        let decryptions = Decryptions::new(1);
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let one = account("111122223333");
        let mut gone =
            Box::pin(decryptions.run(one, None, move || wait.recv_timeout(Duration::from_secs(30))));
        assert!(poll(gone.as_mut()).is_pending());
        drop(gone);
        let mut next = pin!(decryptions.turn(one, None));
        assert!(poll(next.as_mut()).is_pending());
        go.send(()).unwrap();
        assert!(next.await.is_some());
    }
}
