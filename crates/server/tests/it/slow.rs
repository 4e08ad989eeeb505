//! Clients that take their time, against a server whose time is the test's: nothing here waits.

use std::sync::Arc;
use std::time::Duration;

use daypass_authn::SystemRandom;
use daypass_model::SystemClock;
use daypass_server::assemble::{Assembled, assemble_with};
use daypass_server::config::{Config, ServeArgs};
use daypass_server::http::{Api, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::binary::Scratch;

const A_CALL: &str = "GET /?Action=GetCallerIdentity&Version=2011-06-15 HTTP/1.1\r\nhost: here\r\n\r\n";

/// What a server answers to `sent` and then silence, until it closes the connection, and when that is.
async fn until_closed(sent: &str) -> (String, Duration) {
    let dir = Scratch::new("slow");
    let config = Config::load(ServeArgs { data: Some(dir.join("data")), ..ServeArgs::default() }).unwrap();
    let assembled =
        assemble_with(&config, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
    let Assembled { house, metrics, random, data: _data, .. } = assembled;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let api = Arc::new(Api { house, random, metrics });
    let server = tokio::spawn(serve(listener, api, std::future::pending()));
    let mut client = TcpStream::connect(address).await.unwrap();
    // From here on time passes only when everybody waits for it.
    tokio::time::pause();
    let begun = Instant::now();
    client.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    let taken = begun.elapsed();
    server.abort();
    (answer, taken)
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
async fn half_a_head_is_not_waited_for_without_end() {
    let (answer, taken) = until_closed("POST / HTTP/1.1\r\nhost: here\r\nx-more: ").await;
    assert!(!answer.contains(" 200 ") && about_30_seconds(taken), "{taken:?} {answer}");
}

#[tokio::test]
async fn half_a_body_is_a_request_that_timed_out() {
    let (answer, taken) =
        until_closed("POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 100\r\n\r\nAction=").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("<Code>RequestTimeoutException</Code>"), "{answer}");
    assert!(about_30_seconds(taken), "{taken:?}");
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answer() {
    let (answer, taken) = until_closed(A_CALL).await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("MissingAuthenticationToken"), "{answer}");
    assert!(about_30_seconds(taken), "{taken:?}");
}
