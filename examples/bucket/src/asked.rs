//! What is a request asking for? From method, path and query to one of four operations.
//!
//! Nothing here knows who asks. A query parameter or header field that would change the meaning and is not built
//! is refused: `PUT ?tagging` must not overwrite the object.

use std::fmt;

use hyper::Method;
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::answer::Refusal;

/// Longest key, in bytes (Amazon S3 User Guide, "Naming Amazon S3 objects").
pub const KEY_BYTES_MAX: usize = 1024;
/// Longest part of a key between slashes, in bytes: it becomes a file name.
pub const KEY_SEGMENT_BYTES_MAX: usize = 255;
/// Most keys in one list.
pub const LIST_KEYS_MAX: usize = 1000;

/// `x-amz-*` header fields that change nothing here; any other is refused.
const HARMLESS_FIELDS: [&str; 6] = [
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-user-agent",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-checksum-mode",
];

/// The name of an object, safe to be made a path: no empty segment, no `.` or `..`, no control character.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// Check a decoded key; `None` when it is not one that this service keeps.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let segment = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= KEY_SEGMENT_BYTES_MAX;
        let sound =
            text.len() <= KEY_BYTES_MAX && text.split('/').all(segment) && !text.chars().any(unprintable);
        sound.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which keys to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Keys that begin with this; absent and empty differ in the question to daypass.
    pub prefix: Option<String>,
    /// Keys behind this one only.
    pub after: Option<String>,
    /// So many at most.
    pub keys_max: usize,
    /// Whether the answer percent-encodes keys (`encoding-type=url`).
    pub encoded: bool,
}

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Read an object, or its head.
    Get(Key),
    /// Store an object.
    Put(Key),
    /// Remove an object.
    Delete(Key),
    /// List keys.
    List(Listing),
}

impl Asked {
    /// Read a request for `bucket`.
    pub(crate) fn read(bucket: &str, head: &Parts) -> Result<Self, Refusal> {
        refuse_unknown_fields(head)?;
        let (first, rest) = head
            .uri
            .path()
            .trim_start_matches('/')
            .split_once('/')
            .unwrap_or((head.uri.path().trim_start_matches('/'), ""));
        if first != bucket {
            return Err(Refusal::no_such_bucket());
        }
        let query = pairs(head.uri.query().unwrap_or_default())?;
        if rest.is_empty() {
            return if head.method == Method::GET {
                listing(query)
            } else {
                Err(Refusal::not_implemented("this operation on a bucket"))
            };
        }
        if let Some((name, _)) = query.into_iter().find(|(name, _)| name != "x-id") {
            return Err(Refusal::not_implemented(&format!("the parameter `{name}`")));
        }
        let key = percent_decode_str(rest).decode_utf8().ok();
        let key = key.and_then(|text| Key::parse(&text)).ok_or_else(Refusal::bad_key)?;
        match head.method {
            Method::GET | Method::HEAD => Ok(Self::Get(key)),
            Method::PUT => Ok(Self::Put(key)),
            Method::DELETE => Ok(Self::Delete(key)),
            _ => Err(Refusal::not_implemented("this method")),
        }
    }

    /// The action that policies name.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::Get(_) => "s3:GetObject",
            Self::Put(_) => "s3:PutObject",
            Self::Delete(_) => "s3:DeleteObject",
            Self::List(_) => "s3:ListBucket",
        }
    }

    /// The ARN that policies name: of the object, for a list of the bucket.
    #[must_use]
    pub fn resource(&self, bucket: &str) -> String {
        match self {
            Self::Get(key) | Self::Put(key) | Self::Delete(key) => {
                format!("arn:aws:s3:::{bucket}/{}", key.as_str())
            }
            Self::List(_) => format!("arn:aws:s3:::{bucket}"),
        }
    }
}

/// Copies, conditions on writes, access lists, framed bodies: a client that asks for one must not believe it got it.
fn refuse_unknown_fields(head: &Parts) -> Result<(), Refusal> {
    let writes = !matches!(head.method, Method::GET | Method::HEAD);
    for (name, value) in &head.headers {
        let name = name.as_str();
        let unknown = name.starts_with("x-amz-")
            && !HARMLESS_FIELDS.contains(&name)
            && !name.starts_with("x-amz-checksum-");
        let condition = writes && name.starts_with("if-");
        let framed = name == "content-encoding" && value.as_bytes().starts_with(b"aws-chunked");
        if unknown || condition || framed {
            return Err(Refusal::not_implemented(&format!("the header field `{name}`")));
        }
    }
    Ok(())
}

fn listing(query: Vec<(String, String)>) -> Result<Asked, Refusal> {
    let mut listing = Listing { keys_max: LIST_KEYS_MAX, ..Listing::default() };
    let mut second_version = false;
    for (name, value) in query {
        match (name.as_str(), value.as_str()) {
            ("list-type", "2") => second_version = true,
            ("prefix", _) if value.len() <= KEY_BYTES_MAX && !value.chars().any(unprintable) => {
                listing.prefix = Some(value);
            }
            // A continuation token is the last key of the page before.
            ("continuation-token" | "start-after", _) if value.len() <= KEY_BYTES_MAX => {
                listing.after = listing.after.take().max(Some(value));
            }
            ("max-keys", _) => {
                let asked: usize = value.parse().map_err(|_| Refusal::bad_parameter("max-keys"))?;
                listing.keys_max = asked.min(LIST_KEYS_MAX);
            }
            ("encoding-type", "url") => listing.encoded = true,
            ("delimiter", "") | ("fetch-owner", "false") | ("x-id", _) => {}
            ("prefix" | "continuation-token" | "start-after" | "encoding-type" | "list-type", _) => {
                return Err(Refusal::bad_parameter(&name));
            }
            _ => return Err(Refusal::not_implemented(&format!("the parameter `{name}`"))),
        }
    }
    if second_version {
        Ok(Asked::List(listing))
    } else {
        Err(Refusal::not_implemented("a list without list-type=2"))
    }
}

