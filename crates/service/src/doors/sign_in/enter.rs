//! The session of the user itself: twelve hours, no session policies.

use daypass_authn::browser::BrowserSecret;
use daypass_authn::token::{SessionClaims, SessionKind};
use daypass_directory::record::LoginProfileRecord;
use daypass_directory::{Operation, key};
use daypass_model::{AccountId, UniqueId};

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
pub(super) const SESSION_SECONDS: i64 = 12 * 3600;
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
    let user = (&proven.user.record.id, proven.user.arn.as_str());
    let mfa_at = proven.mfa.as_ref().map(|mfa| mfa.at);
    let claims = claims(house, op, proven.account(), user, mfa_at)?;
    let to = proven.back.clone().unwrap_or_else(|| session_path(claims.session_id));
    event.tells("LoginTo", to.split('?').next().unwrap_or_default());
    if let Some(mfa) = &proven.mfa {
        event.tells("MFAIdentifier", mfa.device.as_str());
    }
    let secret = BrowserSecret::generate(house.directory.random());
    let is_new_password = new_password.is_some();
    let mut record = new_password.unwrap_or_else(|| proven.profile.record.clone());
    record.last_used = Some(op.now.as_second());
    record.browsers.retain(|hash| !browser.secret.has_hash(hash));
    record.browsers.push(secret.hash());
    let too_many = record.browsers.len().saturating_sub(BROWSERS_MAX);
    record.browsers.drain(..too_many);
    let profile = Profile {
        place: key::login_profile(proven.account(), &proven.user.record.id),
        revision: proven.profile.revision,
        record,
        is_new_password,
    };
    let beginning = Beginning {
        claims,
        asked_by: None,
        issuer: Some(path_of(proven.account().as_str())),
        destination: None,
        profile: Some(profile),
    };
    match begin(house, op, house.directory.snapshot(), event, beginning).await? {
        Answer::Entered { id, secret: of_session, .. } => {
            Ok(Answer::Entered { id, secret: of_session, browser: Some(secret), back: proven.back })
        }
        other => Ok(other),
    }
}

/// What a session of this user says that begins now: of its id and its ARN.
pub(super) fn claims(
    house: &House,
    op: &Operation,
    account: AccountId,
    (id, arn): (&UniqueId, &str),
    mfa_at: Option<i64>,
) -> Result<SessionClaims, Error> {
    let Lineage { id: session_id, ancestry, ends } = lineage(op, house, account, None)?;
    let issued_at = op.now.as_second();
    Ok(SessionClaims {
        session_id,
        ancestry,
        ancestry_ends: ends,
        kind: SessionKind::User,
        account,
        principal_id: id.to_string(),
        principal_arn: arn.to_owned(),
        session_name: String::new(),
        issued_at,
        expires_at: issued_at + SESSION_SECONDS,
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
    })
}
