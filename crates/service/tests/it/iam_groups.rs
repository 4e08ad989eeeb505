//! Groups and their members.

use serde_json::{Value, json};

use crate::answers::{each, refusal, refused};
use crate::race::{Gate, one_wins, race};
use crate::support::{ACCOUNT, TestHouse};

#[tokio::test]
async fn a_group_is_made_read_in_any_case_renamed_and_deleted() {
    let house = TestHouse::new().await;
    let made = house.root("iam", "CreateGroup", &[("GroupName", "Dev"), ("Path", "/div/")]).await;
    let group = &made["Group"];
    let id = group["GroupId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("AGPA") && id.len() == 21, "{id}");
    let expected = json!({
        "Path": "/div/", "GroupName": "Dev", "GroupId": id,
        "Arn": format!("arn:aws:iam::{ACCOUNT}:group/div/Dev"), "CreateDate": 1_768_478_400,
    });
    assert_eq!(*group, expected);

    let read = house.root("iam", "GetGroup", &[("GroupName", "dEV")]).await;
    assert_eq!(read, json!({"Group": expected, "Users": [], "IsTruncated": false}));

    let params = [("GroupName", "dev"), ("NewGroupName", "Ops"), ("NewPath", "/")];
    assert_eq!(house.root("iam", "UpdateGroup", &params).await, Value::Null);
    let read = house.root("iam", "GetGroup", &[("GroupName", "Ops")]).await;
    assert_eq!(read["Group"]["GroupId"], json!(id));
    assert_eq!(read["Group"]["Arn"], json!(format!("arn:aws:iam::{ACCOUNT}:group/Ops")));
    let gone = refused(&house, "GetGroup", &[("GroupName", "Dev")]).await;
    assert_eq!(gone, refusal("NoSuchEntity", "The group with name Dev cannot be found."));

    house.root("iam", "DeleteGroup", &[("GroupName", "OPS")]).await;
    let gone = refused(&house, "DeleteGroup", &[("GroupName", "Ops")]).await;
    assert_eq!(gone, refusal("NoSuchEntity", "The group with name Ops cannot be found."));
}

#[tokio::test]
async fn a_name_is_taken_in_every_case_and_under_every_path() {
    let house = TestHouse::new().await;
    house.root("iam", "CreateGroup", &[("GroupName", "Dev")]).await;
    house.root("iam", "CreateGroup", &[("GroupName", "Ops")]).await;
    let taken = refusal("EntityAlreadyExists", "Group with name DEV already exists.");
    assert_eq!(refused(&house, "CreateGroup", &[("GroupName", "DEV"), ("Path", "/x/")]).await, taken);
    assert_eq!(refused(&house, "UpdateGroup", &[("GroupName", "Ops"), ("NewGroupName", "DEV")]).await, taken);
    // Its own name in another case is free.
    house.root("iam", "UpdateGroup", &[("GroupName", "Dev"), ("NewGroupName", "dev")]).await;
    let groups = house.root("iam", "ListGroups", &[]).await;
    assert_eq!(each(&groups["Groups"], "GroupName"), ["dev", "Ops"]);
}

#[tokio::test]
async fn members_come_and_go_and_repeating_either_changes_nothing() {
    let house = TestHouse::new().await;
    house.root("iam", "CreateGroup", &[("GroupName", "Dev")]).await;
    let tags = [("UserName", "Bob"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    house.root("iam", "CreateUser", &tags).await;
    let both = [("GroupName", "dev"), ("UserName", "bob")];
    for _ in 0..2 {
        assert_eq!(house.root("iam", "AddUserToGroup", &both).await, Value::Null);
    }
    let read = house.root("iam", "GetGroup", &[("GroupName", "Dev")]).await;
    assert_eq!(each(&read["Users"], "UserName"), ["Bob"]);
    assert_eq!(read["Users"][0].get("Tags"), None, "lists of users show no tags");
    let groups = house.root("iam", "ListGroupsForUser", &[("UserName", "bob")]).await;
    assert_eq!(each(&groups["Groups"], "GroupName"), ["Dev"]);
    assert_eq!(groups["IsTruncated"], json!(false));
    for _ in 0..2 {
        assert_eq!(house.root("iam", "RemoveUserFromGroup", &both).await, Value::Null);
    }
    let groups = house.root("iam", "ListGroupsForUser", &[("UserName", "Bob")]).await;
    assert_eq!(groups["Groups"], json!([]));

    let no_user = refusal("NoSuchEntity", "The user with name eve cannot be found.");
    let no_group = refusal("NoSuchEntity", "The group with name none cannot be found.");
    for action in ["AddUserToGroup", "RemoveUserFromGroup"] {
        assert_eq!(refused(&house, action, &[("GroupName", "Dev"), ("UserName", "eve")]).await, no_user);
        assert_eq!(refused(&house, action, &[("GroupName", "none"), ("UserName", "Bob")]).await, no_group);
    }
    let neither = [("GroupName", "none"), ("UserName", "eve")];
    assert_eq!(refused(&house, "RemoveUserFromGroup", &neither).await, no_user, "as recorded from AWS");
    assert_eq!(refused(&house, "ListGroupsForUser", &[("UserName", "eve")]).await, no_user);
}

#[tokio::test]
async fn a_group_with_members_or_policies_cannot_be_deleted_nor_a_member() {
    let house = TestHouse::new().await;
    let group = [("GroupName", "Dev")];
    house.root("iam", "CreateGroup", &group).await;
    house.root("iam", "CreateUser", &[("UserName", "bob")]).await;
    let both = [("GroupName", "Dev"), ("UserName", "bob")];
    house.root("iam", "AddUserToGroup", &both).await;
    let conflict = refusal("DeleteConflict", "Cannot delete entity, must remove users from group first.");
    assert_eq!(refused(&house, "DeleteGroup", &group).await, conflict);
    assert_eq!(refused(&house, "DeleteUser", &[("UserName", "bob")]).await, conflict);
    house.root("iam", "RemoveUserFromGroup", &both).await;

    let inline = [("GroupName", "Dev"), ("PolicyName", "p"), ("PolicyDocument", ALLOW)];
    house.root("iam", "PutGroupPolicy", &inline).await;
    let conflict = refusal("DeleteConflict", "Cannot delete entity, must delete policies first.");
    assert_eq!(refused(&house, "DeleteGroup", &group).await, conflict);
    house.root("iam", "DeleteGroupPolicy", &[("GroupName", "Dev"), ("PolicyName", "p")]).await;

    let attached = [("GroupName", "Dev"), ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")];
    house.root("iam", "AttachGroupPolicy", &attached).await;
    let conflict = refusal("DeleteConflict", "Cannot delete entity, must detach all policies first.");
    assert_eq!(refused(&house, "DeleteGroup", &group).await, conflict);
    house.root("iam", "DetachGroupPolicy", &attached).await;
    house.root("iam", "DeleteGroup", &group).await;
}

const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListGroups","Resource":"*"}}"#;

#[tokio::test]
async fn the_policies_of_a_group_hold_for_its_members_and_nobody_else() {
    let house = TestHouse::new().await;
    house.root("iam", "CreateGroup", &[("GroupName", "Dev")]).await;
    let inline = [("GroupName", "Dev"), ("PolicyName", "p"), ("PolicyDocument", ALLOW)];
    house.root("iam", "PutGroupPolicy", &inline).await;
    let bob = house.user("bob", None).await;
    let both = [("GroupName", "Dev"), ("UserName", "bob")];
    let denied = house.call(&bob, "iam", "ListGroups", &[]).await.unwrap_err();
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: iam:ListGroups on resource: \
         arn:aws:iam::{ACCOUNT}:group/ because no identity-based policy allows the iam:ListGroups action"
    );
    assert_eq!((denied.code, denied.message), ("AccessDenied", message.clone()));
    house.root("iam", "AddUserToGroup", &both).await;
    house.call(&bob, "iam", "ListGroups", &[]).await.unwrap();
    house.root("iam", "RemoveUserFromGroup", &both).await;
    assert_eq!(house.call(&bob, "iam", "ListGroups", &[]).await.unwrap_err().message, message);
}

#[tokio::test]
async fn who_may_not_ask_does_not_learn_whether_a_group_exists() {
    let house = TestHouse::new().await;
    house.root("iam", "CreateGroup", &[("GroupName", "Dev")]).await;
    let bob = house.user("bob", None).await;
    for name in ["Dev", "none"] {
        for (action, more) in
            [("GetGroup", None), ("DeleteGroup", None), ("AddUserToGroup", Some(("UserName", "x")))]
        {
            let params: Vec<_> = std::iter::once(("GroupName", name)).chain(more).collect();
            let denied = house.call(&bob, "iam", action, &params).await.unwrap_err();
            let message = format!(
                "User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: iam:{action} on resource: \
                 group {name} because no identity-based policy allows the iam:{action} action"
            );
            assert_eq!((denied.code, denied.message), ("AccessDenied", message));
        }
    }
}

#[tokio::test]
async fn moving_a_group_needs_the_permission_at_both_places() {
    let house = TestHouse::new().await;
    house.root("iam", "CreateGroup", &[("GroupName", "Dev"), ("Path", "/a/")]).await;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"iam:UpdateGroup","Resource":"arn:aws:iam::{ACCOUNT}:group/a/*"}}}}"#
    );
    let bob = house.user("bob", Some(&policy)).await;
    let away = house.call(&bob, "iam", "UpdateGroup", &[("GroupName", "Dev"), ("NewPath", "/b/")]).await;
    assert_eq!(away.unwrap_err().code, "AccessDenied");
    house.call(&bob, "iam", "UpdateGroup", &[("GroupName", "Dev"), ("NewGroupName", "Ops")]).await.unwrap();
    house.root("iam", "UpdateGroup", &[("GroupName", "Ops"), ("NewPath", "/b/")]).await;
    let back = house.call(&bob, "iam", "UpdateGroup", &[("GroupName", "Ops"), ("NewPath", "/a/")]).await;
    assert_eq!(back.unwrap_err().code, "AccessDenied");
}

