//! `daypass policy eval`: decide cases without a server.

use std::path::Path;
use std::process::ExitCode;

use daypass_policy::case::Case;
use serde_json::{Value, json};

use super::lines::Lines;
use crate::cli::complain;
use crate::cli::input::show;
use crate::failure::Failure;

pub(super) fn run(cases: &Path, explain: bool) -> Result<ExitCode, Failure> {
    let mut lines = Lines::open(cases)?;
    let mut refused = false;
    while let Some(line) = lines.next()? {
        // Of a long list the others are worth an answer.
        let case = match Case::parse(&line) {
            Ok(case) => case,
            Err(why) => {
                complain(&lines.failure(&why));
                refused = true;
                continue;
            }
        };
        let answer = if explain {
            explained(&case)
        } else {
            json!({"id": case.id, "decision": case.decide().effect.as_str()})
        };
        show(&format!("{answer}\n"));
    }
    Ok(ExitCode::from(u8::from(refused)))
}

fn explained(case: &Case) -> Value {
    let explanation = case.explain();
    let decision = &explanation.decision;
    let statements: Vec<Value> = explanation
        .statements
        .iter()
        .map(|statement| {
            let mut told = json!({"type": statement.policy_type.as_str(), "policy": statement.policy, "sid": statement.sid,
                "index": statement.index, "effect": statement.effect.as_str(), "outcome": statement.outcome.to_string()});
            if let Some((level, told)) = statement.level.as_ref().zip(told.as_object_mut()) {
                told.insert("level".into(), level.as_str().into());
            }
            told
        })
        .collect();
    json!({"id": case.id, "decision": decision.effect.as_str(), "kind": decision.decided_by.as_str(), "statements": statements})
}
