//! Inline policies of users, groups and roles.

use serde_json::{Value, json};

use crate::answers::{ALLOW_ALL, ALLOW_ALL_ENCODED, pages, refusal, refused, refused_to};
use crate::race::{Gate, one_wins, race};
use crate::support::{ACCOUNT, TestHouse};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}"#;

/// The kinds of holders: word, member that names one, bytes of inline policies.
const KINDS: [(&str, &str, usize); 3] =
    [("User", "UserName", 2048), ("Group", "GroupName", 5120), ("Role", "RoleName", 10_240)];

async fn make(house: &TestHouse, kind: &str, member: &str, name: &str) {
    let action = format!("Create{kind}");
    let mut params = vec![(member, name)];
    if kind == "Role" {
        params.push(("AssumeRolePolicyDocument", TRUST));
    }
    house.root("iam", &action, &params).await;
}

#[tokio::test]
async fn a_policy_is_put_read_listed_and_deleted_on_every_kind() {
    let house = TestHouse::new().await;
    for (kind, member, _) in KINDS {
        make(&house, kind, member, "Bob").await;
        let (put, get) = (format!("Put{kind}Policy"), format!("Get{kind}Policy"));
        let (delete, list) = (format!("Delete{kind}Policy"), format!("List{kind}Policies"));
        let nothing = house.root("iam", &list, &[(member, "bob")]).await;
        assert_eq!(nothing, json!({"PolicyNames": [], "IsTruncated": false}), "{kind}");

        let put_params = [(member, "bob"), ("PolicyName", "Access"), ("PolicyDocument", ALLOW_ALL)];
        assert_eq!(house.root("iam", &put, &put_params).await, Value::Null);
        let read = house.root("iam", &get, &[(member, "BOB"), ("PolicyName", "Access")]).await;
        let expected = json!({member: "Bob", "PolicyName": "Access", "PolicyDocument": ALLOW_ALL_ENCODED});
        assert_eq!(read, expected, "{kind}");
        let listed = house.root("iam", &list, &[(member, "Bob")]).await;
        assert_eq!(listed, json!({"PolicyNames": ["Access"], "IsTruncated": false}));

        house.root("iam", &delete, &[(member, "Bob"), ("PolicyName", "ACCESS")]).await;
        let word = kind.to_lowercase();
        let gone = refusal("NoSuchEntity", &format!("The {word} policy with name Access cannot be found."));
        for action in [&get, &delete] {
            assert_eq!(refused(&house, action, &[(member, "Bob"), ("PolicyName", "Access")]).await, gone);
        }
    }
}

#[tokio::test]
async fn a_name_in_another_case_replaces_the_text_and_keeps_the_first_spelling() {
    let house = TestHouse::new().await;
    make(&house, "Group", "GroupName", "Dev").await;
    let deny = r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    for (name, text) in [("Access", ALLOW_ALL), ("ACCESS", deny)] {
        let params = [("GroupName", "Dev"), ("PolicyName", name), ("PolicyDocument", text)];
        house.root("iam", "PutGroupPolicy", &params).await;
    }
    let listed = house.root("iam", "ListGroupPolicies", &[("GroupName", "Dev")]).await;
    assert_eq!(listed["PolicyNames"], json!(["Access"]));
    let read = house.root("iam", "GetGroupPolicy", &[("GroupName", "Dev"), ("PolicyName", "aCCess")]).await;
    assert_eq!(read["PolicyName"], "aCCess", "the name is echoed as asked for");
    assert!(read["PolicyDocument"].as_str().unwrap().contains("Deny"));
}

