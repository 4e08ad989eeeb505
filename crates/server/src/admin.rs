//! The admin listener: `/healthz`, `/readyz`, `/metrics`. No credentials are taken and none are given.

use std::convert::Infallible;
use std::sync::Arc;

use daypass_directory::Directory;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;

use crate::metrics::Metrics;

/// What the admin listener shows.
pub struct Admin {
    /// Whether this node follows the store.
    pub directory: Arc<Directory>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Whether the audit can be written.
    pub audit: Arc<crate::audit_file::AuditFile>,
}

/// Answer until the process ends.
pub async fn serve(listener: TcpListener, admin: Arc<Admin>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let admin = admin.clone();
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let answer = admin.answer(request.uri().path());
                async { Ok::<_, Infallible>(answer) }
            });
            if let Err(error) =
                Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await
            {
                tracing::debug!(%error, "an admin connection ended early");
            }
        });
    }
}

impl Admin {
    fn answer(&self, path: &str) -> Response<Full<Bytes>> {
        match path {
            "/healthz" => healthy(),
            "/readyz" => self.ready(),
            "/metrics" => {
                let mut response =
                    plain(StatusCode::OK, self.metrics.render(self.directory.health().is_ok()));
                let kind = http::HeaderValue::from_static(
                    "application/openmetrics-text; version=1.0.0; charset=utf-8",
                );
                response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
                response
            }
            _ => plain(StatusCode::NOT_FOUND, "not found; try /healthz, /readyz or /metrics\n".into()),
        }
    }

    fn ready(&self) -> Response<Full<Bytes>> {
        let store = match self.directory.health() {
            Ok(revision) => format!("store: followed to revision {revision}\n"),
            Err(why) => return plain(StatusCode::SERVICE_UNAVAILABLE, format!("store: {why}\n")),
        };
        match self.audit.health() {
            Ok(()) => plain(StatusCode::OK, format!("{store}audit: written\n")),
            Err(why) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{store}audit: {why}\n")),
        }
    }
}

/// The process answers, and says what it is: a second server that wants the port learns whom it met.
pub(crate) fn healthy() -> Response<Full<Bytes>> {
    plain(StatusCode::OK, format!("daypass {}\n", env!("CARGO_PKG_VERSION")))
}

fn plain(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
}
