//! The signer: what a client does. Used by the demo, the examples and the tests.

use data_encoding::HEXLOWER;
use daypass_model::Secret;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::canonical::{Form, SignedHeaderAbsent, canonical_request, string_to_sign};
use super::form::encode;
use super::proof::Scope;
use super::rules::{PathRule, is_s3_family};
use super::time::amz_date;
use super::{Algorithm, HttpRequest, SigningKey, TERMINATOR, UNSIGNED_PAYLOAD};

/// What it signs with.
const ALGORITHM: Algorithm = Algorithm::SigV4;

/// What a client signs with.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// `AKIA…` or `ASIA…`.
    pub access_key_id: &'a str,
    /// Its secret.
    pub secret_access_key: &'a Secret,
    /// The session token that belongs to an `ASIA…` key.
    pub session_token: Option<&'a str>,
}

/// Where the signature goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureForm {
    /// Into the `Authorization` field.
    Header,
    /// Into the query, valid for so many seconds.
    Presigned {
        /// `X-Amz-Expires`.
        expires_seconds: u32,
    },
}

/// The request cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// A signature covers the host, and there is no `host` field.
    #[error("the request has no `host` field")]
    NoHost,
    /// It holds a credential already.
    #[error("the request is signed already")]
    AlreadySigned,
}

/// Sign a request in place for `region` and `service` at `now`.
///
/// Signed are `host`, `content-type` (header form) and every `x-amz-*` field. For the S3 family an
/// `x-amz-content-sha256` field is added in header form unless there is one; a presigned request of that
/// family leaves its payload unsigned.
///
/// # Errors
/// No host, or signed already.
pub fn sign(
    request: &mut HttpRequest,
    credentials: &Credentials<'_>,
    region: &str,
    service: &str,
    form: SignatureForm,
    now: Timestamp,
) -> Result<(), SignError> {
    if request.header("host").is_none() {
        return Err(SignError::NoHost);
    }
    if request.header("authorization").is_some() || request.query.contains("X-Amz-Signature=") {
        return Err(SignError::AlreadySigned);
    }
    let time = amz_date(now);
    let date = time.get(..8).unwrap_or_default().to_owned();
    let scope = Scope { date, region: region.to_owned(), service: service.to_owned() };
    let signing = Signing { credentials, scope: &scope, time: &time, s3: is_s3_family(service) };
    match form {
        SignatureForm::Header => signing.into_header(request),
        SignatureForm::Presigned { expires_seconds } => signing.into_query(request, expires_seconds),
    }
    .map_err(|SignedHeaderAbsent| SignError::NoHost)
}

struct Signing<'a> {
    credentials: &'a Credentials<'a>,
    scope: &'a Scope,
    time: &'a str,
    s3: bool,
}

