//! Figures for people: what the parts cost, what a call costs beside a bare HTTP answer, how fast the
//! server starts.
//!
//! Answers for: which figures there are and how they are printed. Refuses to know: whether a figure is
//! good; nothing here fails because a machine is slow.
//!
//! Every figure is the best of several rounds, since other programs can only make a round slower.

#![expect(clippy::print_stdout, reason = "figures go to the terminal")]

mod bare;
mod calls;
mod client;
mod decisions;
mod federation;
mod house;
mod issuer;
mod load;
mod parts;
mod process;
mod question;
mod start;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What can go wrong is told to whoever reads the figures.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Prints what signatures, tokens, decisions, calls and a start cost.
#[derive(Debug, Parser)]
#[command(name = "daypass-bench")]
struct Cli {
    #[command(subcommand)]
    only: Option<Only>,
    /// Rounds of load for each server.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Length of one round, in seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Connections that send one request after the other.
    #[arg(long, default_value_t = 16)]
    connections: usize,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Only {
    /// Signatures, tokens, policies: no sockets.
    Parts,
    /// Whole calls in process: no sockets.
    House,
    /// Requests a second beside a bare answer.
    Calls,
    /// Exchanges of tokens and assertions a second beside a bare answer that verifies one signature.
    Federation,
    /// First start and idle memory.
    Start,
    /// Serve an answer of this many bytes (what the bare server is).
    #[command(hide = true)]
    Bare {
        /// Bytes of the body.
        bytes: usize,
        /// A signature of this kind is verified for every answer.
        #[arg(long)]
        verify: Option<issuer::Signed>,
    },
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Outcome<()> {
    let shape = load::Shape { rounds: cli.rounds, seconds: cli.seconds, connections: cli.connections };
    match cli.only {
        Some(Only::Bare { bytes, verify }) => bare::serve(bytes, verify),
        Some(Only::Parts) => parts::print(),
        Some(Only::House) => house::print(),
        Some(Only::Calls) => calls::print(shape),
        Some(Only::Federation) => federation::print(shape),
        Some(Only::Start) => start::print(),
        None => {
            parts::print()?;
            house::print()?;
            start::print()?;
            calls::print(shape)?;
            federation::print(shape)
        }
    }
}
