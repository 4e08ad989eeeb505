//! What the wire tells those who prove nothing: which refusal comes first, in AWS's sentences, and nothing to browsers.

use daypass_authn::sigv4::HttpRequest;

use crate::wire::{Running, WHO};

#[test]
fn no_page_of_another_origin_is_told_that_it_may_call() {
    let server = Running::start();
    let origin = ("origin", "https://evil.example");
    let signed = server.form(&server.keys, WHO, &[origin]);
    assert_eq!(signed.status(), "200", "who signs may call; a browser shows its page nothing of the answer");
    let raw = |method: &str, path: &str, more: &str| {
        server.send(
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\norigin: https://evil.example\r\n{more}connection: close\r\n\r\n")
                .as_bytes(),
        )
    };
    let preflight =
        "access-control-request-method: POST\r\naccess-control-request-headers: authorization,x-amz-date\r\n";
    let answers = [
        (signed, "200"),
        (raw("GET", &format!("/?{WHO}"), ""), "403"),
        (raw("GET", "/healthz", ""), "200"),
        (raw("OPTIONS", "/", preflight), "400"),
        (raw("OPTIONS", &format!("/?{WHO}"), preflight), "400"),
        (raw("OPTIONS", "*", preflight), "400"),
    ];
    for (answer, status) in answers {
        assert_eq!(answer.status(), status, "{}", answer.head);
        assert!(!answer.head.to_ascii_lowercase().contains("access-control-"), "{}", answer.head);
    }
}

#[test]
fn an_unknown_key_is_told_before_anything_else_that_is_wrong_with_the_signature() {
    let server = Running::start();
    let ask = |key: &str, scope: &str, time: &str| {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=host;x-amz-date, Signature={}",
            "0".repeat(64)
        );
        let request = HttpRequest::new("POST", "/", WHO)
            .with_header("host", server.address.to_string())
            .with_header("x-amz-date", time)
            .with_header("authorization", authorization);
        server.raw(&request)
    };
    let now = "20260115T120000Z";
    for (scope, time, with_a_known_key) in [
        (
            "20260115/us-east-1/s3/aws4_request",
            now,
            "Credential should be scoped to correct service: 'sts'. ",
        ),
        (
            "20260115/us-east-1/sts/aws4_nothing",
            now,
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4_nothing'.",
        ),
        (
            "20260115/us-east-1/sts/aws4_request",
            "20260115T110000Z",
            "Signature expired: 20260115T110000Z is now earlier than 20260115T114500Z (20260115T120000Z - 15 min.)",
        ),
        (
            "20260114/us-east-1/sts/aws4_request",
            now,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260114' != '20260115', from '20260115T120000Z'.",
        ),
    ] {
        let unknown = ask("AKIAIOSFODNN7EXAMPLE", scope, time);
        assert_eq!(
            (unknown.status(), unknown.element("Code")),
            ("403", "InvalidClientTokenId"),
            "{scope} {time}"
        );
        let sentence = "The security token included in the request is invalid.";
        assert_eq!(unknown.element("Message"), sentence);
        let known = ask(&server.keys.id, scope, time);
        assert_eq!(
            (known.status(), known.element("Code")),
            ("403", "SignatureDoesNotMatch"),
            "{scope} {time}"
        );
        assert_eq!(known.element("Message").replace("&apos;", "'"), with_a_known_key);
    }
}

#[test]
fn what_is_refused_before_a_key_is_looked_for_has_awss_sentences() {
    let server = Running::start();
    let get = |query: &str, more: &str| {
        server
            .send(format!("GET /?{query} HTTP/1.1\r\nhost: x\r\n{more}connection: close\r\n\r\n").as_bytes())
    };
    // The hash is SHA-256 of the field's value in Base64, computed with Python's hashlib.
    let authorization = "authorization: AWS4-HMAC-SHA256 Credential\r\nx-amz-date: 20260115T120000Z\r\n";
    for (answer, status, code, message) in [
        (
            get("Action=GetCallerIdentity", ""),
            "400",
            "InvalidAction",
            "Could not find operation GetCallerIdentity for version NO_VERSION_SPECIFIED",
        ),
        (
            get("Version=2011-06-15", ""),
            "400",
            "InvalidAction",
            "Could not find operation NO_ACTION_SPECIFIED for version 2011-06-15",
        ),
        (
            get("", ""),
            "400",
            "InvalidAction",
            "Could not find operation NO_ACTION_SPECIFIED for version NO_VERSION_SPECIFIED",
        ),
        (get("Action=%zz", ""), "404", "MalformedQueryString", "The query string contains a syntax error."),
        (
            get(WHO, authorization),
            "400",
            "IncompleteSignature",
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): 'KfSoC26UaBDGXxo5AUFS45c1cmAbyLKDOxOTKcZYWt4='.",
        ),
    ] {
        assert_eq!((answer.status(), answer.element("Code")), (status, code), "{}", answer.body);
        assert_eq!(answer.element("Message").replace("&apos;", "'"), message);
    }
}
