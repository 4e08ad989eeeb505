//! Revocation: sessions that end before their time.
//!
//! A session token opens without a store, so what ends a session is a record that every node has in its view: it holds
//! for the next request at every door. Three kinds: one session; one session and all that descend from it, in whatever
//! account; every session of a user, role or root that was issued before a moment, alone or with all that descend from them.
//!
//! INVARIANT (revoked-for-life): a record stays for as long as a session that it names can live, whatever the clocks of
//! two nodes say.

use std::sync::Arc;

use daypass_authn::token::{PrincipalAbove, SessionClaims};
use daypass_model::limits::{REVOCATIONS_OF_OPERATOR_MAX, REVOCATIONS_PER_ACCOUNT_MAX, SESSION_SECONDS_MAX};
use daypass_model::{AccessKeyId, AccountId, SessionId};
use daypass_store::Revision;

use crate::account_view::AccountView;
use crate::change::Change;
use crate::directory::Directory;
use crate::error::NotCommitted;
use crate::key::{self, Named};
use crate::record::{KeyOwner, PrincipalRevocationRecord, SessionRevocationRecord, Unknown};
use crate::view::View;

/// How far the clocks of two nodes may be apart before one forgets what the other still needs, in seconds.
const CLOCKS_APART_MAX: i64 = 3600;
/// Records of ended sessions that one revocation takes with it.
const SWEPT_MAX: usize = 50;

/// What sessions depend on beside revocations, by the operator's choice.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionRules {
    /// Whether sessions end with the long-term access key that their chain began with, once it is deactivated or
    /// deleted. On AWS they do not.
    pub end_with_key: bool,
}

/// A revocation in the view, as its record was at this revision.
#[derive(Debug)]
pub(crate) struct Revoked<R> {
    pub(crate) record: R,
    pub(crate) revision: Revision,
}

/// Who a session is and where it came from: what a revocation can mean of it.
#[derive(Debug, Clone, Copy)]
pub struct Descent<'a> {
    /// The session.
    pub id: SessionId,
    /// The sessions it came from.
    pub ancestry: &'a [SessionId],
    /// The account it acts in.
    pub account: AccountId,
    /// The unique id of its user or role; of root, the account number.
    pub principal_id: &'a str,
    /// Unix seconds.
    pub issued_at: i64,
    /// The long-term access key that its chain began with.
    pub first_key: Option<&'a AccessKeyId>,
    /// Whose sessions and keys it came from.
    pub principals_above: &'a [PrincipalAbove],
}

impl<'a> From<&'a SessionClaims> for Descent<'a> {
    fn from(claims: &'a SessionClaims) -> Self {
        Self {
            id: claims.session_id,
            ancestry: &claims.ancestry,
            account: claims.account,
            principal_id: &claims.principal_id,
            issued_at: claims.issued_at,
            first_key: claims.first_key.as_ref(),
            principals_above: &claims.principals_above,
        }
    }
}

