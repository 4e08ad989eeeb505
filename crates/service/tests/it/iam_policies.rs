//! Managed policies and their versions.

use serde_json::{Value, json};

use crate::answers::{ALLOW_ALL, ALLOW_ALL_ENCODED, DENY_ALL, each, pages, refusal, refused, refused_to};
use crate::race::{Gate, one_wins, race};
use crate::support::{ACCOUNT, TestHouse};

type Given<'a> = &'a [(&'a str, &'a str)];

/// Where the clock of every test house stands, in Unix seconds.
const NOW: i64 = 1_768_478_400;

async fn policy(house: &TestHouse, name: &str) -> String {
    let params = [("PolicyName", name), ("PolicyDocument", ALLOW_ALL)];
    house.root("iam", "CreatePolicy", &params).await["Policy"]["Arn"].as_str().unwrap().to_owned()
}

async fn version(house: &TestHouse, arn: &str) -> Value {
    house.root("iam", "CreatePolicyVersion", &[("PolicyArn", arn), ("PolicyDocument", DENY_ALL)]).await
}

#[tokio::test]
async fn create_get_and_list_each_show_their_own_members() {
    let house = TestHouse::new().await;
    let params = [
        ("PolicyName", "Access"),
        ("Path", "/div/"),
        ("PolicyDocument", ALLOW_ALL),
        ("Description", "all"),
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "a"),
    ];
    let made = house.root("iam", "CreatePolicy", &params).await["Policy"].clone();
    let id = made["PolicyId"].as_str().unwrap();
    assert!(id.starts_with("ANPA") && id.len() == 21, "{id}");
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/div/Access");
    let bare = json!({
        "PolicyName": "Access", "PolicyId": id, "Arn": arn, "Path": "/div/", "DefaultVersionId": "v1",
        "AttachmentCount": 0, "PermissionsBoundaryUsageCount": 0, "IsAttachable": true,
        "CreateDate": NOW, "UpdateDate": NOW,
    });
    let with = |more: &[(&str, Value)]| {
        let mut shape = bare.clone();
        more.iter().for_each(|(name, value)| shape[*name] = value.clone());
        shape
    };
    let tags = json!([{"Key": "Team", "Value": "a"}]);
    assert_eq!(made, with(&[("Tags", tags.clone())]));
    let read = house.root("iam", "GetPolicy", &[("PolicyArn", &arn)]).await;
    assert_eq!(read["Policy"], with(&[("Description", json!("all")), ("Tags", tags)]));
    let listed = house.root("iam", "ListPolicies", &[("Scope", "Local")]).await;
    assert_eq!(listed, json!({"Policies": [bare], "IsTruncated": false}));

    let plain = house.root("iam", "CreatePolicy", &[("PolicyName", "q"), ("PolicyDocument", DENY_ALL)]).await;
    assert_eq!(plain["Policy"].get("Tags"), None);
    let read =
        house.root("iam", "GetPolicy", &[("PolicyArn", plain["Policy"]["Arn"].as_str().unwrap())]).await;
    assert_eq!(read["Policy"]["Tags"], json!([]));
    assert_eq!(read["Policy"].get("Description"), None);
}

#[tokio::test]
async fn a_name_is_taken_in_every_case_and_under_every_path() {
    let house = TestHouse::new().await;
    policy(&house, "Access").await;
    let message = "A policy called ACCESS already exists. Duplicate names are not allowed.";
    let params = [("PolicyName", "ACCESS"), ("Path", "/x/"), ("PolicyDocument", ALLOW_ALL)];
    assert_eq!(refused(&house, "CreatePolicy", &params).await, refusal("EntityAlreadyExists", message));
    // Names of AWS's policies are free.
    policy(&house, "AdministratorAccess").await;
}

