//! A token as a provider signs it: a JSON Web Token (RFC 7519) in compact form, checked in AWS's order.
//!
//! What a token says of itself gives it no power: of its header only the algorithm's name and the key's id are read.
//! Until it is verified nothing of it can be used but what finds its provider; afterwards it is another type.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::claims::Claims;
use super::json;
use super::key_set::KeySet;

/// By how much the provider's clock may differ from ours, in seconds.
pub const LEEWAY_SECONDS: i64 = 5 * 60;
/// Oldest token that is taken, in seconds.
pub const AGE_SECONDS_MAX: i64 = 24 * 60 * 60;
/// Longest token that is read, in bytes (AWS STS API Reference, `WebIdentityToken`).
pub const TOKEN_BYTES_MAX: usize = 20_000;

/// A token that is well formed. Nobody knows yet who wrote it.
#[derive(Debug)]
pub struct Token<'t> {
    /// `None`: one that nobody may use.
    algorithm: Option<Algorithm>,
    key_id: Option<String>,
    signed: &'t str,
    signature: Vec<u8>,
    claims: Claims,
}

/// What a provider's signature holds for, at a time when it does.
#[derive(Debug)]
pub struct VerifiedToken {
    claims: Claims,
    audience: String,
    key_id: Option<String>,
}

/// Why a token proves nothing. Displayed as AWS says it, where that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No JWT in compact form.
    #[error("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")]
    NotAToken,
    /// A claim is not there, or not of its type.
    #[error("Missing a required claim: {0}")]
    MissingClaim(&'static str),
    /// It is for somebody else.
    #[error("Incorrect token audience")]
    Audience,
    /// The provider has no key that could have signed it.
    #[error(
        "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"
    )]
    NoKey,
    /// An algorithm that is none, has a shared secret, or is not switched on for this provider.
    #[error("The ID Token is not signed with an algorithm that is allowed for its provider")]
    Algorithm,
    /// The signature is not the provider's.
    #[error("The signature of the ID Token does not verify")]
    Signature,
    /// Its time is over.
    #[error("Token expired: current date/time {now} must be before the expiration date/time {expires_at}")]
    Expired {
        /// Unix seconds.
        now: i64,
        /// Unix seconds.
        expires_at: i64,
    },
    /// It was issued too long ago.
    #[error("Token too old: {0}")]
    TooOld(i64),
    /// It was issued, or begins to hold, in the future.
    #[error("The ID Token is not valid yet")]
    TooEarly,
}

impl<'t> Token<'t> {
    /// Read a token.
    ///
    /// # Errors
    /// [`TokenError::NotAToken`], [`TokenError::MissingClaim`].
    pub fn read(text: &'t str) -> Result<Token<'t>, TokenError> {
        let token = (text.len() <= TOKEN_BYTES_MAX).then(|| Parts::split(text)).flatten();
        let Parts { signed, header, claims, signature } = token.ok_or(TokenError::NotAToken)?;
        // An extension that must be understood (RFC 7515, section 4.1.11): we know none.
        if header.contains_key("crit") {
            return Err(TokenError::NotAToken);
        }
        let name = header.get("alg").and_then(Value::as_str).ok_or(TokenError::NotAToken)?;
        let key_id = match header.get("kid") {
            None => None,
            Some(id) => Some(id.as_str().ok_or(TokenError::NotAToken)?.to_owned()),
        };
        let algorithm = Algorithm::parse(name);
        Ok(Token { algorithm, key_id, signed, signature, claims: Claims::read(claims)? })
    }

    /// Whom the token says it is from: good for looking up a provider by exactly this, and for nothing else.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.claims.issuer
    }

    /// The id of the key that it says it was signed with: good for looking it up.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Whether the token is for one of these clients.
    ///
    /// # Errors
    /// [`TokenError::Audience`].
    pub fn check_audience(&self, client_ids: &[String]) -> Result<(), TokenError> {
        let audience = self.claims.effective_audience().ok_or(TokenError::Audience)?;
        if client_ids.iter().any(|id| id == audience) { Ok(()) } else { Err(TokenError::Audience) }
    }

    /// Check algorithm, key, signature and time, in this order.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn verify(
        self,
        keys: &KeySet,
        is_allowed: impl FnOnce(Algorithm) -> bool,
        now: Timestamp,
    ) -> Result<VerifiedToken, TokenError> {
        let algorithm = self.algorithm.ok_or(TokenError::Algorithm)?;
        if !is_allowed(algorithm) {
            return Err(TokenError::Algorithm);
        }
        let key = keys.find(self.key_id()).ok_or(TokenError::NoKey)?;
        if !key.holds(algorithm, self.signed.as_bytes(), &self.signature) {
            return Err(TokenError::Signature);
        }
        self.claims.check_time(now.as_second())?;
        let audience = self.claims.effective_audience().ok_or(TokenError::Audience)?.to_owned();
        Ok(VerifiedToken { claims: self.claims, audience, key_id: self.key_id })
    }
}

impl VerifiedToken {
    /// What it says.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The id of the key that signed it, if it names one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Whom it is for: `azp`, where it has one, else its only `aud`.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }
}

/// `header.claims.signature`, each in base64url without padding (RFC 7515, section 7.1).
struct Parts<'t> {
    signed: &'t str,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signature: Vec<u8>,
}

impl<'t> Parts<'t> {
    fn split(text: &'t str) -> Option<Parts<'t>> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.').filter(|(_, claims)| !claims.contains('.'))?;
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).ok();
        Some(Parts {
            signed,
            header: json::object(&decode(header)?)?,
            claims: json::object(&decode(claims)?)?,
            signature: decode(signature)?,
        })
    }
}