impl Signing<'_> {
    fn into_header(self, request: &mut HttpRequest) -> Result<(), SignedHeaderAbsent> {
        let mut payload_hash = HEXLOWER.encode(&Sha256::digest(&request.body));
        set(request, "x-amz-date", self.time);
        if let Some(token) = self.credentials.session_token {
            set(request, "x-amz-security-token", token);
        }
        if self.s3 {
            match request.header_text("x-amz-content-sha256") {
                Some(chosen) => payload_hash = chosen.to_owned(),
                None => set(request, "x-amz-content-sha256", &payload_hash),
            }
        }
        let signed = signed_headers(request, true);
        let signature = self.signature(request, &signed, &payload_hash)?;
        let credential = self.credential();
        let algorithm = ALGORITHM.as_str();
        let value =
            format!("{algorithm} Credential={credential}, SignedHeaders={signed}, Signature={signature}");
        set(request, "authorization", &value);
        Ok(())
    }

    fn into_query(self, request: &mut HttpRequest, expires_seconds: u32) -> Result<(), SignedHeaderAbsent> {
        let signed = signed_headers(request, false);
        let expires = expires_seconds.to_string();
        let credential = self.credential();
        append(request, "X-Amz-Algorithm", ALGORITHM.as_str());
        append(request, "X-Amz-Credential", &credential);
        append(request, "X-Amz-Date", self.time);
        append(request, "X-Amz-Expires", &expires);
        append(request, "X-Amz-SignedHeaders", &signed);
        if let Some(token) = self.credentials.session_token {
            append(request, "X-Amz-Security-Token", token);
        }
        let payload_hash = if self.s3 {
            request.header_text("x-amz-content-sha256").unwrap_or(UNSIGNED_PAYLOAD).to_owned()
        } else {
            HEXLOWER.encode(&Sha256::digest(&request.body))
        };
        let signature = self.signature(request, &signed, &payload_hash)?;
        append(request, "X-Amz-Signature", &signature);
        Ok(())
    }

    fn credential(&self) -> String {
        let Scope { date, region, service } = self.scope;
        format!("{}/{date}/{region}/{service}/{TERMINATOR}", self.credentials.access_key_id)
    }

    fn signature(
        &self,
        request: &HttpRequest,
        signed_headers: &str,
        payload_hash: &str,
    ) -> Result<String, SignedHeaderAbsent> {
        let path = if self.s3 { PathRule::AsSent } else { PathRule::Normalise };
        let form = Form { path, signed_headers, payload_hash, without_token: false };
        let canonical = canonical_request(request, form)?;
        let key = SigningKey::derive(self.credentials.secret_access_key, self.scope);
        let to_sign = string_to_sign(ALGORITHM, self.time, self.scope, &canonical);
        Ok(HEXLOWER.encode(&key.sign(to_sign.as_bytes())))
    }
}

pub(super) fn signed_headers(request: &HttpRequest, content_type: bool) -> String {
    let mut names: Vec<String> = request
        .headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .filter(|name| {
            name == "host" || name.starts_with("x-amz-") || (content_type && name == "content-type")
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(";")
}

pub(super) fn set(request: &mut HttpRequest, name: &str, value: &str) {
    request.headers.retain(|(given, _)| !given.eq_ignore_ascii_case(name));
    request.headers.push((name.to_owned(), value.as_bytes().to_vec()));
}

fn append(request: &mut HttpRequest, name: &str, value: &str) {
    if !request.query.is_empty() {
        request.query.push('&');
    }
    request.query.push_str(name);
    request.query.push('=');
    request.query.push_str(&encode(value.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(request: &mut HttpRequest) -> Result<(), SignError> {
        let secret = Secret::new("wJalrXUtnFEMI");
        let credentials = Credentials {
            access_key_id: "AKIAQNZGKIQY56JQ7WML",
            secret_access_key: &secret,
            session_token: None,
        };
        let now = "2026-01-15T12:00:00Z".parse().unwrap();
        sign(request, &credentials, "us-east-1", "sts", SignatureForm::Header, now)
    }

    #[test]
    fn what_is_signed_is_not_signed_again_in_either_form() {
        let fresh = || HttpRequest::new("POST", "/", "").with_header("host", "sts.example.com");
        signed(&mut fresh()).unwrap();
        let mut by_header = fresh().with_header("authorization", "x");
        assert!(matches!(signed(&mut by_header), Err(SignError::AlreadySigned)));
        let mut by_query =
            HttpRequest::new("POST", "/?X-Amz-Signature=x", "").with_header("host", "sts.example.com");
        assert!(matches!(signed(&mut by_query), Err(SignError::AlreadySigned)));
    }

    #[test]
    fn what_proxies_change_is_not_signed() {
        let request = HttpRequest::new("POST", "/", "")
            .with_header("Host", "a")
            .with_header("User-Agent", "b")
            .with_header("Content-Type", "c")
            .with_header("X-Amz-Date", "d");
        assert_eq!(signed_headers(&request, true), "content-type;host;x-amz-date");
        assert_eq!(signed_headers(&request, false), "host;x-amz-date");
    }
}
