//! Connections and bodies, and how much of each a client may have.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::Bucket;
use crate::answer::{Refusal, refuse};

/// Largest object, in bytes. It is held in memory until daypass has answered.
const OBJECT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Connections at once; more wait.
const CONNECTIONS_MAX: usize = 64;
/// How long a connection may last, whatever is done on it: clients open another.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(300);
/// Request line and header fields, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long a client may take to send a body.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);

/// Serve connections for as long as the future is polled.
pub async fn serve(listener: TcpListener, bucket: Arc<Bucket>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Ok(slot) = slots.clone().acquire_owned().await {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await; // out of descriptors: wait for some to come back
            continue;
        };
        let bucket = bucket.clone();
        let peer = peer.ip().to_canonical(); // policies know IPv4 addresses as such
        let service = service_fn(move |request| {
            let reply = bucket.clone().reply(peer, request);
            async { Ok::<_, Infallible>(reply.await.unwrap_or_else(Refusal::into_reply)) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new()) // with it hyper waits 30 seconds for a head
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            // An error here is a client that hung up, or one that was told often enough: an answer that nobody
            // takes would hold its slot for good.
            drop(tokio::time::timeout(CONNECTION_TIME_MAX, connection).await);
            drop(slot);
        });
    }
}

/// The whole body, before anything is decided: its hash is part of the question.
pub(crate) async fn read_body(body: Incoming) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, OBJECT_BYTES_MAX).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(refuse(400, "EntityTooLarge", format!("An object may have {OBJECT_BYTES_MAX} bytes.")))
        }
        _ => Err(refuse(400, "IncompleteBody", "The body did not arrive whole and in time.")),
    }
}
