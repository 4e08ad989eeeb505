//! `daypass restore`: a backup becomes the store of a data directory that has none.

use std::path::PathBuf;

use clap::Args;

use crate::config::{DataArgs, master_key_beside};
use crate::data_dir::names::AUDIT;
use crate::failure::Failure;
use crate::restore::{Restore, Restored, restore};
use crate::terminal::say;

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// What `daypass backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// File with the master key [default: <data>/master-key]
    #[arg(long, env = "DAYPASS_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// Audit file [default: <data>/audit.jsonl]
    #[arg(long, env = "DAYPASS_AUDIT_FILE", value_name = "FILE")]
    audit_file: Option<PathBuf>,
}

pub(super) async fn run(args: RestoreArgs) -> Result<(), Failure> {
    let (data, file) = args.data.with_file()?;
    let master_key_file = args.master_key_file.or(file.master_key_file);
    let audit = args.audit_file.or(file.audit_file).unwrap_or_else(|| data.join(AUDIT));
    let master_key = master_key_beside(master_key_file.as_deref())?;
    let Restored { of, revision, accounts } =
        restore(Restore { backup: args.file, data, master_key_file, master_key, audit }).await?;
    say(&format!(
        "restored  revision {of}, {accounts} accounts; now at revision {revision}\n\
         sessions  every one that was issued before is void; access keys work as they did then\n"
    ));
    Ok(())
}
