//! Connections and bodies, and how much of each a client may have.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::Method;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::Bucket;
use crate::answer::{Refusal, not_implemented, refuse};

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
            .half_close(true) // who sent a whole request may have nothing more to say, and waits for the answer
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
pub(crate) async fn read_body(head: &Parts, body: Incoming) -> Result<Bytes, Refusal> {
    framed(head)?;
    match tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, OBJECT_BYTES_MAX).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(refuse(400, "EntityTooLarge", format!("An object may have {OBJECT_BYTES_MAX} bytes.")))
        }
        _ => Err(refuse(400, "IncompleteBody", "The body did not arrive whole and in time.")),
    }
}

/// Whether the body is what its client means it to be: without a length hyper takes it for empty, and with a coding
/// before the chunks (RFC 9112, section 6.1) for what was coded.
fn framed(head: &Parts) -> Result<(), Refusal> {
    let mut codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) if head.method == Method::PUT && !head.headers.contains_key(CONTENT_LENGTH) => {
            let message = "You must provide the Content-Length HTTP header.";
            Err(refuse(411, "MissingContentLength", message))
        }
        (None, _) => Ok(()),
        (Some(only), None) if only.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(not_implemented("this transfer coding")),
    }
}

#[cfg(test)]
mod tests {
    use daypass_model::{Secret, SystemClock};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::check::Daypass;
    use crate::folder::Folder;

    /// What a client is told that sends this and then ends its side, before anybody has looked at either. Nobody
    /// answers in daypass's place: what would be asked is an InternalError.
    async fn answer(sent: &str) -> String {
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nowhere = nobody.local_addr().unwrap();
        tokio::spawn(async move { while nobody.accept().await.is_ok() {} });
        let path = std::env::temp_dir().join(format!("bucket-serve-{}", nowhere.port()));
        let daypass = Daypass {
            authority: nowhere.to_string(),
            region: "us-east-1".into(),
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: Secret::new("secret"),
            session_token: None,
            clock: Arc::new(SystemClock),
        };
        let (name, authority) = ("mybucket".into(), "here".into());
        let bucket = Bucket { name, authority, folder: Folder::open(&path).unwrap(), daypass };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(sent.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let serving = tokio::spawn(serve(listener, Arc::new(bucket)));
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        serving.abort();
        std::fs::remove_dir_all(path).unwrap();
        answer
    }

    #[tokio::test]
    async fn a_client_that_has_no_more_to_say_is_answered() {
        let answer = answer("GET /mybucket/a HTTP/1.1\r\nhost: here\r\n\r\n").await;
        assert!(answer.contains("<Code>InternalError</Code>"), "{answer}");
    }

    #[tokio::test]
    async fn a_body_without_a_length_or_with_a_coding_is_refused() {
        for (fields, status, code) in [
            ("", 411, "MissingContentLength"),
            ("transfer-encoding: gzip, chunked\r\n", 501, "NotImplemented"),
            ("transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n", 501, "NotImplemented"),
            ("transfer-encoding: Chunked\r\n", 500, "InternalError"),
            ("content-length: 0\r\n", 500, "InternalError"),
        ] {
            let chunks = if fields.contains("transfer") { "1\r\nx\r\n0\r\n\r\n" } else { "" };
            let answer =
                answer(&format!("PUT /mybucket/a HTTP/1.1\r\nhost: here\r\n{fields}\r\n{chunks}")).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{fields:?}: {answer}");
            assert!(answer.contains(&format!("<Code>{code}</Code>")), "{fields:?}: {answer}");
        }
    }
}
