//! Why: ExplainRequest and DecodeAuthorizationMessage tell the statements that decided and why the others did not match,
//! to the account whose policies they are, and to nobody else.

use daypass_authn::sigv4::HttpRequest;
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::checking::{Shop, with};
use crate::support::{ACCOUNT, Keys, OTHER, TestHouse};
use crate::world::{World, asking};

pub(crate) async fn explain(
    house: &TestHouse,
    who: &Keys,
    id: &str,
) -> Result<Value, daypass_service::Error> {
    house.call_json(who, "ExplainRequest", &json!({"RequestId": id})).await
}

/// The reasons of a decision: policy, index, reason.
pub(crate) fn reasons(decision: &Value) -> Vec<(String, u64, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let statements = decision["Statements"].as_array().unwrap().iter();
    let told = statements.map(|one| {
        (text(&one["SourcePolicyId"]), one["StatementIndex"].as_u64().unwrap(), text(&one["Reason"]))
    });
    told.collect()
}

#[tokio::test]
async fn a_denial_is_explained_statement_by_statement() {
    let house = TestHouse::new().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
      {"Sid":"Other","Effect":"Allow","Action":"iam:ListUsers","Resource":"*"},
      {"Sid":"Away","Effect":"Allow","Action":"iam:Get*","Resource":"arn:aws:iam::111122223333:user/elsewhere/*"},
      {"Sid":"Office","Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}},
      {"Sid":"Mfa","Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}"#;
    let ann = house.user("Ann", Some(policy)).await;
    let denied = house.call(&ann, "iam", "GetUser", &[("UserName", "Ann")]).await.unwrap_err();
    assert_eq!(denied.code, "AccessDenied");
    let id = house.last_request_id();

    let answer = explain(&house, &house.root, &id).await.unwrap();
    assert_eq!(answer["RequestId"], id.as_str());
    let decision = &answer["Decisions"][0];
    assert_eq!(answer["Decisions"].as_array().unwrap().len(), 1);
    assert_eq!(decision["PrincipalArn"], format!("arn:aws:iam::{ACCOUNT}:user/Ann"));
    assert_eq!(
        (&decision["Action"], &decision["Resource"]),
        (&json!("iam:GetUser"), &json!(format!("arn:aws:iam::{ACCOUNT}:user/Ann")))
    );
    assert_eq!(
        (&decision["Decision"], &decision["DecidedBy"]),
        (&json!("ImplicitlyDenied"), &json!("identity-based policy"))
    );
    let p = |n, reason: &str| ("p".to_owned(), n, reason.to_owned());
    assert_eq!(
        reasons(decision),
        [
            p(2, "the resource does not match"),
            p(3, "the condition `IpAddress` on `aws:SourceIp` is not met by `192.0.2.10`"),
            p(
                4,
                "the condition `Bool` on `aws:MultiFactorAuthPresent` is not met: the request has no such key"
            ),
            p(1, "the action does not match"),
        ]
    );
    // What changes afterwards does not change what was decided.
    let params = [("UserName", "Ann"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    house.root("iam", "PutUserPolicy", &params).await;
    assert_eq!(explain(&house, &house.root, &id).await.unwrap()["Decisions"][0], *decision);
}

#[tokio::test]
async fn an_allow_is_told_with_the_statements_that_granted() {
    let house = TestHouse::new().await;
    let ann = house.user("Ann", Some(ALLOW_ALL)).await;
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"House","Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":["sts:AssumeRole","sts:TagSession"]}}]}}"#
    );
    house.root("iam", "CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", &trust)]).await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/r");
    let params = [
        ("RoleArn", role.as_str()),
        ("RoleSessionName", "s1"),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "v"),
    ];
    house.call(&ann, "sts", "AssumeRole", &params).await.unwrap();
    let answer = explain(&house, &house.root, &house.last_request_id()).await.unwrap();
    let decisions = answer["Decisions"].as_array().unwrap();
    let actions: Vec<_> = decisions.iter().map(|decision| decision["Action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["sts:AssumeRole", "sts:TagSession"]);
    let granted =
        json!([{"SourcePolicyId": "p", "SourcePolicyType": "identity-based policy", "StatementIndex": 1}]);
    assert!(
        decisions.iter().all(|one| one["Decision"] == "Allowed"
            && one["DeterminingStatements"] == granted
            && one["Statements"] == json!([])),
        "{answer}"
    );
}

#[tokio::test]
async fn decisions_are_forgotten_after_a_day_and_told_to_nobody_without_the_permission() {
    let house = TestHouse::new().await;
    let ann = house.user("Ann", None).await;
    house.call(&ann, "iam", "ListUsers", &[]).await.unwrap_err();
    let id = house.last_request_id();
    assert_eq!(explain(&house, &ann, &id).await.unwrap_err().code, "AccessDenied");
    house.clock.advance(24 * 3600 - 1);
    explain(&house, &house.root, &id).await.unwrap();
    house.clock.advance(1);
    assert_eq!(explain(&house, &house.root, &id).await.unwrap_err().code, "NoSuchEntity");
}

/// However much one account is denied, what others were denied is kept.
#[tokio::test]
async fn one_account_pushes_out_its_own_decisions_only() {
    let house = TestHouse::new().await;
    let other = house.account(OTHER).await;
    let ann = house.user("Ann", None).await;
    house.call(&ann, "iam", "ListUsers", &[]).await.unwrap_err();
    let id = house.last_request_id();
    let params = [("UserName", "Noisy")];
    house.call(&other, "iam", "CreateUser", &params).await.unwrap();
    let made = house.call(&other, "iam", "CreateAccessKey", &params).await.unwrap();
    let noisy = Keys::of(&made["AccessKey"]);
    house.call(&noisy, "iam", "ListUsers", &[]).await.unwrap_err();
    let first = house.last_request_id();
    for _ in 0..6000 {
        house.call(&noisy, "iam", "ListUsers", &[]).await.unwrap_err();
    }
    assert_eq!(explain(&house, &other, &first).await.unwrap_err().code, "NoSuchEntity");
    explain(&house, &house.root, &id).await.unwrap();
}

/// What others do at an account's doors takes a small part of its room, and numbers that are no account's take none.
#[tokio::test]
async fn what_comes_from_elsewhere_pushes_out_no_decision_of_the_account_itself() {
    let house = TestHouse::new().await;
    let other = house.account(OTHER).await;
    let params = [("UserName", "Noisy")];
    house.call(&other, "iam", "CreateUser", &params).await.unwrap();
    let made = house.call(&other, "iam", "CreateAccessKey", &params).await.unwrap();
    let noisy = Keys::of(&made["AccessKey"]);
    let ann = house.user("Ann", None).await;
    house.call(&ann, "iam", "ListUsers", &[]).await.unwrap_err();
    let own = house.last_request_id();
    let ask = async |account: &str| {
        let arn = format!("arn:aws:iam::{account}:policy/{}/x", "p".repeat(500));
        house.call(&noisy, "iam", "GetPolicy", &[("PolicyArn", &arn)]).await.unwrap_err();
        house.last_request_id()
    };
    let first = ask(ACCOUNT).await;
    explain(&house, &house.root, &first).await.unwrap();
    let mut last = first.clone();
    for _ in 0..3000 {
        last = ask(ACCOUNT).await;
    }
    assert_eq!(explain(&house, &house.root, &first).await.unwrap_err().code, "NoSuchEntity");
    explain(&house, &house.root, &last).await.unwrap();
    explain(&house, &house.root, &own).await.unwrap();
    let accounts = house.house.decisions.accounts();
    for n in 0..100 {
        ask(&format!("9999000000{n:02}")).await;
    }
    assert_eq!(house.house.decisions.accounts(), accounts, "an account that a caller invented is kept");
}

pub(crate) async fn decode(
    house: &TestHouse,
    who: &Keys,
    message: &str,
) -> Result<Value, daypass_service::Error> {
    let answer = house.call(who, "sts", "DecodeAuthorizationMessage", &[("EncodedMessage", message)]).await?;
    Ok(serde_json::from_str(answer["DecodedMessage"].as_str().unwrap()).unwrap())
}

#[tokio::test]
async fn a_denial_of_a_service_comes_with_a_message_that_the_account_decodes() {
    let shop = Shop::new().await;
    let house = &shop.world.house;
    let denied = with(&asking(&shop.read()), "/Action", json!("s3:DeleteObject"));
    let answer = shop.answer(&denied).await;
    let message = answer["EncodedAuthorizationMessage"].as_str().unwrap().to_owned();
    assert!(message.len() <= 10240 && message.bytes().all(|byte| byte.is_ascii_graphic()));
    let told = decode(house, &shop.world.admin, &message).await.unwrap();
    assert_eq!((&told["allowed"], &told["explicitDeny"]), (&json!(false), &json!(false)));
    assert_eq!(told["matchedStatements"], json!({"items": []}));
    assert_eq!(told["failures"], json!({"items": []}));
    let context = &told["context"];
    assert_eq!(context["principal"]["arn"], format!("arn:aws:iam::{ACCOUNT}:user/div/Alice"));
    assert_eq!(context["principal"]["name"], "Alice");
    assert!(context["principal"]["id"].as_str().unwrap().starts_with("AIDA"));
    assert_eq!(
        (&context["action"], &context["resource"]),
        (&json!("s3:DeleteObject"), &json!("arn:aws:s3:::shelf/a.txt"))
    );
    let keys = context["conditions"]["items"].as_array().unwrap();
    let key = keys.iter().find(|key| key["key"] == "aws:PrincipalType").unwrap();
    assert_eq!(key["values"], json!({"items": [{"value": "User"}]}));
    // An allow has none.
    assert_eq!(shop.answer(&asking(&shop.read())).await.get("EncodedAuthorizationMessage"), None);

    // Nobody without the permission, no other account, no altered or old message.
    let nobody = house.user("Nobody", None).await;
    assert_eq!(decode(house, &nobody, &message).await.unwrap_err().code, "AccessDenied");
    let invalid = |error: daypass_service::Error| (error.code, error.message);
    let expected = ("InvalidAuthorizationMessageException", "Message is not valid.".to_owned());
    let other = house.account(OTHER).await;
    assert_eq!(invalid(decode(house, &other, &message).await.unwrap_err()), expected);
    for altered in [
        message[1..].to_owned(),
        message[..message.len() - 1].to_owned(),
        format!("{message}A"),
        message.to_lowercase(),
        "x".into(),
    ] {
        assert_eq!(
            invalid(decode(house, &shop.world.admin, &altered).await.unwrap_err()),
            expected,
            "{altered}"
        );
    }
    house.clock.advance(24 * 3600);
    assert_eq!(invalid(decode(house, &shop.world.admin, &message).await.unwrap_err()), expected);
}

#[tokio::test]
async fn a_statement_that_denied_is_told_in_awss_form() {
    let shop = Shop::new().await;
    let house = &shop.world.house;
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},
      {"Sid":"Keep","Effect":"Deny","Action":["s3:DeleteObject","s3:Put*"],"Resource":"arn:aws:s3:::shelf/*","Condition":{"StringEquals":{"aws:username":"Alice"}}}]}"#;
    house
        .root(
            "iam",
            "PutUserPolicy",
            &[("UserName", "Alice"), ("PolicyName", "keep"), ("PolicyDocument", deny)],
        )
        .await;
    let answer = shop.answer(&with(&asking(&shop.read()), "/Action", json!("s3:DeleteObject"))).await;
    let told = decode(house, &shop.world.admin, answer["EncodedAuthorizationMessage"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(told["explicitDeny"], true);
    let id = told["context"]["principal"]["id"].clone();
    assert_eq!(
        told["matchedStatements"],
        json!({"items": [{
            "statementId": "Keep", "effect": "DENY", "principals": {"items": [{"value": id}]},
            "principalGroups": {"items": []},
            "actions": {"items": [{"value": "s3:DeleteObject"}, {"value": "s3:Put*"}]},
            "resources": {"items": [{"value": "arn:aws:s3:::shelf/*"}]},
            "conditions": {"items": [{"key": "aws:username", "values": {"items": [{"value": "Alice"}]}}]},
        }]})
    );
    let ours = &told["daypass"];
    assert_eq!(ours["decidedBy"], "identity-based policy");
    let keep = ours["statements"].as_array().unwrap().iter().find(|one| one["sid"] == "Keep").unwrap();
    assert_eq!(
        (&keep["matched"], &keep["reason"], &keep["index"]),
        (&json!(true), &json!("matches"), &json!(2))
    );
}

/// What the policy is called that denied `who` a deletion, and what the message says of the statement.
async fn denied_by(shop: &Shop, who: &Keys) -> (Value, Value) {
    let house = &shop.world.house;
    let http = HttpRequest::new("GET", "/shelf/a.txt", "").with_header("host", "store.test");
    let question = with(&asking(&house.signed(who, "s3", http)), "/Action", json!("s3:DeleteObject"));
    let answer = shop.answer(&question).await;
    let message = answer["EncodedAuthorizationMessage"].as_str().unwrap();
    let told = decode(house, &shop.world.admin, message).await.unwrap();
    let matched = &told["matchedStatements"]["items"][0];
    let policy = answer["DeterminingStatements"][0]["SourcePolicyId"].clone();
    (policy, json!([matched["statementId"], matched["actions"]["items"], matched["resources"]["items"]]))
}

/// Two inline policies of one name, a user's and its group's, or two layers of a session: each is told as itself.
#[tokio::test]
async fn a_statement_is_told_from_the_policy_that_it_stands_in() {
    let shop = Shop::new().await;
    let house = &shop.world.house;
    let deny = |sid: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},
              {{"Sid":"{sid}","Effect":"Deny","Action":"s3:Delete*","Resource":"arn:aws:s3:::shelf/*"}}]}}"#
        )
    };
    let denied = |sid: &str| json!([sid, [{"value": "s3:Delete*"}], [{"value": "arn:aws:s3:::shelf/*"}]]);
    let bob = house.user("Bob", Some(ALLOW_ALL)).await;
    house.root("iam", "CreateGroup", &[("GroupName", "dev")]).await;
    let params = [("GroupName", "dev"), ("PolicyName", "p"), ("PolicyDocument", &deny("Group"))];
    house.root("iam", "PutGroupPolicy", &params).await;
    house.root("iam", "AddUserToGroup", &[("GroupName", "dev"), ("UserName", "Bob")]).await;
    assert_eq!(denied_by(&shop, &bob).await, (json!("dev/p"), denied("Group")));

    let params = [
        ("RoleArn", "arn:aws:iam::111122223333:role/Power"),
        ("RoleSessionName", "s1"),
        ("Policy", ALLOW_ALL),
    ];
    let first =
        Keys::of(&house.call(&shop.world.admin, "sts", "AssumeRole", &params).await.unwrap()["Credentials"]);
    let scoped =
        house.call(&first, "sts", "GetScopedCredentials", &[("Policy", &deny("Layer"))]).await.unwrap();
    let second = Keys::of(&scoped["Credentials"]);
    assert_eq!(denied_by(&shop, &second).await, (json!("session policy 2"), denied("Layer")));
}

