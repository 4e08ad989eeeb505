//! A small object service that stands behind daypass.
//!
//! It keeps files in a folder and knows no users, no signatures and no policies. Of every request it finds
//! out *what* is asked ([`asked`]), then asks daypass *who* signed it and whether they may ([`check`]), and only
//! then touches the folder ([`folder`]). [`Bucket::reply`] shows the three steps.
//!
//! The requests are those of the Amazon S3 API (path-style addressing), as far as they are here; what is not here is
//! refused, never ignored.

mod answer;
pub mod asked;
pub mod check;
pub mod folder;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::answer::Refusal;
use crate::asked::Asked;
use crate::check::{Daypass, Question};
use crate::folder::Folder;

/// Largest object, in bytes. It is held in memory until daypass has answered.
pub const OBJECT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Connections at once; more wait.
const CONNECTIONS_MAX: usize = 64;
/// Request line and header fields, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Header fields; daypass takes as many.
const HEADERS_MAX: usize = 100;
/// How long a client may take to send a head.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a client may take to send a body.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);

/// The service: one bucket.
pub struct Bucket {
    /// Its name, as paths and ARNs write it.
    pub name: String,
    /// `host:port` that clients sign for. Configured: a `Host` field is the client's word, and a request that was
    /// signed for another service must not count here.
    pub authority: String,
    /// Where the objects are.
    pub folder: Folder,
    /// Whom to ask.
    pub daypass: Daypass,
}

/// Serve connections for as long as the future is polled.
pub async fn serve(listener: TcpListener, bucket: Arc<Bucket>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Ok(slot) = slots.clone().acquire_owned().await {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await; // out of descriptors: wait for some to come back
            continue;
        };
        let bucket = bucket.clone();
        tokio::spawn(async move {
            converse(bucket, stream, peer.ip()).await;
            drop(slot);
        });
    }
}

async fn converse(bucket: Arc<Bucket>, stream: TcpStream, peer: IpAddr) {
    let service = service_fn(move |request: Request<Incoming>| {
        let bucket = bucket.clone();
        async move {
            Ok::<_, Infallible>(bucket.reply(peer, request).await.unwrap_or_else(Refusal::into_response))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    drop(connection.await); // an error here is a client that hung up
}

impl Bucket {
    /// One request: what is asked, may they, do it.
    async fn reply(
        &self,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Refusal> {
        let (head, body) = request.into_parts();
        let asked = Asked::read(&self.name, &head)?;
        let body = read_body(body).await?;
        let body_sha256 = HEXLOWER.encode(&Sha256::digest(&body));
        self.permit(peer, &head, &asked, &body_sha256).await?;
        match asked {
            Asked::Get(key) => match self.folder.read(&key).await? {
                Some(bytes) => Ok(answer::object(bytes)),
                None => Err(Refusal::no_such_key()),
            },
            Asked::Put(key) => {
                self.folder.write(&key, body).await?;
                Ok(answer::stored(&body_sha256))
            }
            Asked::Delete(key) => {
                self.folder.remove(&key).await?;
                Ok(answer::gone())
            }
            Asked::List(listing) => {
                Ok(answer::list(&self.name, &listing, &self.folder.list(&listing).await?))
            }
        }
    }

    /// Who signed this, and may they? `Ok` is the only permission there is.
    async fn permit(
        &self,
        peer: IpAddr,
        head: &Parts,
        asked: &Asked,
        body_sha256: &str,
    ) -> Result<(), Refusal> {
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let mut context =
            vec![("aws:SourceIp", peer.to_string()), ("aws:SecureTransport", "false".to_owned())];
        if let Asked::List(listing) = asked
            && let Some(prefix) = &listing.prefix
        {
            context.push(("s3:prefix", prefix.clone()));
        }
        let (action, resource) = (asked.action(), asked.resource(&self.name));
        let question = Question {
            method: head.method.as_str(),
            url: &format!("http://{}{target}", self.authority),
            headers: &head.headers,
            body_sha256,
            action,
            resource: &resource,
            context: &context,
        };
        let found = self.daypass.check(&question).await?;
        if let Some(error) = found.authentication_error {
            return Err(Refusal::not_authenticated(&error.code, error.message));
        }
        if found.decision != "Allowed" {
            return Err(Refusal::denied(&found, action, &resource));
        }
        // daypass has compared the hashes; whoever stores what it did not hash itself compares here.
        match found.payload_hash.as_deref() {
            None | Some("UNSIGNED-PAYLOAD") => Ok(()),
            Some(signed) if signed == body_sha256 => Ok(()),
            Some(_) => Err(Refusal::other_body()),
        }
    }
}

/// The whole body, before anything is decided: its hash is part of the question.
async fn read_body(body: Incoming) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, OBJECT_BYTES_MAX).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::too_large()),
        _ => Err(Refusal::incomplete_body()),
    }
}
