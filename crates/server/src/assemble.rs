//! Put a house together in a data directory: store, directory, audit, first account.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use daypass_authn::SystemRandom;
use daypass_authn::sigv4::SigningKeyCache;
use daypass_authn::token::MasterKey;
use daypass_directory::{Directory, is_of_master, key};
use daypass_model::{Authority, Clock, Random, SystemClock};
use daypass_service::federation::{Assertions, ProviderKeys, Refusals};
use daypass_service::{Audit, DecisionLog, House, Passwords, Settings};
use daypass_store::{Holding, OpenError, SqliteStore};
use jiff::Timestamp;

use crate::audit_file::{AuditFile, AuditLines, AuditSettings};
use crate::config::Config;
use crate::data_dir::names::{AUDIT, SESSION_LOG, STORE};
use crate::data_dir::{Age, DataDir, KeySource, adopt_next, find_next_key, forget_next};
use crate::descriptors;
use crate::failure::Failure;
use crate::first_account::{FirstStart, first_account};
use crate::metrics::Metrics;
use crate::outbound::{self, Outbound};
use crate::preflight;
use crate::session_file::{self, SessionFile};
use crate::tls::Tls;

/// Signing keys kept: one for each secret, day, region and service in use; for each access key with Version 4A.
const SIGNING_KEYS_KEPT_MAX: usize = 10_000;

/// Everything of a server but its sockets.
pub struct Assembled {
    /// The house.
    pub house: Arc<House>,
    /// The audit file behind it.
    pub audit: Arc<AuditFile>,
    /// The file behind its session log.
    pub(crate) session_file: Arc<SessionFile>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The certificate of the API, if it has one.
    pub(crate) tls: Option<Arc<Tls>>,
    /// Where the master key was read.
    pub(crate) key_source: KeySource,
    /// The data directory, held for as long as this lives.
    pub data: DataDir,
    /// What the first start made.
    pub first: Option<FirstStart>,
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
    // First, since nothing needs to be made for it.
    let tls = config.tls.clone().map(|files| Tls::open(files, clock.clone())).transpose()?;
    let outbound = Outbound::new(config.outbound.clone(), outbound::roots(config.ca_bundle.as_deref())?);
    let data = DataDir::acquire(&config.data)?;
    let path = config.audit_file.clone().unwrap_or_else(|| data.file(AUDIT));
    preflight::names_are_free(data.path(), &path, config.audit_keep)?;
    preflight::sessions_are_a_file(data.path())?;
    preflight::audit_is_one(data.path(), &path)?;
    let age = data.age(&path)?;
    let started = clock.now();
    let (master, store) = open(config, &data, &age, &*random, started)?;
    let rules = config.session_rules;
    let directory = Directory::open_with(store.clone(), master, clock, random.clone(), rules).await;
    let directory =
        directory.map_err(|error| Failure::new(format!("`{}`: {error}", config.data.display())))?;
    let audit = AuditFile::open(AuditSettings {
        path: path.clone(),
        rotate_bytes: config.audit_rotate_bytes,
        keep: config.audit_keep,
        stdout: config.audit_stdout,
        store: Some(store.place()),
    });
    let audit = audit.map_err(|error| preflight::no_audit(&path, &error))?;
    let first = first_account(&directory, &data, &config.pinned).await?;
    if age == Age::New {
        // INVARIANT (never-empty): from here on the store's file alone has an account, whatever becomes of its log.
        let written = store.write_back().await;
        written.map_err(|error| Failure::new(format!("the first account could not be written: {error}")))?;
        data.first_start_done()?;
    }
    data.warn_if_open(&path);
    let sessions_max = usize::try_from(config.session_log_max).unwrap_or(usize::MAX);
    let (session_log, session_file) = session_file::open(&data.file(SESSION_LOG), sessions_max, started)?;
    let view = directory.snapshot();
    tracing::info!("store opened at revision {}, {} accounts", view.revision(), view.account_ids().len());
    let house = House {
        directory,
        audit: Audit::new(Box::new(AuditLines(audit.clone()))),
        settings: Settings {
            public_authority: config.public_authority.clone(),
            issuer_base: config.public_authority.as_ref().map(Authority::url),
            tolerated_unsigned_headers: config.tolerated_unsigned_headers.clone(),
            allow_signature_v2: config.allow_signature_v2,
            issuers: config.issuers.clone(),
            saml: config.saml.clone(),
            sign_in: config.sign_in.clone(),
            services: config.services.clone(),
            sts_region: config.sts_region.clone(),
        },
        session_log,
        provider_keys: ProviderKeys::with_fetches(Box::new(outbound), descriptors::fetches_max()),
        signing_keys: SigningKeyCache::new(SIGNING_KEYS_KEPT_MAX),
        assertions: Assertions::default(),
        passwords: Passwords::default(),
        refusals: Refusals::default(),
        decisions: DecisionLog::new(config.decision_log_hours),
    };
    let (house, metrics) = (Arc::new(house), Metrics::new(started));
    let key_source = config.key_source();
    Ok(Assembled { house, audit, session_file, metrics, random, tls, key_source, data, first })
}

