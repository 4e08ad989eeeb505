//! Turns: calls whose commits were in each other's way go one after the other.
//!
//! One queue for each account: a caller's writes stay within its own, so nobody waits for somebody else's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use daypass_model::AccountId;
use tokio::sync::OwnedMutexGuard;

/// It is one's turn until this is dropped.
pub type Turn = OwnedMutexGuard<()>;

type Queue = Arc<tokio::sync::Mutex<()>>;

/// The queues that somebody is in.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<AccountId, Queue>>);

impl Turns {
    /// Wait for one's turn; first come, first served.
    pub(crate) async fn wait(&self, account: AccountId) -> Turn {
        self.queue(account).lock_owned().await
    }

    fn queue(&self, account: AccountId) -> Queue {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits or has its turn holds its queue, and is given it in here only.
        queues.retain(|_, queue| Arc::strong_count(queue) > 1);
        queues.entry(account).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn waits(turn: std::pin::Pin<&mut impl Future<Output = Turn>>) -> bool {
        matches!(turn.poll(&mut Context::from_waker(Waker::noop())), Poll::Pending)
    }

    #[tokio::test]
    async fn an_account_waits_for_itself_only_and_leaves_nothing_behind() {
        let turns = Turns::default();
        let account = |id: &str| id.parse::<AccountId>().unwrap();
        let (one, other) = (account("111122223333"), account("444455556666"));
        let first = turns.wait(one).await;
        let mut second = pin!(turns.wait(one));
        assert!(waits(second.as_mut()));
        drop(turns.wait(other).await);
        assert!(waits(second.as_mut()), "the other account's turn is not its own");
        drop(first);
        drop(second.await);
        drop(turns.wait(other).await);
        assert_eq!(turns.0.lock().unwrap().len(), 1, "queues that nobody is in are forgotten");
    }
}
