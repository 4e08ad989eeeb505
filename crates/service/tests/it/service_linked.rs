//! Service-linked roles: their service's alone, and nobody's to change.

use serde_json::{Value, json};

use crate::answers::{each, refusal, refused};
use crate::race::{Gate, one_wins, race};
use crate::support::{ACCOUNT, Keys, TestHouse};

async fn create(house: &TestHouse, service: &str) -> Value {
    house.root("iam", "CreateServiceLinkedRole", &[("AWSServiceName", service)]).await["Role"].clone()
}

#[tokio::test]
async fn a_role_has_the_name_path_and_trust_of_its_service() {
    let house = TestHouse::new().await;
    let params =
        [("AWSServiceName", "autoscaling.amazonaws.com"), ("CustomSuffix", "blue"), ("Description", "d")];
    let made = house.root("iam", "CreateServiceLinkedRole", &params).await["Role"].clone();
    assert_eq!(made["RoleName"], json!("AWSServiceRoleForAutoScaling_blue"));
    assert_eq!(made["Path"], json!("/aws-service-role/autoscaling.amazonaws.com/"));
    let read =
        house.root("iam", "GetRole", &[("RoleName", "awsserviceroleforautoscaling_BLUE")]).await["Role"]
            .clone();
    assert_eq!((&read["Description"], &read["MaxSessionDuration"]), (&json!("d"), &json!(3600)));
    assert_eq!((&read["RoleLastUsed"], read.get("Tags")), (&json!({}), None));
    // Without a suffix it is another role; with the same one it is taken, in whatever case.
    assert_eq!(
        create(&house, "autoscaling.amazonaws.com").await["RoleName"],
        json!("AWSServiceRoleForAutoScaling")
    );
    for suffix in ["blue", "BLUE"] {
        let again = [("AWSServiceName", "autoscaling.amazonaws.com"), ("CustomSuffix", suffix)];
        let taken = format!(
            "Service role name AWSServiceRoleForAutoScaling_{suffix} has been taken in this account, please try a different suffix."
        );
        assert_eq!(refused(&house, "CreateServiceLinkedRole", &again).await, refusal("InvalidInput", &taken));
    }
    let inline = house.root("iam", "ListRolePolicies", &[("RoleName", "AWSServiceRoleForAutoScaling")]).await;
    assert_eq!(inline["PolicyNames"], json!([]));
}

#[tokio::test]
async fn a_service_that_the_operator_registered_has_a_role_that_is_called_after_it() {
    let house = TestHouse::new().await;
    let made = create(&house, "scheduler.internal").await;
    assert_eq!(
        made["Arn"],
        json!(format!(
            "arn:aws:iam::{ACCOUNT}:role/aws-service-role/scheduler.internal/AWSServiceRoleForSchedulerInternal"
        ))
    );
    let suffixed = [("AWSServiceName", "scheduler.internal"), ("CustomSuffix", "eu")];
    let made = house.root("iam", "CreateServiceLinkedRole", &suffixed).await;
    assert_eq!(made["Role"]["RoleName"], json!("AWSServiceRoleForSchedulerInternal_eu"));
    for service in [
        "other.internal",
        "Scheduler.internal",
        "ec2.amazonaws.com",
        "scheduler",
        r#"x.y"z"#.trim_matches('"'),
    ] {
        let (code, _) = refused(&house, "CreateServiceLinkedRole", &[("AWSServiceName", service)]).await;
        assert!(["InvalidInput", "ValidationError"].contains(&code), "{service}: {code}");
    }
}

