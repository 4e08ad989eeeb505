//! Opening the file of a store, or making one. Whatever is not a whole store of a version we know is
//! refused with one line that says what to do, and left byte for byte as it was.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::backup::Source;
use super::check;
use super::copy::Copy;
use super::log::{self, Fault};
use super::open_error::OpenError;
use super::place::Place;
use super::schema::{SCHEMA, Schema};
use super::{files, from_sql, reader, rollback, shared, writer};
use crate::error::StoreError;
use crate::record::{Record, Revision};

/// The version of the format that this code reads and writes. A file says the lowest version of
/// reader and of writer that it needs; members `lowest_reader` and `lowest_writer` of `meta` keep
/// their names for ever, and no version makes anything but tables and their indexes. Tables that differ need a reader
/// that knows them.
pub(super) const FORMAT: i64 = 1;
/// "dayp" in ASCII, at offset 68 of the file (<https://www.sqlite.org/fileformat.html>, section 1.3).
const APPLICATION_ID: i32 = 0x6461_7970;
/// How long a connection waits for another one's lock, in milliseconds.
const BUSY_TIMEOUT_MS: u64 = 5_000;
/// No value or row of ours is longer (`VALUE_BYTES_MAX`), and no text or blob that SQLite makes may be.
const LENGTH_MAX: i32 = 16 * 1024 * 1024;
/// Steps of SQLite's machine between two looks at whether it is enough, and how many looks there are: a store's tables are known
/// after some hundred steps.
const STEPS: i32 = 1000;
const PATIENCE: u32 = 50;
/// Longest text that is read meanwhile, in bytes: a table's definition has a few hundred.
const DEFINITION_BYTES_MAX: i32 = 16 * 1024;
/// The write-ahead log is cut back to this many bytes once it is empty.
const WAL_BYTES_KEPT: i64 = 16 * 1024 * 1024;

/// A checked store.
pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) reader: Connection,
    /// Of backups.
    pub(super) source: Source,
    pub(super) revision: Revision,
    pub(super) place: Place,
}

/// A key, and whether its value is the right one.
pub type Known<'a> = (&'a str, &'a dyn Fn(&[u8]) -> bool);

/// What a store that was used before must hold.
#[derive(Clone, Copy)]
pub struct Holding<'a> {
    /// A record under this prefix.
    pub prefix: &'a str,
    /// And, if there is one of this key, a value that its owner knows as the right one.
    pub known: Option<Known<'a>>,
}

/// Opens `path` and checks it, or makes it; never the latter where it must hold something.
pub(super) fn open(
    path: &Path,
    holding: Option<Holding<'_>>,
    size_max: Option<u64>,
) -> Result<Opened, OpenError> {
    files::check_regular(path).map_err(|e| OpenError::unopened(path, &e))?;
    match File::open(path) {
        Ok(file) => {
            let kind = check_header(path, &file)?;
            check_log(path, &kind)?;
            check_journal(path)?;
            remove_scratch(path, &kind)?;
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && holding.is_some() => {
            return Err(OpenError::Lost { path: path.to_owned(), what: "is missing".to_owned() });
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => create(path)?,
        Err(e) => return Err(OpenError::unopened(path, &e)),
    }
    refuse_faulty_log(path)?;
    let sqlite = |e: rusqlite::Error| OpenError::sqlite(path, &e);
    let place = Place::of(path).map_err(|e| OpenError::io(path, &e))?;
    let mut writer = connect_patiently(path).map_err(sqlite)?;
    let revision = check(path, &mut writer)?;
    // Before anything is written: the log beside a file may be another store's, and is about to be written into it.
    if let Some(holding) = holding {
        check_holding(path, &writer, holding)?;
    }
    prepare_writer(&writer, size_max).map_err(sqlite)?;
    if !journal(&writer, "wal").map_err(sqlite)? {
        let detail = "its file system cannot keep a write-ahead log".to_owned();
        return Err(OpenError::Io { path: path.to_owned(), detail });
    }
    let reader = connect_reader(path).map_err(sqlite)?;
    let source = connect_reader(path).and_then(Source::new).map_err(sqlite)?;
    let place = place.with_log().map_err(|e| OpenError::io(path, &e))?;
    // The file is ours and whole: closing it writes the log back and removes it. Not before there is nothing left that
    // can fail: a log that is there may be all that shows an end without order, and goes with an orderly one only.
    writer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(sqlite)?;
    Ok(Opened { writer, reader, source, revision, place })
}

/// A connection that changes nothing by being opened or closed. Closing the last one would write a log
/// back into the file, which a damaged file must be spared, and remove it, even one without any commit: that there is
/// a log tells of an end without order.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let mut db = connect_patiently(path)?;
    let_take_its_time(&mut db)?;
    Ok(db)
}

/// The same for a file that nobody has looked at: a tree of pages that lead to each other again and again has more tables than
/// anybody could read, so what is asked of it ends after so many steps. [`let_take_its_time`] ends that.
fn connect_patiently(path: &Path) -> rusqlite::Result<Connection> {
    let log = files::with_suffix(path, "-wal").exists();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    let mut left = PATIENCE;
    let is_over = move || {
        left = left.saturating_sub(1);
        left == 0
    };
    db.progress_handler(STEPS, Some(is_over))?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, log)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, DEFINITION_BYTES_MAX)?;
    db.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS))?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "cell_size_check", true)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    // What was replaced may have been sealed with a key that somebody knows by now.
    db.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    Ok(db)
}

