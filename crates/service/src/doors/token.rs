//! `/v1/token`: a program that has a code, or a refresh token, gets credentials for a quarter of an hour.
//!
//! Source: AWS Sign-In API Reference, CreateOAuth2Token; RFC 7636 (PKCE); RFC 9449 (DPoP). What it gives ends with the session
//! of the console that the code is of.

use daypass_authn::oidc::{Dpop, SigningAlgorithm, challenge_of};
use daypass_authn::token::Purpose;
use daypass_directory::{Operation, Scope};
use daypass_model::{Secret, SessionId};
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Tokens};
use super::authorize::{Code, allowed, check_address, is_client, is_elsewhere, own_urls, password_of};
use super::begin::{CREDENTIALS_SECONDS, Given, give};
use super::sealed;
use crate::audit::Event;
use crate::error::Error;
use crate::house::House;
use crate::params::echo_name;
use crate::request::{Request, hidden_if_any};

pub(super) const PATH: &str = "/v1/token";
const ACTION: &str = "signin:CreateOAuth2Token";
/// For how long a code is good, in seconds.
const CODE_SECONDS: i64 = 300;

/// The body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    client_id: String,
    grant_type: String,
    #[serde(default, deserialize_with = "hidden_if_any")]
    code: Option<Secret>,
    redirect_uri: Option<String>,
    #[serde(default, deserialize_with = "hidden_if_any")]
    code_verifier: Option<Secret>,
    #[serde(default, deserialize_with = "hidden_if_any")]
    refresh_token: Option<Secret>,
}

/// What a refresh token says, sealed: good with the key of this thumbprint alone.
#[derive(Serialize, Deserialize)]
struct Refresh {
    session: SessionId,
    thumbprint: String,
    client_id: String,
    /// By which the password of a user who is signed in is known again.
    password: Option<String>,
}

/// Why there are no credentials, in the words of the API.
fn denied(code: &'static str, message: &str) -> Error {
    Error::new(code, message)
}

fn not_in_order(message: &str) -> Error {
    Error::new("INVALID_REQUEST", message)
}

/// New credentials.
pub(super) async fn tokens(
    house: &House,
    op: &Operation,
    request: &Request,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    if request.http.method != "POST" {
        return Err(not_in_order("CreateOAuth2Token is a POST."));
    }
    no_query(request)?;
    check_address(house, request).map_err(|error| not_in_order(&error.message))?;
    let body: Body = serde_json::from_slice(&request.http.body)
        .map_err(|_| not_in_order("The body is no JSON object of CreateOAuth2Token."))?;
    if !is_client(&body.client_id) {
        return Err(not_in_order("The clientId is not one of a program that signs in here."));
    }
    let proof = request.header("dpop").unwrap_or_default();
    let proof = Dpop::verify(proof, &own_urls(house, request, PATH), op.now.as_second());
    let proof = proof.map_err(|_| not_in_order("The header DPoP proves no key for this request."))?;
    let ((session, password), is_first) = match body.grant_type.as_str() {
        "authorization_code" => {
            let Code { s, p, .. } = by_code(house, op, &body).await?;
            ((s, p), true)
        }
        "refresh_token" => {
            let refresh = by_refresh_token(house, op, &body, &proof, event)?;
            ((refresh.session, refresh.password), false)
        }
        _ => return Err(not_in_order("The grantType must be authorization_code or refresh_token.")),
    };
    if !house
        .directory
        .spend_proof(op, &proof.thumbprint, &proof.id, op.now.as_second() + Dpop::SECONDS)
        .await?
    {
        return Err(not_in_order("The proof in the header DPoP was used before."));
    }
    let scope = alive(house, op, session)?;
    event.principal(scope.principal());
    event.tells("clientId", body.client_id.as_str());
    let allowed = allowed(house, op, &scope, ACTION, &body.client_id);
    allowed.map_err(|error| {
        event.why(&error.message);
        denied("INSUFFICIENT_PERMISSIONS", "The session may not let programs in.")
    })?;
    if password != password_of(&scope) {
        return Err(denied(
            "USER_CREDENTIALS_CHANGED",
            "The user has another password since. Sign in again.",
        ));
    }
    event.reserve()?;
    let client_id = body.client_id.clone();
    let refresh = Refresh { session, thumbprint: proof.thumbprint, client_id, password };
    let mut tokens = given(house, op, &scope, &refresh, event)?;
    if is_first {
        tokens.id_token = Some(id_token(house, op, &scope, &body.client_id).await?);
    }
    Ok(Answer::Tokens(Box::new(tokens)))
}

/// A parameter that is not known could be what asks for something else.
fn no_query(request: &Request) -> Result<(), Error> {
    let name = request.http.query.split(['&', '=']).next().filter(|name| !name.is_empty());
    match name {
        Some(name) => {
            Err(not_in_order(&format!("The parameter {} of the address is not known.", echo_name(name))))
        }
        None => Ok(()),
    }
}

