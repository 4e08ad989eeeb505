//! Files of somebody else's under the names beside the audit: a server takes nothing from them.

use super::*;

/// What is there, in order of names.
fn contents(dir: &Dir) -> Vec<(String, Vec<u8>)> {
    let names = dir.0.names().into_iter().filter(|name| name.starts_with("audit.jsonl."));
    names.map(|name| (name.clone(), std::fs::read(dir.0.join(&name)).unwrap())).collect()
}

#[test]
fn names_beside_the_audit_are_taken_by_what_is_not_ours() {
    const THEIRS: &str = "a line of theirs\n";
    let filler = {
        let dir = Dir::new("filler");
        drop(Stepped::open(&dir, RealDisk, 1 << 20, None));
        std::fs::read(dir.0.join("audit.jsonl.reserve")).unwrap()
    };
    let half = [&filler[..filler.len() / 2], &[0; 4096]].concat();
    let line = format!("{OURS}1.08\"}}\n");
    for (end, text, is_taken) in [
        ("reserve", THEIRS.as_bytes(), true),
        ("reserve", &filler, false),
        ("reserve", &half, false),
        ("reserve", &[0; 5000], false),
        ("reserve", &vec![0; filler.len()], false),
        ("reserve", &vec![0; filler.len() + 1], true),
        ("reserve", &[&filler[..], b"more"].concat(), true),
        ("reserve", b"", false),
        ("next", THEIRS.as_bytes(), true),
        ("next", line.as_bytes(), true),
        ("next", b"", false),
        ("2", THEIRS.as_bytes(), true),
        ("2", line.as_bytes(), false),
        ("2", b"", false),
        ("2", b"\0\0\0 the end of a line\n", true),
        ("2", &[&[0; 4096][..], b" the end of a line\n"].concat(), false),
        ("2", b"\0\0\0", false),
        ("4", THEIRS.as_bytes(), false),
        ("old", THEIRS.as_bytes(), false),
    ] {
        let dir = Dir::new("taken");
        let path = dir.0.join(&format!("audit.jsonl.{end}"));
        std::fs::write(&path, text).unwrap();
        let taken = taken_beside(&dir.0.join("audit.jsonl"), 3);
        assert_eq!(taken, is_taken.then_some(path), "{end}: {:?}", text.get(..20));
    }
}

/// A link and a directory with the name of a rotated file: a start tells of it, and rotating moves neither.
#[test]
fn what_is_no_file_has_no_name_of_a_rotated_one() {
    let make: [fn(&Path); 3] = [
        |path| std::os::unix::fs::symlink("/nowhere", path).unwrap(),
        |path| std::fs::create_dir(path).unwrap(),
        |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap()),
    ];
    for (n, make) in make.into_iter().enumerate() {
        let dir = Dir::new("no-file");
        let path = dir.0.join("audit.jsonl.1");
        let mut stepped = Stepped::open(&dir, RealDisk, 8, None);
        make(&path);
        let kind = path.symlink_metadata().unwrap().file_type();
        assert_eq!(taken_beside(&dir.0.join("audit.jsonl"), 3), Some(path.clone()), "{n}");
        for _ in 0..3 {
            stepped.told(OURS);
            stepped.turn();
        }
        stepped.audit.remove_beyond_kept();
        assert_eq!(path.symlink_metadata().unwrap().file_type(), kind, "{n}");
        assert!(!dir.0.names().contains(&"audit.jsonl.2".to_owned()), "{n}: {:?}", dir.0.names());
        assert_eq!(dir.lines().len(), 3, "{n}: it grows on");
    }
}

#[test]
fn nothing_of_somebody_elses_is_removed_or_moved_or_added_to() {
    for (end, is_told) in [("reserve", true), ("next", false), ("2", false), ("17", false)] {
        let dir = Dir::new("theirs");
        std::fs::write(dir.0.join(&format!("audit.jsonl.{end}")), "a line of theirs\n").unwrap();
        let before = contents(&dir);
        let mut stepped = Stepped::open(&dir, RealDisk, 8, None);
        stepped.audit.remove_beyond_kept();
        let health = stepped.audit.health();
        assert_eq!(health.is_err(), is_told, "{end}");
        assert!(!is_told || health.unwrap_err().contains("is somebody else's file; move it away"));
        for _ in 0..if end == "17" { 1 } else { 4 } {
            stepped.told(OURS);
            stepped.turn();
        }
        let left = contents(&dir);
        assert!(before.iter().all(|file| left.contains(file)), "{end}: {:?}", dir.0.names());
    }
}

/// Between making the next file and giving it its name.
#[test]
fn a_rotation_that_a_crash_cut_short_is_made_again() {
    let dir = Dir::new("cut-rotation");
    std::fs::write(dir.0.join("audit.jsonl.next"), "").unwrap();
    let mut stepped = Stepped::open(&dir, RealDisk, 8, None);
    for _ in 0..2 {
        stepped.told(OURS);
        stepped.turn();
    }
    assert!(dir.0.join("audit.jsonl.1").exists() && !dir.0.join("audit.jsonl.next").exists());
}
