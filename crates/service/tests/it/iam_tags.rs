//! Tags of users, roles and customer managed policies.

use serde_json::{Value, json};

use crate::answers::{ALLOW_ALL, Refusal};
use crate::race::{Gate, race};
use crate::support::{ACCOUNT, TestHouse};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// Kind, the member that names one, and how the one in these tests is named.
fn kinds() -> [(&'static str, &'static str, String); 3] {
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/x");
    [("User", "UserName", "x".to_owned()), ("Role", "RoleName", "x".to_owned()), ("Policy", "PolicyArn", arn)]
}

async fn with_all(house: TestHouse) -> TestHouse {
    house.root("iam", "CreateUser", &[("UserName", "x")]).await;
    house.root("iam", "CreateRole", &[("RoleName", "x"), ("AssumeRolePolicyDocument", TRUST)]).await;
    house.root("iam", "CreatePolicy", &[("PolicyName", "x"), ("PolicyDocument", ALLOW_ALL)]).await;
    house
}

/// Parameters of TagX.
fn tagging(named: (&str, &str), tags: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut params = vec![(named.0.to_owned(), named.1.to_owned())];
    for (n, (key, value)) in (1..).zip(tags) {
        params.push((format!("Tags.member.{n}.Key"), (*key).to_owned()));
        params.push((format!("Tags.member.{n}.Value"), (*value).to_owned()));
    }
    params
}

