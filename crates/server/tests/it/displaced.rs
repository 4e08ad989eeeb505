//! A server whose files are taken from under it, or damaged.

use std::fs;
use std::io::{Seek, SeekFrom, Write};

use crate::binary::{Scratch, Server, run};
use crate::client::Client;
use crate::command_line::one_line;

fn create(root: &Client, name: &str) -> u16 {
    root.call("iam", &format!("Action=CreateUser&Version=2010-05-08&UserName={name}")).0
}

fn errors(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("ERROR")).collect()
}

#[test]
fn a_server_whose_store_was_removed_acknowledges_no_write_and_its_store_can_be_backed_up() {
    let dir = Scratch::new("removed");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    assert_eq!(create(&root, "kept"), 200);
    assert!(server.admin("/readyz").contains(" 200 OK"));
    for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        fs::remove_file(data.join(name)).unwrap();
    }
    let ready = server.admin("/readyz");
    assert!(
        ready.contains(" 503 ") && ready.contains("store.sqlite` was moved, removed or replaced"),
        "{ready}"
    );
    assert_eq!(create(&root, "lost"), 503);
    let made = run(dir.path(), &["backup", "copy", "--data", "data"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (_, log) = server.stop();
    let told = |line: &&str| {
        line.contains("the store cannot be written")
            && line.contains("take `daypass backup FILE` before you stop it")
    };
    assert_eq!(errors(&log).into_iter().filter(told).count(), 1, "{log}");

    // What the log says to do.
    fs::rename(dir.join("copy"), data.join("store.sqlite")).unwrap();
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    let user = |name: &str| root.call("iam", &format!("Action=GetUser&Version=2010-05-08&UserName={name}")).0;
    assert_eq!((user("kept"), user("lost")), (200, 404));
    server.stop();
}

#[test]
fn a_server_whose_directory_was_moved_away_leaves_the_one_in_its_place_alone() {
    let dir = Scratch::new("moved");
    let (data, moved) = (dir.join("data"), dir.join("moved"));
    let first = Server::start(&data);
    let root = Client::root(&first, &data);
    fs::rename(&data, &moved).unwrap();
    let second = Server::start(&data);
    assert_eq!(create(&root, "bob"), 503);
    let (status, answer) = root.call("sts", "Action=GetSessionToken&Version=2011-06-15");
    assert_eq!(status, 200, "what needs no store goes on");
    let issued = answer["Credentials"]["AccessKeyId"].as_str().unwrap();
    let audit = |of: &std::path::Path| fs::read_to_string(of.join("audit.jsonl")).unwrap();
    assert!(audit(&moved).contains(issued) && !audit(&data).contains(issued));
    first.stop();
    let accounts = run(dir.path(), &["account", "list", "--data", "data"]);
    assert!(accounts.status.success(), "the second one's socket is there");
    second.stop();
    assert!(!audit(&data).contains(&root.access_key_id));
}

#[test]
fn a_backup_of_a_damaged_store_blames_the_store_and_the_log_hears_of_it() {
    let dir = Scratch::new("damaged");
    let data = dir.join("data");
    Server::start(&data).stop();
    let server = Server::start(&data);
    let mut store = fs::OpenOptions::new().write(true).open(data.join("store.sqlite")).unwrap();
    store.seek(SeekFrom::Start(4096)).unwrap();
    store.write_all(&vec![0xAA; 16 * 4096]).unwrap();
    let line = one_line(&run(dir.path(), &["backup", "copy", "--data", "data"]));
    assert!(line.starts_with("daypass: the store is damaged: "), "{line}");
    assert!(line.ends_with("restore the last backup, and keep the damaged file"), "{line}");
    let line = one_line(&run(dir.path(), &["backup", "none/copy", "--data", "data"]));
    assert!(line.ends_with("name a file in a directory that the server's user can write"), "{line}");
    let (_, log) = server.stop();
    for why in ["the store is damaged: ", "cannot write the backup "] {
        let told =
            |line: &&str| line.contains("what the operator asked for was not done") && line.contains(why);
        assert_eq!(errors(&log).into_iter().filter(told).count(), 1, "{why} {log}");
    }
}
