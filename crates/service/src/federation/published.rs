//! What everybody may read of the issuers of web identity tokens: which keys they sign with.
//!
//! Governing documents: OpenID Connect Discovery 1.0, section 4; RFC 7517.

use daypass_authn::oidc::SigningAlgorithm;
use serde::Serialize;

use crate::house::{House, WEB_IDENTITY_PATH};

/// Length of a UUID.
const UUID_LENGTH: usize = 36;
const DISCOVERY: &str = ".well-known/openid-configuration";
const KEY_SET: &str = ".well-known/jwks.json";

/// What is published under a path.
#[derive(Debug, PartialEq, Eq)]
pub enum Published {
    /// A document, as JSON.
    Document(String),
    /// It would be one, of an issuer that is nobody's.
    Nothing,
}

/// OpenID Connect Discovery 1.0, section 3. Nobody signs in here: what is needed to verify a token, and no more.
#[derive(Serialize)]
struct Discovery<'a> {
    issuer: &'a str,
    jwks_uri: String,
    response_types_supported: [&'static str; 1],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 2],
    claims_supported: [&'static str; 6],
}

/// The document of a path, `None` for a path that is no document's. It is told of every account that has an issuer,
/// whether it still issues tokens or not: those that it issued are to be verified.
#[must_use]
pub fn published(house: &House, path: &str) -> Option<Published> {
    let (uuid, name) = path.strip_prefix(WEB_IDENTITY_PATH)?.strip_prefix('/')?.split_once('/')?;
    let is_uuid =
        uuid.len() == UUID_LENGTH && uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if !is_uuid || ![DISCOVERY, KEY_SET].contains(&name) {
        return None;
    }
    Some(document(house, uuid, name).map_or(Published::Nothing, Published::Document))
}

fn document(house: &House, uuid: &str, name: &str) -> Option<String> {
    let view = house.directory.snapshot();
    let known = view.is_web_identity_issuer(uuid);
    let issuer = house.settings.web_identity_issuer(uuid).filter(|_| known)?;
    if name == KEY_SET {
        return Some(view.web_identity_keys()?.key_set().to_owned());
    }
    let document = Discovery {
        issuer: &issuer,
        jwks_uri: format!("{issuer}/{KEY_SET}"),
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: SigningAlgorithm::ALL.map(SigningAlgorithm::name),
        claims_supported: ["iss", "aud", "sub", "iat", "exp", "jti"],
    };
    serde_json::to_string(&document).ok()
}