/// Credentials of the session for a quarter of an hour, and the refresh token for the next ones.
fn given(
    house: &House,
    op: &Operation,
    scope: &Scope,
    refresh: &Refresh,
    event: &mut Event<'_>,
) -> Result<Tokens, Error> {
    let claims = scope.principal().session.as_deref().map(|session| &session.claims);
    let claims = claims.ok_or_else(|| Error::internal("a session of the console is none"))?;
    let Given { access_key_id, sealed: credentials, expires_at } =
        give(house, op, scope.view(), claims, event)?;
    Ok(Tokens {
        access_key_id: access_key_id.to_string(),
        secret_access_key: credentials.secret_access_key,
        session_token: Secret::new(credentials.token),
        expires_in: expires_at - op.now.as_second(),
        refresh_token: sealed::seal(house, scope.view(), Purpose::RefreshToken, b"", refresh)?,
        id_token: None,
    })
}

/// A code, which counts once and with the verifier of its challenge.
async fn by_code(house: &House, op: &Operation, body: &Body) -> Result<Code, Error> {
    let over = || {
        denied(
            "AUTHCODE_EXPIRED",
            "The code is not valid: it was used, its time is over, or it is not whole.",
        )
    };
    let text =
        body.code.as_ref().map(Secret::expose_str).ok_or_else(|| not_in_order("The request has no code."))?;
    let view = house.directory.snapshot();
    let code: Option<Code> = sealed::open(&view, Purpose::AuthorizationCode, b"", text);
    let code = code.ok_or_else(over)?;
    let redirect_uri = body.redirect_uri.as_deref().unwrap_or_default();
    if code.x != is_elsewhere(&body.client_id) || code.r != challenge_of(redirect_uri) {
        return Err(over());
    }
    let verifier = body
        .code_verifier
        .as_ref()
        .map(Secret::expose_str)
        .filter(|verifier| (43..=128).contains(&verifier.len()));
    let verifier =
        verifier.ok_or_else(|| not_in_order("The request has no codeVerifier of 43 to 128 characters."))?;
    if challenge_of(verifier) != code.c {
        return Err(over());
    }
    let until = code.t + CODE_SECONDS;
    let is_now = sealed::is_now(code.t, CODE_SECONDS, op.now.as_second());
    // Only who has the verifier uses it up.
    if !is_now || !house.directory.spend_authorization_code(op, code.s, code.n, until).await? {
        return Err(over());
    }
    Ok(code)
}

/// A refresh token, which is good with the key that it was given to. One with another key was stolen, or its key
/// was: the event says whose it is.
fn by_refresh_token(
    house: &House,
    op: &Operation,
    body: &Body,
    proof: &Dpop,
    event: &mut Event<'_>,
) -> Result<Refresh, Error> {
    let text = body.refresh_token.as_ref().map(Secret::expose_str);
    let text = text.ok_or_else(|| not_in_order("The request has no refreshToken."))?;
    let view = house.directory.snapshot();
    let refresh: Option<Refresh> = sealed::open(&view, Purpose::RefreshToken, b"", text);
    let refresh = refresh.ok_or_else(ended)?;
    if refresh.thumbprint != proof.thumbprint || refresh.client_id != body.client_id {
        let scope = alive(house, op, refresh.session)?;
        event.principal(scope.principal());
        event.tells("sessionId", refresh.session.to_string());
        event.why(
            "The refresh token was given to another program, or with another key than that of the proof.",
        );
        return Err(ended());
    }
    Ok(refresh)
}

fn ended() -> Error {
    denied("TOKEN_EXPIRED", "The session has ended. Sign in again.")
}

/// Who the session is today, if it lives.
fn alive(house: &House, op: &Operation, id: SessionId) -> Result<Scope, Error> {
    let view = house.directory.snapshot();
    let kept = view.console_session(id).ok_or_else(ended)?.clone();
    let (key, token) = (kept.record.access_key_id.as_str(), Some(kept.record.token.as_str()));
    let credential = house.directory.credential(&view, key, token).map_err(|_| ended())?;
    Scope::resolve(view, credential.caller, op.now).map_err(|_| ended())
}

/// What an ID token says: programs read the principal's ARN from it.
#[derive(Serialize)]
struct IdToken<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
}

async fn id_token(house: &House, op: &Operation, scope: &Scope, client_id: &str) -> Result<Secret, Error> {
    house.directory.make_web_identity_keys(&op.request_id).await?;
    let view = house.directory.snapshot();
    let keys = view.web_identity_keys().ok_or_else(|| Error::internal("there are no keys to sign with"))?;
    let now = op.now.as_second();
    // No issuer of web identity tokens: nobody else is to take this one for one of those.
    let base = house.settings.issuer_base.as_deref().unwrap_or("daypass");
    let claims = IdToken {
        iss: &format!("{base}/signin"),
        aud: client_id,
        sub: &scope.principal().arn,
        iat: now,
        exp: now + CREDENTIALS_SECONDS,
    };
    let claims = serde_json::to_vec(&claims).map_err(|_| Error::internal("claims are no JSON"))?;
    keys.token(SigningAlgorithm::Es384, &claims).map_err(|_| Error::internal("a token was not signed"))
}
