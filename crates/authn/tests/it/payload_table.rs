//! Every value of `x-amz-content-sha256` × where the credential stands × which service: what is accepted.

use daypass_authn::sigv4::{
    AuthError, BodyHash, Credentials, HttpRequest, PayloadHash, Place, Rules, SignatureForm, Verified, sign,
};

use crate::support::{ACCESS_KEY_ID, REFUSED, check, noon, secret};

const BODY: &str = "hello";
/// `printf hello | sha256sum`
const BODY_HASH: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
/// SHA-256 of nothing (FIPS 180-4 test value).
const EMPTY_HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const VALUES: [Option<&str>; 16] = [
    None,
    Some(BODY_HASH),
    Some(EMPTY_HASH),
    Some("2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824"),
    Some("UNSIGNED-PAYLOAD"),
    Some("unsigned-payload"),
    Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
    Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
    Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    Some("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"),
    Some("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"),
    Some("STREAMING-"),
    Some("required"),
    Some("2cf24dba"),
    Some(""),
    Some("anything"),
];

/// Signed by our signer, which signs the body's hash for every service but S3; `official_signer` has clients
/// that sign another value for those.
fn signed(value: Option<&str>, place: Place, service: &str, body: &str) -> HttpRequest {
    let mut request = HttpRequest::new("PUT", "/b.txt", body.to_owned()).with_header("host", "store");
    if let Some(value) = value {
        request = request.with_header("x-amz-content-sha256", value);
    }
    let form = match place {
        Place::Header => SignatureForm::Header,
        Place::Query => SignatureForm::Presigned { expires_seconds: 300 },
    };
    let secret = secret();
    let credentials =
        Credentials { access_key_id: ACCESS_KEY_ID, secret_access_key: &secret, session_token: None };
    sign(&mut request, &credentials, "r", service, form, noon()).unwrap();
    request
}

fn rules(service: &str) -> Rules<'_> {
    match service {
        "sts" => Rules::for_service(service),
        _ => Rules::for_another_service(service, REFUSED, BodyHash::OfRequest),
    }
}

fn outcome(value: Option<&str>, place: Place, service: &str) -> Result<Verified, AuthError> {
    check(&signed(value, place, service, BODY), &rules(service), noon())
}

#[test]
fn every_value_in_every_place_is_decided() {
    let places = [Place::Header, Place::Query];
    for place in places {
        for value in VALUES {
            for service in ["sts", "execute-api"] {
                let accepted = outcome(value, place, service);
                match value {
                    None | Some(BODY_HASH) => {
                        assert_eq!(accepted.unwrap().payload_hash, PayloadHash::Hex(BODY_HASH.into()));
                    }
                    Some(_) => assert_eq!(
                        accepted.unwrap_err(),
                        AuthError::SignatureDoesNotMatch,
                        "{value:?} {place:?} {service}"
                    ),
                }
            }
            let s3 = outcome(value, place, "s3");
            let shown = format!("{value:?} {place:?}");
            match (value, place) {
                (None, Place::Query) | (Some("UNSIGNED-PAYLOAD"), _) => {
                    assert_eq!(s3.unwrap().payload_hash, PayloadHash::Unsigned, "{shown}");
                }
                (None | Some(BODY_HASH), _) => {
                    assert_eq!(s3.unwrap().payload_hash, PayloadHash::Hex(BODY_HASH.into()), "{shown}");
                }
                (Some(EMPTY_HASH), _) => {
                    assert_eq!(s3.unwrap_err(), AuthError::PayloadHashMismatch, "{shown}");
                }
                (Some(word), _) if word.starts_with("STREAMING-") => {
                    assert_eq!(s3.unwrap_err(), AuthError::StreamingPayload, "{shown}");
                }
                (Some(_), _) => assert_eq!(s3.unwrap_err(), AuthError::PayloadHashSyntax, "{shown}"),
            }
        }
    }
}

#[test]
fn a_fabricated_signature_is_refused_with_every_value() {
    for value in VALUES {
        for place in [Place::Header, Place::Query] {
            for service in ["sts", "execute-api", "s3"] {
                let mut request = signed(value, place, service, BODY);
                let fabricate = |text: &str| {
                    let (head, _) = text.split_once("Signature=").unwrap();
                    format!("{head}Signature={}", "0".repeat(64))
                };
                match place {
                    Place::Header => crate::support::replace(&mut request, "authorization", fabricate),
                    Place::Query => request.query = fabricate(&request.query),
                }
                assert!(check(&request, &rules(service), noon()).is_err(), "{value:?} {place:?} {service}");
            }
        }
    }
}

