//! Answers of the agent's endpoints.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;

/// What others said, without what a terminal or a log would take for more than text.
pub(crate) fn plain(text: &str) -> String {
    let plain = |letter: char| match letter {
        letter if letter.is_control() => letter.escape_default().collect(),
        letter => letter.to_string(),
    };
    text.chars().map(plain).collect()
}

/// An answer, whole.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Plain text, as instance metadata has it.
pub(crate) fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    answer(status, "text/plain", body.into())
}

/// A document of instance metadata: JSON that calls itself plain text.
pub(crate) fn document(body: &Value) -> Answer {
    text(StatusCode::OK, format!("{body:#}\n"))
}

/// JSON.
pub(crate) fn json(status: StatusCode, body: &Value) -> Answer {
    answer(status, "application/json", body.to_string().into())
}

/// The error of a container credentials endpoint, which some SDKs show.
pub(crate) fn problem(status: StatusCode, code: &str, message: &str) -> Answer {
    json(status, &serde_json::json!({"code": code, "message": message}))
}

/// With one more field.
pub(crate) fn with(mut answer: Answer, name: HeaderName, value: HeaderValue) -> Answer {
    answer.headers_mut().insert(name, value);
    answer
}

fn answer(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // Credentials are in many of them.
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
