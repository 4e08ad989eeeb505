//! What an operator relies on when something was lost: nothing passes for a new house that is not one, root's way
//! back in, backups.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::binary::{Scratch, Server, daypass, run};
use crate::client::Client;

const SERVE: [&str; 7] =
    ["serve", "--data", "data", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];

/// Everything in a directory but what a refused start may touch: the lock's file, and SQLite's scratch.
fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap());
    let files = files.filter(|file| file.file_type().unwrap().is_file());
    let mut files: Vec<_> = files
        .map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()))
        .filter(|(name, _)| name != "daypass.lock" && !name.ends_with("-shm"))
        .collect();
    files.sort();
    files
}

pub(crate) fn failed(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(!output.status.success(), "{text}");
    assert!(text.starts_with("daypass: ") && text.matches('\n').count() == 1, "{text:?}");
    text
}

pub(crate) fn printed(output: &Output, word: &str) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(word));
    line.unwrap().trim().to_owned()
}

/// A start is refused in one line that says what to do, and changes nothing.
fn refused(dir: &Scratch, why: &str) {
    let before = contents(&dir.join("data"));
    let line = failed(&run(dir.path(), &SERVE));
    assert!(line.contains(why) && line.contains("restore a backup"), "{line}");
    assert_eq!(contents(&dir.join("data")), before, "{line}");
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn remove_store(data: &Path) {
    for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        drop(fs::remove_file(data.join(name)));
    }
}

#[test]
fn a_lost_store_is_not_begun_anew_while_anything_tells_of_it() {
    let dir = Scratch::new("lost");
    let data = dir.join("data");
    let server = Server::start(&data);
    assert_eq!(
        Client::root(&server, &data).call("sts", "Action=GetCallerIdentity&Version=2011-06-15").0,
        200
    );
    server.stop();
    remove_store(&data);
    for left in ["master-key", "root-credentials", "audit.jsonl"] {
        refused(&dir, "store.sqlite` is missing, but an account was made here once");
        assert!(failed(&run(dir.path(), &SERVE)).contains(left));
        fs::remove_file(data.join(left)).unwrap();
    }
    // Nothing of it is left: this is a new house.
    assert!(Server::start(&data).banner.contains("root key"));
}

#[test]
fn a_store_without_its_account_is_refused_and_its_log_kept() {
    let dir = Scratch::new("empty");
    let data = dir.join("data");
    Server::start(&data).stop();
    // As a file that was copied without its log, before anything was in it: whole, and empty.
    remove_store(&data);
    let other = dir.join("other");
    drop(daypass_store::SqliteStore::open(&other).unwrap());
    fs::copy(&other, data.join("store.sqlite")).unwrap();
    fs::write(data.join("store.sqlite-wal"), "what is left of a log").unwrap();
    refused(&dir, "store.sqlite` has no account in it, but an account was made here once");
}

#[test]
fn the_file_of_a_young_store_is_never_an_empty_one() {
    let dir = Scratch::new("young");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = fs::read(data.join("root-credentials")).unwrap();
    let copied = dir.join("copied");
    fs::create_dir(&copied).unwrap();
    for name in ["store.sqlite", "master-key"] {
        fs::copy(data.join(name), copied.join(name)).unwrap();
    }
    server.stop();
    fs::write(copied.join("root-credentials"), &root).unwrap();
    let server = Server::start(&copied);
    let root = Client::root(&server, &copied);
    assert_eq!(root.call("sts", "Action=GetCallerIdentity&Version=2011-06-15").0, 200);
    let (_, log) = server.stop();
    assert!(log.contains("store opened at revision 2, 1 accounts"), "{log}");
}

