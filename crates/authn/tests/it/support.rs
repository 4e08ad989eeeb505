//! What the test modules share.

use daypass_authn::sigv4::{
    AuthError, BodyHash, Credentials, HttpRequest, Presented, Proof, Rules, SignatureForm, Verified,
    VerifyingKey, explain, presented, sign, verify,
};
use daypass_model::Secret;
use jiff::Timestamp;

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
    let mut request = request.with_header("authorization", value);
    if let Ok(explained) = explain(&request, &secret()) {
        let signature = signature_4a(&explained.string_to_sign);
        replace(&mut request, "authorization", |text| {
            text.replace("Signature=00", &format!("Signature={signature}"))
        });
    }
    request
}

/// Presigned with Signature Version 4A, in the same way.
pub(crate) fn presigned_4a(mut request: HttpRequest, service: &str, regions: &str) -> HttpRequest {
    let separator = if request.query.is_empty() { "" } else { "&" };
    request.query.push_str(&format!(
        "{separator}X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Credential={ACCESS_KEY_ID}%2F20260115%2F{service}%2Faws4_request\
         &X-Amz-Date=20260115T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Region-Set={regions}&X-Amz-Signature=00"
    ));
    let signature = signature_4a(&explain(&request, &secret()).unwrap().string_to_sign);
    request.query = request.query.replace("X-Amz-Signature=00", &format!("X-Amz-Signature={signature}"));
    request
}

/// In lower-case hex, by `aws-sigv4`.
pub(crate) fn signature_4a(string_to_sign: &str) -> String {
    let key = aws_sigv4::sign::v4a::generate_signing_key(ACCESS_KEY_ID, SECRET);
    aws_sigv4::sign::v4a::calculate_signature(key, string_to_sign.as_bytes())
}

pub(crate) fn proof(request: &HttpRequest) -> Result<Proof, AuthError> {
    match presented(request)? {
        Presented::SigV4(proof) => Ok(*proof),
        Presented::Version2(_) => Err(AuthError::SignatureVersion2),
        Presented::Nothing => Err(AuthError::MissingAuthenticationToken),
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
