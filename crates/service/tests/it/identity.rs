//! Who is calling: GetCallerIdentity through every step, and credentials that prove nothing.

use daypass_authn::sigv4::HttpRequest;
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
