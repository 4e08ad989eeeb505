//! `daypass keys list|rotate|rotate-master`: the keys that seal session tokens, and the one that seals these and all other
//! secrets in the store, through the operator's door of the running server.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::input::show;
use crate::config::DataArgs;
use crate::failure::Failure;
use crate::operator::{Answer, Ask, ask};

#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Print role, id and time of creation of each key, and of those that sign web identity tokens
    List,
    /// Begin to seal with the next key; refused while that would end a session
    Rotate {
        /// Somebody may have a copy of the keyring: replace every key, which ends every session
        #[arg(long)]
        compromised: bool,
    },
    /// Replace the master key: everything in the store that is secret is sealed anew
    RotateMaster {
        /// File with the new key, 32 bytes in base64 [default: the server makes one, if its key is in its data directory]
        #[arg(long, value_name = "FILE")]
        new_key_file: Option<PathBuf>,
    },
}

pub(super) async fn run(args: KeysArgs) -> Result<(), Failure> {
    let question = match args.command {
        KeysCommand::List => Ask::KeyList,
        KeysCommand::Rotate { compromised } => Ask::KeyRotate { compromised },
        KeysCommand::RotateMaster { new_key_file } => {
            let absolute = new_key_file.map(std::path::absolute).transpose();
            let new_key_file = absolute.map_err(|error| Failure::new(format!("--new-key-file: {error}")))?;
            Ask::MasterKeyRotate { new_key_file }
        }
    };
    match ask(&args.data.directory()?, &question).await? {
        Answer::Keys { keys, web_identity } => {
            keys.iter().for_each(|key| show(&format!("{:<8}  {:>10}  {}\n", key.role, key.id, key.created)));
            for key in web_identity {
                let [rs256, es384] = &key.kids;
                let (role, created) = (&key.role, &key.created);
                show(&format!("web identity tokens, {role}: RS256 {rs256}, ES384 {es384}  {created}\n"));
            }
            Ok(())
        }
        Answer::MasterKeyRotated { is_earlier: true, .. } => {
            show("The rotation that had begun before was finished. No other was begun: ask again for one.\n");
            Ok(())
        }
        Answer::MasterKeyRotated { kept, put, .. } => {
            show("The master key was replaced, and everything is sealed with the new one.\n");
            if let Some(place) = put {
                show(&format!("Before the server starts again, put the new key {place}.\n"));
            }
            let old = kept.map(|kept| format!(" (`{}`)", kept.display())).unwrap_or_default();
            show(&format!(
                "Backups made until now open with the old key{old} alone: keep it apart, for as long as you keep them.\n"
            ));
            Ok(())
        }
        other => Err(other.unexpected()),
    }
}
