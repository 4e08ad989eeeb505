//! Every action, tried by everybody who must not be able to: strangers, callers without a permission, callers
//! with an explicit Deny, credentials of a kind that the action does not admit. And by those who may.
//!
//! A refused call changes nothing: the whole store is compared before and after.

use daypass_authn::sigv4::HttpRequest;
use daypass_authn::token::SessionKind;
use daypass_directory::{Check, Scope};
use daypass_service::Error;
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::examples::{EXAMPLES, Example};
use crate::support::Keys;
use crate::world::{KINDS, World, request};

/// Nobody needs a permission for these, and no policy can deny them.
const NEED_NOTHING: [&str; 2] = ["sts:GetCallerIdentity", "sts:GetSessionToken"];
const CALLER: &str = "arn:aws:iam::111122223333:user/ops/Caller";
const NOTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}"#;
const DENY_ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

/// The refusal of a call, and that it changed nothing.
async fn refused(world: &World, what: &str, http: HttpRequest, example: &Example) -> Error {
    let before = world.house.stored().await;
    let outcome = world.send(http, example).await;
    let permission = example.permission();
    let Err(error) = outcome else { panic!("{permission} was done for {what}") };
    assert!(world.house.stored().await == before, "{permission} changed something for {what}");
    error
}

/// The refusal to a user, with credentials that the action takes.
async fn refused_to_user(world: &World, what: &str, who: &Keys, example: &Example) -> Error {
    refused_to(world, what, &world.as_taken(who, example).await, example).await
}

async fn refused_to(world: &World, what: &str, who: &Keys, example: &Example) -> Error {
    refused(world, what, world.house.signed(who, example.service, request()), example).await
}

fn needing_permission() -> impl Iterator<Item = &'static Example> {
    EXAMPLES.iter().filter(|example| !NEED_NOTHING.contains(&example.permission().as_str()))
}

#[tokio::test]
async fn strangers_get_nowhere_with_any_action() {
    let world = World::new().await;
    let admin = &world.admin;
    let wrong_secret = Keys { secret_access_key: "x".repeat(40), ..admin.clone() };
    let unknown = Keys { access_key_id: "AKIAIOSFODNN7EXAMPLE".into(), ..admin.clone() };
    let with_token = Keys { session_token: Some("garbage".into()), ..admin.clone() };
    let live = world.mint(SessionKind::User, -60, 60, true);
    let without_token = Keys { session_token: None, ..live.clone() };
    let foreign_token =
        Keys { session_token: live.session_token.clone(), ..world.mint(SessionKind::User, 0, 60, true) };
    let expired = world.mint(SessionKind::User, -7200, 0, true);
    let half = request().with_header("authorization", "AWS4-HMAC-SHA256 Credential=x");
    for example in EXAMPLES {
        let name = example.permission();
        let error = refused(&world, "nobody", request(), example).await;
        assert_eq!(error.code, "MissingAuthenticationToken", "{name}");
        let error = refused(&world, "half a credential", half.clone(), example).await;
        assert_eq!(error.code, "IncompleteSignature", "{name}");
        for (what, keys, code) in [
            ("a wrong secret", &wrong_secret, "SignatureDoesNotMatch"),
            ("an unknown key", &unknown, "InvalidClientTokenId"),
            ("a long-term key with a token", &with_token, "InvalidClientTokenId"),
            ("a temporary key without its token", &without_token, "InvalidClientTokenId"),
            ("the token of another session", &foreign_token, "InvalidClientTokenId"),
            ("an expired session", &expired, "ExpiredToken"),
        ] {
            assert_eq!(refused_to(&world, what, keys, example).await.code, code, "{name}, {what}");
        }
    }
}

#[tokio::test]
async fn without_a_permission_no_action_is_done_but_the_two_that_need_none() {
    let world = World::new().await;
    for document in [None, Some(NOTHING)] {
        if let Some(document) = document {
            world.permit(document).await;
        }
        for example in needing_permission() {
            let (name, shown) = (example.permission(), example.shown(&world));
            let error = refused_to_user(&world, "a caller without permission", &world.caller, example).await;
            let because = format!("because no identity-based policy allows the {name} action");
            let message =
                format!("User: {CALLER} is not authorized to perform: {name} on resource: {shown} {because}");
            assert_eq!((error.code, error.message), ("AccessDenied", message));
        }
    }
    for name in NEED_NOTHING {
        let example = Example::of("sts", name.trim_start_matches("sts:"));
        world.call(&world.caller, example).await.unwrap();
    }
}

#[tokio::test]
async fn an_explicit_deny_stops_every_action_but_the_two_that_nothing_can_deny() {
    let world = World::new().await;
    world.permit(DENY_ALL).await;
    for example in needing_permission() {
        let (name, shown) = (example.permission(), example.shown(&world));
        let error = refused_to_user(&world, "a denied caller", &world.caller, example).await;
        let because = "with an explicit deny in an identity-based policy";
        let message =
            format!("User: {CALLER} is not authorized to perform: {name} on resource: {shown} {because}");
        assert_eq!((error.code, error.message), ("AccessDenied", message));
    }
    for name in NEED_NOTHING {
        let example = Example::of("sts", name.trim_start_matches("sts:"));
        world.call(&world.caller, example).await.unwrap();
    }
}

