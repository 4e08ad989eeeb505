//! A second role, of whatever account, that a pod gets by the first.

use super::*;

const DEPOT: &str = "arn:aws:iam::444455556666:role/Depot";
const EXTERNAL_ID: &str = "eu-west-1/111122223333/blue/shop/till";

/// The scene with another account's role `Depot`, which the association of `Till` leads to.
async fn scene(external_id: &str, action: &Value) -> (Scene, Keys) {
    let scene = Scene::new().await;
    let other = scene.house.account(OTHER).await;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": action,
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }]})
    .to_string();
    let params = [
        ("RoleName", "Depot"),
        ("AssumeRolePolicyDocument", trust.as_str()),
        ("MaxSessionDuration", "43200"),
    ];
    scene.house.call(&other, "iam", "CreateRole", &params).await.unwrap();
    let made = scene.update(json!({"targetRoleArn": DEPOT})).await.unwrap();
    assert_eq!(made["association"]["externalId"], EXTERNAL_ID);
    (scene, other)
}

async fn may_assume(scene: &Scene) {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": DEPOT}]})
    .to_string();
    let params = [("RoleName", "Till"), ("PolicyName", "p"), ("PolicyDocument", policy.as_str())];
    scene.house.root("iam", "PutRolePolicy", &params).await;
}

#[tokio::test]
async fn a_pod_gets_the_target_role_for_an_hour_with_the_tags_of_the_first() {
    let (scene, _) = scene(EXTERNAL_ID, &both()).await;
    may_assume(&scene).await;
    let answer = scene.ask().await.unwrap();
    let pod = keys(&answer);
    let arn = scene.identity(&pod).await.unwrap();
    assert!(arn.starts_with(&format!("arn:aws:sts::{OTHER}:assumed-role/Depot/eks-blue-till-0-")), "{arn}");
    assert_eq!(answer["assumedRoleUser"]["arn"], arn.as_str());
    assert_eq!(answer["credentials"]["expiration"], scene.house.clock_now() + 3600);
    let claims = crate::world::claims(&scene.house, &pod);
    assert_eq!((claims.tags.len(), claims.ancestry.len()), (6, 2));
}

#[tokio::test]
async fn a_target_role_needs_both_sides_and_the_external_id() {
    let unauthorized = ("AccessDeniedException", UNAUTHORIZED.to_owned());
    let (first, _) = scene(EXTERNAL_ID, &both()).await;
    assert_eq!(told(first.ask().await), unauthorized, "the first role may not");
    let (other, _) = scene("eu-west-1/111122223333/blue/shop/web", &both()).await;
    may_assume(&other).await;
    assert_eq!(told(other.ask().await), unauthorized, "another association's external id");
    let (untagged, _) = scene(EXTERNAL_ID, &json!("sts:AssumeRole")).await;
    may_assume(&untagged).await;
    assert_eq!(told(untagged.ask().await), unauthorized, "tags are passed on");
    untagged.update(json!({"disableSessionTags": true})).await.unwrap();
    untagged.ask().await.unwrap();
}

#[tokio::test]
async fn a_policy_limits_the_target_role_and_not_the_way_to_it() {
    let (scene, other) = scene(EXTERNAL_ID, &both()).await;
    may_assume(&scene).await;
    let all = allow("iam:*", "*", &json!({}));
    let params = [("RoleName", "Depot"), ("PolicyName", "p"), ("PolicyDocument", all.as_str())];
    scene.house.call(&other, "iam", "PutRolePolicy", &params).await.unwrap();
    let policy = allow("iam:GetRole", "*", &json!({}));
    scene.update(json!({"disableSessionTags": true, "policy": policy})).await.unwrap();
    let pod = keys(&scene.ask().await.unwrap());
    scene.house.call(&pod, "iam", "GetRole", &[("RoleName", "Depot")]).await.unwrap();
    let denied = scene.house.call(&pod, "iam", "ListRoles", &[]).await.unwrap_err();
    assert!(denied.message.ends_with("because no session policy allows the iam:ListRoles action"));
}

#[tokio::test]
async fn the_account_of_the_target_role_hears_of_it() {
    let (scene, _) = scene(EXTERNAL_ID, &both()).await;
    may_assume(&scene).await;
    let answer = scene.ask().await.unwrap();
    let audit = scene.house.audit.lock().unwrap().clone();
    let heard: Vec<_> = audit
        .iter()
        .filter(|event| event["recipientAccountId"] == OTHER && event["eventName"] == "AssumeRole")
        .collect();
    let [event] = heard.as_slice() else { panic!("one event: {heard:#?}") };
    assert_eq!(event["eventSource"], "sts.amazonaws.com");
    assert_eq!(event["userIdentity"]["accountId"], ACCOUNT);
    assert_eq!(event["userIdentity"]["type"], "AWSAccount");
    assert_eq!(event["requestParameters"]["roleArn"], DEPOT);
    assert_eq!(event["resources"][0]["ARN"], DEPOT);
    let key = &answer["credentials"]["accessKeyId"];
    assert_eq!(&event["responseElements"]["credentials"]["accessKeyId"], key);
    // The first role's account has the same call, by the session that made it.
    let is_own =
        |event: &&Value| event["eventName"] == "AssumeRole" && event["recipientAccountId"] == ACCOUNT;
    let own = audit.iter().filter(is_own).find(|own| own["sharedEventID"] == event["sharedEventID"]).unwrap();
    let arn = own["userIdentity"]["arn"].as_str().unwrap();
    assert!(arn.starts_with(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/Till/eks-blue-till-0-")), "{arn}");
    assert!(audit.iter().any(|event| event["eventName"] == "AssumeRoleForPodIdentity"));
}
