//! A start and the doctor ask the same of what is there: what the one refuses the other tells, in the same words, and
//! neither changes any of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::binary::{Scratch, Server, daypass, run};
use crate::preflight::{PORTS, both, problem};

/// What a first start leaves, and something done to it: the words of both.
fn refused(name: &str, prepare: impl Fn(&Path), more: &[&str]) -> String {
    let dir = Scratch::new(name);
    Server::start(&dir.join("data")).stop();
    prepare(&dir.join("data"));
    said(&dir, more)
}

fn said(dir: &Scratch, more: &[&str]) -> String {
    let (refused, told) = both(dir, "true", &[], more);
    let words = refused.trim().trim_start_matches("daypass: ");
    // Where it is told of the directory in full, and as it was asked for.
    let short = words.replace(&format!("{}/", dir.path().display()), "");
    assert!(told.contains(words) || told.contains(&short), "{refused}{told}");
    refused
}

#[test]
fn whatever_a_start_refuses_of_a_directory_is_told() {
    let make = |name: &'static str| move |data: &Path| fs::create_dir(data.join(name)).unwrap();
    for (name, what) in [
        ("first-start", "a regular file"),
        ("demo-data", "a regular file"),
        ("audit.jsonl.next", "of this audit"),
    ] {
        let line = refused("agreed-name", make(name), &[]);
        assert!(line.contains(&format!("{name}` is not {what}")), "{line}");
    }
    let file = |data: &Path| fs::write(data.join("restoring"), "").unwrap();
    assert!(refused("agreed-restoring-file", file, &[]).contains("restoring` is not a directory"));
    let theirs = |data: &Path| fs::write(data.join("audit.jsonl.3"), "a line of theirs\n").unwrap();
    assert!(refused("agreed-rotated", theirs, &[]).contains("audit.jsonl.3` is not of this audit"));
    for name in ["lines/", "lines/.", "/"] {
        let line = refused("agreed-directory", |_| {}, &["--audit-file", name]);
        assert!(line.contains("is named as a directory"), "{line}");
    }
    let reserve = |data: &Path| {
        fs::remove_file(data.join("audit.jsonl.reserve")).unwrap();
        make("audit.jsonl.reserve")(data);
    };
    assert!(refused("agreed-reserve", reserve, &[]).contains("reserve` is not of this audit"));
    assert!(refused("agreed-next-dir", make("master-key.next"), &[]).contains("master-key.next"));
    let next = |data: &Path| {
        fs::write(data.join("master-key.next"), "").unwrap();
        fs::set_permissions(data.join("master-key.next"), fs::Permissions::from_mode(0o600)).unwrap();
    };
    assert!(refused("agreed-next", next, &[]).contains("master-key.next"));
    assert!(refused("agreed-log", |_| {}, &["--log", "debgu"]).contains("is no level"));

    let lost = "is missing, but an account was made here once, as is seen from ";
    let no_key = |data: &Path| {
        ["store.sqlite", "master-key"].iter().for_each(|name| fs::remove_file(data.join(name)).unwrap());
    };
    assert!(refused("agreed-lost", no_key, &[]).contains(lost));
    let restoring = |data: &Path| {
        fs::remove_dir_all(data).unwrap();
        fs::create_dir_all(data.join("restoring")).unwrap();
    };
    assert!(refused("agreed-restoring", restoring, &[]).contains(lost));
}

#[test]
fn whatever_a_first_start_refuses_is_told_before_anything_is_made() {
    let dir = Scratch::new("agreed-first");
    fs::write(dir.join("lines"), "{\"eventVersion\":\"1.08\"}\n").unwrap();
    assert!(said(&dir, &["--audit-file", "lines"]).contains("an account was made here once"));
    fs::remove_dir_all(dir.join("data")).unwrap();
    fs::write(dir.join("none.pem"), "").unwrap();
    for bundle in ["none.pem", "nowhere.pem"] {
        assert!(said(&dir, &["--ca-bundle", bundle]).contains("give certificates in PEM"));
        assert!(!dir.join("data").exists(), "no account is made that nobody was told of");
    }
    fs::create_dir(dir.join("data")).unwrap();
    // Where the other ends at it has made the directory by then.
    fs::remove_dir_all(dir.join("data")).unwrap();
    symlink("nowhere", dir.join("data")).unwrap();
    assert!(said(&dir, &[]).contains("cannot be made"));

    let long = "x".repeat(120);
    let mut doctor = daypass(dir.path());
    let told = problem(doctor.args(["doctor", "--data", &long]).args(PORTS));
    assert!(told.contains("name a data directory with a shorter path"), "{told}");
    assert!(!dir.join(&long).exists() && !dir.join("nowhere").exists());
}

