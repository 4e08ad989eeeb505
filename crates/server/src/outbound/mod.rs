//! Documents of identity providers, fetched over HTTPS: discovery and keys.
//!
//! What is fetched, an administrator of some account or a provider chose. So the address is checked and then connected to
//! as it was checked, never looked up twice; networks that only this machine sees are asked only when the operator
//! says so; redirects are not followed; size and time have bounds.

mod address;
mod connect;
#[cfg(test)]
mod tests;
mod trust;
mod url;

use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use daypass_service::House;
use daypass_service::federation::{Fetch, FetchError, Fetched, Fetching, Form, Wanted, renew_keys};
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use rustls::RootCertStore;
use tokio::time::{MissedTickBehavior, timeout};

use self::connect::Stream;
pub(crate) use self::trust::roots;
use self::url::Url;

/// How long a document may take, from the look-up of its host's name to its last byte.
const FETCH_TIME_MAX: Duration = Duration::from_secs(10);
const AGENT: &str = concat!("daypass/", env!("CARGO_PKG_VERSION"));

/// The operator's choices about what is asked, and how.
#[derive(Debug, Clone, Default)]
pub struct OutboundRules {
    /// Networks that are asked although they are not public.
    pub private_networks: Vec<IpNet>,
    /// `host:port` of an HTTP proxy that every connection goes through.
    pub proxy: Option<String>,
}

/// How often keys that are due are looked for.
const RENEWED_EVERY: Duration = Duration::from_secs(10);

/// How many accounts' keys are renewed at once.
const RENEWED_AT_ONCE: usize = 8;

/// Renew keys of providers before their time is over, for as long as the server runs.
pub(crate) fn tend(house: &Arc<House>) {
    for _ in 0..RENEWED_AT_ONCE {
        let house = house.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(RENEWED_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                renew_keys(&house).await;
            }
        });
    }
}

/// Whether a setting names something that could ever be asked: `insecure` is the issuer that asks, where the operator lists it.
///
/// # Errors
/// Why not.
pub(crate) fn could_be_asked(
    rules: &OutboundRules,
    url: &str,
    insecure: Option<&str>,
) -> Result<(), &'static str> {
    let url = Url::parse(url, insecure)?;
    // A name leads where it leads when it is looked up.
    let is_address = url.host().parse::<IpAddr>().is_ok();
    if (is_address || rules.proxy.is_some()) && !connect::may_be_named(rules, &url) {
        return Err("its address is not public; --allow-private-network allows one");
    }
    Ok(())
}

/// Fetches documents.
pub(crate) struct Outbound {
    rules: OutboundRules,
    roots: RootCertStore,
    /// Finds a host's addresses. It may take its time.
    look_up: fn(&str, u16) -> io::Result<Vec<SocketAddr>>,
}

impl Outbound {
    pub(crate) fn new(rules: OutboundRules, roots: RootCertStore) -> Self {
        Self { rules, roots, look_up: connect::by_system }
    }

    async fn get(&self, wanted: &Wanted<'_>) -> Result<Fetched, FetchError> {
        let url = Url::parse(wanted.url, wanted.insecure)
            .map_err(|why| FetchError::Refused(shown(wanted.url), why))?;
        let fetched = timeout(FETCH_TIME_MAX, async {
            let stream = connect::connect(self, &url, wanted).await?;
            exchange(stream, &url, wanted).await
        });
        let too_late = || FetchError::Unreachable(shown(wanted.url), "not in time".into());
        fetched.await.unwrap_or_else(|_| Err(too_late()))
    }
}

impl Fetch for Outbound {
    fn fetch<'a>(&'a self, wanted: Wanted<'a>) -> Fetching<'a> {
        Box::pin(async move { self.get(&wanted).await })
    }
}

async fn exchange(stream: Stream, url: &Url, wanted: &Wanted<'_>) -> Result<Fetched, FetchError> {
    let failed =
        |error: &dyn std::fmt::Display| FetchError::Unreachable(shown(wanted.url), error.to_string());
    let target = match wanted.query {
        Some(query) => Cow::Owned(format!("{}?{}", url.path(), query.expose_str())),
        None => Cow::Borrowed(url.path()),
    };
    let request = Request::builder()
        .uri(&*target)
        .header(HOST, url.host_and_port())
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "application/json");
    let request = with_form(request, wanted.form).map_err(|error| failed(&error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    // It ends with this call, whatever becomes of it.
    let connection = AbortOnDrop(tokio::spawn(connection));
    let answer = sender.send_request(request).await.map_err(|error| failed(&error))?;
    let status = answer.status();
    if status != StatusCode::OK && wanted.form.is_none() {
        return Err(FetchError::Status(shown(wanted.url), status.as_u16()));
    }
    let max_age = max_age(answer.headers());
    let body = Limited::new(answer.into_body(), wanted.bytes_max).collect().await;
    if status != StatusCode::OK {
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        return Err(FetchError::of_form(shown(wanted.url), status.as_u16(), &body));
    }
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() { FetchError::TooLong(shown(wanted.url)) } else { failed(&error) }
    })?;
    drop(connection);
    Ok(Fetched { body: body.to_bytes().to_vec(), max_age })
}

/// A form makes a POST of it.
fn with_form(
    request: http::request::Builder,
    form: Option<Form<'_>>,
) -> Result<Request<Full<Bytes>>, http::Error> {
    let Some(Form { body, authorization }) = form else {
        return request.method(Method::GET).body(Full::default());
    };
    let request = request.method(Method::POST).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = match authorization {
        Some(secret) => {
            let mut value = HeaderValue::from_bytes(secret.expose())?;
            value.set_sensitive(true);
            request.header(AUTHORIZATION, value)
        }
        None => request,
    };
    request.body(Full::from(body.expose().to_vec()))
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// `max-age` in seconds; 0 where nothing may be kept (RFC 9111, section 5.2.2).
fn max_age(headers: &HeaderMap) -> Option<i64> {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives: Vec<&str> = directives.flat_map(|value| value.split(',')).map(str::trim).collect();
    let is = |name: &str| directives.iter().any(|directive| directive.eq_ignore_ascii_case(name));
    if is("no-store") || is("no-cache") {
        return Some(0);
    }
    directives.iter().find_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then(|| value.trim_matches('"').parse().ok())?
    })
}

/// A URL as the log may have it: bounded, and without anything that could be taken for a line of its own.
fn shown(url: &str) -> String {
    daypass_model::cut(url, 256).chars().filter(|character| !character.is_control()).collect()
}
