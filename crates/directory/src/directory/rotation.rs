//! Rotation of the keyring: the keys that seal session tokens. The keys that sign web identity tokens go with it, in
//! the same commit: whoever may have seen the ones may have seen the others, and those tokens live shorter than sessions.

use daypass_authn::token::Keyring;
use daypass_model::limits::SESSION_SECONDS_MAX;
use jiff::Timestamp;

use super::Directory;
use crate::change::Change;
use crate::error::NotCommitted;
use crate::key;
use crate::record::{KeyringRecord, WebIdentityKeysRecord};
use crate::view;

/// What is to become of the keys there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// Next becomes active, active previous; what the old previous key sealed opens no longer.
    Ordinary,
    /// Somebody has a copy: every key goes, and every session with it.
    Compromised,
}

/// The keyring was not rotated.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRotated {
    /// It would end sessions.
    #[error("sessions of the previous key may last until {0}")]
    TooEarly(Timestamp),
    /// It was not written: [`NotCommitted::Conflict`] when another node rotated meanwhile.
    #[error(transparent)]
    NotCommitted(#[from] NotCommitted),
}

impl Directory {
    /// Rotate the keyring.
    ///
    /// # Errors
    /// [`NotRotated`].
    pub async fn rotate_keyring(&self, request_id: &str, rotation: Rotation) -> Result<(), NotRotated> {
        let unavailable = |why: String| NotCommitted::Unavailable(why);
        let (_, found) =
            self.store.load(key::KEYRING).await.map_err(|error| unavailable(error.to_string()))?;
        let found = found.iter().find(|record| &*record.key == key::KEYRING);
        let record = found.ok_or_else(|| unavailable("the keyring is missing".into()))?;
        let stored: KeyringRecord = view::read(record).map_err(|error| unavailable(error.to_string()))?;
        let present = view::keyring(record, &self.master).map_err(|error| unavailable(error.to_string()))?;
        let rotated = self.rotated(&present, rotation)?;
        let tokens = self.rotated_web_identity_keys(rotation).await?;
        let sealed = self.master.seal(key::KEYRING, rotated.keys().to_text().expose(), &*self.random);
        let sealed = sealed.map_err(|error| unavailable(error.to_string()))?;
        let mut change = Change::new(request_id, &self.snapshot());
        change.unchanged(key::KEYRING.into(), record.revision);
        let written = change.written();
        change.put(key::KEYRING.into(), &KeyringRecord { written, sealed, ..stored });
        if let Some(tokens) = tokens {
            change.unchanged(key::WEB_IDENTITY_KEYS.into(), tokens.since);
            let written = change.written();
            change.put(key::WEB_IDENTITY_KEYS.into(), &WebIdentityKeysRecord { written, ..tokens.record });
        }
        Ok(self.commit(change).await?)
    }

    fn rotated(&self, present: &Keyring, rotation: Rotation) -> Result<Keyring, NotRotated> {
        let now = self.clock.now().as_second();
        if rotation == Rotation::Compromised {
            return Ok(present.replaced(&*self.random, now));
        }
        let from = present.rotates_without_loss_from(SESSION_SECONDS_MAX);
        if now < from {
            return Err(NotRotated::TooEarly(Timestamp::from_second(from).unwrap_or(Timestamp::MAX)));
        }
        Ok(present.rotate(&*self.random, now))
    }
}
