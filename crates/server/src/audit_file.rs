//! The audit on disk: one line for each event, in a file that is rotated by size.
//!
//! A thread of its own writes. A call that relies on its line (a write, issued credentials) is answered when
//! the line is in the file, so that the end of this process loses none; others do not wait. A full disk loses
//! no such line either: room is reserved before the call acts, never more than [`ROOM`] in all, and a file of that size
//! lies beside the audit for no other purpose than to be deleted when the disk is full. From then on nothing
//! can be reserved, so nothing is changed or issued, until that file could be made again. (Reserving that way
//! needs nothing of the file system but that deleting a file frees its blocks, and costs a call no system
//! call. It cannot help against another program that takes the freed blocks in that very moment.)
//!
//! Lines that nobody relies on (reads, refusals) wait in memory meanwhile, and are counted once too many wait.

mod disk;
mod echo;
mod old;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SendError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use daypass_service::{AuditLog, Error};
use daypass_store::Place;
use tokio::sync::oneshot;

use crate::data_dir::names::{NEXT_END, RESERVE_END};
use disk::{Disk, RealDisk};
use writer::{SLACK, Writer, beside};

/// Bytes of lines, written down or promised, that may wait for the disk.
const ROOM: u64 = 16 * 1024 * 1024;
/// How much of that is left for what the operator does, whatever calls promise.
const ROOM_OF_OPERATOR: u64 = 256 * 1024;
/// How much of that lines may take that nobody relies on.
const ROOM_UNRESERVED: u64 = ROOM / 2;
/// While lines wait longer than this, nothing more is promised: it would be done and then not be told.
const SLOW_AFTER: Duration = Duration::from_secs(2);
/// A disk that lines wait longer for is no disk to rely on.
const STUCK_AFTER: Duration = Duration::from_secs(10);
/// How long the writer waits before it tries a disk again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Where the audit goes and how much of it is kept.
#[derive(Debug, Clone)]
pub struct AuditSettings {
    /// The file; rotated ones get `.1`, `.2`, … behind their name.
    pub path: PathBuf,
    /// Bytes after which the file is rotated.
    pub rotate_bytes: u64,
    /// Rotated files kept beside the current one.
    pub keep: u32,
    /// Also to standard output.
    pub stdout: bool,
    /// Of the store that the lines tell of.
    pub store: Option<Arc<Place>>,
}

/// Bytes that the reserve of this audit still lacks, if no server runs.
pub(crate) fn room_lacking(path: &Path) -> u64 {
    let kept = beside(path, RESERVE_END).metadata().map_or(0, |reserve| reserve.len());
    (ROOM + SLACK).saturating_sub(kept)
}

/// The first of the names beside this audit which somebody else's file has: a server would remove or replace it.
pub(crate) fn taken_beside(path: &Path, keep: u32) -> Option<PathBuf> {
    let [reserve, next] = [RESERVE_END, NEXT_END].map(|end| beside(path, end));
    let is_ours = |path: &Path, test: fn(&Path) -> io::Result<bool>| match test(path) {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(is_ours) => is_ours,
    };
    if !is_ours(&reserve, disk::is_filler) {
        return Some(reserve);
    }
    if !is_ours(&next, disk::is_empty) {
        return Some(next);
    }
    old::kept_of_another(path, keep)
}

/// Whether a start could go on with the file; one that is not there is made.
///
/// # Errors
/// It is no audit of ours, or none that can be added to.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    disk::check(path)
}

