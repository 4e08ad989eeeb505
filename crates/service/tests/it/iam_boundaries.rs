//! Permissions boundaries of users and roles.

use serde_json::{Value, json};

use crate::answers::{ALLOW_ALL, refused};
use crate::race::{Gate, one_wins, race};
use crate::support::{ACCOUNT, TestHouse};

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// `User` or `Role`, with the member that names one.
const KINDS: [(&str, &str); 2] = [("User", "UserName"), ("Role", "RoleName")];

/// A house with a user and a role, both `x`.
async fn with_both(house: TestHouse) -> TestHouse {
    house.root("iam", "CreateUser", &[("UserName", "x")]).await;
    house.root("iam", "CreateRole", &[("RoleName", "x"), ("AssumeRolePolicyDocument", TRUST)]).await;
    house
}

async fn boundary(house: &TestHouse, kind: &str, member: &str) -> Option<Value> {
    house.root("iam", &format!("Get{kind}"), &[(member, "x")]).await[kind].get("PermissionsBoundary").cloned()
}

#[tokio::test]
async fn a_boundary_is_put_replaced_shown_and_taken_away() {
    let house = with_both(TestHouse::new().await).await;
    for (kind, member) in KINDS {
        let (put, delete) =
            (format!("Put{kind}PermissionsBoundary"), format!("Delete{kind}PermissionsBoundary"));
        assert_eq!(boundary(&house, kind, member).await, None);
        for arn in [READ_ONLY, READ_ONLY, ADMIN] {
            let answer = house.root("iam", &put, &[(member, "X"), ("PermissionsBoundary", arn)]).await;
            assert_eq!(answer, Value::Null);
            let shown = json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn});
            assert_eq!(boundary(&house, kind, member).await, Some(shown));
        }
        assert_eq!(house.root("iam", &delete, &[(member, "x")]).await, Value::Null);
        assert_eq!(boundary(&house, kind, member).await, None);
        assert_eq!(refused(&house, &delete, &[(member, "x")]).await.0, "NoSuchEntity");
    }
}

#[tokio::test]
async fn a_boundary_must_be_a_managed_policy_that_exists_on_somebody_who_exists() {
    let house = with_both(TestHouse::new().await).await;
    for (kind, member) in KINDS {
        let put = format!("Put{kind}PermissionsBoundary");
        let missing = format!("arn:aws:iam::{ACCOUNT}:policy/none");
        let told = refused(&house, &put, &[(member, "x"), ("PermissionsBoundary", &missing)]).await;
        // As recorded from AWS.
        let message = format!("Scope ARN: {missing} does not exist or is not attachable.");
        assert_eq!(told, ("NoSuchEntity", message.clone()));
        let mut create = vec![(member, "new"), ("PermissionsBoundary", missing.as_str())];
        if kind == "Role" {
            create.push(("AssumeRolePolicyDocument", TRUST));
        }
        let told = refused(&house, &format!("Create{kind}"), &create).await;
        assert_eq!(told, ("NoSuchEntity", message));
        let user = format!("arn:aws:iam::{ACCOUNT}:user/x");
        let told = refused(&house, &put, &[(member, "x"), ("PermissionsBoundary", &user)]).await;
        assert_eq!(told, ("InvalidInput", format!("ARN {user} is not valid.")));
        let told = refused(&house, &put, &[(member, "none"), ("PermissionsBoundary", READ_ONLY)]).await;
        let message = format!("The {} with name none cannot be found.", kind.to_lowercase());
        assert_eq!(told, ("NoSuchEntity", message));
    }
    let group = refused(
        &house,
        "PutUserPermissionsBoundary",
        &[("RoleName", "x"), ("PermissionsBoundary", READ_ONLY)],
    );
    assert_eq!(group.await.0, "ValidationError", "a role's name is no parameter of the user's operation");
}

#[tokio::test]
async fn a_boundary_limits_what_the_identity_policies_give() {
    let house = TestHouse::new().await;
    let bob = house.user("bob", Some(ALLOW_ALL)).await;
    let create = [("GroupName", "g")];
    house.call(&bob, "iam", "CreateGroup", &create).await.unwrap();
    house
        .root("iam", "PutUserPermissionsBoundary", &[("UserName", "bob"), ("PermissionsBoundary", READ_ONLY)])
        .await;
    house.call(&bob, "iam", "GetGroup", &create).await.unwrap();
    let denied = house.call(&bob, "iam", "DeleteGroup", &create).await.unwrap_err();
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: iam:DeleteGroup on resource: \
         group g because no permissions boundary allows the iam:DeleteGroup action"
    );
    assert_eq!((denied.code, denied.message), ("AccessDenied", message));
    house.root("iam", "DeleteUserPermissionsBoundary", &[("UserName", "bob")]).await;
    house.call(&bob, "iam", "DeleteGroup", &create).await.unwrap();
}

