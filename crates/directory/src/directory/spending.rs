//! Facts that are spent once: codes and tries of them and of passwords, steps of sign-ins, proofs of keys, assertions, ids of machines.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daypass_authn::password::PasswordHash;
use daypass_model::{AccountId, SessionId, UniqueId};
use daypass_store::{CommitError, Revision, Spent};

use super::Directory;
use crate::context::Operation;
use crate::error::NotCommitted;
use crate::key;

/// How long a call waits for everything that it spends. What is decided then is decided on the view from before.
const SPENDING_TIME_MAX: Duration = Duration::from_secs(10);

/// Tries of a device's codes, or of a user's password, in one window of time, right or wrong.
pub(super) const TRIES_MAX: u32 = 9;
/// Length of that window. It turns by the clock, not with the first try.
pub(super) const TRIES_WINDOW_SECONDS: i64 = 180;

/// What a call has spent so far. A call that is decided again, since its commit was in another's way, finds here what it spent
/// the first time: its own try, its own code, which is still good, and the time of a processor.
#[derive(Debug, Clone, Default)]
pub struct SpentByCall {
    facts: Arc<Mutex<BTreeSet<String>>>,
    hashed: Arc<Mutex<Option<(Hashed, PasswordHash)>>>,
    was_right: Arc<Mutex<Option<PasswordHash>>>,
}

/// Of what a call made a hash: of its new password, after comparing with this record of the present one, and with so many before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// When the record was last written.
    pub compared_with: Revision,
    /// The user's id.
    pub user: UniqueId,
    /// How many passwords before the present one were compared.
    pub remembered: Option<usize>,
}

impl SpentByCall {
    fn has(&self, fact: &str) -> bool {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).contains(fact)
    }

    fn add(&self, fact: String) {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).insert(fact);
    }

    /// The hash that this call has made of just that: to make it once more would cost as much, and come to the same.
    #[must_use]
    pub fn hash(&self, of: &Hashed) -> Option<PasswordHash> {
        let hashed = self.hashed.lock().unwrap_or_else(PoisonError::into_inner);
        hashed.as_ref().filter(|(made_of, _)| made_of == of).map(|(_, hash)| hash.clone())
    }

    /// Whether this call's password was compared with this hash already, and right.
    #[must_use]
    pub fn was_right(&self, hash: &PasswordHash) -> bool {
        let right = self.was_right.lock().unwrap_or_else(PoisonError::into_inner);
        right.as_ref().is_some_and(|right| right.fingerprint() == hash.fingerprint())
    }

    /// Its password is the one that this hash was made of.
    pub fn keep_right(&self, hash: &PasswordHash) {
        *self.was_right.lock().unwrap_or_else(PoisonError::into_inner) = Some(hash.clone());
    }

    /// Keep it for the next time.
    pub fn keep_hash(&self, of: Hashed, hash: &PasswordHash) {
        *self.hashed.lock().unwrap_or_else(PoisonError::into_inner) = Some((of, hash.clone()));
    }
}

/// A use of a SAML assertion.
#[derive(Debug, Clone, Copy)]
pub struct AssertionUse<'a> {
    /// The account of the provider.
    pub account: AccountId,
    /// Who issued it.
    pub issuer: &'a str,
    /// Its id, the issuer's choice.
    pub id: &'a str,
    /// The role that it is used for, where it counts once for each.
    pub role: Option<&'a UniqueId>,
    /// Unix seconds; until when it would count once more.
    pub expires_at: i64,
}

impl Directory {
    /// Whether this call is the first to use an assertion so.
    ///
    /// # Errors
    /// The store did not say.
    pub async fn spend_assertion(
        &self,
        op: &Operation,
        used: AssertionUse<'_>,
    ) -> Result<bool, NotCommitted> {
        let fact = key::saml_assertion(used.account, used.issuer, used.id, used.role);
        in_time(self.spend(op, fact, used.expires_at)).await
    }

