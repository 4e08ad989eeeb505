//! `daypass backup`: through the operator's door of the running server.

use std::path::PathBuf;

use clap::Args;

use super::input::show;
use crate::config::DataArgs;
use crate::failure::Failure;
use crate::operator::{Answer, Ask, ask};

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// Where to write the copy; there must be no such file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    data: DataArgs,
}

pub(super) async fn run(args: BackupArgs) -> Result<(), Failure> {
    // The server has a working directory of its own.
    let file = std::path::absolute(&args.file)
        .map_err(|error| Failure::new(format!("`{}`: {error}", args.file.display())))?;
    match ask(&args.data.directory()?, &Ask::Backup { file: file.clone() }).await? {
        Answer::BackedUp { revision } => {
            show(&format!("backup    {}\nrevision  {revision}\n", file.display()));
            Ok(())
        }
        other => Err(other.unexpected()),
    }
}
