//! The one thread that writes. It takes every commit that waits into one transaction, each behind
//! its own savepoint, and acknowledges them only after the COMMIT returned.

use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use tokio::sync::{mpsc, oneshot};

use super::check::checksum;
use super::place::Place;
use super::pulse::Pulse;
use super::{from_sql, to_sql};
use crate::error::CommitError;
use crate::feed::Feed;
use crate::guard::{Look, all_hold};
use crate::record::{COMMIT_BYTES_MAX, Change, Commit, Record, Revision, SPENT_KEPT_SECONDS, Spent};

/// Most jobs of one transaction.
const GROUP_MAX: usize = 64;
/// Most expired facts removed by one spending, so that no single one pays for all.
const FORGET_MAX: i64 = 64;

/// Something to do, and where its answer goes.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) reply: oneshot::Sender<Result<Done, CommitError>>,
}

/// What the writer can do. Inputs are validated before they come here.
pub(super) enum Work {
    Commit(Commit),
    Spend {
        fact: String,
        expires_at: i64,
        now: i64,
    },
    /// Bring the feed up to what is on the disk.
    Sync,
    /// Write something that changes nothing, to learn whether it can be done.
    Probe,
}

/// The answers.
#[derive(Clone, Copy)]
pub(super) enum Done {
    Committed(Revision),
    Spent(Spent),
    Synced,
}

/// What the writer has in common with whoever asks.
pub(super) struct Shared {
    pub(super) feed: Arc<Feed>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) place: Arc<Place>,
}

/// Writes until every sender is gone.
pub(super) fn run(db: Connection, mut queue: mpsc::Receiver<Job>, shared: &Shared) {
    let Shared { feed, pulse, place } = shared;
    // Also when unwinding: watchers and `current` must learn that nothing will come.
    let _closing = Closing(feed);
    while let Some(first) = queue.blocking_recv() {
        let mut bytes = first.bytes();
        let mut group = vec![first];
        while group.len() < GROUP_MAX && bytes < COMMIT_BYTES_MAX {
            let Ok(job) = queue.try_recv() else { break };
            bytes += job.bytes();
            group.push(job);
        }
        pulse.begin();
        // INVARIANT (named-store): what is acknowledged is in the file that the next start will open.
        match place.check() {
            Ok(()) => settle(&db, group, feed, pulse),
            Err(why) => {
                let error = CommitError::Unavailable(why);
                note_failure(pulse, &error);
                answer_all(group, &error);
            }
        }
        pulse.end();
    }
    if let Err((_, error)) = db.close() {
        tracing::error!(%error, "closing the store failed");
    }
}

struct Closing<'a>(&'a Feed);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Does a group and answers every job in it.
fn settle(db: &Connection, group: Vec<Job>, feed: &Feed, pulse: &Pulse) {
    match transact(db, &group, feed) {
        Ok(outcome) => {
            let failed = |answer: &Result<_, CommitError>| {
                answer.as_ref().err().filter(|error| !matches!(error, CommitError::Conflict)).cloned()
            };
            match outcome.answers.iter().find_map(failed) {
                Some(error) => note_failure(pulse, &error),
                None if outcome.wrote && pulse.wrote() => tracing::info!("the store is written again"),
                None => {}
            }
            // INVARIANT (published-before-acknowledged): whoever hears of a commit finds it in the watch.
            feed.publish(outcome.changes);
            for (job, answer) in group.into_iter().zip(outcome.answers) {
                job.answer(answer);
            }
        }
        // The transaction is gone, and a commit of it may have ruined it for the others: one by one.
        Err(Failure::Void(_)) if group.len() > 1 => {
            for job in group {
                settle(db, vec![job], feed, pulse);
            }
        }
        Err(Failure::Void(error)) => {
            note_failure(pulse, &error);
            answer_all(group, &error);
        }
        Err(Failure::Unknown) => {
            note_failure(pulse, &CommitError::Unknown);
            answer_all(group, &CommitError::Unknown);
            resync(db, feed);
        }
    }
}

/// One line in the log for a whole trouble: its end is told too.
pub(super) fn note_failure(pulse: &Pulse, error: &CommitError) {
    if pulse.failed() {
        tracing::error!(%error, "the store cannot be written; it is tried again when it is asked to");
    }
}

/// What a transaction that is on the disk has done.
struct Outcome {
    changes: Vec<Change>,
    /// One for each job, in order.
    answers: Vec<Result<Done, CommitError>>,
    /// Whether there was anything to put there.
    wrote: bool,
}

enum Failure {
    /// Certainly nothing of the group happened.
    Void(CommitError),
    /// COMMIT itself failed: it may be found on the disk later.
    Unknown,
}

