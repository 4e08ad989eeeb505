//! The account of a first start, and what the environment pins of it.

use std::path::PathBuf;

use daypass_directory::record::KeyOwner;
use daypass_directory::{Directory, View};
use daypass_model::{AccessKeyId, AccessKeyKind, AccountId, Secret};

use crate::accounts::{Opened, open_account, random_account};
use crate::config::Pinned;
use crate::data_dir::DataDir;
use crate::data_dir::names::ROOT_CREDENTIALS;
use crate::failure::Failure;

/// What stands in the place of a request id in the records of the first account.
const FIRST_START: &str = "first-start";

/// An access key that the environment gives.
type Key<'a> = (AccessKeyId, &'a Secret);

/// The first account and where its root key is.
pub struct FirstStart {
    /// The account.
    pub account: AccountId,
    /// Its root key.
    pub access_key_id: AccessKeyId,
    /// The secret, for a terminal only; absent when it was given by the environment.
    pub secret: Option<Secret>,
    /// The file with the key; absent when it was given by the environment.
    pub credentials: Option<PathBuf>,
}

/// On the first start make an account and its root key; later, hold what is pinned against what is there.
///
/// # Errors
/// What is pinned is not well formed or differs from what is there, or the account could not be made.
pub(crate) async fn first_account(
    directory: &Directory,
    data: &DataDir,
    pinned: &Pinned,
) -> Result<Option<FirstStart>, Failure> {
    let view = directory.snapshot();
    if !view.account_ids().is_empty() {
        return check(&view, pinned).map(|()| None);
    }
    let (account, key) = parse(pinned)?;
    let account = account.map_or_else(|| random_account(directory.random()), Ok)?;
    let first = if let Some((access_key_id, secret)) = key {
        make_pinned(directory, account, access_key_id.clone(), secret).await?;
        FirstStart { account, access_key_id, secret: None, credentials: None }
    } else {
        // A file is what a crash left of this first start: when it began there was none.
        data.remove(ROOT_CREDENTIALS);
        let file = data.file(ROOT_CREDENTIALS);
        let Opened { access_key_id, secret, credentials } =
            open_account(directory, account, file, FIRST_START).await?;
        FirstStart { account, access_key_id, secret: Some(secret), credentials: Some(credentials) }
    };
    Ok(Some(first))
}

/// The first account with a root key that the environment gives: whoever gave it has it, so there is no file.
async fn make_pinned(
    directory: &Directory,
    account: AccountId,
    id: AccessKeyId,
    secret: &Secret,
) -> Result<(), Failure> {
    let now = directory.clock().now().as_second();
    let record = directory.seal_access_key(id, secret, now);
    let record = record.map_err(|error| Failure::new(error.to_string()))?;
    let created = directory.create_account(account, record, FIRST_START).await;
    created.map_err(|error| Failure::new(format!("the first account could not be made: {error}")))
}

/// What is pinned for a first start.
///
/// # Errors
/// It is not well formed.
pub(crate) fn parse(pinned: &Pinned) -> Result<(Option<AccountId>, Option<Key<'_>>), Failure> {
    let key = pinned_key(pinned)?;
    let account = pinned
        .account_id
        .as_ref()
        .map(|text| text.parse().map_err(|error| Failure::new(format!("DAYPASS_ACCOUNT_ID: {error}"))));
    Ok((account.transpose()?, key))
}

/// The root key that is pinned, whole or not at all: half of one would pin nothing on any start.
fn pinned_key(pinned: &Pinned) -> Result<Option<Key<'_>>, Failure> {
    match (&pinned.access_key_id, &pinned.secret_access_key) {
        (Some(id), Some(secret)) => Ok(Some((parse_pinned(id, secret)?, secret))),
        (None, None) => Ok(None),
        _ => Err(Failure::new(
            "give DAYPASS_ROOT_ACCESS_KEY_ID and DAYPASS_ROOT_SECRET_ACCESS_KEY together, or neither",
        )),
    }
}

fn parse_pinned(id: &str, secret: &Secret) -> Result<AccessKeyId, Failure> {
    let parsed: AccessKeyId =
        id.parse().map_err(|error| Failure::new(format!("DAYPASS_ROOT_ACCESS_KEY_ID: {error}")))?;
    if parsed.kind() == AccessKeyKind::Temporary {
        return Err(Failure::new(
            "DAYPASS_ROOT_ACCESS_KEY_ID: ids that begin with ASIA are for temporary credentials",
        ));
    }
    if secret.expose().len() < 16 {
        return Err(Failure::new("DAYPASS_ROOT_SECRET_ACCESS_KEY: at least 16 characters"));
    }
    Ok(parsed)
}

/// A later start with other pinned values is refused: they count on the first start only. A key that was deleted
/// since is no other one.
///
/// # Errors
/// Which one differs, or is not well formed.
pub(crate) fn check(view: &View, pinned: &Pinned) -> Result<(), Failure> {
    let (account, key) = (pinned.account_id.as_deref(), pinned_key(pinned)?);
    let Some((id, secret)) = key else {
        let known = |account: &str| {
            account.parse().is_ok_and(|id| view.is_account(id) || view.operator().is_closed(id))
        };
        return hold(account.is_none_or(known), "DAYPASS_ACCOUNT_ID");
    };
    let pointer = view.operator().key_owner(&id);
    let pointer = pointer.filter(|pointer| matches!(pointer.owner, Some(KeyOwner::Root) | None));
    let Some(pointer) = pointer else { return hold(false, "DAYPASS_ROOT_ACCESS_KEY_ID") };
    hold(account.is_none_or(|account| account == pointer.account.as_str()), "DAYPASS_ACCOUNT_ID")?;
    if pointer.owner.is_none() {
        tracing::warn!(
            "the key {id} that DAYPASS_ROOT_ACCESS_KEY_ID names was deleted: it counts for nothing; unset it, and DAYPASS_ROOT_SECRET_ACCESS_KEY"
        );
        return Ok(());
    }
    let root = view.operator().account(pointer.account).and_then(|account| account.root().cloned());
    let held =
        root.is_some_and(|root| root.root_keys.iter().any(|key| key.id == id && key.secret == *secret));
    hold(held, "DAYPASS_ROOT_SECRET_ACCESS_KEY")
}

fn hold(holds: bool, name: &str) -> Result<(), Failure> {
    if holds {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{name} differs from what this data directory was made with; it counts on the first start only: unset it, or name another --data"
    )))
}
