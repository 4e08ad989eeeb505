//! What everybody may read without a signature: the documents of issuers of web identity tokens, and nothing else.

use std::io::Read;

use serde_json::Value;

use crate::binary::{Scratch, Server, daypass};
use crate::client::Client;
use crate::proxy::listening;

/// Sends it as it is; the whole answer.
fn raw(at: &Client, request: &str) -> String {
    let mut answer = String::new();
    at.send(request.as_bytes()).read_to_string(&mut answer).unwrap();
    answer
}

/// Status line, fields and body of an answer to a request that nobody signs.
fn get(at: &Client, method: &str, target: &str) -> (String, String) {
    let answer =
        raw(at, &format!("{method} {target} HTTP/1.1\r\nhost: sts.test\r\nconnection: close\r\n\r\n"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

#[test]
fn the_documents_of_an_issuer_are_open_and_every_other_request_is_a_call() {
    let dir = Scratch::new("published");
    let data = dir.join("data");
    let args = ["serve", "--public-url", "https://sts.test"];
    let server = Server::start_with(daypass(dir.path()).args(args), &data);
    let mut root = Client::root(&server, &data);
    // What is signed is for the public URL, wherever it listens.
    root.address = "sts.test".to_owned();
    let at = Client { address: listening(&data), ..root.clone() };
    let (request, _) = root.request("iam", "Action=EnableOutboundWebIdentityFederation&Version=2010-05-08");
    let answer = raw(&at, std::str::from_utf8(&request).unwrap());
    let answer: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let result =
        &answer["EnableOutboundWebIdentityFederationResponse"]["EnableOutboundWebIdentityFederationResult"];
    let issuer = result["IssuerIdentifier"].as_str().unwrap();
    let path = issuer.strip_prefix("https://sts.test").unwrap();

    let discovery = format!("{path}/.well-known/openid-configuration");
    let (head, body) = get(&at, "GET", &discovery);
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert!(head.contains("\r\ncontent-type: application/json"), "{head}");
    assert!(head.contains("\r\ncache-control: public, max-age=300"), "{head}");
    let read: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(read["issuer"], issuer);
    let keys = read["jwks_uri"].as_str().unwrap().strip_prefix("https://sts.test").unwrap();
    let (_, keys) = get(&at, "GET", keys);
    assert_eq!(serde_json::from_str::<Value>(&keys).unwrap()["keys"].as_array().unwrap().len(), 4);
    let (head, nothing) = get(&at, "HEAD", &discovery);
    assert!(head.contains(&format!("\r\ncontent-length: {}", body.len())) && nothing.is_empty(), "{head}");

    let stranger = "/web-identity/00000000-0000-4000-8000-000000000000/.well-known/jwks.json";
    let (head, _) = get(&at, "GET", stranger);
    assert!(head.starts_with("http/1.1 404 ") && !head.contains("cache-control"), "{head}");
    let call = "?Action=GetCallerIdentity&Version=2011-06-15";
    for target in [format!("{discovery}{call}"), format!("{discovery}/{call}"), format!("{path}{call}")] {
        let (head, body) = get(&at, "GET", &target);
        assert!(
            head.starts_with("http/1.1 403 ") && body.contains("MissingAuthenticationToken"),
            "{target}: {body}"
        );
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert!(get(&at, method, &discovery).0.starts_with("http/1.1 400 "), "{method}");
    }
    server.stop();
}
