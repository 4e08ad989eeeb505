//! `daypass doctor`: what is wrong here, and the line to paste.

use std::process::ExitCode;

use clap::Args;
use daypass_model::{Clock, SystemClock};

use super::input::show;
use crate::config::{Config, ServeArgs};
use crate::doctor::{Finding, Patient, examine, report};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Compare the clock with the Date that this URL answers with
    #[arg(long, value_name = "URL")]
    clock_url: Option<String>,
    /// One JSON object for each finding
    #[arg(long)]
    json: bool,
}

/// 0: nothing is in the way of a server with these settings; 1: something is.
pub(super) fn run(args: DoctorArgs) -> Result<ExitCode, Failure> {
    let patient = Patient {
        config: Config::load(args.serve)?,
        clock_url: args.clock_url,
        now: SystemClock.now(),
        user: rustix::process::geteuid().as_raw(),
        words: std::env::args().skip(1).collect(),
        variable: Box::new(|name| std::env::var(name).ok()),
    };
    let findings = examine(&patient);
    show(&if args.json { findings.iter().map(Finding::to_json).collect() } else { report(&findings) });
    let healthy = !findings.iter().any(|finding| finding.is_problem());
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
