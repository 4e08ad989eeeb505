//! The signatures that AWS publishes for its test suites of Signature Version 4 and 4A.

use daypass_authn::sigv4::{
    Algorithm, AuthError, BodyHash, HttpRequest, Rules, Verified, VerifyingKey, explain, verify,
};
use daypass_model::Secret;
use jiff::Timestamp;

use crate::support::{REFUSED, proof};

/// The credentials and the moment of both suites; nobody holds them.
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TIME: &str = "2015-08-30T12:36:00Z";

fn check(request: &HttpRequest) -> Result<Verified, AuthError> {
    let proof = proof(request)?;
    let key = || VerifyingKey::derive(&Secret::new(SECRET), &proof);
    let time: Timestamp = TIME.parse().unwrap();
    let rules = Rules {
        region: Some("us-east-1"),
        ..Rules::for_another_service(&proof.scope.service, REFUSED, BodyHash::OfRequest)
    };
    verify(request, &proof, &rules, key, time)
}

/// Every request of a file verifies, and not with another body; how many there are.
fn verify_all(file: &str, algorithm: Algorithm) -> usize {
    let requests = file.split("--- ").skip(1).map(|text| {
        let (name, text) = text.split_once('\n').unwrap();
        let (head, body) = text.split_once("\n\n").unwrap();
        let (first, fields) = head.split_once('\n').unwrap();
        let (method, target) = first.strip_suffix(" HTTP/1.1").unwrap().split_once(' ').unwrap();
        let request = HttpRequest::new(method, target, body.trim_end().to_owned());
        let request = fields.lines().fold(request, |request, line| {
            let (name, value) = line.split_once(':').unwrap();
            request.with_header(name, value)
        });
        (name, request)
    });
    let mut count = 0;
    for (name, mut request) in requests {
        assert_eq!(proof(&request).unwrap().algorithm, algorithm, "{name}");
        let outcome = check(&request);
        let ours = || explain(&request, &Secret::new(SECRET)).unwrap().canonical_request;
        assert!(outcome.is_ok(), "{name}: {outcome:?}\n{}", ours());
        request.body = "other".into();
        assert_eq!(check(&request).unwrap_err(), AuthError::SignatureDoesNotMatch, "{name}");
        count += 1;
    }
    count
}

#[test]
fn awss_signatures_of_version_4_verify() {
    assert_eq!(verify_all(include_str!("../published-4.txt"), Algorithm::SigV4), 60);
}

#[test]
fn awss_signatures_of_version_4a_verify() {
    assert_eq!(verify_all(include_str!("../published-4a.txt"), Algorithm::SigV4A), 12);
}
