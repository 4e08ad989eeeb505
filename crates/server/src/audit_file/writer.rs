//! The thread that writes audit lines.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::disk::{self, Disk};
use super::echo::Echo;
use super::old;
use super::{AuditSettings, Lines, Message, ROOM, Shared, lock, now};
use crate::data_dir::names::{NEXT_END, RESERVE_END};

/// The longest time between two tries to make the reserve again.
const RESTORE_AFTER_MAX: Duration = Duration::from_secs(8);

/// What file systems may need beside the lines: a last block, a directory entry.
pub(super) const SLACK: u64 = 64 * 1024;
/// Bytes written at once.
const BATCH_BYTES_MAX: usize = 256 * 1024;
/// How long lines are let gather between two writes, unless a call waits for its own. Waking this thread for each
/// of them costs the calls more than everything else about the audit.
const GATHER: Duration = Duration::from_millis(2);

pub(super) struct Writer {
    settings: AuditSettings,
    disk: Box<dyn Disk>,
    echo: Option<Echo>,
    retry_after: Duration,
    shared: Arc<Shared>,
    /// The queue is closed: no call relies on room any more.
    closing: bool,
    file: File,
    /// Length of the file up to its last whole line.
    written: u64,
    /// The file is longer than that.
    torn: bool,
    /// When to try again to make the reserve, and how long to wait after that.
    restore_at: Instant,
    restore_after: Duration,
    waiting: VecDeque<Lines>,
    batch: Vec<u8>,
    /// How many of the lines that were not kept the log knows of.
    lost_told: u64,
}

impl Writer {
    pub(super) fn open(
        settings: AuditSettings,
        disk: Box<dyn Disk>,
        echo: Option<Box<dyn Write + Send>>,
        retry_after: Duration,
        shared: Arc<Shared>,
    ) -> io::Result<Self> {
        let file = disk::append(&settings.path)?;
        let written = disk::cut_torn_line(&settings.path, &file)?;
        let mut writer = Self {
            settings,
            disk,
            echo: echo.map(Echo::start).transpose()?,
            retry_after,
            shared,
            closing: false,
            file,
            written,
            torn: false,
            restore_at: now(),
            restore_after: retry_after,
            waiting: VecDeque::new(),
            batch: Vec::new(),
            lost_told: 0,
        };
        writer.step();
        Ok(writer)
    }

    /// Until the queue is closed, and once more for what is in it then.
    pub(super) fn run(mut self, queue: &Receiver<Message>) {
        while self.turn(queue) {
            std::thread::park_timeout(GATHER);
        }
        self.end();
    }

    /// After the last turn.
    pub(super) fn end(&mut self) {
        if !self.waiting.is_empty() {
            tracing::error!(lines = self.waiting.len(), "audit lines could not be written before the end");
        }
        if let Err(error) = self.file.sync_data() {
            tracing::error!(%error, "the audit may not survive a power failure");
        }
        if let Some(echo) = self.echo.take() {
            echo.end();
        }
    }

