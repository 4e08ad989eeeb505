//! Access keys of users and of root.

use serde_json::{Value, json};

use crate::answers::{each, pages, refusal, refused, refused_to};
use crate::race::{Gate, one_wins, race};
use crate::support::{ACCOUNT, Keys, TestHouse};

/// Where the clock of every test house stands, in Unix seconds.
const NOW: i64 = 1_768_478_400;

async fn works(house: &TestHouse, keys: &Keys) -> bool {
    match house.call(keys, "sts", "GetCallerIdentity", &[]).await {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.code, "InvalidClientTokenId");
            false
        }
    }
}

#[tokio::test]
async fn a_key_is_made_used_put_out_of_use_and_back_and_deleted() {
    let house = TestHouse::new().await;
    house.root("iam", "CreateUser", &[("UserName", "Bob")]).await;
    let made = house.root("iam", "CreateAccessKey", &[("UserName", "bob")]).await["AccessKey"].clone();
    let (id, secret) = (made["AccessKeyId"].as_str().unwrap(), made["SecretAccessKey"].as_str().unwrap());
    assert!(id.starts_with("AKIA") && id.len() == 20, "{id}");
    assert!(secret.len() == 40 && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b"/+".contains(&b)));
    let expected = json!({"UserName": "Bob", "AccessKeyId": id, "Status": "Active", "SecretAccessKey": secret, "CreateDate": NOW});
    assert_eq!(made, expected);
    let keys = Keys::of(&made);
    assert!(works(&house, &keys).await);

    let key = [("UserName", "BOB"), ("AccessKeyId", id)];
    for (status, usable) in [("Inactive", false), ("Inactive", false), ("Active", true)] {
        let params = [key[0], key[1], ("Status", status)];
        assert_eq!(house.root("iam", "UpdateAccessKey", &params).await, Value::Null);
        assert_eq!(works(&house, &keys).await, usable, "{status}");
        let listed = house.root("iam", "ListAccessKeys", &[("UserName", "bob")]).await;
        let metadata = json!({"UserName": "Bob", "AccessKeyId": id, "Status": status, "CreateDate": NOW});
        assert_eq!(listed, json!({"AccessKeyMetadata": [metadata], "IsTruncated": false}));
    }
    assert_eq!(house.root("iam", "DeleteAccessKey", &key).await, Value::Null);
    assert!(!works(&house, &keys).await);
    let gone = refusal("NoSuchEntity", &format!("The Access Key with id {id} cannot be found."));
    assert_eq!(refused(&house, "DeleteAccessKey", &key).await, gone);
    assert_eq!(refused(&house, "UpdateAccessKey", &[key[0], key[1], ("Status", "Active")]).await, gone);
}

#[tokio::test]
async fn nothing_but_create_shows_a_secret() {
    let house = TestHouse::new().await;
    let keys = house.user("bob", None).await;
    let listed = house.root("iam", "ListAccessKeys", &[("UserName", "bob")]).await.to_string();
    let used =
        house.root("iam", "GetAccessKeyLastUsed", &[("AccessKeyId", &keys.access_key_id)]).await.to_string();
    assert!(works(&house, &keys).await);
    let audited = format!("{:?}", house.audit.lock().unwrap());
    assert!(listed.contains(&keys.access_key_id) && audited.contains(&keys.access_key_id));
    for text in [listed, used, audited] {
        assert!(!text.contains(&keys.secret_access_key), "{text}");
    }
}

#[tokio::test]
async fn expired_is_a_status_that_nobody_may_set() {
    let house = TestHouse::new().await;
    let keys = house.user("bob", None).await;
    let id = ("AccessKeyId", keys.access_key_id.as_str());
    let params = [("UserName", "bob"), id, ("Status", "Expired")];
    assert_eq!(refused(&house, "UpdateAccessKey", &params).await.0, "InvalidInput");
    let params = [("UserName", "bob"), id, ("Status", "active")];
    assert_eq!(refused(&house, "UpdateAccessKey", &params).await.0, "ValidationError");
    assert!(works(&house, &keys).await);
}

