//! Another master key, while the server runs.
//!
//! 1. One commit makes the new key the store's: the check is sealed with it, and beside it lies the old key, sealed with
//!    the new one. From then on the store opens with the new key alone, and with that one whole.
//! 2. Every record that holds something sealed with the old key is sealed anew, each guarded as any other write.
//! 3. The old key goes.
//!
//! Whatever ends a server in between, the next start goes on with 2. And since a disk that hangs may still take what
//! nobody waits for any more, nothing of this begins before all that was asked for earlier has come to its end
//! ([`Directory::settled`]): a key that may be in force has no other put in its place.
//!
//! INVARIANT (sealed-by-present): nothing sealed with a key that is no longer the present one is written after 1. Whoever
//! puts a record that may hold something sealed is guarded by the check ([`Change`]), and the key changes places before
//! the snapshot with the new check can be seen ([`MasterKeys::follow`](crate::master::MasterKeys::follow)). So a write
//! that was sealed before 1 conflicts with it, and what is found sealed anew once stays so.

use std::sync::Arc;

use daypass_authn::token::MasterKey;
use daypass_model::EntityKind;
use daypass_store::{Record, Revision};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::first_records::{is_of_master, new_check};
use super::{COMMIT_SECONDS_MAX, Directory};
use crate::change::Change;
use crate::entity::Unreadable;
use crate::error::NotCommitted;
use crate::key::{self, MASTER_KEY_CHECK, MASTER_KEY_PREVIOUS, Named};
use crate::record::{
    AccessKeyRecord, AccountRecord, KeyringRecord, LoginProfileRecord, MfaDeviceRecord, SamlPrivateKeyRecord,
    SamlProviderRecord, UserRecord, WebIdentityKeysRecord,
};
use crate::view;

/// Records in one commit, and their bytes: both well within the store's bounds.
const RECORDS_AT_ONCE: usize = 64;
const BYTES_AT_ONCE: usize = 2 * 1024 * 1024;
/// How often in a row others may be faster than we with one record.
const CONFLICTS_MAX: usize = 1000;

/// The master key was not replaced.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterNotRotated {
    /// Nothing was written: the old key stands.
    #[error("{0}")]
    NotBegun(NotCommitted),
    /// The new key is the store's. The old one opens what is not sealed anew, and will be gone when all is.
    #[error("the store is sealed with the new key, some records in it with the old one still: {0}")]
    NotFinished(NotCommitted),
}

impl Directory {
    /// Whether this is the master key that is in force.
    #[must_use]
    pub fn is_sealed_with(&self, key: &MasterKey) -> bool {
        self.master.present().to_text() == key.to_text()
    }

    /// The master key that is in force, for whoever keeps its file.
    #[must_use]
    pub fn master_key(&self) -> Arc<MasterKey> {
        self.master.present()
    }

    /// Make `next` the master key: one rotation at a time. `begun` is called when there is no way back: from then on the
    /// store opens with `next` alone.
    ///
    /// # Errors
    /// [`MasterNotRotated`]; an earlier rotation that has not come to its end comes first.
    pub async fn rotate_master_key(
        &self,
        request_id: &str,
        next: MasterKey,
        begun: impl FnOnce(),
    ) -> Result<(), MasterNotRotated> {
        let begin = self.begin_master_rotation(request_id, Arc::new(next)).await;
        begin.map_err(MasterNotRotated::NotBegun)?;
        begun();
        self.finish_master_rotation(request_id).await.map(drop).map_err(MasterNotRotated::NotFinished)
    }

    /// Return when everything that was handed to the store has come to its end, and this node knows what came of it.
    ///
    /// # Errors
    /// The store does not answer, or this node does not follow it: nobody knows which master key is in force then.
    pub async fn settled(&self) -> Result<(), NotCommitted> {
        self.health().map_err(NotCommitted::Unavailable)?;
        let settling = tokio::time::timeout(COMMIT_SECONDS_MAX, self.store.settle()).await;
        let late = || NotCommitted::Unavailable("the store has not answered for 10 seconds".into());
        settling.map_err(|_| late())?.map_err(unavailable)?;
        let revision = self.store.current().await.map_err(unavailable)?;
        self.wait_for(revision).await
    }