fn borrowed(params: &[(String, String)]) -> Vec<(&str, &str)> {
    params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

async fn tag(
    house: &TestHouse,
    kind: &str,
    named: (&str, &str),
    tags: &[(&str, &str)],
) -> Result<Value, Refusal> {
    let params = tagging(named, tags);
    let answer = house.call(&house.root, "iam", &format!("Tag{kind}"), &borrowed(&params)).await;
    answer.map_err(|error| (error.code, error.message))
}

async fn tags(house: &TestHouse, kind: &str, named: (&str, &str)) -> Value {
    house.root("iam", &format!("List{kind}Tags"), &[named]).await["Tags"].clone()
}

#[tokio::test]
async fn tags_are_added_changed_listed_in_pages_and_removed() {
    let house = with_all(TestHouse::new().await).await;
    for (kind, member, name) in kinds() {
        let named = (member, &*name);
        assert_eq!(tags(&house, kind, named).await, json!([]));
        assert_eq!(
            tag(&house, kind, named, &[("b", "1"), ("a", ""), ("c", "aws:3")]).await.unwrap(),
            Value::Null
        );
        tag(&house, kind, named, &[("b", "2")]).await.unwrap();
        let expected =
            json!([{"Key": "a", "Value": ""}, {"Key": "b", "Value": "2"}, {"Key": "c", "Value": "aws:3"}]);
        assert_eq!(tags(&house, kind, named).await, expected);

        let list = format!("List{kind}Tags");
        let first = house.root("iam", &list, &[named, ("MaxItems", "2")]).await;
        assert_eq!((first["Tags"].as_array().unwrap().len(), &first["IsTruncated"]), (2, &json!(true)));
        let marker = first["Marker"].as_str().unwrap();
        let rest = house.root("iam", &list, &[named, ("Marker", marker)]).await;
        assert_eq!(rest, json!({"Tags": [{"Key": "c", "Value": "aws:3"}], "IsTruncated": false}));

        let untag = format!("Untag{kind}");
        let keys = [named, ("TagKeys.member.1", "b"), ("TagKeys.member.2", "missing")];
        assert_eq!(house.root("iam", &untag, &keys).await, Value::Null);
        assert_eq!(house.root("iam", &untag, &[named, ("TagKeys", "")]).await, Value::Null);
        let expected = json!([{"Key": "a", "Value": ""}, {"Key": "c", "Value": "aws:3"}]);
        assert_eq!(tags(&house, kind, named).await, expected);
        let read = house.root("iam", &format!("Get{kind}"), &[named]).await;
        assert_eq!(read[kind]["Tags"].as_array().map(Vec::len), Some(2), "{kind}");
    }
}

#[tokio::test]
async fn a_refused_call_adds_no_tag_at_all() {
    let house = with_all(TestHouse::new().await).await;
    let reserved = "Tag keys beginning with aws: are reserved for system use.";
    let duplicate = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    for (kind, member, name) in kinds() {
        let named = (member, &*name);
        // As recorded from AWS; of policies it keeps both `ok` and `OK`.
        let twice = if kind == "Policy" { "Duplicate tag keys found." } else { duplicate };
        for (added, message) in [
            ([("ok", "1"), ("AWS:x", "2")], reserved),
            ([("ok", "1"), ("OK", "2")], duplicate),
            ([("ok", "1"), ("ok", "1")], twice),
        ] {
            let told = tag(&house, kind, named, &added).await.unwrap_err();
            assert_eq!(told, ("InvalidInput", message.to_owned()));
        }
        let none = house.call(&house.root, "iam", &format!("Tag{kind}"), &[named, ("Tags", "")]).await;
        assert_eq!(none.unwrap_err().code, "InvalidInput");
        let many: Vec<_> = (0..49).map(|n| format!("k{n}")).collect();
        let many: Vec<_> = many.iter().map(|key| (key.as_str(), "")).collect();
        tag(&house, kind, named, &many).await.unwrap();
        let told = tag(&house, kind, named, &[("one", ""), ("two", "")]).await.unwrap_err();
        let message = "The number of tags has reached the maximum limit.";
        assert_eq!(told, ("LimitExceeded", message.to_owned()));
        assert_eq!(tags(&house, kind, named).await.as_array().unwrap().len(), 49);
        tag(&house, kind, named, &[("one", "")]).await.unwrap();
    }
}

#[tokio::test]
async fn a_new_policy_has_no_tag_key_twice() {
    let house = TestHouse::new().await;
    let made = [("PolicyName", "x"), ("PolicyDocument", ALLOW_ALL)];
    for (second, message) in [
        ("k", "Duplicate tag keys found."),
        ("K", "Duplicate tag keys found. Please note that Tag keys are case insensitive."),
    ] {
        let tags = tagging(made[0], &[("k", "1"), (second, "2")]);
        let params = [&borrowed(&tags)[..], &made[1..]].concat();
        let error = house.call(&house.root, "iam", "CreatePolicy", &params).await.unwrap_err();
        assert_eq!((error.code, error.message.as_str()), ("InvalidInput", message));
    }
}

#[tokio::test]
async fn keys_of_users_and_roles_ignore_case_and_take_the_new_spelling() {
    let house = with_all(TestHouse::new().await).await;
    for (kind, member, name) in kinds().into_iter().take(2) {
        let named = (member, &*name);
        tag(&house, kind, named, &[("Env", "test")]).await.unwrap();
        tag(&house, kind, named, &[("ENV", "prod")]).await.unwrap();
        assert_eq!(tags(&house, kind, named).await, json!([{"Key": "ENV", "Value": "prod"}]));
        house.root("iam", &format!("Untag{kind}"), &[named, ("TagKeys.member.1", "env")]).await;
        assert_eq!(tags(&house, kind, named).await, json!([]));
    }
}

#[tokio::test]
async fn keys_of_policies_keep_their_case_and_never_differ_only_by_it() {
    let house = with_all(TestHouse::new().await).await;
    let [.., (kind, member, name)] = kinds();
    let named = (member, &*name);
    tag(&house, kind, named, &[("Env", "test")]).await.unwrap();
    assert_eq!(tag(&house, kind, named, &[("env", "prod")]).await.unwrap_err().0, "InvalidInput");
    house.root("iam", "UntagPolicy", &[named, ("TagKeys.member.1", "env")]).await;
    assert_eq!(tags(&house, kind, named).await, json!([{"Key": "Env", "Value": "test"}]));
}

#[tokio::test]
async fn what_does_not_exist_has_no_tags() {
    let house = TestHouse::new().await;
    for (kind, member, name) in kinds() {
        let named = (member, &*name);
        let message = match kind {
            "User" => "The user with name x cannot be found.".to_owned(),
            "Role" => "The role with name x cannot be found.".to_owned(),
            _ => format!("Policy {name} was not found."),
        };
        let missing = ("NoSuchEntity", message);
        assert_eq!(tag(&house, kind, named, &[("a", "b")]).await.unwrap_err(), missing);
        for (action, key) in
            [(format!("Untag{kind}"), Some(("TagKeys.member.1", "a"))), (format!("List{kind}Tags"), None)]
        {
            let params: Vec<_> = std::iter::once(named).chain(key).collect();
            let error = house.call(&house.root, "iam", &action, &params).await.unwrap_err();
            assert_eq!((error.code, error.message), missing);
        }
    }
}

#[tokio::test]
async fn nobody_tags_a_policy_of_aws() {
    let house = TestHouse::new().await;
    let admin = house.user("admin", Some(ALLOW_ALL)).await;
    let named = ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    for (who, name) in [(&house.root, "root"), (&admin, "user/admin")] {
        let denied = |action: &str| {
            format!(
                "User: arn:aws:iam::{ACCOUNT}:{name} is not authorized to perform: iam:{action} on resource: policy {}",
                named.1
            )
        };
        let params = tagging(named, &[("a", "b")]);
        let error = house.call(who, "iam", "TagPolicy", &borrowed(&params)).await.unwrap_err();
        assert_eq!((error.code, error.message), ("AccessDenied", denied("TagPolicy")));
        let error =
            house.call(who, "iam", "UntagPolicy", &[named, ("TagKeys.member.1", "a")]).await.unwrap_err();
        assert_eq!((error.code, error.message), ("AccessDenied", denied("UntagPolicy")));
    }
    assert_eq!(tags(&house, "Policy", named).await, json!([]));
}

#[tokio::test]
async fn tags_in_the_request_and_on_the_target_decide_as_condition_keys() {
    let house = with_all(TestHouse::new().await).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["iam:TagUser","iam:TagRole","iam:TagPolicy"],"Resource":"*",
         "Condition":{"StringEquals":{"aws:RequestTag/Team":"red"},"ForAllValues:StringEquals":{"aws:TagKeys":["Team","Cost"]}}},
        {"Effect":"Allow","Action":["iam:UntagUser","iam:UntagRole","iam:UntagPolicy"],"Resource":"*",
         "Condition":{"StringEquals":{"aws:ResourceTag/Team":"red"},"ForAllValues:StringEquals":{"aws:TagKeys":["Cost"]}}}]}"#;
    let bob = house.user("bob", Some(policy)).await;
    for (kind, member, name) in kinds() {
        let named = (member, &*name);
        let tag_as_bob = async |tags: &[(&str, &str)]| {
            house
                .call(&bob, "iam", &format!("Tag{kind}"), &borrowed(&tagging(named, tags)))
                .await
                .map_err(|e| e.code)
        };
        let untag_as_bob = async |key| {
            let params = [named, ("TagKeys.member.1", key)];
            house.call(&bob, "iam", &format!("Untag{kind}"), &params).await.map_err(|e| e.code)
        };
        assert_eq!(untag_as_bob("Cost").await, Err("AccessDenied"), "{kind}: no tag on the target");
        assert_eq!(tag_as_bob(&[("Team", "blue")]).await, Err("AccessDenied"));
        assert_eq!(tag_as_bob(&[("Team", "red"), ("Other", "1")]).await, Err("AccessDenied"));
        assert_eq!(tag_as_bob(&[("Team", "red"), ("Cost", "1")]).await, Ok(Value::Null));
        assert_eq!(untag_as_bob("Team").await, Err("AccessDenied"));
        assert_eq!(untag_as_bob("Cost").await, Ok(Value::Null));
        assert_eq!(tags(&house, kind, named).await, json!([{"Key": "Team", "Value": "red"}]));
    }
}

#[tokio::test]
async fn tags_that_two_calls_add_at_the_same_time_are_both_there() {
    let gate = Gate::new();
    let house = with_all(TestHouse::on(gate.clone()).await).await;
    for (kind, member, name) in kinds() {
        let named = (member, &*name);
        let action = format!("Tag{kind}");
        let (a, b) = (tagging(named, &[("a", "1")]), tagging(named, &[("b", "2")]));
        let outcomes = race(&house, &gate, (&action, &borrowed(&a)), (&action, &borrowed(&b))).await;
        for outcome in outcomes {
            outcome.unwrap();
        }
        let expected = json!([{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]);
        assert_eq!(tags(&house, kind, named).await, expected, "{kind}");
    }
}