#[tokio::test]
async fn its_service_alone_takes_it() {
    let house = TestHouse::new().await;
    let arn = create(&house, "scheduler.internal").await["Arn"].as_str().unwrap().to_owned();
    let user = house.user("Admin", Some(crate::answers::ALLOW_ALL)).await;
    let by_user = [("RoleArn", arn.as_str()), ("RoleSessionName", "me")];
    assert_eq!(house.call(&user, "sts", "AssumeRole", &by_user).await.unwrap_err().code, "AccessDenied");
    let ask = async |service: &str, more: Value| {
        let mut body = json!({"ServiceName": service, "RoleArn": arn, "RoleSessionName": "job"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        house.call_json(&user, "AssumeRoleForService", &body).await
    };
    let session = Keys::of(&ask("scheduler.internal", json!({})).await.unwrap()["Credentials"]);
    let who = house.call(&session, "sts", "GetCallerIdentity", &[]).await.unwrap();
    assert!(who["Arn"].as_str().unwrap().ends_with("/AWSServiceRoleForSchedulerInternal/job"), "{who}");
    // Another service that the same account runs; tags, which its trust policy does not allow.
    assert_eq!(ask("batch.amazonaws.com", json!({})).await.unwrap_err().code, "AccessDenied");
    let tags = json!({"Tags": [{"Key": "a", "Value": "b"}]});
    assert_eq!(ask("scheduler.internal", tags).await.unwrap_err().code, "AccessDenied");
}

#[tokio::test]
async fn nobody_of_the_account_changes_or_deletes_it() {
    let house = TestHouse::new().await;
    create(&house, "batch.amazonaws.com").await;
    house.root("iam", "CreateInstanceProfile", &[("InstanceProfileName", "Web")]).await;
    let role = ("RoleName", "AWSServiceRoleForBatch");
    let (policy, document) = ("arn:aws:iam::aws:policy/ReadOnlyAccess", crate::answers::ALLOW_ALL);
    let trust = crate::examples::TRUST;
    let told = refusal(
        "UnmodifiableEntity",
        "Cannot perform the operation on the protected role 'AWSServiceRoleForBatch' - this role is only modifiable by AWS",
    );
    let calls: [(&str, &[(&str, &str)]); 12] = [
        ("DeleteRole", &[role]),
        ("UpdateRole", &[role, ("MaxSessionDuration", "7200")]),
        ("UpdateRoleDescription", &[role, ("Description", "x")]),
        ("UpdateAssumeRolePolicy", &[role, ("PolicyDocument", trust)]),
        ("AttachRolePolicy", &[role, ("PolicyArn", policy)]),
        ("DetachRolePolicy", &[role, ("PolicyArn", policy)]),
        ("PutRolePolicy", &[role, ("PolicyName", "p"), ("PolicyDocument", document)]),
        ("DeleteRolePolicy", &[role, ("PolicyName", "p")]),
        ("PutRolePermissionsBoundary", &[role, ("PermissionsBoundary", policy)]),
        ("DeleteRolePermissionsBoundary", &[role]),
        ("AddRoleToInstanceProfile", &[role, ("InstanceProfileName", "Web")]),
        ("RemoveRoleFromInstanceProfile", &[role, ("InstanceProfileName", "Web")]),
    ];
    for (action, params) in calls {
        assert_eq!(refused(&house, action, params).await, told, "{action}");
    }
}

#[tokio::test]
async fn deleting_is_a_task_that_is_done_and_ends_its_sessions() {
    let house = TestHouse::new().await;
    let arn = create(&house, "scheduler.internal").await["Arn"].as_str().unwrap().to_owned();
    let user = house.user("Admin", Some(crate::answers::ALLOW_ALL)).await;
    let body = json!({"ServiceName": "scheduler.internal", "RoleArn": arn, "RoleSessionName": "job"});
    let session =
        Keys::of(&house.call_json(&user, "AssumeRoleForService", &body).await.unwrap()["Credentials"]);
    let name = [("RoleName", "AWSServiceRoleForSchedulerInternal")];
    let task = house.root("iam", "DeleteServiceLinkedRole", &name).await;
    let task = task["DeletionTaskId"].as_str().unwrap().to_owned();
    assert!(
        task.starts_with("task/aws-service-role/scheduler.internal/AWSServiceRoleForSchedulerInternal/"),
        "{task}"
    );
    let status = house.root("iam", "GetServiceLinkedRoleDeletionStatus", &[("DeletionTaskId", &task)]).await;
    assert_eq!(status, json!({"Status": "SUCCEEDED"}));
    assert!(house.call(&session, "sts", "GetCallerIdentity", &[]).await.is_err());
    assert_eq!(refused(&house, "GetRole", &name).await.0, "NoSuchEntity");
    // Made again it is another role, and the task is still the first one's.
    create(&house, "scheduler.internal").await;
    assert!(house.call(&session, "sts", "GetCallerIdentity", &[]).await.is_err());
    let again = house.root("iam", "DeleteServiceLinkedRole", &name).await;
    assert_ne!(again["DeletionTaskId"], json!(task));
    let other = house.account(crate::support::OTHER).await;
    let params = [("DeletionTaskId", task.as_str())];
    let foreign = house.call(&other, "iam", "GetServiceLinkedRoleDeletionStatus", &params).await.unwrap_err();
    assert_eq!(foreign.code, "NoSuchEntity");
}

#[tokio::test]
async fn the_oldest_tasks_are_forgotten() {
    let house = TestHouse::new().await;
    let mut tasks = Vec::new();
    for _ in 0..101 {
        create(&house, "batch.amazonaws.com").await;
        let task =
            house.root("iam", "DeleteServiceLinkedRole", &[("RoleName", "AWSServiceRoleForBatch")]).await;
        tasks.push(task["DeletionTaskId"].as_str().unwrap().to_owned());
    }
    let ask = "GetServiceLinkedRoleDeletionStatus";
    assert_eq!(refused(&house, ask, &[("DeletionTaskId", &tasks[0])]).await.0, "NoSuchEntity");
    for task in &tasks[1..] {
        house.root("iam", ask, &[("DeletionTaskId", task)]).await;
    }
}

#[tokio::test]
async fn whoever_makes_one_may_do_so_for_a_service_by_its_key_and_by_the_roles_arn() {
    let house = TestHouse::new().await;
    let rule = |resource: &str, service: &str| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:CreateServiceLinkedRole",
            "Resource": resource, "Condition": {"StringLike": {"iam:AWSServiceName": service}}}]})
        .to_string()
    };
    let own = "arn:aws:iam::*:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch*";
    for (n, (resource, service, allowed)) in [
        (own, "batch.amazonaws.com", true),
        (own, "backup.amazonaws.com", false),
        ("arn:aws:iam::*:role/aws-service-role/backup.amazonaws.com/*", "*", false),
        ("arn:aws:iam::*:role/AWSServiceRoleForBatch", "*", false),
    ]
    .into_iter()
    .enumerate()
    {
        let user = house.user(&format!("U{n}"), Some(&rule(resource, service))).await;
        let params = [("AWSServiceName", "batch.amazonaws.com")];
        let outcome = house.call(&user, "iam", "CreateServiceLinkedRole", &params).await;
        assert_eq!(outcome.is_ok(), allowed, "{resource} {service}");
    }
}

#[tokio::test]
async fn roles_of_services_count_among_the_roles_of_the_account() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    let batch = ("CreateServiceLinkedRole", &[("AWSServiceName", "batch.amazonaws.com")][..]);
    assert_eq!(one_wins(race(&house, &gate, batch, batch).await), "InvalidInput");
    for n in 0..999 {
        let name = format!("r{n}");
        let params = [("RoleName", name.as_str()), ("AssumeRolePolicyDocument", crate::examples::TRUST)];
        house.root("iam", "CreateRole", &params).await;
    }
    let full = refusal("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000");
    let params = [("AWSServiceName", "backup.amazonaws.com")];
    assert_eq!(refused(&house, "CreateServiceLinkedRole", &params).await, full);
    let listed = house.root("iam", "ListRoles", &[("PathPrefix", "/aws-service-role/")]).await;
    assert_eq!(each(&listed["Roles"], "RoleName"), ["AWSServiceRoleForBatch"]);
}
