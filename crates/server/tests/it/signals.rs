//! What signals do to a server, and the log that tells of calls.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::binary::{Scratch, Server, daypass};
use crate::client::Client;
use crate::command_line::SERVE;

const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";

/// A call whose body is still to come, and which is under way for certain: the server asked for the body.
fn under_way(server: &Server) -> TcpStream {
    let mut client = TcpStream::connect(&server.address).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: here\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        WHO.len()
    );
    client.write_all(head.as_bytes()).unwrap();
    let asked = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut answer = [0; 25];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, asked);
    client
}

/// SIGTERM, and it is known to have come: nobody is let in any more.
fn tell_to_stop(server: &Server) {
    server.signal("TERM");
    let closed = |_| TcpStream::connect(&server.address).is_err();
    assert!((0..100_000).any(closed), "the door is still open");
}

#[test]
fn the_first_sigterm_waits_for_the_call_that_is_under_way() {
    let dir = Scratch::new("sigterm");
    let server = Server::start(&dir.join("data"));
    let mut client = under_way(&server);
    assert!(!server.admin("/readyz").contains("serve: "));
    tell_to_stop(&server);
    let ready = server.admin("/readyz");
    assert!(ready.starts_with("HTTP/1.1 503 ") && ready.contains("serve: stopping\n"), "{ready}");
    client.write_all(WHO.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("MissingAuthenticationToken"), "{answer}");
    let (status, _, log) = server.end();
    assert!(status.success() && !log.contains(" WARN "), "{status} {log}");
}

#[test]
fn the_second_sigterm_waits_for_nothing() {
    let dir = Scratch::new("sigterms");
    let server = Server::start(&dir.join("data"));
    let mut client = under_way(&server);
    tell_to_stop(&server);
    server.signal("TERM");
    let mut answer = Vec::new();
    // The end of the process may end the connection in either way.
    drop(client.read_to_end(&mut answer));
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    let (status, _, log) = server.end();
    assert!(status.success(), "{status} {log}");
    let warned: Vec<_> = log.lines().filter(|line| line.contains(" WARN ")).collect();
    assert!(warned.len() == 1 && warned[0].contains("told to stop twice"), "it did not wait: {log}");
}

#[test]
fn a_sigterm_before_the_server_is_ready_is_an_orderly_end_too() {
    let dir = Scratch::new("early");
    let key = dir.join("key");
    assert!(Command::new("mkfifo").arg(&key).status().unwrap().success());
    let mut command = daypass(dir.path());
    command.args(SERVE).args(["--master-key-file", "key"]);
    let server = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Open once the server reads from the other end, which it does until this one is closed.
    let mut key = std::fs::OpenOptions::new().write(true).open(key).unwrap();
    let pid = server.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    // A server that the signal has killed reads no more.
    drop(key.write_all(b"c29tZSBtYXN0ZXIga2V5IG9mIGEgdGVzdCwgMzIgYi4="));
    drop(key);
    let output = server.wait_with_output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && log.contains("stopped"), "{} {log}", output.status);
    assert!(!dir.join("daypass-data/first-start").exists(), "the first start came to its end");
}

#[test]
fn sighup_ends_nothing() {
    let dir = Scratch::new("sighup");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    for _ in 0..3 {
        server.signal("HUP");
        assert_eq!(root.call("sts", WHO).0, 200);
    }
    server.stop();
}

#[test]
fn a_log_in_json_has_an_object_on_every_line_and_the_request_id_of_every_refusal() {
    let dir = Scratch::new("json");
    let data = dir.join("data");
    let mut command = daypass(dir.path());
    let server = Server::start_with(command.args(["serve", "--log", "debug", "--log-format", "json"]), &data);
    let root = Client::root(&server, &data);
    let wrong = Client { secret_access_key: "wrong".into(), ..root };
    let ids: Vec<String> = [(&wrong, "sts", WHO), (&wrong, "iam", "Action=NoSuchAction&Version=2010-05-08")]
        .into_iter()
        .map(|(client, service, form)| {
            let mut answer = String::new();
            client.send(&client.request(service, form).0).read_to_string(&mut answer).unwrap();
            let id = answer.lines().find_map(|line| line.strip_prefix("x-amzn-requestid: "));
            id.unwrap_or_else(|| panic!("{answer}")).to_owned()
        })
        .collect();
    let (_, log) = server.stop();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        for name in ["timestamp", "level", "target"] {
            assert!(line[name].is_string(), "{line}");
        }
        assert!(line["fields"]["message"].is_string(), "{line}");
    }
    for id in ids {
        let of_id = |line: &&Value| [&line["fields"], &line["span"]].iter().any(|of| of["request_id"] == *id);
        assert!(lines.iter().any(|line| of_id(&line)), "{id} {log}");
    }
}
