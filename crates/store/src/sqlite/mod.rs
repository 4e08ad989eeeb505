//! The embedded store: one SQLite file in write-ahead mode, `synchronous=FULL`.
//!
//! One thread writes (`writer`): it gathers the commits that wait into one transaction and
//! acknowledges them when that is on the disk. Another thread loads (`reader`), backups (`backup`) have a
//! connection of their own, so that neither makes a commit wait. Opening (`open`) refuses what it does
//! not understand and leaves it as it was. Once the open files bear their names no more (`place`),
//! nothing is acknowledged.
//!
//! One process at a time: hold the directory's [`DirLock`](crate::DirLock) before opening. A kill at
//! any moment loses nothing acknowledged; so does a power cut, if the disk keeps what it was told to
//! flush. Governed by <https://www.sqlite.org/wal.html> and <https://www.sqlite.org/pragma.html>.

mod backup;
mod check;
mod copy;
mod files;
mod log;
mod open;
mod open_error;
mod own_directory;
mod place;
mod pulse;
mod reader;
mod rollback;
mod schema;
mod shared;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use self::backup::Source;
pub use self::open::{Holding, Known};
pub use self::open_error::OpenError;
pub use self::place::Place;
use self::pulse::{Pulse, Trouble};
use self::reader::Read;
use self::writer::{Done, Job, Work};
use crate::error::{CommitError, StoreError};
use crate::feed::{Compacted, Feed, Watch};
use crate::memory::MemoryStore;
use crate::record::{Commit, Record, Revision, Spent, check_key, check_prefix};
use crate::store::{BoxFuture, Store};

/// Commits and loads that may wait for their thread; whoever comes later waits for a place.
const QUEUE_MAX: usize = 256;

/// See the module's head. Dropping it finishes the work handed over and closes the file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    feed: Arc<Feed>,
    pulse: Arc<Pulse>,
    place: Arc<Place>,
    /// `None` only while dropping.
    source: Option<Arc<Source>>,
    /// `None` only while dropping.
    jobs: Option<mpsc::Sender<Job>>,
    reads: Option<mpsc::Sender<Read>>,
    /// Writer, then reader.
    threads: Vec<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the store in the file `path`, or makes one if there is none. Blocks while it checks the
    /// whole file.
    ///
    /// # Errors
    /// The file is damaged, foreign, from a newer version, in use or unreadable; it is left as it was.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::start(path, None, None)
    }

    /// Opens a store that was used before: it must be there, and hold something. A log that was lost leaves a
    /// file that is whole and empty, and must not pass for one that is new; the log of another store beside it
    /// must not be written into it.
    ///
    /// # Errors
    /// As [`open`](SqliteStore::open), [`OpenError::Lost`] and [`OpenError::Unknown`]; file and log are left as
    /// they were.
    pub fn open_holding(path: &Path, holding: Holding<'_>) -> Result<Self, OpenError> {
        Self::start(path, Some(holding), None)
    }

    /// Like [`open`](SqliteStore::open), but once the file would need more than `size_max` bytes
    /// commits answer [`CommitError::Full`].
    ///
    /// # Errors
    /// As [`open`](SqliteStore::open).
    pub fn open_limited(path: &Path, size_max: u64) -> Result<Self, OpenError> {
        Self::start(path, None, Some(size_max))
    }

    /// Whether a file is what [`backup`](Store::backup) wrote, whole by itself; a store that was opened may have
    /// commits in the log beside it. Only its head is looked at.
    ///
    /// # Errors
    /// It cannot be read, or is no store.
    pub fn is_backup(path: &Path) -> Result<bool, OpenError> {
        open::is_backup(path)
    }

    /// Checks a store that is not open, all of it, by a copy in the directory for temporary files; its records, in
    /// memory, where whoever looks at them changes nothing. Spent facts are not among them.
    ///
    /// # Errors
    /// As [`open_holding`](SqliteStore::open_holding), [`OpenError::NoRoom`] and [`OpenError::NoCopy`].
    pub fn examine(path: &Path, holding: Holding<'_>) -> Result<MemoryStore, OpenError> {
        open::examine(path, holding).map(|(revision, records)| MemoryStore::holding(revision, records))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its files still bear their names, for others that write beside it.
    #[must_use]
    pub fn place(&self) -> Arc<Place> {
        Arc::clone(&self.place)
    }

    /// Brings every commit from the log into the file itself, so that the file alone is the whole store
    /// as it is now.
    ///
    /// # Errors
    /// It could not be written; the store is as it was, in file and log.
    pub async fn write_back(&self) -> Result<(), StoreError> {
        let path = self.path.clone();
        aside("store-write-back", move || open::write_back(&path)).await
    }

    fn start(path: &Path, holding: Option<Holding<'_>>, size_max: Option<u64>) -> Result<Self, OpenError> {
        let opened = open::open(path, holding, size_max)?;
        let (feed, pulse) = (Feed::new(opened.revision), Arc::new(Pulse::default()));
        let (jobs, job_queue) = mpsc::channel(QUEUE_MAX);
        let (reads, read_queue) = mpsc::channel(QUEUE_MAX);
        let place = Arc::new(opened.place);
        let writing = writer::Shared { feed: feed.clone(), pulse: pulse.clone(), place: place.clone() };
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            let builder = std::thread::Builder::new().name(name.to_owned());
            builder.spawn(work).map_err(|e| OpenError::io(path, &e))
        };
        let threads = vec![
            spawn("store-writer", Box::new(move || writer::run(opened.writer, job_queue, &writing)))?,
            spawn("store-reader", Box::new(move || reader::run(&opened.reader, read_queue)))?,
        ];
        let (path, source) = (path.to_owned(), Some(Arc::new(opened.source)));
        Ok(Self { path, feed, pulse, place, source, jobs: Some(jobs), reads: Some(reads), threads })
    }

    async fn write(&self, work: Work) -> Result<Done, CommitError> {
        let closed = || CommitError::Unavailable("it is closed".to_owned());
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(closed)?;
        jobs.send(Job { work, reply }).await.map_err(|_| closed())?;
        // The writer took the job and ended without an answer: it may have happened.
        answer.await.unwrap_or(Err(CommitError::Unknown))
    }

    async fn load_all(&self, prefix: String) -> Result<(Revision, Vec<Record>), StoreError> {
        check_prefix(&prefix)?;
        let closed = || StoreError::Unavailable("it is closed".to_owned());
        let (reply, answer) = oneshot::channel();
        let reads = self.reads.as_ref().ok_or_else(closed)?;
        reads.send(Read { prefix, reply }).await.map_err(|_| closed())?;
        let (revision, records) = answer.await.map_err(|_| closed())??;
        if revision > self.feed.current() {
            // The commit is on the disk and about to be published; a watch from here must know it.
            self.write(Work::Sync).await.map_err(|e| StoreError::Unavailable(e.to_string()))?;
        }
        Ok((revision, records))
    }

    /// Waits for the youngest thread to end.
    fn join_last(&mut self) {
        if self.threads.pop().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(path = %self.path.display(), "a thread of the store panicked");
        }
    }

    async fn backup_to(&self, to: PathBuf) -> Result<Revision, StoreError> {
        let closed = || StoreError::Unavailable("it is closed".to_owned());
        let source = self.source.clone().ok_or_else(closed)?;
        aside("store-backup", move || source.copy_to(&to)).await
    }
}

