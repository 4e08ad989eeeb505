//! Sessions at the operator's door: of any account, by what the session log knows; ending them; what a token says.

use daypass_authn::token::SessionClaims;
use daypass_directory::{AHEAD_SECONDS_MAX, Descent, Revocation, View};
use daypass_model::limits::SESSION_ANCESTRY_MAX;
use daypass_model::{AccessKeyId, AccountId, Arn, SessionId, rfc3339_seconds};
use daypass_service::House;
use daypass_service::sessions::{Position, Selection, SessionEntry, Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, Hidden};
use crate::failure::Failure;

/// Sessions of one answer.
const PAGE: usize = 100;

/// Which sessions are to be listed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Of this account only.
    pub(crate) account_id: Option<String>,
    /// Such as this says.
    pub(crate) selection: Selection,
    /// Where to go on.
    pub(crate) after: Option<String>,
}

/// Which sessions are to end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ended {
    /// One.
    Session {
        /// Its id.
        id: String,
        /// With all that descend from it.
        include_issued: bool,
    },
    /// Those of a user, role or root.
    Principal {
        /// Who.
        arn: String,
        /// Issued before this moment, RFC 3339; all when absent.
        issued_before: Option<String>,
        /// With all that descend from them, and what its access keys asked for.
        #[serde(default)]
        include_issued: bool,
    },
}

/// A session and how it is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// A word of daypass's own API.
    pub(crate) status: String,
    #[serde(flatten)]
    pub(crate) entry: SessionEntry,
}

pub(super) async fn list(house: &House, wanted: &Wanted) -> Result<Answer, Failure> {
    let account: Option<AccountId> = match &wanted.account_id {
        Some(text) => {
            Some(text.parse().map_err(|error| Failure::new(format!("--account-id {text}: {error}")))?)
        }
        None => None,
    };
    let after = wanted.after.as_deref().and_then(Position::from_text);
    let (view, now) = (house.directory.snapshot(), house.now().as_second());
    let (found, may_be_incomplete) = {
        let log = house.session_log.read(now).await;
        let such = |entry: &SessionEntry| wanted.selection.matches(entry, &view, now);
        (log.index.search(account, after, PAGE, such), log.may_be_incomplete)
    };
    let listed = |entry: &SessionEntry| Listed {
        status: entry.status(&view, now).word().to_owned(),
        entry: entry.clone(),
    };
    let sessions = found.entries.iter().map(|entry| listed(entry)).collect();
    Ok(Answer::Sessions { sessions, after: found.go_on_after.map(Position::to_text), may_be_incomplete })
}

/// What the audit is told, and the answer.
pub(super) async fn revoke(
    house: &House,
    ended: &Ended,
    request_id: &str,
) -> Result<(String, Answer), Failure> {
    let now = house.now().as_second();
    let (account, what, told) = meaning(house, ended, now).await?;
    let revoked = house.directory.revoke(account, &what, request_id).await;
    revoked.map_err(|error| Failure::new(format!("nothing was ended: {error}")))?;
    // Afterwards: what names it issues nothing more.
    let left = match &what {
        Revocation::Session { id, issued_too: true } => may_be_left(house, *id, now).await,
        _ => None,
    };
    Ok((told.clone(), Answer::SessionsRevoked { told, left }))
}

/// Sessions that are named in an answer.
const NAMED_MAX: usize = 20;

/// What goes on, perhaps, though a session was ended with all that it issued: of one that is over, and not the first of its chain,
/// a long chain forgets the id, and not the principal.
///
/// What a tenant chose (names and paths) is told, and is in nothing that is to be pasted.
async fn may_be_left(house: &House, id: SessionId, now: i64) -> Option<String> {
    let (view, log) = (house.directory.snapshot(), house.session_log.read(now).await);
    let Some(ended) = log.index.get(id) else {
        return Some(
            "the session log does not know it: if it is over by itself, long chains that came of it have forgotten its id, and only the end of its principal, with what that issued, reaches them".into(),
        );
    };
    if ended.expires_at > now || ended.parent().is_none() {
        return None;
    }
    let came_of = |entry: &SessionEntry| {
        entry.ancestry.len() + 1 >= SESSION_ANCESTRY_MAX
            && entry.names_above(ended)
            && !entry.ancestry.contains(&id)
            && entry.status(&view, now) == Status::Live
    };
    let (mut left, mut after) = (Vec::new(), None);
    loop {
        let found = log.index.search(None, after, NAMED_MAX - left.len(), came_of);
        left.extend(
            found.entries.iter().map(|entry| {
                format!("\n  daypass sessions revoke --session-id {} --include-issued", entry.id)
            }),
        );
        after = found.go_on_after;
        if after.is_none() || left.len() == NAMED_MAX {
            break;
        }
    }
    let incomplete = if log.may_be_incomplete { " (the session log lacks some)" } else { "" };
    if left.is_empty() && !log.may_be_incomplete {
        return None;
    }
    let more = if left.len() == NAMED_MAX {
        " and perhaps more, all of which the end of the principal with what it issued ends"
    } else {
        ""
    };
    Some(format!(
        "it was over by itself, and its id is forgotten in long chains. These live, and came of it or of another session that its principal, {}, had by then{incomplete}; {}{more}:{}",
        ended.principal_arn,
        left.len(),
        left.concat(),
    ))
}