    async fn begin_master_rotation(
        &self,
        request_id: &str,
        next: Arc<MasterKey>,
    ) -> Result<(), NotCommitted> {
        self.settled().await?;
        let unsealed = |_| NotCommitted::Unavailable("a key could not be sealed".into());
        let check = new_check(&next, &*self.random).map_err(unsealed)?;
        let present = self.master.present().to_text();
        let previous = next.seal(MASTER_KEY_PREVIOUS, present.expose(), &*self.random).map_err(unsealed)?;
        if self.is_master_rotating().await? {
            // Before anything is admitted: it would take the place of a key that still opens records.
            return Err(NotCommitted::Conflict);
        }
        let view = self.snapshot();
        let mut change = Change::new(request_id, &view);
        change.unchanged(MASTER_KEY_CHECK.into(), view.revision());
        change.absent(MASTER_KEY_PREVIOUS.into());
        change.put_text(MASTER_KEY_CHECK.into(), check);
        change.put_text(MASTER_KEY_PREVIOUS.into(), previous);
        self.master.admit(next.clone());
        let begun = self.commit(change).await;
        // Where nobody knows, the key stays: should the store have it after all, it will be asked for.
        if matches!(&begun, Err(error) if !matches!(error, NotCommitted::Unknown(_))) {
            self.master.dismiss(&next);
        }
        begun
    }

    async fn is_master_rotating(&self) -> Result<bool, NotCommitted> {
        let (_, found) = self.store.load(MASTER_KEY_PREVIOUS).await.map_err(unavailable)?;
        Ok(!found.is_empty())
    }

    /// Seal anew what is sealed with the old master key, if there is one still, and let that go. `false` if there was
    /// none.
    ///
    /// # Errors
    /// [`NotCommitted`]: the old key opens what is left.
    pub async fn finish_master_rotation(&self, request_id: &str) -> Result<bool, NotCommitted> {
        if !self.is_master_rotating().await? {
            return Ok(false);
        }
        let (revision, records) = self.store.load("/").await.map_err(unavailable)?;
        let check = records.iter().find(|record| &*record.key == MASTER_KEY_CHECK);
        if !check.is_some_and(|check| is_of_master(&self.master.present(), &check.value)) {
            // What is sealed with the old key would pass for sealed anew.
            return Err(NotCommitted::Unavailable("this node does not follow the store".into()));
        }
        self.seal_anew(request_id, revision, &records).await?;
        let mut change = Change::since(request_id, revision);
        change.unchanged(MASTER_KEY_CHECK.into(), revision);
        change.delete(MASTER_KEY_PREVIOUS.into());
        self.commit(change).await.map(|()| true)
    }

    /// Every record that needs it, a few in each commit. What is put from now on is sealed with the present key, so one
    /// look at all of them is enough.
    async fn seal_anew(
        &self,
        request_id: &str,
        revision: Revision,
        records: &[Record],
    ) -> Result<(), NotCommitted> {
        let mut rest = records;
        while !rest.is_empty() {
            let mut change = Change::since(request_id, revision);
            let (mut due, mut bytes) = (Vec::new(), 0);
            // No record is as large as a commit may be, so each round takes one at least.
            while let Some((record, others)) = rest.split_first() {
                if due.len() == RECORDS_AT_ONCE || bytes + record.value.len() > BYTES_AT_ONCE {
                    break;
                }
                rest = others;
                if self.put_anew(&mut change, record).map_err(unavailable)? {
                    bytes += record.value.len();
                    due.push(&*record.key);
                }
            }
            match self.commit(change).await {
                Err(NotCommitted::Conflict) => self.each_anew(request_id, &due).await?,
                committed => committed?,
            }
        }
        Ok(())
    }

