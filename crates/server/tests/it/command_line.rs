//! The command line as a contract: wrong use and bad surroundings give one clear line, another exit code
//! than 0, and damage nothing.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use crate::binary::{Scratch, Server, daypass, run};
use crate::client::Client;

pub(crate) const SERVE: [&str; 5] = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];

/// One line on standard error that begins with the program's name; the line.
pub(crate) fn one_line(output: &Output) -> String {
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let line = text.strip_suffix('\n').unwrap_or(&text).to_owned();
    assert!(line.starts_with("daypass: ") && !line.contains('\n'), "{text:?}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("ready"));
    line
}

fn serve(dir: &Scratch, more: &[&str]) -> Output {
    let args: Vec<&str> = SERVE.iter().chain(more).copied().collect();
    run(dir.path(), &args)
}

#[test]
fn wrong_use_exits_with_2_and_says_what_is_wrong() {
    let dir = Scratch::new("use");
    for args in [
        &["serve", "--no-such-flag"][..],
        &["no-such-command"],
        &["serve", "--listen", "here"],
        &["policy"],
        &["completions"],
    ] {
        let output = run(dir.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
    assert!(fs::read_dir(dir.path()).unwrap().next().is_none(), "wrong use leaves nothing behind");
}

#[test]
fn a_taken_port_is_named() {
    let dir = Scratch::new("port");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(dir.path(), &["serve", "--listen", &address, "--admin-listen", "127.0.0.1:0"]);
    assert!(one_line(&output).contains(&format!("--listen {address}: the port is taken by another program")));
    assert!(!dir.join("daypass-data").exists(), "nothing was made");
    let server = Server::start(&dir.join("data"));
    for (flag, other, taken) in
        [("--listen", "--admin-listen", &server.address), ("--admin-listen", "--listen", &server.admin)]
    {
        let line =
            one_line(&run(dir.path(), &["serve", "--data", "other", other, "127.0.0.1:0", flag, taken]));
        assert!(
            line.contains(&format!("{flag} {taken}: the port is taken by another server (daypass ")),
            "{line}"
        );
    }
}

#[test]
fn a_file_in_the_place_of_the_data_directory_is_left_alone() {
    let dir = Scratch::new("file");
    fs::write(dir.join("data"), "mine").unwrap();
    let line = one_line(&serve(&dir, &["--data", "data"]));
    assert!(line.contains("`data`") && line.contains("--data"), "{line}");
    assert_eq!(fs::read_to_string(dir.join("data")).unwrap(), "mine");
}

#[test]
fn a_wrong_master_key_opens_nothing_and_damages_nothing() {
    let dir = Scratch::new("master");
    let data = dir.join("data");
    Server::start(&data).stop();
    let before = fs::read(data.join("store.sqlite")).unwrap();
    let other = "c29tZSBvdGhlciBtYXN0ZXIga2V5LCAzMiBieXRlcyE=";
    let mut command = daypass(dir.path());
    let output =
        command.args(SERVE).args(["--data", "data"]).env("DAYPASS_MASTER_KEY", other).output().unwrap();
    assert!(one_line(&output).contains("not the master key"));
    let output = daypass(dir.path())
        .args(SERVE)
        .args(["--data", "data"])
        .env("DAYPASS_MASTER_KEY", "short")
        .output()
        .unwrap();
    assert!(
        one_line(&output)
            .contains("DAYPASS_MASTER_KEY: a master key is 32 bytes in base64; for a new server `head -c 32")
    );
    assert_eq!(fs::read(data.join("store.sqlite")).unwrap(), before);
    fs::remove_file(data.join("master-key")).unwrap();
    assert!(one_line(&serve(&dir, &["--data", "data"])).contains("master-key` is missing"));
    assert!(!data.join("master-key").exists(), "no new key is made for an old store");
}

#[test]
fn a_damaged_store_is_refused_and_left_as_it_is() {
    let dir = Scratch::new("corrupt");
    let data = dir.join("data");
    Server::start(&data).stop();
    let store = data.join("store.sqlite");
    let mut bytes = fs::read(&store).unwrap();
    for byte in bytes.iter_mut().skip(4096).step_by(7) {
        *byte = 0x55;
    }
    fs::write(&store, &bytes).unwrap();
    let line = one_line(&serve(&dir, &["--data", "data"]));
    assert!(line.contains("store.sqlite") && line.contains("damaged"), "{line}");
    assert_eq!(fs::read(&store).unwrap(), bytes);
}

#[test]
fn a_second_server_on_one_directory_is_refused_and_the_first_goes_on() {
    let dir = Scratch::new("second");
    let data = dir.join("data");
    let first = Server::start(&data);
    let line = one_line(&serve(&dir, &["--data", "data"]));
    assert!(line.contains("in use by another daypass") && line.contains(&first.address), "{line}");
    let accounts = run(dir.path(), &["account", "list", "--data", "data"]);
    assert!(accounts.status.success(), "the first server answers");
    first.stop();
}

#[test]
fn the_first_root_key_is_in_a_private_file_and_not_in_a_pipe() {
    let dir = Scratch::new("secret");
    let data = dir.join("data");
    let server = Server::start(&data);
    let file = data.join("root-credentials");
    let text = fs::read_to_string(&file).unwrap();
    let secret = text.lines().find_map(|line| line.strip_prefix("aws_secret_access_key = ")).unwrap();
    assert_eq!(secret.len(), 40);
    assert!(!server.banner.contains(secret));
    assert!(server.banner.contains("export AWS_ENDPOINT_URL_STS=http://127.0.0.1:"));
    for (name, mode) in [
        ("root-credentials", 0o600),
        ("master-key", 0o600),
        ("operator.sock", 0o600),
        ("store.sqlite", 0o600),
        ("audit.jsonl", 0o600),
    ] {
        let found = fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    let (rest, log) = server.stop();
    assert!(!rest.contains(secret) && !log.contains(secret));
}

#[test]
fn accounts_are_made_and_listed_through_the_operators_door() {
    let dir = Scratch::new("account");
    let data = dir.join("data");
    let no_server = run(dir.path(), &["account", "list", "--data", "data"]);
    assert!(one_line(&no_server).contains("no daypass answers"));
    let server = Server::start(&data);
    let made = run(dir.path(), &["account", "create", "--account-id", "222233334444", "--data", "data"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = String::from_utf8(made.stdout).unwrap();
    let path = text.lines().find_map(|line| line.strip_prefix("credentials  ")).unwrap();
    let credentials = fs::read_to_string(path).unwrap();
    let secret = credentials.lines().find_map(|line| line.strip_prefix("aws_secret_access_key = ")).unwrap();
    assert!(!text.contains(secret), "the door never answers key material");
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    let listed = String::from_utf8(run(dir.path(), &["account", "list", "--data", "data"]).stdout).unwrap();
    assert_eq!(listed.lines().count(), 2);
    assert!(listed.contains("222233334444"));
    for bad in [
        &["account", "create", "--account-id", "222233334444", "--data", "data"][..],
        &["account", "create", "--account-id", "12", "--data", "data"],
    ] {
        one_line(&run(dir.path(), bad));
    }
    server.stop();
    let audit = fs::read_to_string(data.join("audit.jsonl")).unwrap();
    let events: Vec<serde_json::Value> =
        audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let asked: Vec<_> = events.iter().filter(|event| event["eventName"] == "AccountCreate").collect();
    assert_eq!(asked.len(), 3, "what the operator does is audited, refused or not");
    assert_eq!(asked[0]["serviceEventDetails"], "222233334444");
    assert!(asked[1]["errorMessage"].as_str().unwrap().contains("already"));
    assert!(!audit.contains(secret));
}

#[test]
fn policy_eval_answers_each_case_in_order() {
    let dir = Scratch::new("eval");
    let case = |id: &str, action: &str| {
        format!(
            r#"{{"id":"{id}","category":"x","principal":"arn:aws:iam::111122223333:user/alice","account":"111122223333","action":"{action}","resource":{{"arn":"arn:aws:s3:::b/k","account":"111122223333"}},"context":{{}},"policies":{{"identity":[{{"name":"p","policy":{{"Statement":{{"Sid":"one","Effect":"Allow","Action":"s3:Get*","Resource":"*"}}}}}}],"resource":null,"boundary":null,"session":null,"scp":[],"rcp":[]}},"expected":"Allowed"}}"#
        )
    };
    fs::write(dir.join("cases"), format!("{}\n{}\n", case("a", "s3:GetObject"), case("b", "s3:PutObject")))
        .unwrap();
    let output = run(dir.path(), &["policy", "eval", "--cases", "cases"]);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "{\"decision\":\"Allowed\",\"id\":\"a\"}\n{\"decision\":\"ImplicitlyDenied\",\"id\":\"b\"}\n"
    );
    let output = run(dir.path(), &["policy", "eval", "--cases", "cases", "--explain"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let second: serde_json::Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(second["statements"][0]["sid"], "one");
    assert_eq!(second["statements"][0]["outcome"], "the action does not match");
    fs::write(dir.join("bad"), "{\"id\":1}\n").unwrap();
    assert!(one_line(&run(dir.path(), &["policy", "eval", "--cases", "bad"])).contains("line 1"));
}

#[test]
fn signature_explain_names_the_usual_mistakes() {
    // Test vector A of AWS's documentation style: computed independently with HMAC-SHA-256 in Python.
    let dir = Scratch::new("explain");
    let request = "POST / HTTP/1.1\r\nHost: sts.us-east-1.amazonaws.com\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\r\nX-Amz-Date: 20260115T120000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260115/us-east-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=26bedae4c6750a6f3ccd2f19d91bf3d4022985970e982971015ace05732b4bb4\r\n\r\nAction=GetCallerIdentity&Version=2011-06-15";
    fs::write(dir.join("request"), request).unwrap();
    let with = |secret: &str| {
        daypass(dir.path())
            .args(["signature", "explain", "--request", "request"])
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .output()
            .unwrap()
    };
    let good = with("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let text = String::from_utf8(good.stdout).unwrap();
    assert!(good.status.success() && text.contains("the signature matches"), "{text}");
    assert!(
        text.contains("5beabd2fd818da8224595b0847d587dc63ed84152bdcbf2e733cbe1a682618dd"),
        "hash of the canonical request"
    );
    // What a proxy adds behind the signature is not seen in it, and refused all the same.
    fs::write(dir.join("request"), request.replacen("\r\n", "\r\nX-Amz-Cf-Id: abc\r\n", 1)).unwrap();
    let added = with("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let text = String::from_utf8(added.stdout).unwrap();
    assert!(added.status.code() == Some(1) && text.contains("`x-amz-cf-id` came unsigned"), "{text}");
    fs::write(dir.join("request"), request).unwrap();
    let bad = with("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEX");
    assert_eq!(bad.status.code(), Some(1));
    assert!(String::from_utf8(bad.stdout).unwrap().contains("does not match"));
    for empty in ["", " "] {
        let line = one_line(&with(empty));
        assert!(line.contains("AWS_SECRET_ACCESS_KEY is empty; give the secret access key"), "{line}");
        assert_eq!(with(empty).status.code(), Some(2), "nothing is known of the signature");
    }
    for request in ["request", "no-such-file"] {
        let output = run(dir.path(), &["signature", "explain", "--request", request]);
        assert_eq!(output.status.code(), Some(2), "{request}");
        let line = one_line(&output);
        assert!(line.contains("standard input is empty") == (request == "request"), "{line}");
    }
}

#[test]
fn completions_are_printed_for_shells() {
    let dir = Scratch::new("completions");
    for shell in ["bash", "zsh", "fish"] {
        let output = run(dir.path(), &["completions", shell]);
        assert!(
            output.status.success() && String::from_utf8_lossy(&output.stdout).contains("daypass"),
            "{shell}"
        );
    }
    let said = |args: &[&str]| String::from_utf8(run(dir.path(), args).stdout).unwrap();
    let (help, script) = (said(&["--help"]), said(&["completions", "bash"]));
    let offered = script.lines().find_map(|line| line.trim().strip_prefix("daypass,")).map(|_| ());
    assert!(offered.is_some(), "{script}");
    for command in script.lines().filter_map(|line| line.trim().strip_prefix("daypass,")) {
        let command = command.split(')').next().unwrap();
        assert!(
            help.contains(&format!("\n  {command} ")),
            "help does not know `{command}`, which is offered"
        );
    }
}

#[test]
fn a_start_that_lacks_a_file_says_which_and_what_to_do() {
    let dir = Scratch::new("lacks");
    fs::create_dir(dir.join("directory")).unwrap();
    for (args, told) in [
        (["--master-key-file", "none"], "the master key `none` is missing; put it there, or name the file"),
        (
            ["--master-key-file", "directory"],
            "the master key `directory` cannot be read: it is a directory; name a file",
        ),
        (
            ["--audit-file", "none/audit"],
            "the audit file `none/audit` cannot be opened: there is no such directory; make it",
        ),
        (
            ["--config", "none"],
            "the configuration `none` is missing; put it there, or name another with --config",
        ),
        (
            ["--config", "directory"],
            "the configuration `directory` cannot be read: it is a directory; name a file",
        ),
    ] {
        // In one line: no warning of who may open what is no file comes before it.
        let line = one_line(&serve(&dir, &args));
        assert!(line.contains(told), "{line}");
    }
}

#[test]
fn the_file_with_roots_key_goes_when_the_key_goes() {
    let dir = Scratch::new("tend");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    let (_, made) = root.call("iam", "Action=CreateAccessKey&Version=2010-05-08");
    let other = root.with(&made["AccessKey"]);
    assert!(data.join("root-credentials").exists());
    let delete = format!("Action=DeleteAccessKey&Version=2010-05-08&AccessKeyId={}", root.access_key_id);
    assert_eq!(other.call("iam", &delete).0, 200);
    assert!(goes(&data.join("root-credentials"), &other));
    server.stop();
}

/// Whether a file goes, within many calls.
fn goes(path: &Path, client: &Client) -> bool {
    (0..1000).any(|_| {
        assert_eq!(client.call("sts", "Action=GetCallerIdentity&Version=2011-06-15").0, 200);
        !path.exists()
    })
}

#[test]
fn the_file_of_a_later_account_goes_with_its_key_while_the_server_runs_and_when_it_starts() {
    let dir = Scratch::new("tend-more");
    let data = dir.join("data");
    let server = Server::start(&data);
    let home = Client::root(&server, &data);
    let made = run(dir.path(), &["account", "create", "--account-id", "222233334444", "--data", "data"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let name = "root-credentials-222233334444";
    let partner = Client::root_in(&server, &data.join(name));
    let (_, key) = partner.call("iam", "Action=CreateAccessKey&Version=2010-05-08");
    let other = partner.with(&key["AccessKey"]);
    let text = fs::read_to_string(data.join(name)).unwrap();
    let delete = format!("Action=DeleteAccessKey&Version=2010-05-08&AccessKeyId={}", partner.access_key_id);
    assert_eq!(other.call("iam", &delete).0, 200);
    assert!(goes(&data.join(name), &other));
    assert!(data.join("root-credentials").exists(), "the key in it is root's still");
    server.stop();
    // As a crash between file and account leaves it.
    fs::write(data.join(name), text).unwrap();
    let server = Server::start(&data);
    assert!(goes(&data.join(name), &Client { address: server.address.clone(), ..home }));
    assert!(data.join("root-credentials").exists());
    server.stop();
}

#[test]
fn cargo_run_means_this_binary() {
    // With another default the README's first command would ask which binary to run.
    let workspace = include_str!("../../../../Cargo.toml");
    assert!(workspace.contains("\ndefault-members = [\"crates/server\"]\n"));
    assert_eq!(include_str!("../../Cargo.toml").matches("[[bin]]").count(), 1);
}
