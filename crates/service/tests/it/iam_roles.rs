//! Roles, their trust policies, and what each call shows of them.

use serde_json::{Value, json};

use crate::answers::{each, pages, refusal, refused};
use crate::race::{Gate, one_wins, race};
use crate::support::{ACCOUNT, TestHouse};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const TRUST_ENCODED: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22ec2.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

async fn create(house: &TestHouse, name: &str) -> Value {
    house.root("iam", "CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", TRUST)]).await
}

fn trusting(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}}}"#
    )
}

/// The trust policy as GetRole answers it, decoded.
async fn trust_of(house: &TestHouse, name: &str) -> String {
    let role = house.root("iam", "GetRole", &[("RoleName", name)]).await;
    let encoded = role["Role"]["AssumeRolePolicyDocument"].as_str().unwrap().to_owned();
    percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap().into_owned()
}

#[tokio::test]
async fn a_plain_role_shows_nothing_it_was_not_given() {
    let house = TestHouse::new().await;
    let made = create(&house, "Build").await;
    let id = made["Role"]["RoleId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("AROA") && id.len() == 21, "{id}");
    let mut expected = json!({
        "Path": "/", "RoleName": "Build", "RoleId": id, "Arn": format!("arn:aws:iam::{ACCOUNT}:role/Build"),
        "CreateDate": 1_768_478_400, "AssumeRolePolicyDocument": TRUST_ENCODED,
    });
    assert_eq!(made, json!({"Role": expected}), "CreateRole shows no MaxSessionDuration and no RoleLastUsed");
    expected["MaxSessionDuration"] = json!(3600);
    let listed = house.root("iam", "ListRoles", &[]).await;
    assert_eq!(listed, json!({"Roles": [expected], "IsTruncated": false}));
    expected["RoleLastUsed"] = json!({});
    let read = house.root("iam", "GetRole", &[("RoleName", "bUILD")]).await;
    assert_eq!(read, json!({"Role": expected}));
}

#[tokio::test]
async fn a_role_with_everything_shows_it_to_create_and_get_but_not_to_list() {
    let house = TestHouse::new().await;
    let params = [
        ("RoleName", "Build"),
        ("Path", "/ci/"),
        ("AssumeRolePolicyDocument", TRUST),
        ("Description", "builds things"),
        ("MaxSessionDuration", "7200"),
        ("PermissionsBoundary", READ_ONLY),
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "red"),
    ];
    let made = house.root("iam", "CreateRole", &params).await;
    let read = house.root("iam", "GetRole", &[("RoleName", "Build")]).await;
    let boundary = json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": READ_ONLY});
    for role in [&made["Role"], &read["Role"]] {
        assert_eq!(role["Arn"], json!(format!("arn:aws:iam::{ACCOUNT}:role/ci/Build")));
        assert_eq!(role["PermissionsBoundary"], boundary);
        assert_eq!(role["Tags"], json!([{"Key": "Team", "Value": "red"}]));
        assert_eq!(role["Description"], json!("builds things"));
    }
    assert_eq!(made["Role"].get("MaxSessionDuration"), None);
    assert_eq!(read["Role"]["MaxSessionDuration"], json!(7200));
    let listed = &house.root("iam", "ListRoles", &[("PathPrefix", "/ci/")]).await["Roles"][0];
    assert_eq!(listed["Description"], json!("builds things"));
    for hidden in ["Tags", "PermissionsBoundary", "RoleLastUsed"] {
        assert_eq!(listed.get(hidden), None, "{hidden}");
    }
}

#[tokio::test]
async fn update_role_keeps_what_it_leaves_out_and_an_empty_description_empties() {
    let house = TestHouse::new().await;
    create(&house, "Build").await;
    let update = async |params: &[(&str, &str)]| {
        let params: Vec<_> = std::iter::once(("RoleName", "Build")).chain(params.iter().copied()).collect();
        let answer = house.root("iam", "UpdateRole", &params).await;
        assert_eq!(answer, json!({}), "a result without members, not no result");
        house.root("iam", "GetRole", &[("RoleName", "Build")]).await["Role"].clone()
    };
    let role = update(&[("Description", "one"), ("MaxSessionDuration", "43200")]).await;
    assert_eq!((&role["Description"], &role["MaxSessionDuration"]), (&json!("one"), &json!(43200)));
    let role = update(&[("Description", "two")]).await;
    assert_eq!((&role["Description"], &role["MaxSessionDuration"]), (&json!("two"), &json!(43200)));
    let role = update(&[("MaxSessionDuration", "3600")]).await;
    assert_eq!((&role["Description"], &role["MaxSessionDuration"]), (&json!("two"), &json!(3600)));
    let role = update(&[("Description", "")]).await;
    assert_eq!(role.get("Description"), None, "only if set");

    let params = [("RoleName", "build"), ("Description", "three")];
    let answer = house.root("iam", "UpdateRoleDescription", &params).await;
    assert_eq!(answer["Role"]["Description"], json!("three"));
    assert_eq!(answer["Role"]["RoleName"], json!("Build"));
    assert_eq!(answer["Role"].get("MaxSessionDuration"), None, "as recorded from AWS");
}

