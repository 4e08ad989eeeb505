//! Pages for people: from what came of a visit to status, headers, cookies and HTML.
//!
//! No JavaScript, one style sheet, nothing from elsewhere: they work before anything else has loaded, and there is nothing
//! in them for a script to take. What a page says is decided by `service::doors`.

mod authorize;
mod choice;
mod layout;
mod messages;
mod saml_metadata;
mod session;
mod sessions;
mod sign_in;
mod switch;

use std::sync::LazyLock;

use daypass_authn::browser::BrowserSecret;
use daypass_model::SessionId;
use daypass_service::Error;
use daypass_service::doors::{
    AUTHORIZE_PATH, Answer, Door, SignInPage, Visited, browser_cookie, cookie_name, session_path,
};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, SET_COOKIE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use maud::Markup;
use sha2::{Digest as _, Sha256};

use crate::wire::json;

/// What pages load: where it is, what kind it is of, and what is in it.
const FILES: [(&str, &str, &str); 2] = [
    ("/console/style.css", "text/css; charset=utf-8", include_str!("style.css")),
    // Without one of ours, browsers ask for `/favicon.ico`.
    ("/console/icon.svg", "image/svg+xml", include_str!("icon.svg")),
];
static TAGS: LazyLock<[String; 2]> = LazyLock::new(|| {
    FILES.map(|(_, _, text)| format!("\"{}\"", data_encoding::HEXLOWER.encode(&Sha256::digest(text))))
});

/// For how long a browser is known, in seconds: browsers keep no cookie for longer (RFC 6265bis, section 5.5).
const BROWSER_SECONDS: i64 = 400 * 86_400;

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
            Bytes::from(json::error(error.code, &error.message)),
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
    match answer {
        Answer::SigninToken(token) => {
            let body = serde_json::json!({ "SigninToken": token.expose_str() }).to_string();
            with_headers(StatusCode::OK, Bytes::from(body), "application/json")
        }
        Answer::Entered { id, secret, browser, device, back } => {
            let mut response = with_headers(StatusCode::FOUND, Bytes::new(), "text/html; charset=utf-8");
            insert(&mut response, LOCATION, &back.unwrap_or_else(|| session_path(id)));
            for path in [session_path(id).as_str(), AUTHORIZE_PATH] {
                append(&mut response, SET_COOKIE, &cookie(id, path, &secret, over_tls));
            }
            if let Some(secret) = browser {
                append(&mut response, SET_COOKIE, &kept(None, &secret, over_tls));
            }
            if let Some((name, secret)) = device.as_deref() {
                append(&mut response, SET_COOKIE, &kept(Some(name), secret, over_tls));
            }
            response
        }
        Answer::SignIn(shown) => sign_in(&shown, over_tls),
        Answer::ChooseRole { accounts, response, field, relay_state, path } => {
            page(StatusCode::OK, choice::page(&accounts, &response, &field, relay_state.as_deref(), &path))
        }
        Answer::Leave { url, browser } => {
            let mut response = with_headers(StatusCode::FOUND, Bytes::new(), "text/html; charset=utf-8");
            insert(&mut response, LOCATION, &url);
            if let Some(secret) = browser {
                append(&mut response, SET_COOKIE, &kept(None, &secret, over_tls));
            }
            response
        }
        Answer::ChooseSession { asked, sessions, path } => {
            let mut response = page(StatusCode::OK, authorize::choice(&asked, &sessions, path));
            lead_back(&mut response, &asked.redirect_uri);
            response
        }
        Answer::Code { asked, code, is_elsewhere: true } => {
            page(StatusCode::OK, authorize::code(&asked.state, code.expose_str()))
        }
        Answer::Code { asked, code, .. } => {
            let mut response = with_headers(StatusCode::FOUND, Bytes::new(), "text/html; charset=utf-8");
            insert(&mut response, LOCATION, &authorize::callback(&asked, code.expose_str()));
            response
        }
        Answer::Tokens(tokens) => with_headers(
            StatusCode::OK,
            Bytes::from(authorize::tokens(&tokens).to_string()),
            "application/json",
        ),
        Answer::SamlMetadata(own) => {
            let document = Bytes::from(saml_metadata::document(&own));
            with_headers(StatusCode::OK, document, "application/samlmetadata+xml")
        }
        Answer::YourSession(session) => page(StatusCode::OK, session::page(&session, None)),
        Answer::AnotherRole(form) => page(StatusCode::OK, switch::page(&form)),
        Answer::Sessions(list) => page(StatusCode::OK, sessions::list(&list)),
        Answer::OneSession(shown) => page(StatusCode::OK, sessions::one(&shown)),
        Answer::GoTo(path) => {
            let mut response = with_headers(StatusCode::SEE_OTHER, Bytes::new(), "text/html; charset=utf-8");
            insert(&mut response, LOCATION, &path);
            response
        }
        Answer::Credentials(session, given) => page(StatusCode::OK, session::page(&session, Some(&given))),
        Answer::ComeAgain { id } => page(StatusCode::OK, messages::come_again(id)),
        Answer::NotSignedIn => page(StatusCode::OK, messages::not_signed_in()),
        // A monitor, too, is told that there is nothing here any more.
        Answer::Ended { issuer } => {
            let mut response = page(StatusCode::FORBIDDEN, messages::ended(issuer.as_deref()));
            if let Some(id) = session {
                forget(&mut response, id);
            }
            response
        }
        Answer::SignedOut { id, issuer } => {
            let mut response = page(StatusCode::OK, messages::signed_out(issuer.as_deref()));
            forget(&mut response, id);
            // `no-store` alone does not keep "back" from showing the page: Chromium keeps pages whole, and drops those whose
            // cookies change by the address where the visit began. That was the link's, and no cookie is for it.
            insert(&mut response, HeaderName::from_static("clear-site-data"), "\"cache\"");
            response
        }
    }
}

