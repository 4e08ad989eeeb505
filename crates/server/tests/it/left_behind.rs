//! What lies in a data directory is what the server knows as its own: the demo cleans by that, and the table in
//! docs/operating.md is held to it.

use std::fs;
use std::io::Write;
use std::path::Path;

use daypass_server::is_data_file;

use crate::binary::{Scratch, Server, daypass, run};
use crate::client::Client;

/// Everything in a directory, each of it known; in order.
fn known(data: &Path) -> Vec<String> {
    let entries = fs::read_dir(data).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    for name in &names {
        assert!(is_data_file(name), "{name}");
    }
    names
}

#[test]
fn a_server_leaves_nothing_that_it_does_not_know() {
    let dir = Scratch::new("left");
    let data = dir.join("data");
    Server::start(&data).stop();
    // Enough for the next line to begin a new file.
    let mut audit = fs::OpenOptions::new().append(true).open(data.join("audit.jsonl")).unwrap();
    audit.write_all("{\"eventVersion\":\"1.08\"}\n".repeat(50_000).as_bytes()).unwrap();
    let server = Server::start_with(daypass(dir.path()).args(["serve", "--audit-rotate-mib", "1"]), &data);
    for args in [
        &["account", "create", "--account-id", "222233334444", "--data", "data"][..],
        &["account", "root-key", "--account-id", "222233334444", "--data", "data"],
    ] {
        assert!(run(dir.path(), args).status.success(), "{args:?}");
    }
    let root = Client::root(&server, &data);
    assert_eq!(root.call("sts", "Action=GetCallerIdentity&Version=2011-06-15").0, 200);
    let running = known(&data);
    for name in ["operator.sock", "store.sqlite-wal", "store.sqlite-shm"] {
        assert!(running.iter().any(|found| found == name), "{name} of {running:?}");
    }
    server.stop();
    let left = known(&data);
    for name in ["audit.jsonl.1", "audit.jsonl.reserve", "daypass.lock", "root-credentials-222233334444"] {
        assert!(left.iter().any(|found| found == name), "{name} of {left:?}");
    }
}

#[test]
fn a_demo_leaves_nothing_that_the_next_one_does_not_know() {
    let dir = Scratch::new("left-demo");
    assert!(run(dir.path(), &["demo", "--data", "data"]).status.success());
    let left = known(&dir.join("data"));
    for name in ["demo-data", "demo-objects", "root-credentials", "store.sqlite"] {
        assert!(left.iter().any(|found| found == name), "{name} of {left:?}");
    }
}
