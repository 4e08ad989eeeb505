//! What `daypass creds` prints for `credential_process`: the role of this machine from its agent, or a role for a web identity
//! token in a file, or for a certificate (`anywhere`).
//!
//! Source: AWS SDKs and Tools Reference Guide, "Process credential provider".

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use daypass_model::{Authority, rfc3339_seconds};
use http::Method;
use jiff::Timestamp;
use rustls::RootCertStore;
use serde_json::{Value, json};

use crate::Trouble;
use crate::answer::{is_unseen, plain};
use crate::gate::KNOWN;
use crate::state::open_regular;
use crate::upstream::{Answered, CallError, Upstream};

pub use crate::anywhere::{ByCertificate, by_certificate};

/// Longest file with a token, in bytes: as long as a token may be.
const TOKEN_BYTES_MAX: u64 = 20_000;
/// How long a session token of instance metadata is wanted for, in seconds.
const TOKEN_SECONDS: &str = "60";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A role for a web identity token.
#[derive(Debug, Clone)]
pub struct ByWebIdentity<'a> {
    /// The server's URL.
    pub server: &'a str,
    /// Who vouches for its certificate.
    pub roots: RootCertStore,
    /// ARN of the role.
    pub role_arn: &'a str,
    /// The file with the token, read at every call.
    pub token_file: &'a Path,
    /// Name of the session.
    pub session_name: &'a str,
    /// For how long, in seconds; none: what is usual.
    pub seconds: Option<u32>,
}

