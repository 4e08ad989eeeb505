//! Why does a signature not match? Shows our side of the calculation and tries the usual mistakes.
//!
//! For `daypass signature explain`. It needs the secret, so it tells nobody anything they could not
//! calculate. The canonical request may hold a session token: it is for the secret's owner only.

use data_encoding::HEXLOWER;
use daypass_model::Secret;
use sha2::{Digest, Sha256};

use super::canonical::{Form, canonical_request, string_to_sign};
use super::proof::{Place, Proof};
use super::rules::{PathRule, is_s3_family};
use super::verify::unsigned_field;
use super::{AuthError, HttpRequest, Presented, UNSIGNED_PAYLOAD, VerifyingKey, presented};

/// Our side of a signature.
#[derive(Clone)]
pub struct Explained {
    /// The canonical request as we make it.
    pub canonical_request: String,
    /// The string to sign.
    pub string_to_sign: String,
    /// The signature we calculate; `None` for Signature Version 4A, where it is another one each time.
    pub expected_signature: Option<String>,
    /// The signature the request presents.
    pub given_signature: String,
    /// Whether that is a signature of the string to sign.
    pub matches: bool,
    /// What the client did differently, when a known mistake reproduces its signature; or `None`.
    pub difference: Option<String>,
    /// An `x-amz-*` header field that came unsigned, most likely added on the way: the request is refused for it
    /// even if the signatures are the same, unless the server was told to tolerate it.
    pub unsigned_field: Option<String>,
}

/// Calculate the request's signature with `secret`, and look for the mistake if it is not the given one.
///
/// # Errors
/// What [`presented`] says; [`AuthError::MissingAuthenticationToken`] when the request presents nothing;
/// [`AuthError::SignatureDoesNotMatch`] when a signed header field is not there.
pub fn explain(request: &HttpRequest, secret_access_key: &Secret) -> Result<Explained, AuthError> {
    let Presented::SigV4(proof) = presented(request)? else {
        return Err(AuthError::MissingAuthenticationToken);
    };
    let usual = Attempt::usual(request, &proof);
    let key = VerifyingKey::derive(secret_access_key, &proof);
    let (canonical, to_sign) = usual.texts(request, &proof).ok_or(AuthError::SignatureDoesNotMatch)?;
    let matches = key.holds(&to_sign, &proof.signature);
    let difference =
        if matches { None } else { find_mistake(request, &proof, &usual, &key, secret_access_key) };
    Ok(Explained {
        canonical_request: String::from_utf8_lossy(&canonical).into_owned(),
        expected_signature: key.expected(&to_sign),
        string_to_sign: to_sign,
        matches,
        unsigned_field: unsigned_field(request, &proof, &[]).map(str::to_owned),
        given_signature: proof.signature,
        difference,
    })
}

/// Where two texts part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextDifference {
    /// Line number, from 1.
    pub line: usize,
    /// That line in the first text; `None` past its end.
    pub ours: Option<String>,
    /// That line in the second text; `None` past its end.
    pub theirs: Option<String>,
}

/// The first line in which a client's canonical request (or string to sign) differs from ours.
#[must_use]
pub fn first_difference(ours: &str, theirs: &str) -> Option<TextDifference> {
    let (mut ours, mut theirs) = (ours.split('\n'), theirs.split('\n'));
    let mut line = 0;
    loop {
        line += 1;
        match (ours.next(), theirs.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (a, b) => {
                return Some(TextDifference {
                    line,
                    ours: a.map(str::to_owned),
                    theirs: b.map(str::to_owned),
                });
            }
        }
    }
}

/// One way to calculate.
#[derive(Clone)]
struct Attempt {
    path: PathRule,
    payload_hash: String,
    without_token: bool,
}

impl Attempt {
    fn usual(request: &HttpRequest, proof: &Proof) -> Self {
        let s3 = is_s3_family(&proof.scope.service);
        let declared = request.header_text("x-amz-content-sha256").filter(|_| s3);
        let payload_hash = match declared.or(proof.query_payload_hash.as_deref().filter(|_| s3)) {
            Some(declared) => declared.to_owned(),
            None if s3 && proof.place == Place::Query => UNSIGNED_PAYLOAD.to_owned(),
            None => HEXLOWER.encode(&Sha256::digest(&request.body)),
        };
        let path = if s3 { PathRule::AsSent } else { PathRule::Normalise };
        Self { path, payload_hash, without_token: false }
    }

