//! The canonical request and the string to sign.
//!
//! Turns a request into the one text that both sides hash. It decides nothing: which header fields,
//! which payload hash and which path rule are given to it. Signer, verifier and `explain` share it.
//!
//! Governing document: IAM User Guide, "Create a signed AWS API request", steps 1–3.

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use percent_encoding::{percent_decode, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::form::{STRICT, STRICT_PATH, canonical, decode, raw_pairs};
use super::proof::Scope;
use super::{Algorithm, HttpRequest, PathRule, TERMINATOR};

/// What of the request goes into the text, and how.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    pub(crate) path: PathRule,
    /// Names joined by `;`.
    pub(crate) signed_headers: &'a str,
    /// Hex digest or `UNSIGNED-PAYLOAD`.
    pub(crate) payload_hash: &'a str,
    /// Leave `X-Amz-Security-Token` out of the query: some clients append it after signing.
    pub(crate) without_token: bool,
}

/// A header field that should be signed is not in the request.
#[derive(Debug)]
pub(crate) struct SignedHeaderAbsent;

/// ```text
/// METHOD \n URI \n query \n (name:value \n)* \n signed;headers \n payload hash
/// ```
pub(crate) fn canonical_request(
    request: &HttpRequest,
    form: Form<'_>,
) -> Result<Vec<u8>, SignedHeaderAbsent> {
    let mut out = Vec::with_capacity(512 + request.query.len() * 2);
    out.extend_from_slice(request.method.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(canonical_uri(&request.path, form.path).as_bytes());
    out.push(b'\n');
    write_query(&mut out, request.query.as_bytes(), form.without_token);
    out.push(b'\n');
    for name in form.signed_headers.split(';') {
        write_header(&mut out, request, name)?;
    }
    out.push(b'\n');
    out.extend_from_slice(form.signed_headers.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(form.payload_hash.as_bytes());
    Ok(out)
}

/// `algorithm \n time \n scope \n hex(sha256(canonical request))`; the scope of Signature Version 4A has no region.
pub(crate) fn string_to_sign(
    algorithm: Algorithm,
    time: &str,
    scope: &Scope,
    canonical_request: &[u8],
) -> String {
    let has_region = algorithm == Algorithm::SigV4;
    string_to_sign_as(algorithm.as_str(), has_region, time, scope, canonical_request)
}

/// The same for a signature of another name.
pub(crate) fn string_to_sign_as(
    algorithm: &str,
    has_region: bool,
    time: &str,
    scope: &Scope,
    canonical_request: &[u8],
) -> String {
    let Scope { date, region, service } = scope;
    let region = if has_region { [region, "/"] } else { ["", ""] };
    let mut out = String::with_capacity(192);
    [algorithm, "\n", time, "\n", date, "/"].iter().for_each(|part| out.push_str(part));
    region.iter().for_each(|part| out.push_str(part));
    [service, "/", TERMINATOR, "\n"].iter().for_each(|part| out.push_str(part));
    HEXLOWER.encode_append(&Sha256::digest(canonical_request), &mut out);
    out
}

/// The path's canonical spelling; an empty one is `/`.
pub(crate) fn canonical_uri(path: &str, rule: PathRule) -> Cow<'_, str> {
    if path.is_empty() || path == "/" {
        return Cow::Borrowed("/");
    }
    match rule {
        PathRule::Normalise => {
            let normal = normalise(path);
            Cow::Owned(utf8_percent_encode(&normal, STRICT_PATH).to_string())
        }
        PathRule::AsSent => {
            // An encoded slash stays encoded: `/a%2Fb` and `/a/b` must not share a signature.
            let segments = path.split('/').map(|segment| {
                let plain: Cow<'_, [u8]> = percent_decode(segment.as_bytes()).into();
                percent_encoding::percent_encode(&plain, STRICT).to_string()
            });
            Cow::Owned(segments.collect::<Vec<_>>().join("/"))
        }
    }
}

/// RFC 3986 §5.2.4 (remove dot segments); repeated slashes become one.
fn normalise(path: &str) -> Cow<'_, str> {
    if path.starts_with('/') && !path.contains("//") && !path.contains("/.") {
        return Cow::Borrowed(path);
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            name => kept.push(name),
        }
    }
    let mut out = String::with_capacity(path.len() + 1);
    for segment in &kept {
        out.push('/');
        out.push_str(segment);
    }
    let directory = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    if out.is_empty() || directory {
        out.push('/');
    }
    Cow::Owned(out)
}

