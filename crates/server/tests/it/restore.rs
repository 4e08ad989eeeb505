//! `daypass restore`: from a backup to a server that knows everything but the sessions of the past, or nothing at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use crate::binary::{Scratch, Server, daypass, run};
use crate::client::Client;
use crate::recovery::{failed, mode, printed};

const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const SESSION: &str = "Action=GetSessionToken&Version=2011-06-15";

/// A directory with `backup`, the data it was made of in `data`, and clients of that: root, a session from before the
/// backup, and one from after it.
fn backed_up(name: &str) -> (Scratch, Client, [Client; 2]) {
    let dir = Scratch::new(name);
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    let session = || root.with(&root.call("sts", SESSION).1["Credentials"]);
    let before = session();
    assert_eq!(root.call("iam", "Action=CreateUser&Version=2010-05-08&UserName=Bob").0, 200);
    printed(&run(dir.path(), &["backup", "backup", "--data", "data"]), "backup");
    assert_eq!(root.call("iam", "Action=DeleteUser&Version=2010-05-08&UserName=Bob").0, 200);
    let sessions = [before, session()];
    assert!(sessions.iter().all(|session| session.call("sts", WHO).0 == 200));
    server.stop();
    (dir, root, sessions)
}

/// A new directory with the master key of the data.
fn new(dir: &Scratch, name: &str) {
    fs::create_dir(dir.join(name)).unwrap();
    fs::copy(dir.join("data/master-key"), dir.join(name).join("master-key")).unwrap();
}

fn restore(dir: &Scratch, backup: &str, data: &str) -> std::process::Output {
    run(dir.path(), &["restore", backup, "--data", data])
}

fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// At another server.
fn at(client: &Client, server: &Server) -> Client {
    Client { address: server.address.clone(), ..client.clone() }
}

#[test]
fn what_was_backed_up_is_there_and_no_session_of_the_past_is() {
    let (dir, root, sessions) = backed_up("restore");
    new(&dir, "new");
    // A backup that may only be read, as it should be kept.
    fs::set_permissions(dir.join("backup"), fs::Permissions::from_mode(0o400)).unwrap();
    let done = restore(&dir, "backup", "new");
    assert!(printed(&done, "restored").contains("1 accounts"));
    assert!(printed(&done, "sessions").contains("void"));
    assert_eq!(mode(&dir.join("new/store.sqlite")), 0o600);
    let expected = ["audit.jsonl", "audit.jsonl.reserve", "daypass.lock", "master-key", "store.sqlite"];
    assert_eq!(names(&dir.join("new")), expected);
    let audit = fs::read_to_string(dir.join("new/audit.jsonl")).unwrap();
    assert!(audit.contains("\"eventName\":\"Restore\""), "{audit}");

    let server = Server::start(&dir.join("new"));
    for session in &sessions {
        assert_eq!(at(session, &server).call("sts", WHO).0, 403);
    }
    let root = at(&root, &server);
    assert_eq!(root.call("sts", WHO).0, 200);
    assert_eq!(root.call("iam", "Action=GetUser&Version=2010-05-08&UserName=Bob").0, 200, "deleted since");
    let session = root.with(&root.call("sts", SESSION).1["Credentials"]);
    assert_eq!(session.call("sts", WHO).0, 200, "new ones are as good as ever");
    server.stop();
    assert_eq!(at(&session, &Server::start(&dir.join("new"))).call("sts", WHO).0, 200, "after a restart too");
}

#[test]
fn a_directory_with_a_store_or_a_server_is_refused_and_left_as_it_is() {
    let (dir, root, _) = backed_up("restore-twice");
    new(&dir, "new");
    assert!(restore(&dir, "backup", "new").status.success());
    let store = fs::read(dir.join("new/store.sqlite")).unwrap();
    assert!(failed(&restore(&dir, "backup", "new")).contains("store.sqlite` is there"));
    assert_eq!(fs::read(dir.join("new/store.sqlite")).unwrap(), store);
    let server = Server::start(&dir.join("data"));
    let line = failed(&restore(&dir, "backup", "data"));
    assert!(line.contains("in use by another daypass"), "{line}");
    assert_eq!(at(&root, &server).call("sts", WHO).0, 200);
    // The log alone is a store that may be put back.
    new(&dir, "log");
    fs::write(dir.join("log/store.sqlite-wal"), "precious").unwrap();
    assert!(failed(&restore(&dir, "backup", "log")).contains("store.sqlite-wal` is there"));
    // A server would write the journal into what is restored.
    new(&dir, "journal");
    fs::write(dir.join("journal/store.sqlite-journal"), "precious").unwrap();
    assert!(failed(&restore(&dir, "backup", "journal")).contains("store.sqlite-journal` is there"));
}

