//! Managed policies attached to users, groups and roles.

use serde_json::{Value, json};

use crate::answers::{ALLOW_ALL, each, pages, refusal, refused, refused_to};
use crate::race::{Gate, one_wins, race};
use crate::support::{ACCOUNT, TestHouse};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}"#;
const KINDS: [(&str, &str); 3] = [("User", "UserName"), ("Group", "GroupName"), ("Role", "RoleName")];

async fn make(house: &TestHouse, kind: &str, member: &str, name: &str) {
    let mut params = vec![(member, name)];
    if kind == "Role" {
        params.push(("AssumeRolePolicyDocument", TRUST));
    }
    house.root("iam", &format!("Create{kind}"), &params).await;
}

async fn policy(house: &TestHouse, name: &str, path: &str) -> String {
    let params = [("PolicyName", name), ("Path", path), ("PolicyDocument", ALLOW_ALL)];
    house.root("iam", "CreatePolicy", &params).await["Policy"]["Arn"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_policy_is_attached_once_however_often_and_detached_once() {
    let house = TestHouse::new().await;
    let arn = policy(&house, "P", "/team/").await;
    for (kind, member) in KINDS {
        make(&house, kind, member, "Bob").await;
        let (attach, detach) = (format!("Attach{kind}Policy"), format!("Detach{kind}Policy"));
        let list = format!("ListAttached{kind}Policies");
        let nothing = house.root("iam", &list, &[(member, "bob")]).await;
        assert_eq!(nothing, json!({"AttachedPolicies": [], "IsTruncated": false}), "{kind}");
        let params = [(member, "bob"), ("PolicyArn", arn.as_str())];
        for _ in 0..2 {
            assert_eq!(house.root("iam", &attach, &params).await, Value::Null);
        }
        let listed = house.root("iam", &list, &[(member, "BOB")]).await;
        let expected =
            json!({"AttachedPolicies": [{"PolicyName": "P", "PolicyArn": arn}], "IsTruncated": false});
        assert_eq!(listed, expected, "{kind}");
        let count = house.root("iam", "GetPolicy", &[("PolicyArn", &arn)]).await;
        assert_eq!(count["Policy"]["AttachmentCount"], json!(1));

        assert_eq!(house.root("iam", &detach, &params).await, Value::Null);
        let gone = refusal("NoSuchEntity", &format!("Policy {arn} was not found."));
        assert_eq!(refused(&house, &detach, &params).await, gone);
        assert_eq!(house.root("iam", &list, &[(member, "bob")]).await["AttachedPolicies"], json!([]));
    }
}

#[tokio::test]
async fn what_is_not_there_or_is_no_policy_is_refused() {
    let house = TestHouse::new().await;
    for (kind, member) in KINDS {
        make(&house, kind, member, "bob").await;
        let attach = format!("Attach{kind}Policy");
        let own = format!("arn:aws:iam::{ACCOUNT}:policy/none");
        for arn in [own.as_str(), "arn:aws:iam::aws:policy/none", "arn:aws:iam::999999999999:policy/x"] {
            let missing =
                refusal("NoSuchEntity", &format!("Policy {arn} does not exist or is not attachable."));
            assert_eq!(refused(&house, &attach, &[(member, "bob"), ("PolicyArn", arn)]).await, missing);
        }
        for arn in ["nothing-valid-in-here", "arn:aws:iam::111122223333:user/bob"] {
            let message = format!("ARN {arn} is not valid.");
            // As recorded from AWS, whether or not there is such a user.
            for name in ["bob", "none"] {
                let told = refused(&house, &attach, &[(member, name), ("PolicyArn", arn)]).await;
                assert_eq!(told, refusal("ValidationError", &message));
            }
            let told =
                refused(&house, &format!("Detach{kind}Policy"), &[(member, "bob"), ("PolicyArn", arn)]).await;
            assert_eq!(told, refusal("InvalidInput", &message));
        }
        let nobody = format!("The {} with name none cannot be found.", kind.to_lowercase());
        let nobody = refusal("NoSuchEntity", &nobody);
        let params = [(member, "none"), ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")];
        for action in [&attach, &format!("Detach{kind}Policy")] {
            assert_eq!(refused(&house, action, &params).await, nobody);
        }
        assert_eq!(refused(&house, &format!("ListAttached{kind}Policies"), &params[..1]).await, nobody);
    }
    // These two say the same of a version, as recorded from AWS.
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/none");
    let message = format!("Policy {arn} version v1 does not exist or is not attachable.");
    for action in ["GetPolicyVersion", "SetDefaultPolicyVersion"] {
        let params = [("PolicyArn", arn.as_str()), ("VersionId", "v1")];
        assert_eq!(refused(&house, action, &params).await, refusal("NoSuchEntity", &message), "{action}");
    }
}

#[tokio::test]
async fn the_arn_of_a_policy_is_matched_to_the_letter() {
    let house = TestHouse::new().await;
    make(&house, "User", "UserName", "bob").await;
    policy(&house, "Access", "/").await;
    for arn in ["policy/access", "policy/x/Access", "policy//Access"] {
        let arn = format!("arn:aws:iam::{ACCOUNT}:{arn}");
        let params = [("UserName", "bob"), ("PolicyArn", arn.as_str())];
        assert_eq!(refused(&house, "AttachUserPolicy", &params).await.0, "NoSuchEntity", "{arn}");
    }
}

#[tokio::test]
async fn an_eleventh_policy_exceeds_the_quota() {
    let house = TestHouse::new().await;
    for (kind, member) in KINDS {
        make(&house, kind, member, "bob").await;
    }
    let mut arns = Vec::new();
    for n in 0..11 {
        arns.push(policy(&house, &format!("p{n}"), "/").await);
    }
    for (kind, member) in KINDS {
        let attach = format!("Attach{kind}Policy");
        for arn in &arns[..10] {
            house.root("iam", &attach, &[(member, "bob"), ("PolicyArn", arn)]).await;
        }
        let over = refusal("LimitExceeded", &format!("Cannot exceed quota for PoliciesPer{kind}: 10"));
        assert_eq!(refused(&house, &attach, &[(member, "bob"), ("PolicyArn", &arns[10])]).await, over);
        // What is attached already takes no more room.
        house.root("iam", &attach, &[(member, "bob"), ("PolicyArn", &arns[9])]).await;
    }
}

#[tokio::test]
async fn a_policy_of_a_service_role_cannot_be_attached_by_customers() {
    let house = TestHouse::new().await;
    make(&house, "Role", "RoleName", "app").await;
    let arn = policy(&house, "P", "/aws-service-role/").await;
    let params = [("RoleName", "app"), ("PolicyArn", arn.as_str())];
    let message = "Cannot attach a Service Role Policy to a Customer Role.";
    assert_eq!(refused(&house, "AttachRolePolicy", &params).await, refusal("PolicyNotAttachable", message));
    // As recorded from AWS, of one of its own.
    let arn = "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy";
    let params = [("RoleName", "app"), ("PolicyArn", arn)];
    assert_eq!(refused(&house, "AttachRolePolicy", &params).await, refusal("PolicyNotAttachable", message));
}

#[tokio::test]
async fn the_list_is_sorted_filtered_by_path_and_cut_into_pages() {
    let house = TestHouse::new().await;
    make(&house, "Role", "RoleName", "app").await;
    let mut arns = vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()];
    // One of the account may have the name of one of AWS: both are shown, and no page skips either.
    for (name, path) in [("readonlyaccess", "/"), ("Z", "/team/"), ("a", "/team/x/"), ("a-b", "/teams/")] {
        arns.push(policy(&house, name, path).await);
    }
    for arn in &arns {
        house.root("iam", "AttachRolePolicy", &[("RoleName", "app"), ("PolicyArn", arn)]).await;
    }
    let all =
        pages(&house, "ListAttachedRolePolicies", &[("RoleName", "app")], "AttachedPolicies", "1").await;
    let all: Vec<Value> = all.into_iter().flatten().collect();
    assert_eq!(each(&json!(all), "PolicyName"), ["a", "a-b", "ReadOnlyAccess", "readonlyaccess", "Z"]);
    let team = [("RoleName", "app"), ("PathPrefix", "/team/")];
    let team = house.root("iam", "ListAttachedRolePolicies", &team).await;
    assert_eq!(each(&team["AttachedPolicies"], "PolicyName"), ["a", "Z"]);
}

#[tokio::test]
async fn markers_fit_their_parameter_even_for_the_longest_names() {
    let house = TestHouse::new().await;
    make(&house, "User", "UserName", &"u".repeat(64)).await;
    let user = "u".repeat(64);
    let path = format!("/{}/", "p".repeat(510));
    for end in ["a", "b"] {
        let arn = policy(&house, &format!("{}{end}", "n".repeat(127)), &path).await;
        house.root("iam", "AttachUserPolicy", &[("UserName", &user), ("PolicyArn", &arn)]).await;
    }
    let got =
        pages(&house, "ListAttachedUserPolicies", &[("UserName", &user)], "AttachedPolicies", "1").await;
    assert_eq!(got.len(), 2);
    let got = pages(&house, "ListPolicies", &[("Scope", "Local")], "Policies", "1").await;
    assert_eq!(got.len(), 2);
}

#[tokio::test]
async fn an_attached_policy_holds_at_once_in_its_default_version() {
    let house = TestHouse::new().await;
    let keys = house.user("bob", None).await;
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    let arn = policy(&house, "P", "/").await;
    let both = [("UserName", "bob"), ("PolicyArn", arn.as_str())];
    assert!(house.call(&keys, "iam", "ListUsers", &[]).await.is_err());
    house.root("iam", "AttachUserPolicy", &both).await;
    house.call(&keys, "iam", "ListUsers", &[]).await.unwrap();

    // A version that is not the default changes nothing; one that becomes it does, at once.
    house.root("iam", "CreatePolicyVersion", &[("PolicyArn", &arn), ("PolicyDocument", deny)]).await;
    house.call(&keys, "iam", "ListUsers", &[]).await.unwrap();
    house.root("iam", "SetDefaultPolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v2")]).await;
    assert!(house.call(&keys, "iam", "ListUsers", &[]).await.is_err());
    house.root("iam", "SetDefaultPolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v1")]).await;
    house.call(&keys, "iam", "ListUsers", &[]).await.unwrap();
    house.root("iam", "DetachUserPolicy", &both).await;
    assert!(house.call(&keys, "iam", "ListUsers", &[]).await.is_err());

    house.root("iam", "CreateGroup", &[("GroupName", "g")]).await;
    house.root("iam", "AddUserToGroup", &[("GroupName", "g"), ("UserName", "bob")]).await;
    house.root("iam", "AttachGroupPolicy", &[("GroupName", "g"), ("PolicyArn", &arn)]).await;
    house.call(&keys, "iam", "ListUsers", &[]).await.unwrap();
}