#[test]
fn what_root_refuses_of_anothers_files_is_told_to_root() {
    const SOMEBODY: u32 = 4_000_000;
    for name in ["audit.jsonl", "sessions.jsonl"] {
        let dir = Scratch::new("agreed-lent");
        let data = dir.join("data");
        Server::start(&data).stop();
        // Whoever cannot give files away is not root.
        if chown(&data, Some(SOMEBODY), None).is_err() {
            return;
        }
        for entry in fs::read_dir(&data).unwrap() {
            chown(entry.unwrap().path(), Some(SOMEBODY), None).unwrap();
        }
        fs::hard_link(data.join(name), dir.join("second")).unwrap();
        let ask = |word| run(dir.path(), &[&[word, "--data", "data"], &PORTS[..]].concat());
        let (refused, told) = (ask("serve"), ask("doctor"));
        assert!(!refused.status.success() && !told.status.success());
        for text in [refused.stderr, told.stdout] {
            let text = String::from_utf8(text).unwrap();
            assert!(text.contains(name) && text.contains("a hard link"), "{text}");
        }
    }
}

#[test]
fn a_first_start_that_was_cut_short_is_gone_on_with_and_so_it_is_told() {
    let dir = Scratch::new("agreed-begun");
    let data = dir.join("data");
    Server::start(&data).stop();
    for name in ["store.sqlite", "root-credentials", "audit.jsonl"] {
        fs::remove_file(data.join(name)).unwrap();
    }
    fs::write(data.join("first-start"), "").unwrap();
    let told = run(dir.path(), &[&["doctor", "--data", "data"], &PORTS[..]].concat());
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(told.status.success() && text.contains("the next one goes on with it"), "{text}");
    Server::start(&data).stop();
}

/// The store was made, and no account in it yet.
#[test]
fn a_store_without_an_account_is_lost_unless_a_first_start_is_under_way() {
    let dir = Scratch::new("agreed-empty");
    let data = dir.join("data");
    Server::start(&data).stop();
    for name in ["store.sqlite", "root-credentials", "audit.jsonl"] {
        fs::remove_file(data.join(name)).unwrap();
    }
    drop(daypass_store::SqliteStore::open(&data.join("store.sqlite")).unwrap());
    let told = problem(daypass(dir.path()).args(["doctor", "--data", "data"]).args(PORTS));
    assert!(told.contains("holds nothing under"), "{told}");
    fs::write(data.join("first-start"), "").unwrap();
    let told = run(dir.path(), &[&["doctor", "--data", "data"], &PORTS[..]].concat());
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(told.status.success() && text.contains("no account in it: a first start did not come"), "{text}");
    Server::start(&data).stop();
}

/// SQLite would write it into a backup that was put here by hand.
#[test]
fn a_journal_beside_a_backup_is_told_of() {
    let dir = Scratch::new("agreed-journal");
    let data = dir.join("data");
    let server = Server::start(&data);
    assert!(run(dir.path(), &["backup", "copy", "--data", "data"]).status.success());
    server.stop();
    fs::rename(dir.join("copy"), data.join("store.sqlite")).unwrap();
    fs::write(data.join("store.sqlite-journal"), [0xd9; 4096]).unwrap();
    assert!(said(&dir, &[]).contains("store.sqlite-journal` is no server's"));
}

#[test]
fn a_file_that_is_no_audit_is_neither_cut_nor_added_to() {
    let dir = Scratch::new("agreed-audit");
    let data = dir.join("data");
    let server = Server::start(&data);
    assert!(run(dir.path(), &["backup", "copy", "--data", "data"]).status.success());
    server.stop();
    fs::write(dir.join("notes"), "one\ntwo, and no end of the line").unwrap();
    // Of a JSON document, and of whatever a tool left.
    fs::write(dir.join("policy.json"), "{\n  \"Version\": \"2012-10-17\"\n}\n").unwrap();
    fs::write(dir.join("empty-line"), "\nname = value\n").unwrap();
    fs::write(dir.join("brace"), "{").unwrap();
    for name in [
        "data/master-key",
        "data/store.sqlite",
        "data/sessions.jsonl",
        "data/daypass.lock",
        "copy",
        "notes",
        "policy.json",
        "empty-line",
        "brace",
    ] {
        let before = fs::read(dir.join(name)).unwrap();
        let line = said(&dir, &["--audit-file", name]);
        assert!(line.contains("nothing was changed"), "{line}");
        let same = name == "data/daypass.lock" || fs::read(dir.join(name)).unwrap() == before;
        assert!(same, "{name}");
    }
    Server::start(&data).stop();
}