impl View {
    /// The places of all the records that could end a session.
    pub(crate) fn revocations_of<'a>(&self, session: Descent<'a>) -> impl Iterator<Item = String> + use<'a> {
        let of_session = |id: SessionId| Some(key::revoked_session(id.account()?, id));
        let sessions = session.ancestry.iter().copied().chain([session.id]).filter_map(of_session);
        let above =
            session.principals_above.iter().map(|above| key::revoked_principal(above.account, &above.id));
        let first = self.owner_of_first_key(session).map(|(account, id)| key::revoked_principal(account, id));
        let own = key::revoked_principal(session.account, session.principal_id);
        sessions.chain([own]).chain(above).chain(first)
    }

    /// Account and unique id of whose key its chain began with. A token of a server that did not name principals says it so alone.
    fn owner_of_first_key(&self, session: Descent<'_>) -> Option<(AccountId, &str)> {
        let pointer = self.key_owner(session.first_key?)?;
        let id = match pointer.owner.as_ref()? {
            KeyOwner::Root => pointer.account.as_str(),
            KeyOwner::User(id) => id.as_str(),
        };
        Some((pointer.account, id))
    }

    /// Whether a session was ended before its time. May lead to other accounts because a session ends with those that it
    /// came from, whose accounts ended them.
    #[must_use]
    pub fn is_revoked(&self, session: Descent<'_>) -> bool {
        let by_id = |id: SessionId| self.raw_account(id.account()?)?.revoked_sessions.get(&id);
        let and_issued = |id: &SessionId| by_id(*id).is_some_and(|revoked| revoked.record.issued_too);
        by_id(session.id).is_some()
            || session.ancestry.iter().any(and_issued)
            || self.origin_is_closed(session)
            || self.principal_is_revoked(session)
            || (self.session_rules().end_with_key
                && session.first_key.is_some_and(|key| !self.is_active_key(key)))
    }

    /// INVARIANT (closed-is-gone): what an account's users and roles took elsewhere ends with it.
    fn origin_is_closed(&self, session: Descent<'_>) -> bool {
        self.origins(session).any(|id| self.operator().is_closed(id))
    }

    /// The accounts that a session came from: of every principal above it, since of sessions that are over a chain forgets some;
    /// of a session that a token without principals names; and of a key, which is the one that its pointer names: a pinned root
    /// key's id has any number written in it.
    pub(crate) fn origins(&self, session: Descent<'_>) -> impl Iterator<Item = AccountId> {
        let principals = session.principals_above.iter().map(|above| above.account);
        let sessions = session.ancestry.iter().filter_map(|id| id.account());
        principals.chain(sessions).chain(session.first_key.and_then(|key| self.account_of_key(key)))
    }

    /// Whether its principal's sessions of that time were ended, or with what they issued those of one above it. A session that
    /// was issued after the moment, by one that was issued before it, ends with that.
    fn principal_is_revoked(&self, session: Descent<'_>) -> bool {
        let of = |account, id: &str| self.raw_account(account)?.revoked_principals.get(id);
        let ends_with = |above: &PrincipalAbove| {
            let before = of(above.account, &above.id).and_then(|revoked| revoked.record.issued_too_before);
            before.is_some_and(|before| above.since < before)
        };
        let first = || {
            let (account, id) = self.owner_of_first_key(session)?;
            of(account, id)?.record.issued_too_before
        };
        of(session.account, session.principal_id)
            .is_some_and(|revoked| session.issued_at < revoked.record.before)
            || session.principals_above.iter().any(ends_with)
            // The key asked no later than that.
            || first().is_some_and(|before| session.issued_at < before)
    }

    /// Whether there is such a record, that a commit could depend on.
    pub(crate) fn has_revocation(&self, place: &str) -> bool {
        match key::parse(place) {
            Named::RevokedSession(account, id) => {
                let id = id.parse().ok();
                let found = self.raw_account(account).zip(id);
                found.is_some_and(|(account, id)| account.revoked_sessions.contains_key::<SessionId>(&id))
            }
            Named::RevokedPrincipal(account, id) => {
                self.raw_account(account).is_some_and(|account| account.revoked_principals.contains_key(id))
            }
            _ => false,
        }
    }
}

/// What is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// One session of the account.
    Session {
        /// Which.
        id: SessionId,
        /// With every session that descends from it, of whatever account.
        issued_too: bool,
    },
    /// Every session of a user, role or root.
    Principal {
        /// The unique id; of root, the account number.
        id: String,
        /// Issued before this second of Unix time.
        before: i64,
        /// With every session that descends from them, or that its long-term keys asked for before then, of whatever account.
        issued_too: bool,
    },
}

/// Why a revocation cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRevoked {
    /// The session acts in another account, or in none.
    #[error("this account has no such session")]
    Elsewhere,
    /// As many as an account may have; those of sessions that are over do not count.
    #[error("there are {0} revocations already; revoke principals instead of sessions")]
    TooMany(usize),
    /// Those of a machine or a task descend from it, and others will.
    #[error(
        "that is the place that the sessions of an instance or a task come from: deregister it, or renew the instance's join secret"
    )]
    OfMachine,
}

