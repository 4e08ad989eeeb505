//! `daypass demo`: the story, told in a directory of its own.

use std::path::PathBuf;

use clap::Args;

use crate::config::DATA_DEFAULT;
use crate::demo;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Directory for the demo's data; one that holds anything else is refused
    #[arg(long, env = "DAYPASS_DATA", value_name = "DIR", default_value = DATA_DEFAULT)]
    data: PathBuf,
}

pub(super) async fn run(args: DemoArgs) -> Result<(), Failure> {
    demo::run(&args.data).await
}
