//! What the memory that connections share, which is a file, still says of the log after a crash, before SQLite makes
//! it anew (<https://www.sqlite.org/walformat.html#the_wal_index_file_format>).
//!
//! INVARIANT (log-keeps-commits): a crash never leaves a log with less than this says. SQLite notes a commit here once
//! the log is flushed, and here first that a log begins anew, by another salt. Only cutting the log to nothing could
//! come to the disk without what was noted before it, so no checkpoint of ours does that (`TRUNCATE`).
//!
//! ```text
//! version (4 bytes), …, begun (byte 12), …, frames (at 16), …, salt (at 32), sum (at 40) | the same again | written back
//! ```

use std::fs::File;
use std::io::{ErrorKind, Read, Result};
use std::path::Path;

use super::log::Sum;

const VERSION: u32 = 3_007_000;
const HEAD: usize = 48;

/// What a log must hold.
pub(super) struct Promised {
    /// Of the log's head: which turn of it is meant.
    pub(super) salt: [u8; 8],
    /// Frames up to its last commit.
    pub(super) frames: u32,
}

/// What the log must hold that is not in the store's file itself; nothing, if it cannot be told.
pub(super) fn promised(shared: &Path) -> Result<Option<Promised>> {
    let mut bytes = Vec::with_capacity(2 * HEAD + 4);
    match File::open(shared) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?.take(2 * HEAD as u64 + 4).read_to_end(&mut bytes)?,
    };
    Ok(read(&bytes))
}

fn read(bytes: &[u8]) -> Option<Promised> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let (again, written_back) = rest.split_at_checked(HEAD)?;
    // Of a log that is being noted there may be one copy only.
    let whole = head == again && Sum::of_shared(head.get(..40)?).is_native(head.get(40..)?);
    let (frames, written_back) = (word(head, 16)?, word(written_back, 0)?);
    let tells = whole && word(head, 0)? == VERSION && *head.get(12)? == 1 && frames > written_back;
    tells.then_some(Promised { salt: *head.get(32..)?.first_chunk()?, frames })
}

/// These numbers are the machine's own.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_ne_bytes(*word))
}
