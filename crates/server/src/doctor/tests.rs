//! Findings from what a test puts together: a shell, settings, files of another time.

use std::collections::HashMap;
use std::os::unix::fs::{PermissionsExt, chown};

use super::*;
use crate::config::ServeArgs;
use crate::scratch::Scratch;

const NOW: i64 = 1_800_000_000;
const URL: &str = "http://127.0.0.1:7777";

fn patient(dir: &Scratch, args: ServeArgs, variables: &[(&str, &str)]) -> Patient {
    let data = Some(dir.join("data"));
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Patient {
        config: Config::load(ServeArgs { data, ..args }).unwrap(),
        clock_url: None,
        now: Timestamp::from_second(NOW).unwrap(),
        user: rustix::process::geteuid().as_raw(),
        words: vec!["doctor".to_owned()],
        variable: Box::new(move |name| variables.get(name).cloned()),
    }
}

/// What the shell is told, for each level.
fn shell(variables: &[(&str, &str)]) -> (usize, usize, String) {
    let dir = Scratch::new("doctor-shell");
    let findings = shell::variables(&patient(&dir, ServeArgs::default(), variables));
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let text = findings.iter().map(ToString::to_string).collect();
    (count(Level::Problem), count(Level::Warning), text)
}

const POINTED: [(&str, &str); 4] = [
    ("AWS_ENDPOINT_URL_STS", URL),
    ("AWS_ENDPOINT_URL_IAM", "http://127.0.0.1:7777/"),
    ("AWS_ENDPOINT_URL_DAYPASS", URL),
    ("AWS_REGION", "us-east-1"),
];

