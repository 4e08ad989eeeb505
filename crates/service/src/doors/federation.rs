//! `/federation`: from temporary credentials to a link that opens the console.
//!
//! Source: "Enable custom identity broker access to the AWS console" in the IAM User Guide. Step one makes a sign-in token
//! of an access key, its secret and its session token; step two, within fifteen minutes, a session of the console.

use daypass_authn::token::{Purpose, SessionClaims, SessionKind};
use daypass_directory::{Descent, Operation, Principal, Scope, Session, View};
use daypass_model::{AccessKeyId, Secret, SessionId};
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::begin::{Beginning, begin, seal};
use super::form::known;
use super::{Act, Wish, destination, sealed};
use crate::audit::Event;
use crate::error::Error;
use crate::house::House;
use crate::lineage::descendant;
use crate::request::{Request, hidden};

/// For how long a sign-in token is good, in seconds.
const TOKEN_SECONDS: i64 = 900;
/// `SessionDuration`, in seconds.
const SESSION_SECONDS: std::ops::RangeInclusive<i64> = 900..=43_200;

/// What the form asks. AWS's documents spell the first action in two ways.
pub(super) fn wish(request: &Request) -> Result<Wish, Error> {
    let form = request.params.as_ref().map_err(Clone::clone)?;
    match form.text("Action").unwrap_or_default().to_ascii_lowercase().as_str() {
        "getsignintoken" => Ok(Wish::Act(Act::SigninToken)),
        "login" => Ok(Wish::Act(Act::Login)),
        _ => Err(Error::validation("The Action must be getSigninToken or login.")),
    }
}

/// `Session`: temporary credentials.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Credentials {
    session_id: String,
    #[serde(deserialize_with = "hidden")]
    session_key: Secret,
    #[serde(deserialize_with = "hidden")]
    session_token: Secret,
}

/// What a sign-in token says, sealed: a session that may begin. Its token is no credential, since nobody was given the
/// secret that goes with it.
#[derive(Serialize, Deserialize)]
struct Ticket {
    access_key_id: AccessKeyId,
    token: String,
    /// With which it was asked for.
    asked_with: AccessKeyId,
    /// When, in Unix seconds.
    asked_at: i64,
}

/// `Action=getSigninToken`
pub(super) fn signin_token(
    house: &House,
    op: &Operation,
    request: &Request,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let form = known(request, &["Action", "Session", "SessionType", "SessionDuration"])?;
    if form.text("SessionType").is_some_and(|kind| !kind.eq_ignore_ascii_case("json")) {
        return Err(Error::validation("The SessionType must be json."));
    }
    let scope = proven(house, op, form.text("Session"))?;
    let who = scope.principal();
    event.principal(who);
    let session = who.session.as_deref().ok_or_else(only_temporary)?;
    let expires_at = end(op, &session.claims, form.text("SessionDuration"))?;
    event.reserve()?;
    // The session of the console that the credentials are of stays theirs, too, until this one has begun.
    let claims = descendant(op, house, session, expires_at)?;
    let asked_with = who.access_key_id.clone().ok_or_else(only_temporary)?;
    Ok(Answer::SigninToken(ticket(house, op, scope.view(), &claims, asked_with)?))
}

/// Who the credentials are of, if they belong together.
fn proven(house: &House, op: &Operation, session: Option<&str>) -> Result<Scope, Error> {
    let session = session.ok_or_else(|| Error::validation("The request has no Session."))?;
    let malformed =
        |_| Error::validation("The Session is no JSON object with sessionId, sessionKey and sessionToken.");
    let Credentials { session_id, session_key, session_token } =
        serde_json::from_str(session).map_err(malformed)?;
    let view = house.directory.snapshot();
    let token = Some(session_token.expose_str()).filter(|token| !token.is_empty());
    let credential = house.directory.credential(&view, &session_id, token)?;
    if credential.secret != session_key {
        return Err(Error::invalid_client_token());
    }
    Ok(Scope::resolve(view, credential.caller, op.now)?)
}

