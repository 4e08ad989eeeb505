//! Requests that the key of a certificate signed: read, verified, and changed on the way.

use daypass_authn::sigv4::{AuthError, HttpRequest, Presented, Rules, presented, presented_by_certificate};
use jiff::Timestamp;

use super::machine::Holder;

const STAMP: &str = "20260115T120000Z";

fn now() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn verify_at(request: &HttpRequest, now: Timestamp) -> Result<(), AuthError> {
    match presented_by_certificate(request)? {
        Presented::Certificate(proof) => proof.verify(request, &Rules::for_service("rolesanywhere"), now),
        _ => Err(AuthError::MissingAuthenticationToken),
    }
}

fn verify(request: &HttpRequest) -> Result<(), AuthError> {
    verify_at(request, now())
}

fn with(mut request: HttpRequest, name: &str, value: &str) -> HttpRequest {
    request.headers.retain(|(known, _)| known != name);
    request.with_header(name, value)
}

fn authorization(request: &HttpRequest) -> String {
    request.header_text("authorization").unwrap().to_owned()
}

#[test]
fn the_signature_is_the_keys_of_the_certificate_that_comes_with_it() {
    let root = Holder::root("root");
    let (host, other) = (root.machine("host", 7), root.machine("other", 7));
    let request = host.request("7", "us-east-1", STAMP, &[&root]);
    verify(&request).unwrap();
    // The same number, another certificate.
    let swapped = with(request.clone(), "x-amz-x509", &data_encoding::BASE64.encode(&other.der));
    assert!(matches!(verify(&swapped), Err(AuthError::SignatureDoesNotMatch)));
    for serial in ["8", "07", "+7", "7a"] {
        let request = host.request(serial, "us-east-1", STAMP, &[]);
        assert!(matches!(verify(&request), Err(AuthError::SignatureDoesNotMatch)), "{serial}");
    }
    // RSA is not what the key is.
    let rsa = authorization(&request).replace("ECDSA", "RSA");
    assert!(matches!(
        verify(&with(request.clone(), "authorization", &rsa)),
        Err(AuthError::SignatureDoesNotMatch)
    ));
    let (head, signature) =
        authorization(&request).rsplit_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    for wrong in [
        signature.to_uppercase(),
        format!("{signature}00"),
        String::new(),
        "zz".into(),
        signature[2..].into(),
    ] {
        let request = with(request.clone(), "authorization", &format!("{head}={wrong}"));
        assert!(verify(&request).is_err(), "{wrong}");
    }
}

#[test]
fn what_was_signed_cannot_be_changed_nor_added_to() {
    let root = Holder::root("root");
    let request = root.machine("host", 7).request("7", "us-east-1", STAMP, &[]);
    let mismatch = |request: HttpRequest| {
        assert!(matches!(verify(&request), Err(AuthError::SignatureDoesNotMatch)), "{:?}", verify(&request));
    };
    mismatch(with(request.clone(), "host", "other.test"));
    mismatch(with(request.clone(), "x-amz-x509-chain", &data_encoding::BASE64.encode(&root.der)));
    mismatch(request.clone().with_header("x-amz-meta", "x"));
    mismatch(HttpRequest { query: "roleArn=x".into(), ..request.clone() });
    mismatch(HttpRequest { path: "/other".into(), ..request.clone() });
    mismatch(HttpRequest { method: "GET".into(), ..request.clone() });
    mismatch(HttpRequest { body: b"{}".to_vec().into(), ..request.clone() });
    // Not the certificate either, by leaving its name out of the list.
    let unsigned = authorization(&request).replace(";x-amz-x509", "");
    mismatch(with(request.clone(), "authorization", &unsigned));
    for (region, service) in [("us-east-1/", "rolesanywhere/"), ("us-east-1/", "sts/")] {
        let scope =
            authorization(&request).replace("us-east-1/rolesanywhere/", &format!("{region}{service}"));
        let outcome = verify(&with(request.clone(), "authorization", &scope));
        assert_eq!(outcome.is_ok(), service == "rolesanywhere/");
    }
    for (time, is_good) in [
        ("2026-01-15T12:15:00Z", true),
        ("2026-01-15T12:15:01Z", false),
        ("2026-01-15T11:45:00Z", true),
        ("2026-01-15T11:44:59Z", false),
    ] {
        assert_eq!(verify_at(&request, time.parse().unwrap()).is_ok(), is_good, "{time}");
    }
}

#[test]
fn half_of_a_proof_or_two_are_never_nothing() {
    let root = Holder::root("root");
    let request = root.machine("host", 7).request("7", "us-east-1", STAMP, &[]);
    assert!(matches!(
        presented_by_certificate(&HttpRequest::new("POST", "/sessions", "")),
        Ok(Presented::Nothing)
    ));
    let twice = request.clone().with_header("x-amz-x509", "x");
    assert!(matches!(presented_by_certificate(&twice), Err(AuthError::RepeatedField { .. })));
    let token = request.clone().with_header("x-amz-security-token", "x");
    assert!(matches!(presented_by_certificate(&token), Err(AuthError::TwoCredentials)));
    let token = request.clone().with_header("X-Amz-S3session-Token", "x");
    assert!(matches!(presented_by_certificate(&token), Err(AuthError::S3SessionToken)));
    let query = HttpRequest { query: "x-amz-s3session-token=x".into(), ..request.clone() };
    assert!(matches!(presented_by_certificate(&query), Err(AuthError::S3SessionToken)));
    let query = HttpRequest { query: "X-Amz-Credential=x".into(), ..request.clone() };
    assert!(matches!(presented_by_certificate(&query), Err(AuthError::TwoCredentials)));
    for wrong in ["AWS4-HMAC-SHA256", "AWS4-X509-ECDSA-SHA1", "Bearer", "aws4-x509-ecdsa-sha256"] {
        let request = with(
            request.clone(),
            "authorization",
            &authorization(&request).replace("AWS4-X509-ECDSA-SHA256", wrong),
        );
        assert!(matches!(presented_by_certificate(&request), Err(AuthError::ByCertificateOnly)), "{wrong}");
    }
    let name = authorization(&request).replace("ECDSA-SHA256", "MLDSA");
    let refused = presented_by_certificate(&with(request.clone(), "authorization", &name)).unwrap_err();
    assert_eq!(refused.to_string(), "Unsupported AWS 'algorithm': 'AWS4-X509-MLDSA'.");
    // Where other operations are called, a certificate is no credential.
    assert!(matches!(presented(&request), Err(AuthError::UnsupportedAlgorithm { .. })));
    let mut without = request.clone();
    without.headers.retain(|(name, _)| name != "x-amz-x509");
    assert!(matches!(presented_by_certificate(&without), Err(AuthError::Certificate { .. })));
    assert!(!format!("{:?}", presented_by_certificate(&request).unwrap()).contains("Signature"));
}
