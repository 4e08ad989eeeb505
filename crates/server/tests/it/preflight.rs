//! What is in the way of a start: a start that is refused and a doctor that looks take nothing from the next start, and the
//! doctor tells of whatever a start refuses.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::binary::{Scratch, Server, daypass, daypass_after};
use crate::client::Client;
use crate::recovery::failed;

pub const PORTS: [&str; 4] = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];

/// A server that made a user and was killed.
fn killed(data: &Path) {
    let server = Server::start(data);
    let root = Client::root(&server, data);
    assert_eq!(root.call("iam", "Action=CreateUser&Version=2010-05-08&UserName=last").0, 200);
    server.signal("KILL");
    server.end();
}

/// Both ways to ask: the line of a start that is refused, and the one problem that the doctor finds.
pub fn both(dir: &Scratch, script: &str, variables: &[(&str, &str)], more: &[&str]) -> (String, String) {
    let ask = |word: &str| {
        let mut command = daypass_after(dir.path(), script);
        command.args([word, "--data", "data"]).args(PORTS).args(more).envs(variables.iter().copied());
        command
    };
    (failed(&ask("serve").output().unwrap()), problem(&mut ask("doctor")))
}

pub fn problem(doctor: &mut Command) -> String {
    let output = doctor.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let problems = text.matches("PROBLEM").count();
    assert_eq!(output.status.code(), Some(i32::from(problems > 0)), "{text}");
    assert!(problems < 2, "{text}");
    text.split_once("PROBLEM").map(|(_, problem)| problem.to_owned()).unwrap_or_default()
}

#[test]
fn a_start_that_is_refused_after_a_kill_takes_nothing_from_the_next() {
    for (variable, audit, is_taken) in [
        (None, "/nowhere/audit.jsonl", false),
        (Some("222233334444"), "audit.jsonl", false),
        (None, "audit.jsonl", true),
    ] {
        let dir = Scratch::new("refused-after-kill");
        let data = dir.join("data");
        killed(&data);
        let sessions = data.join("sessions.jsonl");
        if is_taken {
            fs::remove_file(&sessions).unwrap();
            fs::create_dir(&sessions).unwrap();
        }
        let mut start = daypass(dir.path());
        start.args(["serve", "--data", "data", "--audit-file", audit]).args(PORTS);
        start.envs(variable.map(|account| ("DAYPASS_ACCOUNT_ID", account)));
        let line = failed(&start.output().unwrap());
        assert!(!line.contains("is gone"), "{line}");
        if is_taken {
            fs::remove_dir(&sessions).unwrap();
        }
        let server = Server::start(&data);
        let root = Client::root(&server, &data);
        assert_eq!(root.call("iam", "Action=GetUser&Version=2010-05-08&UserName=last").0, 200, "{line}");
        server.stop();
    }
}

#[test]
fn a_doctor_after_a_kill_takes_nothing_from_the_next_start() {
    let dir = Scratch::new("doctor-after-kill");
    let data = dir.join("data");
    killed(&data);
    Server::start(&data).stop();
    // Nothing is written between this start and its end: its log is there, and empty.
    let server = Server::start(&data);
    server.signal("KILL");
    server.end();
    let files = || {
        let paths = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).ok())).collect();
        files.sort();
        files
    };
    let before = files();
    fs::create_dir(dir.join("copies")).unwrap();
    for _ in 0..2 {
        let mut doctor = daypass(dir.path());
        doctor.args(["doctor", "--data", "data"]).args(PORTS).env("TMPDIR", dir.join("copies"));
        assert_eq!(problem(&mut doctor), "");
        assert!(files() == before, "nothing is changed");
        assert_eq!(fs::read_dir(dir.join("copies")).unwrap().count(), 0, "nothing is left");
    }
    let mut doctor = daypass(dir.path());
    doctor.args(["doctor", "--data", "data"]).args(PORTS).env("TMPDIR", dir.join("nowhere"));
    let told = String::from_utf8(doctor.output().unwrap().stdout).unwrap();
    assert!(told.contains("no copy of it can be made in ") && problem(&mut doctor).is_empty(), "{told}");
    Server::start(&data).stop();
}

#[test]
fn the_doctor_tells_of_whatever_a_start_refuses() {
    let dir = Scratch::new("refused-told");
    let data = dir.join("data");
    Server::start(&data).stop();
    let key = [("DAYPASS_ROOT_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")];
    for (script, variables, more, words, paste) in [
        (
            "true",
            &[("DAYPASS_PUBLIC_URI", "x")][..],
            &[][..],
            "URI is no setting",
            "unset DAYPASS_PUBLIC_URI",
        ),
        ("ulimit -n 40", &[], &[], "only 40 files may be open", "sudo prlimit --pid $$"),
        (
            "true",
            &[("DAYPASS_ACCOUNT_ID", "222233334444")],
            &[],
            "ACCOUNT_ID differs",
            "unset DAYPASS_ACCOUNT_ID",
        ),
        ("true", &key, &[], "together, or neither", "unset DAYPASS_ACCOUNT_ID"),
        ("true", &[], &["--audit-file", "/dev/null"], "is not a regular file", "ls -ld /dev/null"),
    ] {
        let (refused, told) = both(&dir, script, variables, more);
        assert!(refused.contains(words) && told.contains(words), "{refused}{told}");
        assert!(told.contains(paste), "{told}");
    }
    let sessions = data.join("sessions.jsonl");
    fs::rename(&sessions, dir.join("sessions")).unwrap();
    fs::create_dir(&sessions).unwrap();
    let (refused, told) = both(&dir, "true", &[], &[]);
    let words = "sessions.jsonl` is not a regular file";
    assert!(refused.contains(words) && told.contains(words), "{refused}{told}");
    assert!(told.contains("mv -T -n data/sessions.jsonl data/sessions.jsonl.old"), "{told}");
    fs::remove_dir(&sessions).unwrap();
    fs::rename(data.join("store.sqlite"), dir.join("elsewhere")).unwrap();
    symlink(dir.join("elsewhere"), data.join("store.sqlite")).unwrap();
    let ask = |word| daypass(dir.path()).args([word, "--data", "data"]).args(PORTS).output().unwrap();
    let (refused, doctor) = (failed(&ask("serve")), ask("doctor"));
    let (told, words) =
        (String::from_utf8(doctor.stdout).unwrap(), "it is a link; move the file itself here");
    assert!(refused.contains(words) && told.contains(words), "{refused}{told}");
    // As one of the store, and as one of what is in the data directory.
    assert_eq!((doctor.status.code(), told.matches("PROBLEM").count()), (Some(1), 2), "{told}");
    fs::rename(dir.join("elsewhere"), data.join("store.sqlite")).unwrap();
    Server::start(&data).stop();
}

#[test]
fn the_doctor_misses_a_log_as_a_start_does() {
    let dir = Scratch::new("log-missed");
    let data = dir.join("data");
    killed(&data);
    for name in ["store.sqlite-wal", "store.sqlite-shm"] {
        fs::remove_file(data.join(name)).unwrap();
    }
    for _ in 0..2 {
        let (refused, told) = both(&dir, "true", &[], &[]);
        let words = "is gone, and the server did not end in order";
        assert!(refused.contains(words) && told.contains(words), "{refused}{told}");
        assert!(told.contains("/data.new/master-key && daypass restore BACKUP --data /"), "{told}");
    }
}