/// The audit file of one server.
pub struct AuditFile {
    path: PathBuf,
    keep: u32,
    queue: Sender<Message>,
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl AuditFile {
    /// Open (or go on with) the file and start its writer. A disk too full for the reserve is no error: the
    /// server answers reads.
    ///
    /// # Errors
    /// The file cannot be opened for appending, is none, or no audit, or another server writes it.
    pub fn open(settings: AuditSettings) -> io::Result<Arc<Self>> {
        let echo = settings.stdout.then(|| Box::new(io::stdout()) as Box<dyn io::Write + Send>);
        let (audit, writer, queue) = Self::parts(settings, Box::new(RealDisk), echo, RETRY_AFTER)?;
        let thread = std::thread::Builder::new().name("audit".into()).spawn(move || writer.run(&queue))?;
        *lock(&audit.writer) = Some(thread);
        Ok(Arc::new(audit))
    }

    /// The file and its writer, not yet running.
    fn parts(
        settings: AuditSettings,
        disk: Box<dyn Disk>,
        echo: Option<Box<dyn io::Write + Send>>,
        retry_after: Duration,
    ) -> io::Result<(Self, Writer, Receiver<Message>)> {
        let (sender, queue) = channel();
        let shared = Arc::new(Shared::default());
        let (path, keep) = (settings.path.clone(), settings.keep);
        let writer = Writer::open(settings, disk, echo, retry_after, shared.clone())?;
        Ok((Self { path, keep, queue: sender, shared, writer: Mutex::new(None) }, writer, queue))
    }

    /// The start has come to its end: rotated files beyond those that are kept are removed. One that is refused removes
    /// nothing.
    pub(crate) fn remove_beyond_kept(&self) {
        old::remove_beyond(&self.path, self.keep);
    }

    /// The file that is written now.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether everything that happens can be audited.
    ///
    /// # Errors
    /// Why not, for the operator.
    pub fn health(&self) -> Result<(), String> {
        self.health_at(now())
    }

    fn health_at(&self, now: Instant) -> Result<(), String> {
        if let Some(trouble) = lock(&self.shared.trouble).clone() {
            return Err(trouble);
        }
        match self.waited(now) {
            waited if waited >= STUCK_AFTER => {
                Err(format!("lines have been waiting for the disk for {} seconds", waited.as_secs()))
            }
            _ => Ok(()),
        }
    }

    /// How long the oldest line has been waiting for the disk.
    fn waited(&self, now: Instant) -> Duration {
        let since = *lock(&self.shared.waiting_since);
        since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// How many lines were not kept, since the start.
    pub(crate) fn lines_lost(&self) -> u64 {
        self.shared.lost.load(Ordering::SeqCst)
    }

    /// Write what waits and end the writer.
    pub fn close(&self) {
        // Fails only when the writer has ended already.
        drop(self.queue.send(Message::Close));
        if lock(&self.writer).take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the audit's writer ended by a panic");
        }
    }

    fn reserve(&self, bytes: u64) -> Result<(), Error> {
        self.reserve_within(bytes, ROOM - ROOM_OF_OPERATOR)
    }

    fn reserve_for_operator(&self, bytes: u64) -> Result<(), Error> {
        self.reserve_within(bytes, ROOM)
    }

    /// So many bytes, if no more than `of` are promised then.
    fn reserve_within(&self, bytes: u64, of: u64) -> Result<(), Error> {
        let shared = &self.shared;
        if !shared.take(bytes, of) {
            return Err(Error::unavailable("The audit log is too far behind. Try again."));
        }
        // INVARIANT (promised-room): taken first and asked second. Whoever is let through here was counted
        // before the reserve was given up, so all that is promised then fits into its place.
        if !shared.ready.load(Ordering::SeqCst) || self.waited(now()) >= SLOW_AFTER {
            shared.give_back(bytes);
            return Err(Error::unavailable(
                "The audit log cannot be written, so nothing may be changed or issued.",
            ));
        }
        Ok(())
    }

    fn append(&self, text: String, reserved: u64) -> bool {
        self.send(text, reserved, None)
    }

    /// Completes when the lines are written; `false` when they cannot be, or the disk takes too long.
    async fn write(&self, text: String, reserved: u64) -> bool {
        let (told, written) = oneshot::channel();
        if !self.send(text, reserved, Some(told)) {
            return false;
        }
        if let Some(writer) = lock(&self.writer).as_ref() {
            // It may be letting lines gather.
            writer.thread().unpark();
        }
        let kept = matches!(tokio::time::timeout(STUCK_AFTER, written).await, Ok(Ok(())));
        if !kept {
            tracing::error!(
                "a call is answered 503 because the audit has not written its line: what it did may be done"
            );
        }
        kept
    }

    fn send(&self, text: String, reserved: u64, told: Option<oneshot::Sender<()>>) -> bool {
        let shared = &self.shared;
        let bytes = text.len() as u64;
        if reserved == 0 && !shared.take(bytes, ROOM_UNRESERVED) {
            shared.lose(&text);
            return false;
        }
        if reserved > 0 {
            shared.give_back(reserved.saturating_sub(bytes));
            shared.outstanding.fetch_add(bytes.saturating_sub(reserved), Ordering::SeqCst);
        }
        match self.queue.send(Message::Lines(Lines { text, relied_on: reserved > 0, told })) {
            Ok(()) => true,
            Err(SendError(message)) => {
                shared.give_back(bytes);
                if let Message::Lines(lines) = message {
                    shared.lose(&lines.text);
                }
                false
            }
        }
    }
}

impl Drop for AuditFile {
    /// Whoever opens it next is not to find it taken.
    fn drop(&mut self) {
        self.close();
    }
}

/// The audit log that a house holds.
pub(crate) struct AuditLines(pub(crate) Arc<AuditFile>);

impl AuditLog for AuditLines {
    fn reserve(&self, bytes: usize) -> Result<(), Error> {
        self.0.reserve(bytes as u64)
    }

    fn reserve_operator(&self, bytes: usize) -> Result<(), Error> {
        self.0.reserve_for_operator(bytes as u64)
    }

    fn append(&self, lines: String, reserved: usize) -> bool {
        self.0.append(lines, reserved as u64)
    }

    fn write(&self, lines: String, reserved: usize) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(self.0.write(lines, reserved as u64))
    }

    fn give_back(&self, reserved: usize) {
        self.0.shared.give_back(reserved as u64);
    }
}

enum Message {
    Lines(Lines),
    Close,
}

/// What one call appended: one line or two.
struct Lines {
    text: String,
    relied_on: bool,
    /// Hears of it when they are written.
    told: Option<oneshot::Sender<()>>,
}

/// What calls and the writer both look at.
#[derive(Default)]
struct Shared {
    /// Bytes promised, or appended and not yet written.
    outstanding: AtomicU64,
    /// The reserve is in its place.
    ready: AtomicBool,
    /// Lines that were not kept, since the start.
    lost: AtomicU64,
    trouble: Mutex<Option<String>>,
    /// When the writer took up the oldest of what it has not written.
    waiting_since: Mutex<Option<Instant>>,
}

impl Shared {
    fn take(&self, bytes: u64, of: u64) -> bool {
        let fits = |outstanding: u64| outstanding.checked_add(bytes).filter(|sum| *sum <= of);
        self.outstanding.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fits).is_ok()
    }

    fn lose(&self, text: &str) {
        self.lost.fetch_add(text.matches('\n').count() as u64, Ordering::SeqCst);
    }

    fn give_back(&self, bytes: u64) {
        self.outstanding.fetch_sub(bytes, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to wait for a disk, never compared with anything a client says"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
