//! Fetching a document of a provider: what the pipeline asks for. How it gets there is the server's business.

use std::future::Future;
use std::pin::Pin;

use daypass_model::Secret;

use super::keys::Place;

/// A document that somebody's configuration names, and what vouches for it.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Its URL.
    pub url: &'a str,
    /// What goes behind the URL as its query and is in no error and no log: an access token stands in it.
    pub query: Option<&'a Secret>,
    /// What is sent by POST, where it is not only read.
    pub form: Option<Form<'a>>,
    /// Longest body that is read, in bytes.
    pub bytes_max: usize,
    /// The issuer that asks for it, where the operator lists that as insecure: plain HTTP, another port and an address of
    /// a private network are then allowed for its own host and port.
    pub insecure: Option<&'a str>,
    /// SHA-1 of certificates, in lower-case hex, any of which may vouch for a server whose chain ends at no known root.
    pub thumbprints: &'a [String],
    /// To be kept with whatever goes on for the fetch.
    pub place: Place,
}

/// A form, of which nothing is in an error or a log.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// `application/x-www-form-urlencoded`
    pub body: &'a Secret,
    /// `Authorization`
    pub authorization: Option<&'a Secret>,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its bytes.
    pub body: Vec<u8>,
    /// How long it may be kept, in seconds, where its server says.
    pub max_age: Option<i64>,
}

/// Why there is no document. No part of an answer is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The URL may not be asked.
    #[error("`{0}` is not asked: {1}")]
    Refused(String, &'static str),
    /// Its host's address may not be asked, which whoever chose the host is not to learn.
    #[error("`{0}` is not asked: its address is not public; --allow-private-network allows one")]
    NotPublic(String),
    /// Nobody vouches for the server: neither a known root nor one of the thumbprints.
    #[error("the certificate of `{0}` ends at no known root and matches no thumbprint")]
    Certificate(String),
    /// No connection, or no answer in time.
    #[error("`{0}` does not answer: {1}")]
    Unreachable(String, String),
    /// Another answer than 200; redirects are not followed.
    #[error("`{0}` answers {1}")]
    Status(String, u16),
    /// Longer than what is read of such a document.
    #[error("the answer of `{0}` is too long")]
    TooLong(String),
}

/// What fetches.
pub trait Fetch: Send + Sync {
    /// Fetch a document: by GET, or by POST where there is a form.
    fn fetch<'a>(&'a self, wanted: Wanted<'a>) -> Fetching<'a>;
}

/// A fetch under way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send + 'a>>;
