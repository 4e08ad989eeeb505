//! What is a request asking for? From method, path and query to one of four operations.
//!
//! Nothing here knows who asks. A query parameter or header field that would change the meaning and is not built
//! is refused: `PUT ?tagging` must not overwrite the object.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hyper::header::{REFERER, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::answer::{Refusal, invalid, not_implemented, refuse};

/// Parameters of a query: what nobody signed must not cost much.
const PARAMETERS_MAX: usize = 32;
/// Longest key, in bytes (Amazon S3 User Guide, "Naming Amazon S3 objects").
const KEY_BYTES_MAX: usize = 1024;
/// Longest part of a key between slashes, in bytes: it becomes a file name.
const KEY_PART_BYTES_MAX: usize = 255;

/// The name of an object, safe to be made a path: no empty part, no `.` or `..`, no control character.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// Check a decoded key; `None` when it is not one that this service keeps.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let sound = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= KEY_PART_BYTES_MAX;
        (text.split('/').all(sound) && is_plain(text)).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Decoded parameters.
pub(crate) type Query = BTreeMap<String, String>;

/// An operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Read an object, or its head.
    Get(Key),
    /// Store an object.
    Put(Key),
    /// Remove an object.
    Delete(Key),
    /// List keys: ListObjectsV2 with these parameters.
    List(Query),
}

impl Asked {
    /// Read a request for `bucket`.
    pub(crate) fn read(bucket: &str, head: &Parts) -> Result<Self, Refusal> {
        let path = head.uri.path().strip_prefix('/').unwrap_or_default();
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        if first != bucket {
            return Err(refuse(404, "NoSuchBucket", "The specified bucket does not exist"));
        }
        if let Some(name) = head.headers.keys().find(|name| changes_meaning(name.as_str(), &head.method)) {
            return Err(not_implemented(format!("the header field `{name}`")));
        }
        let query = read_query(head.uri.query().unwrap_or_default())?;
        if rest.is_empty() && head.method == Method::GET {
            return read_list(query);
        }
        if let Some(name) = query.keys().next() {
            return Err(not_implemented(format!("the parameter {name:?}")));
        }
        let key = || Key::parse(&decode(rest)?).ok_or_else(|| invalid("key"));
        match head.method {
            _ if rest.is_empty() => Err(not_implemented("this operation on a bucket")),
            Method::GET | Method::HEAD => Ok(Self::Get(key()?)),
            Method::PUT => Ok(Self::Put(key()?)),
            Method::DELETE => Ok(Self::Delete(key()?)),
            _ => Err(not_implemented("this method")),
        }
    }

    /// The action and the ARN that policies name: of the object, for a list of the bucket.
    pub(crate) fn named(&self, bucket: &str) -> (&'static str, String) {
        let (action, key) = match self {
            Self::Get(key) => ("s3:GetObject", key),
            Self::Put(key) => ("s3:PutObject", key),
            Self::Delete(key) => ("s3:DeleteObject", key),
            Self::List(_) => return ("s3:ListBucket", format!("arn:aws:s3:::{bucket}")),
        };
        (action, format!("arn:aws:s3:::{bucket}/{}", key.as_str()))
    }

    /// Facts for the conditions of policies: a Deny on one that is not said would not hold. A prefix that is absent and
    /// one that is empty differ.
    pub(crate) fn context(&self, peer: IpAddr, region: &str, fields: &HeaderMap) -> Value {
        let mut context = Map::new();
        context.insert("aws:SourceIp".into(), json!([peer.to_string()]));
        context.insert("aws:SecureTransport".into(), json!(["false"]));
        context.insert("aws:RequestedRegion".into(), json!([region]));
        for (key, field) in [("aws:UserAgent", USER_AGENT), ("aws:Referer", REFERER)] {
            if let Some(value) = fields.get(field) {
                context.insert(key.into(), json!([String::from_utf8_lossy(value.as_bytes())]));
            }
        }
        if let Self::List(query) = self {
            let said =
                query.iter().filter(|(name, _)| ["prefix", "delimiter", "max-keys"].contains(&name.as_str()));
            context.extend(said.map(|(name, value)| (format!("s3:{name}"), json!([value]))));
        }
        Value::Object(context)
    }
}

/// A parameter, empty if it is not there.
pub(crate) fn text<'q>(query: &'q Query, name: &str) -> &'q str {
    query.get(name).map_or("", String::as_str)
}

/// Copies, ranges, conditions, access lists, framed bodies: a client that asks for one must not believe it got it.
fn changes_meaning(field: &str, method: &Method) -> bool {
    let reads = *method == Method::GET || *method == Method::HEAD;
    match field.strip_prefix("x-amz-") {
        Some("content-sha256" | "date" | "region-set" | "security-token") => false, // daypass reads them
        Some("sdk-checksum-algorithm" | "user-agent") => false,
        Some(name) => !name.starts_with("checksum-"), // looked at when the body is
        // Whoever has an older copy is well served with the whole object.
        None if reads && matches!(field, "if-none-match" | "if-modified-since") => false,
        None => field.starts_with("if-") || matches!(field, "range" | "content-range" | "content-encoding"),
    }
}

