//! The session log on disk: a line for each session that was issued, so that a start knows the sessions that live.
//!
//! A thread of its own takes entries from a bounded queue into the index and the file. Whoever issues never waits for
//! it: an entry that finds the queue full is lost to the log, and counted. The file is information and decides nothing,
//! so nothing is flushed, a line that cannot be written is left out, and a line that cannot be read is passed over.
//! The file is replaced when it has as many lines as the log keeps sessions; the one before it stays beside it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use daypass_service::sessions::{SessionEntry, SessionIndex, SessionLog, SessionQueue};
use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::data_dir::{Links, open_regular};
use crate::failure::Failure;

/// Entries that may wait.
const QUEUE_MAX: usize = 8192;
/// Longest line that is read back; what is written is far shorter.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// How long entries are let gather before the thread waits for the next one. To be woken for each of them costs whoever
/// issues more than the rest of the log.
const GATHER: Duration = Duration::from_millis(2);
/// How long a list waits for what was issued before it.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);

/// The thread that writes, and how many lines it could not.
pub(crate) struct SessionFile {
    queue: SyncSender<Message>,
    not_written: Arc<AtomicU64>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Entry(Box<SessionEntry>),
    /// Told when everything before it is done.
    Reached(oneshot::Sender<()>),
    Close,
}

/// Read what lives at `now` from the file and the one before it, and go on with it.
///
/// # Errors
/// The file cannot be opened for appending, or is none.
pub(crate) fn open(
    path: &Path,
    sessions_max: usize,
    now: Timestamp,
) -> Result<(SessionLog, Arc<SessionFile>), Failure> {
    let failed = |error: io::Error| not_opened(path, &error);
    let mut index = SessionIndex::new(sessions_max);
    let file = append(path).map_err(failed)?;
    read(&before(path), &mut index, now.as_second());
    let lines = read(path, &mut index, now.as_second());
    let index = Arc::new(Mutex::new(index));
    let (queue, messages) = sync_channel(QUEUE_MAX);
    let not_written = Arc::new(AtomicU64::new(0));
    let writer = Writer {
        index: index.clone(),
        path: path.to_owned(),
        file: Some(BufWriter::new(file)),
        lines,
        lines_max: sessions_max,
        not_written: not_written.clone(),
    };
    let thread = std::thread::Builder::new().name("sessions".into()).spawn(move || writer.run(&messages));
    let writer = Mutex::new(Some(thread.map_err(failed)?));
    let file = Arc::new(SessionFile { queue, not_written, writer });
    Ok((SessionLog::new(index, Box::new(Queue(file.clone()))), file))
}

/// A file that lines are added to, each on a line of its own: a crash may have come in the middle of the last.
fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    let mut file = open_regular(&mut options, path, Links::Refused)?;
    let (length, mut last) = (file.metadata()?.len(), [b'\n']);
    if let Some(at) = length.checked_sub(1) {
        file.read_exact_at(&mut last, at)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// Whether a start could go on with the file; one that is not there is made.
///
/// # Errors
/// As [`open`].
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    match open_regular(OpenOptions::new().read(true), path, Links::Refused) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(not_opened(path, &error)),
        _ => Ok(()),
    }
}

fn not_opened(path: &Path, error: &io::Error) -> Failure {
    Failure::disk(&format!("the session log `{}` cannot be opened", path.display()), error)
}

/// The file that was full.
fn before(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

/// Take sessions that live into the index; how many lines there are.
fn read(path: &Path, index: &mut SessionIndex, now: i64) -> usize {
    let Ok(file) = open_regular(OpenOptions::new().read(true), path, Links::Refused) else { return 0 };
    let mut reader = BufReader::new(file);
    let (mut lines, mut passed_over, mut line) = (0, 0, Vec::new());
    loop {
        line.clear();
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        match io::Read::take(&mut reader, limit).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {
                lines += 1;
                match serde_json::from_slice::<SessionEntry>(&line) {
                    Ok(entry) if entry.expires_at > now => index.insert(entry),
                    Ok(_) => {}
                    Err(_) => passed_over += 1,
                }
            }
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "the session log cannot be read to its end");
                break;
            }
        }
    }
    if passed_over > 0 {
        tracing::warn!(passed_over, path = %path.display(), "lines of the session log could not be read");
    }
    lines
}

impl SessionFile {
    /// How many sessions are not in the file, since the start, because it could not be written.
    pub(crate) fn not_written(&self) -> u64 {
        self.not_written.load(Ordering::SeqCst)
    }

    /// Write what waits and end the thread.
    pub(crate) fn close(&self) {
        // Fails only when the thread has ended already.
        drop(self.queue.send(Message::Close));
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the session log's writer ended by a panic");
        }
    }
}

struct Queue(Arc<SessionFile>);

impl SessionQueue for Queue {
    fn push(&self, entry: SessionEntry) -> bool {
        self.0.queue.try_send(Message::Entry(Box::new(entry))).is_ok()
    }

    fn caught_up(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let (told, reached) = oneshot::channel();
            match self.0.queue.try_send(Message::Reached(told)) {
                Ok(()) => drop(tokio::time::timeout(CATCH_UP_MAX, reached).await),
                // So far behind that a list had better show what there is.
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
            }
        })
    }
}

struct Writer {
    index: Arc<Mutex<SessionIndex>>,
    path: PathBuf,
    /// None after trouble: opened again with the next entry.
    file: Option<BufWriter<File>>,
    lines: usize,
    lines_max: usize,
    not_written: Arc<AtomicU64>,
}

impl Writer {
    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let message = match messages.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    // Nothing waits: what was written is the file's now, and the end of this process loses none of it.
                    self.hand_over();
                    std::thread::park_timeout(GATHER);
                    match messages.recv() {
                        Ok(message) => message,
                        Err(_) => break,
                    }
                }
            };
            match message {
                Message::Entry(entry) => self.take(*entry),
                Message::Reached(told) => drop(told.send(())),
                Message::Close => break,
            }
        }
        self.hand_over();
    }

    fn take(&mut self, entry: SessionEntry) {
        let line = serde_json::to_vec(&entry);
        self.index.lock().unwrap_or_else(PoisonError::into_inner).insert(entry);
        let written = line.map_err(io::Error::from).and_then(|line| self.write(line));
        if let Err(error) = written {
            self.trouble(&error);
        }
    }

    fn write(&mut self, mut line: Vec<u8>) -> io::Result<()> {
        line.push(b'\n');
        if self.lines >= self.lines_max {
            if let Some(mut full) = self.file.take() {
                full.flush()?;
            }
            match std::fs::rename(&self.path, before(&self.path)) {
                // Somebody moved it away: there is nothing to keep beside the next one.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => self.lines = 0,
            }
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(append(&self.path)?)),
        };
        file.write_all(&line)?;
        self.lines += 1;
        Ok(())
    }

    fn hand_over(&mut self) {
        if let Some(Err(error)) = self.file.as_mut().map(Write::flush) {
            self.trouble(&error);
        }
    }

    /// The lines of the buffer are lost with the one at hand; the index has them all.
    fn trouble(&mut self, error: &io::Error) {
        if self.not_written.fetch_add(1, Ordering::SeqCst) == 0 {
            tracing::warn!(%error, path = %self.path.display(), "the session log cannot be written; lists go on until the next start");
        }
        if let Some(file) = self.file.take() {
            // Not its drop, which would try again.
            drop(file.into_parts());
        }
    }
}

#[cfg(test)]
mod tests;