#[tokio::test]
async fn what_is_put_is_shown_to_the_letter_and_holds_at_once() {
    let house = TestHouse::new().await;
    let keys = house.user("bob", None).await;
    let get_user = [("UserName", "bob")];
    let denied = refused_to(&house, &keys, "GetUser", &get_user).await;
    let user = format!("arn:aws:iam::{ACCOUNT}:user/bob");
    let message = format!(
        "User: {user} is not authorized to perform: iam:GetUser on resource: user bob because no identity-based \
         policy allows the iam:GetUser action"
    );
    assert_eq!(denied, refusal("AccessDenied", &message));
    // No Version, odd white space, a character beyond ASCII: all of it comes back.
    let text = "{ \"Statement\":\n\t[{\"Sid\":\"a\",\"Effect\":\"Allow\",\"Action\":\"iam:GetUser\",\"Resource\":\"*\",\
                \"Condition\":{\"StringNotEquals\":{\"aws:UserAgent\":\"é~\"}}}]}";
    let put = [("UserName", "bob"), ("PolicyName", "p"), ("PolicyDocument", text)];
    house.root("iam", "PutUserPolicy", &put).await;
    house.call(&keys, "iam", "GetUser", &get_user).await.unwrap();
    let read = house.root("iam", "GetUserPolicy", &put[..2]).await;
    let shown = read["PolicyDocument"].as_str().unwrap();
    assert!(shown.starts_with("%7B%20%22Statement%22%3A%0A%09%5B") && shown.contains("%C3%A9~"), "{shown}");
    house.root("iam", "DeleteUserPolicy", &put[..2]).await;
    assert_eq!(refused_to(&house, &keys, "GetUser", &get_user).await.0, "AccessDenied");
}

#[tokio::test]
async fn a_holder_that_is_not_there_is_no_such_entity() {
    let house = TestHouse::new().await;
    for (kind, member, _) in KINDS {
        let missing = format!("The {} with name none cannot be found.", kind.to_lowercase());
        let (name, text) = (("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL));
        let calls: [(String, Vec<(&str, &str)>); 4] = [
            (format!("Put{kind}Policy"), vec![(member, "none"), name, text]),
            (format!("Get{kind}Policy"), vec![(member, "none"), name]),
            (format!("Delete{kind}Policy"), vec![(member, "none"), name]),
            (format!("List{kind}Policies"), vec![(member, "none")]),
        ];
        for (action, params) in calls {
            assert_eq!(
                refused(&house, &action, &params).await,
                refusal("NoSuchEntity", &missing),
                "{action}"
            );
        }
    }
}

#[tokio::test]
async fn a_malformed_document_is_refused_with_awss_sentence() {
    let house = TestHouse::new().await;
    make(&house, "User", "UserName", "bob").await;
    let cases = [
        ("{", "Syntax errors in policy."),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#,
            "Policy document should not specify a principal.",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*"}]}"#,
            "Policy statement must contain resources.",
        ),
    ];
    for (text, message) in cases {
        let params = [("UserName", "bob"), ("PolicyName", "p"), ("PolicyDocument", text)];
        assert_eq!(
            refused(&house, "PutUserPolicy", &params).await,
            refusal("MalformedPolicyDocument", message)
        );
    }
    let listed = house.root("iam", "ListUserPolicies", &[("UserName", "bob")]).await;
    assert_eq!(listed["PolicyNames"], json!([]));
}

#[tokio::test]
async fn all_inline_policies_of_a_holder_together_have_a_bound() {
    let house = TestHouse::new().await;
    for (kind, member, max) in KINDS {
        make(&house, kind, member, "Full").await;
        let text = |size: usize, gap: usize| {
            let (before, after) =
                (r#"{"Statement":[{"Sid":""#, r#"","Effect":"Allow","Action":"*","Resource":"*"}]}"#);
            let sid = "a".repeat(size - before.len() - after.len());
            format!("{before}{sid}{after}{}", " ".repeat(gap))
        };
        let put = format!("Put{kind}Policy");
        let texts = [text(max + 1, 0), text(max - 500, 3000), text(501, 0), text(500, 0), text(max - 500, 0)];
        let params =
            |name, n: usize| [(member, "full"), ("PolicyName", name), ("PolicyDocument", texts[n].as_str())];
        let message = format!("Maximum policy size of {max} bytes exceeded for {} Full", kind.to_lowercase());
        let over = refusal("LimitExceeded", &message);
        assert_eq!(refused(&house, &put, &params("a", 0)).await, over);
        // White space between tokens does not count; two policies share the room.
        house.root("iam", &put, &params("a", 1)).await;
        assert_eq!(refused(&house, &put, &params("b", 2)).await, over);
        house.root("iam", &put, &params("b", 3)).await;
        // A replaced text counts once.
        house.root("iam", &put, &params("A", 4)).await;
    }
}

#[tokio::test]
async fn names_come_sorted_in_pages_whose_markers_are_for_that_list_alone() {
    let house = TestHouse::new().await;
    for user in ["bob", "eve"] {
        make(&house, "User", "UserName", user).await;
        for name in ["c", "A", "b", "D", "e"] {
            let text = r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
            let params = [("UserName", user), ("PolicyName", name), ("PolicyDocument", text)];
            house.root("iam", "PutUserPolicy", &params).await;
        }
    }
    let got = pages(&house, "ListUserPolicies", &[("UserName", "Bob")], "PolicyNames", "2").await;
    assert_eq!(got, [vec![json!("A"), json!("b")], vec![json!("c"), json!("D")], vec![json!("e")]]);

    let first = house.root("iam", "ListUserPolicies", &[("UserName", "bob"), ("MaxItems", "1")]).await;
    let marker = first["Marker"].as_str().unwrap();
    // Another spelling of the same user and another page size go on where the marker stands.
    let next = [("UserName", "BOB"), ("MaxItems", "3"), ("Marker", marker)];
    assert_eq!(house.root("iam", "ListUserPolicies", &next).await["PolicyNames"], json!(["b", "c", "D"]));
    let invalid = refusal("ValidationError", "Invalid Marker.");
    assert_eq!(
        refused(&house, "ListUserPolicies", &[("UserName", "eve"), ("Marker", marker)]).await,
        invalid
    );
    assert_eq!(refused(&house, "ListUserPolicies", &[("UserName", "bob"), ("Marker", "x")]).await, invalid);
}

#[tokio::test]
async fn a_parameter_of_another_kind_is_refused() {
    let house = TestHouse::new().await;
    make(&house, "User", "UserName", "bob").await;
    let params = [("GroupName", "bob"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    assert_eq!(refused(&house, "PutUserPolicy", &params).await.0, "ValidationError");
}

#[tokio::test]
async fn nobody_changes_policies_beyond_what_the_boundary_condition_allows() {
    // The well-known delegation: put policies only on users that carry the boundary.
    let house = TestHouse::new().await;
    let boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let delegation = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["iam:PutUserPolicy","iam:DeleteUserPolicy"],"Resource":"*","Condition":{{"StringEquals":{{"iam:PermissionsBoundary":"{boundary}"}}}}}}]}}"#
    );
    let keys = house.user("admin", Some(&delegation)).await;
    house.root("iam", "CreateUser", &[("UserName", "free")]).await;
    house.root("iam", "CreateUser", &[("UserName", "bound"), ("PermissionsBoundary", boundary)]).await;
    for (user, allowed) in [("free", false), ("bound", true), ("none", false), ("admin", false)] {
        let put = [("UserName", user), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
        let done = house.call(&keys, "iam", "PutUserPolicy", &put).await;
        assert_eq!(done.is_ok(), allowed, "{user}: {done:?}");
        // A missing user is no different from one that is not allowed.
        let done = house.call(&keys, "iam", "DeleteUserPolicy", &put[..2]).await;
        assert_eq!(done.is_ok(), allowed, "{user}: {done:?}");
    }
}

