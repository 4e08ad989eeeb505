//! The write-ahead log before SQLite reads it (<https://www.sqlite.org/fileformat2.html#walformat>).
//!
//! SQLite reads the log up to the first frame whose sum is wrong, takes the rest for what a crash cut off,
//! and writes over it. One flipped bit would so undo every commit behind it, without a word. But a crash
//! cuts off one transaction at most: with `synchronous=FULL` a commit is flushed before the next one is
//! written. More than one commit behind a bad frame is damage.
//!
//! ```text
//! log    = magic, version, page size, sequence, salt (8 bytes), sum (8 bytes) | frames
//! frame  = page number, pages of the whole file (of a commit's last frame, or 0), salt, sum | page
//! ```

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Result};
use std::path::Path;

use super::shared::Promised;

const HEAD: usize = 32;
const FRAME_HEAD: usize = 24;
/// Sums go over words in little-endian order; one more stands for big-endian.
const MAGIC: u32 = 0x377f_0682;

/// What is wrong with a log.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is not as it was written, in a few words.
    Damaged(&'static str),
    /// It ends before the last commit that was in it.
    Short,
}

/// What is wrong with a log, which must hold what was promised of it.
pub(super) fn fault(log: &Path, promised: Option<&Promised>) -> Result<Option<Fault>> {
    let file = match File::open(log) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut log = BufReader::new(file);
    let mut head = [0; HEAD];
    if !fill(&mut log, &mut head)? {
        return Ok(promised.map(|_| Fault::Short));
    }
    let promised = promised.filter(|promised| head.get(16..24) == Some(&promised.salt));
    if log.fill_buf()?.is_empty() {
        return Ok(promised.map(|_| Fault::Short)); // or no frame was ever in it
    }
    // The head is flushed before the first frame, so no crash explains another one.
    let Some((mut sum, page)) = Sum::of_head(&head) else {
        return Ok(Some(Fault::Damaged("the head of its write-ahead log is not as it was written")));
    };
    let salt = head.get(16..24);
    let mut frame = vec![0; FRAME_HEAD + page];
    let (mut readable, mut commits_behind, mut frames) = (true, 0, 0);
    while fill(&mut log, &mut frame)? {
        if frame.get(8..16) != salt {
            // Of an earlier turn of the log, or damaged: either way SQLite reads no further.
            readable = false;
            continue;
        }
        readable = readable && sum.take_frame(&frame);
        frames += u32::from(readable);
        let is_commit = word(&frame, 4) != 0;
        commits_behind += usize::from(!readable && is_commit);
    }
    if commits_behind > 1 {
        return Ok(Some(Fault::Damaged("its write-ahead log cannot be read up to its last commit")));
    }
    Ok(promised.filter(|promised| frames < promised.frames).map(|_| Fault::Short))
}

/// Whether the whole of `buffer` was still there.
fn fill(log: &mut impl Read, buffer: &mut [u8]) -> Result<bool> {
    match log.read_exact(buffer) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        done => done.map(|()| true),
    }
}

/// The running sum: each one goes on from the one before.
pub(super) struct Sum {
    big_endian: bool,
    sum: (u32, u32),
}

impl Sum {
    /// The sum of a head, if it is right, and the size of pages.
    fn of_head(head: &[u8; HEAD]) -> Option<(Self, usize)> {
        let big_endian = match word(head, 0) {
            MAGIC => false,
            magic if magic == MAGIC + 1 => true,
            _ => return None,
        };
        let mut sum = Self { big_endian, sum: (0, 0) };
        sum.add(head.get(..24)?);
        let page = usize::try_from(word(head, 8)).ok()?;
        (sum.is(head.get(24..)?) && (512..=65_536).contains(&page)).then_some((sum, page))
    }

    /// Of what connections share, in the machine's own order.
    pub(super) fn of_shared(bytes: &[u8]) -> Self {
        let mut sum = Self { big_endian: cfg!(target_endian = "big"), sum: (0, 0) };
        sum.add(bytes);
        sum
    }

    /// Whether this is it, stored in the machine's own order.
    pub(super) fn is_native(&self, stored: &[u8]) -> bool {
        let (first, second) = self.sum;
        stored == [first.to_ne_bytes(), second.to_ne_bytes()].as_flattened()
    }

    /// Whether a frame goes on from the one before.
    fn take_frame(&mut self, frame: &[u8]) -> bool {
        let (Some(numbers), Some(page)) = (frame.get(..8), frame.get(FRAME_HEAD..)) else { return false };
        self.add(numbers);
        self.add(page);
        frame.get(16..FRAME_HEAD).is_some_and(|sum| self.is(sum))
    }

    fn add(&mut self, bytes: &[u8]) {
        let (words, _) = bytes.as_chunks::<4>();
        let read = if self.big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        let (mut first, mut second) = self.sum;
        for pair in words.as_chunks::<2>().0 {
            let [a, b] = *pair;
            first = first.wrapping_add(read(a)).wrapping_add(second);
            second = second.wrapping_add(read(b)).wrapping_add(first);
        }
        self.sum = (first, second);
    }

    fn is(&self, stored: &[u8]) -> bool {
        (word(stored, 0), word(stored, 4)) == self.sum
    }
}

/// The numbers of the format are big-endian, whatever the sums go over.
fn word(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk());
    word.map_or(0, |word| u32::from_be_bytes(*word))
}
