//! The directory of one node: it loads the store once, follows its changes, hands out snapshots and
//! makes commits.
//!
//! A request never waits for the store in order to be authenticated, decided or given credentials: all
//! of that reads one [`View`]. Only a write waits, until its commit is durable *and* in this node's view.

mod closing;
mod first_records;
mod master_rotation;
mod rotation;
mod sealing;
mod sign_in;
mod spending;
mod web_identity;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use daypass_authn::token::MasterKey;
use daypass_model::{AccessKeyId, AccountId, Clock, Random};
use daypass_store::{CommitError, Revision, Store, StoreError, WatchEnd};
use tokio::sync::watch;

use crate::change::Change;
use crate::credential::BadCredential;
use crate::entity::{AccountEntity, Compiler, Unreadable};
use crate::error::{NotCommitted, OpenError};
use crate::key;
use crate::last_used::{self, LastUsed};
use crate::master::MasterKeys;
use crate::record::{AccessKeyPointer, AccessKeyRecord, AccountRecord, KeyOwner, Unknown};
use crate::revocation::SessionRules;
use crate::session::{Session, SessionCache};
use crate::turns::{Turn, Turns};
use crate::view::{self, View};

pub use closing::NotClosed;
pub use first_records::is_of_master;
pub use master_rotation::MasterNotRotated;
pub use rotation::{NotRotated, Rotation};
pub use sign_in::SignInTry;
pub(crate) use spending::in_time;
pub use spending::{AssertionUse, Hashed, SpentByCall};

/// See the module.
pub struct Directory {
    store: Arc<dyn Store>,
    master: Arc<MasterKeys>,
    view: ArcSwap<View>,
    compiler: Compiler,
    sessions: SessionCache,
    last_used: Arc<LastUsed>,
    turns: Turns,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// The revision in `view`; `Err` once this node can no longer follow the store.
    applied: watch::Sender<Result<Revision, String>>,
}

/// How long a write waits to see its own commit, before it says that it cannot tell.
const APPLY_SECONDS_MAX: Duration = Duration::from_secs(5);
/// How long it waits for the store before that.
const COMMIT_SECONDS_MAX: Duration = Duration::from_secs(10);
/// How long a store that could not write may take to say whether it can now.
const PROBE_TIME_MAX: Duration = Duration::from_millis(500);

impl Directory {
    /// Load everything, make the keyring if there is none yet, and follow the store from then on (in a task of
    /// the current tokio runtime that ends when the directory is dropped).
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(
        store: Arc<dyn Store>,
        master: MasterKey,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Arc<Self>, OpenError> {
        Self::open_with(store, master, clock, random, SessionRules::default()).await
    }

    /// The same where sessions depend on more than AWS's do.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open_with(
        store: Arc<dyn Store>,
        master: MasterKey,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        rules: SessionRules,
    ) -> Result<Arc<Self>, OpenError> {
        first_records::prepare(&*store, &master, &*clock, &*random).await?;
        let previous = first_records::previous(&*store, &master).await?;
        let is_rotating = previous.is_some();
        let master = Arc::new(MasterKeys::new(master, previous));
        let compiler = Compiler::new(master.clone());
        let last_used = Arc::new(LastUsed::new());
        let view = load(&*store, &compiler, &master, &last_used, rules).await?;
        let (applied, _) = watch::channel(Ok(view.revision()));
        let directory = Arc::new(Self {
            store,
            master,
            view: ArcSwap::from_pointee(view),
            compiler,
            sessions: SessionCache::new(),
            last_used: last_used.clone(),
            turns: Turns::default(),
            clock,
            random,
            applied,
        });
        tokio::spawn(follow(Arc::downgrade(&directory)));
        tokio::spawn(last_used::keep(last_used, Arc::downgrade(&directory)));
        if is_rotating && let Err(error) = directory.finish_master_rotation("start").await {
            // Both keys open until it can be.
            tracing::error!(%error, "the rotation of the master key was not finished; ask for it again");
        }
        Ok(directory)
    }

