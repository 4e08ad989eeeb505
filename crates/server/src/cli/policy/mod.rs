//! `daypass policy`: questions about policies that need no server.

mod codes;
mod eval;
mod lines;
mod validate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::failure::Failure;

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
    /// Say what is wrong, dangerous or unclear in policy documents
    Validate(validate::ValidateArgs),
    /// List the codes of findings: severity, code, meaning and remedy, tab-separated
    Codes,
}

pub(super) fn run(args: &PolicyArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        PolicyCommand::Eval { cases, explain } => eval::run(cases, *explain),
        PolicyCommand::Validate(args) => validate::run(args),
        PolicyCommand::Codes => {
            codes::print();
            Ok(ExitCode::SUCCESS)
        }
    }
}
