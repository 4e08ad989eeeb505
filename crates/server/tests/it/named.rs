//! Files, directories and ports that a setting names and that are somebody else's, or something else of ours: nothing is taken
//! from them.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::binary::{Scratch, Server, daypass, run};
use crate::preflight::{PORTS, problem};
use crate::recovery::failed;

const OURS: &str = "{\"eventVersion\":\"1.08\"}\n";

#[test]
fn a_start_that_is_refused_removes_no_audit_and_one_that_is_not_removes_its_own() {
    let dir = Scratch::new("named-old");
    let data = dir.join("data");
    Server::start(&data).stop();
    let [ours, theirs] = ["audit.jsonl.8", "audit.jsonl.9"].map(|name| data.join(name));
    fs::write(&ours, OURS).unwrap();
    fs::write(&theirs, "a line of theirs\n").unwrap();
    let mut serve = daypass(dir.path());
    serve.args(["serve", "--data", "data", "--audit-keep", "2"]).args(PORTS);
    let line = failed(&serve.env("DAYPASS_ACCOUNT_ID", "222233334444").output().unwrap());
    assert!(line.contains("ACCOUNT_ID differs") && ours.exists(), "{line}");
    Server::start_with(daypass(dir.path()).args(["serve", "--audit-keep", "2"]), &data).stop();
    assert!(!ours.exists());
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "a line of theirs\n");
}

#[test]
fn a_line_that_lacks_its_end_only_is_kept() {
    let dir = Scratch::new("named-end");
    let data = dir.join("data");
    Server::start(&data).stop();
    let audit = data.join("audit.jsonl");
    fs::write(&audit, OURS.repeat(2).trim_end()).unwrap();
    Server::start(&data).stop();
    assert!(fs::read_to_string(&audit).unwrap().starts_with(&OURS.repeat(2)));
}

#[test]
fn a_backup_gets_no_name_that_the_server_gives() {
    let dir = Scratch::new("named-backup");
    let data = dir.join("data");
    let server = Server::start(&data);
    std::os::unix::fs::symlink(&data, dir.join("way")).unwrap();
    let backup = |name: &str| run(dir.path(), &["backup", name, "--data", "data"]);
    for name in [
        "first-start",
        "master-key.next",
        "master-key.unfinished",
        "restoring",
        "sessions.jsonl.1",
        "audit.jsonl.next",
        "demo-data",
        "store.sqlite-journal",
        "store.sqlite.new",
        "store.sqlite.partial",
    ] {
        for way in ["data", "way"] {
            let line = failed(&backup(&format!("{way}/{name}")));
            assert!(line.contains("is a name of the data directory's own"), "{line}");
        }
        assert!(!data.join(name).exists(), "{name}");
    }
    assert!(backup("data/mine").status.success(), "{:?}", backup("data/other"));
    server.stop();
    Server::start(&data).stop();
}

#[test]
fn a_backup_gets_no_name_of_an_audit_that_lies_elsewhere() {
    let dir = Scratch::new("named-beside");
    let mut serve = daypass(dir.path());
    let server = Server::start_with(serve.args(["serve", "--audit-file", "lines"]), &dir.join("data"));
    std::os::unix::fs::symlink(dir.path(), dir.join("way")).unwrap();
    for name in ["lines.1", "lines.16", "lines.next", "way/lines.2"] {
        let line = failed(&run(dir.path(), &["backup", name, "--data", "data"]));
        assert!(line.contains("is a name of the audit's files") && !dir.join(name).exists(), "{line}");
    }
    for name in ["lines.old", "data/lines.1"] {
        assert!(run(dir.path(), &["backup", name, "--data", "data"]).status.success(), "{name}");
    }
    server.stop();
}

fn restore(dir: &Scratch, audit: &str) -> Output {
    run(dir.path(), &["restore", "copy", "--data", "new", "--audit-file", audit])
}

