//! `daypass account close`: with sessions alive and trust in both directions.

use std::fs;

use serde_json::Value;

use crate::binary::{Scratch, Server, run};
use crate::client::Client;
use crate::recovery::{failed, printed};

const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const A: &str = "222233334444";
const B: &str = "333344445555";

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn iam(client: &Client, form: &str) -> (u16, Value) {
    let (action, rest) = form.split_once('&').unwrap_or((form, ""));
    client.call("iam", &format!("Action={action}&Version=2010-05-08&{rest}"))
}

fn trust(account: &str) -> String {
    let principal = format!(r#"{{"AWS":"arn:aws:iam::{account}:root"}}"#);
    escaped(&format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}}}"#
    ))
}

/// A role that an account trusts another one's principals with, and a user who may assume everything.
fn furnish(root: &Client, trusted: &str) -> Client {
    assert_eq!(
        iam(root, &format!("CreateRole&RoleName=r&AssumeRolePolicyDocument={}", trust(trusted))).0,
        200
    );
    assert_eq!(iam(root, "CreateUser&UserName=u").0, 200);
    let all =
        escaped(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#);
    assert_eq!(iam(root, &format!("PutUserPolicy&UserName=u&PolicyName=p&PolicyDocument={all}")).0, 200);
    root.with(&iam(root, "CreateAccessKey&UserName=u").1["AccessKey"])
}

fn assume(client: &Client, account: &str) -> (u16, Value) {
    let form = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::{account}:role/r&RoleSessionName=session"
    );
    client.call("sts", &form)
}

#[test]
fn nothing_of_a_closed_account_is_left_and_nothing_of_others_is_lost() {
    let dir = Scratch::new("close");
    let data = dir.join("data");
    let server = Server::start(&data);
    let made = |id: &str| {
        let done = run(dir.path(), &["account", "create", "--account-id", id, "--data", "data"]);
        printed(&done, "credentials")
    };
    let (file, of_b) = (made(A), made(B));
    let roots = [&file, &of_b].map(|file| Client::root_in(&server, std::path::Path::new(file)));
    let [root_a, root_b] = &roots;
    let (user_a, user_b) = (furnish(root_a, B), furnish(root_b, A));
    let session = |client: &Client, answer: (u16, Value)| {
        assert_eq!(answer.0, 200);
        client.with(&answer.1["Credentials"])
    };
    // Sessions of A: of its user, of its root, of its role in the hands of B's user.
    let token = "Action=GetSessionToken&Version=2011-06-15";
    let of_user = session(&user_a, user_a.call("sts", token));
    let of_root = session(root_a, root_a.call("sts", token));
    let of_role = session(&user_b, assume(&user_b, A));
    // And of B's role in the hands of A's user.
    let taken = session(&user_a, assume(&user_a, B));
    let close = |more: &[&str]| {
        run(dir.path(), &[&["account", "close", "--data", "data", "--account-id", A], more].concat())
    };
    for more in [&[][..], &["--confirm", B]] {
        let line = failed(&close(more));
        assert!(
            line.contains("1 users, 0 groups, 1 roles") && line.contains("nothing was changed"),
            "{line}"
        );
    }
    let of_a = [root_a, &user_a, &of_user, &of_root, &of_role, &taken];
    assert!(of_a.iter().all(|client| client.call("sts", WHO).0 == 200));

    assert_eq!(printed(&close(&["--confirm", A]), "closed"), A);
    let ended = || of_a.iter().all(|client| client.call("sts", WHO).0 == 403);
    assert!(ended());
    assert_eq!(assume(&user_a, B).0, 403);
    assert_eq!(assume(&user_b, A).0, 403);
    for client in [&user_b, root_b] {
        assert_eq!(client.call("sts", WHO).0, 200);
    }
    // B's trust in A is still there to be read, and lets nobody in; a new one cannot name it.
    let role = iam(&user_b, "GetRole&RoleName=r").1;
    assert!(role["Role"]["AssumeRolePolicyDocument"].as_str().unwrap().contains(A), "{role}");
    assert_eq!(
        iam(&user_b, &format!("UpdateAssumeRolePolicy&RoleName=r&PolicyDocument={}", trust(A))).0,
        400
    );
    assert_eq!(
        iam(&user_b, &format!("UpdateAssumeRolePolicy&RoleName=r&PolicyDocument={}", trust(B))).0,
        200
    );

    let refused = |args: &[&str]| failed(&run(dir.path(), &[args, &["--data", "data"]].concat()));
    assert!(refused(&["account", "create", "--account-id", A]).contains("was closed"));
    assert!(refused(&["account", "root-key", "--account-id", A]).contains("there is no account"));
    assert!(
        refused(&["account", "close", "--account-id", A, "--confirm", A]).contains("there is no account")
    );
    let list = run(dir.path(), &["account", "list", "--data", "data"]).stdout;
    let list = String::from_utf8(list).unwrap();
    assert!(!list.contains(A) && list.contains(B) && list.lines().count() == 2, "{list}");
    let (_, _) = server.stop();
    assert!(!std::path::Path::new(&file).exists(), "its root's key opens nothing");
    let audit = fs::read_to_string(data.join("audit.jsonl")).unwrap();
    let events = audit.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let events: Vec<_> = events.filter(|event| event["eventName"] == "AccountClose").collect();
    assert_eq!(events.len(), 4, "refused or not");
    assert_eq!(events[2]["serviceEventDetails"], format!("{A}: 1 users, 0 groups, 1 roles"));

    // It is closed for good, also for a server that has its number from the environment.
    let server = Server::start_with(
        crate::binary::daypass(dir.path()).arg("serve").env("DAYPASS_ACCOUNT_ID", A),
        &data,
    );
    let here = |client: &Client| Client { address: server.address.clone(), ..client.clone() };
    assert!(of_a.iter().all(|client| here(client).call("sts", WHO).0 == 403));
    assert_eq!(here(&user_b).call("sts", WHO).0, 200);
}

#[test]
fn the_last_account_is_not_closed() {
    let dir = Scratch::new("close-last");
    let data = dir.join("data");
    let server = Server::start(&data);
    let root = Client::root(&server, &data);
    let first = root.call("sts", WHO).1["Account"].as_str().unwrap().to_owned();
    let close = |id: &str| {
        run(dir.path(), &["account", "close", "--account-id", id, "--confirm", id, "--data", "data"])
    };
    assert!(failed(&close(&first)).contains("is the only account there is"));
    printed(&run(dir.path(), &["account", "create", "--account-id", A, "--data", "data"]), "credentials");
    printed(&close(&first), "closed");
    assert!(failed(&close(A)).contains("is the only account there is"), "a closed one is none");
    server.stop();
    let server = Server::start(&data);
    assert!(server.banner.contains(A) && !server.banner.contains("first start"), "{}", server.banner);
}
