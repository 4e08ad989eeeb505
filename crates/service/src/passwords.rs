//! Hashing of passwords, which takes a processor for a while on purpose: aside, in a short line. Who signs in comes here as
//! well as who changes a password, so that neither can keep a machine busy.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use daypass_authn::password::{PasswordHash, Salt};
use daypass_model::{AccountId, Random, Secret};

use crate::error::Error;
use crate::line::{Lengths, Line, Place, Standing, half_of_processors};

/// Calls that hash or wait for it. A change of a password can take 25 hashes where many are remembered.
const LENGTHS: Lengths = Lengths { of_account: 20, of_address: 5 };

/// What passwords take of the house beyond their own calls.
pub struct Passwords {
    line: Line,
    turns: AtomicU64,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { line: Line::new(half_of_processors(), LENGTHS), turns: AtomicU64::new(0) }
    }
}

impl Passwords {
    /// A new hash of a password, for a call of this account that comes from there.
    ///
    /// # Errors
    /// Throttling: too many wait already.
    pub async fn hash(
        &self,
        account: AccountId,
        address: Option<IpAddr>,
        password: Secret,
        random: &dyn Random,
    ) -> Result<PasswordHash, Error> {
        let salt = Salt::new(random);
        let hashed = self.work(account, address, move || PasswordHash::of(&password, &salt)).await?;
        hashed.map_err(|_| Error::internal("a password was not hashed"))
    }

    /// Whatever else takes hashes, in one turn, for somebody who has shown something: a call that is signed, a step of a sign-in
    /// after the password.
    ///
    /// # Errors
    /// Throttling: too many wait already.
    pub async fn work<T: Send + 'static>(
        &self,
        account: AccountId,
        address: Option<IpAddr>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.work_at(self.place(account, address, Standing::Known)?, work).await
    }

    /// A place in the account's line, for whoever still has to spend something before the work.
    ///
    /// # Errors
    /// Throttling: too many wait already.
    pub(crate) fn place(
        &self,
        account: AccountId,
        address: Option<IpAddr>,
        standing: Standing,
    ) -> Result<Place, Error> {
        self.line.place(account, address, standing)
    }

    /// The same as `work`, by whoever has a place.
    ///
    /// # Errors
    /// The work ended before it was done.
    pub(crate) async fn work_at<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.turns.fetch_add(1, Ordering::Relaxed);
        place.run(work).await
    }

    /// How often somebody asked for work: by the time of an answer nobody hears what was wrong, and by this a test.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use daypass_model::SeededRandom;

    use super::*;

    #[tokio::test]
    async fn so_many_calls_of_an_account_wait_for_a_hash_and_no_more() {
        let (passwords, random) = (Passwords::default(), SeededRandom::new(1));
        let [one, other]: [AccountId; 2] = ["111122223333", "444455556666"].map(|id| id.parse().unwrap());
        let from = |n: usize| Some(format!("203.0.113.{n}").parse().unwrap());
        let hash = |account, n| Box::pin(passwords.hash(account, from(n), Secret::new("x"), &random));
        let mut waiting: Vec<_> = (0..LENGTHS.of_account).map(|n| hash(one, n)).collect();
        for call in &mut waiting {
            assert!(matches!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
        }
        let error = hash(one, 99).await.unwrap_err();
        assert_eq!((error.code, error.message.as_str()), ("Throttling", "Rate exceeded"));
        hash(other, 99).await.unwrap();
        for call in waiting {
            call.await.unwrap();
        }
    }
}
