//! The doctor's lines, pasted as they stand there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value;

use crate::binary::{Scratch, Server, daypass, run};
use crate::client::Client;

/// What the doctor says of one thing, with these words behind it and these variables in its shell.
fn found(dir: &Scratch, check: &str, args: &[&str], variables: &[(&str, &str)]) -> Vec<Value> {
    let mut doctor = daypass(dir.path());
    doctor.args(["doctor", "--json"]).args(args);
    if !args.contains(&"--data") {
        doctor.args(["--data", "data"]);
    }
    doctor.envs(variables.iter().copied());
    let text = String::from_utf8(doctor.output().unwrap().stdout).unwrap();
    let findings = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    findings.filter(|finding| finding["check"] == check).collect()
}

/// The problem among them, and its line.
fn problem(findings: &[Value]) -> (&str, &str) {
    let mut problems = findings.iter().filter(|finding| finding["level"] == "problem");
    let (Some(one), None) = (problems.next(), problems.next()) else { panic!("{findings:?}") };
    (one["says"].as_str().unwrap(), one["paste"].as_str().unwrap())
}

/// A shell that finds `daypass`, somewhere else than where the doctor was asked.
fn shell(dir: &Path, line: &str) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_daypass")).parent().unwrap();
    let mut command = Command::new("/bin/sh");
    command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", binary.display())).current_dir(dir);
    command.args(["-c", line]);
    command
}

fn pasted(dir: &Scratch, line: &str) -> Output {
    shell(dir.path(), line).output().unwrap()
}

#[test]
fn a_master_key_that_was_removed_under_the_server_is_made_anew_before_it_is_missed() {
    let dir = Scratch::new("mend-key");
    let data = dir.join("data");
    let server = Server::start(&data);
    let admin = ["--admin-listen", &server.admin, "--listen", "127.0.0.1:0"];
    fs::remove_file(data.join("master-key")).unwrap();
    let findings = found(&dir, "store", &admin, &[]);
    let (says, line) = problem(&findings);
    assert!(says.contains("master-key` is missing") && says.contains("no other will start"), "{says}");
    assert_eq!(line, "daypass keys rotate-master --data data");
    assert!(pasted(&dir, line).status.success());
    let findings = found(&dir, "store", &admin, &[]);
    assert!(findings.iter().all(|finding| finding["level"] == "ok"), "{findings:?}");
    server.stop();
    Server::start(&data).stop();
}

#[test]
fn the_key_of_another_time_that_opens_the_store_is_named() {
    let dir = Scratch::new("mend-former");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    server.stop();
    let former = data.join("master-key-until-20261127T061500Z");
    fs::rename(data.join("master-key"), &former).unwrap();
    fs::write(data.join("master-key"), "c29tZSBvdGhlciBtYXN0ZXIga2V5LCAzMiBieXRlcyE=").unwrap();
    fs::set_permissions(data.join("master-key"), fs::Permissions::from_mode(0o600)).unwrap();
    let ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--session-log-max", "7"];
    let findings = found(&dir, "store", &ports, &[]);
    let (says, line) = problem(&findings);
    assert!(says.contains("another master key: that in `data/master-key-until-"), "{says}");
    assert!(line.contains(" --session-log-max 7 ") && !line.contains("--json"), "{line}");
    let elsewhere = dir.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let server = Server::start_as_told(&mut shell(&elsewhere, &format!("exec {line}")));
    let root = Client { address: server.address.clone(), ..root };
    assert_eq!(root.call("sts", "Action=GetCallerIdentity&Version=2011-06-15").0, 200);
    server.stop();
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0, "it is the account that was here");
    fs::remove_file(former).unwrap();
    let findings = found(&dir, "store", &ports, &[]);
    assert!(problem(&findings).1.contains("--master-key-file FILE"), "{findings:?}");
}

#[test]
fn a_store_that_was_moved_away_is_backed_up_while_somebody_has_it() {
    let dir = Scratch::new("mend-moved");
    let data = dir.join("data");
    let server = Server::start(&data);
    fs::rename(data.join("store.sqlite"), dir.join("away")).unwrap();
    let findings = found(&dir, "store", &["--admin-listen", &server.admin], &[]);
    let (says, line) = problem(&findings);
    assert!(says.contains("was moved, removed or replaced"), "{says}");
    assert_eq!(line, "daypass backup FILE --data data");
    assert!(pasted(&dir, line).status.success() && dir.join("FILE").exists());
    server.stop();
}