fn let_take_its_time(db: &mut Connection) -> rusqlite::Result<()> {
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, LENGTH_MAX)?;
    db.progress_handler(0, None::<fn() -> bool>)
}

/// A connection that cannot write.
pub(super) fn connect_reader(path: &Path) -> rusqlite::Result<Connection> {
    let db = connect(path)?;
    db.pragma_update(None, "query_only", true)?;
    Ok(db)
}

/// Makes the file whole under another name first, so that no crash leaves a half-made store.
fn create(path: &Path) -> Result<(), OpenError> {
    let io = |e: std::io::Error| OpenError::io(path, &e);
    if files::with_suffix(path, "-wal").exists() {
        // A new file would be joined with the old one's log.
        return Err(OpenError::corrupt(path, "it is missing, but its write-ahead log is there"));
    }
    let new = files::with_suffix(path, ".new");
    files::create_private(&new).map_err(io)?;
    make(&new).map_err(|e| OpenError::sqlite(path, &e))?;
    files::put_in_place_locked(&new, path).map_err(io)
}

fn make(new: &Path) -> rusqlite::Result<()> {
    let db = connect(new)?;
    db.pragma_update(None, "application_id", APPLICATION_ID)?;
    journal(&db, "wal")?;
    db.execute_batch(&format!(
        "BEGIN; {SCHEMA} INSERT INTO meta (id, lowest_reader, lowest_writer, revision) \
         VALUES (1, {FORMAT}, {FORMAT}, 0); COMMIT;"
    ))?;
    db.close().map_err(|(_, e)| e)
}

/// Puts a file into write-ahead mode (`wal`) or out of it (`delete`), and tells whether it is. One that is in
/// it already is left alone. The header says which (<https://www.sqlite.org/fileformat.html>, section 1.3.3).
pub(super) fn journal(db: &Connection, mode: &str) -> rusqlite::Result<bool> {
    let now: String = db.pragma_update_and_check(None, "journal_mode", mode, |row| row.get(0))?;
    Ok(now == mode)
}

/// What a file is, by its header.
pub(super) enum Kind {
    /// A store that was opened before.
    Store,
    /// A backup that was not: no log beside it can be its own.
    Backup,
}

/// Looks at what SQLite would join with the file. INVARIANT (own-log): a crash leaves neither of what is refused
/// here. SQLite makes the log before the shared memory and removes it after that (`sqlite3WalClose`), and a
/// backup's header is on the disk as a store's before it has a log.
fn check_log(path: &Path, kind: &Kind) -> Result<(), OpenError> {
    let [log, shared] = ["-wal", "-shm"].map(|suffix| files::with_suffix(path, suffix));
    let frames = match std::fs::metadata(&log) {
        Ok(log) => Some(log.len()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(OpenError::unopened(path, &e)),
    };
    match (kind, frames) {
        (Kind::Store, None) if shared.exists() => Err(OpenError::LogLost { path: path.to_owned() }),
        (Kind::Backup, Some(1..)) => Err(OpenError::LogOfAnother { path: path.to_owned() }),
        _ => Ok(()),
    }
}

/// A journal that is to be written into a store, or into a backup, which has none either.
fn check_journal(path: &Path) -> Result<(), OpenError> {
    let journal = files::with_suffix(path, "-journal");
    if rollback::is_of_another(path, &journal).map_err(|e| OpenError::unopened(path, &e))? {
        return Err(OpenError::JournalOfAnother { path: path.to_owned() });
    }
    Ok(())
}

/// With an empty log of another store beside a backup SQLite would use it, and leave the header as it is.
fn remove_scratch(path: &Path, kind: &Kind) -> Result<(), OpenError> {
    let left = ["-shm", "-wal"].into_iter().filter(|_| matches!(kind, Kind::Backup));
    left.map(|suffix| files::with_suffix(path, suffix))
        .try_for_each(|left| files::remove(&left))
        .map_err(|e| OpenError::unopened(path, &e))
}

/// Looks at the first 100 bytes before SQLite touches anything.
pub(super) fn check_header(path: &Path, file: &File) -> Result<Kind, OpenError> {
    let mut header = [0; 100];
    let length = file.read_at(&mut header, 0).map_err(|e| OpenError::io(path, &e))?;
    let header = header.get(..length).unwrap_or_default();
    if header.is_empty() {
        return Err(OpenError::corrupt(path, "it is empty"));
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::corrupt(path, "it does not begin as a database does"));
    }
    match (header.get(18..20), header.get(68..72)) {
        (Some(_), Some(id)) if id != APPLICATION_ID.to_be_bytes() => {
            Err(OpenError::Foreign { path: path.to_owned() })
        }
        (Some([2, 2]), Some(_)) => Ok(Kind::Store),
        (Some([1, 1]), Some(_)) => Ok(Kind::Backup),
        (Some(_), Some(_)) => Err(OpenError::corrupt(path, "its header is not as it was written")),
        _ => Err(OpenError::corrupt(path, "it is cut short")),
    }
}

