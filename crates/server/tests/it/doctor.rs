//! `daypass doctor`, from outside: a healthy house, one thing wrong at a time, and no secret in any word of it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::binary::{Scratch, Server, daypass, daypass_after, run};

/// Exit code, and the findings.
fn doctor(dir: &Scratch, args: &[&str]) -> (i32, Vec<Value>) {
    let mut command = daypass(dir.path());
    command.args(["doctor", "--json", "--data", "data"]).args(args);
    if !args.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    if !args.contains(&"--admin-listen") {
        command.args(["--admin-listen", "127.0.0.1:0"]);
    }
    let output = command
        .env("AWS_SECRET_ACCESS_KEY", "hush-hush")
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("hush"), "{text}");
    if let Ok(key) = fs::read_to_string(dir.join("data/master-key")) {
        assert!(!text.contains(key.trim()), "{text}");
    }
    let findings: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for finding in &findings {
        assert!(finding["level"] != "ok" || finding.get("paste").is_none(), "{finding}");
    }
    (output.status.code().unwrap(), findings)
}

/// The problems, as `check: words`, which decide about the exit code.
fn problems(dir: &Scratch, args: &[&str]) -> Vec<String> {
    let (code, findings) = doctor(dir, args);
    let problems = findings.iter().filter(|finding| finding["level"] == "problem");
    let problems: Vec<String> = problems
        .map(|finding| format!("{}: {} | {}", finding["check"], finding["says"], finding["paste"]))
        .collect();
    assert_eq!(code, i32::from(!problems.is_empty()), "{problems:?}");
    problems
}

fn one(problems: &[String], words: &[&str]) {
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(words.iter().all(|word| problems[0].contains(word)), "{problems:?}");
}

