//! Listeners and connections: hyper with limits, calls that end whoever hangs up, and an orderly end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use daypass_model::Random;
use daypass_model::limits::{REQUEST_HEAD_BYTES_MAX, REQUEST_HEADERS_MAX};
use daypass_service::House;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

use super::{receive, render};

/// How long a client may take to send the head of a request, or keep an idle connection open.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);
/// How long calls in flight may take to end once the server is told to stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(20);
/// Connections at once; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 4096;

/// The door of the API.
pub struct Api {
    /// Where calls go.
    pub house: Arc<House>,
    /// For request ids.
    pub random: Arc<dyn Random>,
    /// Counters and histograms.
    pub metrics: Arc<crate::metrics::Metrics>,
}

/// Accept connections until `stop` completes, then let calls in flight end.
pub async fn serve(listener: TcpListener, api: Arc<Api>, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // Held by whatever is under way. The call of a client that hung up has no connection to be waited for.
    let (under_way, mut ended) = mpsc::channel::<Infallible>(1);
    let mut stop = std::pin::pin!(stop);
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { break };
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let connection = converse(&graceful, stream, peer, api.clone(), under_way.clone());
                    tokio::spawn(async move {
                        connection.await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely: wait for some to be returned instead of spinning.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            () = &mut stop => break,
        }
    }
    drop((listener, under_way));
    let drained = async {
        graceful.shutdown().await;
        ended.recv().await
    };
    if tokio::time::timeout(DRAIN_TIME_MAX, drained).await.is_err() {
        tracing::warn!("connections were still busy when the server stopped");
    }
}

type UnderWay = mpsc::Sender<Infallible>;

fn converse(
    graceful: &GracefulShutdown,
    stream: TcpStream,
    peer: SocketAddr,
    api: Arc<Api>,
    under_way: UnderWay,
) -> impl Future<Output = ()> + use<> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was not set");
    }
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        // A request that came whole is a call, even if its client hung up before it was looked at.
        .half_close(true)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(REQUEST_HEAD_BYTES_MAX)
        .max_headers(REQUEST_HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(REQUEST_HEAD_BYTES_MAX).unwrap_or(u32::MAX))
        .max_concurrent_streams(64)
        .keep_alive_interval(HEAD_TIME_MAX);
    let service =
        service_fn(move |request: Request<Incoming>| answer(api.clone(), under_way.clone(), peer, request));
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let connection = graceful.watch(connection);
    async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, %peer, "a connection ended early");
        }
    }
}

/// One request on a connection.
async fn answer(
    api: Arc<Api>,
    under_way: UnderWay,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/healthz" && request.method() == http::Method::GET {
        return Ok(crate::admin::healthy());
    }
    let format = render::Format::of(&request);
    let request = match receive::receive(&*api.random, peer, request).await {
        Ok(request) => request,
        Err(refusal) => {
            api.metrics.refused(refusal.error.code);
            return Ok(render::refusal(&format, &refusal));
        }
    };
    let request_id = request.id.clone();
    let call = async move {
        let started = api.metrics.start();
        let response = daypass_service::call(&api.house, request).await;
        api.metrics.finish(&started, &response);
        drop(under_way);
        response
    };
    Ok(match to_its_end(call).await {
        Some(response) => render::response(&format, response),
        None => {
            tracing::error!(%request_id, "a call panicked");
            render::panicked(&format, &request_id)
        }
    })
}

/// Run a call so that a client that hangs up cancels neither its commit nor its audit: what has to wait goes
/// on in a task of its own. Most calls wait for nothing and are spared one. `None` for a call that panicked.
async fn to_its_end<T: Send + 'static>(call: impl Future<Output = T> + Send + 'static) -> Option<T> {
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
        std::future::poll_fn(|context| Poll::Ready(assert!(asked.as_mut().poll(context).is_pending()))).await;
        drop(asked);
        go.send(()).unwrap();
        assert_eq!(ended.await, Ok("done"));
    }

    #[tokio::test]
    async fn a_panic_ends_its_own_call_only_before_and_after_it_waited() {
        assert_eq!(to_its_end(async { 1 }).await, Some(1));
        let at_once = async { if true { panic!("a bug") } };
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
