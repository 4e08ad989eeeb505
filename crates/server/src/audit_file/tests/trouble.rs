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
