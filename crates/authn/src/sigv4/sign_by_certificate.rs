//! The signer by the key of a certificate: what a machine does that calls CreateSession. [`by_certificate`](super::by_certificate)
//! has the form, and verifies it.

use data_encoding::{BASE64, HEXLOWER};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::by_certificate::{ALGORITHMS, X509, X509_CHAIN};
use super::canonical::{Form, canonical_request, string_to_sign_as};
use super::proof::Scope;
use super::sign::{set, signed_headers};
use super::time::amz_date;
use super::{HttpRequest, PathRule, SignError, TERMINATOR};
use crate::x509::{BadKey, Certificate, PrivateKey};

/// The service that is called by certificate.
const SERVICE: &str = "rolesanywhere";

/// The request cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateSignError {
    /// By nobody.
    #[error(transparent)]
    Request(#[from] SignError),
    /// Not with this key.
    #[error(transparent)]
    Key(#[from] BadKey),
}

/// Sign a request in place, as the holder of `certificate`, for `region` at `now`; `chain` are those between it and the trust
/// anchor. Signed are `host`, `content-type` and every `x-amz-*` field.
///
/// Source: IAM Roles Anywhere User Guide, "The IAM Roles Anywhere authentication signing process".
///
/// # Errors
/// No host, signed already, or the key is not that of the certificate.
pub fn sign_by_certificate(
    request: &mut HttpRequest,
    (certificate, key): (&Certificate, &PrivateKey),
    chain: &[Certificate],
    region: &str,
    now: Timestamp,
) -> Result<(), CertificateSignError> {
    if request.header("host").is_none() {
        return Err(SignError::NoHost.into());
    }
    if request.header("authorization").is_some() {
        return Err(SignError::AlreadySigned.into());
    }
    let time = amz_date(now);
    let date = time.get(..8).unwrap_or_default().to_owned();
    let scope = Scope { date, region: region.to_owned(), service: SERVICE.to_owned() };
    set(request, "x-amz-date", &time);
    set(request, X509, &BASE64.encode(certificate.der()));
    if !chain.is_empty() {
        let chain: Vec<_> = chain.iter().map(|one| BASE64.encode(one.der())).collect();
        set(request, X509_CHAIN, &chain.join(","));
    }
    let names = signed_headers(request, true);
    let payload_hash = HEXLOWER.encode(&Sha256::digest(&request.body));
    let form = Form {
        path: PathRule::Normalise,
        signed_headers: &names,
        payload_hash: &payload_hash,
        without_token: false,
    };
    let canonical = canonical_request(request, form).map_err(|_| SignError::NoHost)?;
    let algorithm = ALGORITHMS.into_iter().find(|(_, scheme)| *scheme == key.scheme());
    let (algorithm, _) = algorithm.ok_or(BadKey::Kind)?;
    let text = string_to_sign_as(algorithm, true, &time, &scope, &canonical);
    let signature = HEXLOWER.encode(&key.sign_for(certificate, text.as_bytes())?);
    let serial = certificate.serial_decimal();
    let Scope { date, region, service } = scope;
    let credential = format!("{serial}/{date}/{region}/{service}/{TERMINATOR}");
    let value = format!("{algorithm} Credential={credential}, SignedHeaders={names}, Signature={signature}");
    set(request, "authorization", &value);
    Ok(())
}
