//! What hurts servers that hold it all: ten thousand connections that say nothing, JSON without end, forms without end.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;

use daypass_server::http::CONNECTIONS_MAX;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::binary::{Scratch, Server};
use crate::client::Client;

const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const IDLE: usize = 10_000;

/// Let this process have so many files open.
fn raise(wanted: u64) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    assert!(maximum.is_none_or(|hard| hard >= wanted), "this machine's hard bound is too low for the test");
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).unwrap();
}

/// KiB of memory that a process has in use.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The number of a metric.
fn metric(server: &Server, name: &str) -> usize {
    let metrics = server.admin("/metrics");
    metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} "))).unwrap().parse().unwrap()
}

#[test]
fn ten_thousand_idle_connections_cost_little_and_keep_nobody_out() {
    const { assert!(IDLE + 100 < CONNECTIONS_MAX) };
    let dir = Scratch::new("idle");
    let data = dir.join("data");
    raise(u64::try_from(IDLE).unwrap() + 200);
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    assert_eq!(root.call("sts", WHO).0, 200);
    let before = resident(&server);
    // Half of them have sent the beginning of a request.
    let connect = |n: usize| {
        if n.is_multiple_of(256) {
            // Answered once those before it were accepted: more at once than the kernel's queue holds would be sent again
            // a second later.
            assert_eq!(root.call("sts", WHO).0, 200);
        }
        let mut stream = TcpStream::connect(&server.address).unwrap();
        if n.is_multiple_of(2) {
            stream.write_all(b"POST / HTTP/1.1\r\nhost: ").unwrap();
        }
        stream
    };
    let idle: Vec<TcpStream> = (0..IDLE).map(connect).collect();
    assert_eq!(root.call("sts", WHO).0, 200);
    assert!(metric(&server, "daypass_connections") >= IDLE, "they are all held");
    assert!(server.admin("/readyz").contains("200 OK"));
    let each = (resident(&server) - before) / u64::try_from(IDLE).unwrap();
    assert!(each <= 24, "{each} KiB for each of them");
    drop(idle);
    while metric(&server, "daypass_connections") > 100 {}
    assert_eq!(root.call("sts", WHO).0, 200);
    server.stop();
}

/// Status of a request to our own API with this body, which nobody signed.
fn json(server: &Server, body: &str) -> u16 {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-amz-target: Daypass_20261101.CheckRequest\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())));
    let mut answer = String::new();
    drop(stream.read_to_string(&mut answer));
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn json_and_forms_without_end_are_refused_at_little_cost() {
    let dir = Scratch::new("endless");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    let before = resident(&server);
    let most = 1024 * 1024;
    for body in [
        "[".repeat(most),
        "{\"a\":".repeat(most / 5),
        format!("{{\"Request\":{}1{}}}", "[".repeat(200_000), "]".repeat(200_000)),
        format!("{{{}}}", vec!["\"a\":1"; most / 7].join(",")),
        format!("{{\"a\":\"{}\"}}", "\\u0000".repeat(most / 7)),
        format!("{{\"a\":1{}}}", "0".repeat(most - 100)),
    ] {
        assert!(matches!(json(&server, &body), 400 | 403), "{}…", &body[..20]);
    }
    assert_eq!(json(&server, &"[".repeat(most + 1)), 413);
    let form = |tail: String| root.call("sts", &format!("{WHO}&{tail}")).0;
    let mut numbered = String::new();
    for n in 1..30_000 {
        write!(numbered, "PolicyArns.member.{n}.arn=a&").unwrap();
    }
    for tail in [
        "a&".repeat(most / 3),
        "a=b&".repeat(most / 5),
        "%".repeat(most - 100),
        format!("a{}=b", ".member.1".repeat(most / 10)),
        format!("Tags.member.{}.Key=a", "9".repeat(most / 2)),
        numbered,
    ] {
        assert!(matches!(form(tail.clone()), 400 | 403), "{}…", &tail[..20]);
    }
    assert_eq!(form("%41".repeat(most / 4)), 200, "a name that no model knows, on a read");
    let grown = (resident(&server).saturating_sub(before)) / 1024;
    assert!(grown < 200, "{grown} MiB more than before");
    let (_, log) = server.stop();
    assert!(!log.contains("panicked"), "{log}");
}
