//! The cookies of a session, and those by which a browser is known.

use daypass_authn::browser::BrowserSecret;
use daypass_model::SessionId;
use daypass_service::doors::{AUTHORIZE_PATH, Device, browser_cookie, cookie_name, session_path};
use http::header::SET_COOKIE;
use http::{HeaderValue, Response};

/// For how long a browser is known, in seconds: browsers keep no cookie for longer (RFC 6265bis, section 5.5).
const BROWSER_SECONDS: i64 = 400 * 86_400;

/// A session's cookies go to its own path and to where programs ask for it alone, to no script, with no request that another
/// site makes, and not into the clear where there is TLS.
pub(super) fn enter<B>(response: &mut Response<B>, id: SessionId, secret: &BrowserSecret, over_tls: bool) {
    let (name, value) = (cookie_name(id), secret.cookie());
    let (value, secure) = (value.expose_str(), secure(over_tls));
    for path in paths(id) {
        add(response, &format!("{name}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}"));
    }
}

/// The browser need not keep the cookies of a session that is over: programs would be offered it.
pub(super) fn forget<B>(response: &mut Response<B>, id: SessionId) {
    for path in paths(id) {
        let name = cookie_name(id);
        add(response, &format!("{name}=; Path={path}; Max-Age=0; HttpOnly; SameSite=Strict"));
    }
}

/// The browser's own secret is another from now on, and so is that by which it is known of a user, as far as they are here.
pub(super) fn know<B>(
    response: &mut Response<B>,
    browser: Option<&BrowserSecret>,
    device: Option<&Device>,
    over_tls: bool,
) {
    let of_browser = browser.map(|secret| kept(None, secret, over_tls));
    let of_user = device.map(|(name, secret)| kept(Some(name), secret, over_tls));
    for cookie in [of_browser, of_user].into_iter().flatten() {
        add(response, &cookie);
    }
}

/// For as long as browsers keep anything. It comes from links elsewhere as well, and with no form of another site.
fn kept(name: Option<&str>, secret: &BrowserSecret, over_tls: bool) -> String {
    let (name, path) = browser_cookie(name, over_tls);
    let (value, secure) = (secret.cookie(), secure(over_tls));
    let value = value.expose_str();
    format!("{name}={value}; Path={path}; Max-Age={BROWSER_SECONDS}; HttpOnly; SameSite=Lax{secure}")
}

fn paths(id: SessionId) -> [String; 2] {
    [session_path(id), AUTHORIZE_PATH.to_owned()]
}

fn secure(over_tls: bool) -> &'static str {
    if over_tls { "; Secure" } else { "" }
}

fn add<B>(response: &mut Response<B>, cookie: &str) {
    if let Ok(mut cookie) = HeaderValue::from_str(cookie) {
        cookie.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}
