//! Pages for people: from what came of a visit to status, headers, cookies and HTML.
//!
//! No JavaScript, one style sheet, nothing from elsewhere: they work before anything else has loaded, and there is nothing
//! in them for a script to take. What a page says is decided by `service::doors`.

mod authorize;
mod choice;
mod cookies;
mod layout;
mod messages;
mod saml_metadata;
mod session;
mod sessions;
mod sign_in;
mod switch;

use std::sync::LazyLock;

use daypass_model::SessionId;
use daypass_service::Error;
use daypass_service::doors::{Answer, Door, SignInPage, Visited, session_path};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use maud::Markup;
use sha2::{Digest as _, Sha256};

use crate::wire;

/// What pages load: where it is, what kind it is of, and what is in it.
const FILES: [(&str, &str, &str); 2] = [
    ("/console/style.css", "text/css; charset=utf-8", include_str!("style.css")),
    // Without one of ours, browsers ask for `/favicon.ico`.
    ("/console/icon.svg", "image/svg+xml", include_str!("icon.svg")),
];
static TAGS: LazyLock<[String; 2]> = LazyLock::new(|| {
    FILES.map(|(_, _, text)| format!("\"{}\"", data_encoding::HEXLOWER.encode(&Sha256::digest(text))))
});

/// What every page comes with: it loads its style and nothing else, sends its forms here and nowhere else, stands in no
/// other page, and is kept by nobody.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// A file that pages load.
pub(crate) fn file<B>(request: &Request<B>) -> Option<Response<Full<Bytes>>> {
    let path = request.uri().path();
    let mut files = FILES.iter().zip(TAGS.iter());
    let ((_, kind, text), tag) = files.find(|((known, ..), _)| *known == path)?;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let is_known =
        request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let (status, body) = if is_known {
        (StatusCode::NOT_MODIFIED, Bytes::new())
    } else {
        (StatusCode::OK, Bytes::from_static(text.as_bytes()))
    };
    let mut response = with_headers(status, body, kind);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(ETAG, tag);
    }
    Some(response)
}

/// The page, or whatever else a visit comes to.
pub(crate) fn of(visited: Visited, over_tls: bool) -> Response<Full<Bytes>> {
    let Visited { request_id, name, session, outcome } = visited;
    let mut response = match outcome {
        Ok(answer) => of_answer(answer, session, over_tls),
        Err(error) if name == "CreateOAuth2Token" => refused_program(&error),
        Err(error) if name == "GetSigninToken" => with_headers(
            status(&error),
            Bytes::from(wire::json::error(error.code, &error.message)),
            "application/json",
        ),
        Err(error) => page(status(&error), messages::refused(&request_id, &error, session)),
    };
    name_request(&mut response, &request_id);
    response
}

/// The page of a request that never became a visit, or whose visit came to nothing.
pub(crate) fn refused(request_id: &str, error: &Error, door: Door) -> Response<Full<Bytes>> {
    let mut response = match door {
        Door::Token => refused_program(error),
        _ => page(status(error), messages::refused(request_id, error, door.session())),
    };
    name_request(&mut response, request_id);
    response
}

/// Who asks for a token is a program.
fn refused_program(error: &Error) -> Response<Full<Bytes>> {
    let (status, kind, body) = authorize::refused(error);
    let mut response = with_headers(status, Bytes::from(body.to_string()), "application/json");
    insert(&mut response, HeaderName::from_static("x-amzn-errortype"), kind);
    response
}