#[tokio::test]
async fn members_that_are_not_built_are_refused_never_ignored() {
    let house = TestHouse::new().await;
    create(&house, "Build").await;
    let signin = ("MaxSigninSessionDuration", "3600");
    let update = refused(&house, "UpdateRole", &[("RoleName", "Build"), signin]).await;
    let create = [("RoleName", "x"), ("AssumeRolePolicyDocument", TRUST), signin];
    for (code, message) in [update, refused(&house, "CreateRole", &create).await] {
        assert_eq!(code, "ValidationError");
        assert!(message.contains("axSigninSessionDuration"), "{message}");
    }
    assert_eq!(refused(&house, "GetRole", &[("RoleName", "x")]).await.0, "NoSuchEntity");
}

#[tokio::test]
async fn a_session_duration_is_one_to_twelve_hours() {
    let house = TestHouse::new().await;
    create(&house, "Build").await;
    for (seconds, bound) in
        [("3599", "greater than or equal to 3600"), ("43201", "less than or equal to 43200")]
    {
        let (code, message) =
            refused(&house, "UpdateRole", &[("RoleName", "Build"), ("MaxSessionDuration", seconds)]).await;
        assert_eq!(code, "ValidationError");
        assert!(message.contains(bound), "{message}");
    }
}

#[tokio::test]
async fn names_of_roles_are_unique_and_missing_roles_are_named() {
    let house = TestHouse::new().await;
    create(&house, "Build").await;
    let again = [("RoleName", "BUILD"), ("Path", "/x/"), ("AssumeRolePolicyDocument", TRUST)];
    let taken = refusal("EntityAlreadyExists", "Role with name BUILD already exists.");
    assert_eq!(refused(&house, "CreateRole", &again).await, taken);
    let missing = refusal("NoSuchEntity", "The role with name none cannot be found.");
    let name = ("RoleName", "none");
    for (action, more) in [
        ("GetRole", None),
        ("DeleteRole", None),
        ("UpdateRole", None),
        ("UpdateRoleDescription", Some(("Description", "x"))),
        ("UpdateAssumeRolePolicy", Some(("PolicyDocument", TRUST))),
    ] {
        let params: Vec<_> = std::iter::once(name).chain(more).collect();
        assert_eq!(refused(&house, action, &params).await, missing, "{action}");
    }
}

#[tokio::test]
async fn a_trust_policy_follows_a_user_by_id_not_by_name() {
    let house = TestHouse::new().await;
    let bob = house.root("iam", "CreateUser", &[("UserName", "bob"), ("Path", "/a/")]).await;
    let id = bob["User"]["UserId"].as_str().unwrap();
    let document = trusting(&format!("arn:aws:iam::{ACCOUNT}:user/a/bob"));
    let params = [("RoleName", "Build"), ("AssumeRolePolicyDocument", document.as_str())];
    house.root("iam", "CreateRole", &params).await;
    assert_eq!(trust_of(&house, "Build").await, document);

    house.root("iam", "UpdateUser", &[("UserName", "bob"), ("NewUserName", "rob")]).await;
    let renamed = trusting(&format!("arn:aws:iam::{ACCOUNT}:user/a/rob"));
    assert_eq!(trust_of(&house, "Build").await, renamed);

    house.root("iam", "DeleteUser", &[("UserName", "rob")]).await;
    house.root("iam", "CreateUser", &[("UserName", "rob"), ("Path", "/a/")]).await;
    assert_eq!(trust_of(&house, "Build").await, trusting(id), "made again, it is somebody else");
}

