//! What the environment pins of the first start: it counts then, is held against what is there later, and never
//! stands in the way of a key's end.

use std::process::Command;

use crate::binary::{Scratch, Server, daypass, run};
use crate::client::Client;
use crate::command_line::{SERVE, one_line};

const ACCOUNT: &str = "111122223333";
const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const OTHER_SECRET: &str = "another secret of forty characters......";

fn pinned(dir: &Scratch, id: &str, secret: &str) -> Command {
    let mut command = daypass(dir.path());
    command
        .arg("serve")
        .env("DAYPASS_ACCOUNT_ID", ACCOUNT)
        .env("DAYPASS_ROOT_ACCESS_KEY_ID", id)
        .env("DAYPASS_ROOT_SECRET_ACCESS_KEY", secret);
    command
}

/// The line of a start that is refused.
fn refused(command: &mut Command, data: &str) -> String {
    one_line(&command.args(&SERVE[1..]).args(["--data", data]).output().unwrap())
}

fn root(server: &Server) -> Client {
    Client {
        address: server.address.clone(),
        access_key_id: ID.to_owned(),
        secret_access_key: SECRET.to_owned(),
        session_token: None,
    }
}

#[test]
fn pinned_root_keys_count_on_the_first_start_only() {
    let dir = Scratch::new("pinned");
    let data = dir.join("data");
    let server = Server::start_with(&mut pinned(&dir, ID, SECRET), &data);
    assert!(server.banner.contains(ACCOUNT) && !server.banner.contains(SECRET));
    server.stop();
    assert!(!data.join("root-credentials").exists());
    let (_, log) = Server::start_with(&mut pinned(&dir, ID, SECRET), &data).stop();
    assert!(!log.contains("counts for nothing"), "{log}");
    for (id, secret, named) in [
        (ID, OTHER_SECRET, "DAYPASS_ROOT_SECRET_ACCESS_KEY"),
        ("AKIAIOSFODNN7EXAMPL2", SECRET, "DAYPASS_ROOT_ACCESS_KEY_ID"),
    ] {
        let line = refused(&mut pinned(&dir, id, secret), "data");
        assert!(line.contains(&format!("{named} differs")), "{line}");
    }
}

#[test]
fn half_a_pinned_root_key_is_refused_on_every_start() {
    let dir = Scratch::new("pinned-half");
    Server::start(&dir.join("data")).stop();
    for data in ["data", "new"] {
        for half in ["DAYPASS_ROOT_ACCESS_KEY_ID", "DAYPASS_ROOT_SECRET_ACCESS_KEY"] {
            let line =
                refused(pinned(&dir, ID, SECRET).env_remove("DAYPASS_ACCOUNT_ID").env_remove(half), data);
            assert!(line.contains("together, or neither"), "{data} without {half}: {line}");
        }
    }
}

#[test]
fn a_pinned_root_key_that_was_deleted_counts_for_nothing_and_stops_no_start() {
    let dir = Scratch::new("pinned-deleted");
    for (data, replaced) in [("deleted", false), ("replaced", true)] {
        let server = Server::start_with(&mut pinned(&dir, ID, SECRET), &dir.join(data));
        if replaced {
            let replace = ["account", "root-key", "--account-id", ACCOUNT, "--replace", "--data", data];
            assert!(run(dir.path(), &replace).status.success());
        } else {
            let delete = format!("Action=DeleteAccessKey&Version=2010-05-08&AccessKeyId={ID}");
            assert_eq!(root(&server).call("iam", &delete).0, 200);
        }
        server.stop();
        for secret in [SECRET, OTHER_SECRET] {
            let server = Server::start_with(&mut pinned(&dir, ID, secret), &dir.join(data));
            let identity = root(&server).call("sts", "Action=GetCallerIdentity&Version=2011-06-15");
            assert_eq!(identity.0, 403, "{data}");
            let (_, log) = server.stop();
            assert!(log.contains(&format!("the key {ID} that DAYPASS_ROOT_ACCESS_KEY_ID names")), "{log}");
            assert!(log.contains("counts for nothing") && !log.contains(secret), "{log}");
        }
        let line = refused(pinned(&dir, ID, SECRET).env("DAYPASS_ACCOUNT_ID", "444455556666"), data);
        assert!(line.contains("DAYPASS_ACCOUNT_ID differs"), "{line}");
    }
}
