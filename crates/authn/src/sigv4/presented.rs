//! Reading the credential of a request: nothing, a well-formed proof, or an error.
//!
//! This file decides what *counts* as presenting a credential. It looks into every place where AWS
//! accepts one, so that half a credential, or one in two places, is never taken for none.
//! It does not know what is true of a proof.

use std::borrow::Cow;

use data_encoding::BASE64;
use daypass_model::limits::REQUEST_HEAD_BYTES_MAX;
use sha2::{Digest, Sha256};

use super::by_certificate::CertificateProof;
use super::form::{decode, is_form, raw_pairs};
use super::proof::{Place, Proof, Scope};
use super::region_set::RegionSet;
use super::time::{amz_date, parse_amz_date, parse_date_field};
use super::version_2::Version2;
use super::{Algorithm, AuthError, HttpRequest};

/// What a request presents.
#[derive(Debug, Clone)]
pub enum Presented {
    /// No part of any credential.
    Nothing,
    /// A well-formed Signature Version 4 or 4A.
    SigV4(Box<Proof>),
    /// A well-formed Signature Version 2. [`presented`] never gives it.
    Version2(Box<Version2>),
    /// A well-formed signature by the key of a certificate. Only [`presented_by_certificate`](super::presented_by_certificate) gives it.
    Certificate(Box<CertificateProof>),
}

impl Presented {
    /// The access key id and the session token, which prove nothing yet.
    #[must_use]
    pub fn credential(&self) -> Option<(&str, Option<&str>)> {
        match self {
            Self::Nothing | Self::Certificate(_) => None,
            Self::SigV4(proof) => Some((&proof.access_key_id, proof.session_token.as_deref())),
            Self::Version2(proof) => Some((&proof.access_key_id, proof.session_token.as_deref())),
        }
    }

    /// `SigV2`, `SigV4` or `SigV4A`, as CloudTrail calls them.
    #[must_use]
    pub fn version(&self) -> Option<&'static str> {
        match self {
            Self::Nothing | Self::Certificate(_) => None,
            Self::SigV4(proof) => Some(proof.algorithm.version()),
            Self::Version2(_) => Some("SigV2"),
        }
    }
}

/// Find the credential of a request.
///
/// # Errors
/// When there is anything of a credential that is not exactly one whole, well-formed one. Signature
/// Version 2 and the session tokens of S3 Express are refused by name.
pub fn presented(request: &HttpRequest) -> Result<Presented, AuthError> {
    if request.head_size() > REQUEST_HEAD_BYTES_MAX {
        return Err(AuthError::HeadTooLarge);
    }
    let fields = Fields::of(request)?;
    let query = QueryParts::of(request.query.as_bytes())?;
    if fields.s3_session || query.s3_session {
        return Err(AuthError::S3SessionToken);
    }
    let older = query.version_2 || form_holds_credential(request)?;
    match (fields.authorization, query.any(), older) {
        (Some(_), true, _) | (Some(_), _, true) | (_, true, true) => Err(AuthError::TwoCredentials),
        (Some(authorization), false, false) => {
            fields.refuse_repeated()?;
            from_header(authorization, &fields).map(|proof| Presented::SigV4(Box::new(proof)))
        }
        (None, true, false) => {
            fields.refuse_repeated()?;
            if fields.token.is_some() {
                return Err(AuthError::TwoCredentials);
            }
            from_query(query, &fields).map(|proof| Presented::SigV4(Box::new(proof)))
        }
        (None, false, true) => Err(AuthError::SignatureVersion2),
        (None, false, false) if fields.token.is_some() => Err(AuthError::AuthorizationRequires {
            missing: vec![REQUIRES_CREDENTIAL, REQUIRES_SIGNATURE, REQUIRES_SIGNED_HEADERS],
            hash: hash_of(b""),
        }),
        (None, false, false) => Ok(Presented::Nothing),
    }
}