#[tokio::test]
async fn only_a_managed_policy_must_say_its_version() {
    let house = TestHouse::new().await;
    let arn = policy(&house, "p").await;
    let cases = [
        (
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
            "Policy document must be version 2012-10-17 or greater.",
        ),
        ("{}", "Syntax errors in policy."),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"nothing","Resource":"*"}]}"#,
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
    ];
    for (text, message) in cases {
        let malformed = refusal("MalformedPolicyDocument", message);
        let create = [("PolicyName", "q"), ("PolicyDocument", text)];
        assert_eq!(refused(&house, "CreatePolicy", &create).await, malformed);
        let version = [("PolicyArn", arn.as_str()), ("PolicyDocument", text)];
        assert_eq!(refused(&house, "CreatePolicyVersion", &version).await, malformed);
    }
}

#[tokio::test]
async fn a_document_over_the_quota_is_refused_white_space_not_counted() {
    let house = TestHouse::new().await;
    let arn = policy(&house, "p").await;
    let text = |size: usize, gap: usize| {
        let (before, after) = (
            r#"{"Version":"2012-10-17","Statement":[{"Sid":""#,
            r#"","Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        );
        format!("{before}{}{after}{}", "a".repeat(size - before.len() - after.len()), "\n".repeat(gap))
    };
    let over = refusal("LimitExceeded", "Cannot exceed quota for PolicySize: 6144");
    let (large, fits) = (text(6145, 0), text(6144, 4000));
    assert_eq!(
        refused(&house, "CreatePolicy", &[("PolicyName", "q"), ("PolicyDocument", &large)]).await,
        over
    );
    assert_eq!(
        refused(&house, "CreatePolicyVersion", &[("PolicyArn", &arn), ("PolicyDocument", &large)]).await,
        over
    );
    house.root("iam", "CreatePolicy", &[("PolicyName", "q"), ("PolicyDocument", &fits)]).await;
}

#[tokio::test]
async fn versions_are_numbered_on_and_never_again() {
    let house = TestHouse::new().await;
    let arn = policy(&house, "p").await;
    house.clock.advance(60);
    let made = version(&house, &arn).await;
    let v2 = json!({"VersionId": "v2", "IsDefaultVersion": false, "CreateDate": NOW + 60});
    assert_eq!(made, json!({"PolicyVersion": v2}));
    let read = house.root("iam", "GetPolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v1")]).await;
    let v1 = json!({"Document": ALLOW_ALL_ENCODED, "VersionId": "v1", "IsDefaultVersion": true, "CreateDate": NOW});
    assert_eq!(read["PolicyVersion"], v1);

    house.root("iam", "DeletePolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v2")]).await;
    assert_eq!(version(&house, &arn).await["PolicyVersion"]["VersionId"], json!("v3"));
    let params = [("PolicyArn", arn.as_str()), ("PolicyDocument", DENY_ALL), ("SetAsDefault", "true")];
    let made = house.root("iam", "CreatePolicyVersion", &params).await;
    assert_eq!(made["PolicyVersion"]["IsDefaultVersion"], json!(true));
    let listed = house.root("iam", "ListPolicyVersions", &[("PolicyArn", &arn)]).await;
    assert_eq!(each(&listed["Versions"], "VersionId"), ["v4", "v3", "v1"]);
    let defaults: Vec<_> =
        listed["Versions"].as_array().unwrap().iter().map(|v| v["IsDefaultVersion"] == json!(true)).collect();
    assert_eq!(defaults, [true, false, false]);
    assert!(listed["Versions"][0].get("Document").is_none());
    let ids = pages(&house, "ListPolicyVersions", &[("PolicyArn", &arn)], "Versions", "2").await;
    assert_eq!(ids.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test]