#[test]
fn a_store_beside_the_log_of_another_is_refused_and_both_are_left_as_they_are() {
    let dir = Scratch::new("mixed");
    let (data, killed) = (dir.join("whole"), dir.join("data"));
    Server::start(&data).stop();
    let server = Server::start(&killed);
    let root = Client::root(&server, &killed);
    assert_eq!(root.call("iam", "Action=CreateUser&Version=2010-05-08&UserName=Bob").0, 200);
    drop(server);
    for name in ["store.sqlite", "master-key"] {
        fs::copy(data.join(name), killed.join(name)).unwrap();
    }
    let before = contents(&killed);
    assert!(before.iter().any(|(name, log)| name == "store.sqlite-wal" && !log.is_empty()));
    let line = failed(&run(dir.path(), &SERVE));
    assert!(line.contains("not the master key") && line.contains("-wal"), "{line}");
    assert_eq!(contents(&killed), before);
    // What the line says to do.
    for log in ["store.sqlite-wal", "store.sqlite-shm", "operator.sock"] {
        fs::remove_file(killed.join(log)).unwrap();
    }
    let server = Server::start(&killed);
    assert_eq!(Client::root(&server, &data).call("iam", "Action=ListUsers&Version=2010-05-08").0, 200);
}

/// Whoever looks for a leaked key begins with the audit.
#[test]
fn what_was_issued_before_a_kill_is_in_the_audit() {
    let dir = Scratch::new("issued");
    let data = dir.join("data");
    let mut issued = Vec::new();
    for _ in 0..5 {
        let server = Server::start(&data);
        let root = Client::root(&server, &data);
        let session = || root.try_call("sts", "Action=GetSessionToken&Version=2011-06-15");
        let sessions = || std::iter::from_fn(session).map(|(_, answer)| answer).collect::<Vec<_>>();
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..4).map(|_| scope.spawn(sessions)).collect();
            let audit = || fs::metadata(data.join("audit.jsonl")).unwrap().len();
            let before = audit();
            while audit() < before + 50_000 {
                std::thread::yield_now();
            }
            let rotated = run(dir.path(), &["keys", "rotate", "--compromised", "--data", "data"]);
            server.signal("KILL");
            assert!(rotated.status.success());
            issued.extend(clients.into_iter().flat_map(|client| client.join().unwrap()));
        });
    }
    let audit = fs::read_to_string(data.join("audit.jsonl")).unwrap();
    assert!(issued.len() > 20, "{}", issued.len());
    assert_eq!(audit.matches(r#""KeyRotate""#).count(), 5, "what the operator did is, too");
    for answer in issued {
        let id = answer["Credentials"]["AccessKeyId"].as_str().unwrap();
        assert!(audit.contains(id), "{id} was handed out");
    }
}

#[test]
fn a_log_that_was_removed_after_a_kill_is_missed_with_all_that_belongs_to_it() {
    let dir = Scratch::new("no-log");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    assert_eq!(root.call("iam", "Action=CreateUser&Version=2010-05-08&UserName=last").0, 200);
    server.signal("KILL");
    server.end();
    let removed = dir.join("removed");
    fs::create_dir(&removed).unwrap();
    let names = ["store.sqlite-wal", "store.sqlite-shm"];
    for name in names {
        fs::rename(data.join(name), removed.join(name)).unwrap();
    }
    refused(&dir, "the server did not end in order");
    for name in names {
        fs::rename(removed.join(name), data.join(name)).unwrap();
    }
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    assert_eq!(root.call("iam", "Action=GetUser&Version=2010-05-08&UserName=last").0, 200);
    server.stop();
    // An orderly end leaves no log and misses none.
    assert!(!data.join("store.sqlite-wal").exists());
    Server::start(&data).stop();
}

#[test]
fn a_first_start_that_did_not_come_to_its_end_is_gone_on_with() {
    let dir = Scratch::new("half");
    let data = dir.join("data");
    Server::start(&data).stop();
    // As after a crash between the file with root's key and the account.
    let (master, credentials) =
        (fs::read(data.join("master-key")).unwrap(), fs::read(data.join("root-credentials")).unwrap());
    remove_store(&data);
    fs::write(data.join("first-start"), "").unwrap();
    fs::write(data.join("audit.jsonl"), "").unwrap();
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    assert_eq!(root.call("sts", "Action=GetCallerIdentity&Version=2011-06-15").0, 200);
    server.stop();
    assert_eq!(fs::read(data.join("master-key")).unwrap(), master);
    assert_ne!(fs::read(data.join("root-credentials")).unwrap(), credentials);
    assert!(!data.join("first-start").exists());
    assert!(!Server::start(&data).banner.contains("AKIA"), "no account is made again");
}

#[test]
fn a_first_start_may_be_given_its_master_key() {
    let dir = Scratch::new("given");
    let key = "c29tZSBvdGhlciBtYXN0ZXIga2V5LCAzMiBieXRlcyE=";
    let data = dir.join("data");
    let with_key = || {
        let mut command = daypass(dir.path());
        command.arg("serve").env("DAYPASS_MASTER_KEY", key);
        command
    };
    Server::start_with(&mut with_key(), &data).stop();
    Server::start_with(&mut with_key(), &data).stop();
    assert!(!data.join("master-key").exists());
}

#[test]
fn a_key_that_the_store_never_knew_is_left_where_it_is() {
    let dir = Scratch::new("unknown");
    let data = dir.join("data");
    Server::start(&data).stop();
    let file = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n";
    fs::write(data.join("root-credentials"), file).unwrap();
    let server = Server::start(&data);
    run(dir.path(), &["account", "list", "--data", "data"]);
    server.stop();
    assert_eq!(fs::read_to_string(data.join("root-credentials")).unwrap(), file);
}

#[test]
fn root_gets_a_new_key_from_the_operator() {
    let dir = Scratch::new("root-key");
    let data = dir.join("data");
    let server = Server::start(&data);
    let first = Client::root(&server, &data);
    let account = first.call("sts", "Action=GetCallerIdentity&Version=2011-06-15").1["Account"].clone();
    let account = account.as_str().unwrap();
    let ask = |more: &[&str]| {
        let args = [&["account", "root-key", "--data", "data", "--account-id", account], more].concat();
        run(dir.path(), &args)
    };
    let holder_of = |file: &str| Client::root_in(&server, Path::new(file));
    let works = |client: &Client| client.call("iam", "Action=ListUsers&Version=2010-05-08").0 == 200;
    let file = printed(&ask(&[]), "credentials");
    let second = holder_of(&file);
    assert!(works(&second));
    assert_eq!(mode(Path::new(&file)), 0o600);

    // Two are all that root may have, as on AWS.
    let line = failed(&ask(&[]));
    assert!(line.contains(&first.access_key_id) && line.contains("--replace"), "{line}");
    let third = holder_of(&printed(&ask(&["--replace"]), "credentials"));
    assert!(works(&third) && !works(&second));
    assert_eq!(first.call("iam", "Action=ListUsers&Version=2010-05-08").0, 403);

    for bad in ["999999999999", "12"] {
        failed(&run(dir.path(), &["account", "root-key", "--data", "data", "--account-id", bad]));
    }
    let secret = third.secret_access_key.clone();
    server.stop();
    let audit = fs::read_to_string(data.join("audit.jsonl")).unwrap();
    assert!(!audit.contains(&secret));
    let events: Vec<serde_json::Value> =
        audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let asked: Vec<_> = events.iter().filter(|event| event["eventName"] == "AccountRootKey").collect();
    assert_eq!(asked.len(), 5, "what the operator does is audited, refused or not");
    assert!(asked[0]["serviceEventDetails"].as_str().unwrap().starts_with(account));
}

#[test]
fn a_backup_under_writes_has_everything_that_was_acknowledged_before_it() {
    let dir = Scratch::new("backup");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    let make = |name: &str| {
        root.call("iam", &format!("Action=CreateUser&Version=2010-05-08&UserName={name}")).0 == 200
    };
    let acknowledged: Vec<String> = (0..10).map(|n| format!("before-{n}")).collect();
    assert!(acknowledged.iter().all(|name| make(name)));
    let stop = AtomicBool::new(false);
    let made = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !stop.load(Ordering::SeqCst) && make(&format!("beside-{n}")) {
                n += 1;
            }
        });
        // Relative to where the operator stands.
        let made = run(dir.path(), &["backup", "copy.sqlite", "--data", "data"]);
        stop.store(true, Ordering::SeqCst);
        made
    });
    let copy = dir.join("copy.sqlite");
    assert_eq!(printed(&made, "backup"), copy.canonicalize().unwrap().display().to_string());
    assert_eq!(mode(&copy), 0o600);
    let bytes = fs::read(&copy).unwrap();
    assert!(
        failed(&run(dir.path(), &["backup", "copy.sqlite", "--data", "data"])).contains("exists already")
    );
    assert_eq!(fs::read(&copy).unwrap(), bytes);
    server.stop();

    let restored = dir.join("restored");
    fs::create_dir(&restored).unwrap();
    fs::copy(&copy, restored.join("store.sqlite")).unwrap();
    fs::copy(data.join("master-key"), restored.join("master-key")).unwrap();
    let server = Server::start(&restored);
    let root = Client::root(&server, &data);
    for name in &acknowledged {
        assert_eq!(
            root.call("iam", &format!("Action=GetUser&Version=2010-05-08&UserName={name}")).0,
            200,
            "{name}"
        );
    }
    server.stop();
    let audit = fs::read_to_string(data.join("audit.jsonl")).unwrap();
    let told = audit.lines().filter(|line| line.contains("\"eventName\":\"Backup\"")).count();
    assert_eq!(told, 2);
}