#[test]
fn what_cannot_be_restored_leaves_no_store() {
    let (dir, ..) = backed_up("restore-bad");
    let whole = fs::read(dir.join("backup")).unwrap();
    let cut = whole.len() / 2;
    let mut flipped = whole.clone();
    // In the middle of a value, where only the sums of records tell.
    let at = whole.windows(5).rposition(|bytes| bytes == b"\"Bob\"").unwrap();
    flipped[at + 1] ^= 1;
    fs::write(dir.join("cut"), &whole[..cut]).unwrap();
    fs::write(dir.join("flipped"), flipped).unwrap();
    fs::write(dir.join("text"), "no store").unwrap();
    for (backup, why) in [
        ("cut", "is damaged"),
        ("flipped", "is damaged"),
        ("text", "is damaged"),
        ("missing", "cannot be read"),
        ("data/store.sqlite", "a server has opened"),
    ] {
        new(&dir, &format!("new-{why}-{}", backup.len()));
        let data = format!("new-{why}-{}", backup.len());
        let line = failed(&restore(&dir, backup, &data));
        assert!(line.contains(why) && line.contains(&format!("`{backup}`")), "{line}");
        assert!(!names(&dir.join(&data)).iter().any(|name| name.contains("stor")), "{line}");
    }
}

#[test]
fn the_master_key_must_be_the_backups_and_is_never_made() {
    let (dir, root, _) = backed_up("restore-key");
    let line = failed(&restore(&dir, "backup", "none"));
    assert!(
        line.contains("a backup has no master key in it") && line.contains("--master-key-file"),
        "{line}"
    );
    assert!(!dir.join("none/master-key").exists());
    fs::create_dir(dir.join("wrong")).unwrap();
    fs::write(dir.join("wrong/master-key"), "c29tZSBvdGhlciBtYXN0ZXIga2V5LCAzMiBieXRlcyE=").unwrap();
    let line = failed(&restore(&dir, "backup", "wrong"));
    assert!(line.contains("not the master key") && line.contains("`backup`"), "{line}");
    assert!(!dir.join("wrong/store.sqlite").exists());
    // Beside the directory, as the server is given it.
    let text = fs::read_to_string(dir.join("data/master-key")).unwrap();
    let given = daypass(dir.path())
        .args(["restore", "backup", "--data", "given"])
        .env("DAYPASS_MASTER_KEY", &text)
        .output()
        .unwrap();
    assert!(given.status.success(), "{}", String::from_utf8_lossy(&given.stderr));
    assert!(!dir.join("given/master-key").exists());
    let server = Server::start_with(
        daypass(dir.path()).arg("serve").env("DAYPASS_MASTER_KEY", &text),
        &dir.join("given"),
    );
    assert_eq!(at(&root, &server).call("sts", WHO).0, 200);
}

/// Killed as soon as this file is seen, which is now in the middle of one step, now of another.
#[test]
fn a_restore_that_was_killed_leaves_no_store_or_the_whole_one() {
    let (dir, root, sessions) = backed_up("restore-killed");
    let mut whole = 0;
    let moments =
        ["restoring", "restoring/store.sqlite", "restoring/store.sqlite-wal", "store.sqlite.partial-"];
    for (n, moment) in
        moments.iter().chain(["audit.jsonl", "store.sqlite"].iter()).cycle().take(12).enumerate()
    {
        let name = format!("new-{n}");
        new(&dir, &name);
        let mut child = daypass(dir.path())
            .args(["restore", "backup", "--data", &name])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let is_seen = || match moment.ends_with('-') {
            true => names(&dir.join(&name)).iter().any(|name| name.starts_with(moment)),
            false => dir.join(&name).join(moment).exists(),
        };
        while !is_seen() && child.try_wait().unwrap().is_none() {
            std::hint::spin_loop();
        }
        drop(child.kill());
        child.wait().unwrap();
        let there = dir.join(&name).join("store.sqlite").exists();
        whole += usize::from(there);
        if !there {
            let line = failed(&run(
                dir.path(),
                &["serve", "--data", &name, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"],
            ));
            assert!(line.contains("store.sqlite` is missing") && line.contains("restore"), "{line}");
            let again = restore(&dir, "backup", &name);
            assert!(again.status.success(), "{moment}: {}", String::from_utf8_lossy(&again.stderr));
        }
        let server = Server::start(&dir.join(&name));
        assert_eq!(at(&root, &server).call("sts", WHO).0, 200);
        assert!(sessions.iter().all(|session| at(session, &server).call("sts", WHO).0 == 403));
        assert!(!dir.join(&name).join("restoring").exists());
    }
    assert!((1..12).contains(&whole), "{whole} of 12 came to their end");
}
