//! Who is calling: GetCallerIdentity through every step, and credentials that prove nothing.

use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, sign};
use daypass_model::{Clock, Secret};
use daypass_service::Settings;
use daypass_service::params::Params;

use crate::support::{ACCOUNT, Keys, TestHouse};

#[tokio::test]
async fn root_is_told_who_it_is() {
    let house = TestHouse::new().await;
    let who = house.root("sts", "GetCallerIdentity", &[]).await;
    assert_eq!(who["Arn"], format!("arn:aws:iam::{ACCOUNT}:root"));
    assert_eq!(who["UserId"], ACCOUNT);
    assert_eq!(who["Account"], ACCOUNT);
}

#[tokio::test]
async fn credentials_that_prove_nothing_are_refused_alike() {
    let house = TestHouse::new().await;
    let unknown = Keys { access_key_id: "AKIAIOSFODNN7EXAMPLE".into(), ..house.root.clone() };
    let with_token = Keys { session_token: Some("garbage".into()), ..house.root.clone() };
    let temporary = Keys { access_key_id: "ASIAIOSFODNN7EXAMPLE".into(), ..house.root.clone() };
    for keys in [unknown, with_token, temporary] {
        let error = house.call(&keys, "sts", "GetCallerIdentity", &[]).await.unwrap_err();
        assert_eq!(error.code, "InvalidClientTokenId");
        assert_eq!(error.message, "The security token included in the request is invalid.");
    }
    let wrong_secret =
        Keys { secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(), ..house.root.clone() };
    let error = house.call(&wrong_secret, "sts", "GetCallerIdentity", &[]).await.unwrap_err();
    assert_eq!(error.code, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn an_operation_that_is_not_here_is_an_invalid_action() {
    let house = TestHouse::new().await;
    let error = house.call(&house.root, "sts", "AssumeEverything", &[]).await.unwrap_err();
    assert_eq!(error.code, "InvalidAction");
    assert_eq!(error.message, "Could not find operation AssumeEverything for version 2011-06-15");
}

#[tokio::test]
async fn a_stranger_gets_a_short_answer_to_a_long_question() {
    let house = TestHouse::new().await;
    let long = "é".repeat(100_000);
    for service in ["sts", "daypass", ""] {
        let http = HttpRequest::new("POST", "/", "").with_header("host", "daypass.test");
        let params = Params::from_pairs(Vec::new()).map_err(|_| unreachable!("no pair is wrong"));
        let error = house.send_http(http, service, &long, &long, params).await.unwrap_err();
        let shown = "é".repeat(128);
        assert_eq!(error.code, "InvalidAction");
        assert_eq!(error.message, format!("Could not find operation {shown} for version {shown}"));
    }
}

/// `--sts-region`: scopes of another region, and what the global endpoint of AWS does not have.
#[tokio::test]
async fn where_endpoints_are_told_apart_the_scope_is_theirs() {
    let house = TestHouse::new().await;
    let strict = |sts_region: Option<&str>| Settings {
        sts_region: sts_region.map(str::to_owned),
        ..Settings::default()
    };
    let (regional, global) = ("sts.eu-west-1.example.com", "STS.amazonaws.com:443");
    let region = "Credential should be scoped to a valid region. ".to_owned();
    let call =
        async |settings: Settings, service: &'static str, action: &str, host: &str, signed_for: &str| {
            let house = house.with_settings(settings);
            let mut http = HttpRequest::new("POST", "/", "").with_header("host", host);
            let secret = Secret::new(house.root.secret_access_key.as_str());
            let credentials = Credentials {
                access_key_id: &house.root.access_key_id,
                secret_access_key: &secret,
                session_token: None,
            };
            sign(&mut http, &credentials, signed_for, service, SignatureForm::Header, house.clock.now())
                .unwrap();
            let params = Params::from_pairs(Vec::new()).map_err(|_| unreachable!("no pair is wrong"));
            house
                .send_http(http, service, action, "2011-06-15", params)
                .await
                .map_err(|error| (error.code, error.message))
        };
    let who = "GetCallerIdentity";
    for (host, signed_for) in [(regional, "eu-west-1"), (global, "us-east-1")] {
        call(strict(Some("eu-west-1")), "sts", who, host, signed_for).await.unwrap();
        for other in ["eu-west-2", "aws-global", if host == global { "eu-west-1" } else { "us-east-1" }] {
            let refused = call(strict(Some("eu-west-1")), "sts", who, host, other).await.unwrap_err();
            assert_eq!(refused, ("SignatureDoesNotMatch", region.clone()), "{host}");
            call(strict(None), "sts", who, host, other).await.unwrap();
            call(strict(Some("eu-west-1")), "iam", "ListUsers", host, other).await.unwrap();
        }
    }
    for action in ["AssumeRoot", "GetScopedCredentials"] {
        let message = format!("Could not find operation {action} for version 2011-06-15");
        let refused = call(strict(Some("eu-west-1")), "sts", action, global, "us-east-1").await.unwrap_err();
        assert_eq!(refused, ("InvalidAction", message));
        let there = call(strict(Some("eu-west-1")), "sts", action, regional, "eu-west-1").await.unwrap_err();
        assert_ne!(there.0, "InvalidAction", "{action} is offered in a region");
        let anywhere = call(strict(None), "sts", action, global, "us-east-1").await.unwrap_err();
        assert_ne!(anywhere.0, "InvalidAction", "{action}: endpoints are told apart on request only");
    }
}
