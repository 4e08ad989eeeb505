//! `daypass keys list|rotate`: the keys that seal session tokens, through the operator's door of the running server.

use clap::{Args, Subcommand};

use crate::config::DataArgs;
use crate::failure::Failure;
use crate::operator::{Answer, Ask, ask};
use crate::terminal::say;

#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Print role, id and time of creation of each key
    List,
    /// Begin to seal with the next key; refused while that would end a session
    Rotate {
        /// Somebody may have a copy of the keyring: replace every key, which ends every session
        #[arg(long)]
        compromised: bool,
    },
}

pub(super) async fn run(args: KeysArgs) -> Result<(), Failure> {
    let question = match args.command {
        KeysCommand::List => Ask::KeyList,
        KeysCommand::Rotate { compromised } => Ask::KeyRotate { compromised },
    };
    match ask(&args.data.directory()?, &question).await? {
        Answer::Keys { keys } => {
            keys.iter().for_each(|key| say(&format!("{:<8}  {:>10}  {}\n", key.role, key.id, key.created)));
            Ok(())
        }
        other => Err(other.unexpected()),
    }
}
