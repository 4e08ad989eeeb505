//! Why, where caller and resource belong to different accounts: each hears its own side, no values, and nothing of what
//! exists on the other.

use serde_json::json;

use crate::answers::{ALLOW_ALL, DENY_ALL};
use crate::checking::{Shop, get, with};
use crate::explained::{decode, explain, reasons};
use crate::support::{ACCOUNT, Keys, OTHER, TestHouse};
use crate::world::asking;

#[tokio::test]
async fn each_account_is_told_of_its_own_policies_and_a_third_of_nothing() {
    let house = TestHouse::new().await;
    let other_root = house.account(OTHER).await;
    let third = house.account("777788889999").await;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Secret","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"shared"}}}]}"#;
    let params = [("RoleName", "r"), ("AssumeRolePolicyDocument", trust)];
    house.call(&other_root, "iam", "CreateRole", &params).await.unwrap();
    let ann = house.user("Ann", Some(ALLOW_ALL)).await;
    let role = format!("arn:aws:iam::{OTHER}:role/r");
    let params = [("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
    house.call(&ann, "sts", "AssumeRole", &params).await.unwrap_err();
    let id = house.last_request_id();

    let callers = explain(&house, &house.root, &id).await.unwrap()["Decisions"][0].clone();
    assert_eq!(reasons(&callers), [("p".to_owned(), 1, "matches".to_owned())]);
    assert_eq!(callers.get("DecidedBy"), None, "the other account's trust policy was silent");
    let owners = explain(&house, &other_root, &id).await.unwrap()["Decisions"][0].clone();
    let reason = "the condition `StringEquals` on `sts:ExternalId` is not met";
    assert_eq!(reasons(&owners), [(role.clone(), 1, reason.to_owned())]);
    assert_eq!(owners["DecidedBy"], "role trust policy");
    let error = explain(&house, &third, &id).await.unwrap_err();
    assert_eq!(
        (error.code, error.message),
        ("NoSuchEntity", format!("No decision about a request with id {id} is kept here."))
    );
}

/// A role in the other account, with tags and a trust policy, and a user here who may take roles of some tags only.
async fn guarded_role(house: &TestHouse, other: &Keys, name: &str, trust: &str) -> String {
    let params = [
        ("RoleName", name),
        ("AssumeRolePolicyDocument", trust),
        ("Tags.member.1.Key", "cost"),
        ("Tags.member.1.Value", "private-cost"),
    ];
    house.call(other, "iam", "CreateRole", &params).await.unwrap();
    format!("arn:aws:iam::{OTHER}:role/{name}")
}

#[tokio::test]
async fn across_accounts_keys_are_told_and_no_values() {
    let house = TestHouse::new().await;
    let other = house.account(OTHER).await;
    let own = r#"{"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/cost":"private-cost"}}},
      {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Condition":{"StringEquals":{"iam:ResourceTag/cost":"x"}}},
      {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Condition":{"StringEquals":{"aws:username":"x"}}}]}"#;
    let ann = house.user("Ann", Some(own)).await;
    let tag =
        [("UserName", "Ann"), ("Tags.member.1.Key", "salary"), ("Tags.member.1.Value", "private-salary")];
    house.root("iam", "TagUser", &tag).await;
    let one = |key: &str| {
        json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {key: "x"}}})
    };
    let asked = ["aws:PrincipalTag/salary", "aws:SourceIp", "aws:userid", "aws:MultiFactorAuthPresent"];
    let trust = json!({"Version": "2012-10-17", "Statement": asked.map(one)}).to_string();
    let role = guarded_role(&house, &other, "r", &trust).await;
    let params = [("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
    house.call(&ann, "sts", "AssumeRole", &params).await.unwrap_err();
    let id = house.last_request_id();

    let reason = |key: &str| format!("the condition `StringEquals` on `{key}` is not met");
    let callers = explain(&house, &house.root, &id).await.unwrap()["Decisions"][0].clone();
    let told: Vec<_> = reasons(&callers).into_iter().map(|(.., reason)| reason).collect();
    assert_eq!(told, ["aws:ResourceTag/cost", "iam:ResourceTag/cost", "aws:username"].map(reason));
    let owners = explain(&house, &other, &id).await.unwrap()["Decisions"][0].clone();
    let told: Vec<_> = reasons(&owners).into_iter().map(|(.., reason)| reason).collect();
    assert_eq!(told, asked.map(reason));
    for secret in ["private-cost", "private-salary", "192.0.2.10", "AIDA"] {
        assert!(!callers.to_string().contains(secret) && !owners.to_string().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_role_that_is_not_there_is_explained_like_one_that_does_not_trust_the_caller() {
    let house = TestHouse::new().await;
    let other = house.account(OTHER).await;
    let trust = |effect: &str, who: &str| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Principal": {"AWS": who}, "Action": "sts:*"}]})
            .to_string()
    };
    let mut roles = vec![format!("arn:aws:iam::{OTHER}:role/none-such")];
    for (name, trust) in [
        ("silent", trust("Allow", OTHER)),
        ("denies", trust("Deny", ACCOUNT)),
        ("trusts", trust("Allow", ACCOUNT)),
    ] {
        roles.push(guarded_role(&house, &other, name, &trust).await);
    }
    let condition = |operator: &str, key: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:*","Resource":"*","Condition":{{"{operator}":{{"{key}":"private-cost"}}}}}}]}}"#
        )
    };
    let policies = [
        (ALLOW_ALL.to_owned(), 3),
        (DENY_ALL.to_owned(), 4),
        (condition("StringEquals", "aws:ResourceTag/cost"), 3),
        (condition("StringNotEquals", "aws:ResourceTag/cost"), 4),
        (condition("StringEquals", "sts:RoleSessionName"), 4),
    ];
    for (n, (policy, denied)) in policies.iter().enumerate() {
        let caller = house.user(&format!("Caller{n}"), Some(policy)).await;
        let mut told = Vec::new();
        // Of the last role only what every caller is denied is the same.
        for role in roles.iter().take(*denied) {
            let params = [
                ("RoleArn", role.as_str()),
                ("RoleSessionName", "s1"),
                ("ExternalId", "e1"),
                ("Tags.member.1.Key", "k"),
                ("Tags.member.1.Value", "v"),
            ];
            let error = house.call(&caller, "sts", "AssumeRole", &params).await.unwrap_err();
            assert_eq!(error.code, "AccessDenied");
            let id = house.last_request_id();
            let answer = explain(&house, &house.root, &id).await.unwrap()["Decisions"].to_string();
            told.push((error.message.replace(role, "<role>"), answer.replace(role, "<role>")));
        }
        assert!(told.iter().all(|one| *one == told[0]), "{policy}: {told:#?}");
    }
}

#[tokio::test]
async fn an_owner_is_not_told_that_the_callers_side_denies() {
    let house = TestHouse::new().await;
    let other = house.account(OTHER).await;
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]});
    let role = guarded_role(&house, &other, "r", &trust.to_string()).await;
    let mut told = Vec::new();
    for (name, policy) in [("Barred", Some(DENY_ALL)), ("Silent", None)] {
        let caller = house.user(name, policy).await;
        let params = [("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
        house.call(&caller, "sts", "AssumeRole", &params).await.unwrap_err();
        let id = house.last_request_id();
        let owners = explain(&house, &other, &id).await.unwrap()["Decisions"].to_string();
        told.push(owners.replace(name, "<user>"));
    }
    assert_eq!(told[0], told[1]);
}

/// A service of one account is asked by somebody of another: neither hears what the other side holds.
#[tokio::test]
async fn a_check_across_accounts_tells_each_side_its_own() {
    let shop = Shop::new().await;
    let house = &shop.world.house;
    let other = house.account(OTHER).await;
    let of_other = async |action: &str, params: &[(&str, &str)]| {
        house.call(&other, "iam", action, params).await.unwrap()
    };
    let tag = [("Tags.member.1.Key", "salary"), ("Tags.member.1.Value", "private-salary")];
    of_other("CreateUser", &[&[("UserName", "Eve")], &tag[..]].concat()).await;
    let eve = Keys::of(&of_other("CreateAccessKey", &[("UserName", "Eve")]).await["AccessKey"]);
    let own = r#"{"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/hidden":"x","s3:prefix":"y"}}},
      {"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"x"}}}]}"#;
    of_other("PutUserPolicy", &[("UserName", "Eve"), ("PolicyName", "p"), ("PolicyDocument", own)]).await;
    let shelf = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shelf/*",
         "Condition": {"StringEquals": {"aws:PrincipalTag/salary": "x"}}},
        {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shelf/*"}]});
    let policy = json!({"ResourceArn": "arn:aws:s3:::shelf", "Policy": shelf.to_string()});
    house.call_json(&shop.world.admin, "PutResourcePolicy", &policy).await.unwrap();
    let signed = house.signed(&eve, "s3", get());
    let said = json!({"aws:ResourceTag/hidden": ["private-tag"], "s3:prefix": ["private-prefix"], "aws:SourceIp": ["198.51.100.9"]});
    let answer = shop.answer(&with(&asking(&signed), "/Context", said)).await;
    assert_eq!(answer["Decision"], "ExplicitlyDenied");
    let id = house.last_request_id();
    let owners = explain(house, &house.root, &id).await.unwrap()["Decisions"].to_string();
    let callers = explain(house, &other, &id).await.unwrap();
    let message = answer["EncodedAuthorizationMessage"].as_str().unwrap();
    let decoded = decode(house, &other, message).await.unwrap();
    assert!(owners.contains("aws:PrincipalTag/salary") && !owners.contains("private"), "{owners}");
    assert_eq!(callers["Decisions"].as_array().unwrap().len(), 1);
    // That the shelf's policy denies is not theirs to hear.
    assert_eq!(callers["Decisions"][0]["Decision"], "ImplicitlyDenied");
    assert_eq!(
        (&decoded["explicitDeny"], &decoded["matchedStatements"]["items"]),
        (&json!(false), &json!([]))
    );
    for told in [callers.to_string(), decoded.to_string()] {
        assert!(
            told.contains("on `s3:prefix` is not met") && told.contains("aws:ResourceTag/hidden"),
            "{told}"
        );
        for secret in ["private-tag", "private-prefix", "198.51.100.9", "shelf\""] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
    }
    // What is known of Eve is her account's.
    assert!(decoded.to_string().contains("private-salary"));
}
