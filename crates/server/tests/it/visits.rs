//! Visits at the doors for people, as bytes: what every page comes with, and what a cookie says of itself.

use std::io::Read;

use crate::binary::{Scratch, Server, daypass};
use crate::client::Client;

/// Head and body of the answer to a request, whose fields these are beside `host`.
fn ask(client: &Client, line: &str, fields: &str, body: &str) -> (String, String) {
    let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let request = format!(
        "{line} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{fields}{length}\r\n{body}",
        client.address
    );
    let mut answer = String::new();
    client.send(request.as_bytes()).read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The head of the answer to a sign-in as a federated user of root's, behind what these fields say.
fn signed_in(root: &Client, fields: &str) -> String {
    let (status, answer) = root.call("sts", "Action=GetFederationToken&Version=2011-06-15&Name=grace");
    assert_eq!(status, 200);
    let of = |name: &str| answer["Credentials"][name].as_str().unwrap().to_owned();
    let session = serde_json::json!({
        "sessionId": of("AccessKeyId"), "sessionKey": of("SecretAccessKey"), "sessionToken": of("SessionToken"),
    });
    let form = format!("Action=getSigninToken&Session={}", encoded(&session.to_string()));
    let (head, body) = ask(root, "POST /federation", &format!("{FORM}{fields}"), &form);
    assert!(head.starts_with("http/1.1 200 "), "{head}\n{body}");
    let token: serde_json::Value = serde_json::from_str(&body).unwrap();
    let token = token["SigninToken"].as_str().unwrap();
    ask(root, &format!("GET /federation?Action=login&SigninToken={token}"), fields, "").0
}

fn start(dir: &Scratch, args: &[&str]) -> (Server, Client) {
    let data = dir.join("data");
    let server = Server::start_with(daypass(dir.path()).arg("serve").args(args), &data);
    let root = Client::root(&server, &data);
    (server, root)
}

#[test]
fn every_page_loads_its_style_alone_stands_in_no_other_and_is_kept_by_nobody() {
    let dir = Scratch::new("pages");
    let (server, root) = start(&dir, &[]);
    for (line, status) in [
        ("GET /console/", 200),
        ("HEAD /console", 200),
        ("GET /console/s/00112233445566778899aabbccddeeff/", 200),
        ("GET /saml", 200),
        ("GET /saml/metadata.xml", 400),
        ("GET /federation", 400),
        ("GET /federation?Action=login&SigninToken=x", 400),
        ("PUT /console/", 400),
        ("GET /console/?a=%zz", 200),
        ("GET /federation?Action=login&Action=login", 400),
    ] {
        let (head, body) = ask(&root, line, "", "");
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{line}: {head}");
        for field in [
            "content-security-policy: default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "x-frame-options: deny",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "x-amzn-requestid: ",
        ] {
            assert!(head.contains(field), "{line} without {field}: {head}");
        }
        assert!(!body.contains("<script") && !body.contains("style="), "{line}");
    }
    let (head, body) = ask(&root, "GET /console/style.css", "", "");
    assert!(head.contains("text/css") && head.contains("etag: ") && body.contains(":root"));
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let (head, body) = ask(&root, "GET /console/style.css", &format!("if-none-match: {tag}\r\n"), "");
    assert!(head.starts_with("http/1.1 304 ") && body.is_empty());
    server.stop();
}

/// What asks for a token is a program: it gets JSON, and 400 for whatever is wrong.
#[test]
fn a_program_that_asks_for_a_token_is_answered_in_json() {
    let dir = Scratch::new("signin-token");
    let (server, root) = start(&dir, &[]);
    for session in ["", "{}", r#"{"sessionId":"ASIAIOSFODNN7EXAMPLE","sessionKey":"x","sessionToken":"y"}"#] {
        let form = format!("Action=getSigninToken&Session={}", encoded(session));
        for (line, fields, body) in
            [("POST /federation", FORM, form.as_str()), (&format!("GET /federation?{form}"), "", "")]
        {
            let (head, body) = ask(&root, line, fields, body);
            assert!(head.starts_with("http/1.1 400 ") && head.contains("application/json"), "{head}");
            let told: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert!(told["__type"].is_string() && told["message"].is_string(), "{body}");
        }
    }
    let (head, _) = ask(&root, "POST /federation", "content-type: text/plain\r\n", "Action=getSigninToken");
    assert!(head.starts_with("http/1.1 400 "), "{head}");
    server.stop();
}

/// A cookie goes over TLS alone wherever there is TLS, also where a proxy has it; and without TLS it would be lost so.
#[test]
fn a_cookie_is_secure_wherever_there_is_tls() {
    let forwarded = "x-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: https\r\n";
    for (args, fields, secure) in [
        (&[][..], "", false),
        (&[], forwarded, false),
        (&["--trust-proxy", "127.0.0.1"], forwarded, true),
        (&["--trust-proxy", "127.0.0.1"], "x-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: http\r\n", false),
    ] {
        let dir = Scratch::new("cookie");
        let (server, root) = start(&dir, args);
        let head = signed_in(&root, fields);
        assert!(head.starts_with("http/1.1 302 ") && head.contains("\nlocation: /console/s/"), "{head}");
        let cookies = head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        let cookies: Vec<Vec<&str>> = cookies.map(|cookie| cookie.split("; ").collect()).collect();
        let (name, value) = cookies[0][0].split_once('=').unwrap();
        let id = name.strip_prefix("daypass-").unwrap();
        assert_eq!(value.len(), 43);
        let own = format!("path=/console/s/{id}/");
        let wanted = [own.as_str(), "path=/v1/authorize"].map(|path| {
            let mut wanted = vec![cookies[0][0], path, "httponly", "samesite=strict"];
            wanted.extend(secure.then_some("secure"));
            wanted
        });
        assert_eq!(cookies, wanted, "{args:?} {fields}");
        server.stop();
    }
}

/// Nothing is signed at a door, so what would be a signature's elsewhere is a parameter that no page knows.
#[test]
fn no_parameter_of_an_address_is_passed_over() {
    let dir = Scratch::new("visits-unknown");
    let (server, root) = start(&dir, &[]);
    for query in [
        "",
        "?X-Amz-Signature=s&X-Amz-Date=d",
        "?Signature=s&AWSAccessKeyId=k",
        "?Timestamp=2026-01-15T12:00:00Z",
    ] {
        let (head, body) = ask(&root, &format!("GET /signin{query}"), "", "");
        let status = if query.is_empty() { "200" } else { "400" };
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{query}: {head}");
        assert_eq!(body.contains("a parameter that is not known here"), !query.is_empty(), "{query}: {body}");
    }
    server.stop();
}

#[test]
fn visits_are_counted_by_what_was_asked_and_nobody_invents_a_label() {
    let dir = Scratch::new("visits-metrics");
    let (server, root) = start(&dir, &[]);
    signed_in(&root, "");
    ask(&root, "GET /federation?Action=made-up", "", "");
    ask(&root, "GET /console/", "", "");
    // A page that says what was wrong is no success.
    let refused = ask(&root, "POST /signin", FORM, "account=1&username=ada&password=wrong&code=x");
    assert!(refused.0.starts_with("http/1.1 403 "), "{refused:?}");
    let metrics = server.admin("/metrics");
    for line in [
        r#"service="signin",action="GetSigninToken",result="ok""#,
        r#"service="signin",action="ConsoleLogin",result="ok""#,
        r#"service="signin",action="ConsoleLogin",result="AccessDenied"} 1"#,
        r#"service="signin",action="ConsoleLobby",result="ok""#,
        r#"service="signin",action="unknown",result="ValidationError""#,
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert!(!metrics.contains("made-up"));
    server.stop();
}
