//! Instance profiles, and who may put which role into one.

use serde_json::{Value, json};

use crate::answers::{each, refusal, refused};
use crate::examples::TRUST;
use crate::race::{Gate, one_wins, race};
use crate::support::{ACCOUNT, Keys, OTHER, TestHouse};

/// A house with the roles `App` (tagged Team=red) and `Other`, and the profile `Web`.
async fn house() -> TestHouse {
    let house = TestHouse::new().await;
    let tags = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "red"), ("Path", "/fleet/")];
    let app = [("RoleName", "App"), ("AssumeRolePolicyDocument", TRUST), ("Description", "d")];
    house.root("iam", "CreateRole", &[&app[..], &tags].concat()).await;
    let other = [("RoleName", "Other"), ("AssumeRolePolicyDocument", TRUST)];
    house.root("iam", "CreateRole", &other).await;
    house.root("iam", "CreateInstanceProfile", &[("InstanceProfileName", "Web")]).await;
    house
}

const APP_IN_WEB: [(&str, &str); 2] = [("InstanceProfileName", "Web"), ("RoleName", "App")];

#[tokio::test]
async fn a_profile_is_made_given_a_role_read_in_any_case_and_deleted() {
    let house = TestHouse::new().await;
    let made =
        house.root("iam", "CreateInstanceProfile", &[("InstanceProfileName", "Web"), ("Path", "/a/")]).await;
    let id = made["InstanceProfile"]["InstanceProfileId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("AIPA") && id.len() == 21, "{id}");
    assert_eq!(made["InstanceProfile"]["Roles"], json!([]));
    assert_eq!(made["InstanceProfile"].get("Tags"), None);
    let role = [("RoleName", "App"), ("AssumeRolePolicyDocument", TRUST), ("MaxSessionDuration", "7200")];
    house.root("iam", "CreateRole", &role).await;
    let both = [("InstanceProfileName", "wEB"), ("RoleName", "aPP")];
    assert_eq!(house.root("iam", "AddRoleToInstanceProfile", &both).await, Value::Null);

    let read = house.root("iam", "GetInstanceProfile", &[("InstanceProfileName", "WEB")]).await;
    let profile = &read["InstanceProfile"];
    assert_eq!(profile["Arn"], json!(format!("arn:aws:iam::{ACCOUNT}:instance-profile/a/Web")));
    assert_eq!((&profile["InstanceProfileId"], &profile["Tags"]), (&json!(id), &json!([])));
    assert_eq!(each(&profile["Roles"], "RoleName"), ["App"]);
    assert_eq!(profile["Roles"][0].get("MaxSessionDuration"), None, "the nested role is the short one");

    let in_use =
        refusal("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.");
    assert_eq!(refused(&house, "DeleteInstanceProfile", &[("InstanceProfileName", "Web")]).await, in_use);
    assert_eq!(refused(&house, "DeleteRole", &[("RoleName", "App")]).await, in_use);
    house.root("iam", "RemoveRoleFromInstanceProfile", &both).await;
    house.root("iam", "DeleteRole", &[("RoleName", "App")]).await;
    house.root("iam", "DeleteInstanceProfile", &[("InstanceProfileName", "web")]).await;
    let gone = refused(&house, "GetInstanceProfile", &[("InstanceProfileName", "Web")]).await;
    assert_eq!(gone, refusal("NoSuchEntity", "Instance Profile Web cannot be found."));
    // Nothing is left of them but the account and what belongs to it.
    let (_, records) = house.stored().await;
    let left = records.iter().filter(|record| record.key.contains("profile") || record.key.contains("role"));
    assert_eq!(left.count(), 0);
}

#[tokio::test]
async fn a_role_made_again_under_its_name_is_in_no_profile() {
    let house = house().await;
    house.root("iam", "AddRoleToInstanceProfile", &APP_IN_WEB).await;
    house.root("iam", "RemoveRoleFromInstanceProfile", &APP_IN_WEB).await;
    house.root("iam", "DeleteRole", &[("RoleName", "App")]).await;
    house.root("iam", "CreateRole", &[("RoleName", "App"), ("AssumeRolePolicyDocument", TRUST)]).await;
    let read = house.root("iam", "GetInstanceProfile", &[("InstanceProfileName", "Web")]).await;
    assert_eq!(read["InstanceProfile"]["Roles"], json!([]));
    let listed = house.root("iam", "ListInstanceProfilesForRole", &[("RoleName", "App")]).await;
    assert_eq!(listed["InstanceProfiles"], json!([]));
}

#[tokio::test]
async fn a_role_may_be_in_many_profiles_which_are_listed_by_name_and_path() {
    let house = house().await;
    for (name, path) in [("b-1", "/x/"), ("A-2", "/x/y/"), ("c-3", "/")] {
        house.root("iam", "CreateInstanceProfile", &[("InstanceProfileName", name), ("Path", path)]).await;
        house
            .root("iam", "AddRoleToInstanceProfile", &[("InstanceProfileName", name), ("RoleName", "App")])
            .await;
    }
    let all = house.root("iam", "ListInstanceProfilesForRole", &[("RoleName", "APP")]).await;
    assert_eq!(each(&all["InstanceProfiles"], "InstanceProfileName"), ["A-2", "b-1", "c-3"]);
    let first = [("RoleName", "App"), ("MaxItems", "2")];
    let page = house.root("iam", "ListInstanceProfilesForRole", &first).await;
    assert_eq!(each(&page["InstanceProfiles"], "InstanceProfileName"), ["A-2", "b-1"]);
    let marker = page["Marker"].as_str().unwrap();
    let rest = [("RoleName", "App"), ("Marker", marker)];
    let rest = house.root("iam", "ListInstanceProfilesForRole", &rest).await;
    assert_eq!(each(&rest["InstanceProfiles"], "InstanceProfileName"), ["c-3"]);
    let of_other = [("RoleName", "Other"), ("Marker", marker)];
    let foreign = refused(&house, "ListInstanceProfilesForRole", &of_other).await;
    assert_eq!(foreign, refusal("ValidationError", "Invalid Marker."));
    let under = house.root("iam", "ListInstanceProfiles", &[("PathPrefix", "/x/")]).await;
    assert_eq!(each(&under["InstanceProfiles"], "InstanceProfileName"), ["A-2", "b-1"]);
    assert_eq!(each(&under["InstanceProfiles"][0]["Roles"], "RoleName"), ["App"]);
}

#[tokio::test]
async fn a_profile_has_one_role_and_loses_only_that() {
    let house = house().await;
    house.root("iam", "AddRoleToInstanceProfile", &APP_IN_WEB).await;
    let full = refusal("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
    for role in ["Other", "App"] {
        let more = [("InstanceProfileName", "Web"), ("RoleName", role)];
        assert_eq!(refused(&house, "AddRoleToInstanceProfile", &more).await, full);
    }
    let other = [("InstanceProfileName", "Web"), ("RoleName", "Other")];
    let not_in = refused(&house, "RemoveRoleFromInstanceProfile", &other).await;
    assert_eq!(not_in.0, "NoSuchEntity");
    let read = house.root("iam", "GetInstanceProfile", &[("InstanceProfileName", "Web")]).await;
    assert_eq!(each(&read["InstanceProfile"]["Roles"], "RoleName"), ["App"]);
}

/// What this policy lets its user do about `App` in `Web`: the refusal's text, or nothing.
async fn adding_with(statements: &str) -> Option<String> {
    let house = house().await;
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let user = house.user("Op", Some(&policy)).await;
    let outcome = house.call(&user, "iam", "AddRoleToInstanceProfile", &APP_IN_WEB).await;
    outcome.err().map(|error| {
        assert_eq!(error.code, "AccessDenied");
        error.message
    })
}

fn allow(action: &str, resource: &str, condition: &str) -> String {
    let condition = if condition.is_empty() { String::new() } else { format!(r#","Condition":{condition}"#) };
    format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"{condition}}}"#)
}

const APP: &str = "arn:aws:iam::111122223333:role/fleet/App";

#[tokio::test]
async fn a_role_goes_into_a_profile_only_by_somebody_who_may_pass_it_to_machines() {
    let add = allow("iam:AddRoleToInstanceProfile", "*", "");
    let to = |service: &str| format!(r#"{{"StringEquals":{{"iam:PassedToService":"{service}"}}}}"#);
    let with = |arn: &str| format!(r#"{{"ArnLike":{{"iam:AssociatedResourceArn":"{arn}"}}}}"#);
    let by_tag = |team: &str| format!(r#"{{"StringEquals":{{"aws:ResourceTag/Team":"{team}"}}}}"#);
    for passed in [
        allow("iam:PassRole", "*", ""),
        allow("iam:PassRole", APP, &to("ec2.amazonaws.com")),
        allow("iam:PassRole", APP, &with("arn:aws:ec2:*:111122223333:instance/*")),
        allow("iam:PassRole", APP, &by_tag("red")),
    ] {
        assert_eq!(adding_with(&format!("{add},{passed}")).await, None, "{passed}");
    }
    let no_pass = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/Op is not authorized to perform: iam:PassRole on resource: {APP} because no \
         identity-based policy allows the iam:PassRole action"
    );
    assert_eq!(adding_with(&add).await.as_deref(), Some(&*no_pass));
    for passed in [
        allow("iam:PassRole", "arn:aws:iam::111122223333:role/App", ""),
        allow("iam:PassRole", "arn:aws:iam::111122223333:role/fleet/app", ""),
        allow("iam:PassRole", "arn:aws:iam::444455556666:role/fleet/App", ""),
        allow("iam:PassRole", "*", &to("ecs-tasks.amazonaws.com")),
        allow("iam:PassRole", "*", &to("EC2.amazonaws.com")),
        allow("iam:PassRole", "*", &with("arn:aws:ec2:*:444455556666:instance/*")),
        allow("iam:PassRole", "*", &by_tag("blue")),
        allow("iam:PassRole", "arn:aws:iam::111122223333:instance-profile/Web", ""),
    ] {
        assert_eq!(adding_with(&format!("{add},{passed}")).await.as_deref(), Some(&*no_pass), "{passed}");
    }
    // Passing alone does not make it the caller's profile.
    let only_pass = adding_with(&allow("iam:PassRole", "*", "")).await.unwrap();
    assert!(
        only_pass.contains("iam:AddRoleToInstanceProfile on resource: instance profile Web"),
        "{only_pass}"
    );
    let deny = allow("iam:PassRole", "*", &to("ec2.amazonaws.com")).replace("Allow", "Deny");
    let denied = adding_with(&format!("{},{deny}", allow("*", "*", ""))).await.unwrap();
    assert!(denied.contains("iam:PassRole") && denied.contains("explicit deny"), "{denied}");
}

#[tokio::test]
async fn a_session_that_may_not_pass_the_role_does_not_though_its_user_could() {
    let house = house().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let user = house.user("Op", Some(policy)).await;
    house.root("iam", "CreateRole", &[("RoleName", "Power"), ("AssumeRolePolicyDocument", TRUST)]).await;
    let all = [("RoleName", "Power"), ("PolicyName", "p"), ("PolicyDocument", policy)];
    house.root("iam", "PutRolePolicy", &all).await;
    let only = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*InstanceProfile*","Resource":"*"}]}"#;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/Power");
    let session = [("RoleArn", role.as_str()), ("RoleSessionName", "Ada"), ("Policy", only)];
    let answer = house.call(&user, "sts", "AssumeRole", &session).await.unwrap();
    let session = Keys::of(&answer["Credentials"]);
    let error = house.call(&session, "iam", "AddRoleToInstanceProfile", &APP_IN_WEB).await.unwrap_err();
    assert!(error.message.ends_with("because no session policy allows the iam:PassRole action"), "{error}");
}

#[tokio::test]
async fn another_accounts_role_goes_into_no_profile_and_its_profiles_are_not_seen() {
    let house = house().await;
    let other = house.account(OTHER).await;
    let call = async |action, params: &[(&str, &str)]| house.call(&other, "iam", action, params).await;
    call("CreateInstanceProfile", &[("InstanceProfileName", "Mine")]).await.unwrap();
    let foreign = [("InstanceProfileName", "Mine"), ("RoleName", "App")];
    let error = call("AddRoleToInstanceProfile", &foreign).await.unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        ("NoSuchEntity", "The role with name App cannot be found.")
    );
    // A name is a name: an ARN is none.
    let by_arn = [("InstanceProfileName", "Mine"), ("RoleName", APP)];
    assert_eq!(call("AddRoleToInstanceProfile", &by_arn).await.unwrap_err().code, "ValidationError");
    assert_eq!(
        call("GetInstanceProfile", &[("InstanceProfileName", "Web")]).await.unwrap_err().code,
        "NoSuchEntity"
    );
    let own = call("ListInstanceProfiles", &[]).await.unwrap();
    assert_eq!(each(&own["InstanceProfiles"], "InstanceProfileName"), ["Mine"]);
}

#[tokio::test]
async fn tags_are_told_apart_by_case_as_those_of_policies_and_conditions_see_them() {
    let house = house().await;
    let tag = |key: &'static str, value: &'static str| {
        [("InstanceProfileName", "Web"), ("Tags.member.1.Key", key), ("Tags.member.1.Value", value)]
    };
    house.root("iam", "TagInstanceProfile", &tag("Env", "test")).await;
    house.root("iam", "TagInstanceProfile", &tag("Env", "prod")).await;
    assert_eq!(refused(&house, "TagInstanceProfile", &tag("env", "x")).await.0, "InvalidInput");
    let listed = house.root("iam", "ListInstanceProfileTags", &[("InstanceProfileName", "Web")]).await;
    assert_eq!(listed["Tags"], json!([{"Key": "Env", "Value": "prod"}]));
    let read = house.root("iam", "GetInstanceProfile", &[("InstanceProfileName", "Web")]).await;
    assert_eq!(read["InstanceProfile"]["Tags"], listed["Tags"]);
    let listed = house.root("iam", "ListInstanceProfiles", &[]).await;
    assert_eq!(listed["InstanceProfiles"][0].get("Tags"), None, "lists show no tags");

    let condition = r#"{"StringEquals":{"aws:ResourceTag/Env":"prod"}}"#;
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, allow("iam:*", "*", condition));
    let user = house.user("Op", Some(&policy)).await;
    let get = house.call(&user, "iam", "GetInstanceProfile", &[("InstanceProfileName", "Web")]).await;
    assert_eq!(get.unwrap()["InstanceProfile"]["InstanceProfileName"], json!("Web"));
    house
        .root("iam", "UntagInstanceProfile", &[("InstanceProfileName", "Web"), ("TagKeys.member.1", "Env")])
        .await;
    let get = house.call(&user, "iam", "GetInstanceProfile", &[("InstanceProfileName", "Web")]).await;
    assert_eq!(get.unwrap_err().code, "AccessDenied");
}

#[tokio::test]
async fn of_a_role_that_goes_into_a_profile_and_goes_away_at_once_one_wins() {
    for deleted in ["DeleteRole", "DeleteInstanceProfile"] {
        let gate = Gate::new();
        let house = TestHouse::on(gate.clone()).await;
        house.root("iam", "CreateRole", &[("RoleName", "App"), ("AssumeRolePolicyDocument", TRUST)]).await;
        house.root("iam", "CreateInstanceProfile", &[("InstanceProfileName", "Web")]).await;
        let name = if deleted == "DeleteRole" { ("RoleName", "App") } else { ("InstanceProfileName", "Web") };
        let outcomes =
            race(&house, &gate, ("AddRoleToInstanceProfile", &APP_IN_WEB), (deleted, &[name])).await;
        let code = one_wins(outcomes);
        assert!(["NoSuchEntity", "DeleteConflict"].contains(&code), "{deleted}: {code}");
    }
}

#[tokio::test]
async fn of_two_roles_that_go_into_a_profile_at_once_one_wins() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    for role in ["App", "Other"] {
        house.root("iam", "CreateRole", &[("RoleName", role), ("AssumeRolePolicyDocument", TRUST)]).await;
    }
    house.root("iam", "CreateInstanceProfile", &[("InstanceProfileName", "Web")]).await;
    let other = [("InstanceProfileName", "Web"), ("RoleName", "Other")];
    let add = "AddRoleToInstanceProfile";
    assert_eq!(one_wins(race(&house, &gate, (add, &APP_IN_WEB), (add, &other)).await), "LimitExceeded");
}

#[tokio::test]
async fn the_simulator_knows_what_a_role_is_passed_to() {
    let house = house().await;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        allow("iam:PassRole", APP, r#"{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}"#)
    );
    let keys =
        house.root("iam", "GetContextKeysForCustomPolicy", &[("PolicyInputList.member.1", &policy)]).await;
    assert_eq!(keys["ContextKeyNames"], json!(["iam:PassedToService"]));
    for (service, decision) in [("ec2.amazonaws.com", "allowed"), ("ecs-tasks.amazonaws.com", "implicitDeny")]
    {
        let params = [
            ("PolicyInputList.member.1", policy.as_str()),
            ("ActionNames.member.1", "iam:PassRole"),
            ("ResourceArns.member.1", APP),
            ("ContextEntries.member.1.ContextKeyName", "iam:PassedToService"),
            ("ContextEntries.member.1.ContextKeyType", "string"),
            ("ContextEntries.member.1.ContextKeyValues.member.1", service),
        ];
        let answer = house.root("iam", "SimulateCustomPolicy", &params).await;
        assert_eq!(answer["EvaluationResults"][0]["EvalDecision"], json!(decision), "{service}");
    }
}
