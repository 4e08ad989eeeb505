//! Put a house together in a data directory: store, directory, audit, first account.

use std::path::PathBuf;
use std::sync::Arc;

use daypass_authn::SystemRandom;
use daypass_authn::sigv4::SigningKeyCache;
use daypass_authn::token::MasterKey;
use daypass_directory::record::{AccessKeyPointer, KeyOwner};
use daypass_directory::{Directory, key};
use daypass_model::{AccessKeyId, AccessKeyKind, AccountId, Clock, Random, Secret, SystemClock};
use daypass_service::{Audit, House, Settings};
use daypass_store::{OpenError, SqliteStore};

use crate::accounts::{Opened, open_account, random_account};
use crate::audit_file::{AuditFile, AuditLines, AuditSettings};
use crate::config::{Config, Pinned};
use crate::data_dir::{Age, DataDir, STORE};
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::root_credentials;

/// Signing keys kept: one for each secret, day, region and service in use.
const SIGNING_KEYS_KEPT_MAX: usize = 10_000;

/// What stands in the place of a request id in the records of the first account.
const FIRST_START: &str = "first-start";

/// Everything of a server but its sockets.
pub struct Assembled {
    /// The house.
    pub house: Arc<House>,
    /// The audit file behind it.
    pub audit: Arc<AuditFile>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The data directory, held for as long as this lives.
    pub data: DataDir,
    /// What the first start made.
    pub first: Option<FirstStart>,
}

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

