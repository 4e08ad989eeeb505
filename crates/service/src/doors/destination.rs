//! Where a sign-in may lead: the console, and where else the operator says. A link must not make of this server's good
//! name a way to anywhere (CWE-601), so that nobody is ever sent elsewhere: their session's page has the link.

use std::str::FromStr;

use daypass_model::Authority;

use crate::error::Error;
use crate::house::House;
use crate::request::Request;

/// Longest destination and issuer, in bytes.
pub(super) const URL_BYTES_MAX: usize = 2048;
/// The console of AWS, which programs that know no other name: here it is ours.
const AWS_CONSOLE: &str = "console.aws.amazon.com";

/// A place that sign-ins may lead to: an `http` or `https` URL whose path ends with `/`, and everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleDestination {
    authority: Authority,
    path: String,
}

/// The text names no such place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a URL with a path that ends with /, such as https://grafana.example.com/")]
pub struct BadDestination;

impl FromStr for ConsoleDestination {
    type Err = BadDestination;

    fn from_str(url: &str) -> Result<Self, BadDestination> {
        let (authority, path) = plain(url).and_then(split).ok_or(BadDestination)?;
        let is_path = path.ends_with('/') && !path.contains(['?', '#']);
        is_path.then(|| Self { authority, path: path.to_owned() }).ok_or(BadDestination)
    }
}

impl ConsoleDestination {
    fn leads_to(&self, authority: &Authority, path: &str) -> bool {
        self.authority == *authority && path.starts_with(&self.path)
    }
}

/// Where `Destination` leads: `None` is the console itself.
///
/// # Errors
/// Nowhere that anybody allowed.
pub(super) fn read(house: &House, request: &Request, text: &str) -> Result<Option<String>, Error> {
    let refused =
        || Error::validation("The Destination is neither the console nor a place that the operator listed.");
    let text = plain(text).ok_or_else(refused)?;
    if text == "/console" || text.starts_with("/console/") {
        return Ok(None);
    }
    let (authority, path) = split(text).ok_or_else(refused)?;
    let is_console = path == "/console" || path.starts_with("/console/");
    if is_ours(house, request, &authority) && is_console {
        return Ok(None);
    }
    let host = authority.host();
    let is_aws =
        host == AWS_CONSOLE || host.strip_suffix(AWS_CONSOLE).is_some_and(|rest| rest.ends_with('.'));
    if is_aws && authority.is_https() && authority.port() == 443 {
        return Ok(None);
    }
    let listed = &house.settings.sign_in.destinations;
    if listed.iter().any(|place| place.leads_to(&authority, path)) {
        return Ok(Some(text.to_owned()));
    }
    Err(refused())
}

/// Where somebody was on their way to who has to sign in first: the page where programs ask, and nothing else.
pub(super) fn way_back(text: &str) -> Option<String> {
    let (path, _) = plain(text)?.split_once('?')?;
    (path == super::AUTHORIZE_PATH).then(|| text.to_owned())
}

/// `Issuer`: any text, for the eyes of whoever signs in.
///
/// # Errors
/// It is too long, or has characters that no URL has.
pub(super) fn issuer(text: &str) -> Result<String, Error> {
    let is_text = text.len() <= URL_BYTES_MAX && !text.chars().any(char::is_control);
    is_text
        .then(|| text.to_owned())
        .ok_or_else(|| Error::validation("The Issuer is too long, or is no text."))
}

/// The Host header is the client's to choose; by its own word it gets to our own page, and nowhere else.
fn is_ours(house: &House, request: &Request, authority: &Authority) -> bool {
    match &house.settings.public_authority {
        Some(own) => own == authority,
        None => request.header("host").is_some_and(|host| authority.matches(host)),
    }
}

/// A URL in which every reader sees the same: no blanks, controls or backslashes, nothing but ASCII, no dot segments in
/// whatever spelling (RFC 3986, section 5.2.4; "URL parsing" in the URL standard of WHATWG).
fn plain(url: &str) -> Option<&str> {
    let is_plain = url.len() <= URL_BYTES_MAX
        && url
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'`'));
    let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase().replace("%2e", ".");
    let has_dots = path.split(['/']).any(|segment| matches!(segment, "." | ".."))
        || path.contains("%2f")
        || path.contains("%5c")
        || path.contains("%25");
    (is_plain && !has_dots).then_some(url)
}

fn split(url: &str) -> Option<(Authority, &str)> {
    Authority::split_url(url).ok()
}

#[cfg(test)]
mod tests {
    //! What is a place of the operator's list, and what is below it.

    use super::*;

    fn leads(place: &str, url: &str) -> bool {
        let place: ConsoleDestination = place.parse().unwrap();
        plain(url).and_then(split).is_some_and(|(authority, path)| place.leads_to(&authority, path))
    }

    #[test]
    fn a_place_is_a_url_with_a_path() {
        for bad in [
            "",
            "/",
            "grafana.example.com/",
            "https://grafana.example.com",
            "https://grafana.example.com/d",
            "https://a@grafana.example.com/",
            "javascript:alert(1)/",
            "https://grafana.example.com/?x=/",
            "https://grafana.example.com/../",
            "https://grafana.example.com/a b/",
            "//grafana.example.com/",
        ] {
            assert_eq!(bad.parse::<ConsoleDestination>(), Err(BadDestination), "{bad}");
        }
    }

    #[test]
    fn what_is_below_a_place_is_what_every_reader_finds_below_it() {
        let place = "https://grafana.example.com/d/";
        for good in [
            "https://grafana.example.com/d/",
            "https://GRAFANA.example.com:443/d/x?y=1#z",
            "https://grafana.example.com/d/a/../../b?",
        ] {
            assert_eq!(leads(place, good), !good.contains(".."), "{good}");
        }
        for bad in [
            "https://grafana.example.com/",
            "https://grafana.example.com/dx",
            "http://grafana.example.com/d/",
            "https://grafana.example.com:444/d/",
            "https://grafana.example.com.evil.example/d/",
            "https://grafana.example.com@evil.example/d/",
            "https://evil.example/d/",
            "https://evil.example\\@grafana.example.com/d/",
            "https://grafana.example.com/d/%2e%2e/x",
            "https://grafana.example.com/d/.%2E/x",
            "https://grafana.example.com/d/..%2fx",
            "https://grafana.example.com/d/%252e%252e/x",
            "https:grafana.example.com/d/",
            "//grafana.example.com/d/",
        ] {
            assert!(!leads(place, bad), "{bad}");
        }
    }
}