/// The checks that a call of the caller makes.
pub(crate) fn checks(world: &World, example: &Example) -> Vec<Check> {
    let house = &world.house.house;
    let view = house.directory.snapshot();
    let credential = house.directory.credential(&view, &world.caller.access_key_id, None).unwrap();
    let scope = Scope::resolve(view, credential.caller, house.now()).unwrap();
    let row = daypass_service::actions::find(example.service, example.action).unwrap();
    (row.checks)(&scope, &example.params(world).unwrap()).unwrap().as_slice().to_vec()
}

fn allow<'a>(checks: impl Iterator<Item = &'a Check>) -> String {
    let allow =
        |check: &Check| json!({"Effect": "Allow", "Action": check.action, "Resource": check.resource});
    json!({"Version": "2012-10-17", "Statement": checks.map(allow).collect::<Vec<_>>()}).to_string()
}

#[tokio::test]
async fn exactly_the_permissions_of_its_checks_are_enough_and_each_is_needed() {
    let world = World::new().await;
    for example in needing_permission() {
        let (name, world) = (example.permission(), world.copy_for(example).await);
        let checks = checks(&world, example);
        assert!(!checks.is_empty(), "{name} checks nothing");
        for (n, missing) in checks.iter().enumerate() {
            let others: Vec<_> =
                checks.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, check)| check).collect();
            let document = if others.is_empty() { NOTHING.to_owned() } else { allow(others.iter().copied()) };
            world.permit(&document).await;
            let error =
                refused_to_user(&world, "a caller who lacks one of them", &world.caller, example).await;
            let asked = format!("is not authorized to perform: {} on resource:", missing.action);
            assert!(error.code == "AccessDenied" && error.message.contains(&asked), "{name}: {error:?}");
            if missing.resource != "*" {
                // Everything, everywhere, but this action on this resource.
                let elsewhere = json!({"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "NotAction": missing.action, "Resource": "*"},
                    {"Effect": "Allow", "Action": missing.action, "NotResource": missing.resource},
                ]});
                world.permit(&elsewhere.to_string()).await;
                let error =
                    refused_to_user(&world, "a caller allowed elsewhere", &world.caller, example).await;
                // Two checks of one action (a rename) differ only in their resource; either may be the one that fails.
                assert_eq!(error.code, "AccessDenied", "{name} beyond {}", missing.resource);
            }
        }
        world.permit(&allow(checks.iter())).await;
        world.call(&world.caller, example).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[tokio::test]
async fn who_may_everything_may_every_action() {
    let world = World::new().await;
    for example in EXAMPLES {
        let (name, world) = (example.permission(), world.copy_for(example).await);
        world.permit(ALLOW_ALL).await;
        world.call(&world.caller, example).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[tokio::test]
async fn actions_that_only_read_write_nothing() {
    let world = World::new().await;
    let before = world.house.stored().await;
    for row in daypass_service::actions::all().filter(|row| row.read_only && !row.is_unsigned()) {
        let example = Example::of(row.name.0, row.name.1);
        world.call(&world.admin, example).await.unwrap();
        assert!(world.house.stored().await == before, "{} wrote", example.permission());
    }
}

/// The lines of `callers.tsv`: an action and the outcome for each of [`KINDS`].
fn callers() -> Vec<(String, Vec<String>)> {
    let text = include_str!("../data/callers.tsv");
    let mut lines =
        text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').map(str::to_owned));
    let head: Vec<_> = lines.next().unwrap().collect();
    assert_eq!(head[1..], KINDS, "the columns of callers.tsv");
    lines.map(|mut cells| (cells.next().unwrap(), cells.collect())).collect()
}

#[tokio::test]
async fn every_kind_of_credential_may_call_what_the_table_says_and_nothing_else() {
    let world = World::new().await;
    let table = callers();
    assert_eq!(table.len(), EXAMPLES.len(), "callers.tsv has a line for every action");
    for (n, kind) in KINDS.iter().enumerate() {
        let who = world.caller_of(kind).await;
        let arn = world.house.call(&who, "sts", "GetCallerIdentity", &[]).await.unwrap()["Arn"].clone();
        for example in EXAMPLES {
            let name = example.permission();
            let (_, outcomes) = table.iter().find(|(action, _)| *action == name).expect(&name);
            match outcomes[n].as_str() {
                "ok" => {
                    let copy = world.copy_for(example).await;
                    let answer = copy.call(&who, example).await;
                    answer.unwrap_or_else(|error| panic!("{name} by {kind}: {error}"));
                }
                word => {
                    let error = refused_to(&world, kind, &who, example).await;
                    let (code, message) = told(word, example, &arn);
                    assert_eq!((error.code, error.message), (code, message), "{name} by {kind}");
                }
            }
        }
    }
}

/// What a word of the table means.
fn told(word: &str, example: &Example, arn: &Value) -> (&'static str, String) {
    let arn = arn.as_str().unwrap();
    match word {
        "subject" => (
            "InvalidSubjectCredentials",
            "The credentials of the request are not temporary security credentials.".into(),
        ),
        "token" => ("InvalidClientTokenId", "The security token included in the request is invalid.".into()),
        "session" => ("AccessDenied", format!("Cannot call {} with session credentials", example.action)),
        "root" => ("AccessDenied", "Roles may not be assumed by root accounts.".into()),
        "type" => ("InvalidUserType", "Only an IAM user can change its own password.".into()),
        "denied" => {
            ("AccessDenied", format!("User: {arn} is not authorized to perform: {}", example.permission()))
        }
        other => panic!("callers.tsv says {other}"),
    }
}