#[tokio::test]
async fn a_policy_and_the_end_of_its_holder_cannot_both_win() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    for (kind, member, _) in KINDS {
        let (put, delete) = (format!("Put{kind}Policy"), format!("Delete{kind}"));
        let holder = [(member, "x")];
        let policy = [(member, "x"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
        for calls in
            [[(&*put, &policy[..]), (&*delete, &holder[..])], [(&*delete, &holder[..]), (&*put, &policy[..])]]
        {
            make(&house, kind, member, "x").await;
            let told = one_wins(race(&house, &gate, calls[0], calls[1]).await);
            if told == "DeleteConflict" {
                house.root("iam", &format!("Delete{kind}Policy"), &policy[..2]).await;
                house.root("iam", &delete, &holder).await;
            } else {
                assert_eq!(told, "NoSuchEntity", "{kind}");
            }
        }
    }
}

#[tokio::test]
async fn two_policies_put_at_once_do_not_share_the_last_room() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    make(&house, "User", "UserName", "bob").await;
    let text = format!(
        r#"{{"Statement":[{{"Sid":"{}","Effect":"Deny","Action":"*","Resource":"*"}}]}}"#,
        "a".repeat(1000)
    );
    let a = [("UserName", "bob"), ("PolicyName", "a"), ("PolicyDocument", text.as_str())];
    let b = [("UserName", "bob"), ("PolicyName", "b"), ("PolicyDocument", text.as_str())];
    let told = one_wins(race(&house, &gate, ("PutUserPolicy", &a), ("PutUserPolicy", &b)).await);
    assert_eq!(told, "LimitExceeded");
}
