//! Scope, time and signature, in that order.
//!
//! This file answers whether a [`Proof`] is true under given [`Rules`]. It does not know whose the key
//! is; the caller looks that up before.

use std::borrow::Borrow;

use data_encoding::HEXLOWER;
use daypass_model::rfc3339_seconds;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::canonical::{Form, canonical_request, string_to_sign};
use super::proof::{Place, Proof};
use super::rules::{BodyHash, PayloadRule, PresignedLifetime, Rules, ServiceRule};
use super::time::amz_date;
use super::{Algorithm, AuthError, HttpRequest, TERMINATOR, UNSIGNED_PAYLOAD, VerifyingKey};

/// Check the credential scope: terminator, region, service, date.
pub(super) fn check_scope(proof: &Proof, rules: &Rules<'_>) -> Result<(), AuthError> {
    if proof.terminator != TERMINATOR {
        return Err(AuthError::ScopeTerminator { given: proof.terminator.clone() });
    }
    let scope = &proof.scope;
    // An endpoint of no region in particular is in every region, so in each set.
    let here = rules.region.is_none_or(|region| match &proof.region_set {
        Some(set) => set.contains(region),
        None => region == scope.region,
    });
    let service = expected_instead(&scope.service, &rules.service)?;
    if !here || service.is_some() {
        return Err(AuthError::Scope { region: !here, service });
    }
    if proof.time_text.get(..8) != Some(scope.date.as_str()) {
        return Err(AuthError::ScopeDate { scope: scope.date.clone(), time: proof.time_text.clone() });
    }
    Ok(())
}

/// The service, or services, that should stand in the scope, where another one does.
fn expected_instead(given: &str, rule: &ServiceRule<'_>) -> Result<Option<String>, AuthError> {
    let expected: &[&str] = match rule {
        ServiceRule::Exactly(service) => &[*service],
        ServiceRule::OneOf(services) => services,
        ServiceRule::AnyBut(refused) => {
            let refused = refused.iter().any(|service| service.eq_ignore_ascii_case(given));
            return if refused {
                Err(AuthError::ScopeElsewhere { given: given.to_owned() })
            } else {
                Ok(None)
            };
        }
    };
    Ok((!expected.contains(&given)).then(|| expected.join("', '")))
}

/// Check the time of the request; answers the last moment at which it verifies.
pub(super) fn check_time(proof: &Proof, rules: &Rules<'_>, now: Timestamp) -> Result<Timestamp, AuthError> {
    const FIFTEEN_MINUTES: i64 = 900;
    let window = rules.window_seconds;
    let is_s3 = matches!(rules.payload, PayloadRule::S3 { .. });

    let newest = shifted(now, window);
    if proof.time > newest {
        return Err(if is_s3 {
            AuthError::RequestTimeTooSkewed
        } else {
            AuthError::SignatureNotYetCurrent {
                time: proof.time_text.clone(),
                limit: amz_date(newest),
                now: amz_date(now),
                minutes: window / 60,
            }
        });
    }
    let from_expires = proof.place == Place::Query && rules.presigned == PresignedLifetime::FromExpires;
    let said = || presigned_lifetime(proof.expires.as_deref());
    let lifetime = match (proof.place, rules.presigned) {
        (Place::Header, _) => window,
        (Place::Query, PresignedLifetime::FromExpires) => said()?,
        (Place::Query, PresignedLifetime::WithinFifteenMinutes) => said()?.min(FIFTEEN_MINUTES),
        (Place::Query, PresignedLifetime::FifteenMinutes) => FIFTEEN_MINUTES,
    };
    let expires = shifted(proof.time, lifetime);
    if now > expires {
        return Err(if from_expires {
            AuthError::PresignedExpired
        } else if is_s3 {
            AuthError::RequestTimeTooSkewed
        } else {
            AuthError::SignatureExpired {
                time: proof.time_text.clone(),
                limit: amz_date(shifted(now, -lifetime)),
                now: amz_date(now),
                minutes: lifetime / 60,
            }
        });
    }
    Ok(expires)
}

/// What the signature says about the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayloadHash {
    /// The body must have this SHA-256 (lower-case hex). Compared already where the body's hash was known.
    Hex(String),
    /// `UNSIGNED-PAYLOAD`: the signature holds for any body.
    Unsigned,
}

/// A request whose signature is true.
#[derive(Clone)]
pub struct Verified {
    /// What was signed about the body.
    pub payload_hash: PayloadHash,
    /// The last moment at which this request verifies. Until then it can be replayed, as on AWS.
    pub expires: Timestamp,
    signed_headers: String,
    named_by: String,
}

