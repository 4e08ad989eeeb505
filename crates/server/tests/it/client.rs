//! A client of the Query API, one connection for each call.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, sign};
use daypass_model::{Clock, Secret, SystemClock};
use serde_json::Value;

use crate::binary::Server;

/// Credentials, and where to use them.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: Option<String>,
}

impl Client {
    /// With the root key that the first start left in the data directory.
    pub(crate) fn root(server: &Server, data: &Path) -> Self {
        Self::root_in(server, &data.join("root-credentials"))
    }

    /// With the root key in a credentials file.
    pub(crate) fn root_in(server: &Server, file: &Path) -> Self {
        let file = std::fs::read_to_string(file).unwrap();
        let value = |name: &str| {
            let line = file.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim_start_matches([' ', '=']).to_owned()
        };
        Self {
            address: server.address.clone(),
            access_key_id: value("aws_access_key_id"),
            secret_access_key: value("aws_secret_access_key"),
            session_token: None,
        }
    }

    /// With `Credentials` or `AccessKey` of an answer.
    pub(crate) fn with(&self, answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        Self {
            address: self.address.clone(),
            access_key_id: text("AccessKeyId").unwrap(),
            secret_access_key: text("SecretAccessKey").unwrap(),
            session_token: text("SessionToken"),
        }
    }

    /// A whole signed request, as bytes, and its signature.
    pub(crate) fn request(&self, service: &str, form: &str) -> (Vec<u8>, String) {
        let mut http = HttpRequest::new("POST", "/", form.to_owned())
            .with_header("host", self.address.as_str())
            .with_header("content-type", "application/x-www-form-urlencoded")
            .with_header("accept", "application/json")
            .with_header("connection", "close")
            .with_header("content-length", form.len().to_string());
        let secret = Secret::new(self.secret_access_key.as_str());
        let credentials = Credentials {
            access_key_id: &self.access_key_id,
            secret_access_key: &secret,
            session_token: self.session_token.as_deref(),
        };
        sign(&mut http, &credentials, "us-east-1", service, SignatureForm::Header, SystemClock.now())
            .unwrap();
        let signature = http.header_text("authorization").unwrap().rsplit('=').next().unwrap().to_owned();
        let mut bytes = b"POST / HTTP/1.1\r\n".to_vec();
        for (name, value) in &http.headers {
            bytes.extend([name.as_bytes(), b": ", value.as_slice(), b"\r\n"].concat());
        }
        bytes.extend([b"\r\n", form.as_bytes()].concat());
        (bytes, signature)
    }

    /// Send bytes; the connection.
    pub(crate) fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    }

    /// Call; status and result (`null` where there is none).
    pub(crate) fn call(&self, service: &str, form: &str) -> (u16, Value) {
        self.try_call(service, form).unwrap()
    }

    /// The same of a server that may end meanwhile: none without a whole answer.
    pub(crate) fn try_call(&self, service: &str, form: &str) -> Option<(u16, Value)> {
        let mut answer = String::new();
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.write_all(&self.request(service, form).0).ok()?;
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
        let action = form.strip_prefix("Action=")?.split('&').next()?;
        Some((status, body[format!("{action}Response")][format!("{action}Result")].clone()))
    }
}
