//! Reading beside the writer: loads on a thread and connection of their own, and online backups.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use tokio::sync::{mpsc, oneshot};

use super::check::{self, Damage};
use super::{files, from_sql, open, writer};
use crate::error::StoreError;
use crate::record::{Record, Revision};

type Loaded = Result<(Revision, Vec<Record>), StoreError>;

/// A load, and where its answer goes.
pub(super) struct Read {
    pub(super) prefix: String,
    pub(super) reply: oneshot::Sender<Loaded>,
}

/// Loads until every sender is gone.
pub(super) fn run(db: &Connection, mut queue: mpsc::Receiver<Read>) {
    while let Some(read) = queue.blocking_recv() {
        let loaded = load(db, &read.prefix).map_err(|damage| match damage {
            Damage::Found(detail) => {
                StoreError::Unavailable(format!("it is damaged ({detail}); restore a backup"))
            }
            Damage::Failed(error) => StoreError::Unavailable(error.to_string()),
        });
        let _gone = read.reply.send(loaded);
    }
}

/// Revision and records of one moment: both are read in one transaction.
fn load(db: &Connection, prefix: &str) -> Result<(Revision, Vec<Record>), Damage> {
    let moment = db.unchecked_transaction()?;
    let revision = writer::revision(&moment)?;
    let mut records = Vec::new();
    {
        let mut from = moment.prepare_cached(
            "SELECT key, revision, value, checksum FROM records WHERE key >= ?1 ORDER BY key",
        )?;
        let mut rows = from.query([prefix])?;
        while let Some(row) = rows.next()? {
            let (key, revision, value) = check::record(row)?;
            if !key.starts_with(prefix) {
                break;
            }
            let (key, value) = (Arc::from(key), Bytes::copy_from_slice(value));
            records.push(Record { key, value, revision: from_sql(revision) });
        }
    }
    Ok((revision, records))
}

/// Copies the store in the file `from` to the new file `to` with SQLite's online backup
/// (<https://www.sqlite.org/backup.html>), beside a writer.
pub(super) fn backup(from: &Path, to: &Path) -> Result<Revision, StoreError> {
    if to.symlink_metadata().is_ok() {
        return Err(StoreError::Exists(to.to_owned()));
    }
    // Written under another name: whatever ends it early, no half backup bears the name asked for.
    let partial = files::with_suffix(to, ".partial");
    let copied = copy(from, &partial).and_then(|revision| {
        files::put_in_place(&partial, to).map_err(|e| e.to_string())?;
        Ok(revision)
    });
    copied.map_err(|detail| {
        files::discard(&partial);
        StoreError::Backup { path: to.to_owned(), detail }
    })
}

/// The copy itself; errors are the system's words.
fn copy(from: &Path, partial: &Path) -> Result<Revision, String> {
    let text = |e: rusqlite::Error| e.to_string();
    files::create_private(partial).map_err(|e| e.to_string())?;
    let source = open::connect_reader(from).map_err(text)?;
    let mut copy = open::connect(partial).map_err(text)?;
    {
        let backup = Backup::new(&source, &mut copy).map_err(text)?;
        // In one step, so in one read transaction: in smaller ones each commit would start it anew.
        match backup.step(-1).map_err(text)? {
            StepResult::Done => {}
            StepResult::More | StepResult::Busy | StepResult::Locked => return Err("it is busy".to_owned()),
            other => return Err(format!("SQLite answered {other:?}")),
        }
    }
    check::whole(&copy).map_err(|damage| damage.to_string())?;
    let revision = writer::revision(&copy).map_err(text)?;
    // So its header says that a log beside it is another store's. After the check, which was the first to read it:
    // only then this connection knows that the copy is in write-ahead mode.
    if !open::journal(&copy, "delete").map_err(text)? {
        return Err("it could not be finished".to_owned());
    }
    copy.close().map_err(|(_, e)| text(e))?;
    Ok(revision)
}
