//! `daypass sessions` and `daypass token`: a stolen session in the hands of whoever is on call.

use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::binary::{Scratch, Server, daypass, run};
use crate::client::Client;
use crate::command_line::one_line;

fn sessions(dir: &Scratch, args: &[&str]) -> Output {
    run(dir.path(), &[&["sessions"], args, &["--data", "data"]].concat())
}

/// What was printed, by lines.
fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

/// What is known of each session.
fn listed(dir: &Scratch, args: &[&str]) -> Vec<Value> {
    let lines = lines(&sessions(dir, &[&["list", "--json"], args].concat()));
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn session(client: &Client) -> Client {
    let (status, answer) = client.call("sts", "Action=GetSessionToken&Version=2011-06-15");
    assert_eq!(status, 200, "{answer}");
    client.with(&answer["Credentials"])
}

fn lives(client: &Client) -> bool {
    let (status, _) = client.call("sts", "Action=GetCallerIdentity&Version=2011-06-15");
    assert!(matches!(status, 200 | 403), "{status}");
    status == 200
}

fn inspect(dir: &Scratch, input: &str) -> Output {
    let mut command = daypass(dir.path());
    command.args(["token", "inspect", "--data", "data"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn as_answer(client: &Client) -> String {
    json!({"Credentials": {
        "AccessKeyId": client.access_key_id,
        "SecretAccessKey": client.secret_access_key,
        "SessionToken": client.session_token,
    }})
    .to_string()
}

#[test]
fn a_stolen_session_is_found_by_its_key_and_ended_and_stays_so_after_a_start() {
    let dir = Scratch::new("sessions");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    for (args, told) in [
        (
            &["list"][..],
            "daypass: no session that was asked for lives (--all lists those that are over, too)\n",
        ),
        (&["list", "--all"], "daypass: the session log has no session that was asked for\n"),
        (&["list", "--json"], ""),
    ] {
        let none = sessions(&dir, args);
        assert!(none.status.success() && none.stdout.is_empty());
        assert_eq!(String::from_utf8_lossy(&none.stderr), told);
    }
    let (stolen, other) = (session(&root), session(&root));
    let found = listed(&dir, &["--access-key-id", &stolen.access_key_id]);
    assert_eq!(found.len(), 1);
    let id = found[0]["id"].as_str().unwrap().to_owned();
    assert_eq!((&found[0]["status"], &found[0]["type"]), (&json!("Live"), &json!("Root")));
    assert_eq!(found[0]["requested_by"]["access_key_id"], root.access_key_id);
    let table = lines(&sessions(&dir, &["list"]));
    assert!(
        table.len() == 2 && table.iter().any(|line| line.starts_with(&format!("{id}  Live "))),
        "{table:?}"
    );

    let ended = lines(&sessions(&dir, &["revoke", "--session-id", &id, "--include-issued"]));
    assert!(ended[0].starts_with(&format!("ended: session {id} (arn:aws:iam::")), "{ended:?}");
    assert!(!lives(&stolen) && lives(&other) && lives(&root));
    assert_eq!(listed(&dir, &[]).len(), 1, "what lives is listed");
    let all = listed(&dir, &["--all"]);
    let status = |all: &[Value]| all.iter().find(|found| found["id"] == *id).unwrap()["status"].clone();
    assert_eq!((all.len(), status(&all)), (2, json!("Revoked")));
    server.stop();

    let server = Server::start(&data);
    let moved = |client: &Client| Client { address: server.address.clone(), ..client.clone() };
    assert!(!lives(&moved(&stolen)) && lives(&moved(&other)));
    assert_eq!(status(&listed(&dir, &["--all"])), "Revoked", "the log knows the sessions that live still");

    let arn = all[0]["principal_arn"].as_str().unwrap();
    let ended = lines(&sessions(&dir, &["revoke", "--principal", arn, "--include-issued"]));
    assert!(ended[0].starts_with(&format!("ended: sessions of {arn} issued before 2")), "{ended:?}");
    assert!(ended[0].ends_with(", with all that they or its access keys issued"), "{ended:?}");
    assert!(!lives(&moved(&other)) && lives(&moved(&root)));
    server.stop();

    let audit = fs::read_to_string(data.join("audit.jsonl")).unwrap();
    let told = audit.lines().filter(|line| line.contains("\"SessionRevoke\"")).count();
    assert_eq!(told, 2, "each is audited: {audit}");
}

#[test]
fn what_a_token_says_is_told_and_nothing_it_is_made_with() {
    let dir = Scratch::new("token");
    let data = dir.join("data");
    let server = Server::start_with(daypass(dir.path()).args(["serve", "--log", "trace"]), &data);
    let root = Client::root(&server, &data);
    let held = session(&root);
    let told: Value = serde_json::from_str(&lines(&inspect(&dir, &as_answer(&held))).join("\n")).unwrap();
    assert_eq!((&told["status"], &told["kind"]), (&json!("Live"), &json!("Root")));
    assert_eq!(told["first-access-key-id"], root.access_key_id);
    assert_eq!(told["session-id"], listed(&dir, &[])[0]["id"]);
    for secret in [&held.secret_access_key, &root.secret_access_key, held.session_token.as_ref().unwrap()] {
        assert!(!told.to_string().contains(secret.as_str()));
    }
    // From a file too, in another form.
    let token = held.session_token.as_ref().unwrap();
    let variables =
        format!("export AWS_ACCESS_KEY_ID={}\nexport AWS_SESSION_TOKEN={token}\n", held.access_key_id);
    fs::write(dir.join("held"), variables).unwrap();
    let from_file = run(dir.path(), &["token", "inspect", "--credentials", "held", "--data", "data"]);
    let again: Value = serde_json::from_str(&lines(&from_file).join("\n")).unwrap();
    assert_eq!(again, told);

    let other = session(&root);
    let mixed = Client { access_key_id: other.access_key_id, ..held.clone() };
    for input in
        [as_answer(&mixed), as_answer(&Client { session_token: Some("AQAA".into()), ..held.clone() })]
    {
        let refused = inspect(&dir, &input);
        assert_eq!(refused.status.code(), Some(1));
        let line = one_line(&refused);
        assert!(line.contains("no session token of this server, or not the one"), "{line}");
    }
    assert!(one_line(&inspect(&dir, "nothing")).contains("no access key id and session token in it"));
    assert_eq!(inspect(&dir, "").status.code(), Some(1));
    let (_, log) = server.stop();
    assert!(log.contains("TokenInspect") && !log.contains(token), "the token is in no log");
}

#[test]
fn wrong_use_and_unknown_sessions_are_told_as_such() {
    let dir = Scratch::new("wrong");
    let id = "01".repeat(16);
    for args in [
        &["revoke"][..],
        &["revoke", "--include-issued"],
        &["revoke", "--session-id", &id, "--principal", "arn:aws:iam::111122223333:root"],
        &["revoke", "--session-id", &id, "--issued-before", "2026-01-15T12:00:00Z"],
        &["list", "--status", "Live"],
    ] {
        assert_eq!(sessions(&dir, args).status.code(), Some(2), "{args:?}");
    }
    assert!(one_line(&sessions(&dir, &["list"])).contains("no daypass answers"));
    let server = Server::start(&dir.join("data"));
    let nobody = "arn:aws:iam::111122223333:user/Nobody";
    for (args, why) in [
        (&["list", "--account-id", "1"][..], "--account-id 1: "),
        (&["revoke", "--session-id", "xyz"], "--session-id xyz: a session id is 32 hexadecimal digits"),
        (&["revoke", "--session-id", &id], "nothing was ended: there is no account "),
        (&["revoke", "--principal", "Nobody"], "give the ARN of a user, a role or a root user"),
        (&["revoke", "--principal", nobody], "there is no such user, role or root user"),
    ] {
        let refused = sessions(&dir, args);
        assert_eq!(refused.status.code(), Some(1), "{args:?}");
        let line = one_line(&refused);
        assert!(line.contains(why), "{line}");
    }
    let account = lines(&run(dir.path(), &["account", "list", "--data", "data"])).remove(0);
    let (root, ahead) = (format!("arn:aws:iam::{account}:root"), "2200-01-01T00:00:00Z");
    let refused = sessions(&dir, &["revoke", "--principal", &root, "--issued-before", ahead]);
    assert!(one_line(&refused).contains(&format!("--issued-before {ahead}: it lies in the future")));
    // A session that nobody knows can be ended all the same, and that is told.
    let number: u64 = account.parse().unwrap();
    let unknown = format!("{number:010x}{}", "00".repeat(11));
    let ended = lines(&sessions(&dir, &["revoke", "--session-id", &unknown]));
    assert_eq!(ended, [format!("ended: session {unknown} (the session log does not know it)")]);
    server.stop();
}
