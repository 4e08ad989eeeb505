//! What is told of a request: whose it claims to be, what its signature covers, and what a client did differently, from its
//! signature alone: each usual mistake, and where two texts part.

use data_encoding::HEXLOWER;
use daypass_authn::sigv4::{
    HttpRequest, TextDifference, explain, first_difference, presented, presented_or_version_2,
};
use daypass_model::Secret;
use sha2::{Digest, Sha256};

use crate::support::{
    ACCESS_KEY_ID, BODY, SECRET, STS_HOST, check_sts, presigned, proof, secret, signature_4, signed,
    signed_4a, sts_get, sts_post,
};

/// Signed by a client whose canonical request is ours with `from` replaced by `to`.
fn signed_otherwise(request: HttpRequest, service: &str, from: &str, to: &str) -> HttpRequest {
    let request = request.with_header("x-amz-date", "20260115T120000Z");
    let mut names: Vec<String> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    let value = |signature: &str| {
        let scope = format!("{ACCESS_KEY_ID}/20260115/us-east-1/{service}/aws4_request");
        let names = names.join(";");
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}")
    };
    let draft = request.clone().with_header("authorization", value(&"0".repeat(64)));
    let ours = explain(&draft, &secret()).unwrap();
    assert!(ours.canonical_request.contains(from), "{from} is not in {}", ours.canonical_request);
    let theirs = ours.canonical_request.replacen(from, to, 1);
    let (head, _) = ours.string_to_sign.rsplit_once('\n').unwrap();
    let to_sign = format!("{head}\n{}", HEXLOWER.encode(&Sha256::digest(theirs)));
    let signature = signature_4(&secret(), &proof(&draft).unwrap(), &to_sign);
    request.with_header("authorization", value(&signature))
}

fn hash(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text))
}

fn to_host(host: &str) -> HttpRequest {
    HttpRequest::new("POST", "/", BODY).with_header("host", host)
}

fn named(request: &HttpRequest) -> Option<String> {
    let explained = explain(request, &secret()).unwrap();
    assert!(!explained.matches);
    explained.difference
}

#[test]
fn each_usual_mistake_is_named() {
    let s3 = |path: &str| HttpRequest::new("PUT", path, "text").with_header("host", "shelf.example");
    let declared = s3("/book").with_header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    let body = hash(BODY);
    for (request, service, [from, to], mistake) in [
        (
            to_host("a:8443"),
            "sts",
            ["host:a:8443", "host:a"],
            "the host was signed as `a`, the request says `a:8443`",
        ),
        (
            to_host("a"),
            "sts",
            ["host:a", "host:a:443"],
            "the host was signed as `a:443`, the request says `a`",
        ),
        (to_host("a"), "sts", ["host:a", "host:a:80"], "the host was signed as `a:80`, the request says `a`"),
        (to_host("a"), "sts", ["POST", "GET"], "the method was signed as GET"),
        (to_host("a"), "sts", ["POST", "PUT"], "the method was signed as PUT"),
        (to_host("a"), "sts", ["POST", "HEAD"], "the method was signed as HEAD"),
        (s3("/book"), "s3", ["PUT", "POST"], "the method was signed as POST"),
        (
            to_host("a"),
            "sts",
            [&body, &hash("")],
            "the payload was signed as empty, and the request has a body",
        ),
        (to_host("a"), "sts", [&body, "UNSIGNED-PAYLOAD"], "the payload was signed as UNSIGNED-PAYLOAD"),
        (
            declared,
            "s3",
            ["x-amz-date\nUNSIGNED-PAYLOAD", &format!("x-amz-date\n{}", hash("text"))],
            "the payload hash signed is the body's, not the one declared",
        ),
        (
            HttpRequest::new("POST", "/a%20b", BODY).with_header("host", "a"),
            "execute-api",
            ["/a%2520b", "/a%20b"],
            "the path was encoded once; this service's is encoded twice",
        ),
        (
            s3("/a%20b"),
            "s3",
            ["/a%20b", "/a%2520b"],
            "the path was normalised and encoded twice; S3's is not",
        ),
        (
            HttpRequest::new("GET", "/?name=a+b", "").with_header("host", "a"),
            "sts",
            ["name=a%20b", "name=a%2Bb"],
            "a `+` in the query was signed as a plus sign, not as a space",
        ),
    ] {
        assert_eq!(named(&signed_otherwise(request, service, from, to)).as_deref(), Some(mistake));
    }
}