#[tokio::test]
async fn a_user_is_in_at_most_ten_groups() {
    let house = TestHouse::new().await;
    house.root("iam", "CreateUser", &[("UserName", "bob")]).await;
    for n in 0..11 {
        let group = format!("g{n}");
        house.root("iam", "CreateGroup", &[("GroupName", &group)]).await;
        let add = [("GroupName", group.as_str()), ("UserName", "bob")];
        if n < 10 {
            house.root("iam", "AddUserToGroup", &add).await;
        } else {
            let full = refusal("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10");
            assert_eq!(refused(&house, "AddUserToGroup", &add).await, full);
        }
    }
    // Adding a member again takes no room.
    house.root("iam", "AddUserToGroup", &[("GroupName", "g0"), ("UserName", "bob")]).await;
}

#[tokio::test]
async fn the_last_group_of_the_quota_is_made_once() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    for n in 0..299 {
        house.root("iam", "CreateGroup", &[("GroupName", &format!("g{n}"))]).await;
    }
    let outcomes = race(
        &house,
        &gate,
        ("CreateGroup", &[("GroupName", "one")]),
        ("CreateGroup", &[("GroupName", "other")]),
    );
    assert_eq!(one_wins(outcomes.await), "LimitExceeded");
    let full = refusal("LimitExceeded", "Cannot exceed quota for GroupsPerAccount: 300");
    assert_eq!(refused(&house, "CreateGroup", &[("GroupName", "more")]).await, full);
}

