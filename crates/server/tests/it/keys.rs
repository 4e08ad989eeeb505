//! `daypass keys`: the keyring and the master key in the hands of whoever is on call.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Output;

use crate::binary::{Scratch, Server, daypass, run};
use crate::client::Client;

fn keys(dir: &Scratch, args: &[&str]) -> Output {
    run(dir.path(), &[&["keys"], args, &["--data", "data"]].concat())
}

/// Role and id of each key that was printed.
fn printed(output: &Output) -> Vec<(String, u32)> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let words = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.map(|words| (words[0].to_owned(), words[1].parse().unwrap())).collect()
}

fn session(client: &Client) -> Client {
    let (status, answer) = client.call("sts", "Action=GetSessionToken&Version=2011-06-15");
    assert_eq!(status, 200, "{answer}");
    client.with(&answer["Credentials"])
}

fn lives(client: &Client) -> bool {
    let (status, _) = client.call("sts", "Action=GetCallerIdentity&Version=2011-06-15");
    assert!(matches!(status, 200 | 403), "{status}");
    status == 200
}

fn audit(data: &Path) -> String {
    std::fs::read_to_string(data.join("audit.jsonl")).unwrap()
}

#[test]
fn the_keyring_is_rotated_without_loss_and_replaced_when_somebody_has_it() {
    let dir = Scratch::new("keys");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    let first = session(&root);
    let [(active, old), (next, new)] = printed(&keys(&dir, &["list"])).try_into().unwrap();
    assert_eq!((active.as_str(), next.as_str()), ("active", "next"));

    let rotated = printed(&keys(&dir, &["rotate"]));
    assert_eq!(rotated[..2], [("previous".to_owned(), old), ("active".to_owned(), new)]);
    assert!(lives(&first));

    let second = keys(&dir, &["rotate"]);
    let why = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(why.contains("may last until") && why.contains("--compromised"), "{why}");
    assert!(lives(&first), "what would end a session was not done");

    let replaced = printed(&keys(&dir, &["rotate", "--compromised"]));
    let known = [old, new, rotated[2].1];
    assert!(replaced.len() == 2 && replaced.iter().all(|(_, id)| !known.contains(id)), "{replaced:?}");
    assert!(!lives(&first) && lives(&root) && lives(&session(&root)));
    server.stop();

    let audit = audit(&data);
    let rotations = audit.lines().filter(|line| line.contains("\"KeyRotate\""));
    let told: Vec<bool> = rotations.map(|line| line.contains("serviceEventDetails")).collect();
    assert_eq!(told, [true, false, true], "each is audited, the refused one too: {audit}");
    let server = Server::start(&data);
    let list = printed(&keys(&dir, &["list"]));
    assert_eq!(list, replaced, "it is in the store");
    server.stop();
}

/// Whether a process has these bytes anywhere in its memory (Linux, `proc(5)`; a parent may look at its child).
fn remembers(pid: u32, bytes: &[u8]) -> bool {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut seen = 0;
    let found = maps.lines().filter(|line| line.contains(" rw")).any(|line| {
        let range = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [range.0, range.1].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        let mut region = vec![0; usize::try_from(to - from).unwrap()];
        // What is reserved and not there cannot be read.
        let read = memory.read_at(&mut region, from).unwrap_or(0);
        seen += read;
        region[..read].windows(bytes.len()).any(|window| window == bytes)
    });
    assert!(found || seen > 1024 * 1024, "{seen} bytes are not all there is");
    found
}

/// The master key's file, and the one before it.
fn master_keys(data: &Path) -> (String, Option<String>) {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let names = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    let mut kept: Vec<_> =
        names.filter(|path| path.to_string_lossy().contains("master-key-until-")).collect();
    kept.sort();
    (read(&data.join("master-key")), kept.last().map(|path| read(path)))
}

