//! The keys that sign web identity tokens: made when the first account wants to issue some, rotated with the keyring.

use daypass_authn::oidc::{InvalidIssuerKeys, IssuerKey, IssuerKeys, NotSigned};
use daypass_authn::token::BadSeal;
use daypass_store::Revision;

use super::{Directory, Rotation};
use crate::change::Change;
use crate::error::NotCommitted;
use crate::key::WEB_IDENTITY_KEYS;
use crate::record::{Unknown, WebIdentityKeysRecord};
use crate::view;

/// Keys one rotation on, for a record that was last written `since`.
pub(super) struct RotatedKeys {
    pub(super) record: WebIdentityKeysRecord,
    pub(super) since: Revision,
}

impl Directory {
    /// Make the keys if there are none yet, and return when this node knows them.
    ///
    /// # Errors
    /// [`NotCommitted`]; on [`NotCommitted::Conflict`] ask again.
    pub async fn make_web_identity_keys(&self, request_id: &str) -> Result<(), NotCommitted> {
        // Before anything is sealed: what was sealed with a master key that is replaced meanwhile is not written.
        let view = self.snapshot();
        if view.web_identity_keys().is_some() {
            return Ok(());
        }
        let keys = IssuerKeys::new(self.new_issuer_key().await?, self.new_issuer_key().await?);
        let sealed = self.sealed_keys(&keys)?;
        let mut change = Change::new(request_id, &view);
        change.absent(WEB_IDENTITY_KEYS.into());
        let record = WebIdentityKeysRecord { written: change.written(), sealed, unknown: Unknown::new() };
        change.put(WEB_IDENTITY_KEYS.into(), &record);
        match self.commit(change).await {
            // Somebody else was faster, on this node or another.
            Err(NotCommitted::Conflict) if self.snapshot().web_identity_keys().is_some() => Ok(()),
            committed => committed,
        }
    }

    /// The keys one rotation on, if there are any.
    pub(super) async fn rotated_web_identity_keys(
        &self,
        rotation: Rotation,
    ) -> Result<Option<RotatedKeys>, NotCommitted> {
        let (_, found) = self.store.load(WEB_IDENTITY_KEYS).await.map_err(unavailable)?;
        let Some(record) = found.iter().find(|record| &*record.key == WEB_IDENTITY_KEYS) else {
            return Ok(None);
        };
        let stored: WebIdentityKeysRecord = view::read(record).map_err(unavailable)?;
        let next = self.new_issuer_key().await?;
        let keys = match rotation {
            Rotation::Ordinary => {
                let present = self.compiler.web_identity_keys(&stored).map_err(unavailable)?;
                present.rotated(next).map_err(|error: InvalidIssuerKeys| unavailable(error))?
            }
            Rotation::Compromised => IssuerKeys::new(self.new_issuer_key().await?, next),
        };
        let sealed = self.sealed_keys(&keys)?;
        let record_of = WebIdentityKeysRecord { sealed, ..stored };
        Ok(Some(RotatedKeys { record: record_of, since: record.revision }))
    }

    /// A key of RSA takes a while to find: other calls do not wait for it.
    async fn new_issuer_key(&self) -> Result<IssuerKey, NotCommitted> {
        let created = self.clock.now().as_second();
        let made = tokio::task::spawn_blocking(move || IssuerKey::generate(created)).await;
        made.map_err(unavailable)?.map_err(|error: NotSigned| unavailable(error))
    }

    fn sealed_keys(&self, keys: &IssuerKeys) -> Result<String, NotCommitted> {
        let sealed = self.master.seal(WEB_IDENTITY_KEYS, keys.to_text().expose(), &*self.random);
        sealed.map_err(|error: BadSeal| unavailable(error))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what is done with an error")]
fn unavailable(error: impl ToString) -> NotCommitted {
    NotCommitted::Unavailable(error.to_string())
}
