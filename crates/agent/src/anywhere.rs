//! A role for who holds the key of a certificate: CreateSession of IAM Roles Anywhere, as AWS's signing helper asks for it with
//! `credential-process`.
//!
//! Source: IAM Roles Anywhere User Guide, "The IAM Roles Anywhere authentication signing process" and "Get temporary security
//! credentials from IAM Roles Anywhere".

use std::collections::VecDeque;
use std::fmt::Display;
use std::io::Read as _;
use std::path::Path;

use bytes::Bytes;
use daypass_authn::sigv4::{HttpRequest, sign_by_certificate};
use daypass_authn::x509::{CHAIN_MAX, Certificate, PrivateKey, Unfit, blocks};
use http::Method;
use jiff::Timestamp;
use rustls::RootCertStore;
use serde_json::{Map, Value, json};

use crate::Trouble;
use crate::answer::plain;
use crate::creds::{filled, moment};
use crate::state::{open_regular, read_private_within};
use crate::upstream::Upstream;

/// Largest file with certificates, in bytes: six of the largest that are read, in base64, with what `openssl` writes beside them.
const CERTIFICATES_BYTES_MAX: u64 = 256 * 1024;
/// Largest file with a private key, in bytes: twice that of RSA with 8,192 bits.
const KEY_BYTES_MAX: u64 = 16 * 1024;

/// A role by a certificate.
#[derive(Debug, Clone)]
pub struct ByCertificate<'a> {
    /// The server's URL.
    pub server: &'a str,
    /// Who vouches for its certificate.
    pub roots: RootCertStore,
    /// PEM of the certificate; those behind it are between it and the trust anchor.
    pub certificate: &'a Path,
    /// PEM of its private key, in a file that nobody else may read.
    pub private_key: &'a Path,
    /// PEM of more certificates between it and the trust anchor.
    pub intermediates: Option<&'a Path>,
    /// ARN; its region is the one that is signed for.
    pub trust_anchor_arn: &'a str,
    /// ARN.
    pub profile_arn: &'a str,
    /// ARN.
    pub role_arn: &'a str,
    /// Name of the session, where the profile lets callers choose it.
    pub session_name: Option<&'a str>,
    /// For how long, in seconds; none: as the profile says.
    pub seconds: Option<u32>,
}

/// The document for credentials of a role, by a certificate and its key, at `now`.
///
/// # Errors
/// What to do about it.
pub async fn by_certificate(asked: &ByCertificate<'_>, now: Timestamp) -> Result<Value, Trouble> {
    let upstream = Upstream::new(asked.server, asked.roots.clone())?;
    let (request, target) = request(asked, &upstream.host(), now)?;
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let fields: Vec<_> = request.headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
    let fields: Vec<_> = fields.filter(|(name, _)| *name != "host").collect();
    let answered = upstream.send(Method::POST, &target, &fields, request.body.clone()).await;
    let answered = answered.map_err(|error| Trouble::new(format!("the server does not answer: {error}")))?;
    let body: Option<Value> = serde_json::from_slice(&answered.body).ok();
    let member = |path: &str| body.as_ref().and_then(|body| body.pointer(path)).and_then(Value::as_str);
    if answered.status != 201 {
        let code = answered.error_type.as_deref().filter(|code| !code.is_empty());
        let (Some(code), Some(message)) = (code, member("/message")) else {
            return Err(Trouble::new(format!("no answer of daypass (HTTP {})", answered.status)));
        };
        return Err(Trouble::new(format!("{}: {}", plain(code), plain(message))));
    }
    let credential = |name: &str| {
        let told = member(&format!("/credentialSet/0/credentials/{name}"));
        filled(told, name, "the server's answer")
    };
    Ok(json!({
        "Version": 1,
        "AccessKeyId": credential("accessKeyId")?,
        "SecretAccessKey": credential("secretAccessKey")?,
        "SessionToken": credential("sessionToken")?,
        "Expiration": moment(credential("expiration")?, "the server's answer")?,
        "AccountId": asked.role_arn.split(':').nth(4),
    }))
}

/// The signed request, and its target.
fn request(asked: &ByCertificate<'_>, host: &str, now: Timestamp) -> Result<(HttpRequest, String), Trouble> {
    let region = asked.trust_anchor_arn.split(':').nth(3).filter(|region| !region.is_empty());
    let region = region.ok_or_else(|| of_flag("--trust-anchor-arn", &"it is no ARN with a region"))?;
    let of_certificate =
        |error: &dyn Display| of_flag(&format!("--certificate {}", asked.certificate.display()), error);
    let mut chain = certificates("--certificate", asked.certificate)?;
    let certificate = chain.pop_front().ok_or_else(|| of_certificate(&"there is nothing in it"))?;
    // The server would say no more than that it is insufficient.
    certificate.check_time(now).map_err(|unfit| of_certificate(&told(unfit, &certificate)))?;
    if let Some(path) = asked.intermediates {
        chain.extend(certificates("--intermediates", path)?);
    }
    let chain = Vec::from(chain);
    if chain.len() > CHAIN_MAX {
        return Err(of_flag("--intermediates", &format!("more than {CHAIN_MAX} certificates between")));
    }
    let key_failed =
        |error: &dyn Display| of_flag(&format!("--private-key {}", asked.private_key.display()), error);
    let key = read_private_within(asked.private_key, KEY_BYTES_MAX).map_err(|error| key_failed(&error))?;
    let key = PrivateKey::from_pem(&key).map_err(|error| key_failed(&error))?;
    let mut target = String::from("/sessions");
    let named = [
        ("?profileArn=", asked.profile_arn),
        ("&roleArn=", asked.role_arn),
        ("&trustAnchorArn=", asked.trust_anchor_arn),
    ];
    for (name, value) in named {
        target.push_str(name);
        crate::creds::escape(&mut target, value);
    }
    let mut body = Map::new();
    if let Some(seconds) = asked.seconds {
        body.insert("durationSeconds".into(), seconds.into());
    }
    if let Some(name) = asked.session_name {
        body.insert("roleSessionName".into(), name.into());
    }
    let mut request = HttpRequest::new("POST", &target, Bytes::from(Value::Object(body).to_string()))
        .with_header("host", host)
        .with_header("content-type", "application/json");
    sign_by_certificate(&mut request, (&certificate, &key), &chain, region, now)
        .map_err(|error| key_failed(&error))?;
    Ok((request, target))
}

/// The certificates in a file, at least one.
fn certificates(flag: &str, path: &Path) -> Result<VecDeque<Certificate>, Trouble> {
    let failed = |error: &dyn Display| of_flag(&format!("{flag} {}", path.display()), error);
    let mut text = String::new();
    let file = open_regular(path).map_err(|error| failed(&error))?;
    let read = file.take(CERTIFICATES_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| failed(&error))?;
    if text.len() as u64 > CERTIFICATES_BYTES_MAX {
        return Err(failed(&"it is too long"));
    }
    let found = blocks(&text, "CERTIFICATE", CHAIN_MAX + 1).map_err(|error| failed(&error))?;
    let found: Result<VecDeque<_>, Unfit> = found.iter().map(|der| Certificate::from_der(der)).collect();
    found.map_err(|unfit| failed(&unfit))
}

/// What is wrong with its time, and when that is.
fn told(unfit: Unfit, certificate: &Certificate) -> String {
    let when = crate::credentials::time(certificate.not_after());
    if unfit == Unfit::Expired { format!("{unfit}, on {when}") } else { unfit.to_string() }
}

fn of_flag(flag: &str, error: &dyn Display) -> Trouble {
    Trouble::new(format!("{flag}: {error}"))
}
