//! Every value of `x-amz-content-sha256` × where it and the credentials stand × whose rules × which version of the
//! signature: what is accepted.

use daypass_authn::sigv4::{
    Algorithm, AuthError, BodyHash, Credentials, HttpRequest, PayloadHash, Place, Rules, SignatureForm, sign,
};

use crate::support::{ACCESS_KEY_ID, REFUSED, SECRET, check, complete, noon, secret};

const BODY: &str = "hello";
/// `printf hello | sha256sum`
const BODY_HASH: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
/// SHA-256 of nothing (FIPS 180-4 test value).
const EMPTY_HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What AWS's signers and documents know, and what resembles it ("Authenticating Requests (AWS Signature Version 4)" in
/// the Amazon S3 API Reference, `x-amz-content-sha256`; the last `STREAMING-` of AWS is that of event streams).
const VALUES: [Option<&str>; 20] = [
    None,
    Some(BODY_HASH),
    Some(EMPTY_HASH),
    Some("2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824"),
    Some("UNSIGNED-PAYLOAD"),
    Some("unsigned-payload"),
    Some("UNSIGNED-PAYLOAD,UNSIGNED-PAYLOAD"),
    Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
    Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
    Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    Some("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"),
    Some("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"),
    Some("STREAMING-AWS4-HMAC-SHA256-EVENTS"),
    Some("STREAMING-"),
    Some("streaming-unsigned-payload-trailer"),
    Some("required"),
    Some("2cf24dba"),
    Some("g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    Some(""),
    Some("anything"),
];

/// Where a payload hash is said, beside the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// In the header of a request whose credentials are there too.
    Header,
    /// In a header of a presigned request, which signs it.
    HeaderOfPresigned,
    /// As a parameter of a presigned request.
    Parameter,
}

const PLACES: [Said; 3] = [Said::Header, Said::HeaderOfPresigned, Said::Parameter];
const VERSIONS: [Algorithm; 2] = [Algorithm::SigV4, Algorithm::SigV4A];
/// Those whose rules are one: the signature covers the body.
const OF_BODY: [&str; 4] = ["sts", "iam", "daypass", "execute-api"];
const FAMILY_OF_S3: [&str; 3] = ["s3", "s3express", "s3-object-lambda"];

/// A request whose signature is over `signed` in the place of the payload hash, or over what our reading of it says.
fn signed(
    value: Option<&str>,
    said: Said,
    service: &str,
    version: Algorithm,
    signed: Option<&str>,
) -> HttpRequest {
    let (algorithm, is_4a) = (version.as_str(), version == Algorithm::SigV4A);
    let region = if is_4a { "" } else { "r/" };
    let credential = format!("{ACCESS_KEY_ID}/20260115/{region}{service}/aws4_request");
    let in_header = value.filter(|_| said != Said::Parameter);
    let declared = if in_header.is_some() { "x-amz-content-sha256" } else { "" };
    let set = if is_4a { "x-amz-region-set" } else { "" };
    let names = match said {
        Said::Header => vec!["host", declared, "x-amz-date", set],
        _ => vec!["host", declared],
    };
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    let mut request = HttpRequest::new("PUT", "/b.txt", BODY).with_header("host", "store");
    if let Some(value) = in_header {
        request = request.with_header("x-amz-content-sha256", value);
    }
    if said == Said::Header {
        let value =
            format!("{algorithm} Credential={credential}, SignedHeaders={}, Signature=00", names.join(";"));
        request = request.with_header("x-amz-date", "20260115T120000Z").with_header("authorization", value);
        if is_4a {
            request = request.with_header("x-amz-region-set", "*");
        }
    } else {
        let parameter = value.filter(|_| said == Said::Parameter);
        let parameter = parameter.map(|value| format!("&X-Amz-Content-Sha256={value}")).unwrap_or_default();
        request.query = format!(
            "X-Amz-Algorithm={algorithm}&X-Amz-Credential={}&X-Amz-Date=20260115T120000Z&X-Amz-Expires=300\
             &X-Amz-SignedHeaders={}{}{parameter}&X-Amz-Signature=00",
            credential.replace('/', "%2F"),
            names.join("%3B"),
            if is_4a { "&X-Amz-Region-Set=*" } else { "" },
        );
    }
    complete(request, SECRET, signed)
}

fn rules(service: &str) -> Rules<'_> {
    match service {
        "sts" | "iam" | "daypass" => Rules::for_service(service),
        _ => Rules::for_another_service(service, REFUSED, BodyHash::OfRequest),
    }
}

