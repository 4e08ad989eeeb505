//! Rights that go while a write is on its way: the write is decided again, and nothing is made after them.

use daypass_model::{AccessKeyId, Secret};
use serde_json::json;

use crate::answers::{ALLOW_ALL, DENY_ALL};
use crate::attacks::user_with_everything;
use crate::phone::Phone;
use crate::race::{Call, Gate};
use crate::sessions::{TRUST, assumed, role};
use crate::support::{ACCOUNT, Keys, OTHER, TestHouse};

const DENIED: &str = "AccessDenied";
const INVALID: &str = "InvalidClientTokenId";

/// How Bob, who may do all because of one thing, loses that.
struct Way {
    name: &'static str,
    policy: Option<&'static str>,
    before: &'static [Call<'static>],
    revoked_by: Call<'static>,
}

const POLICY: &str = "arn:aws:iam::111122223333:policy/all";
const BOB: (&str, &str) = ("UserName", "Bob");
const CREW: (&str, &str) = ("GroupName", "crew");
const INLINE: (&str, &str) = ("PolicyName", "p");
/// Attached or a boundary, it allows nothing from then on.
const DENYING_VERSION: Call<'static> =
    ("CreatePolicyVersion", &[("PolicyArn", POLICY), ("PolicyDocument", DENY_ALL), ("SetAsDefault", "true")]);
