//! Holes that other systems had, tried here on every action where that makes sense. `docs/verification.md` says
//! which test stands for which of them.
//! LONG: one list of attacks, each a test of a few lines.

use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, sign};
use daypass_authn::token::{Purpose, SessionKind};
use daypass_model::{Clock, Secret};
use daypass_service::params::Params;
use daypass_service::{Error, Settings};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::examples::{EXAMPLES, Example, LIMIT, TRUST};
use crate::support::{ACCOUNT, Keys, OTHER, TestHouse};
use crate::world::{World, asking, request};

const LIST_BUCKET: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}"#;

fn told(outcome: Result<Value, Error>) -> (&'static str, String) {
    let error = outcome.expect_err("a refusal");
    (error.code, error.message)
}

/// Every action that a role session may ask for and that needs a permission.
fn open_to_roles() -> impl Iterator<Item = &'static Example> {
    let closed = ["GetCallerIdentity", "GetSessionToken", "GetFederationToken"];
    EXAMPLES.iter().filter(move |example| !closed.contains(&example.action))
}

/// That every action is refused for this reason, and nothing changes.
async fn every_action_is_refused(world: &World, who: &Keys, because: &str) {
    let before = world.house.stored().await;
    for example in open_to_roles() {
        let (code, message) = told(world.call(who, example).await);
        let because = format!("{because} the {} action", example.permission());
        assert!(code == "AccessDenied" && message.ends_with(&because), "{}: {message}", example.permission());
        assert!(world.house.stored().await == before, "{} changed something", example.permission());
    }
}

#[tokio::test]
async fn a_restricted_session_does_nothing_beyond_its_session_policy() {
    let world = World::new().await;
    let power = [
        ("RoleArn", "arn:aws:iam::111122223333:role/Power"),
        ("RoleSessionName", "Ada"),
        ("Policy", LIST_BUCKET),
    ];
    let answer = world.house.call(&world.admin, "sts", "AssumeRole", &power).await.unwrap();
    let session = Keys::of(&answer["Credentials"]);
    every_action_is_refused(&world, &session, "because no session policy allows").await;
    for action in ["GetSessionToken", "GetFederationToken"] {
        let (code, message) = told(world.call(&session, Example::of("sts", action)).await);
        assert_eq!(
            (code, message),
            ("AccessDenied", format!("Cannot call {action} with session credentials"))
        );
    }
}

#[tokio::test]
async fn a_user_with_a_boundary_does_nothing_beyond_it() {
    let world = World::new().await;
    world.permit(ALLOW_ALL).await;
    world
        .house
        .root("iam", "CreatePolicy", &[("PolicyName", "Tight"), ("PolicyDocument", LIST_BUCKET)])
        .await;
    let boundary =
        [("UserName", "Caller"), ("PermissionsBoundary", "arn:aws:iam::111122223333:policy/Tight")];
    world.house.root("iam", "PutUserPermissionsBoundary", &boundary).await;
    every_action_is_refused(&world, &world.caller, "because no permissions boundary allows").await;
}

#[tokio::test]
async fn an_assumed_role_has_its_own_rights_and_not_its_callers() {
    let world = World::new().await;
    let plain = [("RoleArn", "arn:aws:iam::111122223333:role/Plain"), ("RoleSessionName", "Ada")];
    let answer = world.house.call(&world.admin, "sts", "AssumeRole", &plain).await.unwrap();
    let session = Keys::of(&answer["Credentials"]);
    every_action_is_refused(&world, &session, "because no identity-based policy allows").await;
}