/// Whether a file was made by a backup and no store was opened on it since.
pub(super) fn is_backup(path: &Path) -> Result<bool, OpenError> {
    let file = files::open_at_once(path).map_err(|e| OpenError::io(path, &e))?;
    Ok(matches!(check_header(path, &file)?, Kind::Backup))
}

/// Checks a file that nobody has open, by reading a copy; what is in it.
pub(super) fn examine(path: &Path, holding: Holding<'_>) -> Result<(Revision, Vec<Record>), OpenError> {
    files::check_regular(path).map_err(|e| OpenError::unopened(path, &e))?;
    let copy = Copy::of(path)?;
    read_copy(&copy.file(), path, holding).map_err(|error| match error {
        OpenError::Full { .. } => copy.has_no_room(path),
        error => error.about(path),
    })
}

/// A start looks at the journal, too, which is not copied.
fn read_copy(
    path: &Path,
    original: &Path,
    holding: Holding<'_>,
) -> Result<(Revision, Vec<Record>), OpenError> {
    let file = File::open(path).map_err(|e| OpenError::unopened(path, &e))?;
    let kind = check_header(path, &file)?;
    check_log(path, &kind)?;
    check_journal(original)?;
    refuse_faulty_log(path)?;
    let mut db = connect_patiently(path).map_err(|e| OpenError::sqlite(path, &e))?;
    db.pragma_update(None, "query_only", true).map_err(|e| OpenError::sqlite(path, &e))?;
    check(path, &mut db)?;
    check_holding(path, &db, holding)?;
    reader::load(&db, "").map_err(|damage| OpenError::damage(path, damage))
}

/// What a store must hold that was used before.
fn check_holding(path: &Path, db: &Connection, holding: Holding<'_>) -> Result<(), OpenError> {
    let sqlite = |e: rusqlite::Error| OpenError::sqlite(path, &e);
    let Holding { prefix, known } = holding;
    if !holds(db, prefix).map_err(sqlite)? {
        return Err(OpenError::Lost {
            path: path.to_owned(),
            what: format!("holds nothing under `{prefix}`"),
        });
    }
    if let Some((key, is_right)) = known
        && value_of(db, key).map_err(sqlite)?.is_some_and(|value| !is_right(&value))
    {
        return Err(OpenError::Unknown { path: path.to_owned() });
    }
    Ok(())
}

fn refuse_faulty_log(path: &Path) -> Result<(), OpenError> {
    match fault_of_log(path).map_err(|e| OpenError::unopened(path, &e))? {
        Some(Fault::Damaged(detail)) => Err(OpenError::corrupt(path, detail)),
        Some(Fault::Short) => Err(OpenError::LogShort { path: path.to_owned() }),
        None => Ok(()),
    }
}

fn fault_of_log(path: &Path) -> std::io::Result<Option<Fault>> {
    let [log, shared] = ["-wal", "-shm"].map(|suffix| files::with_suffix(path, suffix));
    log::fault(&log, shared::promised(&shared)?.as_ref())
}