/// The same where Signature Version 2 is switched on.
///
/// # Errors
/// Those of [`presented`], but for a whole Signature Version 2.
pub fn presented_or_version_2(request: &HttpRequest) -> Result<Presented, AuthError> {
    match presented(request) {
        // Said of requests that hold nothing of any other credential.
        Err(AuthError::SignatureVersion2) => {
            Version2::read(request).map(|proof| Presented::Version2(Box::new(proof)))
        }
        decided => decided,
    }
}

const REQUIRES_CREDENTIAL: &str = "Authorization header requires 'Credential' parameter.";
const REQUIRES_SIGNATURE: &str = "Authorization header requires 'Signature' parameter.";
const REQUIRES_SIGNED_HEADERS: &str = "Authorization header requires 'SignedHeaders' parameter.";
const REQUIRES_DATE: &str =
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";

fn hash_of(authorization: &[u8]) -> String {
    BASE64.encode(&Sha256::digest(authorization))
}

/// The header fields that matter to authentication, and which of them came twice.
#[derive(Default)]
pub(super) struct Fields<'r> {
    pub(super) authorization: Option<&'r [u8]>,
    amz_date: Option<&'r [u8]>,
    date: Option<&'r [u8]>,
    pub(super) token: Option<&'r [u8]>,
    host: Option<&'r [u8]>,
    payload_hash: Option<&'r [u8]>,
    region_set: Option<&'r [u8]>,
    pub(super) s3_session: bool,
    repeated: Option<&'static str>,
}

impl<'r> Fields<'r> {
    /// One pass over the fields. A second `Authorization` is an error whatever else there is.
    pub(super) fn of(request: &'r HttpRequest) -> Result<Self, AuthError> {
        let mut fields = Self::default();
        for (name, value) in &request.headers {
            let (slot, known) = match name.len() {
                4 if name.eq_ignore_ascii_case("host") => (&mut fields.host, "Host"),
                4 if name.eq_ignore_ascii_case("date") => (&mut fields.date, "Date"),
                10 if name.eq_ignore_ascii_case("x-amz-date") => (&mut fields.amz_date, "X-Amz-Date"),
                13 if name.eq_ignore_ascii_case("authorization") => {
                    (&mut fields.authorization, "Authorization")
                }
                16 if name.eq_ignore_ascii_case("x-amz-region-set") => {
                    (&mut fields.region_set, "X-Amz-Region-Set")
                }
                20 if name.eq_ignore_ascii_case("x-amz-security-token") => {
                    (&mut fields.token, "X-Amz-Security-Token")
                }
                20 if name.eq_ignore_ascii_case("x-amz-content-sha256") => {
                    (&mut fields.payload_hash, "X-Amz-Content-Sha256")
                }
                21 if is_s3_session(name.as_bytes()) => {
                    fields.s3_session = true;
                    continue;
                }
                _ => continue,
            };
            if slot.replace(value.as_slice()).is_some() {
                fields.repeated = Some(known);
                if known == "Authorization" {
                    return Err(AuthError::RepeatedField { name: known });
                }
            }
        }
        Ok(fields)
    }

    pub(super) fn refuse_repeated(&self) -> Result<(), AuthError> {
        self.repeated.map_or(Ok(()), |name| Err(AuthError::RepeatedField { name }))
    }
}

