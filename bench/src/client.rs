//! A client that signs: the bytes of requests, and answers as JSON while a scene is set up.

use std::net::SocketAddr;

use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, sign};
use daypass_model::{Clock, Secret, SystemClock};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::Outcome;
use crate::load::exchange;

/// Credentials, long-term or temporary.
pub(crate) struct Keys {
    id: String,
    secret: Secret,
    token: Option<String>,
}

impl Keys {
    /// Long-term keys.
    pub(crate) fn new(id: &str, secret: &str) -> Self {
        Self { id: id.into(), secret: Secret::new(secret), token: None }
    }

    /// From `Credentials` or `AccessKey`, wherever in an answer.
    pub(crate) fn find(answer: &Value) -> Outcome<Self> {
        let text = |name| search(answer, name).and_then(Value::as_str);
        Ok(Self {
            id: text("AccessKeyId").ok_or("an answer without keys")?.into(),
            secret: Secret::new(text("SecretAccessKey").ok_or("an answer without keys")?),
            token: text("SessionToken").map(str::to_owned),
        })
    }
}

/// A call of STS or IAM.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) service: &'a str,
    pub(crate) action: &'a str,
    pub(crate) params: &'a [(&'a str, &'a str)],
}

impl Call<'_> {
    /// The whole request, signed now, as HTTP/1.1 writes it. The answer comes as XML unless `json`.
    pub(crate) fn bytes(&self, to: SocketAddr, keys: &Keys, json: bool) -> Outcome<Vec<u8>> {
        let version = if self.service == "sts" { "2011-06-15" } else { "2010-05-08" };
        let mut form = format!("Action={}&Version={version}", self.action);
        for (name, value) in self.params {
            form.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        }
        // The headers that an AWS SDK sends.
        let mut request = HttpRequest::new("POST", "/", form)
            .with_header("host", to.to_string())
            .with_header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .with_header("accept-encoding", "identity")
            .with_header("user-agent", "daypass-bench");
        if json {
            request = request.with_header("accept", "application/json");
        }
        let credentials = Credentials {
            access_key_id: &keys.id,
            secret_access_key: &keys.secret,
            session_token: keys.token.as_deref(),
        };
        let now = SystemClock.now();
        sign(&mut request, &credentials, "us-east-1", self.service, SignatureForm::Header, now)?;
        let mut bytes = b"POST / HTTP/1.1\r\n".to_vec();
        for (name, value) in &request.headers {
            bytes.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", request.body.len()).as_bytes());
        bytes.extend_from_slice(&request.body);
        Ok(bytes)
    }

    /// Call once; the answer.
    pub(crate) fn send(&self, to: SocketAddr, keys: &Keys) -> Outcome<Value> {
        Ok(serde_json::from_slice(&once(to, &self.bytes(to, keys, true)?)?)?)
    }
}

/// A whole request that nobody signs.
pub(crate) fn unsigned(to: SocketAddr, form: &str) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\nhost: {to}\r\ncontent-type: application/x-www-form-urlencoded; charset=utf-8\r\naccept-encoding: identity\r\nuser-agent: daypass-bench\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    )
    .into_bytes()
}

/// Send these bytes once; the body of the answer.
pub(crate) fn once(to: SocketAddr, request: &[u8]) -> Outcome<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stream = TcpStream::connect(to).await?;
        let mut buffer = Vec::new();
        let body = exchange(&mut stream, request, &mut buffer).await?;
        Ok(buffer.split_off(body))
    })
}

fn search<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let members = value.as_object()?;
    members.get(name).or_else(|| members.values().find_map(|member| search(member, name)))
}