impl Verified {
    /// A name for this request that cannot be replayed, lower-case hex: SHA-256 of the signature's hex text. With
    /// Signature Version 4A it is that of the access key id, a line feed and the string to sign.
    ///
    /// INVARIANT (one-name): who sees a request cannot make another of it that verifies under another name. A signature
    /// with ECDSA has a twin that anybody can calculate, so that it names nothing.
    #[must_use]
    pub fn signature_hash(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.named_by.as_bytes()))
    }

    /// The header fields that the signature covers, sorted, in lower case. Trust no other field.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.signed_headers.split(';')
    }

    /// Whether the signature covers this header field (`name` in lower case).
    #[must_use]
    pub fn signs(&self, name: &str) -> bool {
        self.signed_headers().any(|signed| signed == name)
    }
}

impl std::fmt::Debug for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verified")
            .field("payload_hash", &self.payload_hash)
            .field("expires", &rfc3339_seconds(self.expires))
            .field("signed_headers", &self.signed_headers)
            .finish_non_exhaustive()
    }
}

/// Check everything about a proof: scope, time, which fields are signed, payload hash, signature.
///
/// `key` gives the key of the access key's secret for this proof. It is asked once everything else holds: anybody can
/// invent scopes and times, and deriving a key for each would be work for nothing.
///
/// # Errors
/// The first thing that is wrong, in AWS's order.
pub fn verify<K: Borrow<VerifyingKey>>(
    request: &HttpRequest,
    proof: &Proof,
    rules: &Rules<'_>,
    key: impl FnOnce() -> K,
    now: Timestamp,
) -> Result<Verified, AuthError> {
    check_scope(proof, rules)?;
    let expires = check_time(proof, rules, now)?;
    refuse_unsigned_fields(request, proof, rules)?;
    let (payload, source) = payload_hash(request, proof, rules)?;
    let text = match &payload {
        PayloadHash::Hex(hex) => hex.as_str(),
        PayloadHash::Unsigned => UNSIGNED_PAYLOAD,
    };

    let key = key();
    let key = key.borrow();
    let signed = |without_token| signed_text(request, proof, rules, key, text, without_token);
    let may_be_appended = proof.place == Place::Query && proof.session_token.is_some();
    let signed = signed(false).or_else(|| may_be_appended.then(|| signed(true)).flatten());
    let string_to_sign = signed.ok_or(AuthError::SignatureDoesNotMatch)?;
    if source == Source::Declared {
        compare_with_body(request, rules, &payload)?;
    }
    Ok(Verified {
        payload_hash: payload,
        expires,
        signed_headers: proof.signed_headers.clone(),
        named_by: match proof.algorithm {
            Algorithm::SigV4 => proof.signature.clone(),
            Algorithm::SigV4A => format!("{}\n{string_to_sign}", proof.access_key_id),
        },
    })
}

/// INVARIANT (signed-fields): no `x-amz-*` field that the signature does not cover ever reaches an action,
/// except the session token, which proves itself.
pub(super) fn refuse_unsigned_fields(
    request: &HttpRequest,
    proof: &Proof,
    rules: &Rules<'_>,
) -> Result<(), AuthError> {
    match unsigned_field(request, proof, rules.tolerated_unsigned) {
        None => Ok(()),
        Some(_) => Err(match rules.payload {
            PayloadRule::HashOfBody => AuthError::SignatureDoesNotMatch,
            PayloadRule::S3 { .. } => AuthError::HeadersNotSigned,
        }),
    }
}

/// The first field that should be signed and is not.
pub(super) fn unsigned_field<'r>(
    request: &'r HttpRequest,
    proof: &Proof,
    tolerated: &[&str],
) -> Option<&'r str> {
    let names = request.headers.iter().map(|(name, _)| name.as_str());
    let special = |name: &&str| name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"));
    names.filter(special).find(|name| {
        !proof.signed_headers().any(|signed| signed.eq_ignore_ascii_case(name))
            && !tolerated.iter().any(|known| known.eq_ignore_ascii_case(name))
            && !name.eq_ignore_ascii_case("x-amz-security-token")
    })
}

/// Where a payload hash comes from.
#[derive(PartialEq)]
pub(super) enum Source {
    /// We calculated it: the signature itself proves the body.
    Body,
    /// The request says so.
    Declared,
}