/// Open or make everything in the data directory.
///
/// # Errors
/// One line that says what to do; nothing is damaged.
pub async fn assemble(config: &Config) -> Result<Assembled, Failure> {
    assemble_with(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await
}

/// The same with another clock and another source of randomness.
///
/// # Errors
/// As [`assemble`].
pub async fn assemble_with(
    config: &Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Assembled, Failure> {
    let data = DataDir::acquire(&config.data)?;
    let path = config.audit_file.clone().unwrap_or_else(|| data.file("audit.jsonl"));
    let age = data.age(&path)?;
    let (master, store) = open(config, &data, &age, &*random)?;
    let started = clock.now();
    let directory = Directory::open(store.clone(), master, clock, random.clone()).await;
    let directory =
        directory.map_err(|error| Failure::new(format!("`{}`: {error}", config.data.display())))?;
    let audit = AuditFile::open(AuditSettings {
        path: path.clone(),
        rotate_bytes: config.audit_rotate_bytes,
        keep: config.audit_keep,
        stdout: config.audit_stdout,
    });
    let audit = audit.map_err(|error| {
        Failure::disk(&format!("the audit file `{}` cannot be opened", path.display()), &error)
    })?;
    let first = first_account(&directory, &data, &config.pinned).await?;
    if age == Age::New {
        // INVARIANT (never-empty): from here on the store's file alone has an account, whatever becomes of its log.
        let written = store.write_back().await;
        written.map_err(|error| Failure::new(format!("the first account could not be written: {error}")))?;
        data.first_start_done()?;
    }
    data.warn_if_open(&path);
    let view = directory.snapshot();
    tracing::info!("store opened at revision {}, {} accounts", view.revision(), view.account_ids().len());
    let house = House {
        directory,
        audit: Audit::new(Box::new(AuditLines(audit.clone()))),
        settings: Settings {
            public_authority: config.public_authority.clone(),
            tolerated_unsigned_headers: config.tolerated_unsigned_headers.clone(),
        },
        signing_keys: SigningKeyCache::new(SIGNING_KEYS_KEPT_MAX),
    };
    Ok(Assembled { house: Arc::new(house), audit, metrics: Metrics::new(started), random, data, first })
}

/// The master key and the store, both made if this is a first start, both there if it is not.
fn open(
    config: &Config,
    data: &DataDir,
    age: &Age,
    random: &dyn Random,
) -> Result<(MasterKey, Arc<SqliteStore>), Failure> {
    let path = data.file(STORE);
    let lost = |found: &[PathBuf], what: &str| {
        let found: Vec<_> = found.iter().map(|path| format!("`{}`", path.display())).collect();
        Failure::new(format!(
            "`{}` {what}, but an account was made here once, as is seen from {}; nothing was changed: restore a backup of the store, or move these away to begin anew",
            path.display(),
            found.join(", ")
        ))
    };
    match age {
        // Before a new master key is made for a store that will be put back.
        Age::Used(found) if !path.exists() => return Err(lost(found, "is missing")),
        _ => {}
    }
    let master = data.master_key(config.master_key.as_ref(), config.master_key_file.as_deref(), random)?;
    let store = match age {
        Age::New => SqliteStore::open(&path),
        Age::Used(_) => SqliteStore::open_holding(&path, key::ACCOUNTS),
    };
    let store = store.map_err(|error| match (&error, age) {
        (OpenError::Lost { .. }, Age::Used(found)) => lost(found, "has no account in it"),
        _ => Failure::new(error.to_string()),
    })?;
    Ok((master, Arc::new(store)))
}

/// On the first start make an account and its root key; later, hold what is pinned against what is there.
async fn first_account(
    directory: &Directory,
    data: &DataDir,
    pinned: &Pinned,
) -> Result<Option<FirstStart>, Failure> {
    let view = directory.snapshot();
    if !view.account_ids().is_empty() {
        return check_pinned(&view, pinned).map(|()| None);
    }
    let account = match &pinned.account_id {
        Some(text) => text.parse().map_err(|error| Failure::new(format!("DAYPASS_ACCOUNT_ID: {error}")))?,
        None => random_account(directory.random())?,
    };
    let first = match (&pinned.access_key_id, &pinned.secret_access_key) {
        (Some(id), Some(secret)) => {
            let access_key_id = parse_pinned(id, secret)?;
            pinned_account(directory, account, access_key_id.clone(), secret).await?;
            FirstStart { account, access_key_id, secret: None, credentials: None }
        }
        (None, None) => {
            // A file is what a crash left of this first start: when it began there was none.
            data.remove(root_credentials::NAME);
            let file = data.file(root_credentials::NAME);
            let Opened { access_key_id, secret, credentials } =
                open_account(directory, account, file, FIRST_START).await?;
            FirstStart { account, access_key_id, secret: Some(secret), credentials: Some(credentials) }
        }
        _ => {
            return Err(Failure::new(
                "give DAYPASS_ROOT_ACCESS_KEY_ID and DAYPASS_ROOT_SECRET_ACCESS_KEY together, or neither",
            ));
        }
    };
    Ok(Some(first))
}

/// The first account with a root key that the environment gives: whoever gave it has it, so there is no file.
async fn pinned_account(
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

/// A later start with other pinned values is refused: they count on the first start only.
fn check_pinned(view: &daypass_directory::View, pinned: &Pinned) -> Result<(), Failure> {
    let wrong = |name: &str| {
        Err(Failure::new(format!(
            "{name} differs from what this data directory was made with; it counts on the first start only: unset it, or name another --data"
        )))
    };
    let Some(id) = &pinned.access_key_id else {
        let known = |account: &String| view.account_ids().iter().any(|id| id.as_str() == account);
        return if pinned.account_id.as_ref().is_none_or(known) {
            Ok(())
        } else {
            wrong("DAYPASS_ACCOUNT_ID")
        };
    };
    let id: AccessKeyId =
        id.parse().map_err(|error| Failure::new(format!("DAYPASS_ROOT_ACCESS_KEY_ID: {error}")))?;
    let root = |pointer: &&AccessKeyPointer| pointer.owner == Some(KeyOwner::Root);
    let Some(pointer) = view.operator().key_owner(&id).filter(root) else {
        return wrong("DAYPASS_ROOT_ACCESS_KEY_ID");
    };
    if pinned.account_id.as_ref().is_some_and(|pinned| pinned != pointer.account.as_str()) {
        return wrong("DAYPASS_ACCOUNT_ID");
    }
    let keys = view.operator().account(pointer.account).and_then(|account| account.root().cloned());
    let same = keys.is_some_and(|root| {
        root.root_keys
            .iter()
            .any(|key| key.id == id && pinned.secret_access_key.as_ref() == Some(&key.secret))
    });
    if same { Ok(()) } else { wrong("DAYPASS_ROOT_SECRET_ACCESS_KEY") }
}
