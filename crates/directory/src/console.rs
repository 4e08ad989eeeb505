//! Sessions of the console: records that live from somebody's sign-in to the sign-out.
//!
//! A session token opens without a store, and that is what makes it fast; whoever signs out of a page expects more. So a
//! session of the console lives only while its record does, on every node, with all credentials in its name.

use std::sync::Arc;

use daypass_model::limits::{CONSOLE_SESSIONS_PER_ACCOUNT_MAX, CONSOLE_SESSIONS_PER_OWNER_MAX};
use daypass_model::{AccountId, SessionId};
use daypass_store::Revision;

use crate::account_view::AccountView;
use crate::change::Change;
use crate::key;
use crate::record::ConsoleSessionRecord;
use crate::view::View;

/// For so long after its end a session's record says where its holder may sign in again, in seconds.
const KEPT_AFTER_END: i64 = 86_400;
/// Records of ended sessions that a new one takes with it.
const SWEPT_MAX: usize = 50;

/// A session of the console, as its record was at this revision.
#[derive(Debug)]
pub struct ConsoleSession {
    /// Its record.
    pub record: ConsoleSessionRecord,
    /// The revision of that.
    pub revision: Revision,
}

/// The sessions of one account.
pub(crate) type ConsoleSessions = rpds::HashTrieMapSync<SessionId, Arc<ConsoleSession>>;

/// An account has as many sessions of the console as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there are {CONSOLE_SESSIONS_PER_ACCOUNT_MAX} console sessions in this account; wait until some of them end"
)]
pub struct TooManyConsoleSessions;

impl View {
    /// A session of the console, over or not. May lead to any account: its number stands in the id, and whoever names the
    /// session has to prove that it is theirs.
    #[must_use]
    pub fn console_session(&self, id: SessionId) -> Option<&Arc<ConsoleSession>> {
        self.open_account(id.account()?)?.console_sessions.get(&id)
    }
}

impl AccountView<'_> {
    /// Add a session to a change of this account. Of those of the same owner the oldest makes room.
    ///
    /// # Errors
    /// [`TooManyConsoleSessions`].
    pub fn begin_console_session(
        &self,
        change: &mut Change,
        id: SessionId,
        record: &ConsoleSessionRecord,
    ) -> Result<(), TooManyConsoleSessions> {
        let now = record.begun;
        let mut own = Vec::new();
        let (mut live, mut swept) = (0, 0);
        for (other, kept) in &self.account.console_sessions {
            let is_own = kept.record.owner == record.owner;
            if kept.record.expires > now {
                live += 1;
                if is_own {
                    own.push((kept.record.begun, *other, kept.revision));
                }
            } else if swept < SWEPT_MAX && kept.record.expires + KEPT_AFTER_END <= now {
                swept += 1;
                remove(change, self.id(), *other, kept.revision);
            }
        }
        if own.len() >= CONSOLE_SESSIONS_PER_OWNER_MAX
            && let Some((_, oldest, revision)) = own.into_iter().min_by_key(|(begun, id, _)| (*begun, *id))
        {
            remove(change, self.id(), oldest, revision);
        } else if live >= CONSOLE_SESSIONS_PER_ACCOUNT_MAX {
            return Err(TooManyConsoleSessions);
        }
        let place = key::console_session(self.id(), id);
        change.absent(place.clone());
        change.put(place, record);
        Ok(())
    }

    /// Add the end of a session to a change of this account. One that is gone stays so.
    pub fn end_console_session(&self, change: &mut Change, id: SessionId) {
        if let Some(kept) = self.account.console_sessions.get(&id) {
            remove(change, self.id(), id, kept.revision);
        }
    }
}

fn remove(change: &mut Change, account: AccountId, id: SessionId, revision: Revision) {
    let place = key::console_session(account, id);
    change.unchanged(place.clone(), revision);
    change.delete(place);
}