#[tokio::test]
async fn a_trust_policy_that_may_not_be_is_refused_and_the_old_one_stays() {
    let house = TestHouse::new().await;
    create(&house, "Build").await;
    let nobody = format!("arn:aws:iam::{ACCOUNT}:user/nobody");
    let with_resource = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Resource":"*"}}"#;
    let no_principal = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}"#;
    let not_sts = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject"}}"#;
    for (document, message) in [
        ("{", "This policy contains invalid Json".to_owned()),
        (with_resource, "Has prohibited field Resource".to_owned()),
        (no_principal, "Missing required field Principal".to_owned()),
        (not_sts, "AssumeRole policy may only specify STS AssumeRole actions.".to_owned()),
        (&trusting(&nobody), format!("Invalid principal in policy: \"AWS\":\"{nobody}\"")),
    ] {
        let expected = ("MalformedPolicyDocument", message);
        let create = [("RoleName", "x"), ("AssumeRolePolicyDocument", document)];
        assert_eq!(refused(&house, "CreateRole", &create).await, expected);
        let update = [("RoleName", "Build"), ("PolicyDocument", document)];
        assert_eq!(refused(&house, "UpdateAssumeRolePolicy", &update).await, expected);
    }
    assert_eq!(trust_of(&house, "Build").await, TRUST);
    assert_eq!(refused(&house, "GetRole", &[("RoleName", "x")]).await.0, "NoSuchEntity");
}

#[tokio::test]
async fn nobody_is_trusted_whose_account_does_not_exist_yet() {
    let house = TestHouse::new().await;
    let other = "444455556666";
    let principals = [
        other.to_owned(),
        format!("arn:aws:iam::{other}:root"),
        format!("arn:aws:sts::{other}:assumed-role/R/s"),
        format!("arn:aws:sts::{other}:federated-user/Jill"),
    ];
    for principal in &principals {
        let create = [("RoleName", "x"), ("AssumeRolePolicyDocument", &*trusting(principal))];
        let message = format!("Invalid principal in policy: \"AWS\":\"{principal}\"");
        assert_eq!(
            refused(&house, "CreateRole", &create).await,
            refusal("MalformedPolicyDocument", &message)
        );
    }
    house.account(other).await;
    for (n, principal) in principals.iter().enumerate() {
        let params = [("RoleName", &*format!("r{n}")), ("AssumeRolePolicyDocument", &*trusting(principal))];
        house.root("iam", "CreateRole", &params).await;
        assert_eq!(trust_of(&house, &format!("r{n}")).await, trusting(principal));
    }
}

#[tokio::test]
async fn the_size_of_a_trust_policy_counts_no_white_space_outside_strings() {
    let house = TestHouse::new().await;
    let of_size = |size: usize| {
        let empty = TRUST.replace("\"Effect\"", "\"Sid\":\"\",\"Effect\"");
        let sid = "a".repeat(size - empty.len());
        empty.replace("\"Sid\":\"\"", &format!("\"Sid\" :\n \"{sid}\""))
    };
    let fits = of_size(2048);
    house.root("iam", "CreateRole", &[("RoleName", "Build"), ("AssumeRolePolicyDocument", &fits)]).await;
    assert_eq!(trust_of(&house, "Build").await, fits, "the text is kept as it was given");
    let full = refusal("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048");
    let params = [("RoleName", "Build"), ("PolicyDocument", &*of_size(2049))];
    assert_eq!(refused(&house, "UpdateAssumeRolePolicy", &params).await, full);
}

#[tokio::test]
async fn a_page_of_roles_ends_at_a_mebibyte_and_the_next_one_goes_on() {
    let house = TestHouse::new().await;
    // As long as a role may be: its trust policy takes up to three times as much in the answer.
    let long = TRUST.replace("\"Effect\"", &format!("\"Sid\":\"{}\",\"Effect\"", "a".repeat(1900)));
    let description = "d".repeat(1000);
    for n in 0..160 {
        let name = format!("r{n:03}");
        let params =
            [("RoleName", &*name), ("AssumeRolePolicyDocument", &*long), ("Description", &*description)];
        house.root("iam", "CreateRole", &params).await;
    }
    let listed = pages(&house, "ListRoles", &[], "Roles", "1000").await;
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|page| json!(page).to_string().len() <= 1024 * 1024));
    let names = listed.iter().flat_map(|page| each(&json!(page), "RoleName"));
    assert!(names.eq((0..160).map(|n| format!("r{n:03}"))), "each role once, in order");
}

#[tokio::test]
async fn nobody_makes_a_role_under_a_path_of_aws() {
    let house = TestHouse::new().await;
    for path in
        ["/aws-service-role/", "/aws-service-role/x.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/"]
    {
        let params = [("RoleName", "x"), ("Path", path), ("AssumeRolePolicyDocument", TRUST)];
        assert_eq!(refused(&house, "CreateRole", &params).await.0, "InvalidInput", "{path}");
    }
}

