//! Reading beside the writer: loads on a thread and connection of their own.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::check::{self, Damage};
use super::{from_sql, writer};
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
pub(super) fn load(db: &Connection, prefix: &str) -> Result<(Revision, Vec<Record>), Damage> {
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