fn transact(db: &Connection, group: &[Job], feed: &Feed) -> Result<Outcome, Failure> {
    let void = |error: &rusqlite::Error| {
        roll_back(db);
        Failure::Void(refusal(error))
    };
    let mut revision = begin(db, feed).map_err(|e| void(&e))?;
    let began_at = revision;
    let mut outcome = Outcome { changes: Vec::new(), answers: Vec::with_capacity(group.len()), wrote: false };
    for job in group {
        match attempt(db, &job.work, revision) {
            Ok(Attempt { answer, change, wrote }) => {
                outcome.wrote |= wrote;
                if let Some(change) = change {
                    revision = change.revision;
                    outcome.changes.push(change);
                }
                outcome.answers.push(answer);
            }
            // SQLite ends the whole transaction by itself after some errors (a full disk is one).
            Err(error) if db.is_autocommit() => return Err(void(&error)),
            Err(error) => outcome.answers.push(Err(refusal(&error))),
        }
    }
    if revision > began_at {
        db.prepare_cached("UPDATE meta SET revision = ?1")
            .and_then(|mut s| s.execute([to_sql(revision)]))
            .map_err(|e| void(&e))?;
    }
    if outcome.wrote {
        end(db)?;
    } else {
        roll_back(db);
    }
    Ok(outcome)
}

/// Opens a write transaction and tells the store's revision.
fn begin(db: &Connection, feed: &Feed) -> rusqlite::Result<Revision> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let revision = revision(db)?;
    if revision != feed.current() {
        // A commit whose outcome was unknown has come true, or something else wrote the file.
        feed.jump(revision);
    }
    Ok(revision)
}

/// The COMMIT. Everything before it is undone for certain when it fails; this is not.
fn end(db: &Connection) -> Result<(), Failure> {
    let committed = db.prepare_cached("COMMIT").and_then(|mut s| s.execute([]));
    let Err(error) = committed else { return Ok(()) };
    roll_back(db);
    match refusal(&error) {
        // Busy: not tried. Full: the last frame, which makes a commit count, was not written.
        full @ CommitError::Full => Err(Failure::Void(full)),
        busy if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Err(Failure::Void(busy)),
        _ => {
            tracing::error!(%error, "a commit of the store failed");
            Err(Failure::Unknown)
        }
    }
}

fn roll_back(db: &Connection) {
    if !db.is_autocommit()
        && let Err(error) = db.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "rolling back failed");
    }
}

fn resync(db: &Connection, feed: &Feed) {
    match revision(db) {
        Ok(revision) if revision != feed.current() => feed.jump(revision),
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "reading the store's revision failed"),
    }
}

fn answer_all(group: Vec<Job>, error: &CommitError) {
    for job in group {
        job.answer(Err(error.clone()));
    }
}

impl Job {
    fn bytes(&self) -> usize {
        match &self.work {
            Work::Commit(commit) => commit.bytes(),
            Work::Spend { fact, .. } => fact.len(),
            Work::Sync | Work::Probe => 0,
        }
    }

    fn answer(self, answer: Result<Done, CommitError>) {
        // A caller that stopped waiting does not undo the commit.
        let _gone = self.reply.send(answer);
    }
}

/// What one job did inside the open transaction.
struct Attempt {
    answer: Result<Done, CommitError>,
    change: Option<Change>,
    wrote: bool,
}