#[tokio::test]
async fn lists_come_in_pages_by_name_and_markers_fit_only_their_list() {
    let house = TestHouse::new().await;
    for (name, path) in [("b", "/x/"), ("C", "/x/"), ("a", "/x/y/"), ("d", "/")] {
        house.root("iam", "CreateGroup", &[("GroupName", name), ("Path", path)]).await;
    }
    let first = house.root("iam", "ListGroups", &[("PathPrefix", "/x/"), ("MaxItems", "2")]).await;
    assert_eq!(each(&first["Groups"], "GroupName"), ["a", "b"]);
    assert_eq!(first["IsTruncated"], json!(true));
    let marker = first["Marker"].as_str().unwrap();
    let rest = house.root("iam", "ListGroups", &[("PathPrefix", "/x/"), ("Marker", marker)]).await;
    assert_eq!(each(&rest["Groups"], "GroupName"), ["C"]);
    assert_eq!((&rest["IsTruncated"], rest.get("Marker")), (&json!(false), None));
    let invalid = refusal("ValidationError", "Invalid Marker.");
    assert_eq!(refused(&house, "ListGroups", &[("Marker", marker)]).await, invalid);
    assert_eq!(refused(&house, "GetGroup", &[("GroupName", "a"), ("Marker", marker)]).await, invalid);
    assert_eq!(refused(&house, "ListGroups", &[("PathPrefix", "/x/"), ("Marker", "b")]).await, invalid);
}

