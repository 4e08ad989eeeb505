//! A store in memory that a test comes before whenever something is committed.

use std::path::Path;
use std::sync::Arc;

use daypass_store::{
    BoxFuture, Commit, CommitError, Compacted, MemoryStore, Record, Revision, Spent, Store, StoreError, Watch,
};

/// What a test does before a commit; an error is what the committer gets instead.
type Before = Box<dyn Fn() -> BoxFuture<'static, Result<(), CommitError>> + Send + Sync>;

/// A store that passes everything on, commits after [`Before`].
pub(crate) struct Intercepted {
    inner: Arc<MemoryStore>,
    before_commit: Before,
}

impl Intercepted {
    pub(crate) fn new<F>(
        inner: &Arc<MemoryStore>,
        before_commit: impl Fn(Arc<MemoryStore>) -> F + Send + Sync + 'static,
    ) -> Arc<Self>
    where
        F: Future<Output = Result<(), CommitError>> + Send + 'static,
    {
        let seen = inner.clone();
        let before_commit: Before = Box::new(move || Box::pin(before_commit(seen.clone())));
        Arc::new(Self { inner: inner.clone(), before_commit })
    }
}

impl Store for Intercepted {
    fn load(&self, prefix: &str) -> BoxFuture<'_, Result<(Revision, Vec<Record>), StoreError>> {
        self.inner.load(prefix)
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Revision, CommitError>> {
        Box::pin(async {
            (self.before_commit)().await?;
            self.inner.commit(commit).await
        })
    }

    fn watch(&self, after: Revision) -> Result<Watch, Compacted> {
        self.inner.watch(after)
    }

    fn current(&self) -> BoxFuture<'_, Result<Revision, StoreError>> {
        self.inner.current()
    }

    fn spend(&self, fact: &str, expires_at: i64, now: i64) -> BoxFuture<'_, Result<Spent, CommitError>> {
        self.inner.spend(fact, expires_at, now)
    }

    fn backup(&self, path: &Path) -> BoxFuture<'_, Result<Revision, StoreError>> {
        self.inner.backup(path)
    }

    fn writable(&self) -> BoxFuture<'_, Result<(), String>> {
        self.inner.writable()
    }
}
