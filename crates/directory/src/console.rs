//! Sessions of the console: records that live from somebody's sign-in to the sign-out.
//!
//! A session token opens without a store, and that is what makes it fast; whoever signs out of a page expects more. So a
//! session of the console lives only while its record does, on every node, with all credentials in its name.

use std::collections::BTreeMap;
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

impl View {
    /// A session of the console, over or not. May lead to any account: its number stands in the id, and whoever names the
    /// session has to prove that it is theirs.
    #[must_use]
    pub fn console_session(&self, id: SessionId) -> Option<&Arc<ConsoleSession>> {
        self.open_account(id.account()?)?.console_sessions.get(&id)
    }
}

impl AccountView<'_> {
    /// Add a session to a change of this account. Where its owner has as many as it may, their oldest makes room; where the
    /// account has, the oldest of the principal with the most. So nobody's sessions keep others out.
    pub fn begin_console_session(&self, change: &mut Change, id: SessionId, record: &ConsoleSessionRecord) {
        let now = record.begun;
        let (mut living, mut swept) = (Vec::new(), 0);
        for (other, kept) in &self.account.console_sessions {
            if kept.record.expires > now {
                living.push((*other, kept));
            } else if swept < SWEPT_MAX && kept.record.expires + KEPT_AFTER_END <= now {
                swept += 1;
                remove(change, self.id(), *other, kept.revision);
            }
        }
        let own = living.iter().filter(|(_, kept)| kept.record.owner == record.owner);
        let own: Vec<_> = own.copied().collect();
        if own.len() >= CONSOLE_SESSIONS_PER_OWNER_MAX {
            self.remove_oldest(change, &own);
        } else if living.len() >= CONSOLE_SESSIONS_PER_ACCOUNT_MAX {
            self.remove_oldest(change, &of_most(&living));
        }
        let place = key::console_session(self.id(), id);
        change.absent(place.clone());
        change.put(place, record);
    }

    fn remove_oldest(&self, change: &mut Change, of: &[Kept<'_>]) {
        if let Some((id, kept)) = of.iter().min_by_key(|(id, kept)| (kept.record.begun, *id)) {
            remove(change, self.id(), *id, kept.revision);
        }
    }

    /// Add the end of a session to a change of this account. One that is gone stays so.
    pub fn end_console_session(&self, change: &mut Change, id: SessionId) {
        if let Some(kept) = self.account.console_sessions.get(&id) {
            remove(change, self.id(), id, kept.revision);
        }
    }
}

/// A session and its id.
type Kept<'a> = (SessionId, &'a Arc<ConsoleSession>);

/// Those of the principal that has the most of these.
fn of_most<'a>(living: &[Kept<'a>]) -> Vec<Kept<'a>> {
    let mut by_principal: BTreeMap<&str, Vec<Kept<'a>>> = BTreeMap::new();
    for (id, kept) in living {
        by_principal.entry(kept.record.principal_id()).or_default().push((*id, kept));
    }
    by_principal.into_values().max_by_key(Vec::len).unwrap_or_default()
}

fn remove(change: &mut Change, account: AccountId, id: SessionId, revision: Revision) {
    let place = key::console_session(account, id);
    change.unchanged(place.clone(), revision);
    change.delete(place);
}
