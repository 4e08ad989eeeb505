//! Private keys as openssl writes them (`vectors/make.sh`), and what is signed by them.

use daypass_authn::sigv4::{
    AuthError, CertificateSignError, HttpRequest, Presented, Rules, SignError, presented_by_certificate,
    sign_by_certificate,
};
use daypass_authn::x509::{BadKey, Certificate, PrivateKey, Unfit, blocks};
use daypass_model::Secret;
use jiff::Timestamp;

macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("vectors/", $name))
    };
}

fn now() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn certificate(pem: &str) -> Result<Certificate, Unfit> {
    let [der]: [Vec<u8>; 1] = blocks(pem, "CERTIFICATE", 1).unwrap().try_into().unwrap();
    Certificate::from_der(&der)
}

fn key(pem: &str) -> Result<PrivateKey, BadKey> {
    PrivateKey::from_pem(&Secret::new(pem))
}

/// A request that the holders of these sign, with somebody's certificate between.
fn signed(pem: &str, of: &str) -> Result<HttpRequest, CertificateSignError> {
    let (holder, between) = (certificate(pem).unwrap(), certificate(vector!("p256.pem")).unwrap());
    let target = "/sessions?profileArn=arn%3Aaws%3Arolesanywhere%3Aeu-central-1%3A111122223333%3Aprofile%2Fp&roleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2FR";
    let mut request = HttpRequest::new("POST", target, r#"{"durationSeconds":900}"#)
        .with_header("host", "daypass.test")
        .with_header("content-type", "application/json");
    sign_by_certificate(&mut request, (&holder, &key(of).unwrap()), &[between], "eu-central-1", now())?;
    Ok(request)
}

fn verify(request: &HttpRequest) {
    let verified = match presented_by_certificate(request).unwrap() {
        Presented::Certificate(proof) => proof.verify(request, &Rules::for_service("rolesanywhere"), now()),
        _ => Err(AuthError::MissingAuthenticationToken),
    };
    verified.unwrap();
}

/// The expected value was made by `conformance/support/anywhere.py`, with Python's `cryptography`.
#[test]
fn an_rsa_key_signs_as_another_implementation_does() {
    for of in [vector!("rsa.key"), vector!("rsa-pkcs1.key")] {
        let request = signed(vector!("rsa.pem"), of).unwrap();
        assert_eq!(
            request.header_text("authorization").unwrap(),
            vector!("rsa-authorization.txt").trim_end()
        );
        verify(&request);
    }
}

#[test]
fn elliptic_keys_sign_on_every_curve() {
    for (pem, of) in [
        (vector!("p256.pem"), vector!("p256.key")),
        (vector!("p256-sec1.pem"), vector!("p256-sec1.key")),
        (vector!("p384.pem"), vector!("p384.key")),
        (vector!("p521.pem"), vector!("p521.key")),
    ] {
        verify(&signed(pem, of).unwrap());
    }
}

#[test]
fn a_key_signs_for_no_other_certificate_than_its_own() {
    for (pem, of) in [
        (vector!("p256.pem"), vector!("p256-sec1.key")),
        (vector!("p256.pem"), vector!("rsa.key")),
        (vector!("rsa.pem"), vector!("p384.key")),
        (vector!("p384.pem"), vector!("p521.key")),
    ] {
        assert_eq!(signed(pem, of).unwrap_err(), CertificateSignError::Key(BadKey::OfAnother));
    }
}

#[test]
fn what_is_no_usable_key_is_refused_by_what_it_is() {
    for (text, expected) in [
        (vector!("rsa-encrypted.key"), BadKey::Encrypted),
        (vector!("rsa-encrypted-pkcs1.key"), BadKey::Encrypted),
        (vector!("secp256k1.key"), BadKey::Kind),
        (vector!("ed25519.key"), BadKey::Kind),
        (vector!("rsa.pem"), BadKey::Form),
        ("", BadKey::Form),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n", BadKey::Form),
        ("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n", BadKey::Form),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", BadKey::Kind),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", BadKey::Kind),
        (concat!(vector!("rsa.key"), vector!("p256.key")), BadKey::Two),
    ] {
        let read = key(text);
        assert_eq!(read.unwrap_err(), expected, "{}", text.lines().next().unwrap_or_default());
    }
    // One with its certificate beside it is one key, and shows nothing of itself.
    let read = key(concat!(vector!("rsa.pem"), vector!("rsa.key"))).unwrap();
    assert_eq!(format!("{read:?}"), "<secret>");
}

#[test]
fn what_is_signed_already_or_for_no_host_is_not_signed() {
    let (holder, key) = (certificate(vector!("p256.pem")).unwrap(), key(vector!("p256.key")).unwrap());
    let sign = |mut request: HttpRequest| sign_by_certificate(&mut request, (&holder, &key), &[], "r", now());
    let no_host = sign(HttpRequest::new("POST", "/sessions", ""));
    assert_eq!(no_host, Err(CertificateSignError::Request(SignError::NoHost)));
    let signed =
        HttpRequest::new("POST", "/sessions", "").with_header("host", "h").with_header("authorization", "x");
    assert_eq!(sign(signed), Err(CertificateSignError::Request(SignError::AlreadySigned)));
}

/// IAM Roles Anywhere User Guide, "The IAM Roles Anywhere trust model": SHA-256 or stronger.
#[test]
fn a_certificate_that_is_signed_with_sha_1_is_none() {
    for pem in [vector!("rsa-sha1.pem"), vector!("p256-sha1.pem")] {
        assert_eq!(certificate(pem), Err(Unfit::WeakSignature));
    }
    // The same keys and names, signed with SHA-256.
    for pem in [vector!("rsa.pem"), vector!("p256.pem")] {
        assert!(certificate(pem).is_ok());
    }
}