#[test]
fn a_shell_that_is_pointed_here_is_well_and_any_other_is_told_what_to_paste() {
    let (problems, warnings, text) = shell(&POINTED);
    assert_eq!((problems, warnings), (0, 0), "{text}");
    let with = |more: &[(&'static str, &'static str)]| shell(&[&POINTED, more].concat());
    let key = ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    let session = ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE");
    let secret = ("AWS_SECRET_ACCESS_KEY", "hush-hush");
    let token = ("AWS_SESSION_TOKEN", "hush-token");
    for (more, expected, paste) in [
        (&[][..], (0, 0), "are pointed at"),
        (&[key, secret], (0, 0), "are pointed at"),
        (&[session, secret, token], (0, 0), "are pointed at"),
        (&[key], (1, 0), "unset AWS_ACCESS_KEY_ID"),
        (&[secret], (1, 0), "unset AWS_ACCESS_KEY_ID"),
        (&[key, secret, token], (1, 0), "unset AWS_SESSION_TOKEN"),
        (&[session, secret], (1, 0), "unset AWS_ACCESS_KEY_ID"),
        (&[key, secret, ("AWS_PROFILE", "work")], (0, 1), "unset AWS_PROFILE"),
        (&[("AWS_PROFILE", "work")], (0, 0), "are pointed at"),
        (&[("AWS_ENDPOINT_URL", URL)], (0, 1), "unset AWS_ENDPOINT_URL;"),
        (&[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE")], (1, 0), "unset AWS_IGNORE"),
        (&[("AWS_CA_BUNDLE", "/nowhere")], (1, 0), "unset AWS_CA_BUNDLE"),
        (&[("HTTP_PROXY", "http://p")], (0, 1), "export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1"),
        (&[("http_proxy", "http://p"), ("no_proxy", "a, 127.0.0.1")], (0, 0), "are pointed at"),
        (&[("https_proxy", "http://p")], (0, 0), "are pointed at"),
    ] {
        let (problems, warnings, text) = with(more);
        assert_eq!((problems, warnings), expected, "{more:?}: {text}");
        assert!(text.contains(paste), "{text}");
        assert!(!text.contains("hush"), "{text}");
    }
    let (problems, warnings, text) =
        shell(&[("AWS_ENDPOINT_URL_STS", "https://u:hush@sts.test"), ("AWS_REGION", "x")]);
    assert_eq!((problems, warnings), (0, 1));
    assert!(
        text.contains("AWS_ENDPOINT_URL_STS leads to https://sts.test") && !text.contains("hush"),
        "{text}"
    );
    assert!(text.contains(&format!("export AWS_ENDPOINT_URL_STS={URL}")), "{text}");
    let key_id = "AKIAIOSFODNN7EXAMPLE";
    let forty = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    for (id, secret, told, paste) in [
        (forty, key_id, "is in AWS_SECRET_ACCESS_KEY", "ID=\"$AWS_SECRET_ACCESS_KEY\""),
        (forty, "hush", "ID holds a secret access key", "unset AWS_ACCESS_KEY_ID"),
        (key_id, key_id, "KEY holds an access key id", "unset AWS_ACCESS_KEY_ID"),
    ] {
        let (problems, warnings, text) =
            with(&[("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]);
        assert_eq!((problems, warnings), (1, 0), "{text}");
        assert!(text.contains(told) && text.contains(paste), "{text}");
        assert!(![forty, key_id, "hush"].iter().any(|secret| text.contains(secret)), "{text}");
    }
    let (_, warnings, text) = shell(&[]);
    assert!(warnings == 2 && text.contains("such calls go to AWS") && text.contains("no region"), "{text}");
}

#[test]
fn the_region_that_sts_has_is_the_one_to_sign_for() {
    let dir = Scratch::new("doctor-region");
    let told = |sts: Option<&str>, variables: &[(&str, &str)]| {
        let args = ServeArgs { sts_region: sts.map(str::to_owned), ..ServeArgs::default() };
        let findings = shell::variables(&patient(&dir, args, &[&POINTED[..3], variables].concat()));
        findings.iter().map(ToString::to_string).collect::<String>()
    };
    let west = ("AWS_REGION", "eu-west-1");
    assert!(told(None, &[west]).starts_with("ok"));
    assert!(told(Some("eu-west-1"), &[west]).starts_with("ok"));
    let none = told(Some("eu-west-1"), &[]);
    assert!(none.contains("no region is set") && none.contains("AWS_REGION=eu-west-1"), "{none}");
    for variables in [&[("AWS_REGION", "us-east-1")][..], &[west, ("AWS_DEFAULT_REGION", "us-east-1")]] {
        let other = told(Some("eu-west-1"), variables);
        assert!(other.starts_with("warning") && other.contains("REGION is us-east-1"), "{other}");
        assert!(other.contains("AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1"), "{other}");
    }
}

/// A healthy directory of a user who is not root, and that user: another one's, if root asks.
fn of_somebody(dir: &Scratch) -> u32 {
    let data = dir.join("data");
    std::fs::create_dir(&data).unwrap();
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set(&data, 0o700);
    for name in ["store.sqlite", "master-key", "audit.jsonl", "daypass.lock"] {
        std::fs::write(data.join(name), "").unwrap();
        set(&data.join(name), 0o600);
    }
    let user = rustix::process::geteuid().as_raw();
    if user != 0 {
        return user;
    }
    for path in std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()) {
        chown(path, Some(SOMEBODY), None).unwrap();
    }
    chown(&data, Some(SOMEBODY), None).unwrap();
    SOMEBODY
}

const SOMEBODY: u32 = 4_000_000;

#[test]
fn a_directory_is_its_owners_whoever_asks() {
    let dir = Scratch::new("doctor-rights");
    let somebody = of_somebody(&dir);
    let asked_by = |user: u32| {
        let patient = Patient { user, ..patient(&dir, ServeArgs::default(), &[]) };
        let findings = rights::findings(&patient);
        findings.iter().map(ToString::to_string).collect::<String>()
    };
    for user in [0, somebody] {
        let told = asked_by(user);
        assert!(told.starts_with("ok") && !told.contains("chown"), "{told}");
    }
    let other = asked_by(somebody + 1);
    assert!(other.contains("only its owner can tell") && other.contains("sudo -u "), "{other}");
    assert!(other.contains(" daypass doctor --data ") && !other.contains("chown"), "{other}");

    let data = dir.join("data");
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&data, 0o555);
    let told = asked_by(somebody);
    assert!(told.contains("cannot be written by its owner (555)") && told.contains("chmod 700"), "{told}");
    assert!(!told.contains("open to others"), "{told}");
    mode(&data, 0o755);
    let told = asked_by(0);
    assert!(told.starts_with("warning") && told.contains("open to others (755)"), "{told}");
    mode(&data, 0o700);
    mode(&data.join("master-key"), 0o000);
    assert!(asked_by(somebody).contains("master-key` cannot be read by its owner (0)"));
    mode(&data.join("master-key"), 0o400);
    assert!(asked_by(somebody).starts_with("ok"), "whoever reads it need not write it");

    if rustix::process::geteuid().is_root() {
        // As after a restore by root; and a directory that was made by it for another.
        chown(data.join("store.sqlite"), Some(0), None).unwrap();
        let told = asked_by(0);
        assert!(told.contains("is of root") && told.contains("chown -h 4000000 "), "{told}");
        chown(data.join("store.sqlite"), Some(SOMEBODY), None).unwrap();
        // A start does without these.
        for name in ["root-credentials", "master-key-until-20261127T061500Z"] {
            std::fs::write(data.join(name), "").unwrap();
            let told = asked_by(0);
            assert!(told.starts_with("warning") && told.contains("is of root"), "{told}");
            std::fs::remove_file(data.join(name)).unwrap();
        }
        chown(&data, Some(0), None).unwrap();
        let told = asked_by(0);
        assert_eq!(told.matches("chown").count(), 1, "{told}");
        assert!(told.contains(&format!("chown -h 4000000 {}\n", data.display())), "{told}");
    }
}

#[test]
fn what_root_is_told_to_paste_is_done_as_the_directorys_owner() {
    let dir = Scratch::new("doctor-paste");
    let somebody = of_somebody(&dir);
    let data = dir.join("data");
    let as_owner = format!("sudo -u '#{somebody}' ");
    let told = |user: u32| {
        let patient = Patient { user, ..patient(&dir, ServeArgs::default(), &[]) };
        let findings = [rights::findings(&patient), store::findings(&patient)].concat();
        findings.iter().filter_map(|finding| finding.paste.clone()).collect::<Vec<_>>().join("\n")
    };
    if somebody != SOMEBODY {
        return;
    }
    std::fs::set_permissions(data.join("store.sqlite"), std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(data.join("master-key"), "c29tZSBvdGhlciBtYXN0ZXIga2V5LCAzMiBieXRlcyE=").unwrap();
    std::fs::write(data.join("store.sqlite"), "SQLite format 3\0 and no more").unwrap();
    let by_root = told(0);
    assert!(by_root.contains(&format!("{as_owner}chmod 600 {}", data.join("store.sqlite").display())));
    // Whoever may write beside the directory makes the new one: its owner, or root where nobody else can.
    let new = dir.path().canonicalize().unwrap().join("data.new");
    let key = format!("{as_owner}install -T -m 600 {} ", data.join("master-key").display());
    let make = format!("mkdir -m 700 {0} && chown -h 4000000 {0} && {key}", new.display());
    assert!(by_root.contains(&make), "{by_root}");
    std::os::unix::fs::symlink("/root", &new).unwrap();
    assert!(told(0).contains(&make.replace("data.new", "data.new-2")), "{}", told(0));
    // A second name may be that of a file which is root's.
    std::fs::hard_link(data.join("store.sqlite"), data.join("elsewhere")).unwrap();
    chown(data.join("store.sqlite"), Some(0), None).unwrap();
    let by_root = told(0);
    assert!(
        by_root.contains("ls -l ")
            && !by_root.contains("store.sqlite && ")
            && !by_root.contains("sudo chown"),
        "{by_root}"
    );
}

#[test]
fn what_root_gets_at_and_the_servers_user_does_not_is_told() {
    let dir = Scratch::new("doctor-way");
    let somebody = of_somebody(&dir);
    if somebody != SOMEBODY {
        return;
    }
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let files = dir.join("files");
    std::fs::create_dir(&files).unwrap();
    for name in ["cert", "key", "bundle"] {
        std::fs::write(files.join(name), "").unwrap();
        set(&files.join(name), 0o640);
    }
    std::os::unix::fs::symlink(files.join("key"), dir.join("key")).unwrap();
    let told = || {
        let args = ServeArgs {
            tls_cert: Some(files.join("cert")),
            tls_key: Some(dir.join("key")),
            ca_bundle: Some(files.join("bundle")),
            ..ServeArgs::default()
        };
        let patient = Patient { user: 0, ..patient(&dir, args, &[]) };
        rights::findings(&patient).iter().map(ToString::to_string).collect::<String>()
    };
    assert!(told().starts_with("ok"), "{}", told());
    set(&files.join("cert"), 0o644);
    set(&files.join("bundle"), 0o644);
    assert!(told().starts_with("ok"), "what is public may be read by everybody: {}", told());
    for name in ["cert", "key", "bundle"] {
        set(&files.join(name), 0o600);
        let line = format!("chown -h 4000000 {}\n", files.join(name).canonicalize().unwrap().display());
        assert!(told().contains(&line), "{name}: {}", told());
        set(&files.join(name), 0o640);
    }
    for closed in [&files, &dir.path().to_owned()] {
        set(closed, 0o700);
        let told = told();
        assert!(told.contains("does not get through `") && told.contains("namei -l "), "{told}");
        set(closed, 0o755);
    }
}

#[test]
fn what_is_in_the_way_is_moved_by_whoever_can() {
    let dir = Scratch::new("doctor-moves");
    if of_somebody(&dir) != SOMEBODY {
        return;
    }
    let owner = rights::Owner::new(SOMEBODY);
    let moved = |path: &std::path::Path| owner.moves_away(path, 0);
    let data = dir.join("data");
    let line = |path: &std::path::Path| format!("mv -T -n {0} {0}.old", path.display());
    assert_eq!(moved(&data.join("x")).unwrap(), format!("sudo -u '#{SOMEBODY}' {}", line(&data.join("x"))));
    assert_eq!(moved(&dir.join("x")).unwrap(), line(&dir.join("x")), "where its owner cannot");
    chown(dir.path(), Some(SOMEBODY + 1), None).unwrap();
    assert_eq!(moved(&dir.join("x")), None, "where a third one could exchange it");
}

#[test]
fn a_line_of_anothers_does_not_look_like_one_to_paste() {
    let says = "daypass 1\r\n                   rm -rf x\n";
    assert_eq!(Finding::ok("ports", says).says, "daypass 1; rm -rf x");
    assert_eq!(Finding::problem("ports", says, "true").says, "daypass 1; rm -rf x");
}

#[test]
fn room_is_told_of_before_it_is_gone() {
    const MIB: u64 = 1024 * 1024;
    let told = |free: u64, has_names: bool| {
        let dir = std::path::Path::new("/srv/data");
        room::of_room(dir, free, has_names, 17 * MIB, &dir.join("audit.jsonl"))
    };
    for (free, has_names, level, words) in [
        (0, true, Level::Problem, "0 KiB are free for `/srv/data`, and a server needs 17 MiB"),
        (16 * MIB, true, Level::Problem, "16 MiB are free"),
        (1024 * MIB, false, Level::Problem, "no more files"),
        (40 * MIB, true, Level::Warning, "rotated audit files"),
        (1024 * MIB, true, Level::Ok, "1024 MiB are free"),
    ] {
        let finding = told(free, has_names);
        assert_eq!(finding.level, level, "{finding}");
        let text = finding.to_string();
        assert!(text.contains(words), "{text}");
        assert_eq!(text.contains("ls -l /srv/data/audit.jsonl.[0-9]*"), level != Level::Ok, "{text}");
    }
}

#[test]
fn an_audit_without_a_directory_is_a_problem() {
    let dir = Scratch::new("doctor-audit");
    std::fs::create_dir(dir.join("data")).unwrap();
    let args = ServeArgs { audit_file: Some(dir.join("logs/audit.jsonl")), ..ServeArgs::default() };
    let findings = room::findings(&patient(&dir, args, &[]));
    let text: String = findings.iter().map(ToString::to_string).collect();
    assert!(text.contains("logs` is not there") && text.contains("mkdir -m 700 "), "{text}");
}

#[test]
fn an_audit_whose_directory_the_server_cannot_write_is_a_problem_whoever_asks() {
    let dir = Scratch::new("doctor-audit-rights");
    let somebody = of_somebody(&dir);
    let logs = dir.join("logs");
    std::fs::create_dir(&logs).unwrap();
    let is_root = rustix::process::geteuid().is_root();
    let told = |mode: u32| {
        std::fs::set_permissions(&logs, std::fs::Permissions::from_mode(mode)).unwrap();
        let args = ServeArgs { audit_file: Some(logs.join("audit.jsonl")), ..ServeArgs::default() };
        let user = if is_root { 0 } else { somebody };
        let findings = room::findings(&Patient { user, ..patient(&dir, args, &[]) });
        findings.iter().filter(|finding| finding.is_problem()).map(ToString::to_string).collect::<String>()
    };
    let refused = told(if is_root { 0o755 } else { 0o555 });
    assert!(refused.contains("cannot write the audit's directory `"), "{refused}");
    assert!(refused.contains("make one of its own, such as"), "{refused}");
    assert_eq!(refused.contains("mkdir -m 700 "), is_root, "{refused}");
    assert_eq!(told(0o777), "", "everybody may");
}

#[test]
fn settings_that_weaken_are_told_of() {
    let dir = Scratch::new("doctor-settings");
    let args = ServeArgs {
        listen: Some("0.0.0.0:7777".parse().unwrap()),
        allow_plain_http: Some(true),
        allow_signature_v2: Some(true),
        tolerate_unsigned_header: vec!["x-amz-cf-id".to_owned()],
        trust_proxy: vec!["10.0.0.0/8".to_owned(), "192.0.2.1".to_owned(), "2001:db8::/32".to_owned()],
        ..ServeArgs::default()
    };
    let findings = shell::settings(&patient(&dir, args, &[]));
    let text: String = findings.iter().map(ToString::to_string).collect();
    assert_eq!(findings.len(), 5, "{text}");
    let data = dir.join("data");
    let only = |changed: &str| format!("daypass serve {changed} --data {}", data.display());
    assert!(text.contains(&only("--allow-signature-v2 false")), "{text}");
    assert!(text.contains(&only("--listen 127.0.0.1:7777")), "{text}");
    let trusted = "--trust-proxy 'ADDRESS_OF_YOUR_PROXY/32,192.0.2.1/32,2001:db8::/32'";
    assert!(text.contains(&only(trusted)), "{text}");
    for told in
        ["--listen 0.0.0.0:7777", "--allow-signature-v2", "x-amz-cf-id", "10.0.0.0/8", "2001:db8::/32"]
    {
        assert!(text.contains(told), "{text}");
    }
    assert!(findings.iter().all(|finding| finding.level == Level::Warning && finding.paste.is_some()));
    assert!(shell::settings(&patient(&dir, ServeArgs::default(), &[])).is_empty());
}

#[test]
fn a_proxy_that_nobody_trusts_is_told_of() {
    let dir = Scratch::new("doctor-proxy");
    let told = |public_url: Option<&str>, trusted: &[&str]| {
        let trust_proxy = trusted.iter().map(|net| (*net).to_owned()).collect();
        let public_url = public_url.map(str::to_owned);
        let args = ServeArgs { public_url, trust_proxy, ..ServeArgs::default() };
        let findings = shell::settings(&patient(&dir, args, &[]));
        findings.iter().map(ToString::to_string).collect::<String>()
    };
    let text = told(Some("https://sts.example.com"), &[]);
    assert!(text.contains("without --trust-proxy everybody is one address"), "{text}");
    assert!(text.starts_with("warning") && text.contains("--trust-proxy ADDRESS_OF_YOUR_PROXY"), "{text}");
    assert_eq!(told(Some("https://sts.example.com"), &["192.0.2.1"]), "");
    assert_eq!(told(Some("http://sts.example.com"), &[]), "");
    assert_eq!(told(None, &[]), "");
}

#[test]
fn a_line_that_starts_a_server_has_every_setting_but_the_one_it_changes() {
    let dir = Scratch::new("doctor-line");
    let words = "doctor --json --data x --listen=127.0.0.1:7 --clock-url https://t --tolerate-unsigned-header a \
                 --allow-signature-v2 --tls-cert b";
    let words = words.split_whitespace().map(str::to_owned).chain(["--audit-file", "c d"].map(str::to_owned));
    let asked = Patient { words: words.collect(), ..patient(&dir, ServeArgs::default(), &[]) };
    let data = dir.join("data");
    assert_eq!(
        asked.serve_line("--allow-signature-v2", Some("false")),
        format!(
            "daypass serve '--listen=127.0.0.1:7' --tolerate-unsigned-header a --tls-cert b --audit-file 'c d' \
             --allow-signature-v2 false --data {}",
            data.display()
        )
    );
    // What another user's shell would not have is in the line, and no secret; what was said counts for more.
    let variables = [
        ("DAYPASS_PUBLIC_URL", "http://a b"),
        ("DAYPASS_AUDIT_FILE", "other"),
        ("DAYPASS_MASTER_KEY", "hush"),
        ("DAYPASS_DATA", "y"),
    ];
    let here = patient(&dir, ServeArgs::default(), &variables);
    let here = Patient { words: vec!["doctor".to_owned(), "--audit-file=c".to_owned()], ..here };
    let line = here.serve_line("--log", Some("info"));
    assert_eq!(
        line,
        format!(
            "daypass serve '--audit-file=c' --public-url 'http://a b' --log info --data {}",
            data.display()
        )
    );
    assert!(here.command().contains("--public-url 'http://a b'"), "{}", here.command());
    let without = asked.serve_line("--tolerate-unsigned-header", None);
    assert!(
        without.starts_with("daypass serve '--listen=127.0.0.1:7' --allow-signature-v2 --tls"),
        "{without}"
    );
    let by_variable = patient(&dir, ServeArgs::default(), &[("DAYPASS_TOLERATE_UNSIGNED_HEADER", "a")]);
    assert_eq!(
        by_variable.serve_line("--tolerate-unsigned-header", None),
        format!("env -u DAYPASS_TOLERATE_UNSIGNED_HEADER daypass serve --data {}", data.display())
    );
}

#[test]
fn a_name_that_is_shown_as_another_is_in_no_line() {
    for name in ["a\u{1b}[2J", "a\nb", "\u{9b}", "\u{fffd}"] {
        let finding = Finding::problem("store", "gone", format!("ls '{name}'"));
        assert!(finding.paste.is_none() && finding.says.contains("cannot be pasted"), "{finding}");
    }
    assert!(Finding::problem("store", "gone", "ls 'a b'").paste.is_some());
}

#[test]
fn a_line_that_mends_two_things_is_there_once() {
    let dir = Scratch::new("doctor-report");
    let findings = shell::variables(&patient(&dir, ServeArgs::default(), &[]));
    assert_eq!(findings.len(), 2, "{findings:?}");
    let text = report(&findings);
    assert_eq!((text.matches("warning").count(), text.matches("export AWS_").count()), (2, 1), "{text}");
}

#[test]
fn a_low_port_is_told_with_the_right_that_it_needs() {
    let told = |kind: std::io::ErrorKind| {
        machine::not_bound("--listen", ([127, 0, 0, 1], 80).into(), &kind.into()).to_string()
    };
    let low = told(std::io::ErrorKind::PermissionDenied);
    assert!(low.contains("setcap cap_net_bind_service=+ep") && low.contains("AmbientCapabilities="), "{low}");
    assert!(told(std::io::ErrorKind::AddrNotAvailable).contains("ip -brief address"));
}

#[test]
fn a_clock_behind_what_was_written_is_wrong() {
    let dir = Scratch::new("doctor-clock");
    let patient = patient(&dir, ServeArgs::default(), &[]);
    let level = || machine::clock(&patient).first().map(|finding| finding.level);
    assert_eq!(level(), Some(Level::Ok), "nothing was written");
    std::fs::create_dir(dir.join("data")).unwrap();
    let file = std::fs::File::create(dir.join("data/audit.jsonl")).unwrap();
    for (off, expected) in [(-100, Level::Ok), (5, Level::Ok), (60, Level::Problem)] {
        let written =
            std::time::UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(NOW + off).unwrap());
        file.set_modified(written).unwrap();
        assert_eq!(level(), Some(expected), "{off}");
    }
}
