//! The command line: a contract that operators and tests rely on (`docs/operating.md`).

mod account;
mod actions;
mod agent;
mod backup;
mod creds;
mod demo;
mod doctor;
mod input;
mod keys;
mod policy;
mod restore;
mod sessions;
mod signature;
mod token;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{Config, ENVIRONMENT_HELP, ServeArgs};
use crate::failure::Failure;
use crate::serve::serve;
use crate::terminal::say;
use crate::{descriptors, preflight};

/// A self-hosted, AWS-compatible security token service and IAM.
#[derive(Debug, Parser)]
#[command(name = "daypass", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (what `daypass` alone does)
    #[command(after_help = ENVIRONMENT_HELP)]
    Serve(Box<ServeArgs>),
    /// Tell a story in twelve checked lines, against a server of its own
    Demo(demo::DemoArgs),
    /// Evaluate and validate policies, list what validation finds
    Policy(policy::PolicyArgs),
    /// Look at request signatures
    Signature(signature::SignatureArgs),
    /// Make, list and close accounts, give their root a new key, while the server runs
    Account(account::AccountArgs),
    /// List and rotate the keys that seal session tokens, replace the master key, while the server runs
    Keys(keys::KeysArgs),
    /// List and end sessions, while the server runs
    Sessions(sessions::SessionsArgs),
    /// Look into session tokens, while the server runs
    Token(token::TokenArgs),
    /// Give the programs of this machine credentials: instance metadata and container credentials
    Agent(Box<agent::AgentArgs>),
    /// Print credentials of this machine, or of a role for a web identity token, for credential_process
    Creds(Box<creds::CredsArgs>),
    /// Copy the store to a file, while the server runs
    Backup(backup::BackupArgs),
    /// Make the store of a new data directory from a backup, while no server runs on it
    Restore(restore::RestoreArgs),
    /// Look for what is wrong here; each finding ends in the line to paste
    Doctor(Box<doctor::DoctorArgs>),
    /// Print a completion script for a shell
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the action table, one line for each action
    Actions,
}

/// Run the command line; the process's exit code: 0 done, 1 failed, 2 wrong use (docs/tools.md).
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    match dispatch(cli) {
        Ok(code) => code,
        Err(failure) => {
            complain(&failure);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.command {
        None => run_server(cli.serve),
        Some(Command::Serve(args)) => run_server(*args),
        Some(Command::Demo(args)) => in_runtime(demo::run(args)),
        Some(Command::Policy(args)) => policy::run(&args),
        // Its 1 means that a signature does not match, so what could not be looked at is told apart.
        Some(Command::Signature(args)) => Ok(signature::run(&args).unwrap_or_else(|failure| {
            complain(&failure);
            ExitCode::from(2)
        })),
        Some(Command::Account(args)) => in_runtime(account::run(args)),
        Some(Command::Keys(args)) => in_runtime(keys::run(args)),
        Some(Command::Sessions(args)) => in_runtime(sessions::run(args)),
        Some(Command::Token(args)) => in_runtime(token::run(args)),
        Some(Command::Agent(args)) => with_code_in_runtime(agent::run(*args)),
        Some(Command::Creds(args)) => in_runtime(creds::run(*args)),
        Some(Command::Backup(args)) => in_runtime(backup::run(args)),
        Some(Command::Restore(args)) => in_runtime(restore::run(args)),
        Some(Command::Doctor(args)) => doctor::run(*args),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "daypass", &mut script);
            say(&String::from_utf8_lossy(&script));
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Actions) => {
            actions::print();
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn run_server(args: ServeArgs) -> Result<ExitCode, Failure> {
    preflight::variables_are_settings()?;
    let config = Config::load(args)?;
    descriptors::enough_to_start()?;
    in_runtime(serve(config))
}

fn in_runtime(future: impl Future<Output = Result<(), Failure>>) -> Result<ExitCode, Failure> {
    with_code_in_runtime(async { future.await.map(|()| ExitCode::SUCCESS) })
}

fn with_code_in_runtime(
    future: impl Future<Output = Result<ExitCode, Failure>>,
) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("the runtime cannot start: {error}")))?;
    runtime.block_on(future)
}

/// It may repeat what somebody else said.
#[expect(clippy::print_stderr, reason = "the one line a failing command owes its user")]
fn complain(failure: &Failure) {
    eprintln!("daypass: {}", input::visible(&failure.to_string()));
}