/// `algorithm Credential=…, SignedHeaders=…, Signature=…` and the fields around it.
fn from_header(authorization: &[u8], fields: &Fields<'_>) -> Result<Proof, AuthError> {
    let syntax = || AuthError::AuthorizationSyntax { hash: hash_of(authorization) };
    let text = std::str::from_utf8(authorization).map_err(|_| syntax())?.trim();
    let (algorithm, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    from_rest_of_header(algorithm_of(algorithm)?, authorization, rest, fields)
}

/// What stands behind the name of the algorithm.
pub(super) fn from_rest_of_header(
    algorithm: Algorithm,
    authorization: &[u8],
    rest: &str,
    fields: &Fields<'_>,
) -> Result<Proof, AuthError> {
    let syntax = || AuthError::AuthorizationSyntax { hash: hash_of(authorization) };
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for part in rest.trim().split(',').filter(|_| !rest.trim().is_empty()) {
        let (key, value) = part.trim().split_once('=').ok_or_else(syntax)?;
        let slot = match key {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed_headers,
            "Signature" => &mut signature,
            _ => return Err(syntax()),
        };
        if slot.replace(value).is_some() {
            return Err(syntax());
        }
    }
    let date_field = fields.amz_date.or(fields.date);
    let (Some(credential), Some(signature), Some(signed), Some(date)) =
        (credential, signature, signed_headers, date_field)
    else {
        let checks = [
            (credential.is_none(), REQUIRES_CREDENTIAL),
            (signature.is_none(), REQUIRES_SIGNATURE),
            (signed_headers.is_none(), REQUIRES_SIGNED_HEADERS),
            (date_field.is_none(), REQUIRES_DATE),
        ];
        let missing = checks.iter().filter(|(absent, _)| *absent).map(|(_, sentence)| *sentence).collect();
        return Err(AuthError::AuthorizationRequires { missing, hash: hash_of(authorization) });
    };

    let date = std::str::from_utf8(date).map_err(|_| AuthError::MalformedDate)?.trim();
    let (time, time_text) = match fields.amz_date {
        Some(_) => (parse_amz_date(date), date.to_owned()),
        None => (parse_date_field(date), parse_date_field(date).map(amz_date).unwrap_or_default()),
    };
    let time = time.ok_or(AuthError::MalformedDate)?;
    let token = fields.token.map(std::str::from_utf8).transpose();
    let token = token.map_err(|_| AuthError::InvalidClientTokenId)?;
    let (access_key_id, scope, terminator) = parse_credential(algorithm, credential)?;
    let signed_headers = parse_signed_headers(signed)?;
    let set_is_signed = signed_headers.split(';').any(|name| name == "x-amz-region-set");
    Ok(Proof {
        algorithm,
        region_set: region_set(algorithm, fields.region_set, set_is_signed)?,
        access_key_id,
        scope,
        terminator,
        session_token: token.map(|text| text.trim().to_owned()),
        time,
        place: Place::Header,
        time_text,
        signed_headers,
        signature: signature.to_owned(),
        expires: None,
        query_payload_hash: None,
    })
}

/// The query parameters of a presigned request that belong to its signature and to nothing else (IAM User Guide,
/// "Elements of an AWS API request signature").
pub const PRESIGNED_PARAMETERS: [&str; 9] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
    "X-Amz-Region-Set",
];

/// The authentication parameters of the query.
#[derive(Default)]
pub(super) struct QueryParts<'r> {
    algorithm: Option<Cow<'r, [u8]>>,
    credential: Option<Cow<'r, [u8]>>,
    date: Option<Cow<'r, [u8]>>,
    expires: Option<Cow<'r, [u8]>>,
    signed_headers: Option<Cow<'r, [u8]>>,
    signature: Option<Cow<'r, [u8]>>,
    token: Option<Cow<'r, [u8]>>,
    payload_hash: Option<Cow<'r, [u8]>>,
    region_set: Option<Cow<'r, [u8]>>,
    pub(super) s3_session: bool,
    pub(super) version_2: bool,
}

impl<'r> QueryParts<'r> {
    pub(super) fn of(query: &'r [u8]) -> Result<Self, AuthError> {
        let mut parts = Self::default();
        for (name, value) in raw_pairs(query) {
            let name = decode(name);
            parts.version_2 |= is_version_2(&name);
            parts.s3_session |= is_s3_session(&name);
            if !name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"X-Amz-")) {
                continue;
            }
            let Some((known, slot)) = parts.slot(&name) else { continue };
            // A parser that ignores case and one that does not would see two different requests.
            if name != known.as_bytes() {
                return Err(AuthError::ParameterCase { name: known });
            }
            if slot.replace(decode(value)).is_some() {
                return Err(AuthError::RepeatedField { name: known });
            }
        }
        Ok(parts)
    }

    fn slot(&mut self, name: &[u8]) -> Option<(&'static str, &mut Option<Cow<'r, [u8]>>)> {
        let slots = [
            &mut self.algorithm,
            &mut self.credential,
            &mut self.date,
            &mut self.expires,
            &mut self.signed_headers,
            &mut self.signature,
            &mut self.token,
            &mut self.payload_hash,
            &mut self.region_set,
        ];
        let mut known = PRESIGNED_PARAMETERS.into_iter().zip(slots);
        known.find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
    }

    /// Whether any part of a credential is there. A payload hash alone is none.
    pub(super) fn any(&self) -> bool {
        self.algorithm.is_some()
            || self.credential.is_some()
            || self.date.is_some()
            || self.expires.is_some()
            || self.signed_headers.is_some()
            || self.signature.is_some()
            || self.token.is_some()
            || self.region_set.is_some()
    }
}

