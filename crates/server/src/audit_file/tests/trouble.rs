//! What the audit does and says when something beside it fails: the end on a full disk, standard output, paths that
//! are no files, and the log.

use super::*;

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
