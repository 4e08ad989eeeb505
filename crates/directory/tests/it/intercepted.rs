//! A store in memory that a test comes before whenever something is committed. As with a disk, what was handed over is
//! done whether somebody waits for it or not, one after the other.

use std::path::Path;
use std::sync::Arc;

use daypass_store::{
    BoxFuture, Commit, CommitError, Compacted, MemoryStore, Record, Revision, Spent, Store, StoreError, Watch,
};
use tokio::sync::Mutex;

/// What a test does before a commit; an error is what the committer gets instead.
type Before = Arc<dyn Fn() -> BoxFuture<'static, Result<(), CommitError>> + Send + Sync>;

/// A store that passes everything on, commits after [`Before`].
pub(crate) struct Intercepted {
    inner: Arc<MemoryStore>,
    queue: Arc<Mutex<()>>,
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
        let before_commit: Before = Arc::new(move || Box::pin(before_commit(seen.clone())));
        Arc::new(Self { inner: inner.clone(), queue: Arc::default(), before_commit })
    }
}

impl Store for Intercepted {
    fn load(&self, prefix: &str) -> BoxFuture<'_, Result<(Revision, Vec<Record>), StoreError>> {
        self.inner.load(prefix)
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Revision, CommitError>> {
        let (inner, queue, before_commit) =
            (self.inner.clone(), self.queue.clone(), self.before_commit.clone());
        let handed_over = tokio::spawn(async move {
            let _turn = queue.lock().await;
            before_commit().await?;
            inner.commit(commit).await
        });
        Box::pin(async { handed_over.await.unwrap() })
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

    fn settle(&self) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(async {
            let _turn = self.queue.lock().await;
            self.inner.settle().await
        })
    }

    fn writable(&self) -> BoxFuture<'_, Result<(), String>> {
        self.inner.writable()
    }
}