/// The master key and the store, both made if this is a first start, both there if it is not.
fn open(
    config: &Config,
    data: &DataDir,
    age: &Age,
    random: &dyn Random,
    now: Timestamp,
) -> Result<(MasterKey, Arc<SqliteStore>), Failure> {
    let path = data.file(STORE);
    // Before a new master key is made for a store that will be put back.
    preflight::store_is_there(data.path(), age)?;
    match age {
        Age::Used(_) => {
            preflight::log_is_there(data.path())?;
            // A restore whose end was cut off had put its store in place already.
            data.restored()?;
        }
        Age::New => {}
    }
    let master = data.master_key(config.master_key.as_ref(), config.master_key_file.as_deref(), random)?;
    // A rotation of the directory's own key that a crash cut short: the store says which of the two is in force.
    let next = if config.key_source() == KeySource::Own { find_next_key(data.path())? } else { None };
    let is_next = Cell::new(false);
    let ours = |check: &[u8]| {
        is_next.set(next.as_ref().is_some_and(|next| is_of_master(next, check)));
        is_next.get() || is_of_master(&master, check)
    };
    let holding = Holding { prefix: key::ACCOUNTS, known: Some((key::MASTER_KEY_CHECK, &ours)) };
    let store = match age {
        Age::New => SqliteStore::open(&path),
        Age::Used(_) => SqliteStore::open_holding(&path, holding),
    };
    let store = store.map_err(|error| match (&error, age) {
        (OpenError::Unknown { .. }, _) => not_ours(&path),
        (OpenError::Lost { .. }, Age::Used(found)) => preflight::lost(&path, "has no account in it", found),
        _ => Failure::new(error.to_string()),
    })?;
    let store = Arc::new(store);
    // The log of whoever was killed here was read, and goes with this store's end in order: it is no longer to be missed,
    // whatever else is in this start's way.
    preflight::forget_kill(data);
    match next {
        Some(next) if is_next.get() => {
            adopt_next(data.path(), now)?;
            Ok((next, store))
        }
        Some(_) => forget_next(data.path()).map(|()| (master, store)),
        None => Ok((master, store)),
    }
}

/// The master key is another store's, or the log is, which lies over the file.
fn not_ours(path: &Path) -> Failure {
    let wrong = daypass_directory::OpenError::WrongMasterKey;
    let log = format!("{}-wal", path.display());
    let line = if Path::new(&log).exists() {
        format!(
            "`{}`: {wrong}; if you just put this store here, move `{log}` away and its `-shm` with it, and `operator.sock`: they are the store's that was here before",
            path.display()
        )
    } else {
        format!("`{}`: {wrong}", path.display())
    };
    Failure::new(line)
}