fn read_list(query: Query) -> Result<Asked, Refusal> {
    for (name, value) in &query {
        let taken = match name.as_str() {
            "prefix" | "continuation-token" | "start-after" => is_plain(value),
            "delimiter" => matches!(value.as_str(), "" | "/"),
            "encoding-type" => value == "url",
            "list-type" => value == "2",
            "max-keys" => value.parse::<u32>().is_ok(),
            _ => return Err(not_implemented(format!("the parameter {name:?}"))),
        };
        if !taken {
            return Err(invalid(name));
        }
    }
    match text(&query, "list-type") {
        "2" => Ok(Asked::List(query)),
        _ => Err(not_implemented("a list without list-type=2")),
    }
}

/// Decoded parameters, without those of a presigned signature, which are daypass's to read, and the name of the
/// operation that some SDKs send. A name given twice is refused: two readers could take different ones.
fn read_query(text: &str) -> Result<Query, Refusal> {
    let mut query = Query::new();
    for (count, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(&name.replace('+', " "))?, decode(&value.replace('+', " "))?);
        if name == "AWSAccessKeyId" {
            let message = "The authorization mechanism you have provided is not supported. \
                           Please use AWS4-HMAC-SHA256 (Signature Version 4).";
            return Err(refuse(400, "InvalidRequest", message));
        }
        if count >= PARAMETERS_MAX || query.insert(name, value).is_some() {
            return Err(refuse(400, "InvalidArgument", "A parameter is given twice, or there are too many."));
        }
    }
    query.retain(|name, _| match name.strip_prefix("X-Amz-") {
        Some("Algorithm" | "Content-Sha256" | "Credential" | "Date" | "Expires") => false,
        Some("Region-Set" | "Security-Token" | "Signature" | "SignedHeaders") => false,
        _ => name != "x-id",
    });
    Ok(query)
}

fn decode(text: &str) -> Result<String, Refusal> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| invalid("URL"))?;
    Ok(decoded.into_owned())
}

