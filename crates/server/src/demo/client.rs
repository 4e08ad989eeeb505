//! A tiny AWS client: sign, send, read. It speaks to the demo's own listeners, over real HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, sign};
use daypass_model::{Clock, Secret, SystemClock};
use http::Request;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::failure::Failure;

/// The region everything is signed for.
pub(super) const REGION: &str = "us-east-1";
/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long an answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// Credentials, long-term or temporary.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) token: Option<String>,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

impl Keys {
    /// `Credentials` or `AccessKey` of an answer.
    pub(super) fn read(found: &Value) -> Option<Self> {
        let text = |name: &str| found.get(name).and_then(Value::as_str);
        Some(Self {
            id: text("AccessKeyId")?.to_owned(),
            secret: Secret::new(text("SecretAccessKey")?),
            token: text("SessionToken").map(str::to_owned),
        })
    }

    /// Sign a request to `host`.
    pub(super) fn sign(
        &self,
        mut request: HttpRequest,
        host: &str,
        service: &str,
    ) -> Result<HttpRequest, Failure> {
        request = request.with_header("host", host);
        let credentials = Credentials {
            access_key_id: &self.id,
            secret_access_key: &self.secret,
            session_token: self.token.as_deref(),
        };
        sign(&mut request, &credentials, REGION, service, SignatureForm::Header, SystemClock.now())
            .map_err(|error| Failure::new(format!("the demo cannot sign: {error}")))?;
        Ok(request)
    }
}

/// Call an action of STS or IAM.
pub(super) async fn query(
    to: SocketAddr,
    keys: &Keys,
    service: &str,
    action: &str,
    params: &[(&str, &str)],
) -> Result<Answer, Failure> {
    let version = if service == "sts" { "2011-06-15" } else { "2010-05-08" };
    let mut form = format!("Action={action}&Version={version}");
    for (name, value) in params {
        form.push_str(&format!("&{}={}", encode(name), encode(value)));
    }
    let request = HttpRequest::new("POST", "/", form)
        .with_header("accept", "application/json")
        .with_header("content-type", "application/x-www-form-urlencoded");
    exchange(to, keys.sign(request, &to.to_string(), service)?).await
}

/// Call an action of daypass's own API.
pub(super) async fn daypass(
    to: SocketAddr,
    keys: &Keys,
    action: &str,
    params: &Value,
) -> Result<Answer, Failure> {
    let request = HttpRequest::new("POST", "/", params.to_string())
        .with_header("content-type", "application/x-amz-json-1.1")
        .with_header("x-amz-target", format!("Daypass_20261101.{action}"));
    exchange(to, keys.sign(request, &to.to_string(), "daypass")?).await
}

/// Call the bucket.
pub(super) async fn s3(
    to: SocketAddr,
    keys: &Keys,
    method: &str,
    path: &str,
    body: &'static str,
) -> Result<Answer, Failure> {
    let request = HttpRequest::new(method, path, body);
    exchange(to, keys.sign(request, &to.to_string(), "s3")?).await
}

async fn exchange(to: SocketAddr, request: HttpRequest) -> Result<Answer, Failure> {
    let failed = |error: String| Failure::new(format!("http://{to} does not answer: {error}"));
    match tokio::time::timeout(ANSWER_TIME_MAX, send(to, request)).await {
        Ok(answered) => answered.map_err(|error| failed(error.to_string())),
        Err(_) => Err(failed("not in time".into())),
    }
}

async fn send(
    to: SocketAddr,
    request: HttpRequest,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let mut head = Request::builder().method(request.method.as_str()).uri(&request.path);
    for (name, value) in &request.headers {
        head = head.header(name.as_str(), value.as_slice());
    }
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let (head, body) = sender.send_request(head.body(Full::new(request.body))?).await?.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
    drop(sender);
    drop(connection.await); // the server may drain without waiting for a client that is done
    Ok(Answer { status: head.status.as_u16(), body })
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