fn from_query(parts: QueryParts<'_>, fields: &Fields<'_>) -> Result<Proof, AuthError> {
    let QueryParts { credential, date, signed_headers, signature, .. } = parts;
    let algorithm = parts.algorithm.map(|name| algorithm_of(&String::from_utf8_lossy(&name))).transpose()?;
    let (Some(algorithm), Some(credential), Some(date), Some(signed), Some(signature)) =
        (algorithm, &credential, &date, &signed_headers, &signature)
    else {
        let checks = [
            (algorithm.is_none(), "X-Amz-Algorithm"),
            (credential.is_none(), "X-Amz-Credential"),
            (signature.is_none(), "X-Amz-Signature"),
            (signed_headers.is_none(), "X-Amz-SignedHeaders"),
            (date.is_none(), "X-Amz-Date"),
        ];
        let missing = checks.iter().filter(|(absent, _)| *absent).map(|(_, name)| *name).collect();
        return Err(AuthError::QueryRequires { missing });
    };

    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let time_text = text(date);
    let time = parse_amz_date(&time_text).ok_or(AuthError::MalformedDate)?;
    let (access_key_id, scope, terminator) = parse_credential(algorithm, &text(credential))?;
    if fields.region_set.is_some() {
        return Err(AuthError::RegionSet {
            problem: "'X-Amz-Region-Set' of a presigned request is a parameter.",
        });
    }
    Ok(Proof {
        algorithm,
        // A parameter is always signed.
        region_set: region_set(algorithm, parts.region_set.as_deref(), true)?,
        access_key_id,
        scope,
        terminator,
        session_token: parts.token.as_deref().map(text),
        time,
        place: Place::Query,
        time_text,
        signed_headers: parse_signed_headers(&text(signed))?,
        signature: text(signature),
        expires: parts.expires.as_deref().map(text),
        query_payload_hash: parts.payload_hash.as_deref().map(text),
    })
}

fn algorithm_of(given: &str) -> Result<Algorithm, AuthError> {
    Algorithm::of(given).ok_or_else(|| match given {
        "AWS" => AuthError::SignatureVersion2,
        other => {
            // What stands here may be anything, a password included: repeat only what is a scheme.
            let shown = if is_scheme(other) { other } else { "" };
            AuthError::UnsupportedAlgorithm { given: shown.to_owned() }
        }
    })
}

/// A set of regions restricts where a signature is good: with an algorithm that has none it would be dropped, and
/// unsigned it could be changed.
fn region_set(
    algorithm: Algorithm,
    given: Option<&[u8]>,
    signed: bool,
) -> Result<Option<RegionSet>, AuthError> {
    let wrong = |problem| Err(AuthError::RegionSet { problem });
    match (algorithm, given) {
        (Algorithm::SigV4, None) => Ok(None),
        (Algorithm::SigV4, Some(_)) => wrong("'X-Amz-Region-Set' belongs to AWS4-ECDSA-P256-SHA256."),
        (Algorithm::SigV4A, None) => wrong("AWS4-ECDSA-P256-SHA256 requires 'X-Amz-Region-Set'."),
        (Algorithm::SigV4A, Some(_)) if !signed => {
            wrong("'X-Amz-Region-Set' must be a 'SignedHeader' in the AWS Authorization.")
        }
        (Algorithm::SigV4A, Some(set)) => RegionSet::parse(&String::from_utf8_lossy(set)).map(Some),
    }
}

