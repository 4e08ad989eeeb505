//! Receive: from an HTTP request to a [`Request`] with every bound checked, before anyone is asked who they are.

use std::net::IpAddr;

use daypass_authn::sigv4::HttpRequest;
use daypass_model::Random;
use daypass_model::limits::{REQUEST_FACT_BYTES_MAX, REQUEST_HEAD_BYTES_MAX, REQUEST_HEADERS_MAX};
use daypass_service::params::Params;
use daypass_service::{Error, Request};
use http::header::{AUTHORIZATION, HOST, REFERER, TRANSFER_ENCODING, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri};
use hyper::body::Incoming;

use super::body::Bodies;
use super::connection::Api;
use super::converse::Unread;
use super::forwarded::{self, Origin, Peer};
use crate::wire::query;
use crate::wire::rest::{self, Route};

/// A request that never became a call.
pub(super) struct Refusal {
    pub(super) request_id: String,
    pub(super) source_ip: IpAddr,
    pub(super) user_agent: Option<String>,
    pub(super) error: Error,
}

/// Names the action of a JSON request.
const TARGET: &str = "x-amz-target";
/// The prefix of `X-Amz-Target` for our own API.
const TARGET_PREFIX: &str = "Daypass_20261101.";

/// What a request is read as, once its bounds were checked.
type Reader = fn(&Parts, &HttpRequest) -> Result<Named, Error>;

/// A call of the API.
pub(super) async fn receive(
    api: &Api,
    bodies: &Bodies,
    peer: Peer,
    request: http::Request<Incoming>,
) -> Result<Request, Refusal> {
    receive_as(call, api, bodies, peer, request).await
}

/// A visit at a door for people.
pub(super) async fn receive_visit(
    api: &Api,
    bodies: &Bodies,
    peer: Peer,
    request: http::Request<Incoming>,
) -> Result<Request, Refusal> {
    receive_as(visit, api, bodies, peer, request).await
}

async fn receive_as(
    reader: Reader,
    api: &Api,
    bodies: &Bodies,
    peer: Peer,
    request: http::Request<Incoming>,
) -> Result<Request, Refusal> {
    let id = daypass_model::uuid(&*api.random);
    let (head, body) = request.into_parts();
    let origin = forwarded::origin(&api.trusted_proxies, peer, &head.headers);
    let source_ip = origin.as_ref().map_or_else(|_| peer.origin().ip, |origin| origin.ip);
    let read = async { read(reader, &id, bodies, origin?, &head, body).await };
    read.await.map_err(|error| {
        let user_agent = head.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        Refusal { request_id: id.clone(), source_ip, user_agent: user_agent.map(str::to_owned), error }
    })
}

/// The refusal of a request that hyper answered by itself.
pub(super) fn unread(random: &dyn Random, peer: Peer, unread: Unread) -> Refusal {
    let error = match unread {
        Unread::TooLarge => {
            let message = format!(
                "A request may have {REQUEST_HEADERS_MAX} header fields and a head of {REQUEST_HEAD_BYTES_MAX} bytes."
            );
            Error::new("RequestHeaderFieldsTooLargeException", message)
        }
        Unread::Malformed => Error::new("MalformedHttpRequestException", "The request is no HTTP."),
    };
    Refusal { request_id: daypass_model::uuid(random), source_ip: peer.origin().ip, user_agent: None, error }
}

async fn read(
    reader: Reader,
    id: &str,
    bodies: &Bodies,
    origin: Origin,
    head: &Parts,
    body: Incoming,
) -> Result<Request, Error> {
    // HTTP/2 sends a field in one byte: what they all are is not copied before they were counted.
    if head.headers.len() > REQUEST_HEADERS_MAX {
        let message = format!("A request may have {REQUEST_HEADERS_MAX} header fields.");
        return Err(Error::new("RequestHeaderFieldsTooLargeException", message));
    }
    if let Some(name) = too_long(&head.headers) {
        let message = format!("The header field {name} is longer than {REQUEST_FACT_BYTES_MAX} bytes.");
        return Err(Error::new("MalformedInput", message));
    }
    // hyper undoes chunks only: whatever was coded before them would be read as it stands (RFC 9112, section 6.1).
    let mut codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    if codings.next().is_some_and(|first| !first.as_bytes().eq_ignore_ascii_case(b"chunked"))
        || codings.next().is_some()
    {
        return Err(Error::new("NotImplemented", "A body may have no transfer coding but chunked."));
    }
    if head.headers.get_all(TARGET).iter().count() > 1 {
        return Err(Error::new("MalformedInput", "The request names two actions."));
    }
    let body = bodies.read(body).await?;
    let mut headers: Vec<(String, Vec<u8>)> = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    if let Some(authority) = head.uri.authority() {
        let mut given = head.headers.get_all(HOST).iter().map(HeaderValue::as_bytes);
        // The field is what was signed, the target is what another reader may go by (RFC 9112, section 3.2.2).
        if given.any(|host| !host.eq_ignore_ascii_case(authority.as_str().as_bytes())) {
            return Err(Error::new("MalformedInput", "The request names two hosts."));
        }
        if !head.headers.contains_key(HOST) {
            headers.push(("host".into(), authority.as_str().into())); // HTTP/2 sends `:authority` in its place
        }
    }
    let http = HttpRequest {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
    };
    let named = reader(head, &http)?;
    Ok(Request {
        id: id.to_owned(),
        source_ip: Some(origin.ip),
        secure: origin.secure,
        http,
        service: named.service,
        action: named.action,
        version: named.version,
        params: named.params,
    })
}