    /// Take what there is, waiting for something, and write it. `false` when there will be no more.
    pub(super) fn turn(&mut self, queue: &Receiver<Message>) -> bool {
        let settled = self.waiting.is_empty() && self.shared.ready.load(Ordering::SeqCst);
        let first = if settled {
            queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            queue.recv_timeout(self.retry_after)
        };
        let mut closing = false;
        let mut next = match first {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Message::Close),
        };
        while let Some(message) = next {
            match message {
                Message::Lines(lines) => {
                    lock(&self.shared.waiting_since).get_or_insert_with(now);
                    self.waiting.push_back(lines);
                }
                Message::Close => closing = true,
            }
            next = queue.try_recv().ok();
        }
        self.step();
        if closing {
            self.write_the_rest();
        }
        !closing
    }

    fn step(&mut self) {
        let outcome = self.write().or_else(|error| {
            self.give_up_reserve(&error);
            self.write()
        });
        match outcome.and_then(|()| self.restore_reserve()) {
            Ok(true) => self.set_trouble(None),
            // Not tried again yet: what the last try said stands.
            Ok(false) => {}
            Err(error) => self.set_trouble(Some(&error)),
        }
        let lost_at_all = self.shared.lost.load(Ordering::SeqCst);
        let lost = lost_at_all - std::mem::replace(&mut self.lost_told, lost_at_all);
        if lost > 0 {
            tracing::warn!(
                lost,
                "the audit is too far behind: events of reads and refusals are missing in it"
            );
        }
        if self.waiting.is_empty() {
            *lock(&self.shared.waiting_since) = None;
        }
    }

    /// What calls relied on is written; the room that is left is for the lines that waited for the reserve.
    fn write_the_rest(&mut self) {
        self.closing = true;
        if let Err(error) = self.write() {
            self.set_trouble(Some(&error));
        }
    }

    /// Say how it is now; the log hears of the beginning and the end of a trouble.
    fn set_trouble(&self, error: Option<&io::Error>) {
        let trouble = error.map(|error| self.describe(error));
        let before = std::mem::replace(&mut *lock(&self.shared.trouble), trouble.clone());
        let path = self.settings.path.display();
        match (before, trouble) {
            (None, Some(trouble)) => {
                tracing::error!(error = %trouble, "the audit cannot be written; nothing is changed or issued until it can");
            }
            (Some(_), None) => tracing::info!(%path, "the audit is written again"),
            _ => {}
        }
    }

    /// For the operator, who does not know of the reserve: what, where, and what would help.
    fn describe(&self, error: &io::Error) -> String {
        let path = self.settings.path.display();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                let mib = (ROOM + SLACK).div_ceil(1024 * 1024);
                format!("`{path}`: {error}; about {mib} MiB must be free, then it goes on by itself")
            }
            _ => format!("`{path}`: {error}; it is tried again"),
        }
    }

    /// Whether all that waits may be written, or only what calls rely on.
    fn takes_all(&self) -> bool {
        self.closing || self.shared.ready.load(Ordering::SeqCst)
    }

    /// Write what waits: all of it, or without the reserve only what calls rely on.
    fn write(&mut self) -> io::Result<()> {
        if !self.waiting.is_empty() {
            self.follow_path()?;
        }
        while self.gather() > 0 {
            if self.written > 0 && self.written + self.batch.len() as u64 > self.settings.rotate_bytes {
                self.rotate();
            }
            self.put_batch()?;
            if let Some(echo) = &mut self.echo {
                // Only now: the file is the record, and what it took is not tried again.
                echo.offer(&self.batch);
            }
            self.drop_batch();
        }
        Ok(())
    }

    /// Somebody else may have moved, removed or cut the file (`logrotate` does all three): what is written from
    /// now on goes where the operator looks for it.
    fn follow_path(&mut self) -> io::Result<()> {
        let path = &self.settings.path;
        let ours = self.file.metadata()?;
        let is_ours = match std::fs::metadata(path) {
            Ok(found) => Some((found.dev(), found.ino()) == (ours.dev(), ours.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if is_ours == Some(true) || (ours.nlink() > 0 && self.is_displaced()) {
            self.written = self.written.min(ours.len());
            return Ok(());
        }
        if is_ours == Some(false) && self.is_displaced() {
            return Err(io::Error::other("it may be another server's by now, as this one's store is gone"));
        }
        let file = disk::append(path)?;
        let written = disk::cut_torn_line(path, &file)?;
        (self.file, self.written, self.torn) = (file, written, false);
        tracing::warn!(path = %path.display(), "the audit file was moved or removed by another program; a new one is begun");
        Ok(())
    }

    /// The data directory may have been moved away, and another one be in its place: names lead there. What is open
    /// lies with what is left of this server.
    fn is_displaced(&self) -> bool {
        self.settings.store.as_ref().is_some_and(|store| store.check().is_err())
    }

    /// Put whole lines into the batch, as many as go into one file. How many calls they are of.
    fn gather(&mut self) -> usize {
        self.batch.clear();
        let all = self.takes_all();
        let mut calls = 0;
        for lines in self.waiting.iter().filter(|lines| all || lines.relied_on) {
            let size = self.batch.len() + lines.text.len();
            let too_many = size > BATCH_BYTES_MAX || self.written + size as u64 > self.settings.rotate_bytes;
            if calls > 0 && too_many {
                break;
            }
            self.batch.extend_from_slice(lines.text.as_bytes());
            calls += 1;
        }
        calls
    }

    /// All of the batch or none of it: readers and rotation never meet half a line.
    fn put_batch(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.written)?;
            self.torn = false;
        }
        let outcome = disk::write_all(&*self.disk, &mut self.file, &self.batch);
        match outcome {
            Ok(()) => self.written += self.batch.len() as u64,
            Err(_) => self.torn = self.file.set_len(self.written).is_err(),
        }
        outcome
    }

    /// The batch is written: it waits no longer, and its room is free.
    fn drop_batch(&mut self) {
        let all = self.takes_all();
        let mut left = self.batch.len();
        self.waiting.retain_mut(|lines| {
            let written = left > 0 && (all || lines.relied_on);
            if written {
                left = left.saturating_sub(lines.text.len());
                // Fails only when nobody waits any more.
                lines.told.take().map(|told| told.send(()));
            }
            !written
        });
        self.shared.give_back(self.batch.len() as u64);
    }

    /// There is no room, or the disk fails: from now on nothing can be promised, and what was promised goes
    /// where the reserve was.
    fn give_up_reserve(&mut self, error: &io::Error) {
        if self.shared.ready.swap(false, Ordering::SeqCst) {
            self.set_trouble(Some(error));
            (self.restore_at, self.restore_after) = (now() + self.retry_after, self.retry_after);
        }
        if !self.is_displaced() {
            drop(disk::remove_filler(&self.reserve()));
        }
    }

    /// Make the reserve again, if there is room for it, and write what had to wait for that. Whether it is there.
    fn restore_reserve(&mut self) -> io::Result<bool> {
        if self.shared.ready.load(Ordering::SeqCst) {
            return Ok(true);
        }
        if now() < self.restore_at {
            return Ok(false);
        }
        // Every try fills what is left of the disk and empties it again: seldom, the longer it lasts.
        self.restore_after = (self.restore_after * 2).min(RESTORE_AFTER_MAX);
        self.restore_at = now() + self.restore_after;
        if self.is_displaced() {
            return Err(io::Error::other("there is no room kept for it, and its store is gone"));
        }
        disk::fill(&*self.disk, &self.reserve(), ROOM + SLACK)?;
        self.shared.ready.store(true, Ordering::SeqCst);
        self.write().inspect_err(|error| self.give_up_reserve(error)).map(|()| true)
    }

    /// Begin a new file. When that fails the present one grows on: a large audit is better than none.
    fn rotate(&mut self) {
        if self.is_displaced() {
            return;
        }
        match self.next_file() {
            Ok(file) => {
                let full = std::mem::replace(&mut self.file, file);
                self.written = 0;
                old::remove_beyond(&self.settings.path, self.settings.keep);
                flush_aside(full);
            }
            Err(error) => tracing::warn!(%error, "the audit file was not rotated"),
        }
    }

    fn next_file(&self) -> io::Result<File> {
        let path = &self.settings.path;
        if let Some(other) = old::kept_of_another(path, self.settings.keep) {
            let why = format!("`{}` is somebody else's file; move it away", other.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
        }
        let next = beside(path, NEXT_END);
        // As a crash leaves it. What somebody wrote is not gone on with.
        if matches!(disk::is_empty(&next), Ok(true)) {
            std::fs::remove_file(&next)?;
        }
        let file = disk::append_new(&next)?;
        for n in (1..self.settings.keep).rev() {
            match std::fs::rename(beside(path, &n.to_string()), beside(path, &(n + 1).to_string())) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        std::fs::rename(path, beside(path, "1"))?;
        std::fs::rename(&next, path)?;
        Ok(file)
    }

    fn reserve(&self) -> PathBuf {
        beside(&self.settings.path, RESERVE_END)
    }
}

/// Flush what was rotated on a thread of its own: calls wait for this one, and a slow disk takes seconds.
fn flush_aside(full: File) {
    let flush = move || {
        if let Err(error) = full.sync_data() {
            tracing::warn!(%error, "a rotated audit file may not survive a power failure");
        }
    };
    if let Err(error) = std::thread::Builder::new().name("audit-flush".into()).spawn(flush) {
        tracing::warn!(%error, "a rotated audit file is not flushed");
    }
}

/// `audit.jsonl` and `1`: `audit.jsonl.1`
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{end}"));
    PathBuf::from(name)
}