/// Does one job behind a savepoint: an error undoes it alone.
fn attempt(db: &Connection, work: &Work, at: Revision) -> rusqlite::Result<Attempt> {
    db.prepare_cached("SAVEPOINT job")?.execute([])?;
    let attempted = match work {
        Work::Commit(commit) => try_commit(db, commit, at),
        Work::Spend { fact, expires_at, now } => try_spend(db, fact, *expires_at, *now),
        Work::Sync => Ok(Attempt { answer: Ok(Done::Synced), change: None, wrote: false }),
        Work::Probe => probe(db).map(|()| Attempt { answer: Ok(Done::Synced), change: None, wrote: true }),
    };
    if attempted.is_err() && !db.is_autocommit() {
        db.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    if !db.is_autocommit() {
        db.prepare_cached("RELEASE job")?.execute([])?;
    }
    attempted
}

/// Puts a page into the log that says what it said before. SQLite leaves out what is written over with the
/// same bytes, and a disk is asked nothing by a transaction without a page: so there and back.
fn probe(db: &Connection) -> rusqlite::Result<()> {
    for there_and_back in [1, -1] {
        db.prepare_cached("UPDATE meta SET revision = revision + ?1")?.execute([there_and_back])?;
    }
    Ok(())
}

fn try_commit(db: &Connection, commit: &Commit, at: Revision) -> rusqlite::Result<Attempt> {
    // All guards before the first write.
    if !all_hold(&commit.guards, &Looking(db))? {
        return Ok(Attempt { answer: Err(CommitError::Conflict), change: None, wrote: false });
    }
    let revision = at.next();
    let mut change = Change { revision, puts: Vec::with_capacity(commit.puts.len()), deletes: Vec::new() };
    let mut delete = db.prepare_cached("DELETE FROM records WHERE key = ?1")?;
    for key in &commit.deletes {
        if delete.execute([key])? > 0 {
            change.deletes.push(key.as_str().into());
        }
    }
    let mut put = db.prepare_cached(
        "INSERT INTO records (key, revision, value, checksum) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (key) DO UPDATE \
         SET revision = excluded.revision, value = excluded.value, checksum = excluded.checksum",
    )?;
    for (key, value) in &commit.puts {
        let sum = checksum(key, to_sql(revision), value);
        put.execute(params![key, to_sql(revision), value.as_ref(), sum])?;
        change.puts.push(Record { key: key.as_str().into(), value: value.clone(), revision });
    }
    if change.puts.is_empty() && change.deletes.is_empty() {
        return Ok(Attempt { answer: Ok(Done::Committed(at)), change: None, wrote: false });
    }
    Ok(Attempt { answer: Ok(Done::Committed(revision)), change: Some(change), wrote: true })
}

/// The promises are those of [`Store::spend`](crate::Store::spend).
fn try_spend(db: &Connection, fact: &str, expires_at: i64, now: i64) -> rusqlite::Result<Attempt> {
    let forgot = forget(db, now)?;
    let spent = |spent, wrote| Attempt { answer: Ok(Done::Spent(spent)), change: None, wrote };
    let forgotten_until: Option<i64> =
        db.prepare_cached("SELECT facts_forgotten_until FROM meta")?.query_row([], |row| row.get(0))?;
    if expires_at <= now || forgotten_until.is_some_and(|until| expires_at <= until) {
        return Ok(spent(Spent::Already, forgot));
    }
    // A fact that has expired but was not removed yet may be spent anew.
    let wrote = db
        .prepare_cached(
            "INSERT INTO spent (fact, expires_at) VALUES (?1, ?2) \
             ON CONFLICT (fact) DO UPDATE SET expires_at = excluded.expires_at \
             WHERE spent.expires_at <= ?3",
        )?
        .execute(params![fact, expires_at, now])?
        > 0;
    Ok(spent(if wrote { Spent::First } else { Spent::Already }, forgot || wrote))
}

/// Removes some facts that expired long ago. INVARIANT (spent-once): the latest expiry of what was removed is kept,
/// so that a clock that ran ahead and came back cannot make a forgotten fact spendable.
fn forget(db: &Connection, now: i64) -> rusqlite::Result<bool> {
    let mut remove = db.prepare_cached(
        "DELETE FROM spent WHERE fact IN \
         (SELECT fact FROM spent WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2) RETURNING expires_at",
    )?;
    let mut latest: Option<i64> = None;
    for expired in
        remove.query_map([now.saturating_sub(SPENT_KEPT_SECONDS), FORGET_MAX], |row| row.get::<_, i64>(0))?
    {
        latest = latest.max(Some(expired?));
    }
    if let Some(latest) = latest {
        db.prepare_cached(
            "UPDATE meta SET facts_forgotten_until = max(coalesce(facts_forgotten_until, ?1), ?1)",
        )?
        .execute([latest])?;
    }
    Ok(latest.is_some())
}

/// The records as the open transaction sees them.
struct Looking<'a>(&'a Connection);

impl Look for Looking<'_> {
    type Error = rusqlite::Error;

    fn revision_of(&self, key: &str) -> rusqlite::Result<Option<Revision>> {
        self.0
            .prepare_cached("SELECT revision FROM records WHERE key = ?1")?
            .query_row([key], |row| row.get(0).map(from_sql))
            .optional()
    }

    /// Looks through what changed since, which is little for a fresh snapshot, not through the prefix.
    fn newer_under(&self, prefix: &str, since: Revision) -> rusqlite::Result<bool> {
        self.0
            .prepare_cached(
                "SELECT 1 FROM records INDEXED BY records_by_revision \
                 WHERE revision > ?1 AND substr(key, 1, length(?2)) = ?2 LIMIT 1",
            )?
            .exists(params![to_sql(since), prefix])
    }
}

/// The store's revision.
pub(super) fn revision(db: &Connection) -> rusqlite::Result<Revision> {
    db.prepare_cached("SELECT revision FROM meta")?.query_row([], |row| row.get(0).map(from_sql))
}

/// What a caller hears of an error before COMMIT.
fn refusal(error: &rusqlite::Error) -> CommitError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => CommitError::Full,
        _ => CommitError::Unavailable(error.to_string()),
    }
}