fn decided(request: &HttpRequest, service: &str) -> Result<PayloadHash, AuthError> {
    check(request, &rules(service), noon()).map(|verified| verified.payload_hash)
}

/// What is to come of a request that is signed as it says.
fn wanted(value: Option<&str>, said: Said, service: &str) -> Result<PayloadHash, AuthError> {
    let of_body = PayloadHash::Hex(BODY_HASH.into());
    if OF_BODY.contains(&service) {
        return match (value, said) {
            // A parameter of that name means something to the family of S3 only.
            (None | Some(BODY_HASH), _) | (Some(_), Said::Parameter) => Ok(of_body),
            (Some(_), _) => Err(AuthError::SignatureDoesNotMatch),
        };
    }
    match (value, said) {
        (None, Said::Header) | (Some(BODY_HASH), _) => Ok(of_body),
        (None | Some("UNSIGNED-PAYLOAD"), _) => Ok(PayloadHash::Unsigned),
        (Some(EMPTY_HASH), _) => Err(AuthError::PayloadHashMismatch),
        (Some(word), _) if word.starts_with("STREAMING-") => Err(AuthError::StreamingPayload),
        (Some(_), _) => Err(AuthError::PayloadHashSyntax),
    }
}

/// Every value, place, service and version.
fn cells() -> impl Iterator<Item = (Option<&'static str>, Said, &'static str, Algorithm)> {
    let services = OF_BODY.into_iter().chain(FAMILY_OF_S3);
    let of_service = |service| VERSIONS.into_iter().map(move |version| (service, version));
    let rest: Vec<_> = services.flat_map(of_service).collect();
    let places: Vec<_> =
        PLACES.into_iter().flat_map(|said| rest.clone().into_iter().map(move |r| (said, r))).collect();
    VALUES.into_iter().flat_map(move |value| {
        places.clone().into_iter().map(move |(said, (service, version))| (value, said, service, version))
    })
}

#[test]
fn every_value_in_every_place_is_decided() {
    let mut count = 0;
    for (value, said, service, version) in cells() {
        let shown = format!("{value:?} {said:?} {service} {version:?}");
        let request = signed(value, said, service, version, None);
        assert_eq!(decided(&request, service), wanted(value, said, service), "{shown}");
        count += 1;
    }
    assert_eq!(count, 20 * 3 * 7 * 2);
}

#[test]
fn a_client_that_signs_what_it_declares_is_refused_wherever_the_body_must_be_signed() {
    for (value, said, service, version) in cells() {
        let Some(value) = value.filter(|value| *value != BODY_HASH && OF_BODY.contains(&service)) else {
            continue;
        };
        let request = signed(Some(value), said, service, version, Some(value));
        let shown = format!("{value:?} {said:?} {service} {version:?}");
        assert_eq!(decided(&request, service), Err(AuthError::SignatureDoesNotMatch), "{shown}");
    }
}

#[test]
fn a_fabricated_signature_is_refused_with_every_value() {
    for (value, said, service, version) in cells() {
        let request = signed(value, said, service, version, Some("something else"));
        assert!(decided(&request, service).is_err(), "{value:?} {said:?} {service} {version:?}");
    }
}

/// Signed by our signer.
fn by_us(value: Option<&str>, place: Place, service: &str) -> HttpRequest {
    let mut request = HttpRequest::new("PUT", "/b.txt", BODY).with_header("host", "store");
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

#[test]
fn unsigned_payload_can_be_switched_off() {
    use daypass_authn::sigv4::PayloadRule;
    let strict = Rules { payload: PayloadRule::S3 { allow_unsigned: false }, ..rules("s3") };
    for (value, place) in [
        (None, Place::Query),
        (Some("UNSIGNED-PAYLOAD"), Place::Query),
        (Some("UNSIGNED-PAYLOAD"), Place::Header),
    ] {
        let request = by_us(value, place, "s3");
        assert_eq!(check(&request, &strict, noon()).unwrap_err(), AuthError::PayloadHashSyntax);
    }
    check(&by_us(Some(BODY_HASH), Place::Header, "s3"), &strict, noon()).unwrap();
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
    let mut request = by_us(Some(BODY_HASH), Place::Header, "s3");
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
        let mut request = by_us(None, Place::Header, service);
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
    let request = by_us(None, Place::Query, "s3");
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
    let request = by_us(Some(BODY_HASH), Place::Header, "s3");
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
