//! A new key for an account's root user: the way back for whoever has lost the last one, or is locked out by a
//! policy of their own. It needs the machine, as the operator's door does, and no credentials.

use std::path::Path;

use daypass_directory::{AccountEntity, NotCommitted};
use daypass_model::AccountId;
use daypass_model::limits::ACCESS_KEYS_PER_USER_MAX;
use daypass_service::House;

use crate::data_dir::names::root_credentials_of_key;
use crate::failure::Failure;
use crate::root_credentials::KeyFile;

/// Make the key, and the file that has it.
///
/// # Errors
/// There is no such account, its root has as many keys as it may, or the key cannot be written.
pub(crate) async fn make(
    house: &House,
    data: &Path,
    account_id: &str,
    replace: bool,
    request_id: &str,
) -> Result<KeyFile, Failure> {
    let id: AccountId =
        account_id.parse().map_err(|error| Failure::new(format!("--account-id {account_id}: {error}")))?;
    let view = house.directory.snapshot();
    let account = view.operator().account(id).and_then(|account| account.root().cloned());
    let account = account.ok_or_else(|| Failure::new(format!("there is no account {id}")))?;
    if !replace && account.record.root_keys.len() >= ACCESS_KEYS_PER_USER_MAX {
        return Err(full(&account));
    }
    let made = house.directory.new_access_key(id, house.now().as_second());
    let (record, secret) = made.map_err(|error| Failure::new(error.to_string()))?;
    let path = data.join(root_credentials_of_key(id, &record.id));
    let file = KeyFile::write(path, record.id.clone(), &secret)?;
    let made = house.directory.add_root_key(&account, record, replace, request_id).await;
    file.settle(made, |file, error| match error {
        NotCommitted::Unknown(_) => Failure::new(format!(
            "{error}; if it was made, the key is in `{}`: try it before you ask again",
            file.path.display()
        )),
        error => Failure::new(format!("the key was not made: {error}")),
    })
}

fn full(account: &AccountEntity) -> Failure {
    let keys = account.record.root_keys.iter();
    let keys: Vec<_> =
        keys.map(|key| format!("{} ({})", key.id, if key.active { "active" } else { "inactive" })).collect();
    Failure::new(format!(
        "root of account {} has {} already, and no more are allowed: delete one with `aws iam delete-access-key`, or say --replace, which deletes them all",
        account.record.id,
        keys.join(" and ")
    ))
}