/// Decoded parameters without those of a presigned signature, which are daypass's to read. A name given twice is refused:
/// two readers could take different ones.
fn pairs(query: &str) -> Result<Vec<(String, String)>, Refusal> {
    let mut found: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " ")).decode_utf8().map(|text| text.into_owned()).ok()
        };
        let (Some(name), Some(value)) = (decode(name), decode(value)) else {
            return Err(Refusal::bad_parameter(name));
        };
        if name.to_ascii_lowercase().starts_with("x-amz-") {
            continue;
        }
        if found.iter().any(|(earlier, _)| *earlier == name) {
            return Err(Refusal::bad_parameter(&name));
        }
        found.push((name, value));
    }
    Ok(found)
}

/// Characters that no key may hold: control characters, and those that XML cannot carry.
fn unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn read(method: &str, target: &str, fields: &[(&str, &str)]) -> Result<Asked, String> {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        Asked::read("mybucket", &request.body(()).unwrap().into_parts().0).map_err(|refusal| refusal.code)
    }

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    #[test]
    fn a_key_cannot_leave_the_folder() {
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../a",
            "a/..",
            "a/../b",
            ".",
            "a/./b",
            "a//b",
            "a/",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a\u{85}",
        ] {
            assert_eq!(Key::parse(bad), None, "{bad:?}");
        }
        for good in ["a", "a/b.txt", "...", "a..b/..c", "~", "a b", "ä/é", "a\\..\\b"] {
            assert_eq!(Key::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn keys_and_their_segments_have_a_longest() {
        let segment = "s".repeat(KEY_SEGMENT_BYTES_MAX);
        assert!(Key::parse(&segment).is_some());
        assert!(Key::parse(&format!("{segment}s")).is_none());
        let long = format!("{segment}/{segment}/{segment}/{segment}");
        assert!(Key::parse(&format!("{long}s")).is_none());
        assert!(Key::parse(&long[..KEY_BYTES_MAX - 1]).is_some());
    }

    #[test]
    fn an_encoded_way_out_is_seen_after_decoding() {
        for target in [
            "/mybucket/%2e%2e/x",
            "/mybucket/a%2f..%2fb",
            "/mybucket/%2fetc",
            "/mybucket/a%00",
            "/mybucket/%ff",
            "/mybucket//a",
        ] {
            assert_eq!(read("GET", target, &[]), Err("InvalidArgument".into()), "{target}");
        }
        // Decoded once: what is encoded twice is an ordinary name.
        assert_eq!(read("GET", "/mybucket/%252e%252e", &[]), Ok(Asked::Get(key("%2e%2e"))));
    }

    #[test]
    fn each_operation_has_its_action_and_resource() {
        for (method, action) in [
            ("GET", "s3:GetObject"),
            ("HEAD", "s3:GetObject"),
            ("PUT", "s3:PutObject"),
            ("DELETE", "s3:DeleteObject"),
        ] {
            let asked = read(method, "/mybucket/a/b%20c?x-id=Any", &[]).unwrap();
            assert_eq!(
                (asked.action(), asked.resource("mybucket").as_str()),
                (action, "arn:aws:s3:::mybucket/a/b c")
            );
        }
        let asked =
            read("GET", "/mybucket?list-type=2&prefix=a%2F&encoding-type=url&max-keys=5000", &[]).unwrap();
        assert_eq!(
            (asked.action(), asked.resource("mybucket").as_str()),
            ("s3:ListBucket", "arn:aws:s3:::mybucket")
        );
        let listing =
            Listing { prefix: Some("a/".into()), after: None, keys_max: LIST_KEYS_MAX, encoded: true };
        assert_eq!(asked, Asked::List(listing));
    }

    #[test]
    fn what_would_change_the_meaning_is_refused() {
        for (method, target, field) in [
            ("PUT", "/mybucket/a?tagging", ""),
            ("GET", "/mybucket/a?acl", ""),
            ("DELETE", "/mybucket/a?versionId=1", ""),
            ("PUT", "/mybucket/a?partNumber=1&uploadId=x", ""),
            ("PUT", "/mybucket/a", "x-amz-copy-source"),
            ("PUT", "/mybucket/a", "x-amz-acl"),
            ("PUT", "/mybucket/a", "if-none-match"),
            ("POST", "/mybucket/a", ""),
            ("DELETE", "/mybucket", ""),
            ("GET", "/mybucket?policy", ""),
            ("GET", "/mybucket?list-type=2&delimiter=%2F", ""),
            ("GET", "/mybucket", ""),
        ] {
            let fields: &[(&str, &str)] = if field.is_empty() { &[] } else { &[(field, "x")] };
            assert_eq!(
                read(method, target, fields),
                Err("NotImplemented".into()),
                "{method} {target} {field}"
            );
        }
        assert_eq!(
            read("PUT", "/mybucket/a", &[("content-encoding", "aws-chunked")]),
            Err("NotImplemented".into())
        );
    }

    #[test]
    fn a_parameter_given_twice_is_refused() {
        let twice = read("GET", "/mybucket?list-type=2&prefix=a&prefix=b", &[]);
        assert_eq!(twice, Err("InvalidArgument".into()));
        assert_eq!(read("GET", "/other/a", &[]), Err("NoSuchBucket".into()));
    }

    #[test]
    fn the_parameters_of_a_presigned_request_are_not_ours() {
        assert_eq!(
            read("GET", "/mybucket/a?X-Amz-Signature=00&X-Amz-Expires=60", &[]),
            Ok(Asked::Get(key("a")))
        );
    }
}
