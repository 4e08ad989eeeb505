//! Answers as Amazon S3 writes them: XML for lists and errors, bytes for objects.

use std::fmt::Write;
use std::io;

use daypass_model::rfc3339_seconds;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, ETAG, HeaderValue};
use hyper::{Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::asked::Listing;
use crate::check::{Answer, NoAnswer};
use crate::folder::Page;

/// What `encoding-type=url` leaves as it is.
const KEY_SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Why a request is not served, in the words of Amazon S3 ("Error responses" in its API reference).
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    pub(crate) code: String,
    message: String,
}

impl Refusal {
    /// The signature proves nothing: daypass's code and words.
    pub(crate) fn not_authenticated(code: &str, message: String) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// daypass says no. Which kind of policy was silent or denied, daypass tells.
    pub(crate) fn denied(answer: &Answer, action: &str, resource: &str) -> Self {
        let who = answer.principal.as_ref().map_or("anonymous", |principal| principal.arn.as_str());
        let mut message =
            format!("User: {who} is not authorized to perform: {action} on resource: \"{resource}\"");
        if let Some(reason) = &answer.denial_reason {
            message.push_str(&format!(" {reason}"));
        }
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }

    pub(crate) fn other_body() -> Self {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        Self::new(StatusCode::BAD_REQUEST, "XAmzContentSHA256Mismatch", message)
    }

    pub(crate) fn too_large() -> Self {
        let message = format!("An object may have {} bytes.", crate::OBJECT_BYTES_MAX);
        Self::new(StatusCode::BAD_REQUEST, "EntityTooLarge", message)
    }

    pub(crate) fn incomplete_body() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "IncompleteBody", "The body did not arrive whole and in time.")
    }

    pub(crate) fn no_such_bucket() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist")
    }

    pub(crate) fn no_such_key() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
    }

    pub(crate) fn bad_key() -> Self {
        Self::bad_parameter("key")
    }

    pub(crate) fn bad_parameter(name: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "InvalidArgument",
            format!("The value of `{name}` is not one that this service takes."),
        )
    }

    pub(crate) fn not_implemented(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            format!("This service does not have {what}."),
        )
    }

    fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let (code, message) = (escape(&self.code), escape(&self.message));
        xml(self.status, &format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
    }
}

impl From<NoAnswer> for Refusal {
    fn from(why: NoAnswer) -> Self {
        match why {
            NoAnswer::NotText => Self::bad_parameter("a header field"),
            NoAnswer::Unreachable => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", why.to_string())
            }
            NoAnswer::Refused(_) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", why.to_string())
            }
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => Self::new(
                StatusCode::CONFLICT,
                "InvalidRequest",
                "Another key is in the way: a key cannot lie beneath another.",
            ),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "The folder cannot be used."),
        }
    }
}

pub(crate) fn object(bytes: Bytes) -> Response<Full<Bytes>> {
    with_type(StatusCode::OK, "application/octet-stream", bytes)
}

pub(crate) fn stored(sha256: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{sha256}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

pub(crate) fn gone() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// `ListBucketResult` of ListObjectsV2.
pub(crate) fn list(bucket: &str, listing: &Listing, page: &Page) -> Response<Full<Bytes>> {
    let shown = |key: &str| match listing.encoded {
        true => utf8_percent_encode(key, KEY_SET).to_string(),
        false => escape(key),
    };
    let mut body = format!(
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{}</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount>\
         <MaxKeys>{}</MaxKeys><IsTruncated>{}</IsTruncated>",
        escape(bucket),
        shown(listing.prefix.as_deref().unwrap_or_default()),
        page.entries.len(),
        listing.keys_max,
        page.truncated,
    );
    if listing.encoded {
        body.push_str("<EncodingType>url</EncodingType>");
    }
    for entry in &page.entries {
        let (key, time, size) = (shown(entry.key.as_str()), rfc3339_seconds(entry.modified), entry.size);
        let written = write!(
            body,
            "<Contents><Key>{key}</Key><LastModified>{time}</LastModified><Size>{size}</Size></Contents>"
        );
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    if let (true, Some(last)) = (page.truncated, page.entries.last()) {
        body.push_str(&format!(
            "<NextContinuationToken>{}</NextContinuationToken>",
            escape(last.key.as_str())
        ));
    }
    body.push_str("</ListBucketResult>");
    xml(StatusCode::OK, &body)
}

fn xml(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    with_type(
        status,
        "application/xml",
        Bytes::from(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}")),
    )
}

fn with_type(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Text of XML; characters that XML cannot carry become a question mark.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}