#[tokio::test]
async fn a_third_key_exceeds_the_quota_whether_the_others_are_in_use_or_not() {
    let house = TestHouse::new().await;
    let first = house.user("bob", None).await;
    let bob = [("UserName", "bob")];
    house.clock.advance(1);
    let second = Keys::of(&house.root("iam", "CreateAccessKey", &bob).await["AccessKey"]);
    let off = [bob[0], ("AccessKeyId", first.access_key_id.as_str()), ("Status", "Inactive")];
    house.root("iam", "UpdateAccessKey", &off).await;
    let over = refusal("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2");
    assert_eq!(refused(&house, "CreateAccessKey", &bob).await, over);
    let listed = house.root("iam", "ListAccessKeys", &bob).await;
    let both = [first.access_key_id.clone(), second.access_key_id];
    assert_eq!(each(&listed["AccessKeyMetadata"], "AccessKeyId"), both);
    let paged = pages(&house, "ListAccessKeys", &bob, "AccessKeyMetadata", "1").await;
    assert_eq!(each(&json!(paged.concat()), "AccessKeyId"), both);
    house.root("iam", "DeleteAccessKey", &off[..2]).await;
    house.root("iam", "CreateAccessKey", &bob).await;
}

#[tokio::test]
async fn without_a_name_a_user_means_itself() {
    let house = TestHouse::new().await;
    let grant = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*AccessKey*","Resource":"arn:aws:iam::111122223333:user/${aws:username}"}]}"#;
    let bob = house.user("bob", Some(grant)).await;
    let eve = house.user("eve", None).await;
    let made = house.call(&bob, "iam", "CreateAccessKey", &[]).await.unwrap()["AccessKey"].clone();
    assert_eq!(made["UserName"], json!("bob"));
    let second = made["AccessKeyId"].as_str().unwrap();
    house
        .call(&bob, "iam", "UpdateAccessKey", &[("AccessKeyId", second), ("Status", "Inactive")])
        .await
        .unwrap();
    let listed = house.call(&bob, "iam", "ListAccessKeys", &[]).await.unwrap();
    assert_eq!(listed["AccessKeyMetadata"].as_array().unwrap().len(), 2);
    house.call(&bob, "iam", "DeleteAccessKey", &[("AccessKeyId", second)]).await.unwrap();

    // Another's key is not reached by its id, and naming the other is another permission.
    let other = ("AccessKeyId", eve.access_key_id.as_str());
    let missing =
        refusal("NoSuchEntity", &format!("The Access Key with id {} cannot be found.", eve.access_key_id));
    assert_eq!(refused_to(&house, &bob, "DeleteAccessKey", &[other]).await, missing);
    assert_eq!(refused_to(&house, &bob, "UpdateAccessKey", &[other, ("Status", "Inactive")]).await, missing);
    for user in ["eve", "none"] {
        let calls: [(&str, &[(&str, &str)]); 4] = [
            ("CreateAccessKey", &[("UserName", user)]),
            ("ListAccessKeys", &[("UserName", user)]),
            ("DeleteAccessKey", &[("UserName", user), other]),
            ("UpdateAccessKey", &[("UserName", user), other, ("Status", "Inactive")]),
        ];
        for (action, params) in calls {
            let denied = refused_to(&house, &bob, action, params).await;
            let message = format!(
                "User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: iam:{action} on resource: user \
                 {user} because no identity-based policy allows the iam:{action} action"
            );
            assert_eq!(denied, refusal("AccessDenied", &message));
        }
    }
    // Not even for itself without a grant.
    assert_eq!(refused_to(&house, &eve, "CreateAccessKey", &[]).await.0, "AccessDenied");
    assert!(works(&house, &eve).await);
}

#[tokio::test]
async fn without_a_name_root_means_itself() {
    let house = TestHouse::new().await;
    let made = house.root("iam", "CreateAccessKey", &[]).await["AccessKey"].clone();
    assert_eq!(made.get("UserName"), None, "root has no user name");
    let second = Keys::of(&made);
    let who = house.call(&second, "sts", "GetCallerIdentity", &[]).await.unwrap();
    assert_eq!(who["Arn"], json!(format!("arn:aws:iam::{ACCOUNT}:root")));
    let over = refusal("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2");
    assert_eq!(refused(&house, "CreateAccessKey", &[]).await, over);

    let first = ("AccessKeyId", house.root.access_key_id.as_str());
    let listed = house.call(&second, "iam", "ListAccessKeys", &[]).await.unwrap();
    assert_eq!(listed["AccessKeyMetadata"].as_array().unwrap().len(), 2);
    assert_eq!(listed["AccessKeyMetadata"][0].get("UserName"), None);
    let used = house.root("iam", "GetAccessKeyLastUsed", &[first]).await;
    assert_eq!(used.get("UserName"), None);
    house.call(&second, "iam", "UpdateAccessKey", &[first, ("Status", "Inactive")]).await.unwrap();
    assert!(!works(&house, &house.root).await);
    house.call(&second, "iam", "DeleteAccessKey", &[first]).await.unwrap();
    let listed = house.call(&second, "iam", "ListAccessKeys", &[]).await.unwrap();
    assert_eq!(each(&listed["AccessKeyMetadata"], "AccessKeyId"), [second.access_key_id]);
}

