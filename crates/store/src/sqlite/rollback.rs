//! A rollback journal beside a store (<https://www.sqlite.org/fileformat.html#the_rollback_journal>). A store in write-ahead
//! mode has none, a finished backup has none, and SQLite would write whatever is in it into the store.
//!
//! INVARIANT (own-journal): the one that a crash can leave is that of the change which put the file into write-ahead mode.
//! It holds the first page as it was before, and nothing is lost with it.
//!
//! ```text
//! magic (8 bytes), records, nonce, pages, sector size (at 20), page size | up to the sector's end | number of a page, page, …
//! ```

use std::io::{ErrorKind, Result};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::files;

/// Whether a journal is there that SQLite would play back, and it is not that one.
pub(super) fn is_of_another(journal: &Path) -> Result<bool> {
    let file = match files::open_at_once(journal) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    let mut head = [0; 24];
    if file.read_at(&mut head, 0)? == 0 || head.first() == Some(&0) {
        // One that was not begun, or has come to its end.
        return Ok(false);
    }
    let sector = head.last_chunk().map_or(0, |sector| u32::from_be_bytes(*sector));
    let mut record = [0; 24];
    let read = file.read_at(&mut record, u64::from(sector))?;
    // The number of the first page, and the versions in its header: a backup's.
    let is_of_mode = record.starts_with(&[0, 0, 0, 1]) && record.ends_with(&[1, 1]);
    Ok(read < record.len() || !is_of_mode)
}
