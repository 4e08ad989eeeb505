//! Signed requests as bytes: fields that come twice, bodies in chunks, two hosts, in HTTP/1.1 and HTTP/2. Each is first
//! sent as it should be, so that it is refused for what was done to it.

use daypass_authn::sigv4::{HttpRequest, SignatureForm};
use http::{HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;

use crate::http2::connect;
use crate::wire::{Answer, Running, WHO};

/// Signed in header form.
fn signed(server: &Running) -> HttpRequest {
    let request = HttpRequest::new("POST", "/", WHO)
        .with_header("host", server.address.to_string())
        .with_header("content-type", "application/x-www-form-urlencoded");
    server.sign(&server.keys, request, SignatureForm::Header)
}

/// The head of a request, to which more is to come.
fn head(request: &HttpRequest, target: &str) -> String {
    let mut text = format!("{} {target} HTTP/1.1\r\nconnection: close\r\n", request.method);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {}\r\n", std::str::from_utf8(value).unwrap()));
    }
    text
}

fn told(answer: &Answer) -> (&str, &str) {
    (answer.status(), answer.element("Code"))
}

#[test]
fn fields_that_come_twice_or_broken_are_refused_whatever_their_case() {
    let server = Running::start();
    let request = signed(&server);
    let length = format!("content-length: {}\r\n", WHO.len());
    let send = |more: &str| server.send(format!("{}{length}{more}\r\n{WHO}", head(&request, "/")).as_bytes());
    assert_eq!(send("").status(), "200");
    let value = |name: &str| request.header_text(name).unwrap().to_owned();
    let incomplete = ("400", "IncompleteSignature");
    for name in ["authorization", "x-amz-date", "host"] {
        for spelling in [name.to_owned(), name.to_uppercase()] {
            for value in [value(name), "x".to_owned(), String::new()] {
                assert_eq!(
                    told(&send(&format!("{spelling}: {value}\r\n"))),
                    incomplete,
                    "{spelling}: {value}"
                );
            }
        }
    }
    let twice = |name: &str| format!("{name}: x\r\n{name}: x\r\n");
    for name in ["x-amz-security-token", "X-Amz-Content-Sha256", "X-Amz-Region-Set", "Date"] {
        assert_eq!(told(&send(&twice(name))), incomplete, "{name}");
    }
    // One of them in the URL's place.
    let url = server.send(format!("{}{length}\r\n{WHO}", head(&request, "/?X-Amz-Signature=0")).as_bytes());
    assert_eq!(told(&url), incomplete);
    // Fields that some readers repair: a folded line, a blank before the colon, a line without a carriage return.
    for broken in ["x-amz-folded: a\r\n b\r\n", "x-amz-blank : a\r\n", "x-amz-\u{1}: a\r\n", ": a\r\n"] {
        assert_eq!(send(broken).status(), "400", "{broken:?}");
    }
    for broken in ["x-amz-new: a\nx-amz-other: b\r\n", "x_amz: a\r\nx-amz-date2: b\r\n"] {
        assert_eq!(told(&send(broken)), ("403", "SignatureDoesNotMatch"), "{broken:?}");
    }
    assert_eq!(send("").status(), "200");
}

