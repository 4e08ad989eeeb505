//! The policy simulators: what they answer is what the same call would meet, and where it stands in the text.

use serde_json::{Value, json};

use crate::answers::{refusal, refused};
use crate::support::{ACCOUNT, TestHouse};

/// The policy of AWS's own example, with the places that AWS's simulator tells.
const AFTER_2018: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}]}"#;

async fn results(house: &TestHouse, action: &str, params: &[(&str, &str)]) -> Vec<Value> {
    let answer = house.root("iam", action, params).await;
    assert_eq!(answer["IsTruncated"], false);
    answer["EvaluationResults"].as_array().unwrap().clone()
}

pub(crate) async fn custom(house: &TestHouse, params: &[(&str, &str)]) -> Vec<Value> {
    results(house, "SimulateCustomPolicy", params).await
}

/// Action, resource and decision of each result.
fn told(results: &[Value]) -> Vec<(&str, &str, &str)> {
    let text =
        |result: &'static str| move |value: &Value| value[result].as_str().unwrap().to_owned().leak() as &str;
    let told = results.iter().map(|result| {
        (text("EvalActionName")(result), text("EvalResourceName")(result), text("EvalDecision")(result))
    });
    told.collect()
}

#[tokio::test]
async fn a_policy_that_is_passed_is_decided_with_the_facts_that_are_passed() {
    let house = TestHouse::new().await;
    let ask = |time: &'static str| {
        vec![
            ("PolicyInputList.member.1", AFTER_2018),
            ("ActionNames.member.1", "dynamodb:CreateBackup"),
            ("ContextEntries.member.1.ContextKeyName", "aws:CurrentTime"),
            ("ContextEntries.member.1.ContextKeyValues.member.1", time),
            ("ContextEntries.member.1.ContextKeyType", "date"),
        ]
    };
    let matched = json!([{
        "SourcePolicyId": "PolicyInputList.1", "SourcePolicyType": "IAM Policy",
        "StartPosition": {"Line": 1, "Column": 38}, "EndPosition": {"Line": 1, "Column": 168},
    }]);
    let later = custom(&house, &ask("2019-04-25T11:00:00Z")).await;
    assert_eq!(
        later,
        [json!({
            "EvalActionName": "dynamodb:CreateBackup", "EvalResourceName": "*", "EvalDecision": "allowed",
            "MatchedStatements": matched, "MissingContextValues": [], "EvalDecisionDetails": {},
            "ResourceSpecificResults": [{
                "EvalResourceName": "*", "EvalResourceDecision": "allowed", "MatchedStatements": matched,
                "MissingContextValues": [], "EvalDecisionDetails": {},
            }],
        })]
    );
    let earlier = custom(&house, &ask("2014-04-25T11:00:00Z")).await;
    assert_eq!(earlier[0]["EvalDecision"], "implicitDeny");
    assert_eq!(earlier[0]["MatchedStatements"], json!([]));
    // Nobody gave the time: it is missing, and not the time of the call.
    let silent = custom(&house, &ask("")[..2]).await;
    assert_eq!(silent[0]["EvalDecision"], "implicitDeny");
    assert_eq!(silent[0]["MissingContextValues"], json!(["aws:CurrentTime"]));
}