/// The payload hash that the canonical request must hold.
pub(super) fn payload_hash(
    request: &HttpRequest,
    proof: &Proof,
    rules: &Rules<'_>,
) -> Result<(PayloadHash, Source), AuthError> {
    const FIELD: &str = "x-amz-content-sha256";
    // An unsigned one, tolerated or not, says nothing.
    let field = if proof.signs(FIELD) { request.header(FIELD) } else { None };
    let given = match field.map(std::str::from_utf8) {
        None => None,
        Some(Ok(text)) => Some(text.trim()),
        Some(Err(_)) => return Err(AuthError::SignatureDoesNotMatch),
    };
    let of_body = || {
        body_sha256(request, rules)
            .map(|hash| (PayloadHash::Hex(HEXLOWER.encode(&hash)), Source::Body))
            .ok_or(AuthError::BodyHashRequired)
    };
    let declared = |hash| Ok((hash, Source::Declared));
    match rules.payload {
        PayloadRule::HashOfBody => match given {
            None => of_body(),
            Some(hex) if is_digest(hex) => declared(PayloadHash::Hex(hex.to_owned())),
            // UNSIGNED-PAYLOAD and STREAMING-… here would mean unsigned parameters.
            Some(_) => Err(AuthError::SignatureDoesNotMatch),
        },
        PayloadRule::S3 { allow_unsigned } => {
            match (given.or(proof.query_payload_hash.as_deref()), proof.place) {
                (None, Place::Header) => of_body(),
                (None | Some(UNSIGNED_PAYLOAD), _) if allow_unsigned => declared(PayloadHash::Unsigned),
                (None | Some(UNSIGNED_PAYLOAD), _) => Err(AuthError::PayloadHashSyntax),
                (Some(hex), _) if is_digest(hex) => declared(PayloadHash::Hex(hex.to_owned())),
                (Some(word), _) if word.starts_with("STREAMING-") => Err(AuthError::StreamingPayload),
                (Some(_), _) => Err(AuthError::PayloadHashSyntax),
            }
        }
    }
}

/// A signed digest must be the body's, wherever the body's is known.
pub(super) fn compare_with_body(
    request: &HttpRequest,
    rules: &Rules<'_>,
    payload: &PayloadHash,
) -> Result<(), AuthError> {
    let PayloadHash::Hex(signed) = payload else { return Ok(()) };
    match body_sha256(request, rules) {
        Some(hash) if HEXLOWER.encode(&hash) != *signed => Err(match rules.payload {
            PayloadRule::HashOfBody => AuthError::SignatureDoesNotMatch,
            PayloadRule::S3 { .. } => AuthError::PayloadHashMismatch,
        }),
        _ => Ok(()),
    }
}

fn body_sha256(request: &HttpRequest, rules: &Rules<'_>) -> Option<[u8; 32]> {
    match rules.body {
        BodyHash::OfRequest => Some(Sha256::digest(&request.body).into()),
        BodyHash::Known(hash) => Some(hash),
        BodyHash::Unknown => None,
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The string to sign, if the signature is one of it.
fn signed_text(
    request: &HttpRequest,
    proof: &Proof,
    rules: &Rules<'_>,
    key: &VerifyingKey,
    payload_hash: &str,
    without_token: bool,
) -> Option<String> {
    let form = Form { path: rules.path, signed_headers: &proof.signed_headers, payload_hash, without_token };
    // A field that is signed but absent may have been taken away on the road: no match.
    let canonical = canonical_request(request, form).ok()?;
    let text = string_to_sign(proof.algorithm, &proof.time_text, &proof.scope, &canonical);
    key.holds(&text, &proof.signature).then_some(text)
}

fn presigned_lifetime(expires: Option<&str>) -> Result<i64, AuthError> {
    let problem = |problem| AuthError::PresignedLifetime { problem };
    let text = expires.ok_or(problem("AWS query-string parameters must include 'X-Amz-Expires'."))?;
    let digits = (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Err(problem("X-Amz-Expires should be a number"));
    }
    match text.parse() {
        Ok(0) => Err(problem("X-Amz-Expires must be at least 1")),
        Ok(seconds @ 1..=604_800) => Ok(seconds),
        _ => Err(problem(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be \
             less than 604800 seconds",
        )),
    }
}

/// `time` moved by `seconds`, to the nearest end of what a timestamp can say.
fn shifted(time: Timestamp, seconds: i64) -> Timestamp {
    let step = jiff::SignedDuration::from_secs(seconds);
    time.checked_add(step).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