impl AccountView<'_> {
    /// Add to a change of this account what ends these sessions, and take out what is needed no more. What is ended
    /// already changes nothing.
    ///
    /// # Errors
    /// [`NotRevoked`].
    pub fn revoke(&self, change: &mut Change, what: &Revocation, now: i64) -> Result<(), NotRevoked> {
        self.revoke_as(By::Account, change, what, now)?;
        if !change.is_empty() {
            self.sweep(change, now);
        }
        Ok(())
    }

    /// The same of the session from which those of a machine or a task descend, at its end.
    pub(crate) fn revoke_below(
        &self,
        change: &mut Change,
        id: SessionId,
        now: i64,
    ) -> Result<(), NotRevoked> {
        self.revoke_session(By::Account, change, id, true, now)?;
        self.sweep(change, now);
        Ok(())
    }

    fn revoke_as(&self, by: By, change: &mut Change, what: &Revocation, now: i64) -> Result<(), NotRevoked> {
        match what {
            Revocation::Session { id, .. } if self.is_of_machine(*id) => Err(NotRevoked::OfMachine),
            Revocation::Session { id, issued_too } => self.revoke_session(by, change, *id, *issued_too, now),
            Revocation::Principal { id, before, issued_too } => {
                self.revoke_principal(by, change, id, (*before, *issued_too), now)
            }
        }
    }

    fn revoke_session(
        &self,
        by: By,
        change: &mut Change,
        id: SessionId,
        issued_too: bool,
        now: i64,
    ) -> Result<(), NotRevoked> {
        if id.account() != Some(self.id()) {
            return Err(NotRevoked::Elsewhere);
        }
        // It was issued by now, and so was all that descends from it: from here on nothing more will.
        let expires = kept_until(now);
        let place = key::revoked_session(self.id(), id);
        let old = self.account.revoked_sessions.get(&id);
        if old.is_some_and(|old| old.record.issued_too || !issued_too) {
            return Ok(());
        }
        let unknown = old.map_or_else(Unknown::new, |old| old.record.unknown.clone());
        let record =
            SessionRevocationRecord { written: change.written(), at: now, expires, issued_too, unknown };
        match old {
            Some(old) => change.unchanged(place.clone(), old.revision),
            None => {
                let live = self.account.revoked_sessions.values().filter(|old| old.record.expires > now);
                by.room(live.count())?;
                by.counts(change, key::revoked_sessions(self.id()));
                change.absent(place.clone());
            }
        }
        change.put(place, &record);
        Ok(())
    }

    fn revoke_principal(
        &self,
        by: By,
        change: &mut Change,
        id: &str,
        (before, issued_too): (i64, bool),
        now: i64,
    ) -> Result<(), NotRevoked> {
        // What descends from them was issued by now, however long ago they were.
        let expires = kept_until(if issued_too { before.max(now) } else { before });
        let place = key::revoked_principal(self.id(), id);
        let old = self.account.revoked_principals.get(id);
        let mut record = PrincipalRevocationRecord {
            written: change.written(),
            before,
            issued_too_before: issued_too.then_some(before),
            expires,
            unknown: Unknown::new(),
        };
        // To say less afterwards takes nothing back.
        if let Some(Revoked { record: old, .. }) = old.map(AsRef::as_ref) {
            record.before = before.max(old.before);
            record.issued_too_before = record.issued_too_before.max(old.issued_too_before);
            record.expires = expires.max(old.expires);
            record.unknown = old.unknown.clone();
        }
        let said = |old: &PrincipalRevocationRecord| {
            (record.before, record.issued_too_before) == (old.before, old.issued_too_before)
        };
        // So long ago that no such session is left, or said before.
        if expires <= now || old.is_some_and(|old| said(&old.record)) {
            return Ok(());
        }
        match old {
            Some(old) => change.unchanged(place.clone(), old.revision),
            None => {
                let live = self.account.revoked_principals.values().filter(|old| old.record.expires > now);
                by.room(live.count())?;
                by.counts(change, key::revoked_principals(self.id()));
                change.absent(place.clone());
            }
        }
        change.put(place, &record);
        Ok(())
    }

    /// Records of sessions that are over by now.
    fn sweep(&self, change: &mut Change, now: i64) {
        let sessions = self
            .account
            .revoked_sessions
            .iter()
            .map(|(id, old)| (key::revoked_session(self.id(), *id), old.record.expires, old.revision));
        let principals = self
            .account
            .revoked_principals
            .iter()
            .map(|(id, old)| (key::revoked_principal(self.id(), id), old.record.expires, old.revision));
        let over = sessions.chain(principals).filter(|(_, expires, _)| *expires <= now);
        for (place, _, revision) in over.take(SWEPT_MAX) {
            if !change.puts(&place) {
                change.unchanged(place.clone(), revision);
                change.delete(place);
            }
        }
    }
}

