//! Making an account: the first one, the operator's, the demo's.

use std::path::PathBuf;

use daypass_directory::{Directory, NotCommitted};
use daypass_model::{AccessKeyId, AccountId, Random, Secret};

use crate::failure::Failure;
use crate::root_credentials::KeyFile;

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
    let file = KeyFile::write(credentials, record.id.clone(), &secret)?;
    let made = directory.create_account(account, record, request_id).await;
    let KeyFile { path: credentials, key: access_key_id } = file.settle(made, |file, error| match error {
        NotCommitted::Unknown(why) => Failure::new(format!(
            "nobody can tell whether the account {account} was made ({why}); if it was, its root key is in `{}`",
            file.path.display()
        )),
        error => Failure::new(format!("the account {account} was not made: {error}")),
    })?;
    Ok(Opened { access_key_id, secret, credentials })
}

/// Twelve random digits, the first of them not zero.
pub(crate) fn random_account(random: &dyn Random) -> Result<AccountId, Failure> {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    let number = 100_000_000_000 + u64::from_be_bytes(bytes) % 900_000_000_000;
    AccountId::from_number(number).ok_or_else(|| Failure::new("no account number could be drawn"))
}
