//! The question to daypass: `CheckRequest`, signed with this service's own access key.
//!
//! This is all that a service needs: a signer and one HTTP call. The form of question and answer is in
//! `api/daypass/2026-11-01/service-2.json`.

use std::sync::Arc;
use std::time::Duration;

use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, sign};
use daypass_model::{Clock, Secret};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpStream;

/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// How long daypass may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Where daypass is, and the access key this service holds there.
pub struct Daypass {
    /// `host:port`; it is spoken to in plain HTTP.
    pub authority: String,
    /// The region to sign for; daypass takes any.
    pub region: String,
    /// The access key id.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Secret,
    /// The session token, with temporary credentials.
    pub session_token: Option<String>,
    /// For the time of the signature.
    pub clock: Arc<dyn Clock>,
}

/// A request that came here, and what it wants.
pub struct Question<'a> {
    /// The method.
    pub method: &'a str,
    /// Scheme and authority from our configuration, path and query as received.
    pub url: &'a str,
    /// Every header field, as received.
    pub headers: &'a HeaderMap,
    /// The SHA-256 of the body that came, in lower-case hex.
    pub body_sha256: &'a str,
    /// `s3:GetObject`, …
    pub action: &'a str,
    /// The ARN it acts on.
    pub resource: &'a str,
    /// Facts for the conditions of policies.
    pub context: &'a [(&'a str, String)],
}

/// What daypass says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Answer {
    /// Who signed; absent when the signature proves nothing.
    pub principal: Option<Principal>,
    /// `Allowed`, `ExplicitlyDenied` or `ImplicitlyDenied`.
    pub decision: String,
    /// The end of a refusal sentence: which kind of policy was silent or denied.
    pub denial_reason: Option<String>,
    /// Why the signature proves nothing.
    pub authentication_error: Option<AuthenticationError>,
    /// The hash of the body that was signed, or `UNSIGNED-PAYLOAD`.
    pub payload_hash: Option<String>,
}

/// Who signed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Principal {
    /// The ARN.
    pub arn: String,
}

/// Why a signature proves nothing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AuthenticationError {
    /// AWS's code.
    pub code: String,
    /// AWS's words.
    #[serde(default)]
    pub message: String,
}

/// There is no answer; nothing is allowed then.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// A header field of the request is not text; daypass could not see what was signed.
    #[error("a header field is not UTF-8 text")]
    NotText,
    /// daypass could not be reached, or not in time.
    #[error("daypass does not answer")]
    Unreachable,
    /// daypass refused the question itself: this service's key or permission is wrong.
    #[error("daypass refuses to check: {0}")]
    Refused(String),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Field<'a> {
    name: &'a str,
    value: &'a str,
}

impl Daypass {
    /// Ask.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn check(&self, question: &Question<'_>) -> Result<Answer, NoAnswer> {
        let mut headers = Vec::with_capacity(question.headers.len());
        for (name, value) in question.headers {
            let value = std::str::from_utf8(value.as_bytes()).map_err(|_| NoAnswer::NotText)?;
            headers.push(Field { name: name.as_str(), value });
        }
        let context: serde_json::Map<_, _> =
            question.context.iter().map(|(key, value)| ((*key).to_owned(), json!([value]))).collect();
        let body = json!({
            "Request": {
                "Method": question.method,
                "Url": question.url,
                "Headers": headers,
                "BodySha256": question.body_sha256,
            },
            "Action": question.action,
            "Resource": question.resource,
            "Context": context,
        });
        let request = self.signed(body.to_string()).map_err(|_| NoAnswer::Unreachable)?;
        let asked = tokio::time::timeout(ANSWER_TIME_MAX, self.send(request)).await;
        let (status, body) = asked.map_err(|_| NoAnswer::Unreachable)?.map_err(|_| NoAnswer::Unreachable)?;
        if status != StatusCode::OK {
            let error: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            let code = error.get("__type").and_then(serde_json::Value::as_str).unwrap_or("no code");
            return Err(NoAnswer::Refused(format!("{status}, {code}")));
        }
        serde_json::from_slice(&body).map_err(|error| NoAnswer::Refused(error.to_string()))
    }

    fn signed(&self, body: String) -> Result<Request<Full<Bytes>>, Failed> {
        let mut request = HttpRequest::new("POST", "/", body)
            .with_header("host", self.authority.as_str())
            .with_header("content-type", "application/x-amz-json-1.1")
            .with_header("x-amz-target", "Daypass_20261101.CheckRequest");
        let credentials = Credentials {
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            session_token: self.session_token.as_deref(),
        };
        sign(&mut request, &credentials, &self.region, "daypass", SignatureForm::Header, self.clock.now())?;
        let mut signed = Request::post("/");
        for (name, value) in &request.headers {
            signed = signed.header(name.as_str(), value.as_slice());
        }
        Ok(signed.body(Full::new(request.body))?)
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Failed> {
        let stream = TcpStream::connect(&self.authority).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let exchange = async {
            let (head, body) = sender.send_request(request).await?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?;
            Ok((head.status, body.to_bytes()))
        };
        let mut connection = std::pin::pin!(connection);
        let mut exchange = std::pin::pin!(exchange);
        tokio::select! {
            answered = &mut exchange => answered,
            // The connection may end with the answer already in hand.
            _ = &mut connection => exchange.await,
        }
    }
}

/// Whatever goes wrong on the way; it is not told to clients.
type Failed = Box<dyn std::error::Error + Send + Sync>;
