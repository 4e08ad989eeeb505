//! The settings of `daypass serve`: three forms under one name, an order among them, and what is refused.

use std::fs;
use std::path::Path;

use clap::{Args, FromArgMatches};
use daypass_server::Failure;
use daypass_server::config::{Config, ServeArgs};

use crate::binary::{Scratch, Server, daypass, run};
use crate::command_line::{SERVE, one_line};

/// The settings as the command line knows them.
fn command() -> clap::Command {
    ServeArgs::augment_args(clap::Command::new("serve"))
}

/// Every flag, without its dashes.
fn flags() -> Vec<String> {
    let flags: Vec<String> =
        command().get_arguments().map(|setting| setting.get_long().unwrap().to_owned()).collect();
    assert!(flags.len() >= 15, "{flags:?}");
    flags
}

#[test]
fn help_lists_every_setting_with_its_environment_variable() {
    let dir = Scratch::new("help");
    let help = String::from_utf8(run(dir.path(), &["serve", "--help"]).stdout).unwrap();
    for setting in command().get_arguments() {
        let flag = setting.get_long().unwrap();
        let variable = format!("DAYPASS_{}", flag.replace('-', "_").to_uppercase());
        assert_eq!(setting.get_env().unwrap(), &*variable, "one name in all forms");
        let of_flag = help.split("\n      --").find(|text| text.split([' ', '[', '\n']).next() == Some(flag));
        let of_flag = of_flag.unwrap_or_else(|| panic!("--{flag} is not in {help}"));
        assert!(of_flag.contains(&format!("[env: {variable}=")), "{of_flag}");
    }
    assert!(help.contains("environment alone:\n  DAYPASS_MASTER_KEY "), "{help}");
}

#[test]
fn a_header_that_says_what_a_request_is_must_be_signed() {
    let load = |name: &str| {
        Config::load(ServeArgs { tolerate_unsigned_header: vec![name.to_owned()], ..ServeArgs::default() })
    };
    for name in [
        "x-amz-target",
        "X-Amz-Date",
        "x-amz-region-set",
        "x-amz-content-sha256",
        " x-amz-security-token",
        "Host",
        "authorization",
        "content-type",
    ] {
        let refusal = load(name).map(|_| ()).unwrap_err().to_string();
        let name = name.trim().to_lowercase();
        assert!(refusal.starts_with(&format!("--tolerate-unsigned-header {name}: ")), "{refusal}");
    }
    // RFC 9110, section 5.1: a name is a token.
    for name in ["a b", "", "x-amz-cf-id:", "x(y)", "x\"y", "x\u{e9}"] {
        let refusal = load(name).map(|_| ()).unwrap_err().to_string();
        assert!(refusal.contains("no name of a header"), "{refusal}");
    }
    assert_eq!(load("a!#$%&'*+.^_`|~9").unwrap().tolerated_unsigned_headers.len(), 1);
    assert_eq!(load("X-Amz-Cf-Id").unwrap().tolerated_unsigned_headers, ["x-amz-cf-id"]);
}

