//! Whatever is refused leaves an audit line, a count and a line in the log, though it was never a call.

use std::io::{Read, Write};
use std::net::TcpStream;

use http::{Request, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;

use crate::binary::{Scratch, Server, daypass};

fn send(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    // A server that refuses early may close before it has read everything.
    drop(stream.write_all(request));
    let mut answer = String::new();
    drop(stream.read_to_string(&mut answer));
    answer
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST / HTTP/1.1\r\nhost: x\r\nuser-agent: odd/1\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn coded(codings: &str) -> Vec<u8> {
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let length = body.len();
    format!("POST / HTTP/1.1\r\nhost: x\r\nuser-agent: odd/1\r\nconnection: close\r\ntransfer-encoding: {codings}\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n")
        .into_bytes()
}

#[test]
fn whatever_is_refused_is_audited_counted_and_logged_under_its_request_id() {
    let dir = Scratch::new("refused");
    let data = dir.join("data");
    let server = Server::start_with(daypass(dir.path()).args(["serve", "--log", "debug"]), &data);
    let too_large = "x".repeat(1024 * 1024 + 1);
    let refused = [
        (post("", "Action=GetCallerIdentity&Version=2011-06-15&Action=GetCallerIdentity"), "MalformedInput"),
        (post("", "A=%zz"), "MalformedInput"),
        (
            b"GET /?A=%zz HTTP/1.1\r\nhost: x\r\nuser-agent: odd/1\r\nconnection: close\r\n\r\n".to_vec(),
            "MalformedQueryString",
        ),
        (post("content-type: text/plain\r\n", "x"), "MalformedInput"),
        (post(&format!("referer: {}\r\n", "x".repeat(4097)), ""), "MalformedInput"),
        (post("", &too_large), "RequestEntityTooLargeException"),
        (coded("gzip, chunked"), "NotImplemented"),
        (coded("gzip\r\ntransfer-encoding: chunked"), "NotImplemented"),
        (coded("chunked\r\ntransfer-encoding: chunked"), "NotImplemented"),
        (coded("Chunked"), "MissingAuthenticationToken"),
        (post("x-amz-target: Nobody.Knows\r\n", "{}"), "UnknownOperationException"),
        (post("", "Action=GetCallerIdentity&Version=2011-06-15"), "MissingAuthenticationToken"),
    ];
    let mut ids = Vec::new();
    for (request, code) in &refused {
        let answer = send(&server.address, request);
        assert!(answer.contains(code), "{answer}");
        let id = answer.lines().find_map(|line| line.strip_prefix("x-amzn-requestid: ")).unwrap();
        ids.push(id.to_owned());
    }
    let metrics = send(&server.admin, b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    for (code, count) in
        [("MalformedInput", 4), ("RequestEntityTooLargeException", 1), ("UnknownOperationException", 1)]
    {
        let line = format!(
            "daypass_requests_total{{service=\"unknown\",action=\"unknown\",result=\"{code}\"}} {count}"
        );
        assert!(metrics.contains(&line), "{metrics}");
    }
    let (_, log) = server.stop();
    let audit = std::fs::read_to_string(data.join("audit.jsonl")).unwrap();
    let events: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for ((_, code), id) in refused.iter().zip(&ids) {
        let mut of_id = events.iter().filter(|event| event["requestID"] == **id);
        let event = of_id.next().unwrap();
        assert_eq!(event["errorCode"], *code);
        assert_eq!((&event["sourceIPAddress"], &event["userAgent"]), (&"127.0.0.1".into(), &"odd/1".into()));
        assert_eq!((event.get("userIdentity"), &event["requestParameters"]), (None, &Value::Null));
        assert!(of_id.next().is_none(), "one line for {id}");
        assert!(log.lines().any(|line| line.contains(id) && line.contains(code)), "{id} in {log}");
    }
}

/// The status of a request with so many fields, of one byte each on the wire.
async fn status_with(sender: &mut SendRequest<Full<Bytes>>, fields: usize) -> StatusCode {
    let mut request = Request::post("http://here/");
    for _ in 0..fields {
        request = request.header("x-field", "same");
    }
    sender.ready().await.unwrap();
    sender.send_request(request.body(Full::default()).unwrap()).await.unwrap().status()
}

#[tokio::test]
async fn more_fields_than_a_request_may_have_are_refused_in_http_2_too() {
    let dir = Scratch::new("fields");
    let server = Server::start(&dir.join("data"));
    let stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let (mut sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    // Under the bound it is a call that names no action.
    assert_eq!(status_with(&mut sender, 90).await, StatusCode::BAD_REQUEST);
    assert_eq!(status_with(&mut sender, 101).await, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(status_with(&mut sender, 90).await, StatusCode::BAD_REQUEST, "the connection goes on");
}

#[test]
fn every_call_of_nobody_has_a_line_or_is_counted_in_one_when_the_server_ends() {
    const CALLS: u64 = 1500;
    let dir = Scratch::new("nobody");
    let data = dir.join("data");
    let server = Server::start(&data);
    let get = "GET /?Action=GetCallerIdentity&Version=2011-06-15 HTTP/1.1\r\nhost: x\r\n";
    let calls = format!("{get}\r\n").repeat(usize::try_from(CALLS - 1).unwrap());
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let mut answers = stream.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        answers.read_to_string(&mut text).unwrap();
        text.matches("HTTP/1.1 403 ").count() as u64
    });
    stream.write_all(format!("{calls}{get}connection: close\r\n\r\n").as_bytes()).unwrap();
    assert_eq!(reader.join().unwrap(), CALLS);
    server.stop();
    let audit = std::fs::read_to_string(data.join("audit.jsonl")).unwrap();
    let events: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lines = events.iter().filter(|event| event["errorCode"] == "MissingAuthenticationToken").count();
    let counted: u64 = events
        .iter()
        .filter_map(|event| event["additionalEventData"]["unprovenCallsNotLogged"].as_u64())
        .sum();
    assert_eq!(lines as u64 + counted, CALLS);
    assert!(counted > 0, "1,000 lines at once and 20 a second are written");
}

#[test]
fn what_is_answered_before_there_is_a_request_is_audited_and_counted_too() {
    let dir = Scratch::new("unread");
    let data = dir.join("data");
    let server = Server::start(&data);
    let fields = |count: usize| post(&"x-field: same\r\n".repeat(count), "");
    for (request, status) in [
        (fields(101), 431),
        (post(&format!("x-long: {}\r\n", "x".repeat(64 * 1024)), ""), 431),
        (post("no name: x\r\n", ""), 400),
    ] {
        let answer = send(&server.address, &request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    let refused = ["RequestHeaderFieldsTooLargeException\"} 2", "MalformedHttpRequestException\"} 1"];
    // The connection ends before it is told of.
    let told = |_| {
        let metrics = server.admin("/metrics");
        refused.iter().all(|count| metrics.contains(count))
    };
    assert!((0..10_000).any(told), "{}", server.admin("/metrics"));
    server.stop();
    let audit = std::fs::read_to_string(data.join("audit.jsonl")).unwrap();
    for count in refused {
        let (code, count) = count.split_once("\"} ").unwrap();
        let of_code = audit.lines().filter(|line| line.contains(code) && line.contains("127.0.0.1")).count();
        assert_eq!(of_code.to_string(), count, "{audit}");
    }
}