#[test]
fn what_is_wrong_with_files_and_ports_is_found_and_nothing_is_changed() {
    let dir = Scratch::new("doctor");
    assert!(problems(&dir, &[]).is_empty(), "before the first start");
    let (_, findings) = doctor(&dir, &[]);
    assert!(findings.iter().any(|finding| finding["check"] == "room"), "of where it will be: {findings:?}");
    assert!(!dir.join("data").exists());
    let server = Server::start(&dir.join("data"));
    let asked = ["--listen", &server.address, "--admin-listen", &server.admin];
    let (code, findings) = doctor(&dir, &asked);
    assert_eq!(code, 0, "{findings:?}");
    let told = findings.iter().map(|finding| finding["says"].to_string()).collect::<String>();
    for word in ["a server runs on it: store: followed to revision", "daypass 0.1.0 answers there"] {
        assert!(told.contains(word), "{told}");
    }
    server.stop();
    let store = fs::read(dir.join("data/store.sqlite")).unwrap();
    let (_, findings) = doctor(&dir, &[]);
    assert!(findings.iter().any(|finding| finding["says"].to_string().contains("whole, at revision")));

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = taken.accept().unwrap();
        stream.write_all(b"220 mail\r\n").unwrap();
    });
    one(&problems(&dir, &["--listen", &port]), &["is another program's", "ss -ltnp"]);
    answering.join().unwrap();

    fs::set_permissions(dir.join("data/store.sqlite"), fs::Permissions::from_mode(0o644)).unwrap();
    let (code, findings) = doctor(&dir, &[]);
    let open = findings.iter().find(|finding| finding["check"] == "rights").unwrap();
    assert!(
        code == 0 && open["paste"].as_str().unwrap().starts_with("chmod 600 data/store.sqlite"),
        "{open}"
    );
    fs::set_permissions(dir.join("data/store.sqlite"), fs::Permissions::from_mode(0o600)).unwrap();

    let key = fs::read(dir.join("data/master-key")).unwrap();
    fs::write(dir.join("data/master-key"), "c29tZSBvdGhlciBtYXN0ZXIga2V5LCAzMiBieXRlcyE=").unwrap();
    one(&problems(&dir, &[]), &["another master key"]);
    fs::remove_file(dir.join("data/master-key")).unwrap();
    one(&problems(&dir, &[]), &["master-key` is missing", "install -T -m 600 MASTER_KEY"]);
    assert!(!dir.join("data/master-key").exists(), "none is made");
    fs::write(dir.join("data/master-key"), key).unwrap();
    fs::set_permissions(dir.join("data/master-key"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(fs::read(dir.join("data/store.sqlite")).unwrap(), store);
    let middle = store.len() / 2;
    fs::write(dir.join("data/store.sqlite"), &store[..middle]).unwrap();
    let new = dir.path().canonicalize().unwrap().join("data.new");
    let restore = format!("daypass restore BACKUP --data {}", new.display());
    one(&problems(&dir, &[]), &["is damaged", &restore]);
    assert_eq!(fs::read(dir.join("data/store.sqlite")).unwrap(), &store[..middle]);
    fs::remove_file(dir.join("data/store.sqlite")).unwrap();
    one(&problems(&dir, &[]), &["store.sqlite` is missing, but", restore.trim_end_matches(".new")]);
}

#[test]
fn a_server_that_hangs_is_named_and_its_ports_are_its_own() {
    let dir = Scratch::new("doctor-hung");
    let server = Server::start(&dir.join("data"));
    let asked = ["--listen", &server.address, "--admin-listen", &server.admin];
    server.signal("STOP");
    let (code, findings) = doctor(&dir, &asked);
    server.signal("CONT");
    // Not every kernel says that a process is stopped; then it hangs.
    let named = format!("process {} ", server.pid());
    let told = |check: &str| {
        let found = findings.iter().filter(|finding| finding["check"] == check);
        found.map(|finding| (finding["level"].as_str().unwrap(), finding.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(code, 1);
    let [("problem", store)] = &told("store")[..] else { panic!("{findings:?}") };
    assert!(store.contains(&named) && store.contains("does not answer"), "{store}");
    assert!(["kill -CONT", "ps -o"].iter().any(|paste| store.contains(paste)), "{store}");
    for (level, port) in told("ports") {
        assert!(level == "ok" && port.contains(&named), "{port}");
    }
    server.stop();
}

#[test]
fn a_log_that_is_gone_or_cut_short_ends_in_a_restore_with_the_key_that_is_here() {
    let dir = Scratch::new("doctor-log");
    let server = Server::start(&dir.join("data"));
    assert!(run(dir.path(), &["backup", "copy", "--data", "data"]).status.success());
    assert!(run(dir.path(), &["account", "create", "--data", "data"]).status.success());
    server.signal("KILL");
    server.end();
    let log = dir.join("data/store.sqlite-wal");
    let whole = fs::read(&log).unwrap();
    let new = dir.path().canonicalize().unwrap().join("data.new").display().to_string();
    let key = format!(
        "mkdir -m 700 {new} && install -T -m 600 {}/master-key {new}/master-key && daypass restore BACKUP --data {new}",
        new.trim_end_matches(".new")
    );
    let key = key.as_str();
    fs::write(&log, &whole[..whole.len() / 2]).unwrap();
    one(&problems(&dir, &[]), &["ends before the last commit", key]);
    fs::remove_file(&log).unwrap();
    one(&problems(&dir, &[]), &["is gone", key]);
    fs::write(&log, &whole).unwrap();
    fs::set_permissions(&log, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(problems(&dir, &[]).is_empty());
    let store = fs::read(dir.join("data/store.sqlite")).unwrap();
    fs::write(dir.join("data/store.sqlite"), fs::read(dir.join("copy")).unwrap()).unwrap();
    one(
        &problems(&dir, &[]),
        &["is a backup that was put", "mv -T -n data/store.sqlite-wal data/store.sqlite-wal.old"],
    );
    fs::write(dir.join("data/store.sqlite"), store).unwrap();
    assert!(problems(&dir, &[]).is_empty(), "nothing was changed");
    // A key that is there is never written over.
    fs::write(dir.join("data/master-key"), "short").unwrap();
    let found = problems(&dir, &[]);
    one(&found, &["base64 -d < data/master-key | wc -c"]);
    assert!(!found[0].contains("install"), "{found:?}");
}

#[test]
fn a_certificate_that_is_over_is_to_be_renewed_and_not_to_be_trusted() {
    let dir = Scratch::new("doctor-over");
    let key = rcgen::KeyPair::generate().unwrap();
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let write = |until: std::time::SystemTime| {
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.not_before, params.not_after) = ((until - 100 * day).into(), until.into());
        fs::write(dir.join("cert"), params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(dir.join("key"), key.serialize_pem()).unwrap();
        fs::set_permissions(dir.join("key"), fs::Permissions::from_mode(0o600)).unwrap();
    };
    let now = fs::metadata(dir.path()).unwrap().modified().unwrap();
    let tls = ["--tls-cert", "cert", "--tls-key", "key"];
    write(now + 5 * day + day / 2);
    let (code, findings) = doctor(&dir, &tls);
    let soon = findings.iter().find(|finding| finding["check"] == "tls").unwrap();
    assert!(code == 0 && soon["level"] == "warning", "{soon}");
    assert!(soon["says"].as_str().unwrap().starts_with("the certificate ends in 5 days, at "), "{soon}");

    write(now - day);
    let server =
        Server::start_with(daypass(dir.path()).args([&["serve"], &tls[..]].concat()), &dir.join("data"));
    let url = format!("https://localhost:{}", server.address.rsplit(':').next().unwrap());
    let admin = ["--admin-listen", &server.admin];
    let found = problems(&dir, &[&tls[..], &admin, &["--public-url", &url]].concat());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("the certificate ended at") && found[0].contains("renew it"), "{found:?}");
    assert!(found[1].contains("has ended, or this clock is ahead: renew it"), "{found:?}");
    assert!(found.iter().all(|found| found.contains("openssl ") && !found.contains("AWS_CA_BUNDLE")));
    let (_, log) = server.stop();
    assert!(log.contains("WARN") && log.contains("the certificate in use ended at"), "{log}");
}

#[test]
fn a_certificate_that_is_no_good_and_a_clock_that_is_off_are_found() {
    let dir = Scratch::new("doctor-tls");
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = rcgen::CertificateParams::new(vec!["sts.test".to_owned()]).unwrap().self_signed(&key).unwrap();
    let write = |name: &str, text: &str| {
        fs::write(dir.join(name), text).unwrap();
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("cert", &cert.pem());
    write("key", &key.serialize_pem());
    write("other", &rcgen::KeyPair::generate().unwrap().serialize_pem());
    assert!(problems(&dir, &["--tls-cert", "cert", "--tls-key", "key"]).is_empty());
    one(
        &problems(&dir, &["--tls-cert", "cert", "--tls-key", "other"]),
        &["not the key", "openssl x509 -in cert -noout -pubkey |", "openssl pkey -in other -pubout |"],
    );

    // A server that is a year ahead, one that has the time, and one that says nothing of it.
    let ask = |date: &str| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let answer = format!("HTTP/1.1 200 OK\r\n{date}connection: close\r\n\r\n");
        let answering = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            drop(stream.read(&mut [0; 1024]));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let found = problems(&dir, &["--clock-url", &url]);
        answering.join().unwrap();
        found
    };
    one(&ask("Date: Fri, 01 Jan 2100 00:00:00 GMT\r\n"), &["seconds behind of http://", "timedatectl"]);
    one(&ask("date: Fri, 01 Jan 2016 00:00:00 GMT\r\n"), &["seconds ahead of http://", "timedatectl"]);
    assert!(ask("").is_empty(), "that is a warning");
}

/// A proxy that puts another name into `Host`, if told to, until nobody holds the returned listener's port any more.
fn proxy(
    listener: TcpListener,
    to: String,
    host: Option<&'static str>,
    requests: usize,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for _ in 0..requests {
            let (mut client, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            let request = String::from_utf8(request).unwrap();
            let request: String = request
                .split_inclusive("\r\n")
                .map(|line| match host {
                    Some(host) if line.starts_with("host:") => format!("host: {host}\r\n"),
                    _ => line.to_owned(),
                })
                .collect();
            let mut server = TcpStream::connect(&to).unwrap();
            server.write_all(request.as_bytes()).unwrap();
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).unwrap();
            client.write_all(&answer).unwrap();
        }
    })
}

#[test]
fn a_proxy_that_replaces_the_host_is_found() {
    for (host, expected) in [(None, None), (Some("backend.internal"), Some("replaces the Host header"))] {
        let dir = Scratch::new("doctor-host");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::start_with(
            daypass_after(dir.path(), "true").args([
                "serve",
                "--public-url",
                &url,
                "--sts-region",
                "eu-west-1",
            ]),
            &dir.join("data"),
        );
        let lock = fs::read_to_string(dir.join("data/daypass.lock")).unwrap();
        let to = lock.split_once("http://").unwrap().1.trim().to_owned();
        let passing = proxy(listener, to, host, 2);
        assert!(server.banner.contains(" AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1\n"));
        let asked = ["--public-url", &url, "--admin-listen", &server.admin, "--sts-region", "eu-west-1"];
        match expected {
            None => {
                let (code, findings) = doctor(&dir, &asked);
                let kept =
                    |finding: &Value| finding["says"].to_string().contains("comes through as clients sign");
                assert!(code == 0 && findings.iter().any(kept), "{findings:?}");
            }
            Some(words) => one(&problems(&dir, &asked), &[words, "proxy_set_header Host"]),
        }
        passing.join().unwrap();
        // Nobody there.
        one(&problems(&dir, &asked), &["refused", "curl -sv"]);
    }
}
