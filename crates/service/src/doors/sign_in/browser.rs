//! The browser that somebody signs in with, by its cookies.
//!
//! One has a secret from the first page on. By it a form is known as ours, and what was proven in one step counts in the next
//! for this browser alone. It is another after every sign-in, so that nobody who put one there before has what comes after
//! (session fixation). Beside it a browser has one for each user who has signed in from it ("Device Cookies" of OWASP), by which
//! that user has tries of their own: somebody else's sign-in in the same browser takes nothing of that.
//!
//! A page of a sibling host may set a cookie for all of a domain, and of several of one name nothing tells whose they are
//! (RFC 6265, section 8.6). Where there is TLS the names are therefore of the kind that only this very host can set
//! (`__Host-`, RFC 6265bis, section 4.1.3.2). Where there is none, each value is tried.

use data_encoding::HEXLOWER;
use daypass_authn::browser::BrowserSecret;
use daypass_directory::{LoginProfile, User};
use daypass_model::{Authority, UniqueId};
use sha2::{Digest as _, Sha256};

use super::super::{cookies, form};
use crate::house::House;
use crate::request::Request;

/// What is in all of the names.
const NAMES: &str = "daypass-";
/// The name of the cookie with the secret of forms.
const COOKIE: &str = "daypass-browser";
/// What the names begin with that hold a user's.
const DEVICE: &str = "daypass-device-";
/// Cookies that are looked at: browsers keep no more than some fifty of one site (RFC 6265, section 6.1).
const COOKIES_MAX: usize = 64;

/// The name of a cookie of the sign-in, and its path.
#[must_use]
pub fn browser_cookie(name: Option<&str>, over_tls: bool) -> (String, &'static str) {
    let name = name.unwrap_or(COOKIE);
    match over_tls {
        true => (format!("__Host-{name}"), "/"),
        false => (name.to_owned(), super::PATH),
    }
}

/// Whether a browser is over TLS: a cookie that only goes over TLS is lost where there is none, and safe where there may be.
#[must_use]
pub fn is_over_tls(house: &House, request: &Request) -> bool {
    let public = house.settings.public_authority.as_ref();
    request.secure.unwrap_or_else(|| public.is_some_and(Authority::is_https))
}

/// A secret by which a browser is known of a user, and the name of its cookie.
pub type Device = (String, BrowserSecret);

/// What a user's cookie is called: it says nobody's name.
pub(super) fn device_name(user: &UniqueId) -> String {
    let hash = HEXLOWER.encode(&Sha256::digest(user.to_string()));
    format!("{DEVICE}{}", hash.get(..16).unwrap_or_default())
}

/// See the module.
pub(in crate::doors) struct Browser {
    pub(super) secret: BrowserSecret,
    /// Whether it has the secret yet.
    pub(super) is_new: bool,
    /// Other values of the cookie.
    others: Vec<BrowserSecret>,
    devices: Vec<Device>,
}

impl Browser {
    /// The browser that a request comes from; one that brings no secret gets one.
    pub(in crate::doors) fn of(house: &House, request: &Request) -> Self {
        let over_tls = is_over_tls(house, request);
        let (mut secrets, mut devices) = (Vec::new(), Vec::new());
        for (name, value) in cookies(request).filter(|(name, _)| name.contains(NAMES)).take(COOKIES_MAX) {
            let name = if over_tls { name.strip_prefix("__Host-") } else { Some(name) };
            match (name, BrowserSecret::read(value)) {
                (Some(COOKIE), Some(secret)) => secrets.push(secret),
                (Some(name), Some(secret)) if name.starts_with(DEVICE) => {
                    devices.push((name.to_owned(), secret));
                }
                _ => {}
            }
        }
        let mut secrets = secrets.into_iter();
        let (secret, is_new) = match secrets.next() {
            Some(secret) => (secret, false),
            None => (BrowserSecret::generate(house.directory.random()), true),
        };
        Self { secret, is_new, others: secrets.collect(), devices }
    }

    /// Whether a form came from a page of ours in this browser.
    pub(super) fn sent(&mut self, request: &Request, name: &str, fields: &[&str]) -> bool {
        let fits = |secret: &BrowserSecret| form::sent(request, secret, name, fields).ok().map(drop);
        !self.is_new && self.settle(fits).is_some()
    }

    /// What fits one of the values, which is the browser's from then on.
    pub(super) fn settle<T>(&mut self, fits: impl Fn(&BrowserSecret) -> Option<T>) -> Option<T> {
        if let Some(found) = fits(&self.secret) {
            return Some(found);
        }
        for other in &mut self.others {
            if let Some(found) = fits(other) {
                std::mem::swap(other, &mut self.secret);
                return Some(found);
            }
        }
        None
    }

    /// Whether the user with this id has signed in from here, by the hash of what was kept of it.
    pub(super) fn is_device(&self, user: &UniqueId, hash: &str) -> bool {
        let name = device_name(user);
        self.devices.iter().any(|(of, secret)| *of == name && secret.has_hash(hash))
    }

    /// The hash by which it is known of the user, if they have signed in from here.
    pub(super) fn known_of<'p>(&self, user: &User, profile: &'p LoginProfile) -> Option<&'p str> {
        self.known_among(user, &profile.record.browsers)
    }

    /// The same, if they have brought a code of a device, too.
    pub(super) fn known_by_code<'p>(&self, user: &User, profile: &'p LoginProfile) -> Option<&'p str> {
        self.known_among(user, &profile.record.browsers_with_code)
    }

    fn known_among<'p>(&self, user: &User, hashes: &'p [String]) -> Option<&'p str> {
        let mut hashes = hashes.iter().map(String::as_str);
        hashes.find(|hash| self.is_device(&user.record.id, hash))
    }
}