    /// Whether this call is the first to use the sign-in token of a session that is to begin. `expires_at`: Unix seconds,
    /// until when the token would count once more.
    ///
    /// # Errors
    /// The store did not say.
    pub async fn spend_sign_in_token(
        &self,
        op: &Operation,
        id: SessionId,
        expires_at: i64,
    ) -> Result<bool, NotCommitted> {
        in_time(self.spend(op, key::sign_in_token(id), expires_at)).await
    }

    /// Whether this call is the first to use an authorization code of a session, by its number.
    ///
    /// # Errors
    /// The store did not say.
    pub async fn spend_authorization_code(
        &self,
        op: &Operation,
        id: SessionId,
        number: u64,
        expires_at: i64,
    ) -> Result<bool, NotCommitted> {
        in_time(self.spend(op, key::sign_in_code(id, number), expires_at)).await
    }

    /// Whether this call is the first to give this id to an instance of the account. It is never given again.
    ///
    /// # Errors
    /// The store did not say.
    pub async fn spend_instance_id(
        &self,
        op: &Operation,
        account: AccountId,
        id: &str,
    ) -> Result<bool, NotCommitted> {
        in_time(self.spend(op, key::instance_id(account, id), i64::MAX)).await
    }

    /// Whether this call is the first to bring a proof of possession of a key.
    ///
    /// # Errors
    /// The store did not say.
    pub async fn spend_proof(
        &self,
        op: &Operation,
        thumbprint: &str,
        id: &str,
        expires_at: i64,
    ) -> Result<bool, NotCommitted> {
        in_time(self.spend(op, key::proof(thumbprint, id), expires_at)).await
    }

    /// Spend one of the tries of a user's password that are left to calls with the user's keys: `false` when there is none.
    /// Whoever signs in has tries of their own (`sign_in.rs`). INVARIANT (tries-first): before the password is looked at.
    ///
    /// # Errors
    /// The store did not say.
    pub async fn spend_password_try(&self, op: &Operation, user: &UniqueId) -> Result<bool, NotCommitted> {
        in_time(self.spend_try(op, |window, n| key::password_try(user, window, n))).await
    }

    /// Spend one of the tries that are left, `fact` being the name of the n-th in a window of time.
    pub(crate) async fn spend_try(
        &self,
        op: &Operation,
        fact: impl Fn(i64, u32) -> String,
    ) -> Result<bool, NotCommitted> {
        self.spend_one_of(op, TRIES_MAX, fact).await
    }

    /// The same where there are `many` in a window.
    pub(super) async fn spend_one_of(
        &self,
        op: &Operation,
        many: u32,
        fact: impl Fn(i64, u32) -> String,
    ) -> Result<bool, NotCommitted> {
        let window = op.now.as_second().div_euclid(TRIES_WINDOW_SECONDS);
        // A window longer than it counts: a store that heard of a later time has not forgotten it.
        let expires_at = window.saturating_add(2).saturating_mul(TRIES_WINDOW_SECONDS);
        for n in 0..many {
            if self.spend(op, fact(window, n), expires_at).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether this call is the one that spends a fact, now or when it was decided before.
    pub(crate) async fn spend(
        &self,
        op: &Operation,
        fact: String,
        expires_at: i64,
    ) -> Result<bool, NotCommitted> {
        if op.spent.has(&fact) {
            return Ok(true);
        }
        let first = self.spend_fact(&fact, expires_at, op.now.as_second()).await?;
        if first {
            op.spent.add(fact);
        }
        Ok(first)
    }

    /// Spend a fact: whether this is the first time, see [`Store::spend`](daypass_store::Store::spend).
    async fn spend_fact(&self, fact: &str, expires_at: i64, now: i64) -> Result<bool, NotCommitted> {
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

/// What is spent within the time that a call waits for it.
pub(crate) async fn in_time<T, E: From<NotCommitted>>(
    spending: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let late = |_| Err(NotCommitted::Unknown("the store has not answered for 10 seconds".into()).into());
    tokio::time::timeout(SPENDING_TIME_MAX, spending).await.unwrap_or_else(late)
}