#[test]
fn settings_out_of_range_are_refused_with_what_would_do() {
    let dir = Scratch::new("range");
    for args in [
        &["--listen", "localhost:7777"][..],
        &["--admin-listen", "7778"],
        &["--audit-rotate-mib", "0"],
        &["--audit-keep", "0"],
        &["--audit-keep", "x"],
    ] {
        let output = run(dir.path(), &[&["serve"], args].concat());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        let told = if args[0].ends_with("listen") {
            "such as 127.0.0.1:7777"
        } else {
            "give a whole number from 1 on"
        };
        assert!(error.contains(args[0]) && error.contains(told), "{error}");
    }
    for (line, told) in [
        ("listen = \"localhost:7777\"", "such as 127.0.0.1:7777"),
        ("audit-rotate-mib = 0", "audit-rotate-mib: give a whole number from 1 on"),
        ("audit-keep = \"x\"", "audit-keep: give a whole number from 1 on"),
        ("audit-stdout = 1", "audit-stdout: "),
        ("allow-signature-v2 = 'yes'", "allow-signature-v2: "),
        ("session-log-max = 0", "session-log-max: give a whole number from 1 on"),
        ("sts-region = \"EU\"", "sts-region: give a region, such as eu-central-1"),
    ] {
        fs::write(dir.join("daypass.toml"), line).unwrap();
        let error = one_line(&run(dir.path(), &["serve"]));
        assert!(error.contains("line 1") && error.contains(told), "{error}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "only the file of settings");
}

#[test]
fn an_issuer_that_could_never_be_asked_is_refused_at_the_start() {
    let load = |flag: &str, url: &str, more: &[&str]| {
        let args = [&["serve", flag, url], more].concat();
        let args = ServeArgs::from_arg_matches(&command().get_matches_from(args)).unwrap();
        Config::load(args).map(|_| ()).map_err(|failure| failure.to_string())
    };
    for flag in ["--google-discovery-url", "--cognito-discovery-url"] {
        for (url, why) in [
            ("issuer.example/configuration", "it is no http or https URL"),
            ("https://user@issuer.example/", "it is no http or https URL"),
            ("http://issuer.example/", "it is not https"),
            ("https://issuer.example:8443/", "it names a port"),
            ("https://issuer.example/#x", "its path is none"),
            ("https://10.0.0.1/", "its address is not public"),
        ] {
            let told = load(flag, url, &[]).unwrap_err();
            assert!(
                told.starts_with(&format!("{flag} {url:?}: {why}")) && told.contains("such as https://"),
                "{told}"
            );
        }
        load(flag, "https://issuer.example/configuration?x=y", &[]).unwrap();
        load(flag, "https://10.0.0.1/", &["--allow-private-network", "10.0.0.0/8"]).unwrap();
        load(flag, "https://localhost/", &[]).unwrap();
        load(flag, "https://localhost/", &["--outbound-proxy", "http://proxy.example:3128"]).unwrap_err();
    }
    for issuer in
        ["issuer.example", "ftp://issuer.example", "http://issuer.example?x", "http://issuer.example/#x", ""]
    {
        let told = load("--allow-insecure-issuer", issuer, &[]).unwrap_err();
        assert!(told.starts_with(&format!("--allow-insecure-issuer {issuer:?}: ")), "{told}");
    }
    load("--allow-insecure-issuer", "http://127.0.0.1:8080/realms/test", &[]).unwrap();
}

/// What `--allow-plain-http` is needed for: a server on every address of the machine.
fn beyond_loopback(flag: &str, other: &str) -> [String; 5] {
    ["serve", flag, "0.0.0.0:0", other, "127.0.0.1:0"].map(str::to_owned)
}

#[test]
fn plain_http_beyond_loopback_must_be_asked_for() {
    let dir = Scratch::new("plain");
    for (flag, other) in [("--listen", "--admin-listen"), ("--admin-listen", "--listen")] {
        let args = beyond_loopback(flag, other);
        let refused = daypass(dir.path()).args(&args).output().unwrap();
        let line = one_line(&refused);
        assert!(
            line.contains(&format!("{flag} 0.0.0.0:0: ")) && line.contains("--allow-plain-http"),
            "{line}"
        );
        assert_eq!(line.contains("--tls-cert and --tls-key"), flag == "--listen", "{line}");
        assert!(fs::read_dir(dir.path()).unwrap().next().is_none(), "nothing was made");

        let server = Server::start_as_told(daypass(dir.path()).args(&args).args([
            "--allow-plain-http",
            "--data",
            &flag[2..],
        ]));
        let table = fs::read_to_string(format!("/proc/{}/net/tcp", server.pid())).unwrap();
        // As the kernel writes an address that is listened at: all zeros, the port in hexadecimal; 0A is LISTEN.
        let port = if flag == "--listen" { &server.address } else { &server.admin };
        let port: u16 = port.rsplit(':').next().unwrap().parse().unwrap();
        let listens = |line: &str| line.contains(&format!(" 00000000:{port:04X} 00000000:0000 0A "));
        assert!(table.lines().any(listens), "{port:04X} {table}");
        assert!(server.admin("/readyz").contains("200 OK"));
        server.stop();
        fs::remove_dir_all(dir.join(&flag[2..])).unwrap();
    }
}

#[test]
fn one_port_for_both_listeners_is_told_as_such() {
    let dir = Scratch::new("one-port");
    let refused = run(dir.path(), &["serve", "--listen", "127.0.0.1:7778"]);
    let line = one_line(&refused);
    assert!(
        line.contains("--listen 127.0.0.1:7778 and --admin-listen 127.0.0.1:7778 are one port"),
        "{line}"
    );
    assert!(fs::read_dir(dir.path()).unwrap().next().is_none(), "nothing was made");
}

#[test]
fn a_start_with_a_clock_before_the_last_write_is_told_of() {
    let dir = Scratch::new("clock-behind");
    let (_, log) = Server::start(&dir.join("data")).stop();
    assert!(!log.contains("clock"), "{log}");
    let audit = fs::File::options().append(true).open(dir.join("data/audit.jsonl")).unwrap();
    let ahead = audit.metadata().unwrap().modified().unwrap() + std::time::Duration::from_secs(3600);
    audit.set_modified(ahead).unwrap();
    let (_, log) = Server::start(&dir.join("data")).stop();
    assert!(log.contains("WARN") && log.contains("seconds behind what was last written here"), "{log}");
}

#[test]
fn settings_come_from_flags_then_environment_then_file() {
    let dir = Scratch::new("settings");
    let file = |text: &str| fs::write(dir.join("daypass.toml"), text).unwrap();
    for (given, expected) in [
        (["flag", "environment", "file"], "flag"),
        (["flag", "", "file"], "flag"),
        (["flag", "environment", ""], "flag"),
        (["", "environment", "file"], "environment"),
        (["", "environment", ""], "environment"),
        (["", "", "file"], "file"),
        (["", "", ""], "data/audit.jsonl"),
    ] {
        let [flag, environment, in_file] = given;
        let mut command = daypass(dir.path());
        command.arg("serve");
        if !flag.is_empty() {
            command.args(["--audit-file", flag]);
        }
        if !environment.is_empty() {
            command.env("DAYPASS_AUDIT_FILE", environment);
        }
        file(&if in_file.is_empty() { String::new() } else { format!("audit-file = {in_file:?}\n") });
        Server::start_with(&mut command, &dir.join("data")).stop();
        let is_there = |name: &&str| dir.join(name).exists();
        let audits: Vec<_> =
            ["flag", "environment", "file", "data/audit.jsonl"].into_iter().filter(is_there).collect();
        assert_eq!(audits, [expected], "{given:?}");
        fs::remove_file(dir.join(&format!("{expected}.reserve"))).unwrap();
        fs::remove_file(dir.join(expected)).unwrap();
        fs::remove_dir_all(dir.join("data")).unwrap();
    }
    file("listne = \"127.0.0.1:1\"\n");
    let output = run(dir.path(), &["serve"]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("listne"));
}

/// The settings that a server would run with.
fn loaded(dir: &Path, in_file: &str, flags: &[&str]) -> Result<String, Failure> {
    let path = dir.join("settings.toml");
    fs::write(&path, in_file).unwrap();
    let args = [&["serve", "--config", path.to_str().unwrap()], flags].concat();
    let args = ServeArgs::from_arg_matches(&command().get_matches_from(args)).unwrap();
    Config::load(args).map(|config| format!("{config:?}"))
}

/// Every setting but `--config`: two values, and in the file's form.
const VALUES: [(&str, [&str; 2], [&str; 2]); 35] = [
    ("data", ["a", "b"], ["'a'", "'b'"]),
    ("listen", ["127.0.0.1:1", "127.0.0.2:2"], ["'127.0.0.1:1'", "'127.0.0.2:2'"]),
    ("admin-listen", ["127.0.0.1:1", "127.0.0.2:2"], ["'127.0.0.1:1'", "'127.0.0.2:2'"]),
    ("allow-plain-http", ["true", "false"], ["true", "false"]),
    ("tls-cert", ["a", "b"], ["'a'", "'b'"]),
    ("tls-key", ["a", "b"], ["'a'", "'b'"]),
    ("trust-proxy", ["10.0.0.1,10.2.0.0/16", "fd00::/8"], ["['10.0.0.1', '10.2.0.0/16']", "['fd00::/8']"]),
    ("public-url", ["https://a", "http://b"], ["'https://a'", "'http://b'"]),
    ("master-key-file", ["a", "b"], ["'a'", "'b'"]),
    ("tolerate-unsigned-header", ["a,c", "b"], ["['a', 'c']", "['b']"]),
    ("allow-signature-v2", ["true", "false"], ["true", "false"]),
    ("audit-file", ["a", "b"], ["'a'", "'b'"]),
    ("audit-rotate-mib", ["1", "2"], ["1", "2"]),
    ("audit-keep", ["1", "2"], ["1", "2"]),
    ("audit-stdout", ["true", "false"], ["true", "false"]),
    ("session-log-max", ["1", "2"], ["1", "2"]),
    ("decision-log-hours", ["1", "2"], ["1", "2"]),
    ("end-sessions-with-key", ["true", "false"], ["true", "false"]),
    ("sts-region", ["eu-west-1", "eu-west-2"], ["'eu-west-1'", "'eu-west-2'"]),
    (
        "service",
        ["a.b=111122223333,c.d=444455556666", "a.b=444455556666"],
        ["['a.b=111122223333', 'c.d=444455556666']", "['a.b=444455556666']"],
    ),
    (
        "allow-insecure-issuer",
        ["http://a,http://c:1/r", "http://b"],
        ["['http://a', 'http://c:1/r']", "['http://b']"],
    ),
    (
        "allow-private-network",
        ["10.0.0.1,10.2.0.0/16", "fd00::/8"],
        ["['10.0.0.1', '10.2.0.0/16']", "['fd00::/8']"],
    ),
    ("ca-bundle", ["a", "b"], ["'a'", "'b'"]),
    ("outbound-proxy", ["http://a:1", "http://b:2"], ["'http://a:1'", "'http://b:2'"]),
    ("google-discovery-url", ["https://a", "https://b"], ["'https://a'", "'https://b'"]),
    ("cognito-discovery-url", ["https://a", "https://b"], ["'https://a'", "'https://b'"]),
    ("amazon-token-info-url", ["https://a/i", "https://b/i"], ["'https://a/i'", "'https://b/i'"]),
    ("facebook-graph-url", ["https://a/v1", "https://b/v1"], ["'https://a/v1'", "'https://b/v1'"]),
    ("saml-replay", ["once", "off"], ["'once'", "'off'"]),
    ("allow-saml-sha1", ["true", "false"], ["true", "false"]),
    ("sign-in-links-again", ["true", "false"], ["true", "false"]),
    (
        "console-destination",
        ["https://a/,https://b/x/", "https://c/"],
        ["['https://a/', 'https://b/x/']", "['https://c/']"],
    ),
    (
        "sign-in-provider",
        [
            "a arn:aws:iam::111122223333:oidc-provider/x.example one,b arn:aws:iam::111122223333:oidc-provider/y.example two",
            "c arn:aws:iam::111122223333:oidc-provider/z.example three",
        ],
        [
            "['a arn:aws:iam::111122223333:oidc-provider/x.example one', 'b arn:aws:iam::111122223333:oidc-provider/y.example two']",
            "['c arn:aws:iam::111122223333:oidc-provider/z.example three']",
        ],
    ),
    ("log", ["warn", "debug"], ["'warn'", "'debug'"]),
    ("log-format", ["json", "text"], ["'json'", "'text'"]),
];

#[test]
fn every_setting_can_stand_in_the_file_and_gives_way_to_its_flag() {
    let dir = Scratch::new("every");
    let mut known: Vec<&str> = VALUES.iter().map(|(flag, ..)| *flag).collect();
    known.push("config");
    for flag in flags() {
        assert!(known.contains(&&*flag), "give --{flag} two values here");
    }
    for (name, given, in_file) in VALUES {
        // Nothing but what is refused without it shows what this one does.
        let beyond = match name {
            "allow-plain-http" => "listen = '0.0.0.0:0'\n",
            "tls-cert" => "tls-key = 'k'\n",
            "tls-key" => "tls-cert = 'c'\n",
            _ => "",
        };
        let line = |n: usize| format!("{beyond}{name} = {}\n", in_file[n]);
        let load = |text: &str, flags: &[&str]| {
            loaded(dir.path(), text, flags).unwrap_or_else(|failure| failure.to_string())
        };
        let flag = |n: usize| format!("--{name}={}", given[n]);
        let alone = [0, 1].map(|n| load(beyond, &[&flag(n)]));
        assert_ne!(alone[0], alone[1], "{name}");
        for n in [0, 1] {
            assert_eq!(load(&line(n), &[]), alone[n], "{name} in the file");
            assert_eq!(load(&line(1 - n), &[&flag(n)]), alone[n], "{name} in the file and as a flag");
        }
    }
}

#[test]
fn a_variable_that_names_no_setting_is_refused_by_the_server() {
    let dir = Scratch::new("variables");
    let output =
        daypass(dir.path()).args(SERVE).env("DAYPASS_LISTNE", "a secret, for all we know").output().unwrap();
    let line = one_line(&output);
    assert!(line.contains("DAYPASS_LISTNE") && line.contains("DAYPASS_LISTEN,"), "{line}");
    assert!(!line.contains("a secret"), "{line}");
    assert!(fs::read_dir(dir.path()).unwrap().next().is_none(), "nothing was made");
    let other =
        daypass(dir.path()).args(["completions", "bash"]).env("DAYPASS_LISTNE", "x").output().unwrap();
    assert!(other.status.success(), "only the server has settings");
}

#[test]
fn a_master_key_that_is_given_twice_is_refused_before_anything_is_made() {
    let dir = Scratch::new("twice");
    let key = "c29tZSBvdGhlciBtYXN0ZXIga2V5LCAzMiBieXRlcyE=";
    fs::write(dir.join("key"), key).unwrap();
    fs::write(dir.join("settings"), "master-key-file = \"key\"\n").unwrap();
    for (flags, variable) in [
        (&["--master-key-file", "key"][..], ("TERM", "dumb")),
        (&["--config", "settings"], ("TERM", "dumb")),
        (&[], ("DAYPASS_MASTER_KEY_FILE", "key")),
    ] {
        let mut command = daypass(dir.path());
        command.args(SERVE).args(flags).envs([variable, ("DAYPASS_MASTER_KEY", key)]);
        let line = one_line(&command.output().unwrap());
        assert!(
            line.contains("given twice, in DAYPASS_MASTER_KEY and by --master-key-file key; leave one"),
            "{line}"
        );
        assert!(!line.contains(key));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing was made");
    }
}
