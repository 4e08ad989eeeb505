//! Documents that everybody may read, without a signature: those that web identity tokens are verified with. Two exact
//! paths for each issuer, which answer nothing but what the whole world may know; nothing else becomes unsigned by them.

use daypass_service::House;
use daypass_service::federation::{Published, published};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;

/// How long readers may keep a document, in seconds: so long at most is a key believed after it was replaced because
/// somebody has a copy. A key that comes by rotation was in the set long before it signs.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// The answer to a request for such a document; `None` for every other request. A body is not looked at.
pub(super) fn answer<B>(house: &House, request: &Request<B>) -> Option<Response<Full<Bytes>>> {
    // With a query it is a call of the API, as anywhere else.
    if request.uri().query().is_some() || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let (status, kind, body) = match published(house, request.uri().path())? {
        Published::Document(json) => (StatusCode::OK, "application/json", json),
        Published::Nothing => (StatusCode::NOT_FOUND, "text/plain", "no such issuer\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if status == StatusCode::OK {
        headers.insert(CACHE_CONTROL, KEPT);
    }
    Some(response)
}
