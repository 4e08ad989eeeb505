//! How long a document may take: to its last byte, wherever it stops. The clock of the runtime is put on; nobody waits.

use std::net::SocketAddr;
use std::sync::Barrier;

use daypass_service::federation::{Fetch as _, FetchError, Fetched, Wanted};
use rustls::RootCertStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, advance, pause, resume, timeout};

use super::{Outbound, OutboundRules, place};

/// What docs/federation.md promises.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Just before the end.
const ALMOST: Duration = TIME_MAX.saturating_sub(Duration::from_secs(1));

/// Answers one connection with this, once it was asked (where it waits for that), and then says nothing more. What it was
/// asked for has arrived, and what it says is sent, when it tells.
async fn falls_silent(after: &'static str, reads: bool) -> (SocketAddr, oneshot::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while reads && !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(after.as_bytes()).await.unwrap();
        tell.send(()).unwrap();
        // Held open, for ever.
        std::future::pending::<()>().await;
        drop(stream);
    });
    (address, told)
}

fn fetching(outbound: Outbound, url: String) -> JoinHandle<(Result<Fetched, FetchError>, Duration)> {
    tokio::spawn(async move {
        let began = Instant::now();
        let wanted = Wanted {
            url: &url,
            query: None,
            form: None,
            bytes_max: 1000,
            insecure: Some(&url),
            thumbprints: &[],
            place: place(),
        };
        let outcome = outbound.fetch(wanted).await;
        (outcome, began.elapsed())
    })
}

fn outbound() -> Outbound {
    Outbound::new(OutboundRules::default(), RootCertStore::empty())
}

fn is_too_late(outcome: &Result<Fetched, FetchError>) -> bool {
    matches!(outcome, Err(FetchError::Unreachable(_, why)) if why == "not in time")
}

#[tokio::test]
async fn whoever_falls_silent_is_given_up_when_the_time_is_over() {
    for (scheme, after, reads) in [
        ("https", "", false),
        ("http", "", true),
        ("http", "HTTP/1.1 200 OK\r\ncontent-le", true),
        ("http", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{", true),
        ("http", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n", true),
    ] {
        let (address, told) = falls_silent(after, reads).await;
        let fetching = fetching(outbound(), format!("{scheme}://{address}/keys"));
        told.await.unwrap();
        // From here on time goes by only where everybody waits.
        pause();
        let (outcome, took) = timeout(TIME_MAX * 2, fetching).await.unwrap().unwrap();
        assert!(is_too_late(&outcome), "{after:?}: {outcome:?}");
        assert!(ALMOST < took && took < TIME_MAX + Duration::from_secs(1), "{after:?}: {took:?}");
        resume();
    }
}

#[tokio::test]
async fn a_look_up_takes_of_the_same_time() {
    /// Looks up until the test lets it go.
    static BARRIER: Barrier = Barrier::new(2);
    let outbound = Outbound {
        look_up: |_, _| {
            BARRIER.wait();
            BARRIER.wait();
            Ok(Vec::new())
        },
        ..outbound()
    };
    let fetching = fetching(outbound, "https://slow.example/keys".into());
    tokio::task::spawn_blocking(|| BARRIER.wait()).await.unwrap();
    pause();
    advance(ALMOST).await;
    assert!(!comes_to_its_end(&fetching).await, "given up early");
    advance(TIME_MAX - ALMOST + Duration::from_millis(1)).await;
    let given_up = comes_to_its_end(&fetching).await;
    // The look-up itself goes on for as long as it likes.
    tokio::task::spawn_blocking(|| BARRIER.wait()).await.unwrap();
    let (outcome, _) = fetching.await.unwrap();
    assert!(given_up && is_too_late(&outcome), "{outcome:?}");
}

/// Whether it does where nothing but the time goes by.
async fn comes_to_its_end<T>(task: &JoinHandle<T>) -> bool {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    task.is_finished()
}
