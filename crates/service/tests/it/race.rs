//! Two calls that decide on the same snapshot: both reach the store before either commit is made.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use daypass_service::Error;
use daypass_store::{
    BoxFuture, Commit, CommitError, Compacted, MemoryStore, Record, Revision, Spent, Store, StoreError, Watch,
};
use serde_json::Value;
use tokio::sync::Barrier;

use crate::examples::TRUST;
use crate::support::TestHouse;

/// A memory store that, once armed, holds two commits until both are there; or takes a commit back at once.
pub(crate) struct Gate {
    store: MemoryStore,
    to_hold: AtomicUsize,
    to_undo: AtomicBool,
    calls: usize,
    made: AtomicUsize,
    barrier: Barrier,
}

impl Gate {
    /// An open gate for two.
    pub(crate) fn new() -> Arc<Self> {
        Self::of(2)
    }

    /// An open gate for so many.
    pub(crate) fn of(calls: usize) -> Arc<Self> {
        Arc::new(Self {
            store: MemoryStore::new(),
            to_hold: AtomicUsize::new(0),
            to_undo: AtomicBool::new(false),
            calls,
            made: AtomicUsize::new(0),
            barrier: Barrier::new(calls),
        })
    }

    /// Hold as many of the next commits until all of them are there.
    pub(crate) fn arm(&self) {
        self.to_hold.store(self.calls, Ordering::SeqCst);
    }

    /// How often somebody has asked for a commit.
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    /// Let somebody delete whatever the next commit puts, before its caller hears of it.
    pub(crate) fn undo(&self) {
        self.to_undo.store(true, Ordering::SeqCst);
    }
}

impl Store for Gate {
    fn load(&self, prefix: &str) -> BoxFuture<'_, Result<(Revision, Vec<Record>), StoreError>> {
        self.store.load(prefix)
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Revision, CommitError>> {
        self.made.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let held =
                self.to_hold.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if held.is_ok() {
                self.barrier.wait().await;
            }
            if !self.to_undo.swap(false, Ordering::SeqCst) {
                return self.store.commit(commit).await;
            }
            let deletes = commit.puts.iter().map(|(key, _)| key.clone()).collect();
            let revision = self.store.commit(commit).await?;
            self.store.commit(Commit { deletes, ..Commit::new() }).await?;
            Ok(revision)
        })
    }

    fn watch(&self, after: Revision) -> Result<Watch, Compacted> {
        self.store.watch(after)
    }

    fn current(&self) -> BoxFuture<'_, Result<Revision, StoreError>> {
        self.store.current()
    }

    fn spend(&self, fact: &str, expires_at: i64, now: i64) -> BoxFuture<'_, Result<Spent, CommitError>> {
        self.store.spend(fact, expires_at, now)
    }

    fn backup(&self, path: &Path) -> BoxFuture<'_, Result<Revision, StoreError>> {
        self.store.backup(path)
    }

    fn settle(&self) -> BoxFuture<'_, Result<(), CommitError>> {
        self.store.settle()
    }

    fn writable(&self) -> BoxFuture<'_, Result<(), String>> {
        self.store.writable()
    }
}

/// An IAM operation and its parameters.
pub(crate) type Call<'a> = (&'a str, &'a [(&'a str, &'a str)]);

/// Both calls as root, decided on the same snapshot; the outcome of each.
pub(crate) async fn race(
    house: &TestHouse,
    gate: &Gate,
    a: Call<'_>,
    b: Call<'_>,
) -> [Result<Value, Error>; 2] {
    gate.arm();
    let call = |(action, params)| house.call(&house.root, "iam", action, params);
    let (a, b) = tokio::join!(call(a), call(b));
    assert_eq!(gate.to_hold.load(Ordering::SeqCst), 0, "both calls must have reached the store");
    [a, b]
}

/// That exactly one of the calls was done, and what the other was told.
pub(crate) fn one_wins(outcomes: [Result<Value, Error>; 2]) -> &'static str {
    match outcomes {
        [Ok(_), Err(error)] | [Err(error), Ok(_)] => error.code,
        both => panic!("exactly one call must win: {both:?}"),
    }
}

#[tokio::test]
async fn a_write_is_answered_with_what_it_wrote_even_if_that_is_gone_by_then() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    house.root("iam", "CreateRole", &[("RoleName", "old"), ("AssumeRolePolicyDocument", TRUST)]).await;
    let calls: [(Call<'_>, &str); 4] = [
        (("CreateUser", &[("UserName", "new"), ("Path", "/a/")]), "/User/UserName"),
        (("CreateGroup", &[("GroupName", "new"), ("Path", "/a/")]), "/Group/GroupName"),
        (("CreateRole", &[("RoleName", "new"), ("AssumeRolePolicyDocument", TRUST)]), "/Role/RoleName"),
        (("UpdateRoleDescription", &[("RoleName", "old"), ("Description", "new")]), "/Role/Description"),
    ];
    for ((action, params), place) in calls {
        gate.undo();
        let answer = house.root("iam", action, params).await;
        assert_eq!(answer.pointer(place).unwrap(), "new", "{action}");
        assert!(!gate.to_undo.load(Ordering::SeqCst));
    }
    let left = house.root("iam", "ListRoles", &[]).await;
    assert_eq!(left["Roles"], serde_json::json!([]), "it is gone");
}
