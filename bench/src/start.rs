//! First start to `ready`, and memory once idle.

use crate::Outcome;
use crate::process::{DataDir, Server};

const STARTS: usize = 10;

/// Starts the server several times in a new data directory and prints the times and its memory.
pub(crate) fn print() -> Outcome<()> {
    let mut starts = Vec::new();
    let mut memory = None;
    for _ in 0..STARTS {
        let data = DataDir::new("start")?;
        let server = Server::daypass(data.path())?;
        starts.push(server.ready_after);
        memory = memory.max(server.memory());
    }
    starts.sort_unstable();
    let milliseconds = |at: usize| starts.get(at).map_or(0.0, |time| time.as_secs_f64() * 1000.0);
    println!("\nfirst start to `ready`, {STARTS} new data directories, ms");
    println!("{:>10.1}  best", milliseconds(0));
    println!("{:>10.1}  median", milliseconds(STARTS / 2));
    println!("{:>10.1}  worst", milliseconds(STARTS - 1));
    if let Some((now, most)) = memory {
        println!("memory once `ready`, MiB (the largest of them)");
        println!("{:>10.1}  resident", mebibytes(now));
        println!("{:>10.1}  at most so far", mebibytes(most));
    }
    Ok(())
}

/// For print: KiB → MiB.
pub(crate) fn mebibytes(kibibytes: u64) -> f64 {
    f64::from(u32::try_from(kibibytes).unwrap_or(u32::MAX)) / 1024.0
}
