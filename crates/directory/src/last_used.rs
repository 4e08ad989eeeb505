//! When an access key or a role was last used, for what and where ("Last accessed information" in the IAM
//! User Guide): what GetAccessKeyLastUsed and GetRole show.
//!
//! Every authenticated call notes its use here, so this is memory with small locks; what changed is written
//! to the store together, at most once a minute and when the server stops. A crash loses the last minute of
//! it. It says nothing about permissions and must never be asked about them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use daypass_model::{AccessKeyId, AccountId, UniqueId, cut};
use daypass_store::{COMMIT_CHANGES_MAX, Record};
use tokio::sync::Notify;

use crate::change::Change;
use crate::directory::Directory;
use crate::error::NotCommitted;
use crate::key::{self, Named};
use crate::principal::{Identity, Principal};
use crate::record::{Unknown, UsedRecord};
use crate::view::View;

/// Enough that calls of different keys seldom meet; a power of two.
const SHARDS: usize = 16;
/// Uses wait this long to be written together.
const WRITTEN_AFTER: Duration = Duration::from_secs(60);
/// Bound of what a caller's credential scope may leave in the store, in characters.
const NAME_MAX: usize = 64;

/// One use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Used {
    /// Unix seconds.
    pub at: i64,
    /// The service it was for: `sts`, `s3`.
    pub service: String,
    /// The region it was signed for.
    pub region: String,
}

/// The last uses that this node knows of.
pub struct LastUsed {
    shards: [Mutex<HashMap<String, Entry>>; SHARDS],
    unwritten: AtomicBool,
    wake: Notify,
}

struct Entry {
    account: AccountId,
    used: Used,
    /// What else its record says.
    unknown: Unknown,
    unwritten: bool,
}

/// A use to be written.
struct Unwritten {
    account: AccountId,
    id: String,
    used: Used,
    unknown: Unknown,
}

impl LastUsed {
    pub(crate) fn new() -> Self {
        Self { shards: Default::default(), unwritten: AtomicBool::new(false), wake: Notify::new() }
    }

    /// A verified principal made a call. A long-term key is noted under its id, a role session under its
    /// role's; sessions of users are neither.
    pub fn note(&self, principal: &Principal, service: &str, region: &str, at: i64) {
        let id = match (&principal.session, &principal.identity) {
            (None, _) => principal.access_key_id.as_ref().map(AccessKeyId::as_str),
            (Some(_), Identity::Role(role)) => Some(role.record.id.as_str()),
            (Some(_), _) => None,
        };
        let Some(id) = id else { return };
        let (service, region) = (cut(service, NAME_MAX), cut(region, NAME_MAX));
        let mut shard = self.shard(id);
        let Some(entry) = shard.get_mut(id) else {
            let used = Used { at, service: service.to_owned(), region: region.to_owned() };
            let (account, unknown) = (principal.account, Unknown::new());
            shard.insert(id.to_owned(), Entry { account, used, unknown, unwritten: true });
            drop(shard);
            self.written_later();
            return;
        };
        let used = &mut entry.used;
        if used.at > at || (used.at == at && used.service == service && used.region == region) {
            return;
        }
        used.at = at;
        set(&mut used.service, service);
        set(&mut used.region, region);
        entry.unwritten = true;
        drop(shard);
        self.written_later();
    }

    /// The last use of an access key or role, by its id.
    #[must_use]
    pub fn of(&self, id: &str) -> Option<Used> {
        self.shard(id).get(id).map(|entry| entry.used.clone())
    }

    /// Take over what this or another node wrote, if it is news.
    pub(crate) fn read(&self, record: &Record) {
        let Named::Used(account, id) = key::parse(&record.key) else { return };
        // Nothing depends on it: one that cannot be read is as good as none.
        let Ok(UsedRecord { at, service, region, unknown, .. }) = serde_json::from_slice(&record.value)
        else {
            return;
        };
        let used = Used { at, service, region };
        let mut shard = self.shard(id);
        match shard.get_mut(id) {
            // A later use of this node waits to be written; what else the record says goes with it.
            Some(entry) if entry.used.at >= at => entry.unknown = unknown,
            _ => drop(shard.insert(id.to_owned(), Entry { account, used, unknown, unwritten: false })),
        }
    }

    /// Its record was deleted.
    pub(crate) fn forget(&self, place: &str) {
        if let Named::Used(_, id) = key::parse(place) {
            self.shard(id).remove(id);
        }
    }

    /// Let the writer look whether there is still a directory to write for.
    pub(crate) fn close(&self) {
        self.wake.notify_one();
    }

    fn written_later(&self) {
        if !self.unwritten.load(Ordering::Relaxed) && !self.unwritten.swap(true, Ordering::SeqCst) {
            self.wake.notify_one();
        }
    }

