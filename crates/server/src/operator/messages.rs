//! What an operator may ask of the running server, and what it answers: one JSON object per line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::sessions::{Ended, Listed, Wanted};
use super::unreadable;
use crate::failure::Failure;

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Ask {
    /// Make an account with a root key.
    AccountCreate {
        /// Its number; drawn when absent.
        account_id: Option<String>,
    },
    /// Every account.
    AccountList,
    /// Give an account's root user a new key.
    AccountRootKey {
        /// Whose.
        account_id: String,
        /// In the place of the ones it has, which end.
        replace: bool,
    },
    /// Make a code by which an account's root user signs in to the console, once.
    AccountSignIn {
        /// Whose.
        account_id: String,
    },
    /// Close an account.
    AccountClose {
        /// Which.
        account_id: String,
        /// The same once more.
        confirm: Option<String>,
    },
    /// The keys of the keyring, without what is secret of them.
    KeyList,
    /// Rotate the keyring.
    KeyRotate {
        /// Somebody has a copy: no key stays, and no session.
        compromised: bool,
    },
    /// Replace the master key.
    MasterKeyRotate {
        /// File with the new one, absolute; the server makes one when absent.
        new_key_file: Option<PathBuf>,
    },
    /// Sessions, a page of them.
    SessionList {
        /// Which.
        wanted: Box<Wanted>,
    },
    /// End sessions.
    SessionRevoke {
        /// Which.
        ended: Ended,
    },
    /// Say what a session token says.
    TokenInspect {
        /// The access key id that goes with it.
        access_key_id: String,
        /// The token.
        token: Hidden,
    },
    /// Copy the store.
    Backup {
        /// Where to; absolute, and not there yet.
        file: PathBuf,
    },
}

impl Ask {
    /// The event that tells of it; what changes nothing and hands nothing out has none.
    pub(super) fn audited_as(&self) -> Option<&'static str> {
        match self {
            Self::AccountCreate { .. } => Some("AccountCreate"),
            Self::AccountRootKey { .. } => Some("AccountRootKey"),
            Self::AccountSignIn { .. } => Some("AccountSignIn"),
            Self::AccountClose { .. } => Some("AccountClose"),
            Self::KeyRotate { .. } => Some("KeyRotate"),
            Self::MasterKeyRotate { .. } => Some("MasterKeyRotate"),
            Self::Backup { .. } => Some("Backup"),
            Self::SessionRevoke { .. } => Some("SessionRevoke"),
            Self::AccountList | Self::KeyList | Self::SessionList { .. } | Self::TokenInspect { .. } => None,
        }
    }
}

/// What no log repeats.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(pub(crate) String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// The account was made.
    AccountCreated {
        /// Its number.
        account_id: String,
        /// File with its root key, in the form of an AWS credentials file.
        credentials: PathBuf,
    },
    /// The key was made.
    RootKeyMade {
        /// Its id.
        access_key_id: String,
        /// File with the key, in the form of an AWS credentials file.
        credentials: PathBuf,
    },
    /// The code was made.
    SignInCode {
        /// Where it is typed in, as far as the server knows how it is reached.
        address: String,
        /// It.
        code: Hidden,
        /// For how long it is good, in minutes.
        minutes: i64,
    },
    /// The account is closed.
    AccountClosed {
        /// Its number.
        account_id: String,
    },
    /// The copy is whole.
    BackedUp {
        /// The revision of the store that it is of.
        revision: u64,
    },
    /// Accounts, in order.
    Accounts {
        /// Their numbers.
        account_ids: Vec<String>,
    },
    /// The keyring, as it now is.
    Keys {
        /// Previous, active, next.
        keys: Vec<Key>,
        /// The same of the keys that sign web identity tokens, once there are any.
        #[serde(default)]
        web_identity: Vec<WebIdentityKey>,
    },
    /// Another master key is in force.
    MasterKeyRotated {
        /// File with the one before, if it was the data directory's.
        kept: Option<PathBuf>,
        /// Where the operator has to put the new one, if it is not.
        put: Option<String>,
        /// Whether an earlier rotation was finished, and no other begun.
        is_earlier: bool,
    },
    /// Sessions, the newest first.
    Sessions {
        /// They.
        sessions: Vec<Listed>,
        /// What to send to go on, where more may follow.
        after: Option<String>,
        /// Whether the log lacks sessions that live.
        may_be_incomplete: bool,
    },
    /// They ended.
    SessionsRevoked {
        /// Which, in words.
        told: String,
        /// What may be left, in words.
        left: Option<String>,
    },
    /// What a token says.
    Token {
        /// It.
        claims: serde_json::Value,
    },
    /// It was not done.
    Refused {
        /// What to do.
        why: String,
    },
}

/// What may be told of a pair of keys that sign web identity tokens.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WebIdentityKey {
    /// `previous`, `active` or `next`.
    pub(crate) role: String,
    /// As it stands in the header of the tokens that it signed: of RS256, of ES384.
    pub(crate) kids: [String; 2],
    /// RFC 3339.
    pub(crate) created: String,
}

/// What may be told of a key of the keyring.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Key {
    /// `previous`, `active` or `next`.
    pub(crate) role: String,
    /// As it stands in the tokens it sealed.
    pub(crate) id: u32,
    /// RFC 3339.
    pub(crate) created: String,
}

impl Answer {
    /// Why this is not the answer that was asked for.
    pub(crate) fn unexpected(self) -> Failure {
        match self {
            Self::Refused { why } => Failure::new(why),
            _ => unreadable(),
        }
    }
}