#[test]
fn the_operators_commands_go_by_the_servers_settings() {
    let dir = Scratch::new("operator-settings");
    fs::write(dir.join("daypass.toml"), "data = \"from-file\"\n").unwrap();
    let server = Server::start(&dir.join("from-file"));
    assert_eq!(printed(&run(dir.path(), &["account", "list"]), "").len(), 12);
    run(dir.path(), &["backup", "copy"]);
    assert!(dir.join("copy").exists());
    server.stop();
}

#[test]
fn whoever_removes_the_lock_file_lets_no_second_server_in() {
    let dir = Scratch::new("unlocked");
    let data = dir.join("data");
    let server = Server::start(&data);
    fs::remove_file(data.join("daypass.lock")).unwrap();
    assert!(failed(&run(dir.path(), &SERVE)).contains("in use by another daypass"));
    server.stop();
}

#[test]
fn what_is_open_to_others_is_warned_of_at_start() {
    let dir = Scratch::new("open");
    let data = dir.join("data");
    Server::start(&data).stop();
    let open = |name: &str, mode| {
        fs::set_permissions(data.join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    open("", 0o777);
    for name in ["master-key", "store.sqlite", "root-credentials", "audit.jsonl"] {
        open(name, 0o644);
    }
    let (_, log) = Server::start(&data).stop();
    assert_eq!(log.matches("open to others").count(), 5, "{log}");
    for name in ["store.sqlite", "root-credentials", "audit.jsonl", "mode=\"777\""] {
        assert!(log.contains(name), "{name}: {log}");
    }
}

#[test]
fn health_and_metrics_tell_of_store_audit_and_version() {
    let dir = Scratch::new("condition");
    let server = Server::start(&dir.join("data"));
    let ready = server.admin("/readyz");
    for line in ["store: followed to revision 2\n", "store: written\n", "audit: written\n"] {
        assert!(ready.contains(line), "{ready}");
    }
    let metrics = server.admin("/metrics");
    for line in [
        "daypass_store_followed 1.0\n",
        "daypass_store_writable 1.0\n",
        "daypass_audit_writable 1.0\n",
        &format!("daypass_build_info{{version=\"{}\"}} 1\n", env!("CARGO_PKG_VERSION")),
        "daypass_start_time_seconds 1",
    ] {
        assert!(metrics.contains(line), "{line}{metrics}");
    }
}
