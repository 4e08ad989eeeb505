//! The request as it came over the wire: nothing decoded, nothing normalised.
//!
//! This file knows how to find header fields, ignoring case; it knows no meaning of any of them.

use bytes::Bytes;

/// A request to verify or to sign.
///
/// The server fills `host` from the `Host` field, or from `:authority` under HTTP/2.
#[derive(Clone, Default)]
pub struct HttpRequest {
    /// The method as sent; it is case-sensitive (RFC 9110 §9.1).
    pub method: String,
    /// The raw path, before the `?`.
    pub path: String,
    /// The raw query, after the `?`; empty if there is none.
    pub query: String,
    /// Header fields in the order received; names in lower case (other cases are still recognised).
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body as received.
    pub body: Bytes,
}

impl HttpRequest {
    /// A request without header fields; the target is split at its first `?`.
    #[must_use]
    pub fn new(method: &str, target: &str, body: impl Into<Bytes>) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// The same with one more header field; its name becomes lower case.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Every value of a header field, in the order received.
    pub fn header_values<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r [u8]> {
        self.headers
            .iter()
            .filter(move |(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// The first value of a header field.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_slice())
    }

    /// The first value of a header field, trimmed, when it is UTF-8.
    #[must_use]
    pub fn header_text(&self, name: &str) -> Option<&str> {
        self.header(name).and_then(|value| std::str::from_utf8(value).ok()).map(str::trim)
    }

    /// Bytes of the request line and the header fields together.
    pub(crate) fn head_size(&self) -> usize {
        let fields: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.method.len() + self.path.len() + self.query.len() + fields
    }
}

/// Prints neither header values, query nor body: they hold credentials.
impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
