//! `ProviderId`: access tokens of Login with Amazon and of Facebook, which only they can read.

use data_encoding::BASE64URL_NOPAD;
use daypass_service::Settings;
use daypass_service::federation::{FetchError, Fetched, Issuers};
use serde_json::{Value, json};

use tracing::level_filters::LevelFilter;

use super::{DENIED, ROLE, World};
use crate::secrets::Captured;
use crate::support::Keys;

const AMAZON: &str = "www.amazon.com";
const FACEBOOK: &str = "graph.facebook.com";
const TOKEN_INFO: &str = "https://api.amazon.example/auth/O2/tokeninfo";
const GRAPH: &str = "https://graph.facebook.example/v24.0/";
/// A token, and how a query has it.
const TOKEN: &str = "Atza|IQEBLj+/=&x=y#";
const QUERY: &str = "access_token=Atza%7CIQEBLj%2B%2F%3D%26x%3Dy%23";
/// What Amazon's Developer Guide shows.
const APP: &str = "amzn1.application.436457DFHDH";
const USER: &str = "amzn1.account.K2LI23KL2LK2";
const CLIENT: &str = "amzn1.application-oa2-client.ABCDEFGHIJKLMNOPQRST";

fn answered(body: &Value) -> Result<Fetched, FetchError> {
    Ok(Fetched { body: body.to_string().into_bytes(), max_age: None })
}

fn of_amazon() -> Value {
    json!({"iss": "https://www.amazon.com", "user_id": USER, "aud": CLIENT, "app_id": APP, "exp": 3597, "iat": 1})
}

fn trust(provider: &str, condition: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": condition},
    }]})
    .to_string()
}

/// A role for the example's application at Amazon, on a server that asks both providers.
async fn world() -> World {
    let World { house, key } = World::new().await;
    let issuers = Issuers {
        amazon_token_info_url: Some(TOKEN_INFO.into()),
        facebook_graph_url: Some(GRAPH.into()),
        ..Issuers::default()
    };
    let world = World { house: house.with_settings(Settings { issuers, ..Settings::default() }), key };
    trusts(&world, &trust(AMAZON, &json!({"www.amazon.com:app_id": APP}))).await;
    world.tells(&format!("{TOKEN_INFO}?{QUERY}"), answered(&of_amazon()));
    world
}

async fn trusts(world: &World, policy: &str) {
    let role = [("RoleName", "Reader"), ("PolicyDocument", policy)];
    world.house.root("iam", "UpdateAssumeRolePolicy", &role).await;
}

impl World {
    fn tells(&self, url: &str, answer: Result<Fetched, FetchError>) {
        self.house.providers.answer(url, answer);
    }

    async fn brings(&self, provider: &str, token: &str) -> Result<Value, (&'static str, String)> {
        let answer = self.call(&[("WebIdentityToken", token), ("ProviderId", provider)]).await;
        answer.map_err(|error| (error.code, error.message))
    }
}

fn denied() -> (&'static str, String) {
    ("AccessDenied", DENIED.to_owned())
}

#[tokio::test]
async fn amazons_access_token_becomes_a_session_that_knows_its_user() {
    let world = world().await;
    let allowed = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "iam:GetUser", "Resource": "arn:aws:iam::*:user/${www.amazon.com:user_id}",
        "Condition": {"StringEquals": {"aws:FederatedProvider": AMAZON, "www.amazon.com:app_id": APP}},
    }]});
    let params = [("RoleName", "Reader"), ("PolicyName", "q"), ("PolicyDocument", &allowed.to_string())];
    world.house.root("iam", "PutRolePolicy", &params).await;
    world.house.root("iam", "CreateUser", &[("UserName", USER)]).await;
    world.house.root("iam", "CreateUser", &[("UserName", "other")]).await;
    let answer = world.brings(AMAZON, TOKEN).await.unwrap();
    assert_eq!(world.house.providers.asked(), [format!("{TOKEN_INFO}?{QUERY}")]);
    assert_eq!(answer["SubjectFromWebIdentityToken"], USER);
    assert_eq!((&answer["Audience"], &answer["Provider"]), (&json!(CLIENT), &json!(AMAZON)));
    assert_eq!(world.whoami(&answer).await["Arn"], "arn:aws:sts::111122223333:assumed-role/Reader/laptop");
    let keys = Keys::of(&answer["Credentials"]);
    world.house.call(&keys, "iam", "GetUser", &[("UserName", USER)]).await.unwrap();
    let other = world.house.call(&keys, "iam", "GetUser", &[("UserName", "other")]).await.unwrap_err();
    assert_eq!(other.code, "AccessDenied");
    let events = world.house.audit.lock().unwrap().clone();
    let event = events.iter().find(|event| event["eventName"] == "AssumeRoleWithWebIdentity").unwrap();
    assert_eq!(event["userIdentity"]["principalId"], format!("{AMAZON}:{CLIENT}:{USER}"));
    assert_eq!(event["requestParameters"]["providerId"], AMAZON);
    let expected = json!({
        "federatedProvider": AMAZON,
        "attributes": {"www.amazon.com:app_id": APP, "www.amazon.com:user_id": USER, "www.amazon.com:sub": USER},
    });
    let last = events.last().unwrap();
    assert_eq!(last["userIdentity"]["sessionContext"]["webIdFederationData"], expected);
    assert!(!json!(events).to_string().contains("IQEBLj"), "a token is no business of the audit");
}