fn of_answer(answer: Answer, session: Option<SessionId>, over_tls: bool) -> Response<Full<Bytes>> {
    let ok = |markup| page(StatusCode::OK, markup);
    match answer {
        Answer::SigninToken(token) => json(&serde_json::json!({ "SigninToken": token.expose_str() })),
        Answer::Tokens(tokens) => json(&authorize::tokens(&tokens)),
        Answer::SamlMetadata(own) => {
            let document = Bytes::from(saml_metadata::document(&own));
            with_headers(StatusCode::OK, document, "application/samlmetadata+xml")
        }
        Answer::Entered { id, secret, browser, device, back } => {
            let mut response = lead(StatusCode::FOUND, &back.unwrap_or_else(|| session_path(id)));
            cookies::enter(&mut response, id, &secret, over_tls);
            cookies::know(&mut response, browser.as_ref(), device.as_deref(), over_tls);
            response
        }
        Answer::Leave { url, browser } => {
            let mut response = lead(StatusCode::FOUND, &url);
            cookies::know(&mut response, browser.as_ref(), None, over_tls);
            response
        }
        Answer::SignIn(shown) => sign_in(&shown, over_tls),
        Answer::ChooseRole { accounts, response, field, relay_state, path } => {
            ok(choice::page(&accounts, &response, &field, relay_state.as_deref(), &path))
        }
        Answer::ChooseSession { asked, sessions, path } => {
            let mut response = ok(authorize::choice(&asked, &sessions, path));
            lead_back(&mut response, &asked.redirect_uri);
            response
        }
        Answer::Code { asked, code, is_elsewhere: true } => {
            ok(authorize::code(&asked.state, code.expose_str()))
        }
        Answer::Code { asked, code, .. } => {
            lead(StatusCode::FOUND, &authorize::callback(&asked, code.expose_str()))
        }
        Answer::YourSession(session) => ok(session::page(&session, None)),
        Answer::Credentials(session, given) => ok(session::page(&session, Some(&given))),
        Answer::AnotherRole(form) => ok(switch::page(&form)),
        Answer::Sessions(list) => ok(sessions::list(&list)),
        Answer::OneSession(shown) => ok(sessions::one(&shown)),
        Answer::GoTo(path) => lead(StatusCode::SEE_OTHER, &path),
        Answer::ComeAgain { id } => ok(messages::come_again(id)),
        Answer::NotSignedIn => ok(messages::not_signed_in()),
        Answer::Ended { issuer } => ended(issuer.as_deref(), session),
        Answer::SignedOut { id, issuer } => signed_out(id, issuer.as_deref()),
    }
}

/// A monitor, too, is told that there is nothing here any more.
fn ended(issuer: Option<&str>, session: Option<SessionId>) -> Response<Full<Bytes>> {
    let mut response = page(StatusCode::FORBIDDEN, messages::ended(issuer));
    if let Some(id) = session {
        cookies::forget(&mut response, id);
    }
    response
}

fn signed_out(id: SessionId, issuer: Option<&str>) -> Response<Full<Bytes>> {
    let mut response = page(StatusCode::OK, messages::signed_out(issuer));
    cookies::forget(&mut response, id);
    // `no-store` alone does not keep "back" from showing the page: Chromium keeps pages whole, and drops those whose
    // cookies change by the address where the visit began. That was the link's, and no cookie is for it.
    insert(&mut response, HeaderName::from_static("clear-site-data"), "\"cache\"");
    response
}

fn sign_in(shown: &SignInPage, over_tls: bool) -> Response<Full<Bytes>> {
    let status = shown.problem.as_ref().map_or(StatusCode::OK, |problem| status(&problem.error));
    let mut response = page(status, sign_in::page(shown));
    cookies::know(&mut response, shown.browser.as_ref(), None, over_tls);
    response
}

fn lead(status: StatusCode, url: &str) -> Response<Full<Bytes>> {
    let mut response = with_headers(status, Bytes::new(), "text/html; charset=utf-8");
    insert(&mut response, LOCATION, url);
    response
}

fn json(body: &serde_json::Value) -> Response<Full<Bytes>> {
    with_headers(StatusCode::OK, Bytes::from(body.to_string()), "application/json")
}

fn page(status: StatusCode, page: Markup) -> Response<Full<Bytes>> {
    with_headers(status, Bytes::from(page.into_string()), "text/html; charset=utf-8")
}

fn with_headers(status: StatusCode, body: Bytes, kind: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

fn insert(response: &mut Response<Full<Bytes>>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// A browser goes with an answer to a form only where its page says, which here is the port that the program waits at.
fn lead_back(response: &mut Response<Full<Bytes>>, redirect_uri: &str) {
    let Some(origin) = redirect_uri.strip_suffix("/oauth/callback") else { return };
    for (name, value) in HEADERS.iter().filter(|(name, _)| *name == "content-security-policy") {
        let value = value.replace("form-action 'self'", &format!("form-action 'self' {origin}"));
        insert(response, HeaderName::from_static(name), &value);
    }
}

fn name_request(response: &mut Response<Full<Bytes>>, request_id: &str) {
    insert(response, HeaderName::from_static("x-amzn-requestid"), request_id);
}

/// A browser shows whatever comes, and programs go by 400 where AWS says that.
fn status(error: &Error) -> StatusCode {
    match error.code {
        "AccessDenied" => StatusCode::FORBIDDEN,
        "Throttling" => StatusCode::TOO_MANY_REQUESTS,
        "InternalFailure" => StatusCode::INTERNAL_SERVER_ERROR,
        "ServiceUnavailable" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}