    /// What is to be written now: uses, and records of keys and roles that are no more. These are remembered until
    /// their deletion is done.
    fn take(&self, view: &View) -> (Vec<Unwritten>, Vec<String>) {
        self.unwritten.store(false, Ordering::SeqCst);
        let (mut uses, mut gone) = (Vec::new(), Vec::new());
        for shard in &self.shards {
            for (id, entry) in lock(shard).iter_mut() {
                if !lives(view, entry.account, id) {
                    gone.push(key::used(entry.account, id));
                } else if std::mem::take(&mut entry.unwritten) {
                    uses.push(Unwritten {
                        account: entry.account,
                        id: id.clone(),
                        used: entry.used.clone(),
                        unknown: entry.unknown.clone(),
                    });
                }
            }
        }
        (uses, gone)
    }

    /// They were not written after all; they are tried again.
    fn put_back<'a>(&self, uses: impl Iterator<Item = &'a Unwritten>) {
        for Unwritten { id, .. } in uses {
            if let Some(entry) = self.shard(id).get_mut(id) {
                entry.unwritten = true;
            }
        }
        self.written_later();
    }

    fn shard(&self, id: &str) -> MutexGuard<'_, HashMap<String, Entry>> {
        // Ids end in random characters.
        let end = id.bytes().rev().take(2).fold(0, |sum: usize, byte| sum * 3 + usize::from(byte));
        let [first, ..] = &self.shards;
        lock(self.shards.get(end % SHARDS).unwrap_or(first))
    }
}

impl Directory {
    /// Write the uses that are not in the store yet.
    ///
    /// # Errors
    /// The store did not take them; they wait for the next time.
    pub async fn write_last_used(&self) -> Result<(), NotCommitted> {
        let view = self.snapshot();
        let (mut uses, mut gone) = self.last_used().take(&view);
        while !uses.is_empty() || !gone.is_empty() {
            let now = uses.split_off(uses.len().saturating_sub(COMMIT_CHANGES_MAX / 2));
            let gone_now = gone.split_off(gone.len().saturating_sub(COMMIT_CHANGES_MAX / 2));
            let mut change = Change::new("last-used", &view);
            for Unwritten { account, id, used, unknown } in &now {
                let (Used { at, service, region }, unknown) = (used.clone(), unknown.clone());
                let record = UsedRecord { written: change.written(), at, service, region, unknown };
                change.put(key::used(*account, id), &record);
            }
            gone_now.iter().for_each(|place| change.delete(place.clone()));
            if let Err(error) = self.commit(change).await {
                self.last_used().put_back(now.iter().chain(&uses));
                return Err(error);
            }
            gone_now.iter().for_each(|place| self.last_used().forget(place));
        }
        Ok(())
    }
}

/// Write what was noted, a while after it was, for as long as the directory lives.
pub(crate) async fn keep(last_used: std::sync::Arc<LastUsed>, directory: Weak<Directory>) {
    loop {
        last_used.wake.notified().await;
        if directory.strong_count() == 0 {
            return;
        }
        tokio::time::sleep(WRITTEN_AFTER).await;
        let Some(directory) = directory.upgrade() else { return };
        if let Err(error) = directory.write_last_used().await {
            tracing::warn!(%error, "when keys and roles were last used was not written; it is tried again");
        }
    }
}

/// Whether the key or role is still there.
fn lives(view: &View, account: AccountId, id: &str) -> bool {
    let key = id.parse().ok().and_then(|id| view.key_owner(&id));
    if let Some(pointer) = key {
        return pointer.owner.is_some();
    }
    let role = UniqueId::from(id.to_owned());
    view.account(account).is_some_and(|account| account.role_by_id(&role).is_some())
}

