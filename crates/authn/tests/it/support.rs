//! What the test modules share.

use aws_sigv4::sign::v4a;
use data_encoding::HEXLOWER;
use daypass_authn::sigv4::{
    Algorithm, AuthError, BodyHash, Credentials, HttpRequest, Presented, Proof, Rules, SignatureForm,
    SigningKey, Verified, VerifyingKey, explain, presented, sign, verify,
};
use daypass_model::Secret;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(crate) const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const STS_HOST: &str = "sts.us-east-1.amazonaws.com";
pub(crate) const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

/// The moment at which everything here is signed.
pub(crate) fn noon() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

pub(crate) fn later(seconds: i64) -> Timestamp {
    Timestamp::from_second(noon().as_second() + seconds).unwrap()
}

pub(crate) fn secret() -> Secret {
    Secret::new(SECRET)
}

/// GetCallerIdentity as botocore sends it, unsigned.
pub(crate) fn sts_post() -> HttpRequest {
    HttpRequest::new("POST", "/", BODY)
        .with_header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
        .with_header("Host", STS_HOST)
}

/// The same as GET.
pub(crate) fn sts_get() -> HttpRequest {
    HttpRequest::new("GET", &format!("/?{BODY}"), "").with_header("Host", STS_HOST)
}

pub(crate) fn signed_for(
    mut request: HttpRequest,
    region: &str,
    service: &str,
    form: SignatureForm,
) -> HttpRequest {
    let secret = secret();
    let credentials =
        Credentials { access_key_id: ACCESS_KEY_ID, secret_access_key: &secret, session_token: None };
    sign(&mut request, &credentials, region, service, form, noon()).unwrap();
    request
}

pub(crate) fn signed(request: HttpRequest) -> HttpRequest {
    signed_for(request, "us-east-1", "sts", SignatureForm::Header)
}

pub(crate) fn presigned(request: HttpRequest) -> HttpRequest {
    signed_for(request, "us-east-1", "sts", SignatureForm::Presigned { expires_seconds: 60 })
}

/// Signed with Signature Version 4A for these regions. The texts are ours (`official_signer` has others'), the key and
/// the signature are the official signer's.
pub(crate) fn signed_4a(request: HttpRequest, service: &str, regions: &str) -> HttpRequest {
    signed_4a_over(request.with_header("x-amz-region-set", regions), service, None)
}

/// The same without a set of regions, and with this list of signed headers.
pub(crate) fn signed_4a_over(request: HttpRequest, service: &str, signed: Option<&str>) -> HttpRequest {
    let request = request.with_header("x-amz-date", "20260115T120000Z");
    let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let names = signed.map_or_else(|| names.join(";"), str::to_owned);
    let value = format!(
        "AWS4-ECDSA-P256-SHA256 Credential={ACCESS_KEY_ID}/20260115/{service}/aws4_request, SignedHeaders={names}, Signature=00"
    );
    complete(request.with_header("authorization", value), SECRET, None)
}

/// Presigned with Signature Version 4A, in the same way.
pub(crate) fn presigned_4a(mut request: HttpRequest, service: &str, regions: &str) -> HttpRequest {
    let separator = if request.query.is_empty() { "" } else { "&" };
    request.query.push_str(&format!(
        "{separator}X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Credential={ACCESS_KEY_ID}%2F20260115%2F{service}%2Faws4_request\
         &X-Amz-Date=20260115T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Region-Set={regions}&X-Amz-Signature=00"
    ));
    complete(request, SECRET, None)
}

/// The request with the right signature in the place of `Signature=00`; over `payload` in the place of its payload hash,
/// if one is given. What presents no whole credential stays as it is.
pub(crate) fn complete(mut request: HttpRequest, secret: &str, payload: Option<&str>) -> HttpRequest {
    let (Ok(proof), Ok(explained)) = (proof(&request), explain(&request, &Secret::new(secret))) else {
        return request;
    };
    let replaced = |text: &str, last: &str| format!("{}\n{last}", text.rsplit_once('\n').unwrap().0);
    let mut text = explained.string_to_sign;
    if let Some(payload) = payload {
        let canonical = replaced(&explained.canonical_request, payload);
        text = replaced(&text, &HEXLOWER.encode(&Sha256::digest(canonical)));
    }
    let signature = match proof.algorithm {
        Algorithm::SigV4 => signature_4(&Secret::new(secret), &proof, &text),
        Algorithm::SigV4A => signature_4a(secret, &proof, &text),
    };
    let signature = format!("Signature={signature}");
    request.query = request.query.replace("Signature=00", &signature);
    if request.header("authorization").is_some() {
        replace(&mut request, "authorization", |text| text.replace("Signature=00", &signature));
    }
    request
}

/// By this room's own key, with which the crate `hmac` signs.
pub(crate) fn signature_4(secret: &Secret, proof: &Proof, string_to_sign: &str) -> String {
    let key = SigningKey::derive(secret, &proof.scope);
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose()).unwrap();
    mac.update(string_to_sign.as_bytes());
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// By `aws-sigv4`.
pub(crate) fn signature_4a(secret: &str, proof: &Proof, string_to_sign: &str) -> String {
    let key = v4a::generate_signing_key(&proof.access_key_id, secret);
    v4a::calculate_signature(key, string_to_sign.as_bytes())
}

pub(crate) fn proof(request: &HttpRequest) -> Result<Proof, AuthError> {
    match presented(request)? {
        Presented::SigV4(proof) => Ok(*proof),
        Presented::Version2(_) => Err(AuthError::SignatureVersion2),
        Presented::Nothing | Presented::Certificate(_) => Err(AuthError::MissingAuthenticationToken),
    }
}

/// The whole way with the right secret.
pub(crate) fn check(request: &HttpRequest, rules: &Rules<'_>, now: Timestamp) -> Result<Verified, AuthError> {
    let proof = proof(request)?;
    verify(request, &proof, rules, || VerifyingKey::derive(&secret(), &proof), now)
}

pub(crate) fn check_sts(request: &HttpRequest) -> Result<Verified, AuthError> {
    check(request, &Rules::for_service("sts"), noon())
}

/// As CheckRequest would: any service but ours, the body's hash known to be that of the body.
pub(crate) fn check_other(request: &HttpRequest) -> Result<Verified, AuthError> {
    let service = proof(request)?.scope.service;
    check(request, &Rules::for_another_service(&service, REFUSED, BodyHash::OfRequest), noon())
}

pub(crate) const REFUSED: &[&str] = &["sts", "iam", "daypass", "signin"];

/// Replace the value of a header field that is there.
pub(crate) fn replace(request: &mut HttpRequest, name: &str, change: impl Fn(&str) -> String) {
    let (_, value) = request.headers.iter_mut().find(|(given, _)| given == name).unwrap();
    *value = change(std::str::from_utf8(value).unwrap()).into_bytes();
}

pub(crate) fn without(mut request: HttpRequest, name: &str) -> HttpRequest {
    request.headers.retain(|(given, _)| given != name);
    request
}