#[test]
fn a_token_that_was_added_after_signing_and_blanks_around_the_secret_are_named() {
    let mut request = presigned(sts_get());
    request.query.push_str("&X-Amz-Security-Token=token");
    assert_eq!(named(&request).as_deref(), Some("the session token was added after signing (accepted)"));
    let right = signed_otherwise(to_host("a"), "sts", "POST", "POST");
    let blanks = Secret::new(format!(" {SECRET}\n"));
    let explained = explain(&right, &blanks).unwrap();
    assert_eq!(explained.difference.as_deref(), Some("the secret given here has blanks around it"));
    assert!(!explained.matches && explain(&right, &secret()).unwrap().matches);
}

#[test]
fn a_request_says_whose_it_claims_to_be_and_how_it_is_signed() {
    let with_token = sts_post().with_header("x-amz-security-token", "token");
    for (request, credential, version) in [
        (sts_post(), None, None),
        (signed(sts_post()), Some((ACCESS_KEY_ID, None)), Some("SigV4")),
        (signed(with_token), Some((ACCESS_KEY_ID, Some("token"))), Some("SigV4")),
        (signed_4a(sts_post(), "sts", "us-east-1"), Some((ACCESS_KEY_ID, None)), Some("SigV4A")),
    ] {
        let presented = presented(&request).unwrap();
        assert_eq!((presented.credential(), presented.version()), (credential, version));
    }
    let older = format!(
        "/?{BODY}&AWSAccessKeyId={ACCESS_KEY_ID}&SignatureVersion=2&SignatureMethod=HmacSHA256&Timestamp=2026-01-15T12%3A00%3A00Z&SecurityToken=token&Signature=AAAA"
    );
    let older = HttpRequest::new("GET", &older, "").with_header("host", STS_HOST);
    let presented = presented_or_version_2(&older).unwrap();
    assert_eq!(presented.credential(), Some((ACCESS_KEY_ID, Some("token"))));
    assert_eq!(presented.version(), Some("SigV2"));
}

#[test]
fn a_verified_request_says_what_its_signature_covers() {
    let verified = check_sts(&signed(sts_post())).unwrap();
    assert!(["content-type", "host", "x-amz-date"].iter().all(|name| verified.signs(name)));
    assert!(["authorization", "Host", "hos", "host;x-amz-date", ""].iter().all(|name| !verified.signs(name)));
}

#[test]
fn what_no_usual_mistake_makes_is_not_named() {
    let other = signed_otherwise(sts_post(), "sts", STS_HOST, "sts.eu-west-1.amazonaws.com");
    assert_eq!(named(&other), None);
    let right = signed_otherwise(sts_post(), "sts", "POST", "POST");
    let explained = explain(&right, &secret()).unwrap();
    assert_eq!(explained.expected_signature.as_deref(), Some(explained.given_signature.as_str()));
    assert!(explained.matches && explained.difference.is_none());
}

#[test]
fn two_texts_part_in_their_first_line_that_differs() {
    let parts = |ours: &str, theirs: &str| first_difference(ours, theirs);
    let at = |line: usize, ours: Option<&str>, theirs: Option<&str>| {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Some(TextDifference { line, ours: text(ours), theirs: text(theirs) })
    };
    assert_eq!(parts("", ""), None);
    assert_eq!(parts("a\nb\n", "a\nb\n"), None);
    assert_eq!(parts("a\nb\nc", "a\nx\nc"), at(2, Some("b"), Some("x")));
    assert_eq!(parts("x\nb", "a\nb"), at(1, Some("x"), Some("a")));
    assert_eq!(parts("a\nb\nc", "a\nb"), at(3, Some("c"), None));
    assert_eq!(parts("a", "a\n"), at(2, None, Some("")));
}