#[tokio::test]
async fn several_actions_and_resources_are_told_apart() {
    let house = TestHouse::new().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*"},
      {"Effect":"Deny","Action":"s3:Put*","Resource":"arn:aws:s3:::b/locked"}]}"#;
    let params = [
        ("PolicyInputList.member.1", policy),
        ("ActionNames.member.1", "s3:GetObject"),
        ("ActionNames.member.2", "s3:PutObject"),
        ("ResourceArns.member.1", "arn:aws:s3:::b/open"),
        ("ResourceArns.member.2", "arn:aws:s3:::b/locked"),
        ("ResourceArns.member.3", "arn:aws:s3:::c/other"),
    ];
    let results = custom(&house, &params).await;
    assert_eq!(
        told(&results),
        [("s3:GetObject", "*", "implicitDeny"), ("s3:PutObject", "*", "explicitDeny")]
    );
    let each = |result: &Value| {
        let each = result["ResourceSpecificResults"].as_array().unwrap().clone();
        each.iter().map(|one| one["EvalResourceDecision"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(each(&results[0]), ["allowed", "allowed", "implicitDeny"]);
    assert_eq!(each(&results[1]), ["allowed", "explicitDeny", "implicitDeny"]);
    // The Deny alone decides, and is told alone: it begins in the third line.
    let matched = &results[1]["ResourceSpecificResults"][1]["MatchedStatements"];
    assert_eq!(matched.as_array().unwrap().len(), 1);
    assert_eq!(matched[0]["StartPosition"], json!({"Line": 3, "Column": 7}));
}

#[tokio::test]
async fn a_boundary_and_an_organization_limit_and_are_told() {
    let house = TestHouse::new().await;
    let all = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let get = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}"#;
    let ask = |boundary, control| {
        [
            ("PolicyInputList.member.1", all),
            ("PermissionsBoundaryPolicyInputList.member.1", boundary),
            ("OrderedOrganizationPolicyInputList.member.1.ServiceControlPolicyInputList.member.1", all),
            ("OrderedOrganizationPolicyInputList.member.2.ServiceControlPolicyInputList.member.1", control),
            ("ActionNames.member.1", "s3:PutObject"),
        ]
    };
    for (boundary, control, decision, within, organization) in [
        (all, all, "allowed", true, true),
        (get, all, "implicitDeny", false, true),
        (all, get, "implicitDeny", true, false),
    ] {
        let results = custom(&house, &ask(boundary, control)).await;
        assert_eq!(results[0]["EvalDecision"], decision);
        let detail = json!({"AllowedByPermissionsBoundary": within});
        assert_eq!(results[0]["PermissionsBoundaryDecisionDetail"], detail);
        assert_eq!(
            results[0]["OrganizationsDecisionDetail"],
            json!({"AllowedByOrganizations": organization})
        );
    }
}

#[tokio::test]
async fn the_policy_of_a_resource_names_the_caller_that_is_simulated() {
    let house = TestHouse::new().await;
    let get =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;
    let bucket = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:user/Ann"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}}"#;
    let ask = |caller: &'static str| {
        vec![
            ("PolicyInputList.member.1", get),
            ("ResourcePolicy", bucket),
            ("ResourceOwner", "arn:aws:iam::111122223333:root"),
            ("ActionNames.member.1", "s3:GetObject"),
            ("ResourceArns.member.1", "arn:aws:s3:::b/k"),
            ("CallerArn", caller),
        ]
    };
    let named = custom(&house, &ask("arn:aws:iam::444455556666:user/Ann")).await;
    assert_eq!(named[0]["EvalDecision"], "allowed");
    assert_eq!(
        named[0]["EvalDecisionDetails"],
        json!({"IAM Policy": "allowed", "Resource Policy": "allowed"})
    );
    let kinds: Vec<_> = named[0]["MatchedStatements"].as_array().unwrap().iter().collect();
    assert_eq!(
        kinds.iter().map(|one| one["SourcePolicyId"].as_str().unwrap()).collect::<Vec<_>>(),
        ["ResourcePolicy", "PolicyInputList.1"]
    );
    let other = custom(&house, &ask("arn:aws:iam::444455556666:user/Bob")).await;
    assert_eq!(other[0]["EvalDecision"], "implicitDeny");
    assert_eq!(other[0]["EvalDecisionDetails"]["Resource Policy"], "implicitDeny");

    let without = "CallerArn must be given with ResourcePolicy, so that its principals have a caller to be compared with.";
    assert_eq!(
        refused(&house, "SimulateCustomPolicy", &ask("")[..5]).await,
        refusal("InvalidInput", without)
    );
    let no_caller = "Invalid caller - Caller must be an IAM user, group or role in this context.";
    let root = ask("arn:aws:iam::111122223333:root");
    assert_eq!(refused(&house, "SimulateCustomPolicy", &root).await, refusal("InvalidInput", no_caller));
}