/// Version first: a newer file may look damaged to us. Before that only whether asking for it ends.
fn check(path: &Path, db: &mut Connection) -> Result<Revision, OpenError> {
    let sqlite = |e: rusqlite::Error| OpenError::sqlite(path, &e);
    let unlike = || OpenError::corrupt(path, "its tables are not as they were made");
    let schema = Schema::of(db).map_err(|e| match e.sqlite_error_code() {
        None => unlike(),
        Some(_) => unreadable(path, &e),
    })?;
    if !schema.is_plain() || Schema::computes(db, "meta").map_err(|e| unreadable(path, &e))? {
        return Err(unlike());
    }
    let needs: i64 = db
        .query_row("SELECT max(lowest_reader, lowest_writer) FROM meta", [], |row| row.get(0))
        .map_err(|e| unreadable(path, &e))?;
    if needs > FORMAT {
        return Err(OpenError::TooNew { path: path.to_owned(), needs });
    }
    if !schema.is_ours().map_err(sqlite)? {
        return Err(unlike());
    }
    let_take_its_time(db).map_err(sqlite)?;
    check::whole(db).map_err(|damage| OpenError::damage(path, damage))?;
    let revision = writer::revision(db).map_err(sqlite)?;
    let newest: Option<i64> =
        db.query_row("SELECT max(revision) FROM records", [], |row| row.get(0)).map_err(sqlite)?;
    if newest.is_some_and(|newest| from_sql(newest) > revision) {
        return Err(OpenError::corrupt(path, "a record is newer than the store"));
    }
    Ok(revision)
}

/// A file with our mark whose `meta` cannot be read is damaged, unless SQLite gives another reason.
fn unreadable(path: &Path, error: &rusqlite::Error) -> OpenError {
    match (error, error.sqlite_error_code()) {
        (rusqlite::Error::QueryReturnedNoRows, _) => OpenError::corrupt(path, "its version is missing"),
        (_, Some(ErrorCode::Unknown)) => OpenError::corrupt(path, error.to_string()),
        _ => OpenError::sqlite(path, error),
    }
}

fn value_of(db: &Connection, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    db.query_row("SELECT value FROM records WHERE key = ?1", [key], |row| row.get(0)).optional()
}

/// Whether there is a record under `prefix`.
fn holds(db: &Connection, prefix: &str) -> rusqlite::Result<bool> {
    db.prepare("SELECT 1 FROM records WHERE key >= ?1 AND substr(key, 1, length(?1)) = ?1 LIMIT 1")?
        .exists([prefix])
}

/// Beside the writer and the reader, on a connection of its own
/// (<https://www.sqlite.org/pragma.html#pragma_wal_checkpoint>).
pub(super) fn write_back(path: &Path) -> Result<(), StoreError> {
    let away = |e: rusqlite::Error| StoreError::Unavailable(e.to_string());
    let db = connect(path).map_err(away)?;
    let busy: bool = db.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get(0)).map_err(away)?;
    if busy { Err(StoreError::Unavailable("it is busy".to_owned())) } else { Ok(()) }
}

fn prepare_writer(db: &Connection, size_max: Option<u64>) -> rusqlite::Result<()> {
    // A connection to a file that may only be read opens all the same, and so does one whose log may.
    db.execute_batch("BEGIN IMMEDIATE; UPDATE meta SET revision = revision; ROLLBACK")?;
    db.set_prepared_statement_cache_capacity(32);
    db.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_KEPT, |_| Ok(()))?;
    if let Some(size_max) = size_max {
        let page_size: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(size_max).unwrap_or(i64::MAX) / page_size.max(1);
        db.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))?;
    }
    // The next commit begins a new turn of the log: `log::fault` counts what one crash can leave, not two.
    // Not TRUNCATE: see INVARIANT (log-keeps-commits).
    if let Err(error) = db.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())) {
        tracing::warn!(%error, "the write-ahead log could not be written back");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a connection becomes whose file or log may only be read: a test that root runs too.
    #[test]
    fn a_connection_that_cannot_write_is_refused() {
        let path = std::env::temp_dir().join(format!("daypass-store-{}-readonly", std::process::id()));
        create(&path).unwrap();
        // Reading goes well.
        let other = connect(&path).unwrap();
        assert_eq!(writer::revision(&other).unwrap(), Revision::ZERO);
        let db = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        assert_eq!(writer::revision(&db).unwrap(), Revision::ZERO);
        let error = prepare_writer(&db, None).unwrap_err();
        drop((db, other));
        ["", "-wal", "-shm"].iter().for_each(|end| files::remove(&files::with_suffix(&path, end)).unwrap());
        assert!(matches!(OpenError::sqlite(&path, &error), OpenError::ReadOnly { .. }), "{error}");
    }
}
