//! Load: several connections, each sending signed bytes as soon as the answer to the last is there.
//!
//! Requests are signed before the clock runs, and answers are read no further than their length: what
//! the generator costs is taken from the server, since both share the machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;

/// How much load, for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) rounds: u32,
    pub(crate) seconds: f64,
    pub(crate) connections: usize,
}

/// What one round showed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Round {
    pub(crate) seconds: f64,
    /// Time of every request, ascending, in nanoseconds.
    pub(crate) times: Vec<u64>,
}

impl Round {
    pub(crate) fn requests_per_second(&self) -> f64 {
        count(self.times.len()) / self.seconds
    }

    /// The time that this part of the requests (0–1000, in thousandths) did not exceed, in microseconds.
    pub(crate) fn microseconds_at(&self, thousandths: usize) -> f64 {
        let at = (self.times.len() * thousandths / 1000).min(self.times.len().saturating_sub(1));
        Duration::from_nanos(self.times.get(at).copied().unwrap_or_default()).as_secs_f64() * 1e6
    }
}

/// The machine's clock.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// For print.
pub(crate) fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// What is sent: one request over and over, or of several each once, until there are no more.
struct Supply {
    requests: Vec<Vec<u8>>,
    next: AtomicUsize,
}

impl Supply {
    fn take(&self) -> Option<&[u8]> {
        match self.requests.as_slice() {
            [one] => Some(one),
            several => several.get(self.next.fetch_add(1, Ordering::Relaxed)).map(Vec::as_slice),
        }
    }
}

/// Send one request over and over, or several each once. Every answer must have status 200.
pub(crate) fn round(to: SocketAddr, requests: Vec<Vec<u8>>, shape: Shape) -> Outcome<Round> {
    // One thread: enough to keep a two-core server busy, and its cost is the same for every server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let supply = Arc::new(Supply { requests, next: AtomicUsize::new(0) });
    runtime.block_on(async {
        let started = now();
        let until = started + Duration::from_secs_f64(shape.seconds);
        let connections: Vec<_> = (0..shape.connections)
            .map(|_| tokio::spawn(connection(to, Arc::clone(&supply), until)))
            .collect();
        let mut times = Vec::new();
        for connection in connections {
            times.extend(connection.await??);
        }
        let seconds = started.elapsed().as_secs_f64();
        times.sort_unstable();
        Ok(Round { seconds, times })
    })
}

async fn connection(to: SocketAddr, supply: Arc<Supply>, until: Instant) -> Outcome<Vec<u64>> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    let mut times = Vec::with_capacity(64 * 1024);
    let mut sent = now();
    while sent < until {
        let Some(request) = supply.take() else { break };
        exchange(&mut stream, request, &mut buffer).await?;
        let received = now();
        times.push(u64::try_from((received - sent).as_nanos()).unwrap_or(u64::MAX));
        sent = received;
    }
    Ok(times)
}

/// One request and its answer, whose body's first byte is at the returned place.
pub(crate) async fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> Outcome<usize> {
    stream.write_all(request).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err("a server hung up".into());
        }
        let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let body = head + 4;
        let head = std::str::from_utf8(buffer.get(..head).unwrap_or_default())?;
        let length = body + content_length(head)?;
        let good = head.starts_with("HTTP/1.1 200 ");
        while buffer.len() < length {
            if stream.read_buf(buffer).await? == 0 {
                return Err("a server hung up".into());
            }
        }
        if good {
            return Ok(body);
        }
        return Err(String::from_utf8_lossy(buffer).into());
    }
}

fn content_length(head: &str) -> Outcome<usize> {
    let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    Ok(line.ok_or("an answer without its length")?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_tells_its_rate_and_the_times_that_most_requests_kept() {
        let round = Round { seconds: 2.0, times: (1..=200).map(|n| n * 1000).collect() };
        assert_eq!(round.requests_per_second(), 100.0);
        assert_eq!((round.microseconds_at(500), round.microseconds_at(990)), (101.0, 199.0));
        assert_eq!(round.microseconds_at(1000), 200.0);
        assert_eq!(Round::default().microseconds_at(990), 0.0);
    }

    #[test]
    fn an_answer_without_a_length_is_refused() {
        assert_eq!(content_length("HTTP/1.1 200 OK\r\ncontent-length: 12").unwrap(), 12);
        assert!(content_length("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked").is_err());
    }
}
