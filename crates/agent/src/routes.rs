//! Which endpoint a request is for. What came by a detour is refused before anything else of it is looked at, and what comes too fast
//! before anything is done for it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::request::Parts;
use http::{Method, StatusCode};

use crate::answer::{Answer, text};
use crate::container::Tasks;
use crate::gate;
use crate::health::health;
use crate::imds::Metadata;
use crate::place::Place;
use crate::pod::Pods;
use crate::rush::Rush;

/// Everything that is answered.
pub(crate) struct Endpoints {
    pub(crate) metadata: Metadata,
    pub(crate) tasks: Tasks,
    pub(crate) pods: Option<Pods>,
    pub(crate) rush: Rush,
}

impl Endpoints {
    /// Answer a request of `peer` that came to `local`.
    pub(crate) async fn answer(self: Arc<Self>, head: Parts, local: SocketAddr, peer: IpAddr) -> Answer {
        if let Some(refused) = gate::refusal(&head, local) {
            let (method, path) = (&head.method, head.uri.path());
            tracing::debug!(%method, path, "a request that came by a detour was refused");
            return refused;
        }
        if let Some(refused) = self.rush.refusal(peer, self.metadata.machine.world.now()) {
            return refused;
        }
        let (path, place) = (head.uri.path(), Place::of(peer, local.ip()));
        if let Some(pods) = self.pods.as_ref().filter(|_| path == "/v1/credentials") {
            return pods.answer(&head, local, place).await;
        }
        // Nobody's SDK asks with one, and what is not looked at must not seem to be.
        if head.uri.query().is_some() {
            return text(StatusCode::NOT_FOUND, "");
        }
        match head.method {
            Method::PUT => self.metadata.put(path, &head.headers),
            Method::GET | Method::HEAD => self.get(path, &head, place).await,
            _ => text(StatusCode::METHOD_NOT_ALLOWED, ""),
        }
    }

    async fn get(&self, path: &str, head: &Parts, place: Place) -> Answer {
        if path == "/healthz" {
            let whole = self.metadata.delivery(&head.headers).is_some();
            return health(&self.metadata.machine, whole).await;
        }
        if path == "/latest" || path.starts_with("/latest/") {
            return self.metadata.get(path, &head.headers).await;
        }
        match path.strip_prefix("/v2/credentials/") {
            Some(task) => self.tasks.get(task, &head.headers, place).await,
            None => text(StatusCode::NOT_FOUND, ""),
        }
    }
}