#[tokio::test]
async fn nobody_else_makes_keys_of_root() {
    let house = TestHouse::new().await;
    let admin = house.user("admin", Some(crate::answers::ALLOW_ALL)).await;
    // Without a name an administrator means itself; there is no name that means root.
    let made = house.call(&admin, "iam", "CreateAccessKey", &[]).await.unwrap();
    assert_eq!(made["AccessKey"]["UserName"], json!("admin"));
    let missing = refusal("NoSuchEntity", "The user with name root cannot be found.");
    assert_eq!(refused_to(&house, &admin, "CreateAccessKey", &[("UserName", "root")]).await, missing);
    let root_key = ("AccessKeyId", house.root.access_key_id.as_str());
    let calls: [(&str, &[(&str, &str)]); 2] =
        [("DeleteAccessKey", &[root_key]), ("UpdateAccessKey", &[root_key, ("Status", "Inactive")])];
    for (action, params) in calls {
        assert_eq!(refused_to(&house, &admin, action, params).await.0, "NoSuchEntity");
    }
    assert!(works(&house, &house.root).await);
}

#[tokio::test]
async fn a_role_must_name_the_user() {
    let house = TestHouse::new().await;
    let bob = house.user("bob", Some(crate::answers::ALLOW_ALL)).await;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"sts:AssumeRole"}]}"#;
    house.root("iam", "CreateRole", &[("RoleName", "admin"), ("AssumeRolePolicyDocument", trust)]).await;
    let all = [("RoleName", "admin"), ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")];
    house.root("iam", "AttachRolePolicy", &all).await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/admin");
    let session = [("RoleArn", role.as_str()), ("RoleSessionName", "session")];
    let session = Keys::of(&house.call(&bob, "sts", "AssumeRole", &session).await.unwrap()["Credentials"]);
    let id = ("AccessKeyId", bob.access_key_id.as_str());
    let must = refusal("ValidationError", "Must specify userName when calling with non-User credentials");
    let calls: [(&str, &[(&str, &str)]); 4] = [
        ("CreateAccessKey", &[]),
        ("ListAccessKeys", &[]),
        ("DeleteAccessKey", &[id]),
        ("UpdateAccessKey", &[id, ("Status", "Inactive")]),
    ];
    for (action, params) in calls {
        assert_eq!(refused_to(&house, &session, action, params).await, must, "{action}");
    }
    house.call(&session, "iam", "ListAccessKeys", &[("UserName", "bob")]).await.unwrap();
}

#[tokio::test]
async fn whose_a_key_is_and_when_it_was_used_and_not_whose_another_accounts_is() {
    let house = TestHouse::new().await;
    let bob = house.user("bob", None).await;
    let key = [("AccessKeyId", bob.access_key_id.as_str())];
    let used = house.root("iam", "GetAccessKeyLastUsed", &key).await;
    assert_eq!(used["UserName"], json!("bob"));
    assert_eq!(used["AccessKeyLastUsed"], json!({"ServiceName": "N/A", "Region": "N/A"}));
    house.clock.advance(90);
    assert!(works(&house, &bob).await);
    let used = house.root("iam", "GetAccessKeyLastUsed", &key).await;
    let expected = json!({"LastUsedDate": NOW + 90, "ServiceName": "sts", "Region": "eu-west-1"});
    assert_eq!(used["AccessKeyLastUsed"], expected);
    // Another account's key, one that never was, and one that is deleted: all alike.
    let other = house.account("444455556666").await;
    let gone = house.user("gone", None).await;
    house.root("iam", "DeleteAccessKey", &[("UserName", "gone"), ("AccessKeyId", &gone.access_key_id)]).await;
    for id in [&other.access_key_id, "AKIAIOSFODNN7EXAMPLE", &gone.access_key_id] {
        let message = format!(
            "User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key {id}"
        );
        assert_eq!(
            refused(&house, "GetAccessKeyLastUsed", &[("AccessKeyId", id)]).await,
            refusal("AccessDenied", &message)
        );
    }
    // Who may not ask cannot tell a key that is there from one that is not.
    for id in [&house.root.access_key_id, &other.access_key_id, "AKIAIOSFODNN7EXAMPLE"] {
        let denied = refused_to(&house, &bob, "GetAccessKeyLastUsed", &[("AccessKeyId", id)]).await;
        let message = format!(
            "User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: iam:GetAccessKeyLastUsed on resource: \
             access key {id} because no identity-based policy allows the iam:GetAccessKeyLastUsed action"
        );
        assert_eq!(denied, refusal("AccessDenied", &message));
    }
}