/// The document for credentials of this machine's role, from the agent at this URL.
///
/// # Errors
/// What to do about it.
pub async fn of_machine(agent: &str) -> Result<Value, Trouble> {
    let authority: Authority = agent.parse().map_err(|error| Trouble::new(format!("{agent}: {error}")))?;
    if authority.is_https() {
        return Err(Trouble::new(format!("{agent}: agents speak plain http, to their own machine")));
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    // What gives credentials to whoever asks is on this machine.
    if !authority.is_loopback() && !host.parse().is_ok_and(|address| KNOWN.contains(&address)) {
        return Err(Trouble::new(format!("{agent}: no address at which an agent of this machine listens")));
    }
    let upstream = Upstream::of_this_machine(authority);
    let failed = |error: CallError| Trouble::new(format!("the agent does not answer: {error}"));
    let token = session_token(&upstream).await?;
    let with = [("x-aws-ec2-metadata-token", token.as_str())];
    let get = |path: String| {
        let upstream = &upstream;
        async move { upstream.send(Method::GET, &path, &with, Bytes::new()).await.map_err(failed) }
    };
    let folder = "/latest/meta-data/iam/security-credentials/";
    let role = text(&get(folder.to_owned()).await?, "a role (has the instance a profile with one?)")?;
    if !is_role_name(&role) {
        return Err(Trouble::new(format!("the agent answers what is no name of a role: {}", plain(&role))));
    }
    let document = text(&get(format!("{folder}{role}")).await?, "credentials")?;
    let document: Value = serde_json::from_str(&document)
        .map_err(|_| Trouble::new("the agent answers what is no document of credentials"))?;
    if document.get("Code").and_then(Value::as_str) != Some("Success") {
        let said = |name: &str| plain(document.get(name).and_then(Value::as_str).unwrap_or_default());
        return Err(Trouble::new(format!("{}: {}", said("Code"), said("Message"))));
    }
    let member = |name: &str| filled(document.get(name).and_then(Value::as_str), name, "the agent's answer");
    Ok(json!({
        "Version": 1,
        "AccessKeyId": member("AccessKeyId")?,
        "SecretAccessKey": member("SecretAccessKey")?,
        "SessionToken": member("Token")?,
        "Expiration": moment(member("Expiration")?, "the agent's answer")?,
    }))
}

async fn session_token(agent: &Upstream) -> Result<String, Trouble> {
    let put = [("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS)];
    let token = agent.send(Method::PUT, "/latest/api/token", &put, Bytes::new()).await;
    text(
        &token.map_err(|error| Trouble::new(format!("the agent does not answer: {error}")))?,
        "a session token",
    )
}

/// As IAM names roles (IAM API Reference, CreateRole): a name that leads to no other path.
fn is_role_name(name: &str) -> bool {
    let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@-_".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(of_a_name) && !matches!(name, "." | "..")
}

/// A program that reads half a document would sign with nothing.
pub(crate) fn filled<'a>(member: Option<&'a str>, name: &str, whose: &str) -> Result<&'a str, Trouble> {
    let member = member.filter(|text| !text.is_empty() && !text.contains(is_unseen));
    member.ok_or_else(|| Trouble::new(format!("{whose} has no {name}")))
}

/// When credentials end, in the one form that all SDKs read (RFC 3339).
pub(crate) fn moment(text: &str, whose: &str) -> Result<String, Trouble> {
    let no_time = |_| Trouble::new(format!("{whose} has an Expiration that is no time: {text}"));
    text.parse::<Timestamp>().map(rfc3339_seconds).map_err(no_time)
}

/// As forms and queries have it, also those that are signed.
pub(crate) fn escape(into: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => into.push(byte.into()),
            _ => into.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// The document for credentials of a role, by the token in a file.
///
/// # Errors
/// What to do about it.
pub async fn by_web_identity(asked: &ByWebIdentity<'_>) -> Result<Value, Trouble> {
    let upstream = Upstream::new(asked.server, asked.roots.clone())?;
    let token = token_in(asked.token_file)?;
    let mut form = String::from("Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
    let mut add = |name: &str, value: &str| {
        form.push_str(&format!("&{name}="));
        escape(&mut form, value);
    };
    add("RoleArn", asked.role_arn);
    add("RoleSessionName", asked.session_name);
    add("WebIdentityToken", token.trim());
    if let Some(seconds) = asked.seconds {
        add("DurationSeconds", &seconds.to_string());
    }
    let answered =
        upstream.send(Method::POST, "/", &[FORM, ("accept", "application/json")], form.into()).await;
    let answered = answered.map_err(|error| Trouble::new(format!("the server does not answer: {error}")))?;
    let body: Value = serde_json::from_slice(&answered.body)
        .map_err(|_| Trouble::new(format!("no answer of daypass (HTTP {})", answered.status)))?;
    let at = |path: &str| body.pointer(path).and_then(Value::as_str);
    if answered.status != 200 {
        let code = at("/Error/Code")
            .ok_or_else(|| Trouble::new(format!("no answer of daypass (HTTP {})", answered.status)))?;
        let message = at("/Error/Message").unwrap_or_default();
        return Err(Trouble::new(format!("{}: {}", plain(code), plain(message))));
    }
    let result = "/AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult";
    let credential =
        |name: &str| filled(at(&format!("{result}/Credentials/{name}")), name, "the server's answer");
    let expires = body.pointer(&format!("{result}/Credentials/Expiration")).and_then(Value::as_i64);
    let expires = expires.map(crate::credentials::time);
    let account = asked.role_arn.split(':').nth(4);
    Ok(json!({
        "Version": 1,
        "AccessKeyId": credential("AccessKeyId")?,
        "SecretAccessKey": credential("SecretAccessKey")?,
        "SessionToken": credential("SessionToken")?,
        "Expiration": filled(expires.as_deref(), "Expiration", "the server's answer")?,
        "AccountId": account,
    }))
}

/// How an agent is: its answer, and whether that is good.
///
/// # Errors
/// It does not answer.
pub async fn health(agent: SocketAddr) -> Result<(bool, String), Trouble> {
    let url = format!("http://{agent}");
    let authority: Authority = url.parse().map_err(|error| Trouble::new(format!("{url}: {error}")))?;
    let upstream = Upstream::of_this_machine(authority);
    let asked = tokio::time::timeout(Duration::from_secs(10), async {
        // Whole for those with a session token; how it is, it says without one as well.
        let token = session_token(&upstream).await.unwrap_or_default();
        let with = [("x-aws-ec2-metadata-token", token.as_str())];
        let with: &[_] = if token.is_empty() { &[] } else { &with };
        upstream.send(Method::GET, "/healthz", with, Bytes::new()).await
    });
    let answered = asked.await.map_err(|_| Trouble::new(format!("{url}: no answer in time")))?;
    let answered = answered.map_err(|error| Trouble::new(error.to_string()))?;
    Ok((answered.status == 200, plain(&String::from_utf8_lossy(&answered.body))))
}

fn text(answered: &Answered, what: &str) -> Result<String, Trouble> {
    let text = std::str::from_utf8(&answered.body).unwrap_or_default().trim();
    if answered.status == 200 && !text.is_empty() {
        return Ok(text.to_owned());
    }
    Err(Trouble::new(format!("the agent has not {what}: HTTP {} {}", answered.status, plain(text))))
}

fn token_in(path: &Path) -> Result<String, Trouble> {
    use std::io::Read as _;
    let failed = |error: std::io::Error| {
        Trouble::new(format!("--web-identity-token-file {}: {error}", path.display()))
    };
    let mut token = String::new();
    let file = open_regular(path).map_err(failed)?;
    file.take(TOKEN_BYTES_MAX + 1).read_to_string(&mut token).map_err(failed)?;
    if token.len() as u64 > TOKEN_BYTES_MAX {
        return Err(failed(std::io::Error::other("it is too long")));
    }
    Ok(token)
}
