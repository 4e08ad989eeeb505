//! `daypass account create|list`: through the operator's door of the running server.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::DATA_DEFAULT;
use crate::failure::Failure;
use crate::operator::{Answer, Ask, ask};
use crate::terminal::say;

#[derive(Debug, Args)]
pub(super) struct AccountArgs {
    #[command(subcommand)]
    command: AccountCommand,
    /// Data directory of the running server
    #[arg(long, env = "DAYPASS_DATA", value_name = "DIR", default_value = DATA_DEFAULT, global = true)]
    data: PathBuf,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// Make an account; its root key goes to a file whose path is printed
    Create {
        /// Twelve digits; drawn at random when left out
        #[arg(long, value_name = "ID")]
        account_id: Option<String>,
    },
    /// Print every account number
    List,
}

pub(super) async fn run(args: AccountArgs) -> Result<(), Failure> {
    let question = match args.command {
        AccountCommand::Create { account_id } => Ask::AccountCreate { account_id },
        AccountCommand::List => Ask::AccountList,
    };
    match ask(&args.data, &question).await? {
        Answer::AccountCreated { account_id, credentials } => {
            say(&format!("account      {account_id}\ncredentials  {}\n", credentials.display()));
            Ok(())
        }
        Answer::Accounts { account_ids } => {
            account_ids.iter().for_each(|id| say(&format!("{id}\n")));
            Ok(())
        }
        Answer::Refused { why } => Err(Failure::new(why)),
    }
}