/// Items of the decoded context, by key.
fn context_of(message: &Value) -> Vec<(String, String)> {
    let items = message["context"]["conditions"]["items"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    items.map(|item| (text(&item["key"]), text(&item["values"]["items"][0]["value"]))).collect()
}

#[tokio::test]
async fn condition_keys_are_spelled_as_the_documentation_does() {
    let shop = Shop::new().await;
    let question = with(&asking(&shop.read()), "/Action", json!("ec2:StopInstances"));
    let question = with(&question, "/Resource", json!("arn:aws:ec2:us-east-1:111122223333:instance/i-1"));
    let said =
        json!({"ec2:Tenancy": ["default"], "AWS:requesttag/Owner": ["Bob"], "aws:sourceip": ["192.0.2.7"]});
    let answer = shop.answer(&with(&question, "/Context", said)).await;
    let message = answer["EncodedAuthorizationMessage"].as_str().unwrap();
    let told = decode(&shop.world.house, &shop.world.admin, message).await.unwrap();
    let keys: Vec<_> = context_of(&told).into_iter().map(|(key, _)| key).collect();
    for key in ["ec2:Tenancy", "aws:RequestTag/Owner", "aws:SourceIp", "aws:CurrentTime", "aws:PrincipalArn"]
    {
        assert!(keys.iter().any(|told| told == key), "{key}: {keys:?}");
    }
    assert_eq!(
        keys.iter().filter(|key| **key == key.to_lowercase()).collect::<Vec<_>>(),
        ["aws:userid", "aws:username"]
    );
    let ours = &told["daypass"];
    assert_eq!((&ours["isTruncated"], &ours["contextIsTruncated"]), (&json!(false), &json!(false)));
}

#[tokio::test]
async fn what_a_message_leaves_out_is_marked_and_never_what_decided() {
    let shop = Shop::new().await;
    let house = &shop.world.house;
    let others = (0..60)
        .map(|n| json!({"Effect": "Allow", "Action": "s3:*", "Resource": format!("arn:aws:s3:::other{n}")}));
    let deny = json!({"Sid": "Keep", "Effect": "Deny", "Action": "s3:DeleteObject",
        "Resource": (0..60).map(|n| format!("arn:aws:s3:::shelf*{n}")).chain(["*".into()]).collect::<Vec<_>>()});
    let policy = json!({"Version": "2012-10-17", "Statement": others.chain([deny]).collect::<Vec<_>>()});
    let params = [("PolicyName", "Long"), ("PolicyDocument", &policy.to_string())];
    let made = house.root("iam", "CreatePolicy", &params).await;
    let arn = made["Policy"]["Arn"].as_str().unwrap();
    house.root("iam", "AttachUserPolicy", &[("UserName", "Alice"), ("PolicyArn", arn)]).await;
    let mut said: serde_json::Map<_, _> =
        (0..8).map(|n| (format!("s3:long{n}"), json!([n.to_string().repeat(1800)]))).collect();
    said.insert("s3:prefix".into(), json!(["short"]));
    let question = with(&asking(&shop.read()), "/Action", json!("s3:DeleteObject"));
    let answer = shop.answer(&with(&question, "/Context", json!(said))).await;
    let id = house.last_request_id();
    let message = answer["EncodedAuthorizationMessage"].as_str().unwrap();
    assert!(message.len() > 9000 && message.len() <= 10240, "{}", message.len());
    let told = decode(house, &shop.world.admin, message).await.unwrap();

    let denied = &told["matchedStatements"]["items"];
    assert_eq!((denied.as_array().unwrap().len(), &denied[0]["statementId"]), (1, &json!("Keep")));
    let ours = &told["daypass"];
    assert_eq!((&ours["isTruncated"], &ours["contextIsTruncated"]), (&json!(true), &json!(true)));
    assert_eq!(
        (&ours["statements"][0]["sid"], &ours["statements"][0]["matched"]),
        (&json!("Keep"), &json!(true))
    );
    let keys: Vec<_> = context_of(&told).into_iter().map(|(key, _)| key).collect();
    for key in ["aws:CurrentTime", "aws:PrincipalArn", "aws:username", "s3:prefix"] {
        assert!(keys.iter().any(|told| told == key), "{key}: {keys:?}");
    }
    assert!(keys.iter().any(|key| key.starts_with("s3:long")), "the room is used: {keys:?}");
    let mut sorted = keys.clone();
    sorted.sort_by_key(|key| key.to_lowercase());
    assert_eq!(keys, sorted);

    // In the log there is more room, and it is as finite.
    for n in 0..2 {
        let params = [
            ("PolicyName", &*format!("Long{n}")),
            ("PolicyDocument", &policy.to_string().replace("Keep", "Too")),
        ];
        let made = house.root("iam", "CreatePolicy", &params).await;
        let arn = made["Policy"]["Arn"].as_str().unwrap();
        house.root("iam", "AttachUserPolicy", &[("UserName", "Alice"), ("PolicyArn", arn)]).await;
    }
    assert_eq!(explain(house, &house.root, &id).await.unwrap()["Decisions"][1]["IsTruncated"], false);
    shop.answer(&question).await;
    let told = explain(house, &house.root, &house.last_request_id()).await.unwrap()["Decisions"][1].clone();
    assert_eq!((&told["IsTruncated"], told["Statements"].as_array().unwrap().len()), (&json!(true), 100));
    let first: Vec<_> = (0..4).map(|n| told["Statements"][n]["Sid"].as_str()).collect();
    assert_eq!(first, [Some("Keep"), Some("Too"), Some("Too"), None]);
}

#[tokio::test]
async fn of_a_denial_by_silence_it_is_told_what_was_there_and_allows_other_things() {
    let world = World::new().await;
    let house = &world.house;
    let other = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Other","Effect":"Allow","Action":"s3:*","Resource":"*"},
        {"Sid":"No","Effect":"Deny","Action":"sqs:*","Resource":"*"}]}"#;
    let eve = house.user("Eve", Some(other)).await;
    assert_eq!(house.call(&eve, "iam", "ListUsers", &[]).await.unwrap_err().code, "AccessDenied");
    let told = explain(house, &house.root, &house.last_request_id()).await.unwrap()["Decisions"][0].clone();
    let statements = told["Statements"].as_array().unwrap();
    assert_eq!(statements.len(), 1, "the Deny of something else explains nothing: {told}");
    assert_eq!(
        (&statements[0]["Sid"], &statements[0]["Matched"], &statements[0]["Reason"]),
        (&json!("Other"), &json!(false), &json!("the action does not match"))
    );
}
