//! Clients that do not wait for their answer.

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::binary::{Scratch, Server};
use crate::client::Client;

const CALLS: usize = 10;

fn create(n: usize) -> String {
    format!("Action=CreateUser&Version=2010-05-08&UserName=gone-{n}")
}

fn exists(client: &Client, n: usize) -> bool {
    client.call("iam", &format!("Action=GetUser&Version=2010-05-08&UserName=gone-{n}")).0 == 200
}

/// Send every write, and hang up before any of it can be answered. Something that is answered at once goes before
/// each, in the same bytes: once its answer is here, the write has been read as well.
fn write_and_hang_up(client: &Client) {
    const FIRST: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n";
    const ITS_END: &str = concat!("daypass ", env!("CARGO_PKG_VERSION"), "\n");
    for n in 0..CALLS {
        let mut stream = client.send(&[FIRST, &client.request("iam", &create(n)).0].concat());
        // All of it: a connection that is dropped with bytes unread is reset.
        let mut byte = [0];
        let mut answer = Vec::new();
        while !answer.ends_with(ITS_END.as_bytes()) {
            stream.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
    }
}

/// The events of the CreateUser calls for one name.
fn events(data: &Path, n: usize) -> Vec<Value> {
    let audit = std::fs::read_to_string(data.join("audit.jsonl")).unwrap();
    // The server may be at a line this very moment.
    let whole = audit.rfind('\n').map_or("", |end| &audit[..end]);
    let events = whole.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let name = format!("gone-{n}");
    events
        .filter(|event| event["eventName"] == "CreateUser" && event["requestParameters"]["userName"] == *name)
        .collect()
}

#[test]
fn a_client_that_hangs_up_inside_a_write_leaves_one_audit_line() {
    let dir = Scratch::new("hangup");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    write_and_hang_up(&root);
    for n in 0..CALLS {
        assert!((0..10_000).any(|_| exists(&root, n)), "gone-{n} was read and not done");
    }
    server.stop();
    for n in 0..CALLS {
        let events = events(&data, n);
        assert_eq!(events.len(), 1, "{events:#?}");
        assert_eq!(events[0].get("errorCode"), None);
    }
}

#[test]
fn a_server_that_is_told_to_stop_ends_calls_whose_client_is_gone() {
    let dir = Scratch::new("hangup-stop");
    let data = dir.join("data");
    let server = Server::start(&data);
    write_and_hang_up(&Client::root(&server, &data));
    server.stop();
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    for n in 0..CALLS {
        // Some may not have been read before the end; none may be done and not be told of, or the reverse.
        let told = events(&data, n).iter().filter(|event| event.get("errorCode").is_none()).count();
        assert_eq!(told, usize::from(exists(&root, n)), "gone-{n}");
        assert!(events(&data, n).len() <= 1);
    }
}
