//! What the audit does and says when something beside it fails: the end on a full disk, standard output, paths that
//! are no files, and the log.

use super::*;

/// What the log says while `act` runs on this thread.
fn logged(act: impl FnOnce()) -> String {
    let log = Echo::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, act);
    String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn what_is_no_regular_file_is_refused_before_it_is_opened() {
    for kind in ["device", "directory", "pipe"] {
        let dir = Dir::new(kind);
        let path = dir.0.join("audit.jsonl");
        match kind {
            "device" => std::os::unix::fs::symlink("/dev/full", &path).unwrap(),
            "directory" => std::fs::create_dir(&path).unwrap(),
            _ => assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success()),
        }
        let error =
            AuditFile::parts(settings(&dir.0, 1 << 20), Box::new(RealDisk), None, Duration::ZERO).err();
        let told = error.unwrap().to_string();
        assert!(told.contains("not a regular file") && told.contains("--audit-stdout"), "{kind}: {told}");
        assert!(!dir.has_reserve(), "{kind}: nothing is left beside it");
    }
}

#[test]
fn a_new_file_is_told_of_when_it_was_begun() {
    let dir = Dir::new("begun");
    let mut stepped = Stepped::open(&dir, RealDisk, 1 << 20, None);
    let path = dir.0.join("audit.jsonl");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    stepped.relied_on("write");
    let log = logged(|| {
        stepped.turn();
        stepped.turn();
    });
    assert!(!log.contains("a new one is begun"), "{log}");
    std::fs::remove_dir(&path).unwrap();
    let log = logged(|| stepped.turn());
    assert_eq!(log.matches("a new one is begun").count(), 1, "{log}");
    assert_eq!(dir.lines(), ["write"]);
}

#[test]
fn a_full_disk_and_its_end_are_logged_once_with_what_is_needed() {
    let dir = Dir::new("words");
    let disk = SmallDisk::new(&dir, 1000);
    let mut stepped = None;
    let log = logged(|| stepped = Some(Stepped::open(&dir, disk.clone(), 1 << 20, None)));
    let mut stepped = stepped.unwrap();
    let path = dir.0.join("audit.jsonl").display().to_string();
    for word in ["ERROR", "nothing is changed or issued until it can", &path, "about 17 MiB must be free"] {
        assert!(log.contains(word), "{word}: {log}");
    }
    let told = stepped.audit.health().unwrap_err();
    assert!(told.contains(&path) && told.contains("about 17 MiB"), "{told}");
    assert!(stepped.told("read"));
    assert_eq!(logged(|| stepped.turn()), "", "it is known");
    disk.resize(2 * ROOM);
    let log = logged(|| stepped.turn());
    assert!(log.contains("INFO") && log.contains("the audit is written again"), "{log}");
    assert!(stepped.told("read"));
    assert_eq!(logged(|| stepped.turn()), "");
}
