//! Variants of a good request with Signature Version 2: what it signs, what it leaves open, and whatever could be read in
//! two ways. `variants` has the other versions.

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use daypass_authn::sigv4::{AuthError, HttpRequest, Presented, presented, presented_or_version_2};

use crate::support::{ACCESS_KEY_ID, SECRET, STS_HOST, noon, secret};
use crate::variants::{MISMATCH, TWO, reads};

/// Names and values as sent; `SignatureMethod` decides what is calculated.
type Pairs = Vec<(String, String)>;

fn good_pairs() -> Pairs {
    [
        ("Action", "GetSessionToken"),
        ("AWSAccessKeyId", ACCESS_KEY_ID),
        ("Note", "a+b ~*"),
        ("SecurityToken", "abc/d+e=="),
        ("SignatureMethod", "HmacSHA256"),
        ("SignatureVersion", "2"),
        ("Timestamp", "2026-01-15T12:00:00Z"),
        ("Version", "2011-06-15"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn joined(pairs: &Pairs) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}

/// Sign these pairs as a client would, and send them in this order.
fn signed(method: &str, pairs: &Pairs, secret: &str) -> HttpRequest {
    let mut sorted = pairs.clone();
    sorted.sort();
    let text = format!("{method}\n{STS_HOST}\n/\n{}", joined(&sorted));
    let sha1 = pairs.iter().any(|(_, value)| value == "HmacSHA1");
    let algorithm = if sha1 { hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY } else { hmac::HMAC_SHA256 };
    let signature = hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), text.as_bytes());
    let sent = format!("{}&Signature={}", joined(pairs), escape(&BASE64.encode(signature.as_ref())));
    match method {
        "GET" => HttpRequest::new("GET", &format!("/?{sent}"), "").with_header("host", STS_HOST),
        _ => HttpRequest::new(method, "/", sent)
            .with_header("host", STS_HOST)
            .with_header("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
    }
}

fn outcome(request: &HttpRequest) -> Result<(), AuthError> {
    match presented_or_version_2(request)? {
        // Whatever the id, the secret is the one of the good request.
        Presented::Version2(proof) => proof.verify(request, &["x-amz-cf-id"], &secret(), noon()),
        _ => Err(AuthError::MissingAuthenticationToken),
    }
}

/// Change the encoded parameters where they stand.
fn sent(request: &mut HttpRequest, change: impl Fn(&str) -> String) {
    if request.query.is_empty() {
        request.body = change(std::str::from_utf8(&request.body).unwrap()).into();
    } else {
        request.query = change(&request.query);
    }
}

fn set(pairs: &mut Pairs, name: &str, value: &str) {
    pairs.iter_mut().find(|(given, _)| given == name).unwrap().1 = value.to_owned();
}

enum Change {
    /// Before it is signed.
    Pairs(fn(&mut Pairs)),
    /// After.
    Sent(fn(&mut HttpRequest)),
}
use Change::{Pairs as Before, Sent as After};

fn table() -> Vec<(&'static str, (&'static str, &'static str), Change)> {
    const MISSING: &str = "MissingParameter";
    const VALUE: &str = "InvalidParameterValue";
    const EXPIRED: &str = "RequestExpired";
    const VERSION: (&str, &str) = (VALUE, "The value of the parameter SignatureVersion is not valid.");
    const METHOD: (&str, &str) = (VALUE, "The value of the parameter SignatureMethod is not valid.");
    const TIME: (&str, &str) = (VALUE, "The value of the parameter Timestamp is not valid.");
    const TWICE: (&str, &str) =
        ("IncompleteSignature", "The request signature does not conform to AWS standards: '*");
    const CASE: (&str, &str) = (
        "IncompleteSignature",
        "The request signature does not conform to AWS standards: the parameter is spelled '*",
    );
    vec![
        ("a parameter more", MISMATCH, After(|r| sent(r, |text| format!("{text}&DurationSeconds=129600")))),
        ("a parameter less", MISMATCH, After(|r| sent(r, |text| text.replace("&Note=a%2Bb%20~%2A", "")))),
        ("another action", MISMATCH, After(|r| sent(r, |text| text.replace("GetSession", "GetFederation")))),
        ("a name in lower case", MISMATCH, After(|r| sent(r, |text| text.replace("Action", "action")))),
        ("a space for a plus", MISMATCH, After(|r| sent(r, |text| text.replace("a%2Bb", "a+b")))),
        ("an escape escaped", MISMATCH, After(|r| sent(r, |text| text.replace("%2A", "%252A")))),
        ("another session token", MISMATCH, After(|r| sent(r, |text| text.replace("abc", "abd")))),
        (
            "the session token left out",
            MISMATCH,
            After(|r| sent(r, |text| text.replace("SecurityToken=abc%2Fd%2Be%3D%3D&", ""))),
        ),
        ("another time", MISMATCH, After(|r| sent(r, |text| text.replace("12%3A00%3A00", "12%3A00%3A01")))),
        (
            "another method of the signature",
            MISMATCH,
            After(|r| sent(r, |text| text.replace("HmacSHA256", "HmacSHA1"))),
        ),
        (
            "another access key id",
            MISMATCH,
            After(|r| sent(r, |text| text.replace(ACCESS_KEY_ID, "AKIAOTHER"))),
        ),
        ("another host", MISMATCH, After(|r| r.headers[0].1 = b"evil.example".to_vec())),
        ("a host with a port", MISMATCH, After(|r| r.headers[0].1.extend_from_slice(b":443"))),
        ("no host", MISMATCH, After(|r| drop(r.headers.remove(0)))),
        ("Host twice", TWICE, After(|r| r.headers.push(("host".into(), STS_HOST.into())))),
        ("a longer path", MISMATCH, After(|r| r.path = "/x".into())),
        ("two slashes for a path", MISMATCH, After(|r| r.path = "//".into())),
        (
            "a body beside the query, a query beside the body",
            MISMATCH,
            After(|r| {
                if r.query.is_empty() {
                    r.query = "DurationSeconds=1".into();
                } else {
                    r.body = "DurationSeconds=1".into();
                }
            }),
        ),
        (
            "the other method",
            MISMATCH,
            After(|r| {
                // The same parameters in the same place do not make a request of the other method.
                r.method = if r.method == "GET" { "POST".into() } else { "GET".into() };
                if r.method == "GET" {
                    r.query = "AWSAccessKeyId=x".into();
                } else {
                    r.body = "Signature=x".into();
                }
            }),
        ),
        (
            "a method that has no parameters",
            ("IncompleteSignature", "The authorization mechanism you have provided (Signature Version 2) *"),
            After(|r| r.method = "PUT".into()),
        ),
        (
            "an x-amz- field",
            MISMATCH,
            After(|r| r.headers.push(("X-Amz-Date".into(), b"20260115T120000Z".to_vec()))),
        ),
        (
            "a payload hash",
            MISMATCH,
            After(|r| r.headers.push(("x-amz-content-sha256".into(), b"UNSIGNED-PAYLOAD".to_vec()))),
        ),
        (
            "a session token in a header",
            TWO,
            After(|r| r.headers.push(("x-amz-security-token".into(), b"x".to_vec()))),
        ),
        (
            "a second credential in a header",
            TWO,
            After(|r| r.headers.push(("authorization".into(), b"Bearer x".to_vec()))),
        ),
        (
            "a second credential in the URL",
            TWO,
            After(|r| r.query = format!("{}&X-Amz-Signature=00", r.query)),
        ),
        (
            "a digit of the signature",
            MISMATCH,
            After(|r| {
                sent(r, |text| {
                    let (head, signature) = text.split_once("Signature=").unwrap();
                    let first = if signature.starts_with('A') { "B" } else { "A" };
                    format!("{head}Signature={first}{}", &signature[1..])
                });
            }),
        ),
        (
            "half of the signature",
            MISMATCH,
            After(|r| {
                sent(r, |text| {
                    let (head, signature) = text.split_once("Signature=").unwrap();
                    format!("{head}Signature={}", &signature[..20])
                });
            }),
        ),
        (
            "no padding of the signature",
            MISMATCH,
            After(|r| sent(r, |text| text.trim_end_matches("%3D").to_owned())),
        ),
        (
            "an empty signature",
            MISMATCH,
            After(|r| sent(r, |text| text.split_once("Signature=").unwrap().0.to_owned() + "Signature=")),
        ),
        (
            "the signature in hexadecimal",
            MISMATCH,
            After(|r| {
                sent(r, |text| {
                    text.split_once("Signature=").unwrap().0.to_owned() + "Signature=" + &"ab".repeat(32)
                });
            }),
        ),
        (
            "no signature",
            (MISSING, "The request must contain the parameter Signature."),
            After(|r| sent(r, |text| text.split_once("&Signature=").unwrap().0.to_owned())),
        ),
        ("Signature twice", TWICE, After(|r| sent(r, |text| format!("{text}&Signature=x")))),
        ("Signature twice, one escaped", TWICE, After(|r| sent(r, |text| format!("{text}&%53ignature=x")))),
        ("signature beside Signature", CASE, After(|r| sent(r, |text| format!("{text}&signature=x")))),
        (
            "no access key id",
            (MISSING, "The request must contain the parameter AWSAccessKeyId."),
            Before(|p| p.retain(|(name, _)| name != "AWSAccessKeyId")),
        ),
        (
            "an access key id that is none",
            (VALUE, "The value of the parameter AWSAccessKeyId is not valid."),
            Before(|p| set(p, "AWSAccessKeyId", "AK IA")),
        ),
        ("AWSAccessKeyId twice", TWICE, Before(|p| p.push(("AWSAccessKeyId".into(), "AKIAOTHER".into())))),
        (
            "awsaccesskeyid beside AWSAccessKeyId",
            CASE,
            Before(|p| p.push(("awsaccesskeyid".into(), "AKIAOTHER".into()))),
        ),
        (
            "no version",
            (MISSING, "The request must contain the parameter SignatureVersion."),
            Before(|p| p.retain(|(name, _)| name != "SignatureVersion")),
        ),
        ("version 0", VERSION, Before(|p| set(p, "SignatureVersion", "0"))),
        ("version 1", VERSION, Before(|p| set(p, "SignatureVersion", "1"))),
        ("another version", VERSION, Before(|p| set(p, "SignatureVersion", "02"))),
        ("SignatureVersion twice", TWICE, Before(|p| p.push(("SignatureVersion".into(), "1".into())))),
        (
            "signatureversion beside SignatureVersion",
            CASE,
            Before(|p| p.push(("signatureversion".into(), "1".into()))),
        ),
        (
            "no method of the signature",
            (MISSING, "The request must contain the parameter SignatureMethod."),
            Before(|p| p.retain(|(name, _)| name != "SignatureMethod")),
        ),
        ("an unknown method of the signature", METHOD, Before(|p| set(p, "SignatureMethod", "HmacMD5"))),
        (
            "a method of the signature in lower case",
            METHOD,
            Before(|p| set(p, "SignatureMethod", "hmacsha256")),
        ),
        ("SignatureMethod twice", TWICE, Before(|p| p.push(("SignatureMethod".into(), "HmacSHA1".into())))),
        (
            "no time",
            (MISSING, "The request must contain the parameter Timestamp."),
            Before(|p| p.retain(|(name, _)| name != "Timestamp")),
        ),
        ("a time without a zone", TIME, Before(|p| set(p, "Timestamp", "2026-01-15T12:00:00"))),
        ("a time in the basic format", TIME, Before(|p| set(p, "Timestamp", "20260115T120000Z"))),
        ("a time that is a number", TIME, Before(|p| set(p, "Timestamp", "1768478400"))),
        (
            "too old",
            (EXPIRED, "Request has expired. Timestamp date is 2026-01-15T11:44:59Z."),
            Before(|p| set(p, "Timestamp", "2026-01-15T11:44:59Z")),
        ),
        (
            "too old by its offset",
            (EXPIRED, "Request has expired. Timestamp date is 2026-01-15T11:00:00Z."),
            Before(|p| set(p, "Timestamp", "2026-01-15T12:00:00+01:00")),
        ),
        (
            "too new",
            (EXPIRED, "Request has expired. Timestamp date is 2026-01-15T12:15:01Z."),
            Before(|p| set(p, "Timestamp", "2026-01-15T12:15:01Z")),
        ),
        (
            "expired",
            (EXPIRED, "Request has expired. Expires date is 2026-01-15T11:59:59Z."),
            Before(|p| expires(p, "2026-01-15T11:59:59Z")),
        ),
        (
            "good for too long",
            (EXPIRED, "Request has expired. Expires date is 2026-01-15T12:15:01Z."),
            Before(|p| expires(p, "2026-01-15T12:15:01Z")),
        ),
        (
            "an Expires that is a number",
            (VALUE, "The value of the parameter Expires is not valid."),
            Before(|p| expires(p, "1768478460")),
        ),
        (
            "both times",
            (
                "InvalidParameterCombination",
                "The parameter Timestamp may not be used together with the parameter Expires.",
            ),
            Before(|p| p.push(("Expires".into(), "2026-01-15T12:05:00Z".into()))),
        ),
        ("Timestamp twice", TWICE, Before(|p| p.push(("Timestamp".into(), "2026-01-15T12:00:00Z".into())))),
        (
            "expires beside Timestamp",
            CASE,
            Before(|p| p.push(("expires".into(), "2026-01-15T12:05:00Z".into()))),
        ),
        ("SecurityToken twice", TWICE, Before(|p| p.push(("SecurityToken".into(), "x".into())))),
        (
            "securitytoken beside SecurityToken",
            CASE,
            Before(|p| p.push(("securitytoken".into(), "x".into()))),
        ),
    ]
}

fn expires(pairs: &mut Pairs, time: &str) {
    set(pairs, "Timestamp", time);
    pairs.iter_mut().find(|(name, _)| name == "Timestamp").unwrap().0 = "Expires".into();
}

#[test]
fn every_variant_of_a_good_request_of_version_2_is_refused() {
    let mut variants = BTreeSet::new();
    for method in ["GET", "POST"] {
        for (name, (code, text), change) in table() {
            let good = signed(method, &good_pairs(), SECRET);
            assert_eq!(outcome(&good), Ok(()), "{name}: the request is good without it");
            let request = match change {
                Before(change) => {
                    let mut pairs = good_pairs();
                    change(&mut pairs);
                    signed(method, &pairs, SECRET)
                }
                After(change) => {
                    let mut request = good;
                    change(&mut request);
                    request
                }
            };
            let error = outcome(&request).expect_err(name);
            assert_eq!(error.code(), code, "{name} {method}: {error}");
            assert!(reads(&error.to_string(), text), "{name} {method}: {error}");
            // Switched off, it is refused whatever it is.
            assert!(presented(&request).is_err(), "{name} {method}");
            variants.insert((name, method));
        }
    }
    println!("{} variants of Signature Version 2", variants.len());
    assert!(variants.len() >= 110, "{}", variants.len());
}

#[test]
fn what_clients_may_do_differently_is_accepted() {
    for method in ["GET", "POST"] {
        let accepted = |change: fn(&mut Pairs)| {
            let mut pairs = good_pairs();
            change(&mut pairs);
            assert_eq!(outcome(&signed(method, &pairs, SECRET)), Ok(()), "{pairs:?}");
        };
        accepted(|pairs| pairs.reverse());
        accepted(|pairs| set(pairs, "SignatureMethod", "HmacSHA1"));
        accepted(|pairs| set(pairs, "Timestamp", "2026-01-15T05:00:00-07:00"));
        accepted(|pairs| set(pairs, "Timestamp", "2026-01-15T12:00:00.123Z"));
        accepted(|pairs| set(pairs, "Timestamp", "2026-01-15T11:45:00Z"));
        accepted(|pairs| expires(pairs, "2026-01-15T12:00:00Z"));
        accepted(|pairs| expires(pairs, "2026-01-15T12:15:00Z"));
        accepted(|pairs| pairs.retain(|(name, _)| name != "SecurityToken"));
        let mut cased = signed(method, &good_pairs(), SECRET);
        cased.headers[0].1.make_ascii_uppercase();
        assert_eq!(outcome(&cased), Ok(()), "the host is signed in lower case");
        let through_a_cdn = signed(method, &good_pairs(), SECRET).with_header("x-amz-cf-id", "tolerated");
        assert_eq!(outcome(&through_a_cdn), Ok(()));
        assert_eq!(
            outcome(&signed(method, &good_pairs(), "another")).unwrap_err(),
            AuthError::SignatureDoesNotMatch
        );
    }
}

#[test]
fn a_proof_of_version_2_prints_no_credential() {
    let request = signed("GET", &good_pairs(), SECRET);
    let printed = format!("{:?}", presented_or_version_2(&request).unwrap());
    let signature = request
        .query
        .split("Signature=")
        .nth(1)
        .unwrap()
        .replace("%3D", "")
        .replace("%2B", "+")
        .replace("%2F", "/");
    for secret in ["abc/d+e==", signature.as_str(), SECRET] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains(ACCESS_KEY_ID));
}
