//! The lock of a data directory.

use daypass_store::{DirLock, LockError};

use crate::support::TempDir;

#[test]
fn a_second_owner_is_refused_and_told_who_the_first_is() {
    let dir = TempDir::new();
    let mut first = DirLock::acquire(dir.path()).unwrap();
    let refused = DirLock::acquire(dir.path()).unwrap_err();
    let pid = std::process::id();
    assert!(matches!(&refused, LockError::Held { owner, .. } if *owner == format!("process {pid}")));

    first.describe("at http://127.0.0.1:7777\n").unwrap();
    let message = DirLock::acquire(dir.path()).unwrap_err().to_string();
    assert!(message.contains(&format!("process {pid} at http://127.0.0.1:7777)")), "{message}");
    assert!(!message.contains('\n'));

    drop(first);
    DirLock::acquire(dir.path()).unwrap();
}

#[test]
fn whoever_removes_the_lock_file_lets_nobody_in() {
    let dir = TempDir::new();
    let first = DirLock::acquire(dir.path()).unwrap();
    std::fs::remove_file(dir.path().join("daypass.lock")).unwrap();
    let refused = DirLock::acquire(dir.path()).unwrap_err();
    assert!(matches!(&refused, LockError::Held { owner, .. } if owner == "unknown process"), "{refused}");
    drop(first);
    DirLock::acquire(dir.path()).unwrap();
}

#[test]
fn what_a_lock_file_says_is_cut_and_made_printable() {
    let dir = TempDir::new();
    let _held = DirLock::acquire(dir.path()).unwrap();
    std::fs::write(dir.path().join("daypass.lock"), format!("\x1b[31m\0{}", "x".repeat(5_000))).unwrap();
    let LockError::Held { owner, .. } = DirLock::acquire(dir.path()).unwrap_err() else { panic!("held") };
    assert!(owner.len() <= 256 && owner.starts_with("[31mx"), "{owner:?}");
}

#[test]
fn a_long_description_is_cut_between_characters() {
    let dir = TempDir::new();
    DirLock::acquire(dir.path()).unwrap().describe(&"é".repeat(400)).unwrap();
    let line = std::fs::read_to_string(dir.path().join("daypass.lock")).unwrap();
    assert!(line.len() <= 257 && line.trim_end().ends_with('é'));
}

#[test]
fn a_directory_that_is_not_there_is_an_error_that_names_the_file() {
    let dir = TempDir::new();
    let error = DirLock::acquire(&dir.path().join("none")).unwrap_err();
    assert!(matches!(error, LockError::Io { .. }));
    assert!(error.to_string().contains("none/daypass.lock"), "{error}");
}

#[cfg(unix)]
#[test]
fn the_lock_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new();
    let _held = DirLock::acquire(dir.path()).unwrap();
    let mode = std::fs::metadata(dir.path().join("daypass.lock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_link_in_the_place_of_the_lock_file_is_not_followed() {
    let dir = TempDir::new();
    let precious = dir.path().join("precious");
    std::fs::write(&precious, "somebody else's").unwrap();
    for target in [&precious, &dir.path().join("not-there")] {
        std::os::unix::fs::symlink(target, dir.path().join("daypass.lock")).unwrap();
        DirLock::acquire(dir.path()).unwrap_err();
        DirLock::look(dir.path()).unwrap_err();
        std::fs::remove_file(dir.path().join("daypass.lock")).unwrap();
    }
    // Nor by whoever is refused, and would name the owner.
    let _held = std::fs::File::open(dir.path()).inspect(|dir| dir.try_lock().unwrap()).unwrap();
    std::os::unix::fs::symlink(&precious, dir.path().join("daypass.lock")).unwrap();
    let refused = DirLock::acquire(dir.path()).unwrap_err();
    assert!(matches!(&refused, LockError::Held { owner, .. } if owner == "unknown process"), "{refused}");
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "somebody else's");
    assert!(!dir.path().join("not-there").exists());
}

#[test]
fn what_is_not_a_file_of_one_name_is_neither_waited_for_nor_written() {
    let dir = TempDir::new();
    let (lock, precious) = (dir.path().join("daypass.lock"), dir.path().join("precious"));
    std::fs::write(&precious, "somebody else's").unwrap();
    std::fs::hard_link(&precious, &lock).unwrap();
    let refused = DirLock::acquire(dir.path()).unwrap_err().to_string();
    assert!(refused.contains("has a second name"), "{refused}");
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "somebody else's");
    std::fs::remove_file(&lock).unwrap();

    assert!(std::process::Command::new("mkfifo").arg(&lock).status().unwrap().success());
    let refused = DirLock::acquire(dir.path()).unwrap_err().to_string();
    assert!(refused.contains("is not a regular file"), "{refused}");
    let _held = std::fs::File::open(dir.path()).inspect(|dir| dir.try_lock().unwrap()).unwrap();
    assert_eq!(DirLock::owner_of(dir.path()), "unknown process");
}