/// The schemes that people send by mistake, and every spelling of AWS's own.
fn is_scheme(word: &str) -> bool {
    let plain = || word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let common = ["Basic", "Bearer", "Digest", "Negotiate"];
    common.iter().any(|scheme| scheme.eq_ignore_ascii_case(word))
        || (word.starts_with("AWS4-") && word.len() <= 32 && plain())
}

/// `<access key id>/<date>/<region>/<service>/<terminator>`, from the right: elsewhere ids hold slashes. There is no
/// region in Signature Version 4A, and no slash in an id: a region would be read as the date.
fn parse_credential(algorithm: Algorithm, text: &str) -> Result<(String, Scope, String), AuthError> {
    const ACCESS_KEY_ID_LENGTH_MAX: usize = 128;
    const PART_LENGTH_MAX: usize = 64;
    let malformed = || match algorithm {
        Algorithm::SigV4 => AuthError::MalformedCredential,
        Algorithm::SigV4A => AuthError::MalformedCredentialOf4A,
    };
    let mut parts = text.rsplitn(5, '/');
    let mut next = || parts.next().ok_or_else(malformed);
    let (terminator, service) = (next()?, next()?);
    let region = if algorithm == Algorithm::SigV4 { Some(next()?) } else { None };
    let (date, id) = (next()?, next()?);
    if algorithm == Algorithm::SigV4A && parts.next().is_some() {
        return Err(malformed());
    }
    let word = |part: &str| {
        let fits = (1..=PART_LENGTH_MAX).contains(&part.len());
        fits && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    let id_fits =
        (1..=ACCESS_KEY_ID_LENGTH_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    let region_is_missing = region.is_some_and(str::is_empty);
    let named = region.filter(|_| !region_is_missing);
    if !id_fits || ![terminator, service, date].into_iter().chain(named).all(word) {
        return Err(malformed());
    }
    if region_is_missing {
        return Err(AuthError::Scope { region: true, service: None });
    }
    let region = region.unwrap_or_default().to_owned();
    let scope = Scope { date: date.to_owned(), region, service: service.to_owned() };
    Ok((id.to_owned(), scope, terminator.to_owned()))
}

/// AWS defines the list as sorted lower-case names. Another order or a repetition would have two
/// readings, so it is refused.
fn parse_signed_headers(text: &str) -> Result<String, AuthError> {
    let mut previous = "";
    for name in text.split(';') {
        let token = name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
        });
        if !token || name <= previous {
            return Err(AuthError::MalformedSignedHeaders);
        }
        previous = name;
    }
    if !text.split(';').any(|name| name == "host") {
        return Err(AuthError::HostNotSigned);
    }
    Ok(text.to_owned())
}

/// The session token of S3 Express, as a field or a parameter (Amazon S3 API Reference, `CreateSession`).
fn is_s3_session(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"X-Amz-S3session-Token")
}

/// The parts of a credential in Signature Version 2 (or older), in any case: some readers ignore it. Its other
/// parameters, such as `Expires`, prove nothing and mean something elsewhere.
fn is_version_2(name: &[u8]) -> bool {
    const PARTS: [&[u8]; 4] = [b"AWSAccessKeyId", b"SecurityToken", b"Signature", b"SignatureVersion"];
    PARTS.iter().any(|part| name.eq_ignore_ascii_case(part))
}

/// Signature Version 2 puts its parameters into a form body; Version 4 never does. The body of a call that
/// names its operation in `X-Amz-Target` is JSON.
pub(super) fn form_holds_credential(request: &HttpRequest) -> Result<bool, AuthError> {
    let content_type = request.header("content-type").unwrap_or_default();
    if !is_form(content_type) || request.header("x-amz-target").is_some() {
        return Ok(false);
    }
    let mut version_2 = false;
    for (name, _) in raw_pairs(&request.body) {
        let name = decode(name);
        version_2 |= is_version_2(&name);
        if [&b"X-Amz-Signature"[..], b"X-Amz-Credential", b"X-Amz-Algorithm"].contains(&&*name) {
            return Err(AuthError::QueryRequires { missing: vec!["X-Amz-Signature"] });
        }
    }
    Ok(version_2)
}

#[cfg(test)]
mod tests;
