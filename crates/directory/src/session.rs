//! Opened session tokens.
//!
//! Opening a token and compiling its policies costs more than everything else in a request, so the
//! result is kept, by the SHA-256 of token and access key id and never by the access key id alone
//! (39 random bits are no identity). What is kept says who and with which restrictions; expiry,
//! revocation and the live principal are looked at on every use.

use std::sync::Arc;

use daypass_authn::token::{Keyring, Opened, SessionClaims};
use daypass_model::{AccessKeyId, Secret, UniqueId};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use crate::credential::BadCredential;
use crate::entity::{Compiler, NamedPolicy};

/// A session token, opened.
#[derive(Debug)]
pub struct Session {
    /// What the token says.
    pub claims: SessionClaims,
    /// The secret access key that goes with the token.
    pub secret: Secret,
    /// The session's policies, one entry per layer.
    pub layers: Vec<Layer>,
}

/// Policies passed in one call: they unite; layers intersect.
#[derive(Debug)]
pub struct Layer {
    /// The inline policy, frozen at issue.
    pub inline: Option<NamedPolicy>,
    /// Managed policies: the version that is the default *now* counts; where one is gone the session may nothing.
    pub policies: Vec<UniqueId>,
}

/// At most this many opened tokens are kept.
const SESSIONS_KEPT_MAX: usize = 10_000;

pub(crate) struct SessionCache(Cache<[u8; 32], Arc<Session>>);

impl SessionCache {
    pub(crate) fn new() -> Self {
        Self(Cache::new(SESSIONS_KEPT_MAX))
    }

    /// The session behind a token, opened now or before.
    pub(crate) fn open(
        &self,
        keyring: &Keyring,
        compiler: &Compiler,
        access_key_id: &AccessKeyId,
        token: &str,
    ) -> Result<Arc<Session>, BadCredential> {
        let mut hash = Sha256::new();
        hash.update(access_key_id.as_str());
        hash.update([0]);
        hash.update(token);
        let hash: [u8; 32] = hash.finalize().into();
        // A key that was dropped from the keyring takes its sessions with it, kept or not.
        if let Some(session) = self.0.get(&hash).filter(|_| keyring.knows_key_of(token)) {
            return Ok(session);
        }
        let Opened { claims, secret_access_key } =
            keyring.open(token, access_key_id).map_err(|_| BadCredential::Token)?;
        let compile = |(layer, n): (&daypass_authn::token::SessionLayer, usize)| {
            let compile = |text: &String| compiler.compile("session policy", text);
            let inline = layer.inline.as_ref().map(compile).transpose().map_err(|_| BadCredential::Token)?;
            let inline = inline.map(|policy| NamedPolicy { id: name_of_layer(n).into(), policy });
            let policies = layer.policy_ids.iter().cloned().map(UniqueId::from).collect();
            Ok(Layer { inline, policies })
        };
        let layers = claims.layers.iter().zip(1..).map(compile).collect::<Result<_, BadCredential>>()?;
        let session = Arc::new(Session { claims, secret: secret_access_key, layers });
        self.0.insert(hash, session.clone());
        Ok(session)
    }
}

/// What decisions call the inline policy of a session's layer, counted from 1.
pub(crate) fn name_of_layer(n: usize) -> String {
    format!("session policy {n}")
}