#[test]
fn a_backup_is_restored_beside_a_damaged_store_and_no_name_that_is_taken_is_touched() {
    let dir = Scratch::new("mend-restore");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    assert!(run(dir.path(), &["backup", "BACKUP", "--data", "data"]).status.success());
    server.stop();
    fs::write(data.join("store.sqlite"), "SQLite format 3\0 and no more").unwrap();
    fs::create_dir(dir.join("precious")).unwrap();
    std::os::unix::fs::symlink(dir.join("precious"), dir.join("data.new")).unwrap();
    for named in ["data", "data/", "data/."] {
        let findings = found(&dir, "store", &["--data", named], &[]);
        let new = dir.path().canonicalize().unwrap().join("data.new-2");
        assert!(
            problem(&findings).1.starts_with(&format!("mkdir -m 700 {} && ", new.display())),
            "{findings:?}"
        );
    }
    let findings = found(&dir, "store", &[], &[]);
    assert!(pasted(&dir, problem(&findings).1).status.success(), "{findings:?}");
    assert_eq!(fs::read_dir(dir.join("precious")).unwrap().count(), 0);
    let server = Server::start(&dir.join("data.new-2"));
    let root = Client { address: server.address.clone(), ..root };
    assert_eq!(root.call("sts", "Action=GetCallerIdentity&Version=2011-06-15").0, 200);
    server.stop();
}

#[test]
fn what_is_in_the_way_is_moved_to_a_name_that_nothing_has() {
    let dir = Scratch::new("mend-way");
    let data = dir.join("data");
    Server::start(&data).stop();
    fs::remove_file(data.join("sessions.jsonl")).unwrap();
    for name in ["sessions.jsonl", "sessions.jsonl.old"] {
        fs::create_dir(data.join(name)).unwrap();
    }
    let findings = found(&dir, "start", &[], &[]);
    let (_, line) = problem(&findings);
    assert_eq!(line, "mv -T -n data/sessions.jsonl data/sessions.jsonl.old-2");
    assert!(pasted(&dir, line).status.success());
    assert_eq!(fs::read_dir(data.join("sessions.jsonl.old")).unwrap().count(), 0);
    Server::start(&data).stop();
}

#[test]
fn a_shell_is_held_against_the_server_that_runs_and_not_against_a_default() {
    let dir = Scratch::new("mend-shell");
    let server = Server::start(&dir.join("data"));
    let url = format!("http://{}", server.address);
    let region = ("AWS_REGION", "us-east-1");
    let names = ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_DAYPASS"];
    let pointed: Vec<_> = names.iter().map(|name| (*name, url.as_str())).chain([region]).collect();
    let findings = found(&dir, "shell", &[], &pointed);
    assert!(findings.len() == 1 && findings[0]["level"] == "ok", "{findings:?}");
    let findings = found(&dir, "shell", &[], &[region]);
    assert!(findings[0]["paste"].as_str().unwrap().contains(&format!("URL_STS={url} ")), "{findings:?}");
    server.stop();
}

#[test]
fn a_new_root_key_comes_with_the_line_that_uses_it() {
    let dir = Scratch::new("mend-root");
    let data = dir.join("data");
    let server = Server::start(&data);
    let list = run(dir.path(), &["account", "list", "--data", "data"]);
    let account = String::from_utf8(list.stdout).unwrap();
    let ask = ["account", "root-key", "--data", "data", "--account-id", account.trim()];
    let text = String::from_utf8(run(dir.path(), &ask).stdout).unwrap();
    let line = text.lines().last().unwrap();
    assert!(line.starts_with("export AWS_SHARED_CREDENTIALS_FILE=/"), "{text}");
    let line = format!("{line}; cat \"$AWS_SHARED_CREDENTIALS_FILE\"");
    assert!(String::from_utf8(pasted(&dir, &line).stdout).unwrap().contains("aws_access_key_id"));
    server.stop();
}

