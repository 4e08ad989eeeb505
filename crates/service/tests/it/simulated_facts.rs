//! What a simulation looks up, fills in and refuses: simulating must be no way to read what the caller may not.

use serde_json::{Value, json};

use crate::answers::{refusal, refused};
use crate::simulate::custom;
use crate::support::{ACCOUNT, Keys, TestHouse};

/// A user who may simulate and do nothing else.
async fn simulator(house: &TestHouse, action: &str, resource: &str) -> Keys {
    let may = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]});
    house.user("Eve", Some(&may.to_string())).await
}

/// The decision on `s3:GetObject` and the keys that were missing.
async fn asked_by(house: &TestHouse, who: &Keys, action: &str, params: &[(&str, &str)]) -> (String, Value) {
    let params = [&[("ActionNames.member.1", "s3:GetObject")], params].concat();
    let answer = house.call(who, "iam", action, &params).await.unwrap();
    let result = &answer["EvaluationResults"][0];
    (result["EvalDecision"].as_str().unwrap().to_owned(), result["MissingContextValues"].clone())
}

fn on_condition(operator: &str, key: &str, value: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*",
        "Condition": {operator: {key: value}}}]})
    .to_string()
}

async fn victims(house: &TestHouse) {
    let tag = [("Tags.member.1.Key", "secret"), ("Tags.member.1.Value", "hunter2")];
    house.root("iam", "CreateUser", &[&[("UserName", "Vic"), ("Path", "/p/")], &tag[..]].concat()).await;
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "e1"}}}]});
    let role = [("RoleName", "vault"), ("AssumeRolePolicyDocument", &*trust.to_string())];
    house.root("iam", "CreateRole", &[&role[..], &tag[..]].concat()).await;
}

#[tokio::test]
async fn policies_that_are_passed_are_a_way_to_read_nobody() {
    let house = TestHouse::new().await;
    victims(&house).await;
    let eve = simulator(&house, "iam:SimulateCustomPolicy", "*").await;
    for (operator, key, value) in [
        ("StringLike", "aws:PrincipalTag/secret", "h*"),
        ("StringLike", "aws:PrincipalTag/secret", "*"),
        ("StringLike", "aws:userid", "*"),
        ("StringLike", "aws:PrincipalArn", "*:user/p/*"),
        ("Null", "aws:userid", "false"),
    ] {
        let policy = on_condition(operator, key, value);
        let mut told = Vec::new();
        for kind in ["user", "role"] {
            for name in ["Vic", "vault", "nobody"] {
                let arn = format!("arn:aws:iam::{ACCOUNT}:{kind}/{name}");
                let params = [("PolicyInputList.member.1", policy.as_str()), ("CallerArn", arn.as_str())];
                told.push(asked_by(&house, &eve, "SimulateCustomPolicy", &params).await);
            }
        }
        assert!(told.iter().all(|one| *one == told[0] && one.0 == "implicitDeny"), "{key} {value}: {told:?}");
    }
    // What the ARN itself says is said.
    let policy = on_condition("StringEquals", "aws:username", "nobody");
    let params = [
        ("PolicyInputList.member.1", policy.as_str()),
        ("CallerArn", "arn:aws:iam::111122223333:user/x/nobody"),
    ];
    assert_eq!(asked_by(&house, &eve, "SimulateCustomPolicy", &params).await.0, "allowed");
}

#[tokio::test]
async fn the_permission_to_simulate_one_principal_reads_no_other() {
    let house = TestHouse::new().await;
    victims(&house).await;
    let source = format!("arn:aws:iam::{ACCOUNT}:user/Eve");
    let eve = simulator(&house, "iam:SimulatePrincipalPolicy", &source).await;
    let tag = [("UserName", "Eve"), ("Tags.member.1.Key", "secret"), ("Tags.member.1.Value", "own")];
    house.root("iam", "TagUser", &tag).await;
    let ask = async |value: &str, caller: &str| {
        let policy = on_condition("StringLike", "aws:PrincipalTag/secret", value);
        let mut params = vec![("PolicySourceArn", source.as_str()), ("PolicyInputList.member.1", &policy)];
        params.extend((!caller.is_empty()).then_some(("CallerArn", caller)));
        asked_by(&house, &eve, "SimulatePrincipalPolicy", &params).await.0
    };
    for caller in ["", &source, "arn:aws:iam::111122223333:user/other/EVE"] {
        assert_eq!(ask("own", caller).await, "allowed", "{caller}");
    }
    for caller in ["user/p/Vic", "user/Vic", "role/vault"] {
        let caller = format!("arn:aws:iam::{ACCOUNT}:{caller}");
        assert_eq!(ask("*", &caller).await, "implicitDeny", "{caller}");
    }
}

