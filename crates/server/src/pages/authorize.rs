//! What `aws login` meets: the page that asks for which session, the code for another machine, and the answers to programs.

use daypass_service::Error;
use daypass_service::doors::{Asked, LoginChoice, SIGN_IN_PATH, Tokens};
use http::StatusCode;
use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::layout::message;

/// What stands in a query as it is.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Which session the program gets, and who asks.
pub(super) fn choice(asked: &Asked, sessions: &[LoginChoice], path: &str) -> Markup {
    let title = "Let a program in";
    message(
        title,
        &html! {
            @if sessions.is_empty() {
                p { "This browser is signed in nowhere here." }
                p { a class="button" href=(sign_in(asked, path)) { "Sign in with a password" } }
                p { "Or sign in as you do otherwise, and load this page again." }
            } @else {
                p {
                    "A program asks for credentials in your name: " code { "aws login" } ", or one that says it is. "
                    "Only go on if you have started it yourself, just now."
                }
                @if asked.is_elsewhere() {
                    p { "It runs on another machine. You will be shown a code: whoever has it has your session." }
                }
                @for session in sessions {
                    form method="post" action=(path) {
                        input type="hidden" name="code" value=(session.code);
                        input type="hidden" name="session" value=(session.whose.id);
                        @for (name, value) in asked.fields() {
                            input type="hidden" name=(name) value=(value);
                        }
                        p { "Account " (session.whose.account) }
                        button type="submit" { "Continue as " (session.whose.arn) }
                    }
                }
                p { a href=(sign_in(asked, path)) { "Sign in as somebody else" } }
            }
        },
    )
}

/// The form of a sign-in that comes back here.
fn sign_in(asked: &Asked, path: &str) -> String {
    let fields = asked.fields().map(|(name, value)| format!("{name}={}", encoded(value)));
    format!("{SIGN_IN_PATH}?back={}", encoded(&format!("{path}?{}", fields.join("&"))))
}

/// What somebody carries to the other machine: code and state, as that program reads them.
pub(super) fn code(state: &str, code: &str) -> Markup {
    let title = "Your code";
    let text = data_encoding::BASE64.encode(format!("state={}&code={code}", encoded(state)).as_bytes());
    message(
        title,
        &html! {
            p { "Paste it where the program asks for it. It is good once and for five minutes; give it to nobody." }
            p { "Select all of it with " kbd { "Ctrl+A" } " or " kbd { "⌘A" } "." }
            textarea aria-label=(title) rows="6" readonly autofocus spellcheck="false" autocomplete="off" { (text) }
        },
    )
}

/// Where the browser takes a code to.
pub(super) fn callback(asked: &Asked, code: &str) -> String {
    format!("{}?code={code}&state={}", asked.redirect_uri, encoded(&asked.state))
}

/// The body of CreateOAuth2Token.
pub(super) fn tokens(tokens: &Tokens) -> Value {
    let mut body = json!({
        "accessToken": {
            "accessKeyId": tokens.access_key_id,
            "secretAccessKey": tokens.secret_access_key.expose_str(),
            "sessionToken": tokens.session_token.expose_str(),
        },
        "tokenType": "aws_sigv4",
        "expiresIn": tokens.expires_in,
        "refreshToken": tokens.refresh_token.expose_str(),
    });
    if let (Some(members), Some(id)) = (body.as_object_mut(), &tokens.id_token) {
        members.insert("idToken".into(), id.expose_str().into());
    }
    body
}

/// An error of CreateOAuth2Token: status, type and body.
pub(super) fn refused(error: &Error) -> (StatusCode, &'static str, Value) {
    let (status, kind, code) = match error.code {
        code @ ("TOKEN_EXPIRED" | "AUTHCODE_EXPIRED") => {
            (StatusCode::UNAUTHORIZED, "AccessDeniedException", code)
        }
        code @ ("INSUFFICIENT_PERMISSIONS" | "USER_CREDENTIALS_CHANGED") => {
            (StatusCode::FORBIDDEN, "AccessDeniedException", code)
        }
        "Throttling" => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsError", "rate_exceeded"),
        "InternalFailure" | "ServiceUnavailable" => {
            (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerException", "server_error")
        }
        _ => (StatusCode::BAD_REQUEST, "ValidationException", "INVALID_REQUEST"),
    };
    (status, kind, json!({"error": code, "message": error.message}))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, IN_QUERY).to_string()
}
