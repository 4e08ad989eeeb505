//! Answers as Amazon S3 writes them: XML for lists and errors, bytes for objects.

use std::io::{self, ErrorKind};

use data_encoding::HEXLOWER;
use daypass_model::rfc3339_seconds;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LAST_MODIFIED};
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::asked::{Query, text};
use crate::folder::Found;

/// Most keys in one list.
const LIST_KEYS_MAX: usize = 1000;

pub(crate) type Reply = Response<Full<Bytes>>;

/// Why a request is not served, in the words of Amazon S3 ("Error responses" in its API reference).
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    pub(crate) code: String,
    message: String,
}

pub(crate) fn refuse(status: u16, code: &str, message: impl Into<String>) -> Refusal {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Refusal { status, code: code.into(), message: message.into() }
}

pub(crate) fn invalid(what: &str) -> Refusal {
    refuse(400, "InvalidArgument", format!("The {what} is not one that this service takes."))
}

pub(crate) fn not_implemented(what: impl std::fmt::Display) -> Refusal {
    refuse(501, "NotImplemented", format!("This service does not have {what}."))
}

/// What went wrong behind this service is for whoever runs it; clients learn that something did.
#[expect(clippy::print_stderr, reason = "the log of this program")]
pub(crate) fn internal(why: impl std::fmt::Display) -> Refusal {
    eprintln!("bucket: {why}");
    refuse(500, "InternalError", "We encountered an internal error. Please try again.")
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
                let message = "Something else is in the way: a key cannot lie beneath another.";
                refuse(409, "InvalidRequest", message)
            }
            _ => internal(format!("the folder cannot be used: {error}")),
        }
    }
}

impl Refusal {
    pub(crate) fn into_reply(self) -> Reply {
        let (code, message) = (escape(&self.code), escape(&self.message));
        xml(self.status, &tag("Error", &[tag("Code", &code), tag("Message", &message)].concat()))
    }
}

pub(crate) fn object(bytes: Vec<u8>, modified: Timestamp) -> Reply {
    let modified = DateTimePrinter::new().timestamp_to_rfc9110_string(&modified).unwrap_or_default();
    let fields =
        [(CONTENT_TYPE, "application/octet-stream"), (ETAG, &etag(&bytes)), (LAST_MODIFIED, &modified)];
    reply(StatusCode::OK, &fields, bytes)
}

pub(crate) fn stored(bytes: &[u8]) -> Reply {
    reply(StatusCode::OK, &[(ETAG, &etag(bytes))], Bytes::new())
}

pub(crate) fn gone() -> Reply {
    reply(StatusCode::NO_CONTENT, &[], Bytes::new())
}

/// `ListBucketResult` of ListObjectsV2: the first of what was found, and whether there is more.
pub(crate) fn list(bucket: &str, query: &Query, found: &Found) -> Reply {
    let encoded = text(query, "encoding-type") == "url";
    let shown = |key: &str| match encoded {
        true => utf8_percent_encode(key, NON_ALPHANUMERIC).to_string(),
        false => escape(key),
    };
    let keys_max = text(query, "max-keys").parse().map_or(LIST_KEYS_MAX, |asked| LIST_KEYS_MAX.min(asked));
    let page: Vec<_> = found.iter().take(keys_max).collect();
    let truncated = keys_max > 0 && page.len() < found.len();
    let mut body = [
        tag("Name", &escape(bucket)),
        tag("Prefix", &shown(text(query, "prefix"))),
        tag("Delimiter", &shown(text(query, "delimiter"))),
        tag("MaxKeys", &keys_max.to_string()),
        tag("KeyCount", &page.len().to_string()),
        tag("IsTruncated", &truncated.to_string()),
    ]
    .concat();
    if encoded {
        body += &tag("EncodingType", "url");
    }
    for (key, file) in &page {
        body += &match file {
            Some((size, written)) => {
                let (written, size) = (rfc3339_seconds(*written), size.to_string());
                let file = [tag("Key", &shown(key)), tag("LastModified", &written), tag("Size", &size)];
                tag("Contents", &file.concat())
            }
            None => tag("CommonPrefixes", &tag("Prefix", &shown(key))),
        };
    }
    if let (true, Some((last, _))) = (truncated, page.last()) {
        body += &tag("NextContinuationToken", &escape(last));
    }
    let namespace = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
    xml(StatusCode::OK, &format!("<ListBucketResult {namespace}>{body}</ListBucketResult>"))
}

fn xml(status: StatusCode, root: &str) -> Reply {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{root}");
    reply(status, &[(CONTENT_TYPE, "application/xml")], body)
}

fn tag(name: &str, content: &str) -> String {
    format!("<{name}>{content}</{name}>")
}

/// Text of XML; characters that XML cannot carry become a question mark.
fn escape(text: &str) -> String {
    let odd = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{fffe}' | '\u{ffff}');
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(odd, "?")
}

/// Clients compare it, no more; it need not be an MD5, as it often is on Amazon S3.
fn etag(bytes: &[u8]) -> String {
    format!("\"{}\"", HEXLOWER.encode(&Sha256::digest(bytes)))
}

fn reply(status: StatusCode, fields: &[(HeaderName, &str)], body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(value) {
            reply.headers_mut().insert(name.clone(), value);
        }
    }
    reply
}
