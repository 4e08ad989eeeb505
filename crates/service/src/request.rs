//! A call as the server hands it over, and the answer it gets back. No bytes on the wire here.

use std::net::IpAddr;

use daypass_authn::sigv4::HttpRequest;
use daypass_model::{Secret, cut};
use serde::{Deserialize as _, Deserializer, Serialize, Serializer};

use crate::error::Error;
use crate::params::Params;

/// One call.
#[derive(Debug)]
pub struct Request {
    /// UUID, the answer's `x-amzn-RequestId`.
    pub id: String,
    /// The peer's address, or what a trusted proxy says of it.
    pub source_ip: Option<IpAddr>,
    /// Whether it came over TLS, by the connection or a trusted proxy's word; `None` where neither says.
    pub secure: Option<bool>,
    /// What was signed, as it came.
    pub http: HttpRequest,
    /// The service as ARNs and policies call it, such as `sts`; empty when the version names none.
    pub service: &'static str,
    /// The operation asked for.
    pub action: String,
    /// The API version asked for, as given.
    pub version: Option<String>,
    /// Its parameters, or why they cannot be read.
    pub params: Result<Params, Error>,
}

/// Bound of the names that a caller is free to invent, where a record repeats them, in characters.
pub(crate) const NAME_MAX: usize = 128;

impl Request {
    /// The operation asked for, as a record may repeat it.
    #[must_use]
    pub(crate) fn action_name(&self) -> &str {
        cut(&self.action, NAME_MAX)
    }

    /// A header's value as text, when it came exactly once and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.http.headers.iter().filter(|(header, _)| header == name);
        let (_, value) = found.next()?;
        found.next().is_none().then(|| std::str::from_utf8(value).ok()).flatten()
    }
}

/// The result of a call, not yet in any wire format.
pub type Reply = Box<dyn Serial>;

/// What an action gives back: any serde type. `()` is a void reply.
pub trait Serial: erased_serde::Serialize + Send + Sync {}
impl<T: erased_serde::Serialize + Send + Sync> Serial for T {}
erased_serde::serialize_trait_object!(Serial);

/// What the server renders.
pub struct Response {
    /// The request's id.
    pub request_id: String,
    /// The service, as in [`Request`].
    pub service: &'static str,
    /// The operation.
    pub action: String,
    /// The result, or why there is none.
    pub outcome: Result<Reply, Error>,
}

/// A moment in an answer, in Unix seconds: ISO 8601 in XML, a number in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub i64);

impl Serialize for Time {
    /// By its name the XML writer knows it for a time.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct("Time", &self.0)
    }
}

/// `serialize_with` of the members of an answer that hand a secret to its owner.
pub(crate) fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_str())
}

/// `deserialize_with` of a parameter that nobody may see.
pub(crate) fn hidden<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

/// The same of one that may be absent.
pub(crate) fn hidden_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}
