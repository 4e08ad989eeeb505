//! Fetching a document of a provider: what the pipeline asks for. How it gets there is the server's business.

use std::future::Future;
use std::pin::Pin;

use daypass_model::Secret;
use serde::Deserialize;

use super::keys::Place;

/// Longest word for an error, in characters.
const WORD_MAX: usize = 64;

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

/// Why there is no document. No part of an answer is in it but a word for why a form was refused.
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
    /// Such an answer to a form, and the provider's word for it where it is one. [`FetchError::of_form`] makes it.
    #[error("`{0}` answers {1}{said}", said = .2.as_ref().map(|word| format!(", error={word}")).unwrap_or_default())]
    Form(String, u16, Option<String>),
    /// Longer than what is read of such a document.
    #[error("the answer of `{0}` is too long")]
    TooLong(String),
}

impl FetchError {
    /// What another answer than 200 to a form says.
    ///
    /// Source: RFC 6749, section 5.2 (`error`).
    #[must_use]
    pub fn of_form(url: String, status: u16, body: &[u8]) -> Self {
        Self::Form(url, status, said(body))
    }

    /// Whether it found something wrong with what it was asked.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Status(_, 400..=499) | Self::Form(_, 400..=499, _))
    }
}

/// The word of an answer that is an OAuth error.
pub(crate) fn said(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        error: String,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    Some(answer.error).filter(|word| is_word(word))
}

/// Whether it is a word of OAuth's and its kin, and nothing that somebody could hide a secret or a sentence in.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=WORD_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// What fetches.
pub trait Fetch: Send + Sync {
    /// Fetch a document: by GET, or by POST where there is a form.
    fn fetch<'a>(&'a self, wanted: Wanted<'a>) -> Fetching<'a>;
}

/// A fetch under way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send + 'a>>;