#[test]
fn a_body_in_chunks_is_the_body_that_was_signed_and_its_trailers_mean_nothing() {
    let server = Running::start();
    let request = signed(&server);
    let send = |more: &str, body: &str| {
        let head = head(&request, "/");
        server.send(format!("{head}transfer-encoding: chunked\r\n{more}\r\n{body}").as_bytes())
    };
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let (first, second) = WHO.split_at(7);
    let two = chunk(first) + &chunk(second);
    for good in [
        format!("{}0\r\n\r\n", chunk(WHO)),
        format!("{two}0\r\n\r\n"),
        format!("{two}0;last=yes\r\n\r\n"),
        // A trailer is no field of the request: it is neither signed nor read.
        format!(
            "{two}0\r\nx-amz-target: Daypass_20261101.CheckRequest\r\nAuthorization: AWS4-HMAC-SHA256 x\r\n\r\n"
        ),
        format!("{two}0\r\nx-amz-trailer-signature: 00\r\n\r\n"),
    ] {
        assert_eq!(send("", &good).status(), "200", "{good}");
    }
    let mismatch = ("403", "SignatureDoesNotMatch");
    for body in
        [format!("{two}{}0\r\n\r\n", chunk("&X=1")), format!("{}0\r\n\r\n", chunk(&WHO.replace('&', "&&")))]
    {
        assert_eq!(told(&send("", &body)), mismatch, "{body}");
    }
    // S3's chunks are a body within the body, and are not taken off.
    let framed = format!(
        "{:x};chunk-signature={}\r\n{WHO}\r\n0;chunk-signature={0:0>64}\r\n\r\n",
        WHO.len(),
        "0".repeat(64)
    );
    assert_ne!(send("", &format!("{}0\r\n\r\n", chunk(&framed))).status(), "200");
    for more in [
        "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\r\n",
        "x-amz-decoded-content-length: 5\r\n",
        "x-amz-trailer: x-amz-checksum-crc32\r\n",
    ] {
        assert_eq!(told(&send(more, &format!("{}0\r\n\r\n", chunk(WHO)))), mismatch, "{more}");
    }
    // Who says two lengths, or another coding, could be read in two ways (RFC 9112, section 6.3).
    for (more, body) in [
        ("transfer-encoding: gzip\r\n", format!("{two}0\r\n\r\n")),
        ("transfer-encoding: chunked\r\n", format!("{two}0\r\n\r\n")),
        ("", "zz\r\nx\r\n0\r\n\r\n".to_owned()),
        ("", format!("-1\r\n{WHO}\r\n0\r\n\r\n")),
        ("", "fffffffffffffffff\r\nx\r\n".to_owned()),
    ] {
        let answer = send(more, &body);
        assert_ne!(answer.status(), "200", "{more} {body}: {}", answer.body);
    }
    let lengths = |first: usize, second: usize| {
        let more = format!("content-length: {first}\r\ncontent-length: {second}\r\n\r\n{WHO}");
        server.send((head(&request, "/") + &more).as_bytes())
    };
    assert_eq!(lengths(WHO.len(), WHO.len() - 1).status(), "400");
}

#[test]
fn a_target_that_names_another_host_than_the_signed_one_is_refused() {
    let server = Running::start();
    let request = signed(&server);
    let send = |target: &str| {
        let length = format!("content-length: {}\r\n", WHO.len());
        server.send(format!("{}{length}\r\n{WHO}", head(&request, target)).as_bytes())
    };
    let host = server.address.to_string();
    assert_eq!(send("/").status(), "200");
    assert_eq!(send(&format!("http://{host}/")).status(), "200", "as a proxy is spoken to");
    for target in [
        "http://evil.example/",
        "http://evil.example",
        &format!("http://{host}1/"),
        &format!("http://x@{host}/"),
    ] {
        let answer = send(target);
        assert_eq!(told(&answer), ("400", "MalformedInput"), "{target}: {}", answer.body);
        assert_eq!(answer.element("Message"), "The request names two hosts.");
    }
}

#[test]
fn http_2_has_the_same_rules() {
    let server = Running::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request = signed(&server);
    let host = server.address.to_string();
    let send = |authority: &str, more: &[(&str, &str)], body: &str| {
        let mut made = Request::post(format!("http://{authority}/"))
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        for (name, value) in request.headers.iter().filter(|(name, _)| name != "host") {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            made.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
        }
        for (name, value) in more {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            made.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
        }
        runtime.block_on(async {
            let answer = connect(&host).await.send_request(made).await.unwrap();
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let body = String::from_utf8(body.to_vec()).unwrap();
            let code = Answer { head: String::new(), body }.element("Code").to_owned();
            (status, code)
        })
    };
    let code = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(send(&host, &[], WHO), code(200, ""));
    assert_eq!(send(&host, &[("host", &host)], WHO), code(200, ""), "both names are one");
    let authorization = request.header_text("authorization").unwrap();
    for (name, value) in
        [("authorization", authorization), ("authorization", "x"), ("x-amz-date", "20260115T120000Z")]
    {
        assert_eq!(send(&host, &[(name, value)], WHO), code(400, "IncompleteSignature"), "{name}: {value}");
    }
    assert_eq!(send(&host, &[("host", "evil.example")], WHO), code(400, "MalformedInput"));
    assert_eq!(send("evil.example", &[], WHO), code(403, "SignatureDoesNotMatch"));
    assert_eq!(send("evil.example", &[("host", &host)], WHO), code(400, "MalformedInput"));
    assert_eq!(send(&host, &[("host", &host), ("host", &host)], WHO), code(400, "IncompleteSignature"));
    for more in
        [("x-amz-new", "1"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), ("x-amz-security-token", "x")]
    {
        let (status, code) = send(&host, &[more], WHO);
        assert!(status == 403 && !code.is_empty(), "{more:?}");
    }
    assert_eq!(send(&host, &[], &format!("{WHO}&X=1")), code(403, "SignatureDoesNotMatch"));
    assert_eq!(send(&host, &[], WHO), code(200, ""), "the server still answers");
}
