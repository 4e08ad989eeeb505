//! The question to daypass: `CheckRequest`, signed with this service's own access key.
//!
//! A signer and one HTTP call are all that a service needs. The form of question and answer is in
//! `api/daypass/2026-11-01/service-2.json`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, sign};
use daypass_model::{Clock, Secret};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// How long daypass may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Where daypass is, and the access key this service holds there.
pub struct Daypass {
    /// `host:port`; it is spoken to in plain HTTP.
    pub authority: String,
    /// The region this service is in: policies are told so. It signs for it too; daypass takes any.
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

impl Daypass {
    /// Ask. An error is no permission: daypass does not answer, or it refuses the question itself because this
    /// service's key or permission is wrong. Its words are for whoever runs this service, not for clients.
    pub(crate) async fn check(&self, question: &Value) -> anyhow::Result<Value> {
        let asked = tokio::time::timeout(ANSWER_TIME_MAX, self.send(self.signed(question)?)).await;
        let (status, body) = asked.map_err(Into::into).flatten().context("daypass does not answer")?;
        if status != StatusCode::OK {
            bail!("daypass refuses to check: {status}: {:.1000}", String::from_utf8_lossy(&body));
        }
        serde_json::from_slice(&body).context("daypass gives an answer that is none")
    }

    fn signed(&self, question: &Value) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = HttpRequest::new("POST", "/", question.to_string())
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

    async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<(StatusCode, Bytes)> {
        let stream = TcpStream::connect(&self.authority).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection); // ends with `sender`
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(anyhow::Error::from_boxed)?;
        Ok((head.status, body.to_bytes()))
    }
}
