//! Making an account: the first one, the operator's, the demo's.
//!
//! The file with the root key comes first and the account second. A crash between the two leaves a file that
//! opens nothing, never an account whose key nobody has.

use std::path::PathBuf;

use daypass_directory::{Directory, NotCommitted};
use daypass_model::{AccessKeyId, AccountId, Random, Secret};

use crate::data_dir::write_secret;
use crate::failure::Failure;

/// The root key of a new account.
pub(crate) struct Opened {
    pub(crate) access_key_id: AccessKeyId,
    pub(crate) secret: Secret,
    /// Where the key is, in the form of an AWS credentials file.
    pub(crate) credentials: PathBuf,
}

/// Make an account with a new root key, in a new file.
///
/// # Errors
/// There is such a file or such an account, or it could not be written.
pub(crate) async fn open_account(
    directory: &Directory,
    account: AccountId,
    credentials: PathBuf,
    request_id: &str,
) -> Result<Opened, Failure> {
    let now = directory.clock().now().as_second();
    let (record, secret) =
        directory.new_access_key(account, now).map_err(|error| Failure::new(error.to_string()))?;
    let access_key_id = record.id.clone();
    write_secret(&credentials, credentials_file(&access_key_id, &secret).expose())?;
    match directory.create_account(account, record, request_id).await {
        Ok(()) => Ok(Opened { access_key_id, secret, credentials }),
        // It may have been made after all: then that file is the only one that opens it.
        Err(NotCommitted::Unknown(why)) => Err(Failure::new(format!(
            "nobody can tell whether the account {account} was made ({why}); if it was, its root key is in `{}`",
            credentials.display()
        ))),
        Err(error) => {
            drop(std::fs::remove_file(&credentials));
            Err(Failure::new(format!("the account {account} was not made: {error}")))
        }
    }
}

/// A root key in the form of an AWS credentials file.
pub(crate) fn credentials_file(id: &AccessKeyId, secret: &Secret) -> Secret {
    let secret = secret.expose_str();
    Secret::new(format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"))
}

/// Twelve random digits, the first of them not zero.
pub(crate) fn random_account(random: &dyn Random) -> Result<AccountId, Failure> {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    let number = 100_000_000_000 + u64::from_be_bytes(bytes) % 900_000_000_000;
    AccountId::from_number(number).ok_or_else(|| Failure::new("no account number could be drawn"))
}
