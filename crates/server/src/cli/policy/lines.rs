//! Cases from a file or from standard input, one JSON text a line.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::cli::input::{self, visible};
use crate::failure::Failure;

/// Longest line: the 1,048,576 characters that a case may have, in as many bytes as they can take.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The lines of a file of cases, counted.
pub(super) struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    number: usize,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let reader: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(std::io::stdin().lock())
        } else {
            Box::new(BufReader::new(input::open(path)?))
        };
        Ok(Self { path: path.to_owned(), reader, number: 0 })
    }

    /// The next line that is not blank.
    pub(super) fn next(&mut self) -> Result<Option<String>, Failure> {
        loop {
            self.number += 1;
            let line = self.read().map_err(|why| self.failure(&why))?;
            match line {
                Some(line) if line.trim().is_empty() => {}
                other => return Ok(other),
            }
        }
    }

    /// A line cut in two would be two wrong cases.
    fn read(&mut self) -> Result<Option<String>, String> {
        let mut line = String::new();
        let mut bounded = (&mut self.reader).take(LINE_BYTES_MAX + 1);
        let read = bounded.read_line(&mut line).map_err(|error| error.to_string())?;
        if line.len() as u64 > LINE_BYTES_MAX {
            return Err(format!("it has more than {LINE_BYTES_MAX} bytes"));
        }
        Ok((read > 0).then_some(line))
    }

    /// What is wrong with the line that was read last.
    pub(super) fn failure(&self, why: &impl fmt::Display) -> Failure {
        let text = format!("`{}`, line {}: {why}", self.path.display(), self.number);
        Failure::new(visible(&text).replace('\n', " "))
    }
}