#[tokio::test]
async fn a_session_policy_counts_when_the_session_assumes_the_next_role() {
    let world = World::new().await;
    let only = |role: &str| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": format!("arn:aws:iam::{ACCOUNT}:role/{role}")},
            {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": format!("arn:aws:iam::{ACCOUNT}:role/ci/*")},
        ]})
        .to_string()
    };
    let power = "arn:aws:iam::111122223333:role/Power";
    let limits = only("Power");
    let first = [("RoleArn", power), ("RoleSessionName", "one"), ("Policy", &limits)];
    let answer = world.house.call(&world.admin, "sts", "AssumeRole", &first).await.unwrap();
    let session = Keys::of(&answer["Credentials"]);
    let build = [("RoleArn", "arn:aws:iam::111122223333:role/ci/Build"), ("RoleSessionName", "two")];
    let (_, message) = told(world.house.call(&session, "sts", "AssumeRole", &build).await);
    assert!(message.ends_with("with an explicit deny in a session policy"), "{message}");
    let next = [("RoleArn", power), ("RoleSessionName", "two")];
    let answer = world.house.call(&session, "sts", "AssumeRole", &next).await.unwrap();
    let free = Keys::of(&answer["Credentials"]);
    world
        .house
        .call(&free, "sts", "AssumeRole", &build)
        .await
        .expect("the new session has the new role's rights");
}

/// Whoever knows an access key id and not its secret must not push the keys of others out of the cache.
#[tokio::test]
async fn invented_scopes_and_wrong_signatures_leave_no_signing_key_behind() {
    let world = World::new().await;
    let keys = &world.house.house.signing_keys;
    let (kept, noon) = (keys.len(), world.house.clock.now());
    let secret = Secret::new("not the administrator's");
    let credentials = Credentials {
        access_key_id: &world.admin.access_key_id,
        secret_access_key: &secret,
        session_token: None,
    };
    for days in 0..9 {
        let (at, region) = (noon - SignedDuration::from_hours(24 * days), format!("region-{days}"));
        let signed = |service, host, form| {
            let mut http = HttpRequest::new("POST", "/", "").with_header("host", host);
            sign(&mut http, &credentials, &region, service, form, at).unwrap();
            http
        };
        let example = Example::of("iam", "ListUsers");
        let asked = signed("iam", "daypass.test", SignatureForm::Header);
        world.send(asked, example).await.expect_err("a wrong signature");
        // Presigned requests to other services live for a week.
        let presigned = SignatureForm::Presigned { expires_seconds: 604_800 };
        let asked = asking(&signed("s3", "store.test", presigned));
        let answer = world.house.call_json(&world.admin, "CheckRequest", &asked).await.unwrap();
        assert!(answer["AuthenticationError"].is_object(), "{answer}");
    }
    assert_eq!(keys.len(), kept + 1, "the key that asked");
}

#[tokio::test]
async fn a_principal_made_again_under_the_same_name_is_not_trusted() {
    let house = TestHouse::new().await;
    let bob = house.user("Bob", None).await;
    let trust = TRUST.replace(":root", ":user/Bob");
    house.root("iam", "CreateRole", &[("RoleName", "Bobs"), ("AssumeRolePolicyDocument", &trust)]).await;
    let policy = json!({"ResourceArn": "arn:aws:s3:::shelf", "Policy": trust.replace(
        r#"["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]"#, r#""s3:*","Resource":"*""#)});
    house.call_json(&house.root, "PutResourcePolicy", &policy).await.unwrap();
    let assume = [("RoleArn", "arn:aws:iam::111122223333:role/Bobs"), ("RoleSessionName", "Bob")];
    house.call(&bob, "sts", "AssumeRole", &assume).await.expect("named by its ARN, the user needs no policy");

    house.root("iam", "DeleteAccessKey", &[("UserName", "Bob"), ("AccessKeyId", &bob.access_key_id)]).await;
    house.root("iam", "DeleteUser", &[("UserName", "Bob")]).await;
    let namesake = house.user("Bob", None).await;
    assert_eq!(told(house.call(&namesake, "sts", "AssumeRole", &assume).await).0, "AccessDenied");
    let shown = house
        .call_json(&house.root, "GetResourcePolicy", &json!({"ResourceArn": "arn:aws:s3:::shelf"}))
        .await;
    let shown = shown.unwrap()["Policy"].as_str().unwrap().to_owned();
    assert!(shown.contains("\"AIDA") && !shown.contains("user/Bob"), "{shown}");
}

#[tokio::test]
async fn a_missing_role_looks_like_one_that_trusts_somebody_else() {
    let world = World::new().await;
    let theirs = world.house.account(OTHER).await;
    let admin = user_with_everything(&world.house, &theirs).await;
    let refusal = async |arn: &str| {
        let params = [("RoleArn", arn), ("RoleSessionName", "Eve")];
        let (code, message) = told(world.house.call(&admin, "sts", "AssumeRole", &params).await);
        (code, message.replace(arn, "<role>"))
    };
    let present = refusal("arn:aws:iam::111122223333:role/ci/Build").await;
    let expected = format!(
        "User: arn:aws:iam::{OTHER}:user/Admin is not authorized to perform: sts:AssumeRole on resource: <role>"
    );
    assert_eq!(present, ("AccessDenied", expected));
    for missing in [
        "arn:aws:iam::111122223333:role/None",
        "arn:aws:iam::111122223333:role/Build",
        "arn:aws:iam::777788889999:role/x",
    ] {
        assert_eq!(refusal(missing).await, present, "{missing}");
    }
}

pub(crate) async fn user_with_everything(house: &TestHouse, root: &Keys) -> Keys {
    house.call(root, "iam", "CreateUser", &[("UserName", "Admin")]).await.unwrap();
    let all = [("UserName", "Admin"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    house.call(root, "iam", "PutUserPolicy", &all).await.unwrap();
    let made = house.call(root, "iam", "CreateAccessKey", &[("UserName", "Admin")]).await.unwrap();
    Keys::of(&made["AccessKey"])
}

/// Ids and keys are drawn anew by every call.
fn without_ids(answer: Value) -> Value {
    match answer {
        Value::Object(members) => {
            let drawn = [
                "UserId",
                "GroupId",
                "RoleId",
                "PolicyId",
                "InstanceProfileId",
                "trustAnchorId",
                "trustAnchorArn",
                "profileId",
                "profileArn",
                "AccessKeyId",
                "SecretAccessKey",
                "SessionToken",
                "Base32StringSeed",
                "QRCodePNG",
                "IssuerIdentifier",
            ];
            members
                .into_iter()
                .filter(|(name, _)| !drawn.contains(&name.as_str()))
                .map(|(name, value)| (name, without_ids(value)))
                .collect()
        }
        Value::Array(items) => items.into_iter().map(without_ids).collect(),
        other => other,
    }
}

#[tokio::test]
async fn what_one_account_holds_makes_no_difference_to_the_answers_another_gets() {
    let full = World::new().await;
    let empty = TestHouse::new().await;
    let mut answers = Vec::new();
    for house in [&full.house, &empty] {
        let admin = user_with_everything(house, &house.account(OTHER).await).await;
        let mut of_house = Vec::new();
        for example in EXAMPLES {
            // The answer to a CheckRequest begins with whether the inner signature holds, and an ExplainRequest asks
            // about a request of its house: it is asked about every other.
            if ["CheckRequest", "ExplainRequest"].contains(&example.action) {
                continue;
            }
            let (service, action) = example.name();
            let http = house.signed(&admin, service, request());
            let outcome = house.send_http(http, service, action, "any", example.params(&full)).await;
            let id = house.last_request_id();
            let why = house.call_json(&admin, "ExplainRequest", &json!({"RequestId": id})).await;
            let why = why
                .map(|answer| answer["Decisions"].clone())
                .map_err(|error| (error.code, error.message.replace(&id, "<id>")));
            of_house.push((example.permission(), outcome.map(without_ids), why));
        }
        answers.push(of_house);
    }
    for (with, without) in answers[0].iter().zip(&answers[1]) {
        assert_eq!(with, without, "account {ACCOUNT} shows through");
    }
}

/// By their ids, their ARNs and their names: nothing that an account's administrators can send reaches another's records.
#[tokio::test]
async fn whatever_one_account_does_another_stays_as_it_was() {
    let world = World::new().await;
    let root = world.house.account(OTHER).await;
    let admin = user_with_everything(&world.house, &root).await;
    let held = async || {
        let (_, records) = world.house.stored().await;
        let is_theirs = |record: &daypass_store::Record| {
            let pointer = record.key.starts_with("/access-key/");
            record.key.starts_with(&format!("/{ACCOUNT}/"))
                || *record.key == *format!("/account/{ACCOUNT}")
                || (pointer && String::from_utf8_lossy(&record.value).contains(ACCOUNT))
        };
        records.into_iter().filter(is_theirs).collect::<Vec<_>>()
    };
    let before = held().await;
    assert!(before.len() > 10, "{before:?}");
    for who in [&root, &admin] {
        for example in EXAMPLES {
            // Most are refused or find nothing; those that are done are done to their own.
            drop(world.call(who, example).await);
        }
    }
    assert_eq!(held().await, before);
    for example in EXAMPLES {
        drop(world.call(&world.house.root, example).await);
    }
    assert_ne!(held().await, before, "in the account's own hands they are not without effect");
}

#[tokio::test]
async fn a_marker_is_good_for_its_account_action_and_selection_alone() {
    let world = World::new().await;
    let theirs = world.house.account(OTHER).await;
    for name in ["a", "b"] {
        world.house.call(&theirs, "iam", "CreateUser", &[("UserName", name)]).await.unwrap();
    }
    let page = world.house.root("iam", "ListUsers", &[("MaxItems", "1")]).await;
    let marker = page["Marker"].as_str().unwrap();
    let list = async |who: &Keys, action: &str, more: &[(&str, &str)]| {
        world.house.call(who, "iam", action, &[&[("Marker", marker)], more].concat()).await
    };
    let root = &world.house.root;
    list(root, "ListUsers", &[]).await.unwrap();
    let invalid = ("ValidationError", "Invalid Marker.".to_owned());
    assert_eq!(told(list(&theirs, "ListUsers", &[]).await), invalid);
    assert_eq!(told(list(root, "ListRoles", &[]).await), invalid);
    assert_eq!(told(list(root, "ListUsers", &[("PathPrefix", "/div/")]).await), invalid);
}

#[tokio::test]
async fn what_is_sealed_for_one_purpose_opens_for_no_other() {
    let world = World::new().await;
    let session = world.mint(SessionKind::User, 0, 3600, true);
    let token = session.session_token.clone().unwrap();
    for text in [token.clone(), token.trim_end_matches('=').replace('+', "-").replace('/', "_")] {
        let marker: String = text.chars().take(320).collect();
        let outcome = world.house.call(&world.house.root, "iam", "ListUsers", &[("Marker", &marker)]).await;
        assert_eq!(told(outcome).0, "ValidationError");
    }
    let directory = &world.house.house.directory;
    let view = directory.snapshot();
    let claims = token.as_bytes();
    for purpose in [Purpose::PaginationMarker, Purpose::SignInToken, Purpose::AuthorizationMessage] {
        let context = session.access_key_id.as_bytes();
        let sealed = view.keyring().seal_message(purpose, context, claims, directory.random()).unwrap();
        for text in [sealed.clone(), sealed.replace('-', "+").replace('_', "/")] {
            let forged = Keys { session_token: Some(text), ..session.clone() };
            assert_eq!(
                told(world.call(&forged, Example::of("sts", "GetCallerIdentity")).await).0,
                "InvalidClientTokenId"
            );
        }
    }
}

#[tokio::test]
async fn the_session_secret_follows_from_nothing_the_holder_sees() {
    use sha2::{Digest, Sha256};
    let world = World::new().await;
    let session = world.mint(SessionKind::User, 0, 3600, true);
    let directory = &world.house.house.directory;
    let view = directory.snapshot();
    let token = session.session_token.clone().unwrap();
    let id = session.access_key_id.parse().unwrap();
    let claims = view.keyring().open(&token, &id).unwrap().claims;
    // The same claims and the same access key under another key: everything is the same but the secret.
    let other =
        view.keyring().rotate(directory.random(), 0).seal(&claims, &id, 0, directory.random()).unwrap();
    assert_ne!(other.secret_access_key.expose_str(), session.secret_access_key);
    let again = view.keyring().seal(&claims, &id, 0, directory.random()).unwrap();
    assert_eq!(again.secret_access_key.expose_str(), session.secret_access_key);

    let session_id = data_encoding::HEXLOWER.encode(&claims.session_id.0);
    for seen in [
        token.clone(),
        session.access_key_id.clone(),
        session_id,
        format!("{}{token}", session.access_key_id),
    ] {
        for text in [seen.clone(), format!("secret-key:{seen}"), format!("secret:{seen}")] {
            let hash = Sha256::digest(&text);
            let (hex, base64) = (data_encoding::HEXLOWER.encode(&hash), data_encoding::BASE64.encode(&hash));
            for guess in [&text, &hex, &base64, &hex[..40], &base64[..40]] {
                let secret = Secret::new(guess);
                let mut http = request();
                let keys = Credentials {
                    access_key_id: &session.access_key_id,
                    secret_access_key: &secret,
                    session_token: Some(&token),
                };
                sign(&mut http, &keys, "eu-west-1", "sts", SignatureForm::Header, world.house.clock.now())
                    .unwrap();
                let outcome = world.send(http, Example::of("sts", "GetCallerIdentity")).await;
                assert_eq!(told(outcome).0, "SignatureDoesNotMatch");
            }
        }
    }
}

#[tokio::test]
async fn a_parameter_given_twice_or_in_another_case_does_nothing() {
    let world = World::new().await;
    let before = world.house.stored().await;
    for example in EXAMPLES {
        let Some(pairs) = example.pairs(&world).filter(|pairs| !pairs.is_empty()) else { continue };
        let (service, action) = example.name();
        let send = async |pairs: Vec<(String, String)>| {
            let params =
                Params::from_pairs(pairs).map_err(|error| Error::new(error.code(), error.to_string()));
            let who = world.as_taken(&world.admin, example).await;
            let http = world.house.signed(&who, service, request());
            world.house.send_http(http, service, action, "any", params).await
        };
        for n in 0..pairs.len() {
            let mut twice = pairs.clone();
            twice.push(pairs[n].clone());
            assert_eq!(
                told(send(twice).await).0,
                "MalformedInput",
                "{}: {} twice",
                example.permission(),
                pairs[n].0
            );
        }
        // On a read a name that no model has is not looked at; on anything else it could be a restriction.
        let mut varied = pairs.clone();
        let name = varied[0].0.clone();
        varied[0].0 = name.to_lowercase();
        let row = daypass_service::actions::find(service, action).unwrap();
        let mut with_both = pairs.clone();
        with_both.push((name.to_lowercase(), "Other".into()));
        let refused = send(varied).await.is_err();
        if !row.read_only {
            assert!(refused, "{}: {name} in lower case", example.permission());
            assert_eq!(told(send(with_both).await).0, "ValidationError", "{}", example.permission());
        }
        assert!(world.house.stored().await == before, "{} changed something", example.permission());
    }
    let answer = world.house.call(&world.admin, "iam", "GetUser", &[("username", "Alice")]).await.unwrap();
    assert_eq!(answer["User"]["UserName"], "Admin", "a name in another case is not the parameter");
}

#[tokio::test]
async fn no_header_says_where_a_request_comes_from_or_who_makes_it() {
    let world = World::new().await;
    let from = |ip: &str| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": ip}}}]})
        .to_string()
    };
    let example = Example::of("iam", "GetUser");
    world.permit(&from("192.0.2.10")).await;
    world.call(&world.caller, example).await.expect("the peer's own address");
    world.permit(&from("198.51.100.7")).await;
    for (name, value) in [
        ("x-forwarded-for", "198.51.100.7"),
        ("forwarded", "for=198.51.100.7"),
        ("x-real-ip", "198.51.100.7"),
        ("x-amz-source-ip", "198.51.100.7"),
        ("aws:sourceip", "198.51.100.7"),
        ("x-amz-principal", "arn:aws:iam::111122223333:user/Admin"),
        ("x-daypass-principal", "arn:aws:iam::111122223333:root"),
    ] {
        let http = world.house.signed(&world.caller, "iam", request().with_header(name, value));
        assert_eq!(told(world.send(http, example).await).0, "AccessDenied", "{name}");
    }
}

#[tokio::test]
async fn with_a_public_url_a_request_for_another_host_is_not_for_us() {
    let mut world = World::new().await;
    let house = std::sync::Arc::get_mut(&mut world.house.house).unwrap();
    house.settings = Settings {
        public_authority: Some("https://sts.corp.test:7777".parse().unwrap()),
        ..Settings::default()
    };
    for example in EXAMPLES {
        let http = world.house.signed(&world.admin, example.service, request());
        assert_eq!(
            told(world.send(http, example).await).0,
            "SignatureDoesNotMatch",
            "{}",
            example.permission()
        );
    }
    let ours = HttpRequest::new("POST", "/", "").with_header("host", "STS.corp.test:7777");
    let http = world.house.signed(&world.admin, "sts", ours);
    world.send(http, Example::of("sts", "GetCallerIdentity")).await.unwrap();
}

#[tokio::test]
async fn the_public_urls_own_port_may_be_signed_or_left_out() {
    let mut world = World::new().await;
    let house = std::sync::Arc::get_mut(&mut world.house.house).unwrap();
    house.settings =
        Settings { public_authority: Some("https://sts.corp.test".parse().unwrap()), ..Settings::default() };
    for (host, good) in [
        ("sts.corp.test", true),
        ("sts.corp.test:443", true),
        ("sts.corp.test:80", false),
        ("sts.corp.test:", false),
    ] {
        let http = HttpRequest::new("POST", "/", "").with_header("host", host);
        let http = world.house.signed(&world.admin, "sts", http);
        let outcome = world.send(http, Example::of("sts", "GetCallerIdentity")).await;
        assert_eq!(outcome.is_ok(), good, "{host}");
    }
}

#[tokio::test]
async fn what_was_signed_for_an_https_public_url_came_over_tls_whatever_the_connection_says() {
    let mut world = World::new().await;
    let tls_only = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    ]});
    world.permit(&tls_only.to_string()).await;
    let example = Example::of("iam", "GetUser");
    for (https, allowed) in [(None, false), (Some(false), false), (Some(true), true)] {
        let house = std::sync::Arc::get_mut(&mut world.house.house).unwrap();
        let url = https.map(|https| if https { "https://daypass.test" } else { "http://daypass.test" });
        house.settings.public_authority = url.map(|url| url.parse().unwrap());
        assert_eq!(world.call(&world.caller, example).await.is_ok(), allowed, "{https:?}");
    }
    // No header says so, and nothing but the host that was signed.
    for (name, value) in [("x-forwarded-proto", "https"), ("forwarded", "proto=https")] {
        let house = std::sync::Arc::get_mut(&mut world.house.house).unwrap();
        house.settings.public_authority = None;
        let http = world.house.signed(&world.caller, "iam", request().with_header(name, value));
        assert_eq!(told(world.send(http, example).await).0, "AccessDenied", "{name}");
    }
}

#[tokio::test]
async fn a_key_for_root_or_somebody_else_is_made_only_by_who_may() {
    let world = World::new().await;
    let own = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "arn:aws:iam::111122223333:user/ops/Caller"}]});
    world.permit(&own.to_string()).await;
    for name in ["Admin", "Alice", "root", "Nobody"] {
        let outcome = world.house.call(&world.caller, "iam", "CreateAccessKey", &[("UserName", name)]).await;
        assert_eq!(told(outcome).0, "AccessDenied", "{name}");
    }
    world.house.call(&world.caller, "iam", "CreateAccessKey", &[]).await.unwrap();
    // Who may do everything still finds no name that leads to the root user's keys.
    for name in ["root", ACCOUNT] {
        let outcome = world.house.call(&world.admin, "iam", "CreateAccessKey", &[("UserName", name)]).await;
        assert_eq!(told(outcome).0, "NoSuchEntity", "{name}");
    }
    let without_name = world.caller_of("role").await;
    let (code, message) = told(world.house.call(&without_name, "iam", "CreateAccessKey", &[]).await);
    assert_eq!(
        (code, message.as_str()),
        ("ValidationError", "Must specify userName when calling with non-User credentials")
    );
}

#[tokio::test]
async fn a_condition_on_the_boundary_keeps_a_delegated_administrator_from_lifting_it() {
    let world = World::new().await;
    let delegated = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["iam:CreateUser", "iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:PutUserPermissionsBoundary"], "Resource": "*",
         "Condition": {"StringEquals": {"iam:PermissionsBoundary": LIMIT}}},
    ]});
    world.permit(&delegated.to_string()).await;
    let call = async |action: &str, params: &[(&str, &str)]| {
        world.house.call(&world.caller, "iam", action, params).await
    };
    let denied = async |action: &str, params: &[(&str, &str)]| {
        assert_eq!(told(call(action, params).await).0, "AccessDenied", "{action} {params:?}");
    };
    let all = [("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    denied("CreateUser", &[("UserName", "x")]).await;
    denied(
        "CreateUser",
        &[("UserName", "x"), ("PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess")],
    )
    .await;
    denied("PutUserPolicy", &[&all[..], &[("UserName", "Plain")]].concat()).await;
    denied("PutUserPolicy", &[&all[..], &[("UserName", "Caller")]].concat()).await;
    denied(
        "PutUserPermissionsBoundary",
        &[("UserName", "Alice"), ("PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess")],
    )
    .await;
    denied("DeleteUserPermissionsBoundary", &[("UserName", "Alice")]).await;
    call("CreateUser", &[("UserName", "x"), ("PermissionsBoundary", LIMIT)]).await.unwrap();
    call("PutUserPolicy", &[&all[..], &[("UserName", "x")]].concat()).await.unwrap();
}
