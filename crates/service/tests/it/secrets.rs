//! No secret in any output: calls of every kind of caller and every action at trace level, and everything that comes
//! out but the answers.

use std::io;
use std::sync::{Arc, Mutex};

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use daypass_authn::sigv4::HttpRequest;
use daypass_authn::token::MasterKey;
use daypass_model::SeededRandom;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

use crate::answers::ALLOW_ALL;
use crate::examples::{EXAMPLES, OTHER_PASSWORD, PASSWORD};
use crate::support::{ACCOUNT, Keys, SEED, TestHouse};
use crate::world::World;

/// What was written to a log.
#[derive(Clone, Default)]
pub(crate) struct Captured(pub(crate) Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Every byte as the character of its number, so that text search does for bytes of any kind.
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

fn leaked<'a>(output: &[u8], secrets: &'a [(String, Vec<u8>)]) -> Option<&'a str> {
    let output = characters(output);
    let found = |(_, secret): &&(String, Vec<u8>)| forms(secret).iter().any(|form| output.contains(form));
    secrets.iter().find(found).map(|(name, _)| name.as_str())
}

struct Scene {
    house: TestHouse,
    secrets: Vec<(String, Vec<u8>)>,
}

impl Scene {
    fn secret(&mut self, name: &str, secret: impl Into<Vec<u8>>) {
        self.secrets.push((name.into(), secret.into()));
    }

    fn keys(&mut self, name: &str, keys: Keys) -> Keys {
        self.secret(&format!("secret access key of {name}"), keys.secret_access_key.clone());
        if let Some(token) = &keys.session_token {
            self.secret(&format!("session token of {name}"), token.clone());
        }
        keys
    }

    /// Call, in as many ways as a call can end; its signature is a secret too.
    async fn call(
        &mut self,
        who: &Keys,
        service: &'static str,
        action: &str,
        params: &[(&str, &str)],
    ) -> Option<Value> {
        let http = HttpRequest::new("POST", "/", "").with_header("host", "daypass.test");
        let signed = self.house.signed(who, service, http);
        let authorization = signed.header_text("authorization").unwrap();
        let signature = authorization.rsplit("Signature=").next().unwrap();
        self.secret(&format!("signature of {action}"), signature);
        self.house.call(who, service, action, params).await.ok()
    }

    async fn session(&mut self, name: &str, who: &Keys, action: &str, params: &[(&str, &str)]) -> Keys {
        let answer = self.call(who, "sts", action, params).await.expect(action);
        self.keys(name, Keys::of(&answer["Credentials"]))
    }

    async fn check(&mut self, who: &Keys) {
        let http = HttpRequest::new("GET", "/shelf/a", "").with_header("host", "store.test");
        let http = self.house.signed(who, "s3", http);
        let header = |(name, value): &(String, Vec<u8>)| json!({"Name": name, "Value": String::from_utf8_lossy(value)});
        let headers: Vec<Value> = http.headers.iter().map(header).collect();
        let authorization = http.header_text("authorization").unwrap();
        self.secret("inner signature", authorization.rsplit("Signature=").next().unwrap());
        let body = json!({
            "Request": {"Method": "GET", "Url": "https://store.test/shelf/a", "Headers": headers},
            "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shelf/a",
        });
        let root = self.house.root.clone();
        self.house.call_json(&root, "CheckRequest", &body).await.unwrap();
    }
}

#[tokio::test]
async fn no_log_line_or_event_holds_a_secret() {
    let logged = Captured::default();
    let lines = tracing_subscriber::fmt::layer().with_writer(logged.clone());
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines));
    let house = TestHouse::new().await;
    let mut scene = Scene { house, secrets: Vec::new() };
    let master = MasterKey::generate(&SeededRandom::new(SEED)).to_text();
    scene.secret("master key", master.expose());
    let root = scene.keys("root", scene.house.root.clone());
    let bob = scene.house.user("Bob", Some(ALLOW_ALL)).await;
    let bob = scene.keys("Bob", bob);
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]})
    .to_string();
    scene
        .call(&root, "iam", "CreateRole", &[("RoleName", "R"), ("AssumeRolePolicyDocument", &trust)])
        .await
        .unwrap();
    let permit = [("RoleName", "R"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    scene.call(&root, "iam", "PutRolePolicy", &permit).await.unwrap();
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/R");
    let assume = [("RoleArn", arn.as_str()), ("RoleSessionName", "bob")];
    let role = scene.session("role", &bob, "AssumeRole", &assume).await;
    let chained = scene.session("chain", &role, "AssumeRole", &assume).await;
    let own = scene.session("user session", &bob, "GetSessionToken", &[]).await;
    let jill =
        scene.session("Jill", &bob, "GetFederationToken", &[("Name", "Jill"), ("Policy", ALLOW_ALL)]).await;
    for who in [&root, &bob, &role, &chained, &own, &jill] {
        scene.call(who, "sts", "GetCallerIdentity", &[]).await.unwrap();
        scene.call(who, "iam", "ListUsers", &[]).await;
        scene.call(who, "iam", "CreateUser", &[]).await;
        scene.call(who, "iam", "NoSuchAction", &[("Password", "hush")]).await;
        scene.check(who).await;
        let half = Keys {
            session_token: Some(format!("{}x", who.session_token.clone().unwrap_or_default())),
            ..who.clone()
        };
        assert!(scene.call(&half, "sts", "GetCallerIdentity", &[]).await.is_none());
        let wrong = Keys { secret_access_key: format!("{}x", who.secret_access_key), ..who.clone() };
        assert!(scene.call(&wrong, "sts", "GetCallerIdentity", &[]).await.is_none());
    }
    scene.house.clock.advance(1_000_000);
    assert!(scene.call(&role, "sts", "GetCallerIdentity", &[]).await.is_none());
    scene
        .call(&root, "iam", "DeleteAccessKey", &[("UserName", "Bob"), ("AccessKeyId", &bob.access_key_id)])
        .await
        .unwrap();
    assert!(scene.call(&bob, "sts", "GetCallerIdentity", &[]).await.is_none());

    let logged = logged.0.lock().unwrap().clone();
    assert!(
        characters(&logged).contains("a credential was refused"),
        "the log was captured at its finest level"
    );
    assert_eq!(leaked(&logged, &scene.secrets), None, "in the log");
    let audited =
        scene.house.audit.lock().unwrap().iter().map(Value::to_string).collect::<String>().into_bytes();
    assert!(characters(&audited).contains(&role.access_key_id), "the audit was captured");
    assert_eq!(leaked(&audited, &scene.secrets), None, "in the audit");
    let stored: Vec<u8> =
        scene.house.stored().await.1.iter().flat_map(|record| record.value.to_vec()).collect();
    assert_eq!(leaked(&stored, &scene.secrets), None, "in the store");
}

/// Whatever is called like a secret in an answer.
fn secrets_of(action: &str, answer: &Value, secrets: &mut Vec<(String, Vec<u8>)>) {
    match answer {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(text)
                        if ["SecretAccessKey", "SessionToken", "WebIdentityToken"]
                            .contains(&name.as_str()) =>
                    {
                        secrets.push((format!("{name} of {action}"), text.into()));
                    }
                    Some(text) if ["Base32StringSeed", "QRCodePNG"].contains(&name.as_str()) => {
                        let secret = BASE64.decode(text.as_bytes()).unwrap();
                        secrets.push((format!("{name} of {action}"), secret));
                    }
                    _ => secrets_of(action, value, secrets),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| secrets_of(action, value, secrets)),
        _ => {}
    }
}