#[tokio::test]
async fn the_permission_to_ask_about_a_key_is_on_its_owner() {
    let house = TestHouse::new().await;
    let grant = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetAccessKeyLastUsed","Resource":"arn:aws:iam::111122223333:user/team/*"}]}"#;
    let lead = house.user("lead", Some(grant)).await;
    house.root("iam", "CreateUser", &[("UserName", "in"), ("Path", "/team/")]).await;
    let inside = house.root("iam", "CreateAccessKey", &[("UserName", "in")]).await;
    let inside = inside["AccessKey"]["AccessKeyId"].as_str().unwrap();
    house.call(&lead, "iam", "GetAccessKeyLastUsed", &[("AccessKeyId", inside)]).await.unwrap();
    let own = [("AccessKeyId", lead.access_key_id.as_str())];
    assert_eq!(refused_to(&house, &lead, "GetAccessKeyLastUsed", &own).await.0, "AccessDenied");
}

#[tokio::test]
async fn a_user_with_keys_cannot_be_deleted() {
    let house = TestHouse::new().await;
    let keys = house.user("bob", None).await;
    let conflict = refusal("DeleteConflict", "Cannot delete entity, must delete access keys first.");
    assert_eq!(refused(&house, "DeleteUser", &[("UserName", "bob")]).await, conflict);
    house.root("iam", "DeleteAccessKey", &[("UserName", "bob"), ("AccessKeyId", &keys.access_key_id)]).await;
    house.root("iam", "DeleteUser", &[("UserName", "bob")]).await;
    let missing = refusal("NoSuchEntity", "The user with name bob cannot be found.");
    assert_eq!(refused(&house, "CreateAccessKey", &[("UserName", "bob")]).await, missing);
    assert_eq!(refused(&house, "ListAccessKeys", &[("UserName", "bob")]).await, missing);
}

#[tokio::test]
async fn the_id_of_a_deleted_key_stays_taken() {
    let house = TestHouse::new().await;
    let keys = house.user("bob", None).await;
    house.root("iam", "DeleteAccessKey", &[("UserName", "bob"), ("AccessKeyId", &keys.access_key_id)]).await;
    let view = house.house.directory.snapshot();
    let pointer = view.operator().key_owner(&keys.access_key_id.parse().unwrap()).expect("the pointer stays");
    assert_eq!((pointer.account.as_str(), &pointer.owner), (ACCOUNT, &None));
}

#[tokio::test]
async fn a_key_and_the_end_of_its_user_cannot_both_win() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    let bob = [("UserName", "bob")];
    for deleting_first in [true, false] {
        house.root("iam", "CreateUser", &bob).await;
        let (a, b) = (("DeleteUser", &bob[..]), ("CreateAccessKey", &bob[..]));
        let outcomes =
            if deleting_first { race(&house, &gate, a, b).await } else { race(&house, &gate, b, a).await };
        let made = outcomes.iter().flatten().find(|answer| !answer.is_null()).cloned();
        match one_wins(outcomes) {
            "DeleteConflict" => {
                let keys = Keys::of(&made.unwrap()["AccessKey"]);
                assert!(works(&house, &keys).await);
                house.root("iam", "DeleteAccessKey", &[bob[0], ("AccessKeyId", &keys.access_key_id)]).await;
                house.root("iam", "DeleteUser", &bob).await;
            }
            told => assert_eq!(told, "NoSuchEntity"),
        }
    }
}

#[tokio::test]
async fn two_makers_of_the_last_key_do_not_both_win() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    house.user("bob", None).await;
    let bob = [("UserName", "bob")];
    let calls = (("CreateAccessKey", &bob[..]), ("CreateAccessKey", &bob[..]));
    assert_eq!(one_wins(race(&house, &gate, calls.0, calls.1).await), "LimitExceeded");
    let calls: (_, &[_]) = ("CreateAccessKey", &[]);
    assert_eq!(one_wins(race(&house, &gate, calls, calls).await), "LimitExceeded");
}