    /// The same one by one, each read again: somebody who writes to one of them over and over keeps the others waiting no
    /// longer, and loses the race for that one soon.
    async fn each_anew(&self, request_id: &str, due: &[&str]) -> Result<(), NotCommitted> {
        for &key in due {
            let mut tries = 0;
            loop {
                let (revision, found) = self.store.load(key).await.map_err(unavailable)?;
                let mut change = Change::since(request_id, revision);
                if let Some(record) = found.iter().find(|found| *found.key == *key) {
                    self.put_anew(&mut change, record).map_err(unavailable)?;
                }
                match self.commit(change).await {
                    Err(NotCommitted::Conflict) if tries < CONFLICTS_MAX => tries += 1,
                    committed => break committed?,
                }
            }
        }
        Ok(())
    }

    /// Put a record with what it holds sealed anew; `false` if there is nothing to do.
    fn put_anew(&self, change: &mut Change, record: &Record) -> Result<bool, Unreadable> {
        match key::parse(&record.key) {
            Named::Account(_) => self.rewrite(change, record, |_, account: &mut AccountRecord| {
                account.root_keys.iter_mut().map(of_access_key).collect()
            }),
            Named::Entity(_, EntityKind::User, _) => {
                self.rewrite(change, record, |_, user: &mut UserRecord| {
                    user.access_keys.iter_mut().map(of_access_key).collect()
                })
            }
            Named::Entity(_, EntityKind::MfaDevice, _) => {
                self.rewrite(change, record, |place, device: &mut MfaDeviceRecord| {
                    vec![(place.to_owned(), &mut device.sealed_seed)]
                })
            }
            Named::Entity(_, EntityKind::SamlProvider, _) => {
                self.rewrite(change, record, |place, provider: &mut SamlProviderRecord| {
                    let of = |key: &SamlPrivateKeyRecord| key::saml_private_key(place, &key.id);
                    provider.private_keys.iter_mut().map(|key| (of(key), &mut key.sealed_pem)).collect()
                })
            }
            Named::LoginProfile(..) => {
                self.rewrite(change, record, |place, profile: &mut LoginProfileRecord| {
                    let bound_to = key::earlier_passwords(place);
                    let earlier = profile.earlier.iter_mut();
                    let earlier = earlier.map(|earlier| (bound_to.clone(), &mut earlier.sealed_hash));
                    std::iter::once((place.to_owned(), &mut profile.sealed_hash)).chain(earlier).collect()
                })
            }
            Named::Keyring => self.rewrite(change, record, |place, keyring: &mut KeyringRecord| {
                vec![(place.to_owned(), &mut keyring.sealed)]
            }),
            Named::WebIdentityKeys => {
                self.rewrite(change, record, |place, keys: &mut WebIdentityKeysRecord| {
                    vec![(place.to_owned(), &mut keys.sealed)]
                })
            }
            _ => Ok(false),
        }
    }

    fn rewrite<T: DeserializeOwned + Serialize>(
        &self,
        change: &mut Change,
        record: &Record,
        seals: Seals<T>,
    ) -> Result<bool, Unreadable> {
        let mut value: T = view::read(record)?;
        let mut is_changed = false;
        for (place, sealed) in seals(&record.key, &mut value) {
            let anew = self.master.resealed(&place, sealed, &*self.random);
            let unreadable =
                |_| Unreadable { key: place, why: "it does not open with this master key".into() };
            if let Some(anew) = anew.map_err(unreadable)? {
                *sealed = anew;
                is_changed = true;
            }
        }
        if is_changed {
            change.unchanged(record.key.to_string(), record.revision);
            change.put(record.key.to_string(), &value);
        }
        Ok(is_changed)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what is done with an error")]
fn unavailable(error: impl ToString) -> NotCommitted {
    NotCommitted::Unavailable(error.to_string())
}

/// What a record under a key holds sealed, each with the place that it is bound to.
type Seals<T> = for<'a> fn(&str, &'a mut T) -> Vec<(String, &'a mut String)>;

fn of_access_key(record: &mut AccessKeyRecord) -> (String, &mut String) {
    (key::access_key(&record.id), &mut record.sealed_secret)
}
