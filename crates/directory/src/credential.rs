//! From an access key id (and token) to the secret that must have signed, and back to who that was.

use std::sync::Arc;

use daypass_model::{AccessKeyId, AccessKeyKind, AccountId, Secret};

use crate::directory::Directory;
use crate::record::KeyOwner;
use crate::session::Session;
use crate::view::View;
use crate::vouched::Vouched;

/// A credential that exists and may be used, before its signature is checked.
pub struct Credential {
    /// What must have signed.
    pub secret: Secret,
    /// Who it is when the signature holds.
    pub caller: Caller,
}

/// A verified credential: what was proven, not yet who that is today.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The access key id that signed; none where a provider vouches.
    pub access_key_id: Option<AccessKeyId>,
    /// Whose credential it is.
    pub account: AccountId,
    pub(crate) proof: Proof,
}

#[derive(Debug, Clone)]
pub(crate) enum Proof {
    LongTerm(KeyOwner),
    Session(Arc<Session>),
    Vouched(Arc<Vouched>),
}

/// Why a credential proves nothing. All of these look alike outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCredential {
    /// No such key, or one that was deleted.
    #[error("unknown access key")]
    UnknownKey,
    /// The key is inactive.
    #[error("inactive access key")]
    InactiveKey,
    /// The token does not open with this access key id, or is missing, or goes with a long-term key.
    #[error("bad session token")]
    Token,
}

impl Directory {
    /// Look a credential up. A temporary access key needs its token, a long-term one takes none.
    ///
    /// # Errors
    /// [`BadCredential`]; outside they are one: `InvalidClientTokenId`.
    pub fn credential(
        &self,
        view: &View,
        access_key_id: &str,
        token: Option<&str>,
    ) -> Result<Credential, BadCredential> {
        let id: AccessKeyId = access_key_id.parse().map_err(|_| BadCredential::UnknownKey)?;
        match (id.kind(), token) {
            (AccessKeyKind::Temporary, Some(token)) => {
                let session = self.open_session(view, &id, token)?;
                let (secret, account) = (session.secret.clone(), session.claims.account);
                Ok(Credential {
                    secret,
                    caller: Caller { access_key_id: Some(id), account, proof: Proof::Session(session) },
                })
            }
            (AccessKeyKind::LongTerm, None) => long_term(view, id),
            _ => Err(BadCredential::Token),
        }
    }
}

impl View {
    /// Whether a long-term key is there and may be used.
    pub(crate) fn is_active_key(&self, id: &AccessKeyId) -> bool {
        long_term(self, id.clone()).is_ok()
    }
}

fn long_term(view: &View, id: AccessKeyId) -> Result<Credential, BadCredential> {
    let pointer = view.key_owner(&id).ok_or(BadCredential::UnknownKey)?;
    let owner = pointer.owner.clone().ok_or(BadCredential::UnknownKey)?;
    let account = view.account(pointer.account).ok_or(BadCredential::UnknownKey)?;
    let keys = match &owner {
        KeyOwner::Root => &account.root().ok_or(BadCredential::UnknownKey)?.root_keys,
        KeyOwner::User(user) => &account.user_by_id(user).ok_or(BadCredential::UnknownKey)?.keys,
    };
    let key = keys.iter().find(|key| key.id == id).ok_or(BadCredential::UnknownKey)?;
    if !key.active {
        return Err(BadCredential::InactiveKey);
    }
    let caller = Caller { access_key_id: Some(id), account: pointer.account, proof: Proof::LongTerm(owner) };
    Ok(Credential { secret: key.secret.clone(), caller })
}