/// Its trust policy and tags are asked of those who could read them.
#[tokio::test]
async fn taking_a_role_is_simulated_for_whoever_may_get_the_role() {
    let house = TestHouse::new().await;
    victims(&house).await;
    let source = format!("arn:aws:iam::{ACCOUNT}:user/Eve");
    let eve = simulator(&house, "iam:SimulatePrincipalPolicy", &source).await;
    let may = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/secret":"hunter2","iam:ResourceTag/secret":"hunter2"}}}]}"#;
    let ask = async |role: &str, action: &str, more: &[(&str, &str)]| {
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
        let params = [
            ("PolicySourceArn", source.as_str()),
            ("PolicyInputList.member.1", may),
            ("ActionNames.member.1", action),
            ("ResourceArns.member.1", arn.as_str()),
            ("ContextEntries.member.1.ContextKeyName", "sts:ExternalId"),
            ("ContextEntries.member.1.ContextKeyValues.member.1", "e1"),
            ("ContextEntries.member.1.ContextKeyType", "string"),
        ];
        let answer = house.call(&eve, "iam", "SimulatePrincipalPolicy", &[&params[..], more].concat()).await;
        answer
            .map(|answer| answer["EvaluationResults"][0].clone())
            .map_err(|error| (error.code, error.message))
    };
    for (role, action) in
        [("vault", "sts:AssumeRole"), ("nobody", "sts:assumerole"), ("vault", "STS:TagSession")]
    {
        let message = format!(
            "User: {source} is not authorized to perform: iam:GetRole on resource: role {role} because no identity-based policy allows the iam:GetRole action"
        );
        assert_eq!(ask(role, action, &[]).await.unwrap_err(), ("AccessDenied", message));
    }
    // Other actions on the role ask nothing of it, nor does one with a policy in the place of its own.
    assert_eq!(ask("vault", "iam:GetRole", &[]).await.unwrap()["EvalDecision"], "implicitDeny");
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]}).to_string();
    let instead = ask("vault", "sts:AssumeRole", &[("ResourcePolicy", &trust)]).await.unwrap();
    assert_eq!(instead["MissingContextValues"], json!(["aws:ResourceTag/secret", "iam:ResourceTag/secret"]));

    let get =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetRole","Resource":"*"}]}"#;
    house
        .root("iam", "PutUserPolicy", &[("UserName", "Eve"), ("PolicyName", "get"), ("PolicyDocument", get)])
        .await;
    let told = ask("vault", "sts:AssumeRole", &[]).await.unwrap();
    assert_eq!((&told["EvalDecision"], &told["MissingContextValues"]), (&json!("allowed"), &json!([])));
    assert_eq!(ask("nobody", "sts:AssumeRole", &[]).await.unwrap()["EvalDecision"], "implicitDeny");
    // For a caller of whom nothing is looked up, the trust policy names people as it is shown.
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/p/Vic")}, "Action": "sts:AssumeRole"}]}).to_string();
    house.root("iam", "UpdateAssumeRolePolicy", &[("RoleName", "vault"), ("PolicyDocument", &trust)]).await;
    let vic = format!("arn:aws:iam::{ACCOUNT}:user/p/Vic");
    assert_eq!(
        ask("vault", "sts:AssumeRole", &[("CallerArn", &vic)]).await.unwrap()["EvalDecision"],
        "allowed"
    );
    assert_eq!(ask("vault", "sts:AssumeRole", &[]).await.unwrap()["EvalDecision"], "implicitDeny");

    let many: Vec<_> = (0..21)
        .map(|n| (format!("ResourceArns.member.{}", n + 2), format!("arn:aws:iam::{ACCOUNT}:role/r{n}")))
        .collect();
    let many: Vec<_> = many.iter().map(|(name, arn)| (name.as_str(), arn.as_str())).collect();
    let message = "A simulation may ask about taking 20 roles; ask about fewer at a time.".to_owned();
    assert_eq!(ask("vault", "sts:AssumeRole", &many).await.unwrap_err(), ("InvalidInput", message));
}

#[tokio::test]
async fn what_cannot_differ_is_filled_in_and_what_is_given_wins() {
    let house = TestHouse::new().await;
    for (operator, key, value, filled) in [
        ("Bool", "aws:PrincipalIsAWSService", "false", true),
        ("Bool", "aws:ViaAWSService", "false", true),
        ("StringEquals", "aws:ResourceAccount", ACCOUNT, true),
        ("StringEquals", "aws:SourceVpc", "v", false),
    ] {
        let policy = on_condition(operator, key, value);
        let ask = async |resource: &str, more: &[(&str, &str)]| {
            let params = [("PolicyInputList.member.1", policy.as_str()), ("ResourceArns.member.1", resource)];
            asked_by(&house, &house.root, "SimulateCustomPolicy", &[&params[..], more].concat()).await
        };
        let (decision, missing) = ask("arn:aws:sqs:us-east-1:111122223333:q", &[]).await;
        assert_eq!((decision == "allowed", missing == json!([])), (filled, filled), "{key}");
        let given = [
            ("ContextEntries.member.1.ContextKeyName", key),
            ("ContextEntries.member.1.ContextKeyValues.member.1", "true"),
            ("ContextEntries.member.1.ContextKeyType", "string"),
        ];
        assert_eq!(
            ask("arn:aws:sqs:us-east-1:111122223333:q", &given).await,
            ("implicitDeny".into(), json!([]))
        );
        if key == "aws:ResourceAccount" {
            // The ARN of a bucket says nobody's; each resource has its own.
            assert_eq!(ask("arn:aws:s3:::b", &[]).await.1, json!([key]));
            let second = [("ResourceArns.member.2", "arn:aws:s3:::b")];
            assert_eq!(ask("arn:aws:sqs:us-east-1:111122223333:q", &second).await.1, json!([key]));
        }
    }
}

