//! When keys and roles were last used: what GetAccessKeyLastUsed and GetRole show.

use daypass_authn::sigv4::HttpRequest;
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::support::{ACCOUNT, Keys, TestHouse};

/// 2026-01-15T12:00:00Z
const NOW: i64 = 1_768_478_400;

async fn shown(house: &TestHouse, key: &Keys) -> Value {
    house.root("iam", "GetAccessKeyLastUsed", &[("AccessKeyId", &key.access_key_id)]).await["AccessKeyLastUsed"].clone()
}

#[tokio::test]
async fn a_key_shows_the_service_and_region_of_its_last_call() {
    let house = TestHouse::new().await;
    let bob = house.user("Bob", None).await;
    assert_eq!(shown(&house, &bob).await, json!({"ServiceName": "N/A", "Region": "N/A"}));
    house.call(&bob, "sts", "GetCallerIdentity", &[]).await.unwrap();
    let sts = json!({"LastUsedDate": NOW, "ServiceName": "sts", "Region": "eu-west-1"});
    assert_eq!(shown(&house, &bob).await, sts);
    house.clock.advance(60);
    // A call that was denied was made with the key all the same.
    assert_eq!(house.call(&bob, "iam", "ListUsers", &[]).await.unwrap_err().code, "AccessDenied");
    let iam = json!({"LastUsedDate": NOW + 60, "ServiceName": "iam", "Region": "eu-west-1"});
    assert_eq!(shown(&house, &bob).await, iam);
}

#[tokio::test]
async fn a_wrong_signature_is_no_use_of_the_key() {
    let house = TestHouse::new().await;
    let bob = house.user("Bob", None).await;
    let wrong = Keys { secret_access_key: "wrong".into(), ..bob.clone() };
    house.call(&wrong, "sts", "GetCallerIdentity", &[]).await.unwrap_err();
    assert_eq!(shown(&house, &bob).await["ServiceName"], "N/A");
}

#[tokio::test]
async fn a_session_is_a_use_of_its_role_and_not_of_the_key_that_asked_for_it() {
    let house = TestHouse::new().await;
    let bob = house.user("Bob", Some(ALLOW_ALL)).await;
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]});
    house
        .root("iam", "CreateRole", &[("RoleName", "R"), ("AssumeRolePolicyDocument", &trust.to_string())])
        .await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/R");
    let params = [("RoleArn", arn.as_str()), ("RoleSessionName", "bob")];
    let session = Keys::of(&house.call(&bob, "sts", "AssumeRole", &params).await.unwrap()["Credentials"]);
    let role =
        async || house.root("iam", "GetRole", &[("RoleName", "R")]).await["Role"]["RoleLastUsed"].clone();
    assert_eq!(role().await, json!({}), "to be assumed is not to be used");
    house.clock.advance(60);
    house.call(&session, "sts", "GetCallerIdentity", &[]).await.unwrap();
    assert_eq!(role().await, json!({"LastUsedDate": NOW + 60, "Region": "eu-west-1"}));
    assert_eq!(shown(&house, &bob).await["LastUsedDate"], NOW);
}

#[tokio::test]
async fn a_request_that_another_service_asks_about_is_a_use_for_that_service() {
    let house = TestHouse::new().await;
    let bob = house.user("Bob", None).await;
    let http =
        house.signed(&bob, "s3", HttpRequest::new("GET", "/shelf/a", "").with_header("host", "store.test"));
    let header =
        |(name, value): &(String, Vec<u8>)| json!({"Name": name, "Value": String::from_utf8_lossy(value)});
    let headers: Vec<Value> = http.headers.iter().map(header).collect();
    let body = json!({
        "Request": {"Method": "GET", "Url": "https://store.test/shelf/a", "Headers": headers},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shelf/a",
    });
    let answer = house.call_json(&house.root, "CheckRequest", &body).await.unwrap();
    assert_eq!(answer["Decision"], "ImplicitlyDenied");
    assert_eq!(shown(&house, &bob).await["ServiceName"], "s3");
}
