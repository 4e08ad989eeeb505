//! EKS Pod Identity, the half on the node: a pod brings the token of its service account, and the server says which role that is
//! for. Nobody verifies the token's signature here; the server does.
//!
//! Source: Amazon EKS User Guide, "EKS Pod Identities"; the checks and sentences are those of the public Pod Identity agent.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use daypass_authn::sigv4::{HttpRequest, SignatureForm, sign};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answer::{Answer, json, plain, text};
use crate::credentials::Credentials;
use crate::gate;
use crate::machine::Machine;
use crate::place::Place;
use crate::rations::{Asker, Who};
use crate::shelf::Shown;
use crate::shelves::Shelves;
use crate::upstream::{CallError, Upstream};

/// Longest token that is read, in bytes.
pub(crate) const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// Longest unique id of a pod, in bytes.
const UID_BYTES_MAX: usize = 64;
/// How far the clocks of a cluster and of this machine may be apart, in seconds.
const LEEWAY_SECONDS: i64 = 60;
/// What takes away what a pod had; others come and go.
const FINAL: [&str; 4] =
    ["ResourceNotFoundException", "ExpiredTokenException", "InvalidTokenException", "AccessDeniedException"];

/// What the server says where the node's session is over, and not the pod's token (Amazon EKS API Reference, "Common Errors").
const NODE_IS_OVER: (&str, &str) =
    ("ExpiredTokenException", "The security token included in the request is expired");

/// Credentials of the pods of a node.
pub(crate) struct Pods {
    machine: Arc<Machine>,
    cluster: String,
    shelves: Shelves<Credentials>,
}

impl Pods {
    pub(crate) fn new(machine: Arc<Machine>, cluster: String) -> Self {
        Self { machine, cluster, shelves: Shelves::default() }
    }

    /// `/v1/credentials`, by whatever method, from this place.
    pub(crate) async fn answer(&self, head: &Parts, local: SocketAddr, place: Place) -> Answer {
        let refused = |status, sentence: String| text(status, format!("{sentence}\n"));
        if !gate::host(&head.headers).is_some_and(|host| is_for_pods(host, local.ip())) {
            let sentence = "Access Denied. Called agent through invalid address, please use either 169.254.170.23 or [fd00:ec2::23]";
            return refused(StatusCode::FORBIDDEN, sentence.into());
        }
        let bad = |sentence: String| refused(StatusCode::BAD_REQUEST, sentence);
        let mut fields = head.headers.get_all(AUTHORIZATION).iter();
        let token = fields.next().filter(|_| fields.next().is_none()).and_then(|field| field.to_str().ok());
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return bad("Service account token cannot be empty".into());
        };
        let uid = match check(token, self.machine.world.now()) {
            Ok(uid) => uid,
            Err(NoToken::NotRead(why)) => {
                return bad(format!("Service account token cannot be parsed: {why}"));
            }
            Err(NoToken::OfAnotherTime(why)) => {
                return bad(format!("Service account token failed basic claim validations: {why}"));
            }
        };
        let (machine, cluster, of_pod) = (self.machine.clone(), self.cluster.clone(), token.to_owned());
        let fetch = move || async move { machine.of_pod(&cluster, &of_pod).await };
        if self.machine.was_ended() {
            self.shelves.expire();
        }
        let asker = Asker { who: Who::Pod(uid), place };
        match self.shelves.get(&self.machine.world, asker, token, fetch).await {
            Shown::Good(credentials, _) => json(StatusCode::OK, &credentials.of_pod_identity()),
            Shown::Refused(refusal) => {
                let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_GATEWAY);
                refused(status, refusal.message)
            }
            Shown::Nothing => refused(StatusCode::SERVICE_UNAVAILABLE, "the server does not answer".into()),
        }
    }
}

/// Ask with the node's own role whom a pod's token is for.
pub(crate) async fn ask(
    upstream: &Upstream,
    node: &Credentials,
    region: &str,
    cluster: &str,
    token: &str,
    now: Timestamp,
) -> Result<Value, CallError> {
    let path = format!("/clusters/{cluster}/assume-role-for-pod-identity");
    let body = json!({"token": token}).to_string();
    let mut request = HttpRequest::new("POST", &path, body.clone())
        .with_header("host", upstream.host())
        .with_header("content-type", "application/json");
    sign(&mut request, &node.to_sign_with(), region, "eks-auth", SignatureForm::Header, now)
        .map_err(|error| CallError::Away(error.to_string()))?;
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers: Vec<(String, String)> =
        request.headers.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
        .collect();
    let answered = upstream.send(Method::POST, &path, &headers, Bytes::from(body)).await?;
    let said: Option<Value> = serde_json::from_slice(&answered.body).ok();
    if answered.status == 200 {
        return said.ok_or_else(|| CallError::Away("the server's answer is no JSON".into()));
    }
    let said = said.unwrap_or_default();
    let member = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    let code = answered.error_type.or_else(|| member("__type")).unwrap_or_default();
    // `Name:http://…` and `namespace#Name` are the name, too (AWS restJson1 protocol, "Operation error serialization").
    let code = code.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default().to_owned();
    let (status, fault) = (answered.status, if answered.status < 500 { "client" } else { "server" });
    let code = plain(&code);
    let (id, sentence) =
        (answered.request_id.unwrap_or_default(), plain(&member("message").unwrap_or_default()));
    let message = format!("[{id}]: ({code}): {sentence}, fault: {fault}");
    if FINAL.contains(&code.as_str()) {
        Err(CallError::Refused { status, code, message })
    } else {
        Err(CallError::Failed { status, code, message })
    }
}

