//! `daypass:GetSessionChain`: where a session came from, down to it from whoever began the chain, and what it issued.

use std::sync::Arc;

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::limits::SESSION_ANCESTRY_MAX;
use daypass_model::{AccountId, SessionId};
use serde::{Deserialize, Serialize};

use super::list_sessions::{go_on_after, limit};
use super::session::{RequestedBy, Session};
use crate::action::Action;
use crate::actions::paging;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::sessions::SessionEntry;

pub(super) struct GetSessionChain;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    session_id: SessionId,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<RequestedBy>,
    chain: Vec<Link>,
    issued: Vec<Session>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
    may_be_incomplete: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Link {
    session_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Session>,
}

impl Action for GetSessionChain {
    const NAME: &'static str = "daypass:GetSessionChain";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, super::session_arn(scope.account().id(), input.session_id)))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, scope, now) = (call.input(), call.scope(), op.now.as_second());
        let (own, id) = (scope.account().id(), input.session_id);
        let of = format!("GetSessionChain {id}");
        let after = go_on_after(scope, &of, input.marker.as_deref())?;
        let (chain, issued, may_be_incomplete) = {
            let log = house.session_log.read(now).await;
            let known = log.index.get(id).filter(|entry| entry.account == own);
            let known = known.ok_or_else(|| {
                Error::no_such_entity("The session log of this server knows no such session of this account.")
            })?;
            let ids = known.ancestry.iter().chain([&id]);
            let link = |id: &SessionId| (*id, log.index.get(*id).cloned());
            let chain: Vec<(SessionId, Option<Arc<SessionEntry>>)> = ids.map(link).collect();
            // A token that is full may have left out ancestors which were over.
            let may_lack = log.may_be_incomplete || chain.len() >= SESSION_ANCESTRY_MAX;
            (chain, log.index.issued_by(id, after, limit(input.max_items)), may_lack)
        };
        let first = chain.first().and_then(|(_, entry)| entry.as_ref());
        let origin = first.map(|first| RequestedBy::of(&first.requested_by, own));
        let link = |(id, entry): &(SessionId, Option<Arc<SessionEntry>>)| Link {
            session_id: id.to_string(),
            account_id: id.account(),
            // A session of another account is that account's, though this one's came from it.
            session: entry
                .as_ref()
                .filter(|entry| entry.account == own)
                .map(|entry| Session::of(entry, scope, now)),
        };
        let marker = issued.go_on_after.map(|last| paging::seal(house, scope, &of, &last.to_text()));
        let marker = marker.transpose()?;
        Ok(Output {
            origin,
            chain: chain.iter().map(link).collect(),
            issued: issued.entries.iter().map(|entry| Session::of(entry, scope, now)).collect(),
            is_truncated: marker.is_some(),
            marker,
            may_be_incomplete,
        })
    }
}