const ATTACHED: &[Call<'static>] = &[MANAGED, ("AttachUserPolicy", &[BOB, ("PolicyArn", POLICY)])];
const IN_A_GROUP: &[Call<'static>] = &[
    ("CreateGroup", &[CREW]),
    ("PutGroupPolicy", &[CREW, INLINE, ("PolicyDocument", ALLOW_ALL)]),
    ("AddUserToGroup", &[CREW, BOB]),
];
const MANAGED: Call<'static> = ("CreatePolicy", &[("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);

const WAYS: &[Way] = &[
    Way {
        name: "inline policy",
        policy: Some(ALLOW_ALL),
        before: &[],
        revoked_by: ("DeleteUserPolicy", &[BOB, INLINE]),
    },
    Way {
        name: "a Deny beside it",
        policy: Some(ALLOW_ALL),
        before: &[],
        revoked_by: ("PutUserPolicy", &[BOB, ("PolicyName", "no"), ("PolicyDocument", DENY_ALL)]),
    },
    Way {
        name: "attached policy",
        policy: None,
        before: ATTACHED,
        revoked_by: ("DetachUserPolicy", &[BOB, ("PolicyArn", POLICY)]),
    },
    Way { name: "version of it", policy: None, before: ATTACHED, revoked_by: DENYING_VERSION },
    Way {
        name: "membership",
        policy: None,
        before: IN_A_GROUP,
        revoked_by: ("RemoveUserFromGroup", &[CREW, BOB]),
    },
    Way {
        name: "policy of the group",
        policy: None,
        before: IN_A_GROUP,
        revoked_by: ("DeleteGroupPolicy", &[CREW, INLINE]),
    },
    Way {
        name: "version of what the group has",
        policy: None,
        before: &[
            MANAGED,
            ("CreateGroup", &[CREW]),
            ("AttachGroupPolicy", &[CREW, ("PolicyArn", POLICY)]),
            ("AddUserToGroup", &[CREW, BOB]),
        ],
        revoked_by: DENYING_VERSION,
    },
    Way {
        name: "boundary",
        policy: Some(ALLOW_ALL),
        before: &[],
        revoked_by: (
            "PutUserPermissionsBoundary",
            &[BOB, ("PermissionsBoundary", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")],
        ),
    },
    Way {
        name: "version of the boundary",
        policy: Some(ALLOW_ALL),
        before: &[MANAGED, ("PutUserPermissionsBoundary", &[BOB, ("PermissionsBoundary", POLICY)])],
        revoked_by: DENYING_VERSION,
    },
];

/// The write of `who` reaches the store before `revoke` does, whose commit is made first; what the writer is told.
async fn late(house: &TestHouse, gate: &Gate, who: &Keys, revoke: Call<'_>) -> &'static str {
    let revoke = async { house.call(&house.root, "iam", revoke.0, revoke.1).await.map(drop).unwrap() };
    late_behind(house, gate, who, revoke).await
}

/// The same, behind anything that commits once.
async fn late_behind(
    house: &TestHouse,
    gate: &Gate,
    who: &Keys,
    revoke: impl Future<Output = ()>,
) -> &'static str {
    gate.arm();
    let written = house.call(who, "iam", "CreateUser", &[("UserName", "late")]);
    let (written, ()) = tokio::join!(written, revoke);
    let there = house.call(&house.root, "iam", "GetUser", &[("UserName", "late")]).await;
    assert_eq!(there.unwrap_err().code, "NoSuchEntity");
    written.unwrap_err().code
}

#[tokio::test]
async fn no_write_is_made_after_the_right_to_it_is_gone() {
    for way in WAYS {
        let gate = Gate::new();
        let house = TestHouse::on(gate.clone()).await;
        let bob = house.user("Bob", way.policy).await;
        for (action, params) in way.before {
            house.root("iam", action, params).await;
        }
        house.call(&bob, "iam", "CreateUser", &[("UserName", "early")]).await.unwrap();
        assert_eq!(late(&house, &gate, &bob, way.revoked_by).await, DENIED, "{}", way.name);
    }
}

#[tokio::test]
async fn no_write_is_made_with_a_key_that_was_deactivated_before() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    let bob = house.user("Bob", Some(ALLOW_ALL)).await;
    let revoke = [BOB, ("AccessKeyId", bob.access_key_id.as_str()), ("Status", "Inactive")];
    assert_eq!(late(&house, &gate, &bob, ("UpdateAccessKey", &revoke)).await, INVALID);
}

/// Other sessions write nothing without MFA.
#[tokio::test]
async fn no_write_is_made_by_a_role_session_whose_rights_are_gone() {
    let of_role: Call<'_> = ("DeleteRolePolicy", &[("RoleName", "Crew"), INLINE]);
    for (passed, revoke) in [(&[][..], of_role), (&[("PolicyArns.member.1.arn", POLICY)], DENYING_VERSION)] {
        let gate = Gate::new();
        let house = TestHouse::on(gate.clone()).await;
        let bob = house.user("Bob", Some(ALLOW_ALL)).await;
        house.root("iam", MANAGED.0, MANAGED.1).await;
        role(&house, "Crew", TRUST, ALLOW_ALL, &[]).await;
        let session = assumed(&house, &bob, "Crew", passed).await;
        assert_eq!(late(&house, &gate, &session, revoke).await, DENIED, "{}", revoke.0);
    }
}

/// A role of the account in the hands of another account's user ends with that account.
#[tokio::test]
async fn no_write_is_made_by_a_session_whose_account_of_origin_was_closed() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    let other = house.account(OTHER).await;
    role(&house, "Crew", &TRUST.replace(ACCOUNT, OTHER), ALLOW_ALL, &[]).await;
    let session = assumed(&house, &user_with_everything(&house, &other).await, "Crew", &[]).await;
    house.call(&session, "iam", "CreateUser", &[("UserName", "early")]).await.unwrap();
    let close = async {
        house.house.directory.close_account(OTHER.parse().unwrap(), "r").await.unwrap();
    };
    assert_eq!(late_behind(&house, &gate, &session, close).await, "ExpiredToken");
}

/// The id of a root key that the environment pinned has any account's number written in it.
#[tokio::test]
async fn a_session_of_a_pinned_root_key_is_of_its_own_account_alone() {
    const PINNED: &str = "AKIAIOSFODNN7EXAMPLE";
    let mut house = TestHouse::new().await;
    let directory = house.house.directory.clone();
    let (id, secret) = (PINNED.parse::<AccessKeyId>().unwrap(), Secret::new("s".repeat(40)));
    let written_in_it = id.account().unwrap();
    let record = directory.seal_access_key(id, &secret, 0).unwrap();
    directory.create_account(OTHER.parse().unwrap(), record, "r").await.unwrap();
    house.root = Keys::of(&json!({"AccessKeyId": PINNED, "SecretAccessKey": secret.expose_str()}));
    let phone = Phone::new(&house, "Phone", &[]).await;
    phone.enable(&house, &house.root, OTHER, -2).await.unwrap();
    let session = phone.session(&house, &house.root, &phone.code(0)).await.unwrap();
    house.call(&session, "iam", "CreateUser", &[("UserName", "one")]).await.unwrap();
    house.account(written_in_it.as_str()).await;
    directory.close_account(written_in_it, "r").await.unwrap();
    house.call(&session, "iam", "CreateUser", &[("UserName", "two")]).await.unwrap();
    let found = house.call_json(&house.root, "ListSessions", &json!({"AccessKeyId": PINNED})).await.unwrap();
    assert_eq!(found["Sessions"].as_array().unwrap().len(), 1, "{found}");
}