async fn the_update_date_moves_with_every_change_of_versions() {
    let house = TestHouse::new().await;
    let arn = policy(&house, "p").await;
    let v2 = [("PolicyArn", arn.as_str()), ("VersionId", "v2")];
    let v1 = [("PolicyArn", arn.as_str()), ("VersionId", "v1")];
    let create = [("PolicyArn", arn.as_str()), ("PolicyDocument", DENY_ALL)];
    let steps: [(&str, Given<'_>, &str); 3] = [
        ("CreatePolicyVersion", &create, "v1"),
        ("SetDefaultPolicyVersion", &v2, "v2"),
        ("DeletePolicyVersion", &v1, "v2"),
    ];
    for (n, (action, params, default)) in (1..).zip(steps) {
        house.clock.advance(10);
        house.root("iam", action, params).await;
        let read = house.root("iam", "GetPolicy", &[("PolicyArn", &arn)]).await["Policy"].clone();
        let expected = (json!(NOW), json!(NOW + 10 * n), json!(default));
        assert_eq!(
            (read["CreateDate"].clone(), read["UpdateDate"].clone(), read["DefaultVersionId"].clone()),
            expected,
            "{action}"
        );
    }
}

#[tokio::test]
async fn a_sixth_version_waits_for_one_to_go() {
    let house = TestHouse::new().await;
    let arn = policy(&house, "p").await;
    for _ in 0..4 {
        version(&house, &arn).await;
    }
    let params = [("PolicyArn", arn.as_str()), ("PolicyDocument", DENY_ALL)];
    let message = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.";
    assert_eq!(refused(&house, "CreatePolicyVersion", &params).await, refusal("LimitExceeded", message));
    house.root("iam", "DeletePolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v3")]).await;
    assert_eq!(version(&house, &arn).await["PolicyVersion"]["VersionId"], json!("v6"));
}

#[tokio::test]
async fn the_default_version_stays_and_a_missing_one_is_no_such_entity() {
    let house = TestHouse::new().await;
    let arn = policy(&house, "p").await;
    version(&house, &arn).await;
    let message = "Cannot delete the default version of a policy.";
    let v1 = [("PolicyArn", arn.as_str()), ("VersionId", "v1")];
    assert_eq!(refused(&house, "DeletePolicyVersion", &v1).await, refusal("DeleteConflict", message));
    for action in ["GetPolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"] {
        for id in ["v3", "v1.x"] {
            let missing = format!("Policy {arn} version {id} does not exist or is not attachable.");
            let params = [("PolicyArn", arn.as_str()), ("VersionId", id)];
            assert_eq!(refused(&house, action, &params).await, refusal("NoSuchEntity", &missing), "{action}");
        }
        let bad = [("PolicyArn", arn.as_str()), ("VersionId", "1")];
        assert_eq!(refused(&house, action, &bad).await.0, "ValidationError");
    }
}

#[tokio::test]
async fn a_policy_goes_only_unused_and_with_its_last_version() {
    let house = TestHouse::new().await;
    let arn = policy(&house, "p").await;
    let this = [("PolicyArn", arn.as_str())];
    house.root("iam", "CreateUser", &[("UserName", "bob")]).await;
    let used = refusal("DeleteConflict", "Cannot delete a policy attached to entities.");
    let attached = [("UserName", "bob"), ("PolicyArn", arn.as_str())];
    house.root("iam", "AttachUserPolicy", &attached).await;
    assert_eq!(refused(&house, "DeletePolicy", &this).await, used);
    house.root("iam", "DetachUserPolicy", &attached).await;

    let boundary = [("UserName", "bob"), ("PermissionsBoundary", arn.as_str())];
    house.root("iam", "PutUserPermissionsBoundary", &boundary).await;
    assert_eq!(refused(&house, "DeletePolicy", &this).await, used);
    house.root("iam", "DeleteUserPermissionsBoundary", &boundary[..1]).await;

    version(&house, &arn).await;
    let message = "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                   versions. The default version is deleted with the policy.";
    assert_eq!(refused(&house, "DeletePolicy", &this).await, refusal("DeleteConflict", message));
    house.root("iam", "DeletePolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v2")]).await;
    assert_eq!(house.root("iam", "DeletePolicy", &this).await, Value::Null);
    let gone = refusal("NoSuchEntity", &format!("Policy {arn} was not found."));
    let not_there = refusal("NoSuchEntity", &format!("Policy {arn} does not exist or is not attachable."));
    assert_eq!(refused(&house, "ListEntitiesForPolicy", &this).await, not_there);
    for action in ["GetPolicy", "DeletePolicy", "ListPolicyVersions"] {
        assert_eq!(refused(&house, action, &this).await, gone, "{action}");
    }
    let params = [("PolicyArn", arn.as_str()), ("PolicyDocument", DENY_ALL)];
    assert_eq!(refused(&house, "CreatePolicyVersion", &params).await, gone);
    // Made again, it is another policy.
    policy(&house, "P").await;
    assert_eq!(refused(&house, "GetPolicy", &this).await, gone);
}

