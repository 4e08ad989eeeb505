//! `daypass:ValidatePolicy`: what is wrong, dangerous or unclear in a policy document, as `daypass policy validate`
//! says it. Nothing of the account is looked at.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_policy::{FINDINGS_MAX, Finding, Kind, findings};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::known::known_actions;

/// Most findings of an answer. One more is looked for, which says that there is more.
const TOLD_MAX: usize = FINDINGS_MAX - 1;

pub(super) struct ValidatePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    policy_document: String,
    policy_kind: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    findings: Vec<Told>,
    is_truncated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    severity: &'static str,
    code: &'static str,
    message: String,
    remedy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aws_message: Option<String>,
    path: String,
    offset: usize,
    line: u32,
    column: u32,
}

impl From<Finding> for Told {
    fn from(finding: Finding) -> Self {
        Self {
            severity: finding.code.severity().as_str(),
            code: finding.code.as_str(),
            message: finding.message,
            remedy: finding.code.remedy(),
            aws_message: finding.aws_message,
            path: finding.path,
            offset: finding.offset,
            line: finding.line,
            column: finding.column,
        }
    }
}

impl Action for ValidatePolicy {
    const NAME: &'static str = "daypass:ValidatePolicy";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let input = call.input();
        // The model lists the kinds, so that no other comes here.
        let kind = Kind::named(&input.policy_kind)
            .ok_or_else(|| Error::internal("a kind of policy has no rules"))?;
        let mut found = findings(kind, &input.policy_document, &known_actions());
        let is_truncated = found.len() > TOLD_MAX;
        found.truncate(TOLD_MAX);
        Ok(Output { findings: found.into_iter().map(Told::from).collect(), is_truncated })
    }
}
