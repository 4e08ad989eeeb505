//! What the admin listener says of calls, and of a server that cannot do all it should.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::binary::{Scratch, Server, daypass, daypass_after};
use crate::client::Client;

/// Ask for `/readyz` until it answers so, within many times.
fn becomes(server: &Server, status: &str, line: &str) -> String {
    let mut answer = String::new();
    for _ in 0..20_000 {
        answer = server.admin("/readyz");
        if answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(line) {
            return answer;
        }
    }
    panic!("not {status} with {line:?} but {answer}");
}

fn create(n: usize) -> String {
    format!("Action=CreateUser&Version=2010-05-08&UserName=user-{n}")
}

#[test]
fn metrics_count_calls_their_time_and_the_sessions_that_were_issued() {
    let dir = Scratch::new("metrics");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    let wrong = Client { secret_access_key: "wrong".into(), ..root.clone() };
    let (who, issue) =
        ("Action=GetCallerIdentity&Version=2011-06-15", "Action=GetSessionToken&Version=2011-06-15");
    let counts = || {
        let metrics = server.admin("/metrics");
        let value = |line: &str| {
            let found = metrics.lines().find_map(|found| found.strip_prefix(line));
            found.map_or(0, |value| value.trim().parse::<u64>().unwrap())
        };
        [("GetCallerIdentity", who), ("GetSessionToken", issue)].map(|(action, _)| {
            let of = format!("service=\"sts\",action=\"{action}\"");
            [
                value(&format!("daypass_request_duration_seconds_count{{{of}}}")),
                value(&format!("daypass_request_duration_seconds_bucket{{le=\"+Inf\",{of}}}")),
                value(&format!("daypass_requests_total{{{of},result=\"ok\"}}")),
                value(&format!("daypass_requests_total{{{of},result=\"SignatureDoesNotMatch\"}}")),
                value(&format!("daypass_sessions_issued_total{{{of}}}")),
            ]
        })
    };
    assert_eq!(counts(), [[0; 5]; 2]);
    for _ in 0..3 {
        assert_eq!(root.call("sts", who).0, 200);
    }
    assert_eq!(wrong.call("sts", who).0, 403);
    assert_eq!(counts(), [[4, 4, 3, 1, 0], [0; 5]]);
    for _ in 0..2 {
        assert_eq!(root.call("sts", issue).0, 200);
    }
    for _ in 0..3 {
        assert_eq!(wrong.call("sts", issue).0, 403);
    }
    assert_eq!(counts(), [[4, 4, 3, 1, 0], [5, 5, 2, 3, 2]]);
    server.stop();
}

#[test]
fn a_server_whose_audit_cannot_be_written_is_not_ready_until_it_can() {
    let dir = Scratch::new("no-audit");
    let (data, audit) = (dir.join("data"), dir.join("audit"));
    let server = Server::start_with(daypass(dir.path()).args(["serve", "--audit-file", "audit"]), &data);
    let root = Client::root(&server, &data);
    assert_eq!(root.call("iam", &create(0)).0, 200);
    becomes(&server, "200", "audit: written\n");
    // What is written next goes where the file should be, and there is none.
    fs::rename(&audit, dir.join("moved")).unwrap();
    fs::create_dir(&audit).unwrap();
    assert_eq!(
        root.call("sts", "Action=GetCallerIdentity&Version=2011-06-15").0,
        200,
        "a read is let through"
    );
    let answer = becomes(&server, "503", "audit: ");
    assert!(answer.contains("store: written\n") && !answer.contains("audit: written"), "{answer}");
    assert!(server.admin("/metrics").contains("daypass_audit_writable 0.0\n"));
    assert_eq!(root.call("iam", &create(1)).0, 503, "nothing is changed");
    fs::remove_dir(&audit).unwrap();
    becomes(&server, "200", "audit: written\n");
    assert_eq!(root.call("iam", &create(2)).0, 200);
    server.stop();
}

/// No file of the server may be written beyond this, from now on.
fn bound_files(server: &Server, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(server.pid()).unwrap());
    prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

#[test]
fn a_server_whose_store_cannot_be_written_is_not_ready_until_it_can() {
    let dir = Scratch::new("no-commit");
    let data = dir.join("data");
    // Without this a write beyond the bound is the end of the process.
    let server = Server::start_with(daypass_after(dir.path(), "trap '' XFSZ").arg("serve"), &data);
    let root = Client::root(&server, &data);
    becomes(&server, "200", "store: written\n");
    let (log, audit) = (data.join("store.sqlite-wal"), data.join("audit.jsonl"));
    let long_enough = |n: &usize| {
        assert_eq!(root.call("iam", &create(*n)).0, 200);
        length(&log) > 64 * 1024
    };
    let last = (0..100).find(long_enough).unwrap();
    bound_files(&server, Some(length(&log)));
    let refused = root.call("iam", &create(last + 1)).0;
    assert!((500..600).contains(&refused), "{refused}");
    let answer = becomes(&server, "503", "store: followed ");
    assert!(!answer.contains("store: written") && answer.contains("audit: written\n"), "{answer}");
    assert!(length(&audit) < length(&log) / 2, "the audit has room");
    // Who asks lets the server try again: that is a write as well.
    for _ in 0..10 {
        assert!(server.admin("/metrics").contains("daypass_store_writable 0.0\n"));
    }
    bound_files(&server, None);
    let answer = server.admin("/readyz");
    assert!(answer.contains(" 200 OK") && answer.contains("store: written\n"), "at once: {answer}");
    assert_eq!(root.call("iam", &create(last + 2)).0, 200);
    server.stop();
}