#[test]
fn the_master_key_is_replaced_while_the_server_runs() {
    let dir = Scratch::new("master");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    let living = session(&root);
    let (old, _) = master_keys(&data);
    let copied = run(dir.path(), &["backup", "before", "--data", "data"]);
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));

    let done = keys(&dir, &["rotate-master"]);
    let told = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success() && told.contains("master-key-until-"), "{told}");
    assert!(lives(&root) && lives(&living) && lives(&session(&root)), "nobody notices");
    let (new, kept) = master_keys(&data);
    assert!(new != old && kept.as_ref() == Some(&old));
    assert!(!data.join("master-key.next").exists());
    for secret in [&old, &new] {
        assert!(!audit(&data).contains(secret.trim()) && !told.contains(secret.trim()));
    }
    assert!(audit(&data).contains("MasterKeyRotate"));
    let bytes = |text: &str| data_encoding::BASE64.decode(text.trim().as_bytes()).unwrap();
    assert!(remembers(server.pid(), &bytes(&new)), "the key in force is found where it must be");
    for gone in [bytes(&old), old.trim().into(), new.trim().into()] {
        assert!(!remembers(server.pid(), &gone), "a key that is not needed is wiped, and the text of any");
    }
    server.stop();

    // Another start: the root key opens with the new master key, and no longer with the old one.
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    assert!(lives(&root));
    server.stop();
    std::fs::write(data.join("master-key"), &old).unwrap();
    let refused = run(dir.path(), &["serve", "--data", "data", "--listen", "127.0.0.1:0"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not the master key"), "{refused:?}");
    std::fs::write(data.join("master-key"), &new).unwrap();

    // A backup of before needs the key of before, which was kept.
    let kept = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
    let kept = kept.into_iter().find(|path| path.to_string_lossy().contains("until")).unwrap();
    let kept = kept.to_str().unwrap();
    let restore = ["restore", "before", "--data", "restored", "--master-key-file"];
    let wrong = run(dir.path(), &[&restore[..], &["data/master-key"]].concat());
    assert_eq!(wrong.status.code(), Some(1));
    let right = run(dir.path(), &[&restore[..], &[kept]].concat());
    assert!(right.status.success(), "{}", String::from_utf8_lossy(&right.stderr));
}

#[test]
fn a_master_key_that_was_removed_is_replaced_while_the_server_knows_it() {
    let dir = Scratch::new("master-lost");
    let data = dir.join("data");
    let server = Server::start(&data);
    let (old, _) = master_keys(&data);
    std::fs::remove_file(data.join("master-key")).unwrap();
    let done = keys(&dir, &["rotate-master"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let (new, kept) = master_keys(&data);
    assert!(new != old && kept == Some(old), "backups of before are opened with it");
    server.stop();
    let server = Server::start(&data);
    assert!(lives(&Client::root(&server, &data)));
    server.stop();
    // As after a crash before it had its place.
    std::fs::rename(data.join("master-key"), data.join("master-key.next")).unwrap();
    let server = Server::start(&data);
    assert!(lives(&Client::root(&server, &data)) && data.join("master-key").exists());
    server.stop();
}

#[test]
fn a_crash_between_the_store_and_the_key_s_file_is_mended_by_the_next_start() {
    let dir = Scratch::new("master-crash");
    let data = dir.join("data");
    let server = Server::start(&data);
    assert!(keys(&dir, &["rotate-master"]).status.success());
    server.stop();
    let (new, old) = master_keys(&data);
    // As it is when the server ends just before the new key takes its place.
    std::fs::write(data.join("master-key"), old.unwrap()).unwrap();
    std::fs::write(data.join("master-key.next"), &new).unwrap();
    let doctor = run(dir.path(), &["doctor", "--data", "data"]);
    let found = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(found.contains("sealed with this master key"), "{found}");
    let server = Server::start(&data);
    assert!(lives(&Client::root(&server, &data)));
    assert_eq!(master_keys(&data).0, new);
    server.stop();
    // As it is when it ends just before the store takes the new key.
    std::fs::write(data.join("master-key.next"), format!("{}=\n", "A".repeat(43))).unwrap();
    let server = Server::start(&data);
    assert!(lives(&Client::root(&server, &data)));
    assert_eq!(master_keys(&data).0, new);
    assert!(!data.join("master-key.next").exists());
    server.stop();
}

#[test]
fn a_master_key_of_the_operator_s_is_replaced_by_one_of_the_operator_s() {
    let dir = Scratch::new("master-file");
    let data = dir.join("data");
    let write = |name: &str, first: char| {
        std::fs::write(dir.join(name), format!("{first}{}=\n", "A".repeat(42))).unwrap();
    };
    write("one", 'C');
    write("two", 'B');
    write("zeros", 'A');
    let start = || {
        let mut command = daypass(dir.path());
        command.arg("serve").env("DAYPASS_MASTER_KEY_FILE", dir.join("key"));
        Server::start_with(&mut command, &data)
    };
    std::fs::copy(dir.join("one"), dir.join("key")).unwrap();
    let server = start();
    let refused = |args: &[&str], what: &str| {
        let output = keys(&dir, args);
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && why.contains(what), "{why}");
    };
    refused(&["rotate-master"], "--new-key-file");
    refused(&["rotate-master", "--new-key-file", "one"], "in force already");
    refused(&["rotate-master", "--new-key-file", "none"], "cannot be read");
    std::fs::write(dir.join("bad"), "short").unwrap();
    refused(&["rotate-master", "--new-key-file", "bad"], "32 bytes in base64");
    refused(&["rotate-master", "--new-key-file", "zeros"], "all bytes of this master key are the same");
    let done = keys(&dir, &["rotate-master", "--new-key-file", "two"]);
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    let place = dir.join("key");
    assert!(told.contains(&format!("put the new key into `{}`", place.display())), "{told}");
    assert!(lives(&Client::root(&server, &data)));
    assert!(!data.join("master-key.next").exists() && !data.join("master-key").exists());
    server.stop();
    std::fs::copy(dir.join("two"), dir.join("key")).unwrap();
    let server = start();
    assert!(lives(&Client::root(&server, &data)));
    server.stop();
}

#[test]
fn two_rotations_in_one_second_keep_both_keys_and_what_is_not_the_key_is_not_taken_for_it() {
    let dir = Scratch::new("master-twice");
    let data = dir.join("data");
    let server = Server::start(&data);
    let mut known = vec![master_keys(&data).0];
    for _ in 0..3 {
        assert!(keys(&dir, &["rotate-master"]).status.success());
        known.push(master_keys(&data).0);
    }
    let former = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
    let former = former.filter(|path| path.to_string_lossy().contains("until"));
    let former: Vec<_> = former.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(former.len() == 3 && known[..3].iter().all(|key| former.contains(key)));
    // What is in the key's place is not the key: the only copy is the server's, and nothing is changed.
    let in_force = known.pop().unwrap();
    let own = data.join("master-key");
    let refused = || {
        let refused = keys(&dir, &["rotate-master"]);
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            refused.status.code() == Some(1) && why.contains("is not the master key that is in force"),
            "{why}"
        );
        assert!(!data.join("master-key.next").exists());
    };
    for other in [known[0].as_str(), "", "garbage"] {
        std::fs::write(&own, other).unwrap();
        refused();
        assert_eq!(std::fs::read_to_string(&own).unwrap(), other);
    }
    std::fs::remove_file(&own).unwrap();
    std::fs::create_dir_all(own.join("x")).unwrap();
    refused();
    std::fs::remove_dir_all(&own).unwrap();
    assert!(keys(&dir, &["rotate-master"]).status.success());
    let (in_force, before) = (master_keys(&data).0, in_force);
    let former = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
    let mut former = former.filter(|path| path.to_string_lossy().contains("until"));
    assert!(former.any(|path| std::fs::read_to_string(path).unwrap() == before));
    server.stop();
    let server = Server::start(&data);
    assert!(lives(&Client::root(&server, &data)));
    assert_eq!(master_keys(&data).0, in_force);
    server.stop();
}
