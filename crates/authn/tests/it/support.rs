//! What the test modules share.

use daypass_authn::sigv4::{
    AuthError, BodyHash, Credentials, HttpRequest, Presented, Proof, Rules, SignatureForm, SigningKey,
    Verified, presented, sign, verify,
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

pub(crate) fn proof(request: &HttpRequest) -> Result<Proof, AuthError> {
    match presented(request)? {
        Presented::SigV4(proof) => Ok(*proof),
        Presented::Nothing => Err(AuthError::MissingAuthenticationToken),
    }
}

/// The whole way with the right secret.
pub(crate) fn check(request: &HttpRequest, rules: &Rules<'_>, now: Timestamp) -> Result<Verified, AuthError> {
    let proof = proof(request)?;
    verify(request, &proof, rules, || SigningKey::derive(&secret(), &proof.scope), now)
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
