//! `daypass:ListSessions`: the account's sessions that the log of this server knows, the newest first.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::session::Session;
use crate::action::Action;
use crate::actions::paging::{self, MAX_ITEMS_DEFAULT};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::sessions::{Position, Selection};

pub(super) struct ListSessions;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    principal_arn: Option<String>,
    name_prefix: Option<String>,
    session_name: Option<String>,
    source_identity: Option<String>,
    access_key_id: Option<String>,
    #[serde(default)]
    include_ended: bool,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    sessions: Vec<Session>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
    may_be_incomplete: bool,
}

impl Action for ListSessions {
    const NAME: &'static str = "daypass:ListSessions";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, scope, now) = (call.input(), call.scope(), op.now.as_second());
        let selection = Selection {
            principal_arn: input.principal_arn.clone(),
            name_prefix: input.name_prefix.clone(),
            session_name: input.session_name.clone(),
            source_identity: input.source_identity.clone(),
            access_key_id: input.access_key_id.clone(),
            ended_too: input.include_ended,
        };
        let of = format!("ListSessions {selection:?}");
        let after = go_on_after(scope, &of, input.marker.as_deref())?;
        let (found, may_be_incomplete) = {
            let log = house.session_log.read(now).await;
            let wanted = |entry: &_| selection.matches(entry, scope.view(), now);
            let account = Some(scope.account().id());
            (log.index.search(account, after, limit(input.max_items), wanted), log.may_be_incomplete)
        };
        let marker = found.go_on_after.map(|last| paging::seal(house, scope, &of, &last.to_text()));
        let marker = marker.transpose()?;
        Ok(Output {
            sessions: found.entries.iter().map(|entry| Session::of(entry, scope, now)).collect(),
            is_truncated: marker.is_some(),
            marker,
            may_be_incomplete,
        })
    }
}

/// Where a list of sessions goes on.
pub(super) fn go_on_after(scope: &Scope, of: &str, marker: Option<&str>) -> Result<Option<Position>, Error> {
    let Some(marker) = marker else { return Ok(None) };
    let position = Position::from_text(&paging::open(scope, of, marker)?);
    position.map(Some).ok_or_else(|| Error::validation("Invalid Marker."))
}

/// Sessions of a page.
pub(super) fn limit(max_items: Option<i64>) -> usize {
    max_items.and_then(|n| usize::try_from(n).ok()).unwrap_or(MAX_ITEMS_DEFAULT)
}