#[tokio::test]
async fn a_user_is_simulated_with_its_own_policies_its_groups_and_its_boundary() {
    let house = TestHouse::new().await;
    let own = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/${aws:username}/*"}}"#;
    house.user("Ann", Some(own)).await;
    house.root("iam", "CreateGroup", &[("GroupName", "team")]).await;
    let team = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}}"#;
    house
        .root(
            "iam",
            "PutGroupPolicy",
            &[("GroupName", "team"), ("PolicyName", "queues"), ("PolicyDocument", team)],
        )
        .await;
    house.root("iam", "AddUserToGroup", &[("GroupName", "team"), ("UserName", "Ann")]).await;
    let read = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    house.root("iam", "AttachUserPolicy", &[("UserName", "Ann"), ("PolicyArn", read)]).await;

    // The path is not compared, and the name ignores case, as in every call.
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/other/ANN");
    let ask = |action: &'static str, resource: &'static str| {
        vec![
            ("PolicySourceArn", arn.as_str()),
            ("ActionNames.member.1", action),
            ("ResourceArns.member.1", resource),
        ]
    };
    let simulate = async |action, resource| {
        let results = results(&house, "SimulatePrincipalPolicy", &ask(action, resource)).await;
        let ids = results[0]["MatchedStatements"].as_array().unwrap().clone();
        let ids: Vec<String> =
            ids.iter().map(|one| one["SourcePolicyId"].as_str().unwrap().to_owned()).collect();
        (results[0]["EvalDecision"].as_str().unwrap().to_owned(), ids.join(" "))
    };
    assert_eq!(
        simulate("sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:q").await,
        ("allowed".into(), "queues".into())
    );
    let (decision, by) = simulate("s3:GetObject", "arn:aws:s3:::home/Ann/a").await;
    assert!(
        decision == "allowed" && by.contains("AmazonS3ReadOnlyAccess") && by.split(' ').count() == 2,
        "{by}"
    );
    assert_eq!(simulate("s3:PutObject", "arn:aws:s3:::home/Ann/a").await.0, "implicitDeny");

    let boundary = [("UserName", "Ann"), ("PermissionsBoundary", read)];
    house.root("iam", "PutUserPermissionsBoundary", &boundary).await;
    assert_eq!(simulate("sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:q").await.0, "implicitDeny");

    let gone = format!("arn:aws:iam::{ACCOUNT}:user/Nobody");
    let params = [("PolicySourceArn", gone.as_str()), ("ActionNames.member.1", "s3:GetObject")];
    let message = "The user with name Nobody cannot be found.";
    assert_eq!(refused(&house, "SimulatePrincipalPolicy", &params).await, refusal("NoSuchEntity", message));
}

/// AWS's simulator leaves the trust policy out, and so says that anybody with the permission could.
#[tokio::test]
async fn taking_a_role_is_simulated_with_its_trust_policy() {
    let house = TestHouse::new().await;
    let may =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}"#;
    for name in ["Ann", "Bob"] {
        house.user(name, Some(may)).await;
    }
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:user/Ann"}},"Action":"sts:AssumeRole","Condition":{{"StringEquals":{{"sts:ExternalId":"x"}}}}}}}}"#
    );
    house.root("iam", "CreateRole", &[("RoleName", "deploy"), ("AssumeRolePolicyDocument", &trust)]).await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/deploy");
    let simulate = async |name: &str, external_id: &str| {
        let source = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
        let mut params = vec![
            ("PolicySourceArn", source.as_str()),
            ("ActionNames.member.1", "sts:AssumeRole"),
            ("ResourceArns.member.1", role.as_str()),
        ];
        if !external_id.is_empty() {
            params.push(("ContextEntries.member.1.ContextKeyName", "sts:ExternalId"));
            params.push(("ContextEntries.member.1.ContextKeyValues.member.1", external_id));
            params.push(("ContextEntries.member.1.ContextKeyType", "string"));
        }
        results(&house, "SimulatePrincipalPolicy", &params).await.remove(0)
    };
    let ann = simulate("Ann", "x").await;
    assert_eq!(ann["EvalDecision"], "allowed");
    assert_eq!(ann["MatchedStatements"][0]["SourcePolicyType"], "Resource Policy");
    assert_eq!(ann["MatchedStatements"][0]["SourcePolicyId"], role.as_str());
    let place = trust.find(r#"{"Effect"#).unwrap() + 1;
    assert_eq!(ann["MatchedStatements"][0]["StartPosition"], json!({"Line": 1, "Column": place}));
    assert_eq!(simulate("Ann", "y").await["EvalDecision"], "implicitDeny");
    let silent = simulate("Ann", "").await;
    assert_eq!(silent["MissingContextValues"], json!(["sts:ExternalId"]));
    assert_eq!(simulate("Bob", "x").await["EvalDecision"], "implicitDeny");
    // What is passed takes the place of what is set; who asks only about texts learns nothing of the account.
    let params = [
        ("PolicyInputList.member.1", may),
        ("ActionNames.member.1", "sts:AssumeRole"),
        ("ResourceArns.member.1", role.as_str()),
        ("CallerArn", "arn:aws:iam::111122223333:user/Ann"),
    ];
    assert_eq!(custom(&house, &params).await[0]["EvalDecision"], "implicitDeny");
}

#[tokio::test]
async fn the_keys_that_policies_ask_for_are_listed_once() {
    let house = TestHouse::new().await;
    let own = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team}/*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}}"#;
    house.user("Ann", Some(own)).await;
    let answer = house
        .root(
            "iam",
            "GetContextKeysForCustomPolicy",
            &[
                ("PolicyInputList.member.1", own),
                ("PolicyInputList.member.2", AFTER_2018),
                ("PolicyInputList.member.3", own),
            ],
        )
        .await;
    assert_eq!(
        answer,
        json!({"ContextKeyNames": ["aws:PrincipalTag/team", "aws:SourceIp", "aws:CurrentTime"]})
    );
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/Ann");
    let params = [("PolicySourceArn", arn.as_str()), ("PolicyInputList.member.1", AFTER_2018)];
    let answer = house.root("iam", "GetContextKeysForPrincipalPolicy", &params).await;
    assert_eq!(
        answer,
        json!({"ContextKeyNames": ["aws:PrincipalTag/team", "aws:SourceIp", "aws:CurrentTime"]})
    );
}

#[tokio::test]
async fn a_simulation_that_cannot_be_is_refused() {
    let house = TestHouse::new().await;
    let key = |n: &str, member: &str| format!("ContextEntries.member.{n}.{member}");
    let (name, kind, again) =
        (key("1", "ContextKeyName"), key("1", "ContextKeyType"), key("2", "ContextKeyName"));
    let value = key("1", "ContextKeyValues.member.1");
    let second = key("1", "ContextKeyValues.member.2");
    let cases: [(&[(&str, &str)], &str); 5] = [
        (
            &[("PolicyInputList.member.2", "{}")],
            "Invalid policy input: PolicyInputList.2: Syntax errors in policy.",
        ),
        (&[("ResourceOwner", "me")], "Invalid ResourceOwner: me"),
        (
            &[(&name, "aws:userid"), (&kind, "string"), (&value, "a"), (&second, "b")],
            "The context key aws:userid is of a type with one value, and is given another number of them.",
        ),
        (
            &[(&name, "aws:userid"), (&value, "a"), (&again, "AWS:UserId")],
            "The context key AWS:UserId is given twice.",
        ),
        (&[(&kind, "string")], "A context entry needs a ContextKeyName."),
    ];
    for (more, message) in cases {
        let mut params =
            vec![("PolicyInputList.member.1", AFTER_2018), ("ActionNames.member.1", "s3:GetObject")];
        params.extend(more);
        assert_eq!(refused(&house, "SimulateCustomPolicy", &params).await, refusal("InvalidInput", message));
    }
    // What nobody would look at is refused by name.
    let params = [
        ("PolicyInputList.member.1", AFTER_2018),
        ("ActionNames.member.1", "s3:GetObject"),
        ("ResourceHandlingOption", "EC2-VPC-InstanceStore"),
    ];
    let (code, message) = refused(&house, "SimulateCustomPolicy", &params).await;
    assert!(message.contains("ResourceHandlingOption"), "{code}: {message}");
}

#[tokio::test]
async fn results_come_in_pages() {
    let house = TestHouse::new().await;
    let names: Vec<(String, String)> =
        (1..=5).map(|n| (format!("ActionNames.member.{n}"), format!("dynamodb:Do{n}"))).collect();
    let mut params: Vec<(&str, &str)> =
        names.iter().map(|(name, action)| (name.as_str(), action.as_str())).collect();
    params.extend([("PolicyInputList.member.1", AFTER_2018), ("MaxItems", "2")]);
    let (mut seen, mut marker) = (Vec::new(), String::new());
    for _ in 0..3 {
        let mut page = params.clone();
        if !marker.is_empty() {
            page.push(("Marker", &marker));
        }
        let answer = house.root("iam", "SimulateCustomPolicy", &page).await;
        let results = answer["EvaluationResults"].as_array().unwrap();
        seen.extend(results.iter().map(|result| result["EvalActionName"].as_str().unwrap().to_owned()));
        marker = answer["Marker"].as_str().unwrap_or_default().to_owned();
        assert_eq!(answer["IsTruncated"], !marker.is_empty());
    }
    assert!(marker.is_empty());
    assert_eq!(seen, ["dynamodb:Do1", "dynamodb:Do2", "dynamodb:Do3", "dynamodb:Do4", "dynamodb:Do5"]);
}

/// A marker is a place in a list: in another list of as many names it would leave some out unsaid.
#[tokio::test]
async fn a_marker_belongs_to_its_list_of_actions() {
    let house = TestHouse::new().await;
    let ask = |first: &'static str, second: &'static str| {
        vec![
            ("ActionNames.member.1", first),
            ("ActionNames.member.2", second),
            ("PolicyInputList.member.1", AFTER_2018),
            ("MaxItems", "1"),
        ]
    };
    let answer = house.root("iam", "SimulateCustomPolicy", &ask("s3:GetObject", "s3:PutObject")).await;
    let marker = answer["Marker"].as_str().unwrap();
    for (first, second) in [("s3:PutObject", "s3:GetObject"), ("s3:GetObject", "s3:DeleteObject")] {
        let mut other = ask(first, second);
        other.push(("Marker", marker));
        let refusal = refused(&house, "SimulateCustomPolicy", &other).await;
        assert_eq!(refusal.1, "Invalid Marker.", "{first} {second}");
    }
    let mut same = ask("s3:GetObject", "s3:PutObject");
    same.push(("Marker", marker));
    let answer = house.root("iam", "SimulateCustomPolicy", &same).await;
    assert_eq!(answer["EvaluationResults"][0]["EvalActionName"], "s3:PutObject");
}

/// A call that would keep a core busy for minutes is refused after a moment.
#[tokio::test]
async fn a_simulation_that_costs_too_much_is_refused() {
    let house = TestHouse::new().await;
    let pattern = format!("\"arn:aws:s3:::*{}zz\"", "a?a*".repeat(140));
    let patterns = vec![pattern; 200].join(",");
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:*","Resource":[{patterns}]}}}}"#
    );
    let resource = format!("arn:aws:s3:::{}", "a".repeat(2000));
    let names: Vec<String> = (1..=200).map(|n| format!("ResourceArns.member.{n}")).collect();
    let mut params =
        vec![("PolicyInputList.member.1", policy.as_str()), ("ActionNames.member.1", "s3:GetObject")];
    params.extend(names.iter().map(|name| (name.as_str(), resource.as_str())));
    let message = "The simulation of one action costs too much; ask about fewer resources at a time.";
    assert_eq!(refused(&house, "SimulateCustomPolicy", &params).await, refusal("InvalidInput", message));
    // A few of them are told.
    assert_eq!(custom(&house, &params[..4]).await.len(), 1);
}
