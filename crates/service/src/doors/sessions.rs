//! `/console/s/<session id>/sessions`: the account's sessions, one of them, and its end. The page of whoever is called at night.
//!
//! Each of these is a call of daypass's own API that the page makes for whoever is signed in: their policies decide, and the
//! audit has the call. There is nothing here that a command line could not ask.

use daypass_directory::Operation;
use daypass_model::SessionId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{
    Answer, End, Listed, ListedRequester, SessionList, SessionSearch, SessionShown, Step, Whose,
};
use super::ask::ask_daypass;
use super::console::{Visitor, visitor};
use crate::error::Error;
use crate::house::House;
use crate::params::Params;
use crate::request::Request;

/// What the forms are called, in their codes.
const REVOKE: &str = "revoke";
/// Sessions on a page.
const ON_PAGE: i64 = 50;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sessions {
    sessions: Vec<Listed>,
    marker: Option<String>,
    may_be_incomplete: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Chain {
    origin: Option<ListedRequester>,
    chain: Vec<Link>,
    issued: Vec<Listed>,
    is_truncated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Link {
    session_id: SessionId,
    account_id: Option<daypass_model::AccountId>,
    session: Option<Listed>,
}

/// The list.
pub(super) async fn list(
    house: &House,
    op: &Operation,
    request: &Request,
    id: SessionId,
) -> Result<Answer, Error> {
    let visitor = match visitor(house, op, request, id) {
        Ok(visitor) => visitor,
        Err(answer) => return Ok(answer),
    };
    let form = request.params.as_ref().map_err(Clone::clone)?;
    let text = |name| form.text(name).unwrap_or_default().trim().to_owned();
    let search = SessionSearch { by: text("by"), text: text("text"), ended: form.text("ended").is_some() };
    let member = match search.by.as_str() {
        "source" => "SourceIdentity",
        "arn" => "PrincipalArn",
        "key" => "AccessKeyId",
        _ => "NamePrefix",
    };
    let looked_for = Some(search.text.clone()).filter(|text| !text.is_empty());
    let marker = form.text("marker").map(str::to_owned);
    let more = [(member, looked_for), ("Marker", marker)];
    let more = more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
    let mut asked = json!({"IncludeEnded": search.ended, "MaxItems": ON_PAGE});
    if let Some(members) = asked.as_object_mut() {
        members.extend(more);
    }
    let found = ask_daypass(house, op, request, &visitor, "ListSessions", &asked).await;
    let (found, problem): (Sessions, _) = match found {
        Ok(found) => (found, None),
        // Something was typed that is none: the form stays where it is.
        Err(error) if error.code == "ValidationError" => (Sessions::default(), Some(error.message)),
        Err(error) => return Err(error),
    };
    Ok(Answer::Sessions(Box::new(SessionList {
        whose: whose(&visitor),
        search,
        problem,
        sessions: found.sessions,
        marker: found.marker,
        may_be_incomplete: found.may_be_incomplete,
        now: op.now.as_second(),
    })))
}

/// One session.
pub(super) async fn one(
    house: &House,
    op: &Operation,
    request: &Request,
    id: SessionId,
    session: SessionId,
) -> Result<Answer, Error> {
    let visitor = match visitor(house, op, request, id) {
        Ok(visitor) => visitor,
        Err(answer) => return Ok(answer),
    };
    let asked = json!({"SessionId": session.to_string()});
    let mut found: Chain = ask_daypass(house, op, request, &visitor, "GetSessionChain", &asked).await?;
    let shown = found.chain.pop().and_then(|link| link.session);
    let shown = shown.ok_or_else(|| Error::no_such_entity("This account has no such session."))?;
    let own = visitor.scope.account().id();
    let origin =
        found.origin.map(|asker| asker.arn.unwrap_or_else(|| format!("account {}", asker.account_id)));
    let form = request.params.as_ref().map_err(Clone::clone)?;
    // Only where we led here by it: an address may be anybody's.
    let of_principal = &shown.principal_arn;
    let told =
        |end: &End| form.text("told") == Some(visitor.code(&told(session, *end, of_principal)).as_str());
    let ended = form.text("ended").and_then(End::of_word).filter(told);
    let step = |who, expires, session| Step { who, expires, session };
    let origin = origin.map(|who| step(who, None, None));
    let links = found.chain.into_iter().map(|link| match (link.session, link.account_id) {
        (Some(session), _) => step(session.arn, Some(session.expires), Some(link.session_id)),
        (None, Some(account)) if account != own => {
            step(format!("a session in account {account}"), None, None)
        }
        (None, _) => step(format!("session {}", link.session_id), None, None),
    });
    Ok(Answer::OneSession(Box::new(SessionShown {
        whose: whose(&visitor),
        session: shown,
        chain: origin.into_iter().chain(links).collect(),
        issued: found.issued,
        is_truncated: found.is_truncated,
        ended,
        code: visitor.code(REVOKE),
        now: op.now.as_second(),
    })))
}

/// End it, with what it issued, or all of whoever it is with what those issued.
pub(super) async fn revoke(
    house: &House,
    op: &Operation,
    request: &Request,
    id: SessionId,
    session: SessionId,
) -> Result<Answer, Error> {
    let visitor = match visitor(house, op, request, id) {
        Ok(visitor) => visitor,
        Err(answer) => return Ok(answer),
    };
    let sent = visitor.sent(request, REVOKE, &["end", "principal"])?;
    let (end, asked) = to_end(sent, session)?;
    let ended = ask_daypass::<Value>(house, op, request, &visitor, "RevokeSession", &asked).await;
    // Somebody may have ended the visitor's own meanwhile.
    if let (Err(_), Err(over)) = (&ended, self::visitor(house, op, request, id)) {
        return Ok(over);
    }
    ended?;
    // Whoever ended their own session is told so there.
    let of_principal = sent.text("principal").unwrap_or_default();
    let (place, told) = (super::session_path(id), visitor.code(&told(session, end, of_principal)));
    Ok(Answer::GoTo(format!("{place}sessions/{session}?ended={}&told={told}", end.word())))
}

/// What the page says afterwards, as its code names it: of the end of all of a principal, whose.
fn told(session: SessionId, end: End, principal: &str) -> String {
    let of = if end == End::Principal { principal } else { "" };
    format!("ended {session} {} {of}", end.word())
}

/// What RevokeSession is asked.
fn to_end(form: &Params, session: SessionId) -> Result<(End, Value), Error> {
    let session = session.to_string();
    let unsaid = || Error::validation("The form does not say what is to end.");
    let end = form.text("end").and_then(End::of_word).ok_or_else(unsaid)?;
    let asked = match (end, form.text("principal")) {
        (End::This, None) => json!({"SessionId": session, "IncludeIssued": false}),
        (End::Issued, None) => json!({"SessionId": session, "IncludeIssued": true}),
        (End::Principal, Some(arn)) => json!({"PrincipalArn": arn, "IncludeIssued": true}),
        _ => return Err(unsaid()),
    };
    Ok((end, asked))
}

fn whose(visitor: &Visitor) -> Whose {
    let who = visitor.scope.principal();
    Whose { id: visitor.id, account: who.account, arn: who.arn.clone() }
}
