//! No secret in anything that the server writes: its log, its standard output, and every file of the data
//! directory (the store's log of writes included) but the two that are there to hold one.

use std::fs;
use std::path::Path;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

use crate::binary::{Scratch, Server, daypass};
use crate::client::Client;

const ALLOW_ALL: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%7D";

/// Every byte as the character of its number, so that text search does for files of any kind.
fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The secret as it is, in hex, and in base64 wherever it may begin in a longer text.
fn forms(secret: &[u8]) -> Vec<String> {
    let mut forms = vec![characters(secret), HEXLOWER.encode(secret), HEXUPPER.encode(secret)];
    for before in 0..3 {
        let text = [vec![0; before].as_slice(), secret].concat();
        // Characters that no byte but the secret's has a part in.
        let (from, to) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        for encoding in [BASE64_NOPAD, BASE64URL_NOPAD] {
            forms.push(encoding.encode(&text).get(from..to).unwrap().to_owned());
        }
    }
    forms
}

#[derive(Default)]
struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    fn add(&mut self, name: &str, secret: impl Into<Vec<u8>>) {
        self.0.push((name.into(), secret.into()));
    }

    fn client(&mut self, name: &str, client: Client) -> Client {
        self.add(&format!("secret access key of {name}"), client.secret_access_key.clone());
        if let Some(token) = &client.session_token {
            self.add(&format!("session token of {name}"), token.clone());
        }
        client
    }

    fn found_in(&self, output: &[u8]) -> Option<&str> {
        let output = characters(output);
        let found = |(_, secret): &&(String, Vec<u8>)| forms(secret).iter().any(|form| output.contains(form));
        self.0.iter().find(found).map(|(name, _)| name.as_str())
    }

    /// None is in any file of the data directory; the names of the files.
    fn in_no_file_of(&self, data: &Path) -> Vec<String> {
        let mut names = Vec::new();
        for file in fs::read_dir(data).unwrap() {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            // The reserve of the audit is filled without regard to anything that happens here.
            let spared = ["master-key", "root-credentials", "audit.jsonl.reserve"].contains(&name.as_str());
            if file.file_type().unwrap().is_file() && !spared {
                assert_eq!(self.found_in(&fs::read(file.path()).unwrap()), None, "in {name}");
            }
            names.push(name);
        }
        names
    }
}

/// Call and remember the signature.
fn call(secrets: &mut Secrets, client: &Client, service: &str, form: &str) -> (u16, serde_json::Value) {
    secrets.add(&format!("signature of {form}"), client.request(service, form).1);
    client.call(service, form)
}

fn session(secrets: &mut Secrets, client: &Client, name: &str, form: &str) -> Client {
    let (status, answer) = call(secrets, client, "sts", form);
    assert_eq!(status, 200, "{form}");
    secrets.client(name, client.with(&answer["Credentials"]))
}

#[test]
fn nothing_the_server_writes_holds_a_secret() {
    let dir = Scratch::new("secrets");
    let data = dir.join("data");
    let mut command = daypass(dir.path());
    command.args(["serve", "--log", "trace,hyper=trace,h2=trace", "--audit-stdout"]);
    let server = Server::start_with(&mut command, &data);
    let mut secrets = Secrets::default();
    let master = fs::read_to_string(data.join("master-key")).unwrap();
    secrets.add("master key, as its file has it", master.trim());
    secrets.add("master key", BASE64.decode(master.trim().as_bytes()).unwrap());
    let root = secrets.client("root", Client::root(&server, &data));
    let iam = |action: &str| format!("Action={action}&Version=2010-05-08");
    let sts = |action: &str| format!("Action={action}&Version=2011-06-15");
    let all = &mut secrets;
    assert_eq!(call(all, &root, "iam", &format!("{}&UserName=Bob", iam("CreateUser"))).0, 200);
    let policy = format!("{}&UserName=Bob&PolicyName=p&PolicyDocument={ALLOW_ALL}", iam("PutUserPolicy"));
    assert_eq!(call(all, &root, "iam", &policy).0, 200);
    let (status, key) = call(all, &root, "iam", &format!("{}&UserName=Bob", iam("CreateAccessKey")));
    assert_eq!(status, 200);
    let bob = all.client("Bob", root.with(&key["AccessKey"]));
    let own = session(all, &bob, "Bob's session", &sts("GetSessionToken"));
    let jill =
        session(all, &bob, "Jill", &format!("{}&Name=Jill&Policy={ALLOW_ALL}", sts("GetFederationToken")));
    for client in [&root, &bob, &own, &jill] {
        assert_eq!(call(all, client, "sts", &sts("GetCallerIdentity")).0, 200);
        call(all, client, "iam", &iam("ListUsers"));
        call(all, client, "iam", &iam("NoSuchAction"));
        let wrong = Client { secret_access_key: format!("{}x", client.secret_access_key), ..client.clone() };
        assert_eq!(call(all, &wrong, "sts", &sts("GetCallerIdentity")).0, 403);
        let other = Client { session_token: Some("garbage".into()), ..client.clone() };
        assert_eq!(call(all, &other, "sts", &sts("GetCallerIdentity")).0, 403);
    }
    let files = secrets.in_no_file_of(&data);
    assert!(files.iter().any(|name| name == "store.sqlite-wal"), "{files:?}");
    let wal = characters(&fs::read(data.join("store.sqlite-wal")).unwrap());
    assert!(wal.contains(&bob.access_key_id), "what was written is there to be searched");
    let banner = server.banner.clone();
    let (printed, log) = server.stop();
    assert!(log.contains("a credential was refused"), "the log is at its finest level");
    assert!(printed.contains(&bob.access_key_id), "the audit is on standard output too");
    for (name, output) in [("banner", &banner), ("standard output", &printed), ("log", &log)] {
        assert_eq!(secrets.found_in(output.as_bytes()), None, "in the {name}");
    }
    secrets.in_no_file_of(&data);
    let root_credentials = fs::read(data.join("root-credentials")).unwrap();
    assert_eq!(
        secrets.found_in(&root_credentials),
        Some("secret access key of root"),
        "the search finds what is there"
    );
}
