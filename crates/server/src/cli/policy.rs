//! `daypass policy eval`: decide cases without a server.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use daypass_policy::Effect;
use daypass_policy::case::Case;
use serde_json::{Value, json};

use super::input::{self, visible};
use crate::failure::Failure;
use crate::terminal::say;

#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Evaluate cases (JSON lines: policies, request) and print a decision for each, in order
    Eval {
        /// File with one case per line, or - for standard input
        #[arg(long, value_name = "FILE")]
        cases: PathBuf,
        /// Say which statements decided, and why the others did not match
        #[arg(long)]
        explain: bool,
    },
}

/// Longest line: the 1,048,576 characters that a case may have, in as many bytes as they can take.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

pub(super) fn run(args: &PolicyArgs) -> Result<ExitCode, Failure> {
    let PolicyCommand::Eval { cases, explain } = &args.command;
    let mut lines = open(cases)?;
    for number in 1.. {
        let bad = |why: &str| {
            Failure::new(visible(&format!("`{}`, line {number}: {why}", cases.display())).replace('\n', " "))
        };
        let Some(line) = next_line(&mut lines).map_err(|why| bad(&why))? else { break };
        if line.trim().is_empty() {
            continue;
        }
        let case = Case::parse(&line).map_err(|why| bad(&why))?;
        let answer = if *explain {
            explained(&case)
        } else {
            json!({"id": case.id, "decision": case.decide().effect.as_str()})
        };
        say(&visible(&format!("{answer}\n")));
    }
    Ok(ExitCode::SUCCESS)
}

/// The next line, or why there is none. A line cut in two would be two wrong cases.
fn next_line(lines: &mut dyn BufRead) -> Result<Option<String>, String> {
    let mut line = String::new();
    let read = lines.take(LINE_BYTES_MAX + 1).read_line(&mut line).map_err(|error| error.to_string())?;
    if line.len() as u64 > LINE_BYTES_MAX {
        return Err(format!("it has more than {LINE_BYTES_MAX} bytes"));
    }
    Ok((read > 0).then_some(line))
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    Ok(Box::new(BufReader::new(input::open(path)?)))
}

fn explained(case: &Case) -> Value {
    let explanation = case.explain();
    let decision = &explanation.decision;
    let statements: Vec<Value> = explanation
        .statements
        .iter()
        .map(|statement| {
            json!({"type": statement.policy_type.as_str(), "policy": statement.policy, "sid": statement.sid,
                   "index": statement.index, "effect": effect(statement.effect), "outcome": statement.outcome.to_string()})
        })
        .collect();
    json!({"id": case.id, "decision": decision.effect.as_str(), "kind": decision.decided_by.as_str(), "statements": statements})
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    }
}