async fn meaning(house: &House, ended: &Ended, now: i64) -> Result<(AccountId, Revocation, String), Failure> {
    match ended {
        Ended::Session { id: text, include_issued } => {
            let bad = |why: String| Failure::new(format!("--session-id {text}: {why}"));
            let id: SessionId = text.parse().map_err(|error| bad(format!("{error}")))?;
            let account = id.account().ok_or_else(|| bad("it is of no account".into()))?;
            let known = house.session_log.read(now).await.index.get(id).map(|entry| entry.arn.clone());
            let who = known.unwrap_or_else(|| "the session log does not know it".into());
            let all = if *include_issued { ", with all that it issued" } else { "" };
            let what = Revocation::Session { id, issued_too: *include_issued };
            Ok((account, what, format!("session {id} ({who}){all}")))
        }
        Ended::Principal { arn, issued_before, include_issued } => {
            let bad = |why: &str| Failure::new(format!("--principal {arn}: {why}"));
            let account = arn.parse::<Arn>().ok().and_then(|arn| arn.account_id());
            let account = account.ok_or_else(|| bad("give the ARN of a user, a role or a root user"))?;
            let view = house.directory.snapshot();
            let found = view.operator().account(account).and_then(|account| account.principal_id(arn));
            let id = found.ok_or_else(|| bad("there is no such user, role or root user"))?;
            let before = match issued_before {
                Some(text) => issued_before_second(text, now)?,
                None => house.session_log.issued_by_now(account, &id, now).await,
            };
            let shown = rfc3339_seconds(Timestamp::from_second(before).unwrap_or_default());
            let all = if *include_issued { ", with all that they or its access keys issued" } else { "" };
            let told = format!("sessions of {arn} issued before {shown}{all}");
            Ok((account, Revocation::Principal { id, before, issued_too: *include_issued }, told))
        }
    }
}

/// No further ahead than the clock of a node that issued sessions may be: until then every new one would be over at once,
/// and no later revocation takes that back.
fn issued_before_second(text: &str, now: i64) -> Result<i64, Failure> {
    let bad = |why: String| Failure::new(format!("--issued-before {text}: {why}"));
    let moment = text.parse::<Timestamp>().map_err(|error| bad(error.to_string()))?;
    // A session's time is a whole second: `12:00:00.5` means those of 12:00:00, too, as by RevokeSession.
    let second = moment.as_second().saturating_add(i64::from(moment.subsec_nanosecond() > 0));
    if second > now.saturating_add(AHEAD_SECONDS_MAX) {
        return Err(bad("it lies in the future".to_owned()));
    }
    Ok(second)
}

pub(super) fn inspect(house: &House, access_key_id: &str, token: &Hidden) -> Result<Answer, Failure> {
    let view = house.directory.snapshot();
    let id: AccessKeyId = access_key_id
        .parse()
        .map_err(|error| Failure::new(format!("{error}; the one that came with the token is needed")))?;
    let opened = view.keyring().open(&token.0, &id).map_err(|_| {
        Failure::new(
            "this is no session token of this server, or not the one that goes with this access key id",
        )
    })?;
    Ok(Answer::Token { claims: shown(&opened.claims, &view, house.now().as_second()) })
}

/// Everything that a token says; nothing of what it is sealed with or what its holder signs with.
fn shown(claims: &SessionClaims, view: &View, now: i64) -> Value {
    let time = |second: i64| rfc3339_seconds(Timestamp::from_second(second).unwrap_or_default());
    let layer = |layer: &daypass_authn::token::SessionLayer| json!({"inline": layer.inline, "managed": layer.policy_ids});
    let tags: serde_json::Map<_, _> =
        claims.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone().into())).collect();
    json!({
        "status": Status::of(Descent::from(claims), claims.expires_at, view, now).word(),
        "session-id": claims.session_id,
        "ancestry": claims.ancestry,
        "kind": format!("{:?}", claims.kind),
        "account": claims.account,
        "principal-id": claims.principal_id,
        "principal-arn": claims.principal_arn,
        "session-name": claims.session_name,
        "issued": time(claims.issued_at),
        "expires": time(claims.expires_at),
        "session-policies": claims.layers.iter().map(layer).collect::<Vec<_>>(),
        "scoped-layers": claims.scoped_layers,
        "tags": tags,
        "transitive-tag-keys": claims.transitive_tag_keys,
        "source-identity": claims.source_identity,
        "mfa-authenticated": claims.mfa_authenticated_at.map(time),
        "federation": claims.federation,
        "first-access-key-id": claims.first_key,
        "principals-above": claims.principals_above,
    })
}
