//! Visits at the doors for people: from a browser's request to a page.

use std::sync::Arc;

use daypass_service::doors::{Door, is_over_tls, visit};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};

use super::body::Bodies;
use super::connection::{Api, UnderWay, tell, to_its_end};
use super::forwarded::Peer;
use super::receive::receive_visit;
use crate::pages;

/// One visit. A sign-in that began goes on if the browser hangs up, like a call.
pub(super) async fn answer(
    api: &Arc<Api>,
    bodies: &Bodies,
    under_way: UnderWay,
    peer: Peer,
    door: Door,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let request = match receive_visit(api, bodies, peer, request).await {
        Ok(request) => request,
        Err(refusal) => {
            tell(api, &refusal);
            return pages::refused(&refusal.request_id, &refusal.error, door);
        }
    };
    let request_id = request.id.clone();
    let over_tls = is_over_tls(&api.house, &request);
    let api = api.clone();
    let visit = async move {
        let started = api.metrics.start_visit();
        let visited = visit(&api.house, door, request).await;
        started.finish_visit(&visited);
        drop(under_way);
        visited
    };
    match to_its_end(visit).await {
        Some(visited) => pages::of(visited, over_tls),
        None => {
            tracing::error!(%request_id, "a visit panicked");
            let error = daypass_service::Error::internal("a visit panicked");
            pages::refused(&request_id, &error, door)
        }
    }
}
