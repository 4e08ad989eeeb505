//! Accepting connections, the same for every listener: so many at once, and patience with a system that has
//! none to give.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// What is so for long is said once in this time.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// How long to wait before the next try when the system gives no connection.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// What connections come to.
pub(crate) trait Listen {
    /// A connection.
    type Connection;
    /// The next one.
    async fn accept(&self) -> io::Result<Self::Connection>;
}

impl Listen for TcpListener {
    type Connection = (TcpStream, SocketAddr);

    async fn accept(&self) -> io::Result<Self::Connection> {
        let connection = Self::accept(self).await?;
        if let Err(error) = connection.0.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
        Ok(connection)
    }
}

impl Listen for UnixListener {
    type Connection = UnixStream;

    async fn accept(&self) -> io::Result<Self::Connection> {
        Self::accept(self).await.map(|(stream, _)| stream)
    }
}

/// A listener with room for so many connections; more wait in the kernel's queue.
pub(crate) struct Entrance<L> {
    name: &'static str,
    listener: L,
    room: Arc<Semaphore>,
    full: Seldom,
    failing: Seldom,
}

/// A connection's place, free again when this is dropped.
pub(crate) type Place = OwnedSemaphorePermit;

impl<L: Listen> Entrance<L> {
    /// `name` is what the log calls it.
    pub(crate) fn new(name: &'static str, listener: L, connections_max: usize) -> Self {
        let room = Arc::new(Semaphore::new(connections_max));
        Self { name, listener, room, full: Seldom::default(), failing: Seldom::default() }
    }

    /// The next connection, once there is room for it. Nothing is lost when this is dropped before its end.
    #[expect(clippy::expect_used, reason = "nobody closes the semaphore")]
    pub(crate) async fn next(&mut self) -> (L::Connection, Place) {
        if self.room.available_permits() == 0 && self.full.is_due() {
            tracing::warn!(listener = self.name, "every connection is taken: more wait until one ends");
        }
        let place = self.room.clone().acquire_owned().await.expect("an open semaphore");
        loop {
            match self.listener.accept().await {
                Ok(connection) => return (connection, place),
                Err(error) => {
                    // Out of file descriptors, most likely: wait for some to be returned instead of spinning.
                    if self.failing.is_due() {
                        tracing::warn!(listener = self.name, %error, "a connection could not be accepted");
                    }
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }
}

/// When a thing was last said.
#[derive(Default)]
struct Seldom(Option<Instant>);

impl Seldom {
    /// Whether it may be said again, which it then is.
    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let due = self.0.is_none_or(|last| now.duration_since(last) >= TOLD_EVERY);
        if due {
            self.0 = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::{Instant, timeout};

    use super::*;

    /// Gives connections without end, after so many errors.
    struct OutOfDescriptors(AtomicU32);

    impl Listen for OutOfDescriptors {
        type Connection = ();

        async fn accept(&self) -> io::Result<()> {
            let one_less = |left: u32| left.checked_sub(1);
            let failed = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
            if failed { Err(io::Error::other("too many open files")) } else { Ok(()) }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn errors_are_waited_out_one_by_one() {
        let mut entrance = Entrance::new("API", OutOfDescriptors(AtomicU32::new(3)), 1);
        let begun = Instant::now();
        drop(entrance.next().await);
        assert!(begun.elapsed() >= 3 * RETRY_AFTER);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_room_waits_for_a_place_to_be_free_again() {
        let mut entrance = Entrance::new("API", OutOfDescriptors(AtomicU32::new(0)), 2);
        let ((), first) = entrance.next().await;
        let ((), _second) = entrance.next().await;
        assert!(timeout(Duration::from_secs(60), entrance.next()).await.is_err());
        drop(first);
        drop(entrance.next().await);
    }

    /// A log that can be read.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_house_and_a_failing_system_are_said_once_a_minute() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        let _logging = tracing::subscriber::set_default(subscriber);
        let said = |what: &str| {
            let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
            text.lines().filter(|line| line.contains("WARN") && line.contains(what)).count()
        };
        let mut entrance = Entrance::new("API", OutOfDescriptors(AtomicU32::new(100)), 1);
        let ((), _place) = entrance.next().await;
        assert_eq!((said("could not be accepted"), said("every connection is taken")), (1, 0));
        for minute in 1..=3 {
            for _ in 0..6 {
                assert!(timeout(Duration::from_secs(10), entrance.next()).await.is_err());
            }
            assert_eq!(said("every connection is taken"), minute);
        }
    }
}