    fn texts(&self, request: &HttpRequest, proof: &Proof) -> Option<(Vec<u8>, String)> {
        let form = Form {
            path: self.path,
            signed_headers: &proof.signed_headers,
            payload_hash: &self.payload_hash,
            without_token: self.without_token,
        };
        let canonical = canonical_request(request, form).ok()?;
        let to_sign = string_to_sign(proof.algorithm, &proof.time_text, &proof.scope, &canonical);
        Some((canonical, to_sign))
    }
}

/// Each usual mistake alone; the first that reproduces the given signature is named.
fn find_mistake(
    request: &HttpRequest,
    proof: &Proof,
    usual: &Attempt,
    key: &VerifyingKey,
    secret: &Secret,
) -> Option<String> {
    let reproduces = |key: &VerifyingKey, request: &HttpRequest, attempt: &Attempt| {
        let texts = attempt.texts(request, proof);
        texts.is_some_and(|(_, to_sign)| key.holds(&to_sign, &proof.signature))
    };

    let other_path = match usual.path {
        PathRule::Normalise => {
            (PathRule::AsSent, "the path was encoded once; this service's is encoded twice")
        }
        PathRule::AsSent => (PathRule::Normalise, "the path was normalised and encoded twice; S3's is not"),
    };
    let empty = HEXLOWER.encode(&Sha256::digest(b""));
    let body = HEXLOWER.encode(&Sha256::digest(&request.body));
    let attempts = [
        (
            Attempt { without_token: true, ..usual.clone() },
            "the session token was added after signing (accepted)",
        ),
        (Attempt { path: other_path.0, ..usual.clone() }, other_path.1),
        (
            Attempt { payload_hash: UNSIGNED_PAYLOAD.to_owned(), ..usual.clone() },
            "the payload was signed as UNSIGNED-PAYLOAD",
        ),
        (
            Attempt { payload_hash: empty, ..usual.clone() },
            "the payload was signed as empty, and the request has a body",
        ),
        (
            Attempt { payload_hash: body, ..usual.clone() },
            "the payload hash signed is the body's, not the one declared",
        ),
    ];
    let found = attempts.iter().find(|(attempt, _)| reproduces(key, request, attempt));
    if let Some((_, mistake)) = found {
        return Some((*mistake).to_owned());
    }

    let trimmed = Secret::new(secret.expose().trim_ascii());
    if reproduces(&VerifyingKey::derive(&trimmed, proof), request, usual) {
        return Some("the secret given here has blanks around it".to_owned());
    }
    changed_requests(request).into_iter().find(|(changed, _)| reproduces(key, changed, usual)).map(|(_, m)| m)
}

/// The request as it may have looked to the client before something on the road changed it.
fn changed_requests(request: &HttpRequest) -> Vec<(HttpRequest, String)> {
    let mut changes = Vec::new();
    if let Some(host) = request.header_text("host") {
        let bare = host.rsplit_once(':').map(|(name, _)| name.to_owned());
        let others = [bare, Some(format!("{host}:443")), Some(format!("{host}:80"))];
        for other in others.into_iter().flatten() {
            let mut changed = request.clone();
            changed.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("host"));
            changed.headers.push(("host".to_owned(), other.as_bytes().to_vec()));
            changes.push((changed, format!("the host was signed as `{other}`, the request says `{host}`")));
        }
    }
    for method in ["GET", "POST", "PUT", "HEAD"] {
        if method != request.method {
            let changed = HttpRequest { method: method.to_owned(), ..request.clone() };
            changes.push((changed, format!("the method was signed as {method}")));
        }
    }
    if !request.query.is_empty() {
        let plain = HttpRequest { query: request.query.replace('+', "%2B"), ..request.clone() };
        changes.push((plain, "a `+` in the query was signed as a plus sign, not as a space".to_owned()));
    }
    changes
}
