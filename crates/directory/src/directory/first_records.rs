//! The first records of a store, and whether it is sealed with the master key at hand.

use daypass_authn::token::{BadSeal, Keyring, MasterKey};
use daypass_model::{Clock, Random};
use daypass_store::{Commit, CommitError, Guard, Store};

use super::missing;
use crate::entity::Unreadable;
use crate::error::OpenError;
use crate::key;
use crate::record::{KeyringRecord, Unknown, Written};

const CHECK_TEXT: &[u8] = b"daypass master key check";

/// The first records: the master key's check and the keyring. Two nodes may race; one wins, both go on. The keyring
/// without the check is nobody's race: without it the wrong master key would not be noticed.
pub(super) async fn prepare(
    store: &dyn Store,
    master: &MasterKey,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<(), OpenError> {
    if is_checked(store, master).await? {
        return Ok(());
    }
    let keyring = Keyring::generate(random, clock.now().as_second()).keys().to_text();
    let sealed = master.seal(key::KEYRING, keyring.expose(), random)?;
    let record = KeyringRecord { written: Written::by("first-start"), sealed, unknown: Unknown::new() };
    let check = new_check(master, random)?;
    let commit = Commit {
        guards: vec![Guard::absent(key::KEYRING), Guard::absent(key::MASTER_KEY_CHECK)],
        puts: vec![
            (key::KEYRING.into(), serde_json::to_vec(&record).unwrap_or_default().into()),
            (key::MASTER_KEY_CHECK.into(), check.into_bytes().into()),
        ],
        deletes: Vec::new(),
    };
    match store.commit(commit).await {
        Ok(_) => Ok(()),
        Err(CommitError::Conflict) if is_checked(store, master).await? => Ok(()),
        Err(CommitError::Conflict) => Err(missing(key::MASTER_KEY_CHECK).into()),
        Err(error) => Err(OpenError::Commit(error)),
    }
}

/// What goes into the record [`key::MASTER_KEY_CHECK`].
pub(super) fn new_check(master: &MasterKey, random: &dyn Random) -> Result<String, BadSeal> {
    master.seal(key::MASTER_KEY_CHECK, CHECK_TEXT, random)
}

/// The master key that is being replaced, if a rotation did not come to its end.
pub(super) async fn previous(store: &dyn Store, master: &MasterKey) -> Result<Option<MasterKey>, OpenError> {
    let (_, found) = store.load(key::MASTER_KEY_PREVIOUS).await?;
    let Some(record) = found.first() else { return Ok(None) };
    let sealed = std::str::from_utf8(&record.value).unwrap_or_default();
    let text = master.open(key::MASTER_KEY_PREVIOUS, sealed).map_err(|_| closed())?;
    MasterKey::from_text(&text).map(Some).map_err(|_| closed())
}

fn closed() -> OpenError {
    let why = "it does not open with this master key".to_owned();
    Unreadable { key: key::MASTER_KEY_PREVIOUS.into(), why }.into()
}

/// Whether the store knows its master key, and it is this one; `false` when it knows none yet.
async fn is_checked(store: &dyn Store, master: &MasterKey) -> Result<bool, OpenError> {
    let (_, found) = store.load(key::MASTER_KEY_CHECK).await?;
    let Some(check) = found.first() else { return Ok(false) };
    if is_of_master(master, &check.value) { Ok(true) } else { Err(OpenError::WrongMasterKey) }
}

/// Whether the record [`key::MASTER_KEY_CHECK`] was made with this master key.
#[must_use]
pub fn is_of_master(master: &MasterKey, check: &[u8]) -> bool {
    let sealed = std::str::from_utf8(check).unwrap_or_default();
    master.open(key::MASTER_KEY_CHECK, sealed).is_ok_and(|text| text.expose() == CHECK_TEXT)
}
