//! `daypass creds` and `daypass agent --check`, before an agent or a server that is somebody else's program.

use std::net::SocketAddr;

use daypass_agent::creds::{ByWebIdentity, by_web_identity, health, of_machine};
use rustls::RootCertStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::world::{Machine, Scratch, private};

const GOOD: &str = r#"{"Code":"Success","AccessKeyId":"A","SecretAccessKey":"S","Token":"T","Expiration":"2026-01-02T09:04:05Z"}"#;

/// A program that says one thing to a token, one to the list of roles, and one to everything else.
pub(crate) async fn liar(status: u16, role: &str, answer: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (role, answer) = (role.to_owned(), answer.to_owned());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            let (status, body) = match head.lines().next().unwrap() {
                line if line.starts_with("PUT ") => (200, "token"),
                line if line.contains("/security-credentials/ ") => (200, role.as_str()),
                _ => (status, answer.as_str()),
            };
            let length = body.len();
            let said =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            stream.write_all(said.as_bytes()).await.unwrap();
        }
    });
    address
}

async fn of_liar(role: &str, answer: &str) -> Result<serde_json::Value, String> {
    let address = liar(200, role, answer).await;
    of_machine(&format!("http://{address}")).await.map_err(|trouble| trouble.to_string())
}

#[tokio::test]
async fn half_a_document_and_a_role_that_leads_away_are_refused() {
    assert_eq!(of_liar("Worker", GOOD).await.unwrap()["SessionToken"], "T");
    for member in ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"] {
        for bad in ["null", "\"\"", "1", "[\"x\"]", "{}", "\"a\\u001b[2J\"", "\"a\\u202e\""] {
            let mut document: serde_json::Value = serde_json::from_str(GOOD).unwrap();
            document[member] = serde_json::from_str(bad).unwrap();
            let line = of_liar("Worker", &document.to_string()).await.unwrap_err();
            assert_eq!(line, format!("the agent's answer has no {member}"), "{bad}");
        }
    }
    for role in ["../../other", "a/b", "a?b", "..", "a b", "a\u{1b}[2J", &"x".repeat(65)] {
        let line = of_liar(role, GOOD).await.unwrap_err();
        assert!(line.starts_with("the agent answers what is no name of a role"), "{line}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

#[tokio::test]
async fn what_others_say_is_shown_without_what_a_terminal_would_obey() {
    let line = of_liar("Worker", r#"{"Code":"X\u001b[31m","Message":"a\nb"}"#).await.unwrap_err();
    assert_eq!(line, r"X\u{1b}[31m: a\nb");
    // An end of a line, and one that turns the rest around (Unicode Standard Annex 9).
    let line = of_liar("Worker", r#"{"Code":"X\u2028Y","Message":"a\u202eb \u00e4"}"#).await.unwrap_err();
    assert_eq!(line, "X\\u{2028}Y: a\\u{202e}b \u{e4}");
    let address = liar(200, "", "ok \u{1b}[2J\u{7}").await;
    assert_eq!(health(address).await.unwrap(), (true, r"ok \u{1b}[2J\u{7}".to_owned()));
}

#[tokio::test]
async fn an_end_of_credentials_is_a_time() {
    let ends = async |text: &str| {
        let mut document: serde_json::Value = serde_json::from_str(GOOD).unwrap();
        document["Expiration"] = text.into();
        of_liar("Worker", &document.to_string()).await.map(|document| document["Expiration"].clone())
    };
    for bad in ["tomorrow", "1767344645", "2026-01-02", "2026-01-02T09:04:05", "2026-13-02T09:04:05Z"] {
        let line = ends(bad).await.unwrap_err();
        assert_eq!(line, format!("the agent's answer has an Expiration that is no time: {bad}"));
    }
    for good in ["2026-01-02T09:04:05Z", "2026-01-02T10:04:05.7+01:00"] {
        assert_eq!(ends(good).await.unwrap(), "2026-01-02T09:04:05Z", "{good}");
    }
}

#[tokio::test]
async fn a_name_of_a_file_is_one_line() {
    let asked = ByWebIdentity {
        server: "http://127.0.0.1:9",
        roots: RootCertStore::empty(),
        role_arn: "arn:aws:iam::111122223333:role/Worker",
        token_file: "/nowhere/a\nb".as_ref(),
        session_name: "x",
        seconds: None,
    };
    let line = by_web_identity(&asked).await.unwrap_err().to_string();
    assert!(line.starts_with(r"--web-identity-token-file /nowhere/a\nb: "), "{line}");
}

#[tokio::test]
async fn an_agent_is_not_asked_in_plain_text_where_tls_was_named() {
    let address = liar(200, "Worker", GOOD).await;
    let line = of_machine(&format!("https://{address}")).await.unwrap_err().to_string();
    assert!(line.contains("agents speak plain http"), "{line}");
}

#[tokio::test]
async fn a_server_that_answers_nonsense_is_named_with_its_status() {
    let scratch = Scratch::new();
    let file = scratch.join("token");
    private(&file, "token");
    for (status, answer, expected) in [
        (200, "{}", "the server's answer has no AccessKeyId"),
        (302, "{}", "no answer of daypass (HTTP 302)"),
        (403, r#"{"Error":{"Code":"X","Message":"a\u001b[2J"}}"#, r"X: a\u{1b}[2J"),
    ] {
        let server = format!("http://{}", liar(status, "", answer).await);
        let asked = ByWebIdentity {
            server: &server,
            roots: RootCertStore::empty(),
            role_arn: "arn:aws:iam::111122223333:role/Worker",
            token_file: &file,
            session_name: "x",
            seconds: None,
        };
        assert_eq!(by_web_identity(&asked).await.unwrap_err().to_string(), expected);
        let line = by_web_identity(&ByWebIdentity { token_file: "/dev/zero".as_ref(), ..asked }).await;
        assert_eq!(line.unwrap_err().to_string(), "--web-identity-token-file /dev/zero: it is no file");
    }
}

#[tokio::test]
async fn how_the_agent_is_everybody_hears_and_what_it_is_those_with_a_token() {
    let strict = Machine::with(|settings| settings.allow_version_1 = false).await;
    let short = strict.get("/healthz", &[]).await;
    assert_eq!((short.status, short.json()), (200, serde_json::json!({"status": "ok"})));
    assert_eq!(strict.get_v2("/healthz").await.json()["machine"]["role"], "Worker");
    // `--check` asks for a token.
    let (is_good, said) = health(strict.host().parse().unwrap()).await.unwrap();
    assert!(is_good && said.contains("Worker"), "{said}");
    strict.stub.forgets_the_machine();
    strict.clock.advance(301);
    let refused = strict.get("/healthz", &[]).await;
    assert_eq!((refused.status, refused.json()), (503, serde_json::json!({"status": "refused"})));
}