#[tokio::test]
async fn the_members_of_a_group_come_in_pages_by_name() {
    let house = TestHouse::new().await;
    house.root("iam", "CreateGroup", &[("GroupName", "Dev")]).await;
    for name in ["Zoe", "adam", "Mia", "bob", "Eve"] {
        house.root("iam", "CreateUser", &[("UserName", name)]).await;
        house.root("iam", "AddUserToGroup", &[("GroupName", "Dev"), ("UserName", name)]).await;
    }
    let mut seen = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        // Another spelling of the same selection may follow.
        let name = if marker.is_none() { "Dev" } else { "DEV" };
        let mut params = vec![("GroupName", name), ("MaxItems", "2")];
        params.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = house.root("iam", "GetGroup", &params).await;
        seen.extend(each(&page["Users"], "UserName"));
        assert!(seen.len() <= 5);
        match page["Marker"].as_str() {
            Some(next) => marker = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(seen, ["adam", "bob", "Eve", "Mia", "Zoe"]);
}

#[tokio::test]
async fn deleting_a_group_and_adding_a_member_cannot_both_win() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    house.root("iam", "CreateUser", &[("UserName", "bob")]).await;
    let both: &[(&str, &str)] = &[("GroupName", "Dev"), ("UserName", "bob")];
    for deletes_first in [true, false] {
        house.root("iam", "CreateGroup", &[("GroupName", "Dev")]).await;
        let (delete, add) = (("DeleteGroup", &both[..1]), ("AddUserToGroup", both));
        let (a, b) = if deletes_first { (delete, add) } else { (add, delete) };
        let told = one_wins(race(&house, &gate, a, b).await);
        let groups = house.root("iam", "ListGroupsForUser", &[("UserName", "bob")]).await;
        if groups["Groups"] == json!([]) {
            assert_eq!(told, "NoSuchEntity");
            assert_eq!(refused(&house, "GetGroup", &both[..1]).await.0, "NoSuchEntity");
        } else {
            assert_eq!(told, "DeleteConflict");
            house.root("iam", "RemoveUserFromGroup", both).await;
            house.root("iam", "DeleteGroup", &both[..1]).await;
        }
    }
}

#[tokio::test]
async fn a_name_is_given_once_even_to_calls_at_the_same_time() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    let one: &[(&str, &str)] = &[("GroupName", "Dev")];
    let other: &[(&str, &str)] = &[("GroupName", "DEV"), ("Path", "/x/")];
    let told = one_wins(race(&house, &gate, ("CreateGroup", one), ("CreateGroup", other)).await);
    assert_eq!(told, "EntityAlreadyExists");
}