#[test]
fn a_restore_writes_its_audit_into_nothing_else() {
    let dir = Scratch::new("named-restore");
    let server = Server::start(&dir.join("data"));
    assert!(run(dir.path(), &["backup", "copy", "--data", "data"]).status.success());
    server.stop();
    for name in ["store.sqlite", "master-key.next", "operator.sock", "first-start"] {
        let line = failed(&restore(&dir, &format!("new/{name}")));
        assert!(line.contains("would be another file of the data directory"), "{line}");
        assert!(!dir.join("new").exists(), "nothing is made");
    }
    fs::write(dir.join("lines.reserve"), "theirs").unwrap();
    let line = failed(&restore(&dir, "lines"));
    assert!(line.contains("lines.reserve` is not of this audit") && !dir.join("new").exists(), "{line}");
    assert_eq!(fs::read_to_string(dir.join("lines.reserve")).unwrap(), "theirs");
    fs::create_dir(dir.join("new")).unwrap();
    fs::copy(dir.join("data/master-key"), dir.join("new/master-key")).unwrap();
    assert!(restore(&dir, "new/audit.jsonl").status.success());
}

/// The problem that the doctor finds of a directory, asked with the ports of a server on another.
fn told_at(dir: &Scratch, data: &str, listen: &str) -> String {
    let mut doctor = daypass(dir.path());
    doctor.args(["doctor", "--data", data, "--listen", listen, "--admin-listen", "127.0.0.1:0"]);
    problem(&mut doctor)
}

#[test]
fn a_port_that_the_server_of_another_directory_has_is_taken() {
    let dir = Scratch::new("named-port");
    let server = Server::start(&dir.join("first"));
    let args = ["serve", "--data", "second", "--listen", &server.address, "--admin-listen", "127.0.0.1:0"];
    let line = failed(&run(dir.path(), &args));
    assert!(line.contains("the port is taken by another server (daypass "), "{line}");
    let told = told_at(&dir, "second", &server.address);
    assert!(told.contains("is another server's (daypass ") && told.contains("ss -ltnp"), "{told}");
    server.stop();
}

#[test]
fn an_audit_that_somebody_shares_is_told_of() {
    let dir = Scratch::new("named-shared");
    let data = dir.join("data");
    Server::start(&data).stop();
    let audit = data.join("audit.jsonl");
    let _shared = fs::File::open(&audit).inspect(|audit| audit.try_lock_shared().unwrap()).unwrap();
    failed(&run(dir.path(), &[&["serve", "--data", "data"], &PORTS[..]].concat()));
    let me = format!(" {} ", std::process::id());
    // Not every kernel says who holds a lock.
    if fs::read_to_string("/proc/locks").is_ok_and(|locks| locks.contains(&me)) {
        let told = told_at(&dir, "data", "127.0.0.1:0");
        assert!(told.contains("is locked by process ") && told.contains("ps -o pid,user,args -p "), "{told}");
    }
}

/// Only where the file system can make a file that nothing is added to, and only for root.
#[test]
fn an_audit_that_nothing_can_be_added_to_is_told_of() {
    let dir = Scratch::new("named-immutable");
    let data = dir.join("data");
    Server::start(&data).stop();
    let audit = data.join("audit.jsonl");
    let change = |flag: &str, audit: &Path| {
        let changed = std::process::Command::new("chattr").arg(flag).arg(audit).output();
        changed.is_ok_and(|changed| changed.status.success())
    };
    if !change("+i", &audit) {
        return;
    }
    let refused = run(dir.path(), &[&["serve", "--data", "data"], &PORTS[..]].concat());
    let mut doctor = daypass(dir.path());
    let told = doctor.args(["doctor", "--data", "data"]).args(PORTS).output().unwrap();
    assert!(change("-i", &audit));
    failed(&refused);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("PROBLEM  start     the audit file `data/audit.jsonl` cannot be opened"), "{told}");
}
