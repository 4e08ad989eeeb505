//! `/console/s/<session id>/switch-role`: from one role to another, as AWS's console does it.
//!
//! Source: IAM User Guide, "Switching to a role (console)": AssumeRole with the name of the user (or of the session) as session
//! name, for as long as the role allows and the user's session has left, without tags, source identity or external id.

use daypass_directory::{Operation, Scope, View};
use daypass_model::limits::CHAINED_SESSION_SECONDS_MAX;
use daypass_model::{AccountId, Arn, SessionId, cut};
use serde::Deserialize;

use super::answer::{Answer, RoleForm, Whose};
use super::ask::ask_aws;
use super::begin::{Beginning, begin_surely};
use super::console::{Visitor, sender, visitor};
use crate::audit::Event;
use crate::error::Error;
use crate::house::House;
use crate::lineage::descendant;
use crate::request::Request;

/// The shortest session that AssumeRole gives, in seconds.
const ROLE_SESSION_SECONDS_MIN: i64 = 900;
const SWITCH: &str = "switch-role";
/// How much of what was typed the audit tells, in bytes.
const ARN_LENGTH_TOLD: usize = 2048;
/// AWS's sentence, for whatever is wrong.
const NO: &str =
    "Invalid information in one or more fields. Check your information or contact your administrator.";

/// The form.
pub(super) async fn form(
    house: &House,
    op: &Operation,
    request: &Request,
    id: SessionId,
) -> Result<Answer, Error> {
    match visitor(house, op, request, id) {
        Ok(visitor) => Ok(asking(&visitor, None, None)),
        Err(answer) => Ok(answer),
    }
}

/// The change.
pub(super) async fn switch(
    house: &House,
    op: &Operation,
    request: &Request,
    id: SessionId,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let (visitor, form) = match sender(house, op, request, (id, SWITCH, &["account", "role"]), event) {
        Ok(sent) => sent,
        Err(early) => return early,
    };
    let text = |name| form.text(name).unwrap_or_default().trim();
    let arn = role_arn(visitor.scope.view(), text("account"), text("role"));
    event.tells("SwitchFrom", visitor.scope.principal().arn.as_str());
    event.tells("RedirectTo", cut(&arn, ARN_LENGTH_TOLD));
    // No room for this event yet: AssumeRole has its own, and may have to wait.
    let seconds = seconds(op, &visitor, &arn).to_string();
    let asked = [
        ("RoleArn", arn.as_str()),
        ("RoleSessionName", session_name(&visitor.scope)),
        ("DurationSeconds", seconds.as_str()),
    ];
    let answer = ask_aws::<AssumeRole>(house, op, request, &visitor, ("sts", "AssumeRole"), &asked).await;
    let given = match answer {
        Ok(answer) => answer.credentials,
        Err(error) if matches!(error.code, "AccessDenied" | "ValidationError") => {
            // What exactly is wrong, the event of the call says.
            let tried = (text("account").to_owned(), text("role").to_owned());
            return Ok(asking(&visitor, Some(tried), Some(NO.to_owned())));
        }
        Err(error) => return Err(error),
    };
    let view = house.directory.snapshot();
    let credential = house.directory.credential(&view, &given.access_key_id, Some(&given.session_token))?;
    let role = Scope::resolve(view.clone(), credential.caller, op.now)?;
    let session = role.principal().session.as_deref();
    let session = session.ok_or_else(|| Error::internal("a role was assumed, and is no session"))?;
    // AssumeRole gives a quarter of an hour at the least.
    let expires_at = session.claims.expires_at.min(visitor.session.claims.expires_at);
    let beginning = Beginning {
        claims: descendant(op, house, session, expires_at)?,
        asked_by: Some(role.principal()),
        issuer: visitor.kept.record.issuer.clone(),
        destination: None,
        profile: None,
    };
    // The role was assumed, once; only the page has to begin.
    begin_surely(house, op, view, event, beginning).await
}

/// What AssumeRole answers, as far as a page goes on with it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRole {
    credentials: Credentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    access_key_id: String,
    session_token: String,
}

fn asking(visitor: &Visitor, tried: Option<(String, String)>, problem: Option<String>) -> Answer {
    let who = visitor.scope.principal();
    Answer::AnotherRole(Box::new(RoleForm {
        whose: Whose { id: visitor.id, account: who.account, arn: who.arn.clone() },
        code: visitor.code(SWITCH),
        tried,
        problem,
    }))
}

/// A role by its name and its account's number or alias, or by its ARN.
fn role_arn(view: &View, account: &str, role: &str) -> String {
    if role.starts_with("arn:") {
        return role.to_owned();
    }
    let called_so = view.account_of_alias(&account.to_ascii_lowercase());
    let account = called_so.as_ref().map_or(account, AccountId::as_str);
    format!("arn:aws:iam::{account}:role/{role}")
}

/// For how long AssumeRole is asked: as long as the role allows and the visitor's session has left, which is one of a chain.
fn seconds(op: &Operation, visitor: &Visitor, role_arn: &str) -> i64 {
    let role = role_arn.parse::<Arn>().ok().and_then(|arn| visitor.scope.view().trusting_role(&arn));
    let of_role =
        role.map_or(CHAINED_SESSION_SECONDS_MAX, |trusting| trusting.role.record.session_duration_max);
    let left = visitor.session.claims.expires_at - op.now.as_second();
    of_role.min(CHAINED_SESSION_SECONDS_MAX).min(left).max(ROLE_SESSION_SECONDS_MIN)
}

/// The user's name, or that of the session of a role.
fn session_name(scope: &Scope) -> &str {
    let who = scope.principal();
    let session = who.session.as_deref().map_or("", |session| session.claims.session_name.as_str());
    who.user_name().unwrap_or(session)
}