#[tokio::test]
async fn awss_policies_are_read_by_all_and_changed_by_nobody() {
    let house = TestHouse::new().await;
    let arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    let read = house.root("iam", "GetPolicy", &[("PolicyArn", arn)]).await["Policy"].clone();
    // Name, default version and date are AWS's own: 2015-02-06T18:40:59Z.
    assert_eq!(read["PolicyName"], json!("AmazonS3ReadOnlyAccess"));
    assert_eq!((&read["DefaultVersionId"], &read["CreateDate"]), (&json!("v3"), &json!(1_423_248_059)));
    assert_eq!((read["IsAttachable"].clone(), read["Tags"].clone()), (json!(true), json!([])));
    assert!(read["Description"].as_str().unwrap().contains("reading everything in Amazon S3"));
    let versions = house.root("iam", "ListPolicyVersions", &[("PolicyArn", arn)]).await;
    assert_eq!(each(&versions["Versions"], "VersionId"), ["v3"]);
    let text = house.root("iam", "GetPolicyVersion", &[("PolicyArn", arn), ("VersionId", "v3")]).await;
    assert!(text["PolicyVersion"]["Document"].as_str().unwrap().contains("s3%3AGet"));
    let missing = format!("Policy {arn} version v1 does not exist or is not attachable.");
    let older = [("PolicyArn", arn), ("VersionId", "v1")];
    assert_eq!(refused(&house, "GetPolicyVersion", &older).await, refusal("NoSuchEntity", &missing));

    let document = [("PolicyArn", arn), ("PolicyDocument", ALLOW_ALL)];
    let v3 = [("PolicyArn", arn), ("VersionId", "v3")];
    let calls: [(&str, &[(&str, &str)]); 4] = [
        ("DeletePolicy", &v3[..1]),
        ("CreatePolicyVersion", &document),
        ("SetDefaultPolicyVersion", &v3),
        ("DeletePolicyVersion", &v3),
    ];
    for (action, params) in calls {
        let message = format!(
            "User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: iam:{action} on resource: policy {arn}"
        );
        assert_eq!(refused(&house, action, params).await, refusal("AccessDenied", &message));
    }
}

#[tokio::test]
async fn policies_of_another_account_are_nobodys_to_ask_about() {
    let house = TestHouse::new().await;
    let other = house.account("444455556666").await;
    let arn = policy(&house, "p").await;
    let attach = [("PolicyArn", arn.as_str())];
    for action in ["GetPolicy", "ListPolicyVersions", "ListEntitiesForPolicy", "DeletePolicy"] {
        let message = format!(
            "User: arn:aws:iam::444455556666:root is not authorized to perform: iam:{action} on resource: policy {arn}"
        );
        assert_eq!(refused_to(&house, &other, action, &attach).await, refusal("AccessDenied", &message));
    }
    let listed = house.call(&other, "iam", "ListPolicies", &[("Scope", "Local")]).await.unwrap();
    assert_eq!(listed["Policies"], json!([]));
}

