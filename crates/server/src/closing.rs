//! Closing an account, on the operator's word given twice.

use daypass_directory::{NotClosed, NotCommitted};
use daypass_model::AccountId;
use daypass_service::House;

use crate::failure::Failure;

/// Close it; what the audit is told.
///
/// # Errors
/// There is no such account, it is the only one, it was not confirmed, or it could not be written.
pub(crate) async fn close(
    house: &House,
    account_id: &str,
    confirm: Option<&str>,
    request_id: &str,
) -> Result<String, Failure> {
    let id: AccountId =
        account_id.parse().map_err(|error| Failure::new(format!("--account-id {account_id}: {error}")))?;
    let view = house.directory.snapshot();
    let account =
        view.operator().account(id).ok_or_else(|| Failure::new(format!("there is no account {id}")))?;
    let held = format!(
        "{} users, {} groups, {} roles",
        account.user_count(),
        account.group_count(),
        account.role_count()
    );
    if confirm != Some(id.as_str()) {
        return Err(Failure::new(format!(
            "account {id} has {held}: all of it ends at once and for good, and nothing brings it back but a backup; nothing was changed: say its number once more, with --confirm {id}"
        )));
    }
    let closed = house.directory.close_account(id, request_id).await;
    closed.map_err(|error| match error {
        NotClosed::Last(_) => Failure::new(format!(
            "{error}, and is not closed: stop the server and remove its data directory instead"
        )),
        NotClosed::NotCommitted(NotCommitted::Unknown(_)) => {
            Failure::new(format!("{error}; it may have been closed: look with `daypass account list`"))
        }
        error => Failure::new(format!("the account {id} was not closed: {error}")),
    })?;
    Ok(format!("{id}: {held}"))
}