/// Does what takes long on a thread of its own; a caller that goes away does not stop it.
async fn aside<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (reply, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let _gone = reply.send(work());
        })
        .map_err(|e| StoreError::Unavailable(e.to_string()))?;
    answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable(format!("{name} ended early"))))
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // The others first: the last connection to close writes the log back, which is the writer's.
        self.source = None;
        self.reads = None;
        self.join_last();
        self.jobs = None;
        self.join_last();
    }
}

impl Store for SqliteStore {
    fn load(&self, prefix: &str) -> BoxFuture<'_, Result<(Revision, Vec<Record>), StoreError>> {
        Box::pin(self.load_all(prefix.to_owned()))
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Revision, CommitError>> {
        Box::pin(async {
            commit.validate()?;
            match self.write(Work::Commit(commit)).await? {
                Done::Committed(revision) => Ok(revision),
                Done::Spent(_) | Done::Synced => Err(CommitError::Unknown),
            }
        })
    }

    fn watch(&self, after: Revision) -> Result<Watch, Compacted> {
        self.feed.watch(after)
    }

    fn current(&self) -> BoxFuture<'_, Result<Revision, StoreError>> {
        // This process is the only writer, so what it published is the newest there is.
        Box::pin(async {
            if self.feed.is_closed() {
                return Err(StoreError::Unavailable("it is closed".to_owned()));
            }
            Ok(self.feed.current())
        })
    }

    fn spend(&self, fact: &str, expires_at: i64, now: i64) -> BoxFuture<'_, Result<Spent, CommitError>> {
        let checked = check_key(fact).map(|()| fact.to_owned());
        Box::pin(async move {
            match self.write(Work::Spend { fact: checked?, expires_at, now }).await? {
                Done::Spent(spent) => Ok(spent),
                Done::Committed(_) | Done::Synced => Err(CommitError::Unknown),
            }
        })
    }

    fn backup(&self, path: &Path) -> BoxFuture<'_, Result<Revision, StoreError>> {
        Box::pin(self.backup_to(path.to_owned()))
    }

    fn settle(&self) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(async { self.write(Work::Probe).await.map(drop) })
    }

    fn writable(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async {
            match self.pulse.trouble() {
                // Where nobody writes, only whoever asks finds out.
                None => self.place.check().inspect_err(|why| {
                    writer::note_failure(&self.pulse, &CommitError::Unavailable(why.clone()));
                }),
                Some(Trouble::Stuck(waited)) => {
                    Err(format!("a commit has been waiting for the disk for {} seconds", waited.as_secs()))
                }
                // Where nobody writes because this says no, nothing else would ever find out that it can.
                Some(Trouble::Failed) => {
                    self.write(Work::Probe).await.map(drop).map_err(|why| why.to_string())
                }
            }
        })
    }
}

/// A revision as SQLite keeps it.
fn to_sql(revision: Revision) -> i64 {
    i64::try_from(revision.get()).unwrap_or(i64::MAX)
}

/// A revision as SQLite gave it; the schema never holds a negative one.
fn from_sql(number: i64) -> Revision {
    Revision::new(u64::try_from(number).unwrap_or(0))
}