#[test]
fn unsigned_payload_can_be_switched_off() {
    use daypass_authn::sigv4::PayloadRule;
    let strict = Rules { payload: PayloadRule::S3 { allow_unsigned: false }, ..rules("s3") };
    for (value, place) in [
        (None, Place::Query),
        (Some("UNSIGNED-PAYLOAD"), Place::Query),
        (Some("UNSIGNED-PAYLOAD"), Place::Header),
    ] {
        let request = signed(value, place, "s3", BODY);
        assert_eq!(check(&request, &strict, noon()).unwrap_err(), AuthError::PayloadHashSyntax);
    }
    check(&signed(Some(BODY_HASH), Place::Header, "s3", BODY), &strict, noon()).unwrap();
}

/// Rules as CheckRequest has them: the body is elsewhere.
fn elsewhere(service: &str, body: BodyHash) -> Rules<'_> {
    Rules::for_another_service(service, REFUSED, body)
}

fn known(hex: &str) -> BodyHash {
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
    BodyHash::Known(bytes.try_into().unwrap())
}

#[test]
fn a_body_that_is_elsewhere_is_compared_by_its_hash() {
    let mut request = signed(Some(BODY_HASH), Place::Header, "s3", BODY);
    request.body = "".into();
    check(&request, &elsewhere("s3", known(BODY_HASH)), noon()).unwrap();
    let hash = check(&request, &elsewhere("s3", BodyHash::Unknown), noon()).unwrap().payload_hash;
    assert_eq!(hash, PayloadHash::Hex(BODY_HASH.into()), "the service must compare it");
    assert_eq!(
        check(&request, &elsewhere("s3", known(EMPTY_HASH)), noon()).unwrap_err(),
        AuthError::PayloadHashMismatch
    );

    // Nothing declared: the body's hash is part of the signature, so it has to be told.
    for service in ["execute-api", "sqs"] {
        let mut request = signed(None, Place::Header, service, BODY);
        request.body = "".into();
        check(&request, &elsewhere(service, known(BODY_HASH)), noon()).unwrap();
        assert_eq!(
            check(&request, &elsewhere(service, known(EMPTY_HASH)), noon()).unwrap_err(),
            AuthError::SignatureDoesNotMatch
        );
        assert_eq!(
            check(&request, &elsewhere(service, BodyHash::Unknown), noon()).unwrap_err(),
            AuthError::BodyHashRequired
        );
    }

    // Unsigned: whatever body, and whatever is told of it.
    let request = signed(None, Place::Query, "s3", BODY);
    for body in [known(BODY_HASH), known(EMPTY_HASH), BodyHash::Unknown] {
        let verified = check(&request, &elsewhere("s3", body), noon()).unwrap();
        assert_eq!(verified.payload_hash, PayloadHash::Unsigned);
    }
}

#[test]
fn a_payload_hash_in_the_query_counts_for_s3() {
    let presign = |value: &str| {
        let mut request = HttpRequest::new("PUT", &format!("/b?X-Amz-Content-Sha256={value}"), BODY)
            .with_header("host", "store");
        let secret = secret();
        let credentials =
            Credentials { access_key_id: ACCESS_KEY_ID, secret_access_key: &secret, session_token: None };
        let form = SignatureForm::Presigned { expires_seconds: 5 };
        sign(&mut request, &credentials, "r", "s3", form, noon()).unwrap();
        request
    };
    let rules = elsewhere("s3", BodyHash::OfRequest);
    let unsigned = check(&presign("UNSIGNED-PAYLOAD"), &rules, noon()).unwrap();
    assert_eq!(unsigned.payload_hash, PayloadHash::Unsigned);
    // Our signer signs UNSIGNED-PAYLOAD there, so a digest in the query is another signature.
    assert_eq!(check(&presign(BODY_HASH), &rules, noon()).unwrap_err(), AuthError::SignatureDoesNotMatch);
    let streaming = presign("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    assert_eq!(check(&streaming, &rules, noon()).unwrap_err(), AuthError::StreamingPayload);
}

#[test]
fn the_name_of_a_request_is_the_hash_of_its_signature() {
    let request = signed(Some(BODY_HASH), Place::Header, "s3", BODY);
    let verified = check(&request, &rules("s3"), noon()).unwrap();
    let signature =
        request.header_text("authorization").unwrap().split("Signature=").nth(1).unwrap().to_owned();
    use sha2::Digest as _;
    assert_eq!(
        verified.signature_hash(),
        data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(signature.as_bytes()))
    );
    let names: Vec<&str> = verified.signed_headers().collect();
    assert_eq!(names, ["host", "x-amz-content-sha256", "x-amz-date"]);
}
