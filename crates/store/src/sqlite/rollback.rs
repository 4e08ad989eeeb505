//! A rollback journal beside a store (<https://www.sqlite.org/fileformat.html#the_rollback_journal>). A store in write-ahead
//! mode has none, a finished backup has none, and SQLite would write whatever is in it into the store.
//!
//! INVARIANT (own-journal): the one that a crash can leave is that of the change which put the file into write-ahead mode.
//! It holds the first page as it was before and nothing else, and nothing is lost with it.
//!
//! ```text
//! magic (8 bytes), records, nonce, pages, sector size (at 20), page size | up to the sector's end | number of a page, page, sum
//! ```

use std::fs::File;
use std::io::{ErrorKind, Result};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::files;

const PAGE_BYTES_MAX: u32 = 65536;
/// Where the versions are in a file's first page.
const VERSIONS: Range<usize> = 18..20;
/// What else such a change writes there: the number of changes, that number again, and SQLite's own version.
const COUNTS: [Range<usize>; 2] = [24..28, 92..100];

/// Whether a journal is there that SQLite would play back, and it is not that one of this store.
pub(super) fn is_of_another(store: &Path, journal: &Path) -> Result<bool> {
    let file = match files::open_at_once(journal) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    let mut head = [0; 28];
    if file.read_at(&mut head, 0)? == 0 || head.first() == Some(&0) {
        // One that was not begun, or has come to its end.
        return Ok(false);
    }
    let number = |at| u32_at(&head, at);
    let (records, sector, page) = (number(8), u64::from(number(20)), number(24));
    let has_one_page = records <= 1 && file.metadata()?.len() == sector + 4 + u64::from(page) + 4;
    if !has_one_page || page > PAGE_BYTES_MAX {
        return Ok(true);
    }
    let Some(mut now) = bytes(&files::open_at_once(store)?, 0, page)? else { return Ok(true) };
    let (number, before) = (bytes(&file, sector, 4)?, bytes(&file, sector + 4, page)?);
    let Some(mut before) = before.filter(|_| number == Some(vec![0, 0, 0, 1])) else { return Ok(true) };
    // A backup's, with as many pages, of that size: SQLite makes the file as long as the journal says.
    let size = before.get(16..18).and_then(|size| Some(u16::from_be_bytes(*size.first_chunk()?)));
    let has_size = size.map(|size| if size == 1 { PAGE_BYTES_MAX } else { u32::from(size) }) == Some(page);
    let is_whole = u32_at(&head, 16) == u32_at(&before, 28);
    if before.get(VERSIONS) != Some(&[1, 1]) || !has_size || !is_whole {
        return Ok(true);
    }
    for page in [&mut now, &mut before] {
        for changed in COUNTS.into_iter().chain([VERSIONS]) {
            page.get_mut(changed).into_iter().for_each(|bytes| bytes.fill(0));
        }
    }
    Ok(now != before)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |number| u32::from_be_bytes(*number))
}

/// So many, or none if there are fewer.
fn bytes(file: &File, from: u64, count: u32) -> Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; usize::try_from(count).unwrap_or(usize::MAX)];
    match file.read_exact_at(&mut bytes, from) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        read => read.map(|()| Some(bytes)),
    }
}