/// When the console session ends: a longer one than the credentials only where these came from long-term keys or an
/// identity provider, by AssumeRole or one of its relatives.
fn end(op: &Operation, claims: &SessionClaims, seconds: Option<&str>) -> Result<i64, Error> {
    match claims.kind {
        SessionKind::User | SessionKind::Root => return Err(only_temporary()),
        SessionKind::Role | SessionKind::Federated | SessionKind::FederatedByRoot => {}
    }
    let Some(seconds) = seconds else { return Ok(claims.expires_at) };
    let of_role = claims.kind == SessionKind::Role;
    // Credentials of the console would else prolong themselves without end, and narrowed ones the time they were given.
    if !of_role || claims.chained || claims.console.is_some() || claims.scoped_layers > 0 {
        return Err(Error::validation(
            "SessionDuration is for credentials of AssumeRole that were asked for with long-term keys, or by an identity provider.",
        ));
    }
    let number = seconds.parse().ok().filter(|number: &i64| number.to_string() == seconds);
    let seconds = number.filter(|seconds| SESSION_SECONDS.contains(seconds));
    let seconds =
        seconds.ok_or_else(|| Error::validation("The SessionDuration must be from 900 to 43200 seconds."))?;
    Ok(op.now.as_second() + seconds)
}

fn only_temporary() -> Error {
    Error::validation(
        "The Session must be temporary credentials of AssumeRole, one of its relatives, or GetFederationToken.",
    )
}

fn ticket(
    house: &House,
    op: &Operation,
    view: &View,
    claims: &SessionClaims,
    asked_with: AccessKeyId,
) -> Result<Secret, Error> {
    let (access_key_id, token) = seal(house, view, claims)?;
    let ticket = Ticket { access_key_id, token: token.token, asked_with, asked_at: op.now.as_second() };
    sealed::seal(house, view, Purpose::SignInToken, b"", &ticket)
}

/// `Action=login`
pub(super) async fn login(
    house: &House,
    op: &Operation,
    request: &Request,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let form = known(request, &["Action", "SigninToken", "SignInToken", "Destination", "Issuer"])?;
    // The guide of 2012 spells it in two ways.
    let token = match (form.text("SigninToken"), form.text("SignInToken")) {
        (Some(token), None) | (None, Some(token)) => token,
        (None, None) => return Err(no_good_token()),
        (Some(_), Some(_)) => return Err(Error::validation("The request has two sign-in tokens.")),
    };
    let view = house.directory.snapshot();
    let ticket: Option<Ticket> = sealed::open(&view, Purpose::SignInToken, b"", token);
    let ticket = ticket.ok_or_else(no_good_token)?;
    let credential = house.directory.credential(&view, ticket.access_key_id.as_str(), Some(&ticket.token));
    let caller = credential.map_err(|_| no_good_token())?.caller;
    let scope = Scope::resolve(view.clone(), caller, op.now).map_err(|_| no_good_token())?;
    let asked_by =
        Principal { access_key_id: Some(ticket.asked_with), ..Principal::clone(scope.principal()) };
    let session = scope.principal().session.clone().ok_or_else(no_good_token)?;
    let until = ticket.asked_at + TOKEN_SECONDS;
    let is_now = sealed::is_now(ticket.asked_at, TOKEN_SECONDS, op.now.as_second());
    if !is_now || is_asker_revoked(scope.view(), &session) {
        return Err(no_good_token());
    }
    event.principal(scope.principal());
    let destination =
        form.text("Destination").map(|text| destination::read(house, request, text)).transpose()?;
    let issuer = form.text("Issuer").map(destination::issuer).transpose()?;
    event.tells(
        "LoginTo",
        destination.clone().flatten().unwrap_or_else(|| super::session_path(session.claims.session_id)),
    );
    event.reserve()?;
    let first = house.directory.spend_sign_in_token(op, session.claims.session_id, until).await?;
    if !first && !house.settings.sign_in.links_again {
        return Err(no_good_token());
    }
    let claims = match first {
        true => session.claims.clone(),
        // One link that is used twice gives two sessions, each of which ends by itself.
        false => SessionClaims {
            session_id: SessionId::generate(session.claims.account, house.directory.random()),
            ..session.claims.clone()
        },
    };
    let beginning = Beginning {
        claims,
        asked_by: Some(&asked_by),
        issuer: issuer.filter(|issuer| !issuer.is_empty()),
        destination: destination.flatten(),
        profile: None,
    };
    begin(house, op, view, event, beginning).await
}

/// Whether the credentials that it was asked for with were ended meanwhile, which ends what comes of them only where that was
/// said.
fn is_asker_revoked(view: &View, session: &Session) -> bool {
    let claims = &session.claims;
    let asked_with = claims.ancestry.split_last().map(|(id, above)| Descent {
        id: *id,
        ancestry: above,
        ..Descent::from(claims)
    });
    asked_with.is_some_and(|parent| view.is_revoked(parent))
}

/// One sentence for whatever is wrong with a token: whoever found one learns nothing by it.
fn no_good_token() -> Error {
    Error::new(
        "InvalidSigninToken",
        "The sign-in link is not valid: it was used, its fifteen minutes are over, or it is not whole.",
    )
}
