//! What whoever owns a data directory can put there in the place of files, for root who looks into it or restores there:
//! links to what is root's, pipes that are waited for, devices without an end, and a socket of its own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output};

use crate::binary::{Scratch, Server, run};
use crate::recovery::failed;

fn pipe(path: &Path) {
    drop(fs::remove_file(path));
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(path).status().unwrap().success());
}

fn link(target: &Path, path: &Path) {
    drop(fs::remove_file(path));
    symlink(target, path).unwrap();
}

/// What the doctor prints, for whom no server runs.
fn doctor(dir: &Scratch) -> String {
    let args = ["doctor", "--data", "data", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let output = run(dir.path(), &args);
    assert!(output.status.code().is_some(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A directory of a server that has ended, and what must stay as it is.
fn left(name: &str) -> Scratch {
    let dir = Scratch::new(name);
    Server::start(&dir.join("data")).stop();
    fs::write(dir.join("precious"), "somebody else's secret").unwrap();
    dir
}

#[test]
fn a_restore_follows_no_link_of_the_audit_or_its_reserve() {
    let dir = Scratch::new("links-restore");
    let server = Server::start(&dir.join("data"));
    assert!(run(dir.path(), &["backup", "copy", "--data", "data"]).status.success());
    server.stop();
    let (precious, none) = (dir.join("precious"), dir.join("none"));
    fs::write(&precious, "a line\nhalf a line").unwrap();
    let restore = |data: &str| run(dir.path(), &["restore", "copy", "--data", data]);
    for (n, target) in [&precious, &none].into_iter().enumerate() {
        let data = format!("new-{n}");
        fs::create_dir(dir.join(&data)).unwrap();
        fs::copy(dir.join("data/master-key"), dir.join(&data).join("master-key")).unwrap();
        link(target, &dir.join(&data).join("audit.jsonl"));
        let line = failed(&restore(&data));
        assert!(line.contains("audit.jsonl` cannot be opened: it is a link"), "{line}");
        assert!(!dir.join(&data).join("store.sqlite").exists(), "nothing is restored that is not audited");

        fs::remove_file(dir.join(&data).join("audit.jsonl")).unwrap();
        link(target, &dir.join(&data).join("audit.jsonl.reserve"));
        assert!(restore(&data).status.success());
        let reserve = dir.join(&data).join("audit.jsonl.reserve");
        assert!(reserve.symlink_metadata().unwrap().is_file());
    }
    assert_eq!(fs::read_to_string(&precious).unwrap(), "a line\nhalf a line");
    assert!(!none.exists());
}

#[test]
fn whoever_is_refused_a_directory_reads_nothing_to_it_that_the_locks_name_leads_to() {
    let dir = left("links-lock");
    let (data, lock) = (dir.join("data"), dir.join("data/daypass.lock"));
    fs::copy(data.join("store.sqlite"), dir.join("copy")).unwrap();
    let _held = fs::File::open(&data).inspect(|data| data.try_lock().unwrap()).unwrap();
    // Not every kernel says who holds a lock.
    let is_told = |told: &str| told.contains("a server runs on it") || told.contains("which is no daypass");
    for (n, target) in [dir.join("precious"), "/dev/zero".into()].iter().enumerate() {
        link(target, &lock);
        let line = failed(&run(dir.path(), &["serve", "--data", "data"]));
        assert!(line.contains("in use by another daypass (unknown process)"), "{n}: {line}");
        let told = doctor(&dir);
        assert!(is_told(&told) && !told.contains("secret"), "{n}: {told}");
    }
    pipe(&lock);
    assert!(is_told(&doctor(&dir)));
}

#[test]
fn the_doctor_waits_for_no_pipe_and_says_what_is_in_the_place_of_a_file() {
    for (name, told) in [
        ("master-key", "master-key` cannot be read: it is not a regular file"),
        ("daypass.lock", "daypass.lock`: it is not a regular file"),
        ("store.sqlite", "it is not a regular file"),
        ("store.sqlite-wal", "store.sqlite-wal` is not a regular file"),
    ] {
        let dir = left("links-pipe");
        pipe(&dir.join("data").join(name));
        let text = doctor(&dir);
        assert!(text.contains("PROBLEM  store") && text.contains(told), "{name}: {text}");
    }
    let dir = left("links-next");
    pipe(&dir.join("data/master-key.next"));
    let told = doctor(&dir);
    assert!(told.contains("master-key.next` is no regular file"), "{told}");
    assert!(
        told.contains("PROBLEM  store     `data/master-key.next` cannot be read"),
        "as a start has it: {told}"
    );
}

#[test]
fn a_store_that_is_a_link_is_told_as_the_start_tells_it() {
    let dir = left("links-store");
    let store = dir.join("data/store.sqlite");
    fs::rename(&store, dir.join("elsewhere")).unwrap();
    link(&dir.join("elsewhere"), &store);
    let line = failed(&run(dir.path(), &["serve", "--data", "data", "--listen", "127.0.0.1:0"]));
    let told = doctor(&dir);
    for text in [line, told] {
        assert!(text.contains("it is a link; move the file itself here"), "{text}");
    }
}

#[test]
fn no_line_to_paste_changes_what_a_link_leads_to() {
    for name in ["sessions.jsonl", "audit.jsonl", "master-key", "root-credentials", "daypass.lock"] {
        let dir = left("links-paste");
        link(&dir.join("precious"), &dir.join("data").join(name));
        let told = doctor(&dir);
        // Without that file a start does as well.
        let level = if name == "root-credentials" { "warning" } else { "PROBLEM" };
        let (_, rights) = told.split_once(&format!("{level:<8} rights")).unwrap();
        assert!(rights.contains(&format!("data/{name}` is a link")), "{told}");
        assert!(rights.contains(&format!("ls -l data/{name}\n")), "{told}");
        assert!(!told.contains("chmod") && !told.contains("chown"), "{told}");
        let mended = "mv -T -n data/daypass.lock data/daypass.lock.old";
        assert_eq!(told.contains(mended), name == "daypass.lock", "{told}");
    }
}

/// As a start has it, which takes them for keys that it knows nothing of.
#[test]
fn what_a_start_does_without_is_no_problem() {
    type Make = fn(&Path);
    let make: [Make; 4] = [
        |path| link(Path::new("/nowhere"), path),
        pipe,
        |path| {
            drop(fs::remove_file(path));
            drop(UnixListener::bind(path).unwrap());
        },
        |path| fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap(),
    ];
    for make in make {
        let dir = left("links-needless");
        make(&dir.join("data/root-credentials"));
        // Its owner is not root, who reads what nobody may.
        for entry in fs::read_dir(dir.join("data")).unwrap() {
            drop(lchown(entry.unwrap().path(), Some(4_000_000), None));
        }
        drop(lchown(dir.join("data"), Some(4_000_000), None));
        let told = doctor(&dir);
        assert!(told.contains("warning  rights    `data/root-credentials`"), "{told}");
        assert!(!told.contains("PROBLEM  rights    `data/root-credentials`"), "{told}");
        Server::start(&dir.join("data")).stop();
    }
}

/// What is printed for an answer that anybody may have put together.
fn answered(dir: &Scratch, args: &[&str], answer: &str) -> Output {
    let socket = dir.join("data/operator.sock");
    drop(fs::remove_file(&socket));
    let listener = UnixListener::bind(socket).unwrap();
    let line = format!("{answer}\n");
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        BufReader::new(&stream).read_line(&mut String::new()).unwrap();
        stream.write_all(line.as_bytes()).unwrap();
    });
    let output = run(dir.path(), &[args, &["--data", "data"]].concat());
    answering.join().unwrap();
    output
}

#[test]
fn an_answer_at_the_operators_socket_does_not_move_the_terminal() {
    let dir = Scratch::new("links-answer");
    fs::create_dir(dir.join("data")).unwrap();
    let escape = r"\u001b]0;owned\u0007\u009b2J";
    let made = r#"{"answer":"account-created","account_id":"A","credentials":"A"}"#;
    let key = r#"{"answer":"root-key-made","access_key_id":"A","credentials":"A"}"#;
    let rotated = r#"{"answer":"master-key-rotated","kept":"A","put":"A","is_earlier":false}"#;
    for (args, answer) in [
        (&["keys", "list"][..], r#"{"answer":"refused","why":"A"}"#),
        (&["keys", "list"], r#"{"answer":"keys","keys":[{"role":"A","id":1,"created":"A"}]}"#),
        (&["keys", "rotate-master"], rotated),
        (&["account", "list"], r#"{"answer":"accounts","account_ids":["A"]}"#),
        (&["account", "create"], made),
        (&["account", "root-key", "--account-id", "1"], key),
        (&["account", "close", "--account-id", "1"], r#"{"answer":"account-closed","account_id":"A"}"#),
    ] {
        let output = answered(&dir, args, &answer.replace('A', escape));
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(text.contains(r"\u001b]0;owned\u0007\u009b2J"), "{answer}: {text}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{answer}: {text:?}");
    }
}