/// A header field that conditions can ask about and that has too much to say.
fn too_long(headers: &HeaderMap) -> Option<&'static str> {
    let facts = [(USER_AGENT, "User-Agent"), (REFERER, "Referer")];
    let long = |name| headers.get_all(name).iter().any(|value| value.len() > REQUEST_FACT_BYTES_MAX);
    facts.into_iter().find_map(|(name, told)| long(name).then_some(told))
}

struct Named {
    service: &'static str,
    action: String,
    version: Option<String>,
    params: Result<Params, Error>,
}

fn call(head: &Parts, http: &HttpRequest) -> Result<Named, Error> {
    let target = head.headers.get(TARGET).map(|value| value.to_str().unwrap_or_default());
    match (target, route(&head.method, &head.uri, &head.headers)) {
        (Some(target), _) => json_call(target, http),
        (None, Some(route)) => rest_call(route, http),
        (None, None) => query_call(http),
    }
}

/// Where a request leads that is for a service which speaks REST.
pub(super) fn route(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Route> {
    if headers.contains_key(TARGET) {
        return None;
    }
    let authorization = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    rest::route(method.as_str(), uri.path(), uri.query().unwrap_or_default(), authorization)
}

/// REST and JSON: method and path have named the operation; parameters are in the path, the query and the body.
fn rest_call(route: Route, http: &HttpRequest) -> Result<Named, Error> {
    let service = route.service();
    let Route::To(operation, labels) = route else {
        let params = Err(Error::new("InvalidAction", ""));
        return Ok(Named { service, action: String::new(), version: None, params });
    };
    let params = query::pairs("GET", &http.query, b"", b"")
        .map_err(|error| Error::new(error.code(), error.to_string()))
        .and_then(|pairs| {
            Params::from_rest(operation, labels, pairs, &http.body)
                .map_err(|error| Error::new(error.code(), error.to_string()))
        });
    Ok(Named { service, action: operation.name.to_owned(), version: None, params })
}

/// What a browser asks: an address, or a form.
fn visit(_: &Parts, http: &HttpRequest) -> Result<Named, Error> {
    if !matches!(http.method.as_str(), "GET" | "HEAD" | "POST") {
        return Err(Error::new("MalformedInput", "A page is asked for by GET, a form is sent by POST."));
    }
    let content_type = http.header("content-type").unwrap_or_default();
    let params = query::all_pairs(&http.method, &http.query, content_type, &http.body)
        .map_err(|error| Error::new(error.code(), error.to_string()))
        .and_then(|pairs| {
            Params::from_pairs(pairs).map_err(|error| Error::new(error.code(), error.to_string()))
        });
    Ok(Named { service: "signin", action: String::new(), version: None, params })
}

/// AWS JSON 1.1, our own API: the operation is in a header, the parameters are the body.
fn json_call(target: &str, http: &HttpRequest) -> Result<Named, Error> {
    let action = target.strip_prefix(TARGET_PREFIX);
    let action = action.ok_or_else(|| {
        Error::new("UnknownOperationException", "The target names no operation of this service.")
    })?;
    if http.method != "POST" {
        return Err(Error::new("UnknownOperationException", "An operation is called by POST."));
    }
    let params = Params::from_json(&http.body).map_err(|error| Error::new(error.code(), error.to_string()));
    Ok(Named { service: "daypass", action: action.to_owned(), version: Some("2026-11-01".into()), params })
}

/// The Query protocol of STS and IAM: operation, version and parameters in the query string or the form.
fn query_call(http: &HttpRequest) -> Result<Named, Error> {
    // A signed PUT or FOO would be a call too; who filters methods in front of us would not expect that.
    if !matches!(http.method.as_str(), "GET" | "POST") {
        return Err(Error::new("InvalidAction", "An operation is called by GET or POST."));
    }
    let content_type = http.header("content-type").unwrap_or_default();
    let pairs = query::pairs(&http.method, &http.query, content_type, &http.body)
        .map_err(|error| Error::new(error.code(), error.to_string()))?;
    let mut action = None;
    let mut version = None;
    let mut rest = Vec::with_capacity(pairs.len());
    let mut twice = false;
    for (name, value) in pairs {
        let slot = match name.as_str() {
            "Action" => &mut action,
            "Version" => &mut version,
            _ => {
                rest.push((name, value));
                continue;
            }
        };
        twice |= slot.replace(value).is_some();
    }
    if twice {
        return Err(Error::new("MalformedInput", "Action and Version may be given once."));
    }
    let service = match version.as_deref() {
        Some("2011-06-15") => "sts",
        Some("2010-05-08") => "iam",
        _ => "",
    };
    let params = Params::from_pairs(rest).map_err(|error| Error::new(error.code(), error.to_string()));
    Ok(Named { service, action: action.unwrap_or_default(), version, params })
}
