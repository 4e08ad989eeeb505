//! What the audit does and says when something beside it fails: the end on a full disk, standard output, paths that
//! are no files, and the log.

use std::sync::Condvar;

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
fn what_is_no_regular_file_is_refused_and_not_waited_for() {
    for (kind, why) in [
        ("device", "it is not a regular file ("),
        ("directory", "Is a directory"),
        ("pipe", "it is not a regular file ("),
    ] {
        let dir = Dir::new(kind);
        let path = dir.0.join("audit.jsonl");
        let mut settings = settings(dir.0.path(), 1 << 20);
        match kind {
            "device" => settings.path = "/dev/full".into(),
            "directory" => std::fs::create_dir(&path).unwrap(),
            _ => assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success()),
        }
        let told = refused(settings);
        assert!(told.contains(why) && told.contains("--audit-stdout"), "{kind}: {told}");
        assert!(!dir.has_reserve(), "{kind}: nothing is left beside it");
    }
}

fn refused(settings: AuditSettings) -> String {
    let opened = AuditFile::parts(settings, Box::new(RealDisk), None, Duration::ZERO);
    opened.err().unwrap().to_string()
}

#[test]
fn links_in_the_place_of_the_audit_and_its_reserve_are_not_followed() {
    let dir = Dir::new("links");
    let [audit, reserve, precious, none] =
        ["audit.jsonl", "audit.jsonl.reserve", "precious", "none"].map(|name| dir.0.join(name));
    std::fs::write(&precious, "a line\nhalf a line").unwrap();
    for target in [&precious, &none] {
        std::os::unix::fs::symlink(target, &audit).unwrap();
        let told = refused(settings(dir.0.path(), 1 << 20));
        assert!(told.starts_with("it is a link; put the file itself there ("), "{told}");
        std::fs::remove_file(&audit).unwrap();
    }
    for target in [&precious, &none] {
        std::os::unix::fs::symlink(target, &reserve).unwrap();
        drop(Stepped::open(&dir, RealDisk, 1 << 20, None));
        assert!(reserve.symlink_metadata().unwrap().is_file(), "the room is kept in a file of its own");
        std::fs::remove_file(&reserve).unwrap();
    }
    assert_eq!(dir.text("precious"), "a line\nhalf a line");
    assert!(!none.exists());
}

#[test]
fn what_a_lowered_bound_leaves_goes_at_start_and_with_the_next_rotation() {
    let dir = Dir::new("lowered");
    let old = dir.0.join("audit.jsonl.9");
    std::fs::write(&old, OURS).unwrap();
    let mut stepped = Stepped::open(&dir, RealDisk, 8, None);
    assert!(old.exists(), "the start may come to nothing");
    stepped.audit.remove_beyond_kept();
    assert!(!old.exists(), "three are kept");
    std::fs::write(&old, OURS).unwrap();
    stepped.told(OURS);
    stepped.turn();
    assert!(old.exists(), "nothing was rotated");
    stepped.told("second");
    stepped.turn();
    assert!(!old.exists() && dir.0.join("audit.jsonl.1").exists());
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

/// Standard output that takes nothing until it is let.
#[derive(Clone, Default)]
struct Stalled {
    goes_on: Arc<(Mutex<bool>, Condvar)>,
    taken: Echo,
}

impl io::Write for Stalled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (goes_on, told) = &*self.goes_on;
        drop(told.wait_while(goes_on.lock().unwrap(), |goes_on| !*goes_on).unwrap());
        self.taken.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stalled_standard_output_holds_up_neither_the_file_nor_the_end() {
    const TURNS: usize = echo::BATCHES_MAX + 8;
    let dir = Dir::new("stalled");
    let stalled = Stalled::default();
    let (audit, mut writer, queue) = AuditFile::parts(
        settings(dir.0.path(), 1 << 20),
        Box::new(RealDisk),
        Some(Box::new(stalled.clone())),
        Duration::ZERO,
    )
    .unwrap();
    let log = logged(|| {
        for n in 0..TURNS {
            assert!(audit.append(format!("{n}\n"), 0));
            assert!(writer.turn(&queue));
        }
    });
    assert_eq!(dir.lines().len(), TURNS, "the file has everything");
    assert_eq!(log.matches("standard output does not take every audit line").count(), 1, "{log}");
    let (goes_on, told) = &*stalled.goes_on;
    *goes_on.lock().unwrap() = true;
    told.notify_all();
    let log = logged(|| writer.end());
    let taken = stalled.taken.0.lock().unwrap().iter().filter(|byte| **byte == b'\n').count();
    assert!((echo::BATCHES_MAX..TURNS).contains(&taken), "{taken}");
    assert!(log.contains(&format!("lines={}", TURNS - taken)), "what is missing is counted: {log}");
}

#[test]
fn lines_that_were_not_kept_are_told() {
    let dir = Dir::new("lost");
    let mut stepped = Stepped::open(&dir, RealDisk, 1 << 30, None);
    stepped.audit.reserve(ROOM_UNRESERVED).unwrap();
    for _ in 0..3 {
        assert!(!stepped.told("a read in front of a disk that is far behind"));
    }
    assert!(stepped.audit.append("a write\n".into(), ROOM_UNRESERVED));
    let log = logged(|| stepped.turn());
    assert!(log.contains("missing in it") && log.contains("lost=3"), "{log}");
    assert!(stepped.told("a read"));
    assert!(!logged(|| stepped.turn()).contains("lost="), "said once");
}

/// A disk whose write does not return until the test has asked how the audit is.
struct Hanging(Arc<(Mutex<bool>, Condvar)>);

impl Disk for Hanging {
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        let (asked, told) = &*self.0;
        drop(told.wait_while(asked.lock().unwrap(), |asked| !*asked).unwrap());
        io::Write::write(file, bytes)
    }
}

