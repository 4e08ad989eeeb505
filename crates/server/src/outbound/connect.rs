//! A connection to whoever has a document: the address that was checked is the one that is connected to.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;

use daypass_service::federation::{FetchError, Wanted};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::is_public;
use super::trust::Vouching;
use super::url::Url;
use super::{Outbound, OutboundRules, shown};

/// Longest answer of a proxy to CONNECT, in bytes.
const PROXY_ANSWER_BYTES_MAX: usize = 8 * 1024;

/// A connection, with TLS or without.
pub(super) type Stream = Pin<Box<dyn Duplex>>;

pub(super) trait Duplex: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

/// Connect to the host of a URL.
pub(super) async fn connect(from: &Outbound, url: &Url, wanted: &Wanted<'_>) -> Result<Stream, FetchError> {
    let tcp = match &from.rules.proxy {
        Some(proxy) => through(proxy, from, url, wanted).await?,
        None => directly(from, url, wanted).await?,
    };
    if !url.is_tls() {
        return Ok(Box::pin(tcp));
    }
    let unreachable = |why: String| FetchError::Unreachable(shown(wanted.url), why);
    let name = ServerName::try_from(url.host().to_owned()).map_err(|error| unreachable(error.to_string()))?;
    let vouching = Arc::new(Vouching::new(&from.roots, wanted.thumbprints));
    let config = ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| unreachable(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(vouching.clone())
        .with_no_client_auth();
    match TlsConnector::from(Arc::new(config)).connect(name, tcp).await {
        Ok(stream) => Ok(Box::pin(stream)),
        Err(_) if vouching.nobody_vouches() => Err(FetchError::Certificate(shown(wanted.url))),
        Err(error) => Err(unreachable(error.to_string())),
    }
}

async fn directly(from: &Outbound, url: &Url, wanted: &Wanted<'_>) -> Result<TcpStream, FetchError> {
    let unreachable = |error: io::Error| FetchError::Unreachable(shown(wanted.url), error.to_string());
    let found = look_up(from, url.host(), url.port(), wanted).await.map_err(unreachable)?;
    let allowed = found.into_iter().filter(|address| may_be_asked(&from.rules, url, address.ip()));
    let allowed: Vec<SocketAddr> = allowed.collect();
    if allowed.is_empty() {
        return Err(not_public(wanted));
    }
    let mut last = None;
    for address in allowed {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(unreachable(last.unwrap_or_else(|| io::ErrorKind::NotFound.into())))
}

/// Through the operator's proxy, which looks the name up itself; which networks it lets us reach is its business, but
/// an address that the URL names is checked here, however it is written.
async fn through(
    proxy: &str,
    from: &Outbound,
    url: &Url,
    wanted: &Wanted<'_>,
) -> Result<TcpStream, FetchError> {
    if !may_be_named(&from.rules, url) {
        return Err(not_public(wanted));
    }
    let failed = |why: &dyn std::fmt::Display| {
        FetchError::Unreachable(shown(wanted.url), format!("the proxy {proxy}: {why}"))
    };
    let (host, port) = proxy.rsplit_once(':').unwrap_or((proxy, ""));
    let (host, port) = (host.trim_matches(['[', ']']), port.parse::<u16>().map_err(|error| failed(&error))?);
    let addresses = look_up(from, host, port, wanted).await.map_err(|error| failed(&error))?;
    let mut stream = TcpStream::connect(&*addresses).await.map_err(|error| failed(&error))?;
    let to = url.host_and_port();
    let request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| failed(&error))?;
    let mut answer = Vec::new();
    // Byte by byte: what comes behind the head is the server's.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= PROXY_ANSWER_BYTES_MAX {
            return Err(failed(&"its answer is too long"));
        }
        answer.push(stream.read_u8().await.map_err(|error| failed(&error))?);
    }
    let line =
        String::from_utf8_lossy(answer.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    match line.split(' ').nth(1) {
        Some("200") => Ok(stream),
        _ => Err(failed(&shown(&line))),
    }
}

/// The addresses of a host. The system's look-up cannot be given up, only left alone: it keeps the place of the fetch until it
/// is at its end, so that there are never more of them than places.
async fn look_up(from: &Outbound, host: &str, port: u16, wanted: &Wanted<'_>) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (look_up, host, place) = (from.look_up, host.to_owned(), wanted.place.clone());
    let looking = tokio::task::spawn_blocking(move || {
        let found = look_up(&host, port);
        drop(place);
        found
    });
    looking.await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// By the system, as it is set up.
pub(super) fn by_system(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    (host, port).to_socket_addrs().map(Iterator::collect)
}

/// Whether a host as it is written may be asked by somebody who looks names up elsewhere: no address that may not be asked, and
/// nothing that could be read as one (WHATWG URL Standard, "ends in a number checker").
pub(super) fn may_be_named(rules: &OutboundRules, url: &Url) -> bool {
    let host = url.host();
    if let Ok(address) = host.parse() {
        return may_be_asked(rules, url, address);
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = match last.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        None => last.bytes().all(|digit| digit.is_ascii_digit()), // nothing behind the last dot, too
    };
    url.is_insecure() || !(is_number || last == "localhost")
}

fn may_be_asked(rules: &OutboundRules, url: &Url, address: IpAddr) -> bool {
    let address = address.to_canonical();
    let listed = || rules.private_networks.iter().any(|network| network.contains(&address));
    url.is_insecure() || is_public(address) || listed()
}

fn not_public(wanted: &Wanted<'_>) -> FetchError {
    FetchError::NotPublic(shown(wanted.url))
}
