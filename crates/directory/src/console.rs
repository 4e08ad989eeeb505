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
                // Those who sign in at once sweep the same ones, and are not in each other's way: a session's record is written
                // once, so what has ended stays so, and that it is gone is all that is wanted.
                change.delete(key::console_session(self.id(), *other));
            }
        }
        let most = (CONSOLE_SESSIONS_PER_OWNER_MAX, CONSOLE_SESSIONS_PER_ACCOUNT_MAX);
        if let Some((oldest, kept)) = gives_way(&living, &record.owner, most) {
            remove(change, self.id(), oldest, kept.revision);
        }
        let place = key::console_session(self.id(), id);
        change.absent(place.clone());
        change.put(place, record);
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

/// Which of these makes room for one of this owner, where there are as many as may be: of an owner, and of an account.
fn gives_way<'a>(living: &[Kept<'a>], owner: &str, most: (usize, usize)) -> Option<Kept<'a>> {
    let own = living.iter().filter(|(_, kept)| kept.record.owner == owner);
    let own: Vec<_> = own.copied().collect();
    let among = match (own.len() >= most.0, living.len() >= most.1) {
        (true, _) => own,
        (false, true) => of_most(living),
        (false, false) => return None,
    };
    among.into_iter().min_by_key(|(id, kept)| (kept.record.begun, *id))
}

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

#[cfg(test)]
mod tests {
    //! Whose sessions give way to others.

    use super::*;
    use crate::record::{Unknown, Written};

    fn session(n: u8, owner: &str, begun: i64) -> (SessionId, Arc<ConsoleSession>) {
        let record = ConsoleSessionRecord {
            written: Written { version: 1, request_id: "r".into() },
            secret_hash: String::new(),
            access_key_id: "ASIAIOSFODNN7EXAMPLE".parse().unwrap(),
            token: String::new(),
            owner: owner.into(),
            begun,
            expires: begun + 900,
            issuer: None,
            destination: None,
            unknown: Unknown::new(),
        };
        (SessionId([n; 16]), Arc::new(ConsoleSession { record, revision: Revision::ZERO }))
    }

    #[test]
    fn whoever_has_most_gives_way_and_nobody_else() {
        let all = [
            session(1, "AROAONE:ada:", 1),
            session(2, "AROATWO:x1:", 5),
            session(3, "AROATWO:x2:", 3),
            session(4, "AROATWO:x3:", 4),
            session(5, "AROAONE:ada:AKIA", 2),
        ];
        let living: Vec<Kept<'_>> = all.iter().map(|(id, kept)| (*id, kept)).collect();
        let first = |owner: &str, most| gives_way(&living, owner, most).map(|(id, _)| id.0[0]);
        assert_eq!(first("AROATHREE:bo:", (2, 6)), None, "there is room");
        assert_eq!(
            first("AROATHREE:bo:", (2, 5)),
            Some(3),
            "the oldest of the principal with the most names"
        );
        assert_eq!(first("AROAONE:ada:", (2, 5)), Some(3), "an owner with room of its own");
        assert_eq!(first("AROAONE:ada:", (1, 6)), Some(1), "an owner with as many as it may have");
        assert_eq!(first("AROAONE:ada:AKIA", (1, 6)), Some(5), "by another key it is another owner");
    }
}