/// Not too long, and nothing that XML cannot carry.
fn is_plain(text: &str) -> bool {
    let odd = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    text.len() <= KEY_BYTES_MAX && !text.contains(odd)
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

    #[test]
    fn a_key_cannot_leave_the_folder() {
        for bad in ["", "/", "/etc/passwd", "..", "../a", "a/..", "a/../b", ".", "a/./b", "a//b", "a/"] {
            assert_eq!(Key::parse(bad), None, "{bad:?}");
        }
        for bad in ["a\0b", "a\nb", "a\u{7f}", "a\u{85}", "a\u{ffff}"] {
            assert_eq!(Key::parse(bad), None, "{bad:?}");
        }
        for good in ["a", "a/b.txt", "...", "a..b/..c", "~", "a b", "ä/é", "a\\..\\b"] {
            assert_eq!(Key::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn keys_and_their_parts_have_a_longest() {
        let part = "s".repeat(KEY_PART_BYTES_MAX);
        assert!(Key::parse(&part).is_some());
        assert!(Key::parse(&format!("{part}s")).is_none());
        let long = format!("{part}/{part}/{part}/{part}");
        assert!(Key::parse(&format!("{long}/s")).is_none());
        assert!(Key::parse(&long).is_some());
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
        let key = Key::parse("%2e%2e").unwrap();
        assert_eq!(read("GET", "/mybucket/%252e%252e", &[]), Ok(Asked::Get(key)));
    }

    #[test]
    fn each_operation_has_its_action_and_resource() {
        for (method, target, action, resource) in [
            ("GET", "/mybucket/a/b%20c?x-id=GetObject", "s3:GetObject", "arn:aws:s3:::mybucket/a/b c"),
            ("HEAD", "/mybucket/a", "s3:GetObject", "arn:aws:s3:::mybucket/a"),
            ("PUT", "/mybucket/a", "s3:PutObject", "arn:aws:s3:::mybucket/a"),
            ("DELETE", "/mybucket/a", "s3:DeleteObject", "arn:aws:s3:::mybucket/a"),
            ("GET", "/mybucket?list-type=2&encoding-type=url", "s3:ListBucket", "arn:aws:s3:::mybucket"),
        ] {
            let asked = read(method, target, &[]).unwrap();
            assert_eq!(asked.named("mybucket"), (action, resource.to_owned()), "{method} {target}");
        }
    }

    #[test]
    fn a_list_says_to_policies_what_it_asks_for() {
        let context = |target| {
            read("GET", target, &[]).unwrap().context([192, 0, 2, 1].into(), "eu-west-1", &HeaderMap::new())
        };
        let came = json!({
            "aws:SourceIp": ["192.0.2.1"], "aws:SecureTransport": ["false"], "aws:RequestedRegion": ["eu-west-1"],
        });
        assert_eq!(context("/mybucket/a"), came);
        assert_eq!(context("/mybucket?list-type=2"), came);
        assert_eq!(context("/mybucket?list-type=2&prefix=")["s3:prefix"], json!([""]));
        let all = context("/mybucket/?list-type=2&prefix=a%2Fb+c&delimiter=%2F&max-keys=5&start-after=x");
        assert_eq!(all["s3:prefix"], json!(["a/b c"]));
        assert_eq!((&all["s3:delimiter"], &all["s3:max-keys"]), (&json!(["/"]), &json!(["5"])));
        assert_eq!(all.as_object().unwrap().len(), 6);
    }

    #[test]
    fn policies_are_told_the_fields_they_can_ask_for() {
        let fields = [("user-agent", "curl/8"), ("referer", "http://there/"), ("x-other", "x")];
        let fields = fields.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let fields = HeaderMap::from_iter(fields);
        let context = Asked::Get(Key("a".into())).context([192, 0, 2, 1].into(), "eu-west-1", &fields);
        assert_eq!(context["aws:UserAgent"], json!(["curl/8"]));
        assert_eq!(context["aws:Referer"], json!(["http://there/"]));
        assert_eq!(context.as_object().unwrap().len(), 5);
    }

    #[test]
    fn what_would_change_the_meaning_is_refused() {
        for (method, target, field) in [
            ("PUT", "/mybucket/a?tagging", ""),
            ("GET", "/mybucket/a?acl", ""),
            ("DELETE", "/mybucket/a?versionId=1", ""),
            ("PUT", "/mybucket/a?partNumber=1&uploadId=x", ""),
            ("PUT", "/mybucket/a?X-Amz-Acl=public-read", ""),
            ("PUT", "/mybucket/a?x-amz-tagging=a%3Db", ""),
            ("PUT", "/mybucket/a?X-Amz-Copy-Source=b%2Fc", ""),
            ("PUT", "/mybucket/a?x-amz-signature=00", ""),
            ("PUT", "/mybucket/a", "x-amz-copy-source"),
            ("PUT", "/mybucket/a", "x-amz-acl"),
            ("PUT", "/mybucket/a", "x-amz-meta-colour"),
            ("PUT", "/mybucket/a", "if-none-match"),
            ("PUT", "/mybucket/a", "content-encoding"),
            ("PUT", "/mybucket/a", "content-range"),
            ("GET", "/mybucket/a", "if-match"),
            ("GET", "/mybucket/a", "range"),
            ("POST", "/mybucket/a", ""),
            ("DELETE", "/mybucket", ""),
            ("GET", "/mybucket?policy", ""),
            ("GET", "/mybucket?list-type=2&fetch-owner=true", ""),
            ("GET", "/mybucket", ""),
        ] {
            let fields: &[(&str, &str)] = if field.is_empty() { &[] } else { &[(field, "x")] };
            let refused = read(method, target, fields);
            assert_eq!(refused, Err("NotImplemented".into()), "{method} {target} {field}");
        }
        assert!(read("GET", "/mybucket/a", &[("if-none-match", "x")]).is_ok());
    }

    #[test]
    fn parameters_are_read_in_one_way_or_not_at_all() {
        for target in [
            "/mybucket?list-type=2&prefix=a&prefix=b",
            "/mybucket?list-type=2&prefix=%00",
            "/mybucket?list-type=2&delimiter=-",
            "/mybucket?list-type=2&max-keys=-1",
            "/mybucket/a?X-Amz-Signature=00&X-Amz-Signature=11",
        ] {
            assert_eq!(read("GET", target, &[]), Err("InvalidArgument".into()), "{target}");
        }
        assert_eq!(read("GET", "/other/a", &[]), Err("NoSuchBucket".into()));
    }

    #[test]
    fn an_unsigned_request_cannot_make_many_parameters_costly() {
        let many = |count| (0..count).map(|number| format!("{number:x}&")).collect::<String>();
        let taken = read_query(&many(PARAMETERS_MAX)).unwrap();
        assert_eq!(taken.len(), PARAMETERS_MAX);
        assert_eq!(read_query(&many(PARAMETERS_MAX + 1)).unwrap_err().code, "InvalidArgument");
    }

    #[test]
    fn the_parameters_of_a_presigned_request_are_not_ours() {
        let key = Key::parse("a").unwrap();
        assert_eq!(
            read(
                "GET",
                "/mybucket/a?X-Amz-Signature=00&X-Amz-Region-Set=%2A&X-Amz-Expires=60&X-Amz-Content-Sha256=00",
                &[]
            ),
            Ok(Asked::Get(key))
        );
        let version_2 = read("GET", "/mybucket/a?AWSAccessKeyId=x&Signature=y&Expires=1", &[]);
        assert_eq!(version_2, Err("InvalidRequest".into()));
    }
}
