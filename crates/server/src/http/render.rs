//! Render: from a [`Response`](daypass_service::Response) to status, headers and bytes.

use daypass_service::{Error, Reply, rest, shapes};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;

use super::error::status;
use super::receive::{self, Refusal};
use crate::wire::{json, xml};

/// The wire format a client asked for.
pub(super) enum Format {
    /// Query services, by default.
    Xml,
    /// Query services with `Accept: application/json`.
    Json,
    /// Our own API.
    AwsJson,
    /// The service of this name, which speaks REST.
    Rest(&'static str),
}

impl Format {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        if request.headers().contains_key("x-amz-target") {
            return Self::AwsJson;
        }
        if let Some(route) = receive::route(request.method(), request.uri(), request.headers()) {
            return Self::Rest(route.service());
        }
        let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let json = accepts.split(',').any(|kind| {
            kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
        });
        if json { Self::Json } else { Self::Xml }
    }

    fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Xml => "text/xml",
            Self::Json | Self::Rest(_) => "application/json",
            Self::AwsJson => "application/x-amz-json-1.1",
        })
    }
}

pub(super) fn response(format: &Format, response: daypass_service::Response) -> Response<Full<Bytes>> {
    let daypass_service::Response { request_id, service, action, outcome } = response;
    match outcome {
        Ok(reply) => match success(format, service, &action, &request_id, &reply) {
            Ok(body) => build(format, done(service, &action), &request_id, body),
            Err(why) => {
                tracing::error!(%request_id, %action, %why, "an answer could not be written");
                failure(format, service, &request_id, &Error::internal("an answer could not be written"))
            }
        },
        Err(error) => failure(format, service, &request_id, &error),
    }
}

pub(super) fn refusal(format: &Format, refusal: &Refusal) -> Response<Full<Bytes>> {
    failure(format, "", &refusal.request_id, &refusal.error)
}

pub(super) fn panicked(format: &Format, request_id: &str) -> Response<Full<Bytes>> {
    failure(format, "", request_id, &Error::internal("a call panicked"))
}

fn success(
    format: &Format,
    service: &str,
    action: &str,
    request_id: &str,
    reply: &Reply,
) -> Result<Vec<u8>, String> {
    match format {
        Format::Xml => xml::reply(service, action, request_id, &**reply).map_err(|e| e.to_string()),
        Format::Json => json::query_reply(action, request_id, &**reply).map_err(|e| e.to_string()),
        Format::AwsJson | Format::Rest(_) => json::reply(&**reply).map_err(|e| e.to_string()),
    }
}

/// The status of a good answer: 200, where the model of the operation says no other.
fn done(service: &str, action: &str) -> StatusCode {
    let http = shapes::operation(service, action).and_then(|operation| operation.http.as_ref());
    http.and_then(|http| StatusCode::from_u16(http.status).ok()).unwrap_or(StatusCode::OK)
}

fn failure(format: &Format, service: &str, request_id: &str, error: &Error) -> Response<Full<Bytes>> {
    let (of, code) = match format {
        Format::Rest(of) => (*of, rest::code(of, error.code)),
        Format::Xml | Format::Json | Format::AwsJson => (service, error.code),
    };
    let status = status(of, code);
    let sender = !status.is_server_error();
    let body = match format {
        Format::Xml => xml::error(service, request_id, error.code, &error.message, sender),
        Format::Json => json::query_error(request_id, error.code, &error.message, sender),
        Format::AwsJson => json::error(error.code, &error.message),
        Format::Rest(_) => json::rest_error(&error.message),
    };
    let mut response = build(format, status, request_id, body);
    if matches!(format, Format::Rest(_)) {
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(code));
    }
    response
}

fn build(format: &Format, status: StatusCode, request_id: &str, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, format.content_type());
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}
