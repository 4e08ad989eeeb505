//! `daypass:ExplainRequest`: what was decided about a request of the last hours, and why.
//!
//! Two accounts may have a part in a decision: the caller's and the resource's. Each is told what its own policies said;
//! what that is, is settled when the decision is kept.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_policy::{Determining, Outcome, PolicyType, StatementReport};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::callers::Callers;
use crate::decisions::Kept;
use crate::error::Error;
use crate::house::House;
use crate::request::Time;
use crate::why::reason;

pub(super) struct ExplainRequest;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    request_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    request_id: String,
    decisions: Vec<Explained>,
}

/// One decision of the request.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Explained {
    time: Time,
    principal_arn: String,
    action: String,
    resource: String,
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<&'static str>,
    determining_statements: Vec<Determined>,
    statements: Vec<Reported>,
    is_truncated: bool,
}

/// A statement that decided, here and in the answer of CheckRequest.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Determined {
    source_policy_id: String,
    source_policy_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    statement_index: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reported {
    source_policy_id: String,
    source_policy_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    statement_index: usize,
    effect: &'static str,
    matched: bool,
    reason: String,
}

impl From<&Determining<'_>> for Determined {
    fn from(found: &Determining<'_>) -> Self {
        Self {
            source_policy_id: found.policy.to_string(),
            source_policy_type: found.policy_type.as_str(),
            sid: found.sid.as_deref().map(str::to_owned),
            statement_index: found.index + 1,
        }
    }
}

impl Reported {
    fn new(report: &StatementReport, across: bool) -> Self {
        Self {
            source_policy_id: report.policy.clone(),
            source_policy_type: report.policy_type.as_str(),
            sid: report.sid.clone(),
            statement_index: report.index + 1,
            effect: report.effect.as_str(),
            matched: report.outcome == Outcome::Matched,
            reason: reason(&report.outcome, across),
        }
    }
}

impl From<&Kept> for Explained {
    fn from(kept: &Kept) -> Self {
        Self {
            time: Time(kept.at),
            principal_arn: kept.principal_arn.clone(),
            action: kept.action.clone(),
            resource: kept.resource.clone(),
            decision: kept.effect.as_str(),
            decided_by: kept.decided_by.map(PolicyType::as_str),
            determining_statements: kept.determining.iter().map(Determined::from).collect(),
            statements: kept.statements.iter().map(|report| Reported::new(report, kept.across)).collect(),
            is_truncated: kept.more,
        }
    }
}

impl Action for ExplainRequest {
    const NAME: &'static str = "daypass:ExplainRequest";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (id, account) = (&call.input().request_id, call.account().id());
        let kept = house.decisions.of_request(account, id, op.now.as_second());
        if kept.is_empty() {
            return Err(Error::no_such_entity(format!(
                "No decision about a request with id {id} is kept here."
            )));
        }
        let decisions = kept.iter().map(|kept| Explained::from(&**kept)).collect();
        Ok(Output { request_id: id.clone(), decisions })
    }
}