fn write_query(out: &mut Vec<u8>, query: &[u8], without_token: bool) {
    if query.is_empty() {
        return;
    }
    let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = raw_pairs(query)
        .filter(|(name, _)| {
            let name = decode(name);
            *name != b"X-Amz-Signature"[..] && !(without_token && *name == b"X-Amz-Security-Token"[..])
        })
        .map(|(name, value)| (canonical(name), canonical(value)))
        .collect();
    pairs.sort_unstable();
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        out.extend_from_slice(value.as_bytes());
    }
}

fn write_header(out: &mut Vec<u8>, request: &HttpRequest, name: &str) -> Result<(), SignedHeaderAbsent> {
    out.extend_from_slice(name.as_bytes());
    let mut separator = b':';
    for value in request.header_values(name) {
        out.push(separator);
        write_collapsed(out, value);
        separator = b',';
    }
    out.push(b'\n');
    if separator == b':' { Err(SignedHeaderAbsent) } else { Ok(()) }
}

/// The value without blanks at its ends, each inner run of spaces as one space.
fn write_collapsed(out: &mut Vec<u8>, value: &[u8]) {
    let value = value.trim_ascii();
    if !value.windows(2).any(|two| two == b"  ") {
        out.extend_from_slice(value);
        return;
    }
    let mut after_space = false;
    for &byte in value {
        if !(byte == b' ' && after_space) {
            out.push(byte);
        }
        after_space = byte == b' ';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_and_encoded_twice_except_for_s3() {
        // Columns: as sent, normalised and encoded again, as sent in canonical spelling.
        for (path, normal, sent) in [
            ("", "/", "/"),
            ("/", "/", "/"),
            ("//", "/", "//"),
            ("/./", "/", "/./"),
            ("/a/../b", "/b", "/a/../b"),
            ("/a/b/..", "/a/", "/a/b/.."),
            ("/a/.", "/a/", "/a/."),
            ("/../..", "/", "/../.."),
            ("//a//b//", "/a/b/", "//a//b//"),
            ("/a%20b", "/a%2520b", "/a%20b"),
            ("/a b", "/a%20b", "/a%20b"),
            ("/a%2fb", "/a%252fb", "/a%2Fb"),
            ("/%7Ea~", "/%257Ea~", "/~a~"),
            ("/a.b/.c", "/a.b/.c", "/a.b/.c"),
            ("/ሴ", "/%E1%88%B4", "/%E1%88%B4"),
            ("/x+y(1)", "/x%2By%281%29", "/x%2By%281%29"),
        ] {
            assert_eq!(canonical_uri(path, PathRule::Normalise), normal, "{path}");
            assert_eq!(canonical_uri(path, PathRule::AsSent), sent, "{path}");
        }
    }

    #[test]
    fn the_query_is_sorted_by_encoded_name_then_value() {
        let written = |query: &str| {
            let mut out = Vec::new();
            write_query(&mut out, query.as_bytes(), false);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written("b=2&a=2&a=1&A=x"), "A=x&a=1&a=2&b=2");
        assert_eq!(written("a&b=&&c=d=e"), "a=&b=&c=d%3De");
        assert_eq!(written("a%2Db=1&a=%2f+x"), "a=%2F%20x&a-b=1");
        assert_eq!(written("x=1&X-Amz-Signature=abc&X%2dAmz-Signature=def"), "x=1");
    }

    #[test]
    fn header_values_are_trimmed_collapsed_and_joined() {
        let request = HttpRequest::new("GET", "/", "")
            .with_header("my", "  a   b  c ")
            .with_header("MY", "\td ")
            .with_header("other", "x");
        let mut out = Vec::new();
        write_header(&mut out, &request, "my").unwrap();
        assert_eq!(out, b"my:a b c,d\n");
        assert!(write_header(&mut out, &request, "absent").is_err());
    }
}