#[tokio::test]
async fn facebooks_access_token_becomes_a_session_that_knows_its_user() {
    let world = world().await;
    let ids = json!({"graph.facebook.com:app_id": "116", "graph.facebook.com:id": "100"});
    trusts(&world, &trust(FACEBOOK, &ids)).await;
    let [app, me] = ["app", "me"].map(|path| format!("https://graph.facebook.example/v24.0/{path}?{QUERY}"));
    world.tells(&app, answered(&json!({"id": "116", "name": "App"})));
    world.tells(&me, answered(&json!({"id": "100", "name": "Alice"})));
    let answer = world.brings(FACEBOOK, TOKEN).await.unwrap();
    assert_eq!(world.house.providers.asked(), [app, me.clone()]);
    assert_eq!(answer["SubjectFromWebIdentityToken"], "100");
    assert_eq!((&answer["Audience"], &answer["Provider"]), (&json!("116"), &json!(FACEBOOK)));
    world.tells(&me, answered(&json!({"id": "101"})));
    assert_eq!(world.brings(FACEBOOK, TOKEN).await.unwrap_err(), denied(), "another user");
    world.tells(&me, Err(FetchError::Status(GRAPH.into(), 400)));
    assert_eq!(world.brings(FACEBOOK, TOKEN).await.unwrap_err().0, "IDPRejectedClaim");
}

#[tokio::test]
async fn a_token_for_another_application_opens_no_role_and_tells_of_none() {
    let world = world().await;
    let mut another = of_amazon();
    another["app_id"] = json!("amzn1.application.evil");
    world.tells(&format!("{TOKEN_INFO}?{QUERY}"), answered(&another));
    for role in [ROLE, "arn:aws:iam::111122223333:role/Nobody", "arn:aws:iam::999999999999:role/Reader"] {
        let params = [("WebIdentityToken", TOKEN), ("ProviderId", AMAZON), ("RoleArn", role)];
        let error = world.call(&params).await.unwrap_err();
        assert_eq!((error.code, error.message), denied(), "{role}");
        assert_eq!(world.house.providers.asked().len(), 1, "{role}: asked as for every other");
    }
}