fn set(text: &mut String, to: &str) {
    if text != to {
        to.clone_into(text);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use daypass_authn::token::MasterKey;
    use daypass_model::{AccessKeyId, MockClock, SeededRandom};
    use daypass_store::{Fault, MemoryStore, Revision, Store};

    use super::*;
    use crate::credential::{Caller, Proof};
    use crate::record::KeyOwner;

    const NOW: i64 = 1_767_225_600;

    struct Node {
        directory: Arc<Directory>,
        store: Arc<MemoryStore>,
        root: AccessKeyId,
    }

    async fn open(store: &Arc<MemoryStore>) -> Arc<Directory> {
        let clock = Arc::new(MockClock::at("2026-01-01T00:00:00Z".parse().unwrap()));
        let master = MasterKey::generate(&SeededRandom::new(1));
        Directory::open(store.clone(), master, clock, Arc::new(SeededRandom::new(2))).await.unwrap()
    }

    impl Node {
        async fn new() -> Self {
            let store = Arc::new(MemoryStore::new());
            let directory = open(&store).await;
            let account = "111122223333".parse().unwrap();
            let (record, _) = directory.new_access_key(account, NOW).unwrap();
            let root = record.id.clone();
            directory.create_account(account, record, "test").await.unwrap();
            Self { directory, store, root }
        }

        fn root_calls(&self, service: &str, at: i64) {
            let account = self.root.account().unwrap();
            let caller = Caller {
                access_key_id: Some(self.root.clone()),
                account,
                proof: Proof::LongTerm(KeyOwner::Root),
            };
            let view = self.directory.snapshot();
            let principal = Principal::resolve(&view, caller, self.directory.clock().now()).unwrap();
            self.directory.last_used().note(&principal, service, "eu-west-1", at);
        }

        async fn revision(&self) -> Revision {
            self.store.current().await.unwrap()
        }

        async fn stored(&self) -> usize {
            self.store.load("/111122223333/used/").await.unwrap().1.len()
        }
    }

    fn used(service: &str, at: i64) -> Option<Used> {
        Some(Used { at, service: service.into(), region: "eu-west-1".into() })
    }

    #[tokio::test]
    async fn a_use_is_seen_at_once_and_survives_a_restart() {
        let node = Node::new().await;
        assert_eq!(node.directory.last_used().of(node.root.as_str()), None);
        node.root_calls("sts", NOW);
        node.root_calls("iam", NOW + 5);
        assert_eq!(node.directory.last_used().of(node.root.as_str()), used("iam", NOW + 5));
        node.directory.write_last_used().await.unwrap();
        let again = open(&node.store).await;
        assert_eq!(again.last_used().of(node.root.as_str()), used("iam", NOW + 5));
    }

    #[tokio::test]
    async fn what_a_newer_daypass_wrote_beside_a_use_stays() {
        let node = Node::new().await;
        node.root_calls("sts", NOW);
        node.directory.write_last_used().await.unwrap();
        let place = key::used(node.root.account().unwrap(), node.root.as_str());
        let stored = || async {
            let (_, records) = node.store.load(&place).await.unwrap();
            serde_json::from_slice::<serde_json::Value>(&records[0].value).unwrap()
        };
        let mut newer = stored().await;
        newer["from_the_future"] = true.into();
        // Used again before the newer record is heard of.
        node.root_calls("iam", NOW + 5);
        let mut change = Change::new("newer", &node.directory.snapshot());
        change.put(place.clone(), &newer);
        node.directory.commit(change).await.unwrap();
        node.directory.write_last_used().await.unwrap();
        let after = stored().await;
        assert_eq!((&after["service"], &after["from_the_future"]), (&"iam".into(), &true.into()));
    }

    #[tokio::test]
    async fn the_latest_use_counts_in_whatever_order_calls_end() {
        let node = Node::new().await;
        node.root_calls("sts", NOW + 5);
        node.root_calls("iam", NOW);
        assert_eq!(node.directory.last_used().of(node.root.as_str()), used("sts", NOW + 5));
    }

    #[tokio::test]
    async fn another_node_hears_of_a_use_once_it_is_written() {
        let node = Node::new().await;
        let other = open(&node.store).await;
        node.root_calls("sts", NOW);
        node.directory.write_last_used().await.unwrap();
        let revision = node.revision().await;
        for _ in 0..1000 {
            if other.health().is_ok_and(|at| at >= revision) {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(other.last_used().of(node.root.as_str()), used("sts", NOW));
    }

    #[tokio::test(start_paused = true)]
    async fn many_uses_are_one_write_a_minute() {
        let node = Node::new().await;
        let before = node.revision().await;
        (0..100).for_each(|n| node.root_calls("sts", NOW + n));
        settle().await;
        tokio::time::advance(WRITTEN_AFTER - Duration::from_secs(1)).await;
        settle().await;
        assert_eq!(node.revision().await, before, "nothing is written before the minute is over");
        tokio::time::advance(Duration::from_secs(2)).await;
        settle().await;
        let after = node.store.watch(before).unwrap().next().await.unwrap();
        assert_eq!(node.revision().await, after.revision, "it is one commit");
        assert_eq!((after.puts.len(), node.stored().await), (1, 1));
        tokio::time::advance(10 * WRITTEN_AFTER).await;
        settle().await;
        assert_eq!(node.revision().await, after.revision, "what was not used again is not written again");
    }

    #[tokio::test]
    async fn what_a_full_store_refused_is_written_the_next_time() {
        let node = Node::new().await;
        node.root_calls("sts", NOW);
        node.store.set_fault(Some(Fault::Full));
        assert_eq!(node.directory.write_last_used().await, Err(NotCommitted::Full));
        node.store.set_fault(None);
        node.directory.write_last_used().await.unwrap();
        assert_eq!(node.stored().await, 1);
    }

    #[tokio::test]
    async fn a_key_that_is_gone_leaves_no_record() {
        let node = Node::new().await;
        node.root_calls("sts", NOW);
        node.directory.write_last_used().await.unwrap();
        let mut change = Change::new("test", &node.directory.snapshot());
        change.delete(key::access_key(&node.root));
        node.directory.commit(change).await.unwrap();
        // What could not be deleted is deleted the next time.
        node.store.set_fault(Some(Fault::Full));
        assert_eq!(node.directory.write_last_used().await, Err(NotCommitted::Full));
        node.store.set_fault(None);
        assert_eq!(node.stored().await, 1);
        node.directory.write_last_used().await.unwrap();
        assert_eq!(node.stored().await, 0);
        assert_eq!(node.directory.last_used().of(node.root.as_str()), None);
    }

    /// Let every task run until it waits.
    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}
