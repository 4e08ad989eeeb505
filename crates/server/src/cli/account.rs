//! `daypass account create|list|root-key|sign-in|close`: through the operator's door of the running server.

use clap::{Args, Subcommand};

use super::input::show;
use crate::banner::shell_word;
use crate::config::DataArgs;
use crate::failure::Failure;
use crate::operator::{Answer, Ask, ask};

#[derive(Debug, Args)]
pub(super) struct AccountArgs {
    #[command(subcommand)]
    command: AccountCommand,
    #[command(flatten)]
    data: DataArgs,
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
    /// Give an account's root user a new access key, which goes to a file whose path is printed
    RootKey {
        /// The account
        #[arg(long, value_name = "ID")]
        account_id: String,
        /// Delete the keys that root has
        #[arg(long)]
        replace: bool,
    },
    /// Print a code by which an account's root user signs in to the console: once, within ten minutes
    SignIn {
        /// The account
        #[arg(long, value_name = "ID")]
        account_id: String,
    },
    /// End an account for good: its users, roles and sessions at once; its number is never given out again
    Close {
        /// The account
        #[arg(long, value_name = "ID")]
        account_id: String,
        /// Its number once more
        #[arg(long, value_name = "ID")]
        confirm: Option<String>,
    },
}

pub(super) async fn run(args: AccountArgs) -> Result<(), Failure> {
    let question = match args.command {
        AccountCommand::Create { account_id } => Ask::AccountCreate { account_id },
        AccountCommand::List => Ask::AccountList,
        AccountCommand::RootKey { account_id, replace } => Ask::AccountRootKey { account_id, replace },
        AccountCommand::SignIn { account_id } => Ask::AccountSignIn { account_id },
        AccountCommand::Close { account_id, confirm } => Ask::AccountClose { account_id, confirm },
    };
    match ask(&args.data.directory()?, &question).await? {
        Answer::AccountCreated { account_id, credentials } => {
            show(&format!("account      {account_id}\ncredentials  {}\n", credentials.display()));
            Ok(())
        }
        Answer::RootKeyMade { access_key_id, credentials } => {
            show(&format!("access key   {access_key_id}\ncredentials  {}\n", credentials.display()));
            let file = shell_word(&credentials.to_string_lossy());
            show(&format!("export AWS_SHARED_CREDENTIALS_FILE={file}\n"));
            Ok(())
        }
        Answer::SignInCode { address, code, minutes } => {
            show(&format!("address      {address}\ncode         {}\n", code.0));
            show(&format!("good once, for {minutes} minutes: whoever has it is root of the account\n"));
            Ok(())
        }
        Answer::AccountClosed { account_id } => {
            show(&format!("closed       {account_id}\n"));
            Ok(())
        }
        Answer::Accounts { account_ids } => {
            account_ids.iter().for_each(|id| show(&format!("{id}\n")));
            Ok(())
        }
        other => Err(other.unexpected()),
    }
}
