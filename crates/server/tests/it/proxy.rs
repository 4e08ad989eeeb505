//! Behind a proxy: whose word about the client's address and TLS counts, and whose does not.

use std::io::Read;

use crate::binary::{Scratch, Server, daypass};
use crate::client::Client;

const LIST: &str = "Action=ListUsers&Version=2010-05-08";

/// A server with these arguments, its root, and Ann, who may list users from 192.0.2.0/24 over TLS only.
fn start(dir: &Scratch, args: &[&str]) -> (Server, Client, Client) {
    let data = dir.join("data");
    let server = Server::start_with(daypass(dir.path()).arg("serve").args(args), &data);
    let root = Client::root(&server, &data);
    let iam = |form: &str| root.call("iam", &format!("Action={form}&Version=2010-05-08&UserName=Ann"));
    assert_eq!(iam("CreateUser").0, 200);
    let ann = root.with(&iam("CreateAccessKey").1["AccessKey"]);
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"},"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}}"#;
    let document: String = document.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(iam(&format!("PutUserPolicy&PolicyName=p&PolicyDocument={document}")).0, 200);
    (server, root, ann)
}

/// The status of a call that comes with these fields, which nobody signed.
fn status(client: &Client, fields: &str) -> u16 {
    let (request, _) = client.request("iam", LIST);
    let request = String::from_utf8(request).unwrap().replacen("\r\n", &format!("\r\n{fields}"), 1);
    let mut answer = String::new();
    client.send(request.as_bytes()).read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// The addresses that the audit has of the calls of ListUsers, and of what was no call.
fn addresses(dir: &Scratch) -> Vec<String> {
    let audit = std::fs::read_to_string(dir.join("data/audit.jsonl")).unwrap();
    let events = audit.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let asked =
        events.filter(|event| event["eventName"] == "ListUsers" || event["errorCode"] == "MalformedInput");
    asked.map(|event| event["sourceIPAddress"].as_str().unwrap().to_owned()).collect()
}

const CLIENTS: &str = "x-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: https\r\n";

#[test]
fn without_the_flag_and_from_anybody_else_the_headers_say_nothing() {
    for args in [&[][..], &["--trust-proxy", "192.0.2.0/24,127.0.0.2,fd00::/8"]] {
        let dir = Scratch::new("untrusted");
        let (server, _, ann) = start(&dir, args);
        for fields in [
            CLIENTS,
            "forwarded: for=192.0.2.7;proto=https\r\n",
            "x-real-ip: 192.0.2.7\r\n",
            "x-forwarded-for: ?\r\n",
        ] {
            assert_eq!(status(&ann, fields), 403, "{fields}");
        }
        server.stop();
        assert_eq!(addresses(&dir), ["127.0.0.1"; 4]);
    }
}

#[test]
fn a_trusted_proxy_says_who_the_client_is_and_the_client_does_not() {
    let dir = Scratch::new("trusted");
    let (server, _, ann) = start(&dir, &["--trust-proxy", "127.0.0.0/8", "--trust-proxy", "10.0.0.0/8"]);
    for (fields, expected) in [
        (CLIENTS, 200),
        // Claims of clients elsewhere, to which the proxy appended what it saw.
        ("x-forwarded-for: 192.0.2.7, 198.51.100.9\r\nx-forwarded-proto: https\r\n", 403),
        (
            "x-forwarded-for: 192.0.2.7\r\nx-forwarded-for: 198.51.100.9, 10.0.0.3\r\nx-forwarded-proto: https\r\n",
            403,
        ),
        // Over plain HTTP, or nobody knows.
        ("x-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: http\r\n", 403),
        ("x-forwarded-for: 192.0.2.7\r\n", 403),
        // Nothing that could be understood.
        ("x-forwarded-for: 192.0.2.7, junk\r\nx-forwarded-proto: https\r\n", 400),
        ("x-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: https\r\nx-forwarded-proto: https\r\n", 400),
        ("", 403),
    ] {
        assert_eq!(status(&ann, fields), expected, "{fields}");
    }
    server.stop();
    let proxy = "127.0.0.1";
    let expected =
        ["192.0.2.7", "198.51.100.9", "198.51.100.9", "192.0.2.7", "192.0.2.7", proxy, proxy, proxy];
    assert_eq!(addresses(&dir), expected);
}

#[test]
fn a_proxy_that_says_http_is_believed_over_the_public_urls_scheme() {
    let dir = Scratch::new("said-http");
    let (server, _, mut ann) = start(&dir, &["--trust-proxy", "127.0.0.1"]);
    drop(server);
    let data = dir.join("data");
    let server = Server::start_with(
        daypass(dir.path()).args(["serve", "--trust-proxy", "127.0.0.1", "--public-url", "https://sts.test"]),
        &data,
    );
    // What is signed is for the proxy.
    ann.address = "sts.test".to_owned();
    let call = |fields: &str| {
        let (request, _) = ann.request("iam", LIST);
        let request = String::from_utf8(request).unwrap().replacen("\r\n", &format!("\r\n{fields}"), 1);
        let mut answer = String::new();
        let at = Client { address: listening(&data), ..ann.clone() };
        at.send(request.as_bytes()).read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    assert_eq!(call("x-forwarded-for: 192.0.2.7\r\n"), 200, "signed for the https URL's host");
    assert_eq!(call("x-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: http\r\n"), 403);
    server.stop();
}

/// Where the server on this directory listens: the banner has the public URL.
pub(crate) fn listening(data: &std::path::Path) -> String {
    let lock = std::fs::read_to_string(data.join("daypass.lock")).unwrap();
    let (_, rest) = lock.split_once("http://").unwrap();
    rest.split(|c: char| c.is_whitespace() || c == ',' || c == ')').next().unwrap().to_owned()
}
