//! Whether a file holds what was written: SQLite's own check of its structure, and a sum over each record.
//!
//! SQLite keeps no sums over what it stores (<https://www.sqlite.org/howtocorrupt.html>): a bit that
//! flips inside a value is read back as it is. Here that could turn a Deny into another action's.

use rusqlite::{Connection, Row};
use sha2::{Digest, Sha256};

/// What a check found.
#[derive(Debug, thiserror::Error)]
pub(super) enum Damage {
    #[error("{0}")]
    Found(String),
    #[error("{0}")]
    Failed(#[from] rusqlite::Error),
}

/// Everything there is: structure, indexes, and each record.
pub(super) fn whole(db: &Connection) -> Result<(), Damage> {
    structure(db)?;
    let mut records = db.prepare("SELECT key, revision, value, checksum FROM records")?;
    let mut rows = records.query([])?;
    while let Some(row) = rows.next()? {
        record(row)?;
    }
    Ok(())
}

/// SQLite's integrity check (<https://www.sqlite.org/pragma.html#pragma_integrity_check>), its first
/// finding. The quick one leaves indexes out, and guards are answered from indexes.
fn structure(db: &Connection) -> Result<(), Damage> {
    let found: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    Err(Damage::Found(found.lines().collect::<Vec<_>>().join(" ")))
}

/// Key and value of a row of `key, revision, value, checksum`, if they are as they were written.
pub(super) fn record<'r>(row: &'r Row<'_>) -> Result<(&'r str, i64, &'r [u8]), Damage> {
    let unlike = |_| Damage::Found("a record is of another form than any that was written".to_owned());
    let key = row.get_ref(0)?.as_str().map_err(unlike)?;
    let value = row.get_ref(2)?.as_blob().map_err(unlike)?;
    let (revision, sum): (i64, i64) = (row.get(1)?, row.get(3)?);
    if sum != checksum(key, revision, value) {
        return Err(Damage::Found(format!("the record `{}` is not as it was written", key.escape_debug())));
    }
    Ok((key, revision, value))
}

/// The first 8 bytes of the SHA-256 of
///
/// ```text
/// revision (8 bytes, big endian) | key | 0x00 (no key has one) | value
/// ```
pub(super) fn checksum(key: &str, revision: i64, value: &[u8]) -> i64 {
    let digest = Sha256::new()
        .chain_update(revision.to_be_bytes())
        .chain_update(key)
        .chain_update([0])
        .chain_update(value)
        .finalize();
    i64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default())
}
