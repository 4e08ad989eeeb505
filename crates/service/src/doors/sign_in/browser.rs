//! The browser that somebody signs in with: a secret in a cookie, from the first page on.
//!
//! By it a form is known as ours, what was proven in one step counts in the next for this browser alone, and a user who has
//! signed in from it has tries of their own ("Device Cookies" of OWASP). It is another after every sign-in, so that nobody
//! who put one there before has what comes after (session fixation).

use daypass_authn::browser::BrowserSecret;

use super::super::cookie_of;
use crate::house::House;
use crate::request::Request;

/// The cookie's name. It goes to `/signin` and what is below it.
pub(in crate::doors) const COOKIE: &str = "daypass-browser";

/// See the module.
pub(in crate::doors) struct Browser {
    pub(super) secret: BrowserSecret,
    /// Whether it has the secret yet.
    pub(super) is_new: bool,
}

impl Browser {
    /// The browser that a request comes from; one that brings no secret gets one.
    pub(in crate::doors) fn of(house: &House, request: &Request) -> Self {
        match cookie_of(request, COOKIE) {
            Some(secret) => Self { secret, is_new: false },
            None => Self { secret: BrowserSecret::generate(house.directory.random()), is_new: true },
        }
    }

    /// Whether a form came from a page of ours in this browser. Browsers say themselves whether another site sent it (Fetch
    /// Metadata Request Headers), also where a sibling's cookie took the place of ours.
    pub(super) fn sent(&self, request: &Request, form: &str, code: &str) -> bool {
        let site = request.header("sec-fetch-site");
        !self.is_new
            && site.is_none_or(|site| matches!(site, "same-origin" | "none"))
            && self.secret.is_form_code(form, code)
    }
}
