//! The beginning of a console session, for every door that leads to one, and the credentials that it gives.

use std::sync::Arc;

use daypass_authn::browser::BrowserSecret;
use daypass_authn::token::{Sealed, SessionClaims};
use daypass_directory::record::{ConsoleSessionRecord, LoginProfileRecord, Unknown};
use daypass_directory::{Checks, Operation, Principal, Scope, View, authorize};
use daypass_model::{AccessKeyId, AccessKeyKind};
use daypass_store::Revision;

use super::answer::Answer;
use crate::actions::iam::password_policy_stands;
use crate::audit::Event;
use crate::error::Error;
use crate::house::House;
use crate::pipeline::Tries;
use crate::sessions::SessionEntry;

/// What a door knows of the session that it begins.
#[derive(Clone)]
pub(super) struct Beginning<'a> {
    /// Who the session is; `console` is set here.
    pub(super) claims: SessionClaims,
    /// Who asked for it, for those who look through the sessions; else it is the session itself.
    pub(super) asked_by: Option<&'a Principal>,
    /// Where its holder signs in again.
    pub(super) issuer: Option<String>,
    /// Where the way was to lead, if elsewhere.
    pub(super) destination: Option<String>,
    /// What is kept of the password that it was had by.
    pub(super) profile: Option<Profile>,
}

/// The record of a password that somebody signs in with, as it is to be.
#[derive(Clone)]
pub(super) struct Profile {
    pub(super) place: String,
    /// The revision of the one that was proven, which must stand.
    pub(super) revision: Revision,
    pub(super) record: LoginProfileRecord,
    /// Whether the password is another.
    pub(super) is_new_password: bool,
}

/// The same where what came before cannot be done once more: as often as commits are in each other's way.
pub(super) async fn begin_surely(
    house: &House,
    op: &Operation,
    view: Arc<View>,
    event: &mut Event<'_>,
    beginning: Beginning<'_>,
) -> Result<Answer, Error> {
    let mut tries = Tries::default();
    let mut begun = begin(house, op, view, event, beginning.clone()).await;
    while tries.again(house, event, begun.as_ref().err()).await {
        begun = begin(house, op, house.directory.snapshot(), event, beginning.clone()).await;
    }
    begun
}

/// Write the session down, if its principal is one in this view.
pub(super) async fn begin(
    house: &House,
    op: &Operation,
    view: Arc<View>,
    event: &mut Event<'_>,
    beginning: Beginning<'_>,
) -> Result<Answer, Error> {
    let Beginning { claims, asked_by, issuer, destination, profile } = beginning;
    let scope = scope_of(house, op, view, &claims)?;
    event.principal(scope.principal());
    event.reserve()?;
    let claims = SessionClaims { console: Some(claims.session_id), ..claims };
    let (access_key_id, sealed) = seal(house, scope.view(), &claims)?;
    let secret = BrowserSecret::generate(house.directory.random());
    // Whoever may be somebody may be them in the console, too.
    let call = authorize(op, &scope, &Checks::nothing_can_deny(), ())?;
    let mut change = call.change(op);
    let record = ConsoleSessionRecord {
        written: change.written(),
        secret_hash: secret.hash(),
        access_key_id: access_key_id.clone(),
        token: sealed.token,
        owner: owner(&claims),
        begun: op.now.as_second(),
        expires: claims.expires_at,
        issuer,
        destination,
        unknown: Unknown::new(),
    };
    call.account().begin_console_session(&mut change, claims.session_id, &record);
    if let Some(Profile { place, revision, record, is_new_password }) = profile {
        let record = LoginProfileRecord { written: change.written(), ..record };
        change.unchanged(place.clone(), revision);
        change.put(place, &record);
        if is_new_password {
            password_policy_stands(&mut change, &call.account());
        }
    }
    house.directory.commit(change).await?;
    let asked_by = asked_by.unwrap_or(scope.principal());
    house.session_log.keep(SessionEntry::of(op, asked_by, &claims, &access_key_id, Some("Console")));
    Ok(Answer::Entered { id: claims.session_id, secret, browser: None, device: None, back: None })
}

/// Whose sessions make room for one another: those of one session name of one principal. Whoever may choose the name of
/// another's session has another key, where there are keys.
fn owner(claims: &SessionClaims) -> String {
    let key = claims.first_key.as_ref().map_or("", AccessKeyId::as_str);
    format!("{}:{}:{key}", claims.principal_id, claims.session_name)
}

/// Who the session is today, as its token would say it at any door.
pub(super) fn scope_of(
    house: &House,
    op: &Operation,
    view: Arc<View>,
    claims: &SessionClaims,
) -> Result<Scope, Error> {
    let (access_key_id, sealed) = seal(house, &view, claims)?;
    let credential = house.directory.credential(&view, access_key_id.as_str(), Some(&sealed.token))?;
    Ok(Scope::resolve(view, credential.caller, op.now)?)
}

/// A token of these claims. The secret that goes with it is for nobody.
pub(super) fn seal(
    house: &House,
    view: &View,
    claims: &SessionClaims,
) -> Result<(AccessKeyId, Sealed), Error> {
    let random = house.directory.random();
    let access_key_id = AccessKeyId::generate(AccessKeyKind::Temporary, claims.account, random);
    let sealed = view.keyring().seal(claims, &access_key_id, 0, random)?;
    Ok((access_key_id, sealed))
}

/// For how long credentials of a session of the console are good, in seconds.
pub(super) const CREDENTIALS_SECONDS: i64 = 900;

/// Credentials of a session of the console.
pub(super) struct Given {
    pub(super) access_key_id: AccessKeyId,
    pub(super) sealed: Sealed,
    /// Unix seconds.
    pub(super) expires_at: i64,
}

/// Credentials of a session for a quarter of an hour, as far as it has that left. The time of issue stays: a revocation of the
/// sessions before a moment means these with it.
pub(super) fn give(
    house: &House,
    op: &Operation,
    view: &View,
    claims: &SessionClaims,
    event: &mut Event<'_>,
) -> Result<Given, Error> {
    let expires_at = claims.expires_at.min(op.now.as_second() + CREDENTIALS_SECONDS);
    let (access_key_id, sealed) = seal(house, view, &SessionClaims { expires_at, ..claims.clone() })?;
    event.tells("accessKeyId", access_key_id.as_str());
    event.tells("sessionId", claims.session_id.to_string());
    Ok(Given { access_key_id, sealed, expires_at })
}