/// What is taken of identity providers beyond what is safe is told, with a start that does not.
#[test]
fn settings_that_weaken_federation_are_told() {
    let dir = Scratch::new("mend-federation");
    let server = Server::start(&dir.join("data"));
    let insecure = "http://192.168.7.7:8080/realms/x";
    let args = [
        &["--allow-saml-sha1", "true", "--saml-replay", "off", "--sign-in-links-again", "true"][..],
        &["--allow-insecure-issuer", insecure],
    ];
    let findings = found(&dir, "settings", &args.concat(), &[]);
    let told: Vec<_> = findings.iter().map(|finding| finding["says"].as_str().unwrap()).collect();
    for part in ["signed with SHA-1", "as often as it is brought", "as often as it is followed", insecure] {
        assert_eq!(told.iter().filter(|says| says.contains(part)).count(), 1, "{part}: {told:?}");
    }
    assert_eq!(findings.len(), 4, "{findings:?}");
    let both = ["--allow-insecure-issuer", "http://127.0.0.1:8080/dev", "--allow-insecure-issuer", insecure];
    let [finding] = &found(&dir, "settings", &both, &[])[..] else { panic!("one of the two") };
    let paste = finding["paste"].as_str().unwrap();
    assert!(paste.contains("http://127.0.0.1:8080/dev") && !paste.contains(insecure), "{paste}");
    let safe = ["--allow-saml-sha1", "false", "--allow-insecure-issuer", "http://127.0.0.1:8080"];
    assert_eq!(found(&dir, "settings", &safe, &[]), Vec::<Value>::new());
    server.stop();
}

/// A name, its key, and whether it may sign others.
fn named(name: &str, is_ca: bool) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    (params, KeyPair::generate().unwrap())
}

#[test]
fn a_chain_without_its_intermediate_is_mended_in_the_file_and_not_in_the_shell() {
    let dir = Scratch::new("mend-chain");
    let ((root, root_key), (middle, middle_key), (own, own_key)) =
        (named("root", true), named("middle", true), named("own", false));
    fs::write(dir.join("ca.pem"), root.self_signed(&root_key).unwrap().pem()).unwrap();
    let root = Issuer::new(root, root_key);
    let middle_pem = middle.signed_by(&middle_key, &root).unwrap().pem();
    fs::write(dir.join("CERTIFICATE_OF_THE_ISSUER"), middle_pem).unwrap();
    let own = own.signed_by(&own_key, &Issuer::new(middle, middle_key)).unwrap();
    // Not every file of certificates ends in a line's end.
    fs::write(dir.join("cert"), own.pem().trim_end()).unwrap();
    fs::write(dir.join("key"), own_key.serialize_pem()).unwrap();
    fs::set_permissions(dir.join("key"), fs::Permissions::from_mode(0o600)).unwrap();
    let serve = || {
        let mut serve = daypass(dir.path());
        serve.args(["serve", "--tls-cert", "cert", "--tls-key", "key"]);
        Server::start_with(&mut serve, &dir.join("data"))
    };
    let ask = |server: &Server, variables: &[(&str, &str)]| {
        let url = format!("https://localhost:{}", server.address.rsplit(':').next().unwrap());
        found(&dir, "public", &["--tls-cert", "cert", "--tls-key", "key", "--public-url", &url], variables)
    };
    let server = serve();
    let findings = ask(&server, &[("AWS_CA_BUNDLE", "ca.pem")]);
    let (says, line) = problem(&findings);
    assert!(says.contains("the chain may lack its intermediate"), "{says}");
    assert_eq!(line, "{ echo; cat CERTIFICATE_OF_THE_ISSUER; } >> cert");
    assert!(problem(&ask(&server, &[])).1.starts_with("export AWS_CA_BUNDLE="));
    server.stop();
    assert!(pasted(&dir, line).status.success());
    let server = serve();
    let findings = ask(&server, &[("AWS_CA_BUNDLE", "ca.pem")]);
    assert!(findings.iter().all(|finding| finding["level"] == "ok"), "{findings:?}");
    server.stop();
}
