//! What root finds in a directory of somebody else's, where it only asks: a `daypass.toml` that it did not name is not gone
//! by, and no line to paste takes a directory from other programs.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::process::Command;

use crate::binary::{Scratch, daypass, daypass_after, run};
use crate::preflight::PORTS;
use crate::recovery::failed;

const SOMEBODY: u32 = 4_000_000;

fn pipe(dir: &Scratch, name: &str) {
    assert!(Command::new("mkfifo").arg(dir.join(name)).status().unwrap().success());
}

#[test]
fn a_configuration_that_root_did_not_name_is_roots_alone_or_is_not_gone_by() {
    let dir = Scratch::new("unnamed");
    let toml = dir.join("daypass.toml");
    fs::write(dir.join("secret"), "hush").unwrap();
    let text = format!("master-key-file = {:?}\nlog = \"loudly\"\n", dir.join("secret"));
    let write = |mode| {
        drop(fs::remove_file(&toml));
        fs::write(&toml, &text).unwrap();
        fs::set_permissions(&toml, fs::Permissions::from_mode(mode)).unwrap();
    };
    write(0o644);
    // Whoever cannot give files away is not root.
    if chown(&toml, Some(SOMEBODY), None).is_err() {
        return;
    }
    let refused = |why: &str| {
        for asked in [&["doctor"][..], &["serve"], &["account", "list"], &["restore", "copy"]] {
            let line = failed(&run(dir.path(), asked));
            assert!(line.contains(why) && line.contains("name it with --config"), "{asked:?}: {line}");
        }
        assert!(!dir.join("daypass-data").exists());
    };
    refused("it is of uid 4000000");
    let named =
        daypass(dir.path()).args(["doctor", "--config", "daypass.toml"]).args(PORTS).output().unwrap();
    assert!(
        String::from_utf8(named.stdout).unwrap().contains("is no level"),
        "one that it named is its own doing"
    );
    for mode in [0o664, 0o646] {
        write(mode);
        refused("others may write it");
    }
    for target in ["secret", "/dev/zero", "/nowhere"] {
        fs::remove_file(&toml).unwrap();
        symlink(target, &toml).unwrap();
        refused("it is a link");
    }
    fs::remove_file(&toml).unwrap();
    pipe(&dir, "daypass.toml");
    refused("it is not a regular file");
    write(0o644);
    let told = run(dir.path(), &[&["doctor"], &PORTS[..]].concat());
    assert!(String::from_utf8(told.stdout).unwrap().contains("is no level"));
}

/// Whoever asks: a device would be read without end.
#[test]
fn a_configuration_is_a_file_of_some_size() {
    let dir = Scratch::new("unnamed-size");
    fs::write(dir.join("large"), "#".repeat((1 << 20) + 1)).unwrap();
    fs::write(dir.join("right"), "log = \"info\"\n".to_owned() + &"#".repeat((1 << 20) - 13)).unwrap();
    symlink("right", dir.join("link")).unwrap();
    let line = |name: &str| failed(&run(dir.path(), &["account", "list", "--config", name]));
    for (name, why) in [
        ("/dev/zero", "it is longer than 1 MiB"),
        ("/dev/null", "no daypass answers at"),
        ("large", "it is longer than 1 MiB"),
        ("none", "is missing; put it there"),
        ("right", "no daypass answers at"),
        ("link", "no daypass answers at"),
    ] {
        assert!(line(name).contains(why), "{name}: {}", line(name));
    }
}

#[test]
fn a_directory_with_nothing_of_daypass_in_it_is_not_closed_by_a_line() {
    let dir = Scratch::new("unnamed-lib");
    let lib = dir.join("lib");
    fs::create_dir(&lib).unwrap();
    fs::write(lib.join("theirs"), "").unwrap();
    let mode = |mode| fs::set_permissions(&lib, fs::Permissions::from_mode(mode)).unwrap();
    let told = || {
        let told = run(dir.path(), &[&["doctor", "--data", "lib"], &PORTS[..]].concat());
        String::from_utf8(told.stdout).unwrap()
    };
    mode(0o755);
    let text = told();
    assert!(text.contains("`lib` is open to others (755); nothing of daypass is in it"), "{text}");
    assert!(!text.contains("chmod") && !text.contains("chown"), "{text}");
    fs::write(lib.join("daypass.lock"), "").unwrap();
    assert!(told().contains("chmod 700 lib"), "{}", told());
    // As in `/tmp`, where anybody makes a lock or a store.
    mode(0o1777);
    for name in ["daypass.lock", "store.sqlite"] {
        drop(fs::remove_file(lib.join("daypass.lock")));
        fs::write(lib.join(name), "").unwrap();
        if chown(lib.join(name), Some(SOMEBODY), None).is_err() {
            return;
        }
        let text = told();
        assert!(text.contains("nothing of daypass is in it"), "{text}");
        let of_directory = ["chmod 700 lib", "chown -h 4000000 lib\n"];
        assert!(!of_directory.iter().any(|line| text.contains(line)), "{text}");
    }
}

#[test]
fn a_variable_that_no_shell_could_unset_has_no_line() {
    let dir = Scratch::new("unnamed-variable");
    for (name, is_shells) in [("DAYPASS_PUBLIC_URI", true), ("DAYPASS_A$(id)", false), ("DAYPASS_A-B", false)]
    {
        let doctor = daypass(dir.path()).arg("doctor").args(PORTS).env(name, "x").output().unwrap();
        let text = String::from_utf8(doctor.stdout).unwrap();
        assert!(text.contains(&format!("{name} is no setting")), "{text}");
        assert_eq!(text.contains("  unset "), is_shells, "{text}");
    }
}

#[test]
fn a_store_that_cannot_be_copied_is_not_called_damaged() {
    let dir = Scratch::new("unnamed-tmp");
    crate::binary::Server::start(&dir.join("data")).stop();
    fs::write(dir.join("file"), "").unwrap();
    for place in ["/nowhere", "file"] {
        let mut doctor = daypass(dir.path());
        let doctor =
            doctor.args(["doctor", "--data", "data"]).args(PORTS).env("TMPDIR", place).output().unwrap();
        let text = String::from_utf8(doctor.stdout).unwrap();
        assert!(
            doctor.status.success()
                && text.contains(
                    "warning  store     `data/store.sqlite` was not looked at: no copy of it can be made in `"
                ),
            "{text}"
        );
        assert!(text.contains(&format!("ls -ld {place}; df -h")), "{text}");
    }
}

#[test]
fn a_restore_without_room_for_its_audit_says_how_much_it_needs() {
    let dir = Scratch::new("unnamed-room");
    let server = crate::binary::Server::start(&dir.join("data"));
    assert!(run(dir.path(), &["backup", "copy", "--data", "data"]).status.success());
    server.stop();
    fs::create_dir(dir.join("new")).unwrap();
    fs::copy(dir.join("data/master-key"), dir.join("new/master-key")).unwrap();
    // No file may have more than 4 MiB.
    let mut restore = daypass_after(dir.path(), "trap '' XFSZ; ulimit -f 8192");
    let line = failed(&restore.args(["restore", "copy", "--data", "new"]).output().unwrap());
    for words in
        ["keeps room for itself beside `new/audit.jsonl`", "make 17 MiB free", "nothing was restored"]
    {
        assert!(line.contains(words), "{line}");
    }
    assert!(!dir.join("new/store.sqlite").exists());
}