#[tokio::test]
async fn no_action_leaves_a_secret_behind() {
    let logged = Captured::default();
    let lines = tracing_subscriber::fmt::layer().with_writer(logged.clone());
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines));
    let world = World::new().await;
    let mut issuing = Vec::new();
    for example in EXAMPLES {
        let world = world.copy_for(example).await;
        world.permit(ALLOW_ALL).await;
        let mut secrets = Vec::new();
        for (name, keys) in [("root", &world.house.root), ("caller", &world.caller), ("admin", &world.admin)]
        {
            secrets.push((format!("secret access key of {name}"), keys.secret_access_key.clone().into()));
        }
        let http = HttpRequest::new("POST", "/", "").with_header("host", "daypass.test");
        let http = world.house.signed(&world.as_taken(&world.caller, example).await, example.service, http);
        let signature = http.header_text("authorization").unwrap().rsplit('=').next().unwrap().to_owned();
        secrets.push(("signature".into(), signature.into()));
        for (name, password) in [("password", PASSWORD), ("other password", OTHER_PASSWORD)] {
            secrets.push((name.into(), password.into()));
        }
        let known = secrets.len();
        let answer = world.send(http.clone(), example).await.unwrap();
        secrets_of(example.action, &answer, &mut secrets);
        if secrets.len() > known {
            issuing.push(example.action);
        }
        // And refused: by its rules as far as it has any, and by a policy.
        drop(world.send(http.clone(), example).await);
        world.permit(&ALLOW_ALL.replace("Allow", "Deny")).await;
        drop(world.send(http, example).await);
        let log = std::mem::take(&mut *logged.0.lock().unwrap());
        assert_eq!(leaked(&log, &secrets), None, "in the log of {}", example.action);
        let audit = world.house.audit.lock().unwrap().iter().map(Value::to_string).collect::<String>();
        assert!(audit.contains(&format!("\"eventName\":\"{}\"", example.action)), "{audit}");
        assert_eq!(leaked(audit.as_bytes(), &secrets), None, "in the audit of {}", example.action);
        let stored = world.house.stored().await.1;
        let stored: Vec<u8> = stored.iter().flat_map(|record| record.value.to_vec()).collect();
        assert_eq!(leaked(&stored, &secrets), None, "in the store after {}", example.action);
    }
    let expected = [
        "AssumeRole",
        "GetFederationToken",
        "GetScopedCredentials",
        "GetSessionToken",
        "GetWebIdentityToken",
        "CreateAccessKey",
        "CreateVirtualMFADevice",
        "AssumeRoleForService",
    ];
    assert_eq!(issuing, expected, "what gives secrets is known to");
}

#[test]
fn a_secret_is_found_in_every_form_and_place() {
    let secrets = [("it".to_owned(), b"wJalrXUtnFEMI/K7MDENG".to_vec())];
    for before in 0..4 {
        let text = [&b"abcd"[..before], b"wJalrXUtnFEMI/K7MDENG", b"zz"].concat();
        for output in [
            text.clone(),
            HEXLOWER.encode(&text).into_bytes(),
            HEXUPPER.encode(&text).into_bytes(),
            BASE64_NOPAD.encode(&text).into_bytes(),
            BASE64URL_NOPAD.encode(&text).into_bytes(),
        ] {
            assert_eq!(leaked(&output, &secrets), Some("it"), "{before}");
        }
    }
    assert_eq!(leaked(b"wJalrXUtnFEMI/K7MDEN", &secrets), None);
}