#[tokio::test]
async fn putting_is_decided_on_the_boundary_asked_for_and_deleting_on_the_one_there_is() {
    let house = with_both(TestHouse::new().await).await;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"iam:*PermissionsBoundary","Resource":"*",
            "Condition":{{"StringEquals":{{"iam:PermissionsBoundary":"{READ_ONLY}"}}}}}}}}"#
    );
    let bob = house.user("bob", Some(&policy)).await;
    for (kind, member) in KINDS {
        let (put, delete) =
            (format!("Put{kind}PermissionsBoundary"), format!("Delete{kind}PermissionsBoundary"));
        let put_as_bob =
            async |arn| house.call(&bob, "iam", &put, &[(member, "x"), ("PermissionsBoundary", arn)]).await;
        let delete_as_bob = async || house.call(&bob, "iam", &delete, &[(member, "x")]).await;
        assert_eq!(delete_as_bob().await.unwrap_err().code, "AccessDenied", "none there: the key is absent");
        assert_eq!(put_as_bob(ADMIN).await.unwrap_err().code, "AccessDenied");
        put_as_bob(READ_ONLY).await.unwrap();
        delete_as_bob().await.unwrap();
        house.root("iam", &put, &[(member, "x"), ("PermissionsBoundary", ADMIN)]).await;
        assert_eq!(delete_as_bob().await.unwrap_err().code, "AccessDenied");
        put_as_bob(READ_ONLY).await.unwrap();
    }
}

#[tokio::test]
async fn a_policy_that_is_somebodys_boundary_cannot_be_deleted() {
    let gate = Gate::new();
    let house = with_both(TestHouse::on(gate.clone()).await).await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/limit");
    for (kind, member) in KINDS {
        for puts_first in [true, false] {
            house
                .root("iam", "CreatePolicy", &[("PolicyName", "limit"), ("PolicyDocument", ALLOW_ALL)])
                .await;
            let action = format!("Put{kind}PermissionsBoundary");
            let (put_params, delete_params) =
                ([(member, "x"), ("PermissionsBoundary", &*arn)], [("PolicyArn", &*arn)]);
            let (put, delete) = ((&*action, &put_params[..]), ("DeletePolicy", &delete_params[..]));
            let (a, b) = if puts_first { (put, delete) } else { (delete, put) };
            match one_wins(race(&house, &gate, a, b).await) {
                "NoSuchEntity" => assert_eq!(boundary(&house, kind, member).await, None),
                told => {
                    assert_eq!(told, "DeleteConflict");
                    assert_eq!(refused(&house, "DeletePolicy", &delete_params).await.0, "DeleteConflict");
                    house.root("iam", &format!("Delete{kind}PermissionsBoundary"), &[(member, "x")]).await;
                    house.root("iam", "DeletePolicy", &delete_params).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_policy_is_free_again_when_its_bounded_user_and_role_are_deleted_or_get_another() {
    let house = with_both(TestHouse::new().await).await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/limit");
    house.root("iam", "CreatePolicy", &[("PolicyName", "limit"), ("PolicyDocument", ALLOW_ALL)]).await;
    house.root("iam", "CreateUser", &[("UserName", "y"), ("PermissionsBoundary", &arn)]).await;
    let role = [("RoleName", "y"), ("AssumeRolePolicyDocument", TRUST), ("PermissionsBoundary", &*arn)];
    house.root("iam", "CreateRole", &role).await;
    for (kind, member) in KINDS {
        let put = format!("Put{kind}PermissionsBoundary");
        house.root("iam", &put, &[(member, "x"), ("PermissionsBoundary", &arn)]).await;
        house.root("iam", &put, &[(member, "x"), ("PermissionsBoundary", ADMIN)]).await;
        assert_eq!(refused(&house, "DeletePolicy", &[("PolicyArn", &arn)]).await.0, "DeleteConflict");
        house.root("iam", &format!("Delete{kind}"), &[(member, "y")]).await;
    }
    house.root("iam", "DeletePolicy", &[("PolicyArn", &arn)]).await;
}
