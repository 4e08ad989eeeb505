//! Where keys come from, and how it stands with them.

use daypass_model::AccountId;

use crate::federation::fetch::FetchError;

/// Whose providers share bounds: an account's, or those that are built in.
pub(super) type Party = Option<AccountId>;

/// Where the keys of a provider come from, and who vouches for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The account that it is registered in; `None`: it is built in.
    pub account: Option<AccountId>,
    /// The unique id of the provider, or the name of one that is built in: keys that one account's thumbprints vouch for
    /// are not another's.
    pub provider: String,
    /// As trust policies name it.
    pub name: String,
    /// What its tokens say as `iss`.
    pub issuer: String,
    /// The discovery document.
    pub discovery_url: String,
    /// See [`Wanted::thumbprints`](crate::federation::Wanted::thumbprints).
    pub thumbprints: Vec<String>,
    /// Whether the operator lists the issuer as insecure.
    pub insecure: bool,
}

impl Source {
    /// What keeping it takes, in bytes, about.
    pub(super) fn bytes(&self) -> usize {
        let texts = [&self.provider, &self.name, &self.issuer, &self.discovery_url];
        texts.into_iter().chain(&self.thumbprints).map(String::len).sum()
    }
}

/// Why there are no keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoKeys {
    /// They could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What was fetched is no discovery document of the issuer, or no key set.
    #[error("what `{0}` answers is no such document of the issuer")]
    Document(String),
    /// They were asked for a moment ago.
    #[error("the provider was asked for its keys a moment ago")]
    TooOften,
    /// As many fetches go on as may, or as many calls wait for one.
    #[error("too many keys of identity providers are being fetched")]
    Busy,
}

/// Keys, and how they were had.
#[derive(Debug)]
pub struct Found<K> {
    /// The keys.
    pub keys: K,
    /// Whether somebody had to be asked: what was known before may have changed in that time.
    pub waited: bool,
}

/// How it stands with the keys of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysHealth {
    /// The provider, as trust policies name it.
    pub provider: String,
    /// When its keys were fetched last, in Unix seconds.
    pub fetched_at: Option<i64>,
    /// Since when they cannot be, in Unix seconds.
    pub failing_since: Option<i64>,
}