    /// The present picture. Take one per call and read everything from it.
    #[must_use]
    pub fn snapshot(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// The clock everything here goes by.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The randomness everything here draws from.
    #[must_use]
    pub fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// When keys and roles were last used.
    #[must_use]
    pub fn last_used(&self) -> &LastUsed {
        &self.last_used
    }

    /// Whether this node follows the store; otherwise why not.
    ///
    /// # Errors
    /// What keeps it from following, for the operator.
    pub fn health(&self) -> Result<Revision, String> {
        self.applied.borrow().clone()
    }

    /// Whether commits come through, as far as this node knows. Asks the store to try if the last one did not, and
    /// waits less than whoever probes a server would.
    ///
    /// # Errors
    /// Why not, for the operator.
    pub async fn writable(&self) -> Result<(), String> {
        let answer = tokio::time::timeout(PROBE_TIME_MAX, self.store.writable()).await;
        answer.unwrap_or_else(|_| Err("it was asked to write, and has not answered yet".to_owned()))
    }

    /// Write a consistent copy of the whole store to `path`, which must not exist; the copy's revision.
    ///
    /// # Errors
    /// The destination exists or cannot be written, or the store has no backups.
    pub async fn backup(&self, path: &Path) -> Result<Revision, StoreError> {
        self.store.backup(path).await
    }

    /// Hears of every revision this node has applied.
    #[must_use]
    pub fn revisions(&self) -> watch::Receiver<Result<Revision, String>> {
        self.applied.subscribe()
    }

    /// Write, and return when this node's view has it.
    ///
    /// # Errors
    /// [`NotCommitted`]; on [`NotCommitted::Conflict`] decide again from a new snapshot.
    pub async fn commit(&self, change: Change) -> Result<(), NotCommitted> {
        if change.is_empty() {
            return Ok(());
        }
        let commit = change.into_commit();
        let written = commit.puts.first().cloned();
        let committing = tokio::time::timeout(COMMIT_SECONDS_MAX, self.store.commit(commit));
        let Ok(committed) = committing.await else {
            // Handed over, and not to be taken back: a disk that hangs may still take it.
            return Err(NotCommitted::Unknown("the store has not answered for 10 seconds".into()));
        };
        let revision = match committed {
            Ok(revision) => revision,
            Err(CommitError::Conflict) => {
                self.catch_up().await;
                return Err(NotCommitted::Conflict);
            }
            Err(CommitError::Full) => return Err(NotCommitted::Full),
            Err(CommitError::Invalid(bound)) => return Err(NotCommitted::OutOfBounds(bound)),
            Err(CommitError::Unknown) => self.look_again(written).await?,
            Err(CommitError::Unavailable(why)) => return Err(NotCommitted::Unavailable(why)),
        };
        self.wait_for(revision).await
    }

    /// Wait for one's turn among an account's calls whose commits were in each other's way; it is over when this
    /// is dropped.
    pub async fn turn(&self, account: AccountId) -> Turn {
        self.turns.wait(account).await
    }

    /// Make an account with one root key.
    ///
    /// # Errors
    /// [`NotCommitted::Conflict`] when there is such an account, or such a key.
    pub async fn create_account(
        &self,
        id: AccountId,
        root_key: AccessKeyRecord,
        request_id: &str,
    ) -> Result<(), NotCommitted> {
        let mut change = Change::new(request_id, &self.snapshot());
        self.sealed_by_present(&root_key)?;
        let (account, pointer) = (key::account(id), key::access_key(&root_key.id));
        change.absent(account.clone());
        change.absent(pointer.clone());
        let written = change.written();
        let owner = Some(KeyOwner::Root);
        change.put(
            pointer,
            &AccessKeyPointer { written: written.clone(), account: id, owner, unknown: Unknown::new() },
        );
        let created = self.clock.now().as_second();
        change.put(
            account,
            &AccountRecord {
                written,
                id,
                created,
                root_keys: vec![root_key],
                closed: None,
                unknown: Unknown::new(),
            },
        );
        self.commit(change).await
    }

    /// Give an account's root user a key, decided on what `account` says: one more, or with `replace` in the place
    /// of all it has.
    ///
    /// # Errors
    /// [`NotCommitted::Conflict`] when the account has changed since.
    pub async fn add_root_key(
        &self,
        account: &AccountEntity,
        root_key: AccessKeyRecord,
        replace: bool,
        request_id: &str,
    ) -> Result<(), NotCommitted> {
        let mut change = Change::new(request_id, &self.snapshot());
        self.sealed_by_present(&root_key)?;
        let mut record = account.record.clone();
        record.written = change.written();
        let point = |change: &mut Change, id: &AccessKeyId, owner: Option<KeyOwner>| {
            let pointer = AccessKeyPointer {
                written: change.written(),
                account: record.id,
                owner,
                unknown: Unknown::new(),
            };
            change.put(key::access_key(id), &pointer);
        };
        // INVARIANT (key-ids-once): an id that ever was cannot be made again, because its pointer stays.
        change.absent(key::access_key(&root_key.id));
        point(&mut change, &root_key.id, Some(KeyOwner::Root));
        if replace {
            record.root_keys.iter().for_each(|gone| point(&mut change, &gone.id, None));
            record.root_keys.clear();
        }
        record.root_keys.push(root_key);
        let place = key::account(record.id);
        change.unchanged(place.clone(), account.revision);
        change.put(place, &record);
        self.commit(change).await
    }

    /// INVARIANT (sealed-by-present): the snapshot that guards a key may be younger than the key.
    fn sealed_by_present(&self, key: &AccessKeyRecord) -> Result<(), NotCommitted> {
        let opened = self.master.present().open(&key::access_key(&key.id), &key.sealed_secret);
        opened.map(drop).map_err(|_| NotCommitted::Conflict)
    }

    pub(crate) fn open_session(
        &self,
        view: &View,
        id: &AccessKeyId,
        token: &str,
    ) -> Result<Arc<Session>, BadCredential> {
        self.sessions.open(view.keyring(), &self.compiler, id, token)
    }

    /// Whoever was refused decides again: on a view that has what stood against it, or the same would happen again.
    async fn catch_up(&self) {
        if let Ok(revision) = self.store.current().await {
            // Not reached in time: then the next try meets the same conflict, which does no harm.
            drop(self.wait_for(revision).await);
        }
    }

    /// A commit whose answer got lost: what it wrote carries its request id, so reading tells.
    async fn look_again(&self, written: Option<(String, bytes::Bytes)>) -> Result<Revision, NotCommitted> {
        let unknown = |why: String| NotCommitted::Unknown(why);
        let Some((place, value)) = written else { return Err(unknown("nothing to look for".into())) };
        let (revision, records) =
            self.store.load(&place).await.map_err(|error| unknown(error.to_string()))?;
        let done = records.iter().any(|record| *record.key == *place && record.value == value);
        if done { Ok(revision) } else { Err(unknown("it is not in the store yet".into())) }
    }

    async fn wait_for(&self, revision: Revision) -> Result<(), NotCommitted> {
        let mut applied = self.applied.subscribe();
        let reached = applied.wait_for(|state| state.as_ref().map_or(true, |at| *at >= revision));
        match tokio::time::timeout(APPLY_SECONDS_MAX, reached).await {
            Ok(Ok(state)) if state.is_ok() => Ok(()),
            _ => Err(NotCommitted::Unknown("this node does not follow the store".into())),
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.last_used.close();
    }
}

fn missing(key: &str) -> Unreadable {
    Unreadable { key: key.into(), why: "it is missing".into() }
}

async fn load(
    store: &dyn Store,
    compiler: &Compiler,
    master: &MasterKeys,
    last_used: &LastUsed,
    rules: SessionRules,
) -> Result<View, OpenError> {
    let (revision, records) = store.load("/").await?;
    let check = records.iter().find(|record| &*record.key == key::MASTER_KEY_CHECK);
    if !check.is_some_and(|check| master.follow(&check.value)) {
        return Err(OpenError::WrongMasterKey);
    }
    records.iter().for_each(|record| last_used.read(record));
    let keyring = records.iter().find(|record| &*record.key == key::KEYRING);
    let keyring = keyring.ok_or_else(|| missing(key::KEYRING))?;
    let keyring = Arc::new(view::keyring(keyring, master)?);
    Ok(View::empty(keyring, rules).apply(compiler, revision, &records, &[])?)
}

/// Apply every change of the store to the view, in order, for as long as the directory lives.
async fn follow(directory: std::sync::Weak<Directory>) {
    loop {
        let Some(strong) = directory.upgrade() else { return };
        let after = strong.view.load().revision();
        let mut changes = match strong.store.watch(after) {
            Ok(changes) => changes,
            Err(_) => {
                if reload(&strong).await {
                    continue;
                } else {
                    return;
                }
            }
        };
        drop(strong);
        loop {
            let change = changes.next().await;
            let Some(strong) = directory.upgrade() else { return };
            match change {
                Ok(change) => {
                    if !strong.take(&change) {
                        return;
                    }
                }
                Err(WatchEnd::Compacted(_)) => break,
                Err(WatchEnd::Closed) => {
                    strong.report(Err("the store was closed".into()));
                    return;
                }
            }
        }
    }
}

/// Start over from a full load, when the changes between are no longer kept.
async fn reload(directory: &Directory) -> bool {
    let Directory { store, compiler, master, last_used, .. } = directory;
    let rules = directory.view.load().session_rules();
    match load(&**store, compiler, master, last_used, rules).await {
        Ok(view) => {
            let revision = view.revision();
            directory.view.store(Arc::new(view));
            directory.report(Ok(revision));
            true
        }
        Err(error) => {
            tracing::error!(%error, "this node no longer follows the store");
            directory.report(Err(error.to_string()));
            false
        }
    }
}

impl Directory {
    /// Tell everyone who waits how far this node is, or why it can go no further.
    fn report(&self, state: Result<Revision, String>) {
        drop(self.applied.send_replace(state));
    }

    /// Apply one change. What cannot be read stops this node from following: a view with a hole in it
    /// could allow what the missing record denies.
    fn take(&self, change: &daypass_store::Change) -> bool {
        match self.view_after(change) {
            Ok(next) => {
                if change.deletes.iter().any(|place| &**place == key::MASTER_KEY_PREVIOUS) {
                    self.master.forget_other();
                }
                change.puts.iter().for_each(|record| self.last_used.read(record));
                change.deletes.iter().for_each(|place| self.last_used.forget(place));
                self.view.store(Arc::new(next));
                self.report(Ok(change.revision));
                true
            }
            Err(error) => {
                tracing::error!(%error, "this node no longer follows the store");
                self.report(Err(error.to_string()));
                false
            }
        }
    }

    fn view_after(&self, change: &daypass_store::Change) -> Result<View, Unreadable> {
        let put = |key: &str| change.puts.iter().find(|record| &*record.key == key);
        if put(key::MASTER_KEY_CHECK).is_some_and(|check| !self.master.follow(&check.value)) {
            let why =
                "the master key was replaced by another node: start this one with the new key".to_owned();
            return Err(Unreadable { key: key::MASTER_KEY_CHECK.into(), why });
        }
        let keyring = put(key::KEYRING).map(|record| view::keyring(record, &self.master)).transpose()?;
        let next = self.view.load().apply(&self.compiler, change.revision, &change.puts, &change.deletes)?;
        Ok(match keyring {
            Some(keyring) => next.with_keyring(Arc::new(keyring)),
            None => next,
        })
    }
}