#[tokio::test]
async fn a_role_with_policies_cannot_be_deleted_a_boundary_does_not_matter() {
    let house = TestHouse::new().await;
    create(&house, "Build").await;
    let role = ("RoleName", "Build");
    house.root("iam", "PutRolePermissionsBoundary", &[role, ("PermissionsBoundary", READ_ONLY)]).await;
    let inline = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    house.root("iam", "PutRolePolicy", &[role, ("PolicyName", "p"), ("PolicyDocument", inline)]).await;
    house.root("iam", "AttachRolePolicy", &[role, ("PolicyArn", READ_ONLY)]).await;
    assert_eq!(refused(&house, "DeleteRole", &[role]).await.0, "DeleteConflict");
    house.root("iam", "DetachRolePolicy", &[role, ("PolicyArn", READ_ONLY)]).await;
    let conflict = refusal("DeleteConflict", "Cannot delete entity, must delete policies first.");
    assert_eq!(refused(&house, "DeleteRole", &[role]).await, conflict);
    house.root("iam", "AttachRolePolicy", &[role, ("PolicyArn", READ_ONLY)]).await;
    house.root("iam", "DeleteRolePolicy", &[role, ("PolicyName", "p")]).await;
    let conflict = refusal("DeleteConflict", "Cannot delete entity, must detach all policies first.");
    assert_eq!(refused(&house, "DeleteRole", &[role]).await, conflict);
    house.root("iam", "DetachRolePolicy", &[role, ("PolicyArn", READ_ONLY)]).await;
    house.root("iam", "DeleteRole", &[role]).await;
    assert_eq!(refused(&house, "GetRole", &[role]).await.0, "NoSuchEntity");
}

#[tokio::test]
async fn tagging_a_new_role_needs_the_permission_to_tag() {
    let house = TestHouse::new().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:CreateRole","Resource":"*"},
        {"Effect":"Allow","Action":"iam:TagRole","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/Team":"red"}}}]}"#;
    let bob = house.user("bob", Some(policy)).await;
    let with_team = |name, team| {
        vec![
            ("RoleName", name),
            ("AssumeRolePolicyDocument", TRUST),
            ("Tags.member.1.Key", "Team"),
            ("Tags.member.1.Value", team),
        ]
    };
    let denied = house.call(&bob, "iam", "CreateRole", &with_team("a", "blue")).await.unwrap_err();
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: iam:TagRole on resource: \
         arn:aws:iam::{ACCOUNT}:role/a because no identity-based policy allows the iam:TagRole action"
    );
    assert_eq!((denied.code, denied.message), ("AccessDenied", message));
    house.call(&bob, "iam", "CreateRole", &with_team("b", "red")).await.unwrap();
    let plain = [("RoleName", "c"), ("AssumeRolePolicyDocument", TRUST)];
    house.call(&bob, "iam", "CreateRole", &plain).await.unwrap();
}

#[tokio::test]
async fn an_account_has_a_thousand_roles() {
    let house = TestHouse::new().await;
    for n in 0..1000 {
        create(&house, &format!("r{n}")).await;
    }
    let full = refusal("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000");
    let params = [("RoleName", "more"), ("AssumeRolePolicyDocument", TRUST)];
    assert_eq!(refused(&house, "CreateRole", &params).await, full);
    let page = house.root("iam", "ListRoles", &[]).await;
    assert_eq!((page["Roles"].as_array().unwrap().len(), &page["IsTruncated"]), (100, &json!(true)));
    let page = house.root("iam", "ListRoles", &[("MaxItems", "1000")]).await;
    assert_eq!((page["Roles"].as_array().unwrap().len(), &page["IsTruncated"]), (1000, &json!(false)));
}

#[tokio::test]
async fn deleting_a_role_and_giving_it_a_policy_cannot_both_win() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    let role: &[(&str, &str)] = &[("RoleName", "Build")];
    let attach: &[(&str, &str)] = &[("RoleName", "Build"), ("PolicyArn", READ_ONLY)];
    for deletes_first in [true, false] {
        create(&house, "Build").await;
        let (delete, attach) = (("DeleteRole", role), ("AttachRolePolicy", attach));
        let (a, b) = if deletes_first { (delete, attach) } else { (attach, delete) };
        match one_wins(race(&house, &gate, a, b).await) {
            "NoSuchEntity" => assert_eq!(refused(&house, "GetRole", role).await.0, "NoSuchEntity"),
            told => {
                assert_eq!(told, "DeleteConflict");
                house.root("iam", "DetachRolePolicy", attach.1).await;
                house.root("iam", "DeleteRole", role).await;
            }
        }
    }
}