#[tokio::test]
async fn attaching_is_authorized_on_the_holder_with_the_policy_as_a_condition() {
    let house = TestHouse::new().await;
    let grant = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:AttachUserPolicy","iam:DetachUserPolicy"],"Resource":"arn:aws:iam::111122223333:user/team/*","Condition":{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/ReadOnlyAccess"}}}]}"#;
    let keys = house.user("lead", Some(grant)).await;
    house.root("iam", "CreateUser", &[("UserName", "in"), ("Path", "/team/")]).await;
    house.root("iam", "CreateUser", &[("UserName", "out")]).await;
    let (reading, all) =
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/AdministratorAccess");
    for (user, arn, allowed) in
        [("in", reading, true), ("in", all, false), ("out", reading, false), ("none", reading, false)]
    {
        for action in ["AttachUserPolicy", "DetachUserPolicy"] {
            let done = house.call(&keys, "iam", action, &[("UserName", user), ("PolicyArn", arn)]).await;
            assert_eq!(done.is_ok(), allowed, "{action} {user} {arn}: {done:?}");
        }
    }
    let denied =
        refused_to(&house, &keys, "AttachUserPolicy", &[("UserName", "out"), ("PolicyArn", all)]).await;
    assert!(
        denied.1.contains("iam:AttachUserPolicy on resource: user out because no identity-based policy"),
        "{denied:?}"
    );
}

#[tokio::test]
async fn an_attachment_and_the_end_of_policy_or_holder_cannot_both_win() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    for (kind, member) in KINDS {
        let (attach, detach) = (format!("Attach{kind}Policy"), format!("Detach{kind}Policy"));
        let delete = format!("Delete{kind}");
        for attach_first in [true, false] {
            // Against the policy's end.
            make(&house, kind, member, "x").await;
            let arn = policy(&house, "P", "/").await;
            let (link, gone) = ([(member, "x"), ("PolicyArn", arn.as_str())], [("PolicyArn", arn.as_str())]);
            let (a, b) = ((attach.as_str(), &link[..]), ("DeletePolicy", &gone[..]));
            let told = one_wins(if attach_first {
                race(&house, &gate, a, b).await
            } else {
                race(&house, &gate, b, a).await
            });
            if told == "DeleteConflict" {
                house.root("iam", &detach, &link).await;
                house.root("iam", "DeletePolicy", &gone).await;
            } else {
                assert_eq!(told, "NoSuchEntity");
            }
            // Against the holder's end.
            let arn = policy(&house, "P", "/").await;
            let (link, holder) = ([(member, "x"), ("PolicyArn", arn.as_str())], [(member, "x")]);
            let (a, b) = ((attach.as_str(), &link[..]), (delete.as_str(), &holder[..]));
            let told = one_wins(if attach_first {
                race(&house, &gate, a, b).await
            } else {
                race(&house, &gate, b, a).await
            });
            if told == "DeleteConflict" {
                house.root("iam", &detach, &link).await;
                house.root("iam", &delete, &holder).await;
            } else {
                assert_eq!(told, "NoSuchEntity");
            }
            house.root("iam", "DeletePolicy", &[("PolicyArn", &arn)]).await;
        }
    }
}
