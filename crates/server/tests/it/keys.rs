//! `daypass keys`: the keyring in the hands of whoever is on call.

use std::path::Path;
use std::process::Output;

use crate::binary::{Scratch, Server, run};
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
