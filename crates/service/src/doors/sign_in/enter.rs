//! The session of the user itself: twelve hours, no session policies. Root's lasts an hour, as its sessions of GetSessionToken do.

use daypass_authn::browser::BrowserSecret;
use daypass_authn::token::{SessionClaims, SessionKind};
use daypass_directory::record::LoginProfileRecord;
use daypass_directory::{Operation, key};
use daypass_model::limits::ROOT_SESSION_SECONDS_MAX;
use daypass_model::{AccountId, UniqueId};

use super::browser::device_name;
use super::progress::Proven;
use super::{Browser, path_of};
use crate::audit::Event;
use crate::doors::answer::Answer;
use crate::doors::begin::{Beginning, Profile, begin};
use crate::doors::session_path;
use crate::error::Error;
use crate::house::House;
use crate::lineage::{Lineage, lineage};

/// How long it lasts (IAM User Guide: "an IAM user's console session expires after 12 hours").
const SESSION_SECONDS: i64 = 12 * 3600;
/// Browsers of a user that have tries of their own: the latest.
const BROWSERS_MAX: usize = 10;

/// Begin the session. `new_password` is the record with another password, where one was chosen on the way.
pub(super) async fn enter(
    house: &House,
    op: &Operation,
    browser: &Browser,
    proven: Proven,
    event: &mut Event<'_>,
    new_password: Option<LoginProfileRecord>,
) -> Result<Answer, Error> {
    let user = proven.user.as_ref().map(|(user, _)| (&user.record.id, user.arn.as_str()));
    let mfa_at = proven.mfa.as_ref().map(|mfa| mfa.at);
    let claims = claims(house, op, proven.account(), user, mfa_at)?;
    let to = proven.back.clone().unwrap_or_else(|| session_path(claims.session_id));
    event.tells("LoginTo", to.split('?').next().unwrap_or_default());
    if let Some(mfa) = &proven.mfa {
        event.tells("MFAIdentifier", mfa.device.as_str());
    }
    let secret = BrowserSecret::generate(house.directory.random());
    let device = BrowserSecret::generate(house.directory.random());
    let profile = profile(op, browser, &device, &proven, new_password);
    let device = proven.user.as_ref().map(|(user, _)| (device_name(&user.record.id), device));
    let beginning = Beginning {
        claims,
        asked_by: None,
        issuer: proven.user.as_ref().map(|_| path_of(proven.account().as_str())),
        destination: None,
        profile,
    };
    match begin(house, op, house.directory.snapshot(), event, beginning).await? {
        Answer::Entered { id, secret: of_session, .. } => Ok(Answer::Entered {
            id,
            secret: of_session,
            browser: Some(secret),
            device: device.map(Box::new),
            back: proven.back,
        }),
        other => Ok(other),
    }
}

/// The record of the user's password with this sign-in. Root has none.
fn profile(
    op: &Operation,
    browser: &Browser,
    device: &BrowserSecret,
    proven: &Proven,
    new_password: Option<LoginProfileRecord>,
) -> Option<Profile> {
    let (user, profile) = proven.user.as_ref()?;
    let is_new_password = new_password.is_some();
    let mut record = new_password.unwrap_or_else(|| profile.record.clone());
    record.last_used = Some(op.now.as_second());
    for known in [&mut record.browsers, &mut record.browsers_with_code] {
        known.retain(|hash| !browser.is_device(&user.record.id, hash));
    }
    record.browsers.push(device.hash());
    let too_many = record.browsers.len().saturating_sub(BROWSERS_MAX);
    record.browsers.drain(..too_many);
    if proven.mfa.is_some() {
        record.browsers_with_code.push(device.hash());
    }
    record.browsers_with_code.retain(|hash| record.browsers.contains(hash));
    let place = key::login_profile(proven.account(), &user.record.id);
    Some(Profile { place, revision: profile.revision, record, is_new_password })
}

/// What a session says that begins now: of the user with this id and ARN, or of root.
pub(super) fn claims(
    house: &House,
    op: &Operation,
    account: AccountId,
    user: Option<(&UniqueId, &str)>,
    mfa_at: Option<i64>,
) -> Result<SessionClaims, Error> {
    let Lineage { id: session_id, ancestry, ends } = lineage(op, house, account, None)?;
    let issued_at = op.now.as_second();
    let (kind, principal_id, principal_arn, seconds) = match user {
        Some((id, arn)) => (SessionKind::User, id.to_string(), arn.to_owned(), SESSION_SECONDS),
        None => (SessionKind::Root, account.to_string(), account.root_arn(), ROOT_SESSION_SECONDS_MAX),
    };
    Ok(SessionClaims {
        session_id,
        ancestry,
        ancestry_ends: ends,
        kind,
        account,
        principal_id,
        principal_arn,
        session_name: String::new(),
        issued_at,
        expires_at: issued_at + seconds,
        layers: Vec::new(),
        tags: Vec::new(),
        transitive_tag_keys: Vec::new(),
        source_identity: None,
        mfa_authenticated_at: mfa_at,
        federation: Vec::new(),
        chained: false,
        scoped_layers: 0,
        first_key: None,
        console: None,
        principals_above: Vec::new(),
    })
}
