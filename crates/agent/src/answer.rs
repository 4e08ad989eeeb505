//! Answers of the agent's endpoints.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;

/// What others said, in one line, without what a terminal or a log would take for more than text.
pub(crate) fn plain(text: &str) -> String {
    let plain = |letter: char| match letter {
        letter if is_unseen(letter) => letter.escape_default().collect(),
        letter => letter.to_string(),
    };
    text.chars().map(plain).collect()
}

/// Control and format characters, and ends of lines: they are not seen themselves, and change what is seen of others (Unicode
/// Standard Annex 9; Unicode Technical Standard 39, section 4; general categories Cc, Cf, Zl and Zp).
pub(crate) fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
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
