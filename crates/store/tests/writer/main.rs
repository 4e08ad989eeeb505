//! Writes to the store named by its argument as fast as it can, from several threads, until it is
//! killed. Says on standard output what it tries and what was acknowledged, one line each:
//! `try <writer> <n>`, `ack <writer> <n> <revision>`, `spent <writer> <n>`.

mod rules;

use std::error::Error;
use std::io::Write;
use std::path::Path;

use daypass_store::{Commit, Guard, Revision, Spent, SqliteStore, Store};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

fn main() -> Outcome {
    let path = std::env::args_os().nth(1).ok_or("name the store's file")?;
    let store = SqliteStore::open(Path::new(&path))?;
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..rules::WRITERS)
            .map(|writer| {
                scope.spawn({
                    let store = &store;
                    move || write(store, writer)
                })
            })
            .collect();
        for writer in writers {
            writer.join().map_err(|_| "a writer panicked")??;
        }
        Ok(())
    })
}

fn write(store: &SqliteStore, writer: usize) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let count_key = rules::count_key(writer);
    let (_, records) = runtime.block_on(store.load(&count_key))?;
    let (mut n, mut since) = match records.first() {
        Some(record) => (std::str::from_utf8(&record.value)?.parse()?, record.revision),
        None => (0_usize, Revision::ZERO),
    };
    loop {
        n += 1;
        let guard = match n {
            1 => Guard::absent(&count_key),
            _ => Guard::unchanged(&count_key, since),
        };
        let mut commit = Commit::new()
            .guard(guard)
            .put(&count_key, n.to_string())
            .put(rules::passing_key(writer, n), "")
            .delete(rules::passing_key(writer, n - 1));
        for row in rules::row_keys(writer, n) {
            commit = commit.put(row, rules::payload(writer, n));
        }
        say(&format!("try {writer} {n}\n"))?;
        since = runtime.block_on(store.commit(commit))?;
        say(&format!("ack {writer} {n} {since}\n"))?;
        if n.is_multiple_of(3) {
            let spent =
                runtime.block_on(store.spend(&rules::fact(writer, n), rules::EXPIRES_AT, rules::NOW))?;
            if spent == Spent::First {
                say(&format!("spent {writer} {n}\n"))?;
            }
        }
    }
}

/// One line in one write: a kill leaves no half of it before another.
fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}
