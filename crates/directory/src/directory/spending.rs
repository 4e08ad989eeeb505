//! Facts that are spent once: one-time codes and the tries of them.

use daypass_store::{CommitError, Spent};

use super::Directory;
use crate::error::NotCommitted;

impl Directory {
    /// Spend a fact: whether this is the first time, see [`Store::spend`](daypass_store::Store::spend). How long to wait
    /// is the caller's to say.
    pub(crate) async fn spend_fact(
        &self,
        fact: &str,
        expires_at: i64,
        now: i64,
    ) -> Result<bool, NotCommitted> {
        match self.store.spend(fact, expires_at, now).await {
            Ok(spent) => Ok(spent == Spent::First),
            Err(CommitError::Unavailable(why)) => Err(NotCommitted::Unavailable(why)),
            Err(CommitError::Full) => Err(NotCommitted::Full),
            Err(CommitError::Invalid(bound)) => Err(NotCommitted::OutOfBounds(bound)),
            // No spending conflicts; should one say so, nobody can tell what was spent.
            Err(CommitError::Unknown | CommitError::Conflict) => {
                Err(NotCommitted::Unknown("a fact may have been spent".into()))
            }
        }
    }
}
