//! The `daypass` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    daypass_server::cli::run(std::env::args_os())
}
