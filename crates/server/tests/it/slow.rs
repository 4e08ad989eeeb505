//! Clients that take their time, against a server whose time is the test's: nothing here waits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use daypass_authn::SystemRandom;
use daypass_model::SystemClock;
use daypass_server::assemble::{Assembled, assemble_with};
use daypass_server::config::{Config, ServeArgs};
use daypass_server::http::{Api, CONNECTIONS_MAX, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::binary::Scratch;

const A_CALL: &str = "GET /?Action=GetCallerIdentity&Version=2011-06-15 HTTP/1.1\r\nhost: here\r\n\r\n";
const HALF_A_HEAD: &str = "POST / HTTP/1.1\r\nhost: here\r\nx-more: ";
const HALF_A_BODY: &str = "POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 100\r\n\r\nAction=";

/// A server in the test's runtime.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    metrics: Box<dyn Fn() -> String>,
    dir: Scratch,
}

impl Running {
    /// Start; from then on time passes only when everybody waits for it.
    async fn start(connections_max: usize) -> Self {
        let dir = Scratch::new("slow");
        let config =
            Config::load(ServeArgs { data: Some(dir.join("data")), ..ServeArgs::default() }).unwrap();
        let assembled = assemble_with(&config, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
        let Assembled { house, audit, metrics, random, data, .. } = assembled;
        let shown = metrics.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let api =
            Arc::new(Api { house, random, metrics, connections_max, trusted_proxies: Vec::new().into() });
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            serve(listener, api, async move { drop(stopped.await) }).await;
            audit.close();
            drop(data);
        });
        tokio::time::pause();
        Self { address, stop, serving, metrics: Box::new(move || shown.render()), dir }
    }

    /// A client that has sent this.
    async fn client(&self, sent: &str) -> TcpStream {
        let mut client = TcpStream::connect(self.address).await.unwrap();
        client.write_all(sent.as_bytes()).await.unwrap();
        client
    }

    /// Tell it to stop; how long that takes, and its audit.
    async fn stop(self) -> (Duration, String) {
        let told = Instant::now();
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
        (told.elapsed(), std::fs::read_to_string(self.dir.join("data/audit.jsonl")).unwrap())
    }
}

/// Everything a connection still says, until its end.
async fn to_end(mut client: TcpStream) -> String {
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// What a server answers to `sent` and then silence, until it closes the connection, and when that is.
async fn until_closed(sent: &str) -> (String, Duration) {
    let server = Running::start(CONNECTIONS_MAX).await;
    let begun = Instant::now();
    let answer = to_end(server.client(sent).await).await;
    (answer, begun.elapsed())
}

fn about_30_seconds(taken: Duration) -> bool {
    (Duration::from_secs(30)..Duration::from_secs(32)).contains(&taken)
}

#[tokio::test]
async fn whoever_sends_nothing_is_let_go() {
    let (answer, taken) = until_closed("").await;
    assert!(answer.is_empty() && about_30_seconds(taken), "{taken:?} {answer}");
}

#[tokio::test]
async fn half_a_preface_is_not_waited_for_without_end() {
    let (answer, taken) = until_closed("PRI * HTTP/2.0\r\n").await;
    assert!(answer.is_empty() && about_30_seconds(taken), "{taken:?} {answer}");
}

#[tokio::test]
async fn half_a_head_is_not_waited_for_without_end() {
    let (answer, taken) = until_closed(HALF_A_HEAD).await;
    assert!(!answer.contains(" 200 ") && about_30_seconds(taken), "{taken:?} {answer}");
}

#[tokio::test]
async fn half_a_body_is_a_request_that_timed_out() {
    let server = Running::start(CONNECTIONS_MAX).await;
    let begun = Instant::now();
    let answer = to_end(server.client(HALF_A_BODY).await).await;
    assert!(about_30_seconds(begun.elapsed()), "{:?}", begun.elapsed());
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("<Code>RequestTimeoutException</Code>"), "{answer}");
    let (_, audit) = server.stop().await;
    assert_eq!(audit.matches("\"errorCode\":\"RequestTimeoutException\"").count(), 1, "{audit}");
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answer() {
    let (answer, taken) = until_closed(A_CALL).await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("MissingAuthenticationToken"), "{answer}");
    assert!(about_30_seconds(taken), "{taken:?}");
}

#[tokio::test]
async fn a_full_house_has_room_again_once_the_silent_are_let_go() {
    let server = Running::start(2).await;
    let _silent = [server.client("").await, server.client("").await];
    let mut third = server.client(A_CALL).await;
    assert!(timeout(Duration::from_secs(29), third.readable()).await.is_err(), "there is no room yet");
    assert!((server.metrics)().contains("daypass_connections 2\n"), "{}", (server.metrics)());
    let mut answer = [0; 12];
    third.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 403");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!((server.metrics)().contains("daypass_connections 1\n"), "{}", (server.metrics)());
}

#[tokio::test]
async fn a_full_house_of_silent_connections_stops_when_it_is_told_to() {
    let server = Running::start(2).await;
    let _silent = [server.client("").await, server.client("PRI * HTTP/2.0\r\n").await];
    let third = server.client(A_CALL).await;
    assert!(timeout(Duration::from_secs(1), third.readable()).await.is_err(), "there is no room");
    let (taken, _) = server.stop().await;
    assert!(taken < Duration::from_secs(2), "{taken:?}");
}

#[tokio::test]
async fn connections_without_a_call_do_not_hold_the_end() {
    let server = Running::start(CONNECTIONS_MAX).await;
    let mut idle = server.client(A_CALL).await;
    idle.read_exact(&mut [0; 12]).await.unwrap();
    let _others = [server.client("").await, server.client(HALF_A_HEAD).await];
    let (taken, _) = server.stop().await;
    assert!(taken < Duration::from_secs(2), "{taken:?}");
}

#[tokio::test]
async fn a_call_that_began_is_answered_before_the_end() {
    let server = Running::start(CONNECTIONS_MAX).await;
    let mut client = server.client(HALF_A_BODY).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let late = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        client.write_all("x".repeat(93).as_bytes()).await.unwrap();
        to_end(client).await
    };
    let (answer, (taken, _)) = tokio::join!(late, server.stop());
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("connection: close"), "{answer}");
    assert!(taken >= Duration::from_secs(10), "{taken:?}");
}

#[tokio::test]
async fn large_bodies_that_do_not_end_take_no_room_from_others_and_their_own_for_a_while_only() {
    let server = Running::start(CONNECTIONS_MAX).await;
    let head = "POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 1000000\r\n\r\n";
    let much = format!("{head}{}", "x".repeat(17 * 1024));
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(server.client(&much).await);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let whole = "POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: 20000\r\n\r\n";
    let waiting = server.client(&format!("{whole}{}", "x".repeat(20_000))).await;
    assert!(timeout(Duration::from_secs(3), waiting.readable()).await.is_err(), "there is no place");
    let mut small = [0; 12];
    server.client(A_CALL).await.read_exact(&mut small).await.unwrap();
    assert_eq!(&small, b"HTTP/1.1 403");
    let begun = Instant::now();
    let answer = to_end(waiting).await;
    assert!(answer.starts_with("HTTP/1.1 4") && !answer.contains("RequestTimeout"), "{answer}");
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "a place is held for five seconds: {:?}",
        begun.elapsed()
    );
    let cut_off = to_end(held.remove(0)).await;
    assert!(cut_off.starts_with("HTTP/1.1 408 "), "{cut_off}");
}
