//! The master key of a directory, and another one while it is being replaced: both open, the present one seals.

use std::sync::Arc;

use arc_swap::ArcSwap;
use daypass_authn::token::{BadSeal, MasterKey};
use daypass_model::{Random, Secret};

use crate::directory::is_of_master;

/// Which keys there are.
pub(crate) struct MasterKeys(ArcSwap<Keys>);

#[derive(Clone)]
struct Keys {
    /// Seals and opens.
    present: Arc<MasterKey>,
    /// Opens: the one before, or the one that is about to be the present one.
    other: Option<Arc<MasterKey>>,
}

impl MasterKeys {
    pub(crate) fn new(present: MasterKey, other: Option<MasterKey>) -> Self {
        Self(ArcSwap::from_pointee(Keys { present: Arc::new(present), other: other.map(Arc::new) }))
    }

    /// See [`MasterKey::seal`].
    pub(crate) fn seal(&self, place: &str, value: &[u8], random: &dyn Random) -> Result<String, BadSeal> {
        self.present().seal(place, value, random)
    }

    /// See [`MasterKey::open`].
    pub(crate) fn open(&self, place: &str, sealed: &str) -> Result<Secret, BadSeal> {
        let keys = self.0.load();
        let opened = keys.present.open(place, sealed);
        match &keys.other {
            Some(other) if opened.is_err() => other.open(place, sealed),
            _ => opened,
        }
    }

    /// What was sealed with another key than the present one, sealed with that; `None` for what is already.
    pub(crate) fn resealed(
        &self,
        place: &str,
        sealed: &str,
        random: &dyn Random,
    ) -> Result<Option<String>, BadSeal> {
        if self.present().open(place, sealed).is_ok() {
            return Ok(None);
        }
        let plain = self.open(place, sealed)?;
        self.seal(place, plain.expose(), random).map(Some)
    }

    /// The key that seals.
    pub(crate) fn present(&self) -> Arc<MasterKey> {
        self.0.load().present.clone()
    }

    /// From now on this key opens too.
    pub(crate) fn admit(&self, other: Arc<MasterKey>) {
        let present = self.present();
        self.0.store(Arc::new(Keys { present, other: Some(other) }));
    }

    /// A key that was admitted opens no more, unless it is the present one by now: the other is the one before then.
    pub(crate) fn dismiss(&self, admitted: &Arc<MasterKey>) {
        if self.0.load().other.as_ref().is_some_and(|other| Arc::ptr_eq(other, admitted)) {
            self.forget_other();
        }
    }

    /// Only the present key opens.
    pub(crate) fn forget_other(&self) {
        self.0.store(Arc::new(Keys { present: self.present(), other: None }));
    }

    /// The store's check is this one now: the key that it was sealed with is the present one. `false` when we do not
    /// have that key: it was replaced on another node.
    pub(crate) fn follow(&self, check: &[u8]) -> bool {
        let keys = Keys::clone(&self.0.load());
        if is_of_master(&keys.present, check) {
            return true;
        }
        match keys.other {
            Some(other) if is_of_master(&other, check) => {
                self.0.store(Arc::new(Keys { present: other, other: Some(keys.present) }));
                true
            }
            _ => false,
        }
    }
}