/// The browser need not keep the cookies of a session that is over: programs would be offered it.
fn forget(response: &mut Response<Full<Bytes>>, id: SessionId) {
    for path in [session_path(id).as_str(), AUTHORIZE_PATH] {
        let gone = format!("{}=; Path={path}; Max-Age=0; HttpOnly; SameSite=Strict", cookie_name(id));
        append(response, SET_COOKIE, &gone);
    }
}

/// It goes to the session's own path alone, to no script, with no request that another site makes, and not into the clear
/// where there is TLS.
fn cookie(id: SessionId, path: &str, secret: &BrowserSecret, over_tls: bool) -> String {
    let secure = if over_tls { "; Secure" } else { "" };
    let (name, value) = (cookie_name(id), secret.cookie());
    format!("{name}={}; Path={path}; HttpOnly; SameSite=Strict{secure}", value.expose_str())
}

/// Here a browser is known again that somebody signed in from, for as long as browsers keep anything. It comes from links elsewhere
/// as well, and with no form of another site.
fn kept(name: Option<&str>, secret: &BrowserSecret, over_tls: bool) -> String {
    let secure = if over_tls { "; Secure" } else { "" };
    let (name, path) = browser_cookie(name, over_tls);
    let value = secret.cookie();
    let value = value.expose_str();
    format!("{name}={value}; Path={path}; Max-Age={BROWSER_SECONDS}; HttpOnly; SameSite=Lax{secure}")
}

fn sign_in(shown: &SignInPage, over_tls: bool) -> Response<Full<Bytes>> {
    let status = shown.problem.as_ref().map_or(StatusCode::OK, |problem| status(&problem.error));
    let mut response = page(status, sign_in::page(shown));
    if let Some(secret) = &shown.browser {
        append(&mut response, SET_COOKIE, &kept(None, secret, over_tls));
    }
    response
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
    if let Ok(mut value) = HeaderValue::from_str(value) {
        value.set_sensitive(name == SET_COOKIE);
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

fn append(response: &mut Response<Full<Bytes>>, name: HeaderName, value: &str) {
    if let Ok(mut value) = HeaderValue::from_str(value) {
        value.set_sensitive(name == SET_COOKIE);
        response.headers_mut().append(name, value);
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