#[tokio::test]
async fn what_is_no_access_token_of_the_provider_is_refused() {
    let world = world().await;
    let id_token = world.token(&world.claims());
    let nobody = [("accounts.google.com", TOKEN), ("WWW.AMAZON.COM", TOKEN), ("graph.facebook.com.", TOKEN)];
    for (provider, token) in nobody {
        assert_eq!(world.brings(provider, token).await.unwrap_err(), denied(), "{provider}");
    }
    // However its header is written: ` {`, `{ `, `{` and a line's end.
    let [_, rest] = id_token.split_once('.').map(|(header, rest)| [header, rest]).unwrap();
    let spaced = [r#" {"alg":"ES256"}"#, r#"{ "alg":"ES256"}"#, "{\n\"alg\":\"ES256\"}"];
    let spaced = spaced.map(|header| format!("{}.{rest}", BASE64URL_NOPAD.encode(header.as_bytes())));
    let padded = format!(" {id_token}\n");
    let encrypted = "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d";
    for another in spaced.iter().map(String::as_str).chain([id_token.as_str(), &padded, encrypted]) {
        assert_eq!(world.brings(AMAZON, another).await.unwrap_err().0, "InvalidIdentityToken");
        assert_eq!(world.brings(FACEBOOK, another).await.unwrap_err().0, "IDPRejectedClaim");
    }
    for none in ["", "Atza|\u{e9}", "Atza|\n|", "Atza|\u{0}", &"\u{e9}".repeat(10_000)] {
        let (code, _) = world.brings(AMAZON, none).await.unwrap_err();
        assert!(matches!(code, "IDPRejectedClaim" | "ValidationError"), "{none:.20?}: {code}");
    }
    let without = World { house: world.house.with_settings(Settings::default()), key: world.key };
    for provider in [AMAZON, FACEBOOK] {
        let (code, message) = without.brings(provider, TOKEN).await.unwrap_err();
        assert_eq!(code, "AccessDenied");
        assert_eq!(message, format!("{DENIED}: this server does not ask {provider} about tokens"));
    }
    assert_eq!(without.house.providers.asked(), [""; 0], "nobody else gets to see a token");
}

#[tokio::test]
async fn what_the_provider_says_of_a_token_decides() {
    let world = world().await;
    let url = format!("{TOKEN_INFO}?{QUERY}");
    let status = |status| Err(FetchError::Status(TOKEN_INFO.into(), status));
    let over =
        json!({"iss": "https://www.amazon.com", "user_id": USER, "aud": CLIENT, "app_id": APP, "exp": 0});
    for (answer, code) in [
        (status(400), "IDPRejectedClaim"),
        (status(401), "IDPRejectedClaim"),
        (status(403), "IDPRejectedClaim"),
        (status(302), "IDPCommunicationError"),
        (status(404), "IDPCommunicationError"),
        (status(429), "IDPCommunicationError"),
        (Ok(Fetched { body: b"<html>".to_vec(), max_age: None }), "IDPCommunicationError"),
        (answered(&over), "IDPRejectedClaim"),
        (answered(&json!({"error": "invalid_token"})), "IDPRejectedClaim"),
        (status(503), "IDPCommunicationError"),
        (Err(FetchError::Unreachable(TOKEN_INFO.into(), "not in time".into())), "IDPCommunicationError"),
        (Err(FetchError::Certificate(TOKEN_INFO.into())), "IDPCommunicationError"),
        (Err(FetchError::TooLong(TOKEN_INFO.into())), "IDPCommunicationError"),
    ] {
        world.tells(&url, answer.clone());
        assert_eq!(world.brings(AMAZON, TOKEN).await.unwrap_err().0, code, "{answer:?}");
    }
    let health = world.house.house.provider_keys.health(world.house.clock_now());
    let failing = health.iter().find(|health| health.provider == AMAZON).unwrap();
    assert_eq!(failing.failing_since, Some(world.house.clock_now()), "the operator sees it");
    world.tells(&url, answered(&of_amazon()));
    world.brings(AMAZON, TOKEN).await.unwrap();
    let health = world.house.house.provider_keys.health(world.house.clock_now());
    assert!(health.iter().all(|health| health.failing_since.is_none()), "{health:?}");
}

/// Anybody can bring a token that is none: that says nothing of the provider, for better or worse.
#[tokio::test]
async fn how_a_provider_stands_is_told_by_good_tokens_and_forgotten_without_any() {
    let world = world().await;
    let url = format!("{TOKEN_INFO}?{QUERY}");
    let status = |status| Err(FetchError::Status(TOKEN_INFO.into(), status));
    let failing = || {
        let health = world.house.house.provider_keys.health(world.house.clock_now());
        health.iter().find(|health| health.provider == AMAZON).and_then(|health| health.failing_since)
    };
    let (log, _guard) = Captured::at(LevelFilter::INFO);
    let told =
        || log.lines().iter().filter(|line| line.contains("does not tell of its access tokens")).count();
    let begun = world.house.clock_now();
    for _ in 0..3 {
        world.tells(&url, status(503));
        world.brings(AMAZON, TOKEN).await.unwrap_err();
        world.tells(&url, status(400));
        world.brings(AMAZON, TOKEN).await.unwrap_err();
        world.house.clock.advance(60);
    }
    assert_eq!((failing(), told()), (Some(begun), 1), "told once, and no junk clears it");
    world.house.clock.advance(241);
    assert_eq!(failing(), None, "nobody has met it for five minutes");
    world.tells(&url, status(503));
    world.brings(AMAZON, TOKEN).await.unwrap_err();
    assert_eq!((failing(), told()), (Some(world.house.clock_now()), 2));
    world.tells(&url, answered(&of_amazon()));
    world.brings(AMAZON, TOKEN).await.unwrap();
    assert_eq!(failing(), None);
}

#[tokio::test]
async fn a_line_end_behind_a_token_is_passed_over_as_with_those_that_are_signed() {
    let world = world().await;
    world.brings(AMAZON, &format!("{TOKEN}\r\n")).await.unwrap();
    assert_eq!(world.house.providers.asked(), [format!("{TOKEN_INFO}?{QUERY}")]);
}

/// AWS lets a trust policy test `app_id` or `sub`.
#[tokio::test]
async fn a_role_may_trust_one_user_by_either_name() {
    let world = world().await;
    for key in ["user_id", "sub"] {
        let of = |user: &str| json!({"www.amazon.com:app_id": APP, format!("{AMAZON}:{key}"): user});
        trusts(&world, &trust(AMAZON, &of("amzn1.account.other"))).await;
        assert_eq!(world.brings(AMAZON, TOKEN).await.unwrap_err(), denied(), "{key}");
        trusts(&world, &trust(AMAZON, &of(USER))).await;
        world.brings(AMAZON, TOKEN).await.unwrap();
    }
}

/// Whatever an account changes while a provider takes its time holds for the call.
#[tokio::test]
async fn a_call_is_decided_on_what_is_there_when_the_provider_has_answered() {
    let world = world().await;
    world.house.providers.hold(TOKEN_INFO);
    let change = async {
        while world.house.providers.asked().is_empty() {
            tokio::task::yield_now().await;
        }
        trusts(&world, &trust(AMAZON, &json!({"www.amazon.com:app_id": "amzn1.application.other"}))).await;
        world.house.providers.go_on();
    };
    let (answer, ()) = tokio::join!(world.brings(AMAZON, TOKEN), change);
    assert_eq!(answer.unwrap_err(), denied());
}
