//! The end of an account.

use daypass_model::AccountId;

use super::Directory;
use crate::change::Change;
use crate::error::NotCommitted;
use crate::key;
use crate::record::{AccessKeyPointer, Unknown};

/// The account was not closed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotClosed {
    /// There is none of this number, or it is closed already.
    #[error("there is no account {0}")]
    NoAccount(AccountId),
    /// Without any, a daypass would begin anew, and is better given a new data directory.
    #[error("{0} is the only account there is")]
    Last(AccountId),
    /// It was not written.
    #[error(transparent)]
    NotCommitted(#[from] NotCommitted),
}

impl Directory {
    /// Close an account: from this commit on nobody resolves to a principal of it and nothing leads into it. What it
    /// held stays in the store, and is out of everybody's reach.
    ///
    /// # Errors
    /// [`NotClosed`].
    pub async fn close_account(&self, id: AccountId, request_id: &str) -> Result<(), NotClosed> {
        let view = self.snapshot();
        let root = |id| view.account(id).and_then(|account| account.root().cloned());
        let account = root(id).ok_or(NotClosed::NoAccount(id))?;
        let other = view.account_ids().into_iter().filter(|other| *other != id).find_map(root);
        let other = other.ok_or(NotClosed::Last(id))?;
        let mut change = Change::new(request_id, &view);
        // Two that are closed at once must not both rely on the other.
        change.unchanged(key::account(other.record.id), other.revision);
        change.unchanged(key::account(id), account.revision);
        let mut record = account.record.clone();
        record.written = change.written();
        record.closed = Some(self.clock.now().as_second());
        for gone in std::mem::take(&mut record.root_keys) {
            let written = change.written();
            let pointer = AccessKeyPointer { written, account: id, owner: None, unknown: Unknown::new() };
            change.put(key::access_key(&gone.id), &pointer);
        }
        change.put(key::account(id), &record);
        Ok(self.commit(change).await?)
    }
}
