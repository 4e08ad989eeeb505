//! A connection to whoever has a document: the address that was checked is the one that is connected to.

use std::io;
use std::net::{IpAddr, SocketAddr};
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
use super::{Outbound, shown};

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
    let found = tokio::net::lookup_host((url.host(), url.port())).await.map_err(unreachable)?;
    let allowed: Vec<SocketAddr> = found.filter(|address| may_be_asked(from, url, address.ip())).collect();
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
/// an address that the URL names is checked here.
async fn through(
    proxy: &str,
    from: &Outbound,
    url: &Url,
    wanted: &Wanted<'_>,
) -> Result<TcpStream, FetchError> {
    if url.host().parse().is_ok_and(|address| !may_be_asked(from, url, address)) {
        return Err(not_public(wanted));
    }
    let failed = |why: &dyn std::fmt::Display| {
        FetchError::Unreachable(shown(wanted.url), format!("the proxy {proxy}: {why}"))
    };
    let mut stream = TcpStream::connect(proxy).await.map_err(|error| failed(&error))?;
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

fn may_be_asked(from: &Outbound, url: &Url, address: IpAddr) -> bool {
    let address = address.to_canonical();
    let listed = || from.rules.private_networks.iter().any(|network| network.contains(&address));
    url.is_insecure() || is_public(address) || listed()
}

fn not_public(wanted: &Wanted<'_>) -> FetchError {
    let why = "its address is not public; --allow-private-network allows one";
    FetchError::Refused(shown(wanted.url), why)
}