#[tokio::test]
async fn the_list_goes_by_scope_path_and_use() {
    let house = TestHouse::new().await;
    let (attached, bounding) = (policy(&house, "attached").await, policy(&house, "bounding").await);
    let params = [("PolicyName", "Idle"), ("Path", "/team/"), ("PolicyDocument", ALLOW_ALL)];
    house.root("iam", "CreatePolicy", &params).await;
    house.root("iam", "CreateUser", &[("UserName", "bob"), ("PermissionsBoundary", &bounding)]).await;
    house.root("iam", "AttachUserPolicy", &[("UserName", "bob"), ("PolicyArn", &attached)]).await;
    let aws = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    house.root("iam", "AttachUserPolicy", &[("UserName", "bob"), ("PolicyArn", aws)]).await;

    let (local, used) = (("Scope", "Local"), ("OnlyAttached", "true"));
    let permissions = ("PolicyUsageFilter", "PermissionsPolicy");
    let boundary = ("PolicyUsageFilter", "PermissionsBoundary");
    let cases: [(Given<'_>, &[&str]); 8] = [
        (&[local], &["attached", "bounding", "Idle"]),
        (&[local, ("PathPrefix", "/team/")], &["Idle"]),
        (&[used], &["attached", "bounding", "ReadOnlyAccess"]),
        (&[used, ("Scope", "AWS")], &["ReadOnlyAccess"]),
        (&[used, local], &["attached", "bounding"]),
        (&[used, permissions], &["attached", "ReadOnlyAccess"]),
        (&[used, boundary], &["bounding"]),
        // The usage counts only together with OnlyAttached.
        (&[local, boundary], &["attached", "bounding", "Idle"]),
    ];
    for (params, expected) in cases {
        let listed = house.root("iam", "ListPolicies", params).await;
        assert_eq!(each(&listed["Policies"], "PolicyName"), expected, "{params:?}");
    }
    let all = each(&house.root("iam", "ListPolicies", &[]).await["Policies"], "PolicyName");
    assert!(all.contains(&"AdministratorAccess".to_owned()) && all.contains(&"Idle".to_owned()), "{all:?}");
    assert!(all.is_sorted_by_key(|name| name.to_lowercase()));
    let paged = pages(&house, "ListPolicies", &[], "Policies", "3").await;
    assert_eq!(each(&json!(paged.concat()), "PolicyName"), all);
    let none = house.root("iam", "ListPolicies", &[("Scope", "AWS")]).await;
    assert!(!each(&none["Policies"], "PolicyName").contains(&"Idle".to_owned()));
    let counts = house.root("iam", "ListPolicies", &[used, local]).await["Policies"].clone();
    assert_eq!(
        (counts[0]["AttachmentCount"].clone(), counts[0]["PermissionsBoundaryUsageCount"].clone()),
        (json!(1), json!(0))
    );
    assert_eq!(
        (counts[1]["AttachmentCount"].clone(), counts[1]["PermissionsBoundaryUsageCount"].clone()),
        (json!(0), json!(1))
    );
}

#[tokio::test]
async fn a_marker_is_for_the_selection_it_was_made_for() {
    let house = TestHouse::new().await;
    let first = house.root("iam", "ListPolicies", &[("MaxItems", "1")]).await;
    let marker = first["Marker"].as_str().unwrap();
    // Saying what is the default anyway selects the same.
    house
        .root("iam", "ListPolicies", &[("Scope", "All"), ("OnlyAttached", "false"), ("Marker", marker)])
        .await;
    let invalid = refusal("ValidationError", "Invalid Marker.");
    assert_eq!(refused(&house, "ListPolicies", &[("Scope", "AWS"), ("Marker", marker)]).await, invalid);
    assert_eq!(refused(&house, "ListUsers", &[("Marker", marker)]).await, invalid);
    let other = house.account("444455556666").await;
    assert_eq!(refused_to(&house, &other, "ListPolicies", &[("Marker", marker)]).await, invalid);
}

#[tokio::test]
async fn who_uses_a_policy_is_listed_by_kind_path_and_use() {
    let house = TestHouse::new().await;
    let arn = policy(&house, "p").await;
    let this = ("PolicyArn", arn.as_str());
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}"#;
    let none = house.root("iam", "ListEntitiesForPolicy", &[this]).await;
    assert_eq!(none, json!({"PolicyGroups": [], "PolicyUsers": [], "PolicyRoles": [], "IsTruncated": false}));
    // Bob uses it in both ways and is listed once.
    let bob = house.root("iam", "CreateUser", &[("UserName", "Bob"), ("PermissionsBoundary", &arn)]).await;
    house.root("iam", "CreateUser", &[("UserName", "amy"), ("Path", "/team/")]).await;
    house.root("iam", "CreateGroup", &[("GroupName", "dev")]).await;
    house
        .root(
            "iam",
            "CreateRole",
            &[("RoleName", "app"), ("AssumeRolePolicyDocument", trust), ("PermissionsBoundary", &arn)],
        )
        .await;
    house.root("iam", "AttachUserPolicy", &[("UserName", "Bob"), this]).await;
    house.root("iam", "AttachUserPolicy", &[("UserName", "amy"), this]).await;
    house.root("iam", "AttachGroupPolicy", &[("GroupName", "dev"), this]).await;

    let names = |answer: &Value| {
        let of = |list: &str, member: &str| each(&answer[list], member);
        [of("PolicyGroups", "GroupName"), of("PolicyUsers", "UserName"), of("PolicyRoles", "RoleName")]
            .map(|names| names.join(" "))
    };
    let all = house.root("iam", "ListEntitiesForPolicy", &[this]).await;
    assert_eq!(names(&all), ["dev", "amy Bob", "app"]);
    assert_eq!(all["PolicyUsers"][1], json!({"UserName": "Bob", "UserId": bob["User"]["UserId"]}));
    let cases: [(Given<'_>, [&str; 3]); 8] = [
        (&[("EntityFilter", "User")], ["", "amy Bob", ""]),
        (&[("EntityFilter", "Group")], ["dev", "", ""]),
        (&[("EntityFilter", "Role")], ["", "", "app"]),
        (&[("EntityFilter", "LocalManagedPolicy")], ["", "", ""]),
        (&[("EntityFilter", "AWSManagedPolicy")], ["", "", ""]),
        (&[("PathPrefix", "/team/")], ["", "amy", ""]),
        (&[("PolicyUsageFilter", "PermissionsPolicy")], ["dev", "amy Bob", ""]),
        (&[("PolicyUsageFilter", "PermissionsBoundary")], ["", "Bob", "app"]),
    ];
    for (filter, expected) in cases {
        let params = [&[this], filter].concat();
        assert_eq!(names(&house.root("iam", "ListEntitiesForPolicy", &params).await), expected, "{filter:?}");
    }
    let first = house.root("iam", "ListEntitiesForPolicy", &[this, ("MaxItems", "2")]).await;
    assert_eq!(names(&first), ["dev", "amy", ""]);
    let next = [this, ("Marker", first["Marker"].as_str().unwrap())];
    assert_eq!(names(&house.root("iam", "ListEntitiesForPolicy", &next).await), ["", "Bob", "app"]);
}

#[tokio::test]
async fn a_path_is_part_of_what_is_authorized() {
    let house = TestHouse::new().await;
    let grant = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:CreatePolicy","iam:GetPolicy","iam:ListPolicies"],"Resource":"arn:aws:iam::111122223333:policy/team/*"}]}"#;
    let keys = house.user("lead", Some(grant)).await;
    let create = |path| [("PolicyName", "p"), ("Path", path), ("PolicyDocument", ALLOW_ALL)];
    let denied = refused_to(&house, &keys, "CreatePolicy", &create("/")).await;
    assert!(denied.1.contains("iam:CreatePolicy on resource: policy p because"), "{denied:?}");
    let made = house.call(&keys, "iam", "CreatePolicy", &create("/team/")).await.unwrap();
    let arn = made["Policy"]["Arn"].as_str().unwrap();
    house.call(&keys, "iam", "GetPolicy", &[("PolicyArn", arn)]).await.unwrap();
    // A policy that is not there is denied like one that may not be seen.
    for name in ["lead", "none"] {
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
        let denied = refused_to(&house, &keys, "GetPolicy", &[("PolicyArn", &arn)]).await;
        assert!(
            denied.0 == "AccessDenied" && denied.1.contains(&format!("on resource: policy {arn} because")),
            "{denied:?}"
        );
    }
    let denied = refused_to(&house, &keys, "ListPolicies", &[]).await;
    assert!(denied.1.contains("iam:ListPolicies on resource: policy path / because"), "{denied:?}");
    house.call(&keys, "iam", "ListPolicies", &[("PathPrefix", "/team/")]).await.unwrap();
    // Tags need a permission of their own.
    let tagged =
        [&create("/team/x/")[..], &[("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]].concat();
    let denied = refused_to(&house, &keys, "CreatePolicy", &tagged).await;
    assert!(denied.1.contains("iam:TagPolicy"), "{denied:?}");
}

#[tokio::test]
async fn two_makers_of_one_name_and_two_of_the_last_version_do_not_both_win() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    let (a, b) = (
        [("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)],
        [("PolicyName", "P"), ("PolicyDocument", DENY_ALL)],
    );
    let told = one_wins(race(&house, &gate, ("CreatePolicy", &a), ("CreatePolicy", &b)).await);
    assert_eq!(told, "EntityAlreadyExists");
    let arn = policy(&house, "q").await;
    for _ in 0..3 {
        version(&house, &arn).await;
    }
    let fifth = [("PolicyArn", arn.as_str()), ("PolicyDocument", DENY_ALL)];
    let told =
        one_wins(race(&house, &gate, ("CreatePolicyVersion", &fifth), ("CreatePolicyVersion", &fifth)).await);
    assert_eq!(told, "LimitExceeded");
}

#[tokio::test]
async fn a_version_cannot_become_the_default_and_go_at_once() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    for deleting_first in [true, false] {
        let arn = policy(&house, if deleting_first { "p" } else { "q" }).await;
        version(&house, &arn).await;
        let v2 = [("PolicyArn", arn.as_str()), ("VersionId", "v2")];
        let (a, b) = (("DeletePolicyVersion", &v2[..]), ("SetDefaultPolicyVersion", &v2[..]));
        let told = one_wins(if deleting_first {
            race(&house, &gate, a, b).await
        } else {
            race(&house, &gate, b, a).await
        });
        assert!(["DeleteConflict", "NoSuchEntity"].contains(&told), "{told}");
        let default =
            house.root("iam", "GetPolicy", &[("PolicyArn", &arn)]).await["Policy"]["DefaultVersionId"]
                .clone();
        let params = [("PolicyArn", arn.as_str()), ("VersionId", default.as_str().unwrap())];
        house.root("iam", "GetPolicyVersion", &params).await;
    }
}

#[tokio::test]
async fn a_boundary_and_the_end_of_its_policy_cannot_both_win() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    for deleting_first in [true, false] {
        let name = if deleting_first { "p" } else { "q" };
        let arn = policy(&house, name).await;
        house.root("iam", "CreateUser", &[("UserName", name)]).await;
        let (delete, put) =
            ([("PolicyArn", arn.as_str())], [("UserName", name), ("PermissionsBoundary", arn.as_str())]);
        let (a, b) = (("DeletePolicy", &delete[..]), ("PutUserPermissionsBoundary", &put[..]));
        let told = one_wins(if deleting_first {
            race(&house, &gate, a, b).await
        } else {
            race(&house, &gate, b, a).await
        });
        assert!(["DeleteConflict", "NoSuchEntity"].contains(&told), "{told}");
    }
}
