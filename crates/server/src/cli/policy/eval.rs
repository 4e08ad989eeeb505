//! `daypass policy eval`: decide cases without a server.

use std::path::Path;
use std::process::ExitCode;

use daypass_policy::case::Case;
use serde_json::{Value, json};

use super::lines::Lines;
use crate::cli::input::visible;
use crate::failure::Failure;
use crate::terminal::say;

pub(super) fn run(cases: &Path, explain: bool) -> Result<ExitCode, Failure> {
    let mut lines = Lines::open(cases)?;
    while let Some(line) = lines.next()? {
        let case = Case::parse(&line).map_err(|why| lines.failure(&why))?;
        let answer = if explain {
            explained(&case)
        } else {
            json!({"id": case.id, "decision": case.decide().effect.as_str()})
        };
        say(&visible(&format!("{answer}\n")));
    }
    Ok(ExitCode::SUCCESS)
}

fn explained(case: &Case) -> Value {
    let explanation = case.explain();
    let decision = &explanation.decision;
    let statements: Vec<Value> = explanation
        .statements
        .iter()
        .map(|statement| {
            json!({"type": statement.policy_type.as_str(), "policy": statement.policy, "sid": statement.sid,
                   "index": statement.index, "effect": statement.effect.as_str(), "outcome": statement.outcome.to_string()})
        })
        .collect();
    json!({"id": case.id, "decision": decision.effect.as_str(), "kind": decision.decided_by.as_str(), "statements": statements})
}
