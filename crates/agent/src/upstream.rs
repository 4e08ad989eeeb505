//! Calls of the server: HTTPS, one connection each, bounded in time and size. Plain HTTP goes to this machine only, since
//! credentials come back.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use daypass_model::Authority;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Trouble;
use crate::answer::plain;

/// How long a call may take, from the look-up of the server's name to the last byte of its answer.
const CALL_TIME_MAX: Duration = Duration::from_secs(5);
/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const AGENT: &str = concat!("daypass-agent/", env!("CARGO_PKG_VERSION"));
/// The prefix of `X-Amz-Target` for daypass's own API.
const TARGET_PREFIX: &str = "Daypass_20261101.";

/// What came of a call that gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// The server cannot be asked now, or has no answer now.
    #[error("{0}")]
    Away(String),
    /// The server answers that something went wrong, which says nothing of whoever asks.
    #[error("{code}: {message}")]
    Failed {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: String,
        /// Its sentence, and whatever else is to be told.
        message: String,
    },
    /// The server says no.
    #[error("{code}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: String,
        /// Its sentence.
        message: String,
    },
}

/// The server.
pub(crate) struct Upstream {
    server: Authority,
    tls: Option<TlsConnector>,
}

/// An answer, whatever it says.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    /// `x-amzn-errortype`
    pub(crate) error_type: Option<String>,
    /// `x-amzn-requestid`
    pub(crate) request_id: Option<String>,
}

trait Duplex: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

impl Upstream {
    /// # Errors
    /// The URL is none, or credentials would go over a network in the clear.
    pub(crate) fn new(url: &str, roots: RootCertStore) -> Result<Self, Trouble> {
        let server: Authority =
            url.parse().map_err(|error| Trouble::new(format!("--server {url}: {error}")))?;
        if !server.is_https() {
            if !server.is_loopback() {
                let line =
                    format!("--server {url}: credentials come back; use https, or a server on this machine");
                return Err(Trouble::new(line));
            }
            return Ok(Self { server, tls: None });
        }
        let config =
            ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
                .with_safe_default_protocol_versions()
                .map_err(|error| Trouble::new(format!("TLS cannot be used: {error}")))?
                .with_root_certificates(roots)
                .with_no_client_auth();
        Ok(Self { server, tls: Some(TlsConnector::from(Arc::new(config))) })
    }

    /// A service of this machine that gives nothing secret, at whatever address of it.
    pub(crate) fn of_this_machine(server: Authority) -> Self {
        Self { server, tls: None }
    }

    /// The server's URL: for whom proofs are made.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// Call an action of daypass's own API, which nobody signs: what comes with it proves who calls.
    pub(crate) async fn call(&self, action: &str, params: &Value) -> Result<Value, CallError> {
        let target = format!("{TARGET_PREFIX}{action}");
        let headers =
            [(CONTENT_TYPE.as_str(), "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        read(&self.send(Method::POST, "/", &headers, params.to_string().into()).await?)
    }

    /// `Host`, as requests to it say it.
    pub(crate) fn host(&self) -> String {
        self.server.to_string()
    }

    /// Send a request, whatever it is; `Host` is added.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answered, CallError> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, self.server.to_string());
        request = request.header(USER_AGENT, AGENT);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).map_err(|error| CallError::Away(error.to_string()))?;
        match tokio::time::timeout(CALL_TIME_MAX, self.exchange(request)).await {
            Ok(answered) => answered.map_err(|error| CallError::Away(format!("{}: {error}", self.url()))),
            Err(_) => Err(CallError::Away(format!("{}: no answer in time", self.url()))),
        }
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Answered, Box<dyn std::error::Error + Send + Sync>> {
        let host = self.server.host().trim_start_matches('[').trim_end_matches(']');
        let tcp = TcpStream::connect((host, self.server.port())).await?;
        tcp.set_nodelay(true)?;
        let stream: Pin<Box<dyn Duplex>> = match &self.tls {
            None => Box::pin(tcp),
            Some(tls) => {
                let name = match host.parse::<IpAddr>() {
                    Ok(address) => ServerName::from(address),
                    Err(_) => ServerName::try_from(host.to_owned())?,
                };
                Box::pin(tls.connect(name, tcp).await?)
            }
        };
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // It ends with this call, whatever becomes of it.
        let _connection = AbortOnDrop(tokio::spawn(connection));
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
        let field =
            |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (error_type, request_id) = (field("x-amzn-errortype"), field("x-amzn-requestid"));
        Ok(Answered { status: head.status.as_u16(), body, error_type, request_id })
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What an answer in AWS JSON says.
fn read(answered: &Answered) -> Result<Value, CallError> {
    let status = answered.status;
    let body = serde_json::from_slice::<Value>(&answered.body).ok().filter(Value::is_object);
    let body = body.ok_or_else(|| CallError::Away(format!("no answer of daypass (HTTP {status})")))?;
    if status == 200 {
        return Ok(body);
    }
    let text = |name: &str| plain(body.get(name).and_then(Value::as_str).unwrap_or_default());
    let (code, message) = (text("__type"), text("message"));
    // An overloaded server, a store in trouble, and a clock that is wrong on one side: what there is is shown on.
    if status >= 500 || status == 429 || code.is_empty() || code == "ExpiredTokenException" {
        return Err(CallError::Away(format!("{code}: {message} (HTTP {status})")));
    }
    Err(CallError::Refused { status, code, message })
}

#[cfg(test)]
mod tests {
    //! Which servers are asked, and what their answers mean.

    use super::*;

    #[test]
    fn credentials_do_not_go_over_a_network_in_the_clear() {
        let made = |url: &str| Upstream::new(url, RootCertStore::empty()).map(|upstream| upstream.url());
        assert_eq!(made("https://sts.example.com/").unwrap(), "https://sts.example.com");
        assert_eq!(made("http://127.0.0.1:7777").unwrap(), "http://127.0.0.1:7777");
        for url in
            ["http://sts.example.com", "http://10.0.0.1:7777", "sts.example.com", "https://h/base", "ftp://h"]
        {
            assert!(made(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_refusal_is_told_from_a_server_that_is_away() {
        let said = |status, body: &'static str| {
            read(&Answered { status, body: body.into(), error_type: None, request_id: None })
        };
        assert_eq!(said(200, "{}"), Ok(serde_json::json!({})));
        let denied = said(403, r#"{"__type":"AccessDenied","message":"no"}"#);
        let expected = CallError::Refused { status: 403, code: "AccessDenied".into(), message: "no".into() };
        assert_eq!(denied, Err(expected));
        let raw = said(403, r#"{"__type":"X\u001b[31m","message":"a\nb\u001b[2J"}"#);
        let expected =
            CallError::Refused { status: 403, code: r"X\u{1b}[31m".into(), message: r"a\nb\u{1b}[2J".into() };
        assert_eq!(raw, Err(expected), "nothing goes raw into a log");
        for (status, body) in [
            (200, "<html>"),
            (502, "<html>"),
            (403, "<html>"),
            (503, r#"{"__type":"ServiceUnavailable","message":""}"#),
            (429, r#"{"__type":"Throttling","message":""}"#),
            (403, "{}"),
            (200, "[]"),
            (400, r#"{"__type":"ExpiredTokenException","message":"clock"}"#),
        ] {
            assert!(matches!(said(status, body), Err(CallError::Away(_))), "{status} {body}");
        }
    }
}
