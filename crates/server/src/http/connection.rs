//! The API's listener: connections, the calls on them, calls that outlive whoever hangs up, and an orderly end.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use daypass_model::Random;
use daypass_service::doors::Door;
use daypass_service::{House, Refused};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::server::TlsStream;

use super::body::Bodies;
use super::converse::{IDLE_TIME_MAX, converse};
use super::forwarded::{Peer, TrustedProxies};
use super::receive::Refusal;
use super::{published, receive, render, visits};
use crate::accept::Entrance;
use crate::pages;
use crate::tls::Tls;

/// How long calls in flight may take to end once the server is told to stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(20);
/// Connections at once, by default: ten thousand that say nothing leave room for those that do.
pub const CONNECTIONS_MAX: usize = 12_288;

/// The door of the API.
pub struct Api {
    /// Where calls go.
    pub house: Arc<House>,
    /// For request ids.
    pub random: Arc<dyn Random>,
    /// Counters and histograms.
    pub metrics: Arc<crate::metrics::Metrics>,
    /// Connections at once; more wait in the kernel's queue.
    pub connections_max: usize,
    /// Whose `X-Forwarded-…` headers count.
    pub trusted_proxies: TrustedProxies,
}

/// Accept connections until `stop` completes, then let calls in flight end.
pub async fn serve(listener: TcpListener, api: Arc<Api>, stop: impl Future<Output = ()>) {
    serve_with(listener, None, api, stop).await;
}

/// The same, over TLS if there is any.
pub(crate) async fn serve_with(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    api: Arc<Api>,
    stop: impl Future<Output = ()>,
) {
    let mut entrance = Entrance::new("API", listener, api.connections_max);
    let bodies = Arc::new(Bodies::new());
    api.metrics.connections_at_most(api.connections_max);
    let (keep_open, open) = watch::channel(());
    // Held by whatever is under way. The call of a client that hung up has no connection to be waited for.
    let (under_way, mut ended) = mpsc::channel::<Infallible>(1);
    let mut stop = std::pin::pin!(stop);
    loop {
        // Room is waited for in here, too: a full house hears that it should stop.
        let ((stream, address), place) = tokio::select! {
            next = entrance.next() => next,
            () = &mut stop => break,
        };
        let counted = api.metrics.connected();
        let (api, bodies, under_way) = (api.clone(), bodies.clone(), under_way.clone());
        let (open, tls) = (open.clone(), tls.clone());
        let peer = Peer { address: address.ip(), tls: tls.is_some() };
        tokio::spawn(async move {
            let respond = |request| answer(api.clone(), bodies.clone(), under_way.clone(), peer, request);
            let unread = match tls {
                None => converse(stream, peer.address, IDLE_TIME_MAX, open, respond).await,
                Some(tls) => match shake_hands(&tls, stream, peer, open.clone()).await {
                    Some(stream) => converse(stream, peer.address, IDLE_TIME_MAX, open, respond).await,
                    None => None,
                },
            };
            if let Some(unread) = unread {
                tell(&api, &receive::unread(&*api.random, peer, unread));
            }
            drop((place, counted));
        });
    }
    drop((entrance, under_way, keep_open));
    if tokio::time::timeout(DRAIN_TIME_MAX, ended.recv()).await.is_err() {
        tracing::warn!("connections were still busy when the server stopped");
    }
}

/// A handshake; whoever is in the middle of one when the server stops has not asked anything yet.
async fn shake_hands(
    tls: &Tls,
    stream: TcpStream,
    peer: Peer,
    mut open: watch::Receiver<()>,
) -> Option<TlsStream<TcpStream>> {
    let shaken = tokio::select! {
        shaken = tls.accept(stream) => shaken,
        _ = open.changed() => return None,
    };
    shaken
        .inspect_err(|error| tracing::debug!(%error, peer = %peer.address, "a TLS handshake came to nothing"))
        .ok()
}

pub(super) type UnderWay = mpsc::Sender<Infallible>;

/// One request on a connection.
async fn answer(
    api: Arc<Api>,
    bodies: Arc<Bodies>,
    under_way: UnderWay,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    if request.uri().path() == "/healthz" && request.method() == http::Method::GET {
        return crate::admin::healthy();
    }
    if let Some(document) = published::answer(&api.house, &request) {
        return document;
    }
    if let Some(file) = pages::file(&request) {
        return file;
    }
    if let Some(door) = Door::at(request.uri().path()) {
        return visits::answer(&api, &bodies, under_way, peer, door, request).await;
    }
    let format = render::Format::of(&request);
    let request = match receive::receive(&api, &bodies, peer, request).await {
        Ok(request) => request,
        Err(refusal) => {
            tell(&api, &refusal);
            return render::refusal(&format, &refusal);
        }
    };
    let request_id = request.id.clone();
    let call = async move {
        let started = api.metrics.start(request.service, &request.action);
        let response = daypass_service::call(&api.house, request).await;
        started.finish(&response);
        drop(under_way);
        response
    };
    match to_its_end(call).await {
        Some(response) => render::response(&format, response),
        None => {
            tracing::error!(%request_id, "a call panicked");
            render::panicked(&format, &request_id)
        }
    }
}

/// A request that never became a call shows wherever calls do.
pub(super) fn tell(api: &Api, refusal: &Refusal) {
    let Refusal { request_id: id, source_ip, user_agent, error } = refusal;
    tracing::debug!(request_id = %id, peer = %source_ip, %error, "a request was refused before it was a call");
    api.metrics.refused(error.code);
    let user_agent = user_agent.as_deref();
    daypass_service::refused(&api.house, &Refused { id, source_ip: *source_ip, user_agent, error });
}

/// Run a call so that a client that hangs up cancels neither its commit nor its audit: what has to wait goes
/// on in a task of its own. Most calls wait for nothing and are spared one. `None` for a call that panicked.
pub(super) async fn to_its_end<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let mut call = Box::pin(call);
    let first_poll = |context: &mut Context<'_>| {
        // What a panic leaves half done is dropped with the call; nothing of it is looked at again.
        let polled = AssertUnwindSafe(|| call.as_mut().poll(context));
        Poll::Ready(std::panic::catch_unwind(polled))
    };
    match std::future::poll_fn(first_poll).await {
        Ok(Poll::Ready(response)) => Some(response),
        Ok(Poll::Pending) => tokio::spawn(call).await.ok(),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    /// A call that waits, whose client hangs up after it began.
    #[tokio::test]
    async fn a_call_that_waits_outlives_whoever_asked() {
        let (go, wait) = oneshot::channel::<()>();
        let (done, ended) = oneshot::channel();
        let call = async move {
            wait.await.unwrap();
            done.send("done").unwrap();
        };
        let mut asked = Box::pin(to_its_end(call));
        let pending = std::future::poll_fn(|context| Poll::Ready(asked.as_mut().poll(context).is_pending()));
        assert!(pending.await, "it waits");
        drop(asked);
        go.send(()).unwrap();
        assert_eq!(ended.await, Ok("done"));
    }

    #[tokio::test]
    async fn a_panic_ends_its_own_call_only_before_and_after_it_waited() {
        assert_eq!(to_its_end(async { 1 }).await, Some(1));
        let at_once = async {
            if true {
                panic!("a bug")
            }
        };
        assert_eq!(to_its_end(at_once).await, None);
        let later = async {
            tokio::task::yield_now().await;
            if true {
                panic!("a bug")
            }
        };
        assert_eq!(to_its_end(later).await, None);
    }
}