/// What nobody looks at could be a restriction.
#[tokio::test]
async fn members_that_no_simulation_heeds_are_refused() {
    let house = TestHouse::new().await;
    house.user("Ann", None).await;
    let all = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let level = "OrderedOrganizationPolicyInputList.member.1";
    let control = format!("{level}.ServiceControlPolicyInputList.member.1");
    let unknown = format!("{level}.ResourceControlPolicyInputList.member.1");
    let source = format!("arn:aws:iam::{ACCOUNT}:user/Ann");
    let principal = [("PolicySourceArn", source.as_str()), ("ActionNames.member.1", "s3:GetObject")];
    let custom =
        [("PolicyInputList.member.1", all), ("ActionNames.member.1", "s3:GetObject"), (&control, all)];
    house.root("iam", "SimulateCustomPolicy", &custom).await;
    for (action, params, name) in [
        ("SimulatePrincipalPolicy", &principal[..], control.as_str()),
        ("SimulatePrincipalPolicy", &principal[..], "PermissionBoundaryPolicyInputList.member.1"),
        ("SimulateCustomPolicy", &custom[..], &unknown),
        ("SimulateCustomPolicy", &custom[..2], &unknown),
    ] {
        let (code, message) = refused(&house, action, &[params, &[(name, all)]].concat()).await;
        let member = name
            .split('.')
            .find(|part| part.ends_with("InputList") && !(name == unknown && part.starts_with("Ordered")));
        assert!(code == "ValidationError" && message.contains(member.unwrap()), "{name}: {code}: {message}");
    }
}

#[tokio::test]
async fn who_a_policy_is_about_is_said_where_it_belongs() {
    let house = TestHouse::new().await;
    let own = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let of_resource = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}"#;
    let control = "OrderedOrganizationPolicyInputList.member.1.ServiceControlPolicyInputList.member.1";
    let none_wanted = "Policy document should not specify a principal.";
    for (name, text, id, why) in [
        ("PolicyInputList.member.2", of_resource, "PolicyInputList.2", none_wanted),
        (
            "PermissionsBoundaryPolicyInputList.member.1",
            of_resource,
            "PermissionsBoundaryPolicyInputList.1",
            none_wanted,
        ),
        (
            control,
            of_resource,
            "OrderedOrganizationPolicyInputList.1.ServiceControlPolicyInputList.1",
            none_wanted,
        ),
        ("ResourcePolicy", own, "ResourcePolicy", "Missing required field Principal"),
    ] {
        let params = [
            ("PolicyInputList.member.1", own),
            ("ActionNames.member.1", "s3:GetObject"),
            ("CallerArn", "arn:aws:iam::111122223333:user/Ann"),
            (name, text),
        ];
        let message = format!("Invalid policy input: {id}: {why}");
        assert_eq!(refused(&house, "SimulateCustomPolicy", &params).await, refusal("InvalidInput", &message));
    }
    // For their keys both may be asked.
    house.root("iam", "GetContextKeysForCustomPolicy", &[("PolicyInputList.member.1", of_resource)]).await;
}

#[tokio::test]
async fn a_caller_is_a_user_group_or_role_of_iam() {
    let house = TestHouse::new().await;
    let own = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let of_resource = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}"#;
    fn ask<'a>(policy: &'a str, caller: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("PolicyInputList.member.1", policy),
            ("ActionNames.member.1", "s3:GetObject"),
            ("CallerArn", caller),
        ]
    }
    for caller in ["user/Ann", "user/a/b/Ann", "group/Team", "role/r"] {
        let caller = format!("arn:aws:iam::{ACCOUNT}:{caller}");
        assert_eq!(custom(&house, &ask(own, &caller)).await[0]["EvalDecision"], "allowed", "{caller}");
    }
    let message = "Invalid caller - Caller must be an IAM user, group or role in this context.";
    for caller in [
        "arn:aws:sts::111122223333:assumed-role/r/s",
        "arn:aws:sts::111122223333:federated-user/Jill",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:policy/p",
        "arn:aws:iam::111122223333:user/",
        "arn:aws:iam::aws:user/Ann",
        "arn:aws:iam:us-east-1:111122223333:user/Ann",
        "arn:aws-cn:iam::111122223333:user/Ann",
        "111122223333",
    ] {
        assert_eq!(
            refused(&house, "SimulateCustomPolicy", &ask(own, caller)).await,
            refusal("InvalidInput", message),
            "{caller}"
        );
    }
    let mut group = ask(own, "arn:aws:iam::111122223333:group/Team");
    group.push(("ResourcePolicy", of_resource));
    let message = "Invalid caller - Caller must be an IAM user or role in this context.";
    assert_eq!(refused(&house, "SimulateCustomPolicy", &group).await, refusal("InvalidInput", message));
}