/// Whether an error is of the session that signed.
pub(crate) fn is_of_node(error: &CallError) -> bool {
    matches!(
        error,
        CallError::Refused { code, message, .. } if code == NODE_IS_OVER.0 && message.contains(NODE_IS_OVER.1)
    )
}

/// What is of the session that signed says nothing of the pod.
pub(crate) fn of_pod_alone(error: CallError) -> CallError {
    let is_of_node = is_of_node(&error);
    match error {
        CallError::Refused { status, code, message } if is_of_node => {
            CallError::Failed { status, code, message }
        }
        error => error,
    }
}

fn is_for_pods(host: &str, local: IpAddr) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => {
            let of_pods = [gate::PODS_V4, gate::PODS_V6].contains(&address);
            of_pods || address.is_loopback() || address.to_canonical() == local.to_canonical()
        }
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// Why a token is not worth a call.
#[derive(Debug, PartialEq, Eq)]
enum NoToken {
    NotRead(&'static str),
    OfAnotherTime(&'static str),
}

/// Whether a token has the form of one, and is of now; then the unique id of the pod that it says it is of.
fn check(token: &str, now: i64) -> Result<Option<String>, NoToken> {
    let not_read = NoToken::NotRead;
    if token.len() > TOKEN_BYTES_MAX {
        return Err(not_read("it is too long"));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let &[header, claims, signature] = parts.as_slice() else {
        return Err(not_read("it has not three parts"));
    };
    let decoded =
        |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| not_read("a part is no base64url"));
    decoded(signature)?;
    let object = |part: &str| match serde_json::from_slice(&decoded(part)?) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(not_read("a part is no JSON object")),
    };
    object(header)?;
    let claims = object(claims)?;
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    #[expect(clippy::cast_precision_loss, reason = "seconds of our time are exact")]
    let (earliest, latest) = ((now - LEEWAY_SECONDS) as f64, (now + LEEWAY_SECONDS) as f64);
    if time("exp").is_none_or(|end| end <= earliest) {
        return Err(NoToken::OfAnotherTime("token is expired (exp)"));
    }
    // What is there and cannot be read is not passed over: it restricts.
    let is_later = |name: &str| claims.contains_key(name) && time(name).is_none_or(|moment| moment > latest);
    if is_later("nbf") {
        return Err(NoToken::OfAnotherTime("token is not valid yet (nbf)"));
    }
    if is_later("iat") {
        return Err(NoToken::OfAnotherTime("token was issued in the future (iat)"));
    }
    let uid = claims.get("kubernetes.io").and_then(|of| of.get("pod")?.get("uid")?.as_str());
    Ok(uid.filter(|uid| (1..=UID_BYTES_MAX).contains(&uid.len())).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    //! Which tokens are worth a call.

    use super::*;

    fn token(claims: &str) -> String {
        let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(claims), part("signature"))
    }

    #[test]
    fn a_token_has_three_parts_and_is_of_now() {
        let check = |claims: &str| check(&token(claims), 1000);
        assert_eq!(check(r#"{"exp":1001,"nbf":1000,"iat":1000}"#), Ok(None));
        assert_eq!(check(r#"{"exp":941}"#), Ok(None), "clocks are a minute apart");
        let of_pod = r#"{"exp":1001,"kubernetes.io":{"pod":{"name":"till-0","uid":"1f2e"}}}"#;
        assert_eq!(check(of_pod), Ok(Some("1f2e".into())));
        for bad in [
            r#"{"exp":940}"#,
            "{}",
            r#"{"exp":"1001"}"#,
            r#"{"exp":2000,"nbf":1061}"#,
            r#"{"exp":2000,"nbf":"1000"}"#,
            r#"{"exp":2000,"iat":"1000"}"#,
            r#"{"exp":2000,"iat":1061}"#,
        ] {
            assert!(matches!(check(bad), Err(NoToken::OfAnotherTime(_))), "{bad}");
        }
        for bad in ["", "a", "a.b", "a.b.c.d", "..", "e30.e30", "e30.W10.e30", "e30.!.e30"] {
            assert!(matches!(super::check(bad, 1000), Err(NoToken::NotRead(_))), "{bad}");
        }
    }

    #[test]
    fn only_addresses_of_pods_are_asked() {
        let local = "10.0.0.1".parse().unwrap();
        for host in ["169.254.170.23", "fd00:ec2::23", "127.0.0.1", "localhost", "10.0.0.1"] {
            assert!(is_for_pods(host, local), "{host}");
        }
        for host in ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "evil.example", ""] {
            assert!(!is_for_pods(host, local), "{host}");
        }
    }
}
