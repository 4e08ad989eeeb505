//! One HTTP connection from its first byte to its last: how much it may send, and how long it may be silent.
//!
//! hyper looks for the version of HTTP without a timer, and keeps none over an answer that nobody takes. A
//! client that sends no byte, half of HTTP/2's preface, or never reads would hold its connection without end,
//! and a few thousand of them everybody's. So one rule stands over the whole connection, and hyper's timers
//! are not used: it ends when no call was under way for some time.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use daypass_model::limits::{REQUEST_HEAD_BYTES_MAX, REQUEST_HEADERS_MAX};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a client may take to send the head of a request, to take an answer, or to do nothing.
pub(crate) const IDLE_TIME_MAX: Duration = Duration::from_secs(30);
/// Fields of a request of HTTP/2, in bytes, of which each counts 32 more (RFC 9113, section 10.5.1). They come
/// compressed and are held whole before anybody is asked who they are.
const HEADER_LIST_BYTES_MAX: u32 = 16 * 1024;
/// What a stream and a connection of HTTP/2 may send ahead of what was taken of it: a body that waits for its place is
/// held by nobody but its client.
const STREAM_WINDOW: u32 = 16 * 1024;
const CONNECTION_WINDOW: u32 = 64 * 1024;
/// Requests at once on one connection of HTTP/2. Each holds its head before anybody is asked who they are.
const STREAMS_MAX: u32 = 8;
/// How long a connection that should end is left with what it was given, once no call is under way.
const LINGER_TIME_MAX: Duration = Duration::from_secs(1);

/// What hyper refused by itself: it answered, and nobody else saw the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Too many header fields, or too long a head: 431, or 414.
    TooLarge,
    /// No HTTP: 400.
    Malformed,
}

impl Unread {
    fn of(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let error: &hyper::Error = error.downcast_ref()?;
        let kind = if error.is_parse_too_large() { Self::TooLarge } else { Self::Malformed };
        error.is_parse().then_some(kind)
    }
}