#[test]
fn two_servers_do_not_share_an_audit() {
    let dir = Scratch::new("agreed-shared");
    let first =
        Server::start_with(daypass(dir.path()).args(["serve", "--audit-file", "lines"]), &dir.join("first"));
    let asked = ["--data", "data", "--audit-file", "lines"];
    Server::start_with(daypass(dir.path()).args(["serve", "--audit-file", "other"]), &dir.join("data"))
        .stop();
    let refused = run(dir.path(), &[&["serve"], &asked[..], &PORTS].concat());
    let line = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && line.contains("another server writes it"), "{line}");
    // Not every kernel says who holds a lock.
    if fs::read_to_string("/proc/locks").is_ok_and(|locks| locks.contains(&format!(" {} ", first.pid()))) {
        let told = problem(daypass(dir.path()).arg("doctor").args(asked).args(PORTS));
        assert!(told.contains("is written by another server"), "{told}");
        assert!(told.contains(&format!("ps -o pid,user,args -p {}", first.pid())), "{told}");
    }
    first.stop();
    Server::start_with(daypass(dir.path()).args(["serve", "--audit-file", "lines"]), &dir.join("first"))
        .stop();
}

#[test]
fn a_start_waits_for_a_doctor_that_looks() {
    let dir = Scratch::new("agreed-wait");
    let data = dir.join("data");
    Server::start(&data).stop();
    let look = fs::File::open(&data).inspect(|data| data.lock_shared().unwrap()).unwrap();
    let mut serve = daypass(dir.path());
    serve.args(["serve", "--data", "data"]).args(PORTS).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = serve.spawn().unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    assert!(log.any(|line| line.unwrap().contains("waiting for `daypass doctor`, which looks at")));
    let another = run(dir.path(), &[&["doctor", "--data", "data"], &PORTS[..]].concat());
    assert!(String::from_utf8(another.stdout).unwrap().contains("whole, at revision"), "two may look");
    drop(look);
    let ready = BufReader::new(server.stdout.take().unwrap()).lines().any(|line| line.unwrap() == "ready");
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(ready);
}

#[test]
fn a_doctor_writes_nothing_into_a_directory_and_reads_no_pipe() {
    let dir = Scratch::new("agreed-nothing");
    let data = dir.join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("mine"), "").unwrap();
    let ask = |more: &[&str]| {
        let told = run(dir.path(), &[&["doctor", "--data", "data"], &PORTS[..], more].concat());
        (told.status.success(), String::from_utf8(told.stdout).unwrap())
    };
    ask(&[]);
    assert_eq!(fs::read_dir(&data).unwrap().count(), 1);
    fs::remove_dir_all(&data).unwrap();
    Server::start(&data).stop();
    let lock = fs::read(data.join("daypass.lock")).unwrap();
    ask(&[]);
    assert_eq!(fs::read(data.join("daypass.lock")).unwrap(), lock);
    let pipe = dir.join("pipe");
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&pipe).status().unwrap().success());
    let (is_well, told) = ask(&["--master-key-file", "pipe"]);
    assert!(is_well && told.contains("the store was not looked at"), "{told}");
}

#[test]
fn a_door_that_is_gone_is_told_of() {
    let dir = Scratch::new("agreed-door");
    let server = Server::start(&dir.join("data"));
    fs::remove_file(dir.join("data/operator.sock")).unwrap();
    let mut doctor = daypass(dir.path());
    doctor.args(["doctor", "--data", "data", "--listen", "127.0.0.1:0", "--admin-listen", &server.admin]);
    let told = problem(&mut doctor);
    assert!(told.contains("operator.sock` is gone"), "{told}");
    server.stop();
}

#[test]
fn a_directory_that_another_program_holds_is_no_servers() {
    let dir = Scratch::new("agreed-held");
    let data = dir.join("data");
    Server::start(&data).stop();
    let _held = fs::File::open(&data).inspect(|data| data.try_lock().unwrap()).unwrap();
    // Of a server that does not run there is nothing to say.
    fs::remove_file(data.join("master-key")).unwrap();
    let me = format!(" {} ", std::process::id());
    if fs::read_to_string("/proc/locks").is_ok_and(|locks| locks.contains(&me)) {
        let told = problem(daypass(dir.path()).args(["doctor", "--data", "data"]).args(PORTS));
        assert!(told.contains("which is no daypass") && told.contains("ps -o pid,user,args -p "), "{told}");
    }
}