/// Sessions were not ended on the operator's word.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevocationFailed {
    /// There is no such account.
    #[error("there is no account {0}")]
    NoAccount(AccountId),
    /// They cannot be.
    #[error(transparent)]
    NotRevoked(#[from] NotRevoked),
    /// It was not written.
    #[error(transparent)]
    NotCommitted(#[from] NotCommitted),
}

/// How often a revocation that something came in the way of is tried again.
const TRIES_MAX: usize = 20;

/// On whose word sessions end.
#[derive(Clone, Copy)]
enum By {
    /// The account's own, whose calls may be many.
    Account,
    /// The operator's, whom no number of those may keep from it.
    Operator,
}

impl By {
    fn room(self, taken: usize) -> Result<(), NotRevoked> {
        let max = match self {
            Self::Account => REVOCATIONS_PER_ACCOUNT_MAX,
            Self::Operator => REVOCATIONS_PER_ACCOUNT_MAX + REVOCATIONS_OF_OPERATOR_MAX,
        };
        if taken < max { Ok(()) } else { Err(NotRevoked::TooMany(max)) }
    }

    /// That there are as many as were counted.
    fn counts(self, change: &mut Change, all: String) {
        match self {
            Self::Account => change.quiet(all),
            // INVARIANT (operator-first): depends on nothing that the account's other revocations write, so that it
            // waits for none of them and no number of them comes in its way. Its own bound is met nearly enough.
            Self::Operator => {}
        }
    }
}

impl Directory {
    /// End sessions of an account on the operator's word.
    ///
    /// # Errors
    /// [`RevocationFailed`].
    pub async fn revoke(
        &self,
        account: AccountId,
        what: &Revocation,
        request_id: &str,
    ) -> Result<(), RevocationFailed> {
        let mut outcome = Err(NotCommitted::Conflict);
        for tried in 0..TRIES_MAX {
            let view = self.snapshot();
            let found = view.account(account).ok_or(RevocationFailed::NoAccount(account))?;
            let mut change = Change::new(request_id, &view);
            let now = self.clock().now().as_second();
            found.revoke_as(By::Operator, &mut change, what, now)?;
            // Others may be taking the same ones out.
            if tried == 0 && !change.is_empty() {
                found.sweep(&mut change, now);
            }
            outcome = self.commit(change).await;
            if outcome != Err(NotCommitted::Conflict) {
                break;
            }
        }
        Ok(outcome?)
    }
}

/// Until when a revocation is needed of sessions that were issued by then.
fn kept_until(issued_by: i64) -> i64 {
    issued_by.saturating_add(SESSION_SECONDS_MAX + CLOCKS_APART_MAX)
}

/// The revocations of one account.
pub(crate) type OfSessions = rpds::HashTrieMapSync<SessionId, Arc<Revoked<SessionRevocationRecord>>>;
/// By the unique id of the user or role, or the number of the account for root.
pub(crate) type OfPrincipals = rpds::HashTrieMapSync<String, Arc<Revoked<PrincipalRevocationRecord>>>;