#[test]
fn a_disk_that_does_not_answer_is_told_after_a_while() {
    let dir = Dir::new("hanging");
    let gate = Arc::new((Mutex::new(true), Condvar::new()));
    let mut stepped = Stepped::open(&dir, Hanging(gate.clone()), 1 << 20, None);
    assert!(stepped.told("first"));
    *gate.0.lock().unwrap() = false;
    let Stepped { audit, writer, queue } = &mut stepped;
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || writer.turn(queue));
        let began = loop {
            let since = *lock(&audit.shared.waiting_since);
            let Some(since) = since else {
                std::thread::yield_now();
                continue;
            };
            break since;
        };
        assert_eq!(audit.health_at(began + Duration::from_secs(9)), Ok(()));
        let told = audit.health_at(began + Duration::from_secs(42)).unwrap_err();
        assert_eq!(told, "lines have been waiting for the disk for 42 seconds");
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
        assert!(writing.join().unwrap());
        assert_eq!(audit.health_at(began + Duration::from_secs(42)), Ok(()));
    });
}

#[test]
fn an_orderly_end_writes_what_waited_for_the_reserve() {
    let dir = Dir::new("last");
    let disk = SmallDisk::new(&dir, 1000);
    let mut stepped = Stepped::open(&dir, disk, 1 << 20, None);
    assert!(stepped.told("read"));
    stepped.turn();
    assert!(dir.lines().is_empty(), "room for a line is not room for the reserve");
    stepped.audit.close();
    assert!(!stepped.writer.turn(&stepped.queue));
    stepped.writer.end();
    assert_eq!(dir.lines(), ["read"]);
    assert_eq!(stepped.outstanding(), 0);
}

#[test]
fn at_the_end_what_calls_relied_on_comes_first() {
    let dir = Dir::new("last-first");
    let disk = SmallDisk::new(&dir, 2 * ROOM);
    let mut stepped = Stepped::open(&dir, disk.clone(), 1 << 30, None);
    std::fs::remove_file(dir.0.join("audit.jsonl.reserve")).unwrap();
    // Another program has filled the disk but for this one line.
    disk.resize(disk.used() + 6);
    assert!(stepped.told("reads are long"));
    stepped.relied_on("write");
    stepped.audit.close();
    assert!(!stepped.writer.turn(&stepped.queue));
    assert_eq!(dir.lines(), ["write"]);
    let log = logged(|| stepped.writer.end());
    assert!(log.contains("could not be written before the end") && log.contains("lines=1"), "{log}");
}