/// Answer the requests of a connection until it ends, until no call was under way for `idle`, or until `open` is
/// closed and its calls have ended. A request that was none for hyper is the last one of its connection.
pub(crate) async fn converse<F>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: IpAddr,
    idle: Duration,
    mut open: watch::Receiver<()>,
    answer: impl Fn(Request<Incoming>) -> F,
) -> Option<Unread>
where
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let calls = Calls::new();
    let of_service = calls.clone();
    let service = service_fn(move |request| {
        let call = of_service.begin();
        let answer = answer(request);
        async move {
            let response = answer.await;
            drop(call);
            Ok::<_, Infallible>(response)
        }
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let outcome = tokio::select! {
        outcome = connection.as_mut() => Some(outcome),
        () = calls.none_for(idle) => None,
        _ = open.changed() => None,
    };
    let outcome = match outcome {
        Some(outcome) => Some(outcome),
        None => {
            // Closes at once what waits for a request. What is within one, or within an answer, may end.
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                outcome = connection => Some(outcome),
                () = calls.none_for(LINGER_TIME_MAX) => None,
            }
        }
    };
    match outcome {
        Some(Ok(())) => None,
        Some(Err(error)) => {
            tracing::debug!(%error, %peer, "a connection ended early");
            Unread::of(&*error)
        }
        None => {
            tracing::debug!(%peer, "a connection was cut off: no call was under way");
            None
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        // A request that came whole is a call, even if its client hung up before it was looked at.
        .half_close(true)
        .header_read_timeout(None)
        .max_buf_size(REQUEST_HEAD_BYTES_MAX)
        .max_headers(REQUEST_HEADERS_MAX);
    builder
        .http2()
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(STREAMS_MAX);
    builder
}

/// The calls of one connection. A call tells no one of its end: whoever waits looks when it may matter, so
/// that a call costs no wake-up.
struct Calls(Mutex<State>);

struct State {
    under_way: usize,
    last_end: Instant,
}

impl Calls {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { under_way: 0, last_end: Instant::now() })))
    }

    fn begin(self: &Arc<Self>) -> Call {
        self.state().under_way += 1;
        Call(self.clone())
    }

    /// Completes when no call has been under way for that long, counted from now on.
    async fn none_for(&self, time: Duration) {
        let mut since = Instant::now();
        loop {
            tokio::time::sleep_until(since + time).await;
            let state = self.state();
            if state.under_way > 0 {
                since = Instant::now();
            } else if state.last_end > since {
                since = state.last_end;
            } else {
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way, until it is dropped.
struct Call(Arc<Calls>);

impl Drop for Call {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.under_way -= 1;
        state.last_end = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinHandle;

    use super::*;

    const A_GET: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";
    /// HTTP/2's preface and empty SETTINGS (RFC 9113, sections 3.4 and 6.5).
    const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

    /// A client, its connection's task, and what keeps that open.
    async fn connect<F>(
        answer: impl Fn(Request<Incoming>) -> F + Send + 'static,
    ) -> (TcpStream, JoinHandle<bool>, watch::Sender<()>)
    where
        F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let (keep_open, open) = watch::channel(());
        let conversation =
            async move { converse(stream, peer.ip(), IDLE_TIME_MAX, open, answer).await.is_none() };
        (client, tokio::spawn(conversation), keep_open)
    }

    async fn with_body(bytes: usize) -> Response<Full<Bytes>> {
        Response::new(Full::from(vec![b'x'; bytes]))
    }

    /// How long the server keeps a connection whose client sends this and then nothing.
    async fn kept(sent: &[u8], answer_bytes: usize) -> Duration {
        let (mut client, connection, _keep_open) = connect(move |_| with_body(answer_bytes)).await;
        let begun = Instant::now();
        client.write_all(sent).await.unwrap();
        connection.await.unwrap();
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_makes_no_call_is_let_go() {
        for sent in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n", HTTP2, b"GET / HTTP/1.1\r\nx: ", A_GET] {
            let kept = kept(sent, 1).await;
            let name = String::from_utf8_lossy(sent);
            assert!(
                (IDLE_TIME_MAX..IDLE_TIME_MAX + 2 * LINGER_TIME_MAX).contains(&kept),
                "{name:?}: {kept:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_is_not_kept() {
        // More than the system's buffers between the two.
        let kept = kept(A_GET, 64 * 1024 * 1024).await;
        let cut_off = IDLE_TIME_MAX + LINGER_TIME_MAX;
        assert!((cut_off..cut_off + LINGER_TIME_MAX).contains(&kept), "{kept:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_may_take_longer_than_silence_may() {
        let slow = |_| async {
            tokio::time::sleep(3 * IDLE_TIME_MAX).await;
            with_body(1).await
        };
        let (mut client, connection, _keep_open) = connect(slow).await;
        let begun = Instant::now();
        client.write_all(A_GET).await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 "));
        connection.await.unwrap();
        let kept = begun.elapsed();
        let end = 4 * IDLE_TIME_MAX;
        assert!((end..end + LINGER_TIME_MAX).contains(&kept), "its end begins the silence: {kept:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_makes_no_call_does_not_hold_the_end() {
        for sent in [&b""[..], b"PRI * HTTP/2.0\r\n", HTTP2, b"GET / HTTP/1.1\r\nx: ", A_GET] {
            let (mut client, connection, keep_open) = connect(|_| with_body(1)).await;
            client.write_all(sent).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            drop(keep_open);
            let told = Instant::now();
            connection.await.unwrap();
            assert!(told.elapsed() < 2 * LINGER_TIME_MAX, "{:?}", String::from_utf8_lossy(sent));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_under_way_is_answered_before_the_end() {
        let slow = |_| async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            with_body(1).await
        };
        let (mut client, connection, keep_open) = connect(slow).await;
        client.write_all(A_GET).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(keep_open);
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 "));
        connection.await.unwrap();
    }
}
