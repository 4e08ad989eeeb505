//! HTTP/2 with prior knowledge, from end to end: the same calls, and nothing more in the log at its finest level.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, sign};
use daypass_model::{Clock, Secret, SystemClock};
use http::{Request, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::binary::{Scratch, Server, daypass};
use crate::client::Client;

/// One connection.
pub(crate) async fn connect(address: &str) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address.parse::<SocketAddr>().unwrap()).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Call on it; status and result, and the signature.
async fn call(sender: &SendRequest<Full<Bytes>>, client: &Client, form: &str) -> (u16, Value, String) {
    let mut http = HttpRequest::new("POST", "/", form.to_owned())
        .with_header("host", client.address.as_str())
        .with_header("content-type", "application/x-www-form-urlencoded")
        .with_header("accept", "application/json");
    let secret = Secret::new(client.secret_access_key.as_str());
    let credentials = Credentials {
        access_key_id: &client.access_key_id,
        secret_access_key: &secret,
        session_token: client.session_token.as_deref(),
    };
    sign(&mut http, &credentials, "us-east-1", "sts", SignatureForm::Header, SystemClock.now()).unwrap();
    let signature = http.header_text("authorization").unwrap().rsplit('=').next().unwrap().to_owned();
    let mut request = Request::post(format!("http://{}/", client.address));
    // `:authority` says what Host would.
    for (name, value) in http.headers.iter().filter(|(name, _)| name != "host") {
        request = request.header(name, value.as_slice());
    }
    let request = request.body(Full::new(http.body.clone())).unwrap();
    let answer = sender.clone().send_request(request).await.unwrap();
    assert_eq!(answer.version(), Version::HTTP_2);
    let status = answer.status().as_u16();
    let body: Value =
        serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
    (status, body, signature)
}

#[tokio::test]
async fn signed_calls_share_a_connection_of_http_2_and_leave_no_secret_in_the_log() {
    const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";
    let dir = Scratch::new("http2");
    let data = dir.join("data");
    let server = Server::start_with(daypass(dir.path()).args(["serve", "--log", "trace,h2=trace"]), &data);
    let root = Client::root(&server, &data);
    let sender = connect(&server.address).await;
    let issue = "Action=GetSessionToken&Version=2011-06-15";
    let (status, issued, first) = call(&sender, &root, issue).await;
    let issued = &issued["GetSessionTokenResponse"]["GetSessionTokenResult"]["Credentials"];
    assert_eq!(status, 200, "{issued}");
    let session = root.with(issued);
    let wrong = Client { secret_access_key: root.secret_access_key.clone(), ..session.clone() };
    let (of_session, of_root, of_wrong) =
        tokio::join!(call(&sender, &session, WHO), call(&sender, &root, WHO), call(&sender, &wrong, WHO));
    for (status, body, _) in [&of_session, &of_root] {
        let arn = &body["GetCallerIdentityResponse"]["GetCallerIdentityResult"]["Arn"];
        assert!(*status == 200 && arn.as_str().unwrap().ends_with(":root"), "{body}");
    }
    assert_eq!((of_wrong.0, &of_wrong.1["Error"]["Code"]), (403, &"SignatureDoesNotMatch".into()));
    drop(sender);
    let (_, log) = server.stop();
    assert!(log.contains(" TRACE ") && log.contains("h2::"), "the log is at its finest level");
    for secret in [
        &root.secret_access_key,
        &session.secret_access_key,
        session.session_token.as_ref().unwrap(),
        &first,
        &of_session.2,
        &of_root.2,
        &of_wrong.2,
    ] {
        assert!(!log.contains(secret.as_str()), "a secret is in the log");
    }
}

/// The settings that a server announces, by the numbers of RFC 9113 §6.5.2.
async fn announced(address: &str) -> BTreeMap<u16, u32> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let mut stream = TcpStream::connect(address.parse::<SocketAddr>().unwrap()).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!((head[3], head[4]), (4, 0), "the first frame is SETTINGS, and no acknowledgement");
    let mut settings = vec![0; usize::from(head[2])];
    stream.read_exact(&mut settings).await.unwrap();
    let pair = |six: &[u8]| {
        (u16::from_be_bytes(six[..2].try_into().unwrap()), u32::from_be_bytes(six[2..].try_into().unwrap()))
    };
    settings.chunks_exact(6).map(pair).collect()
}

/// What strangers can make the server hold for one connection.
#[tokio::test]
async fn a_connection_is_offered_few_streams_and_small_windows() {
    let (streams, window, headers) = (3, 4, 6);
    let dir = Scratch::new("http2-windows");
    let server = Server::start(&dir.join("data"));
    let offered = announced(&server.address).await;
    for (setting, most) in [(streams, 8), (window, 16 * 1024), (headers, 16 * 1024)] {
        assert!(offered.get(&setting).is_some_and(|value| *value <= most), "{setting}: {offered:?}");
    }
}
