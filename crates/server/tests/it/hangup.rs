//! Clients that do not wait for their answer.

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

/// Send every write, and hang up before any of it can be answered.
fn write_and_hang_up(client: &Client) {
    for n in 0..CALLS {
        drop(client.send(&client.request("iam", &create(n)).0));
    }
}

/// The events of the CreateUser calls for one name.
fn events(data: &Path, n: usize) -> Vec<Value> {
    let audit = std::fs::read_to_string(data.join("audit.jsonl")).unwrap();
    let events = audit.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
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
    // A request that was gone before it was read is no call; one that was read goes on to its end.
    let begun = (0..CALLS).filter(|n| (0..20).any(|_| exists(&root, *n))).collect::<Vec<_>>();
    assert!(!begun.is_empty(), "no request was read before its client hung up");
    server.stop();
    for n in begun {
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
