//! Passwords of users: made, changed, remembered, taken away; who may, how often, and what is kept of them.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Waker};

use daypass_authn::token::SessionKind;
use daypass_directory::LoginProfile;
use daypass_model::Secret;
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::answers::{ALLOW_ALL, DENY_ALL, Refusal, refusal, refused, refused_to};
use crate::examples::{OTHER_PASSWORD, PASSWORD};
use crate::explained::explain;
use crate::race::{Gate, one_wins, race};
use crate::support::{ACCOUNT, Keys, TestHouse};
use crate::world::World;

const THIRD_PASSWORD: &str = "Th1rd-password";
const WRONG: &str = "The old password is not right, or the new password is the same.";

fn missing(user: &str) -> Refusal {
    refusal("NoSuchEntity", &format!("Login Profile for User {user} cannot be found."))
}

/// A user who may do everything and has a password.
async fn with_password(house: &TestHouse, name: &str) -> Keys {
    let keys = house.user(name, Some(ALLOW_ALL)).await;
    house.root("iam", "CreateLoginProfile", &[("UserName", name), ("Password", PASSWORD)]).await;
    keys
}

async fn change(house: &TestHouse, who: &Keys, old: &str, new: &str) -> Result<(), Refusal> {
    let params = [("OldPassword", old), ("NewPassword", new)];
    let outcome = house.call(who, "iam", "ChangePassword", &params).await;
    outcome.map(drop).map_err(|error| (error.code, error.message))
}

async fn set(house: &TestHouse, name: &str, password: &str) -> Result<Value, Refusal> {
    let params = [("UserName", name), ("Password", password)];
    let outcome = house.call(&house.root, "iam", "UpdateLoginProfile", &params).await;
    outcome.map_err(|error| (error.code, error.message))
}

async fn get(house: &TestHouse, name: &str) -> Value {
    house.root("iam", "GetLoginProfile", &[("UserName", name)]).await["LoginProfile"].clone()
}

fn profile(house: &TestHouse, name: &str) -> Arc<LoginProfile> {
    let view = house.house.directory.snapshot();
    let account = view.operator().account(ACCOUNT.parse().unwrap()).unwrap();
    account.login_profile(&account.user(name).unwrap().record.id).unwrap().clone()
}

fn is_password(house: &TestHouse, name: &str, password: &str) -> bool {
    profile(house, name).hash.matches(&Secret::new(password))
}

#[tokio::test]
async fn a_user_gets_a_password_and_loses_it() {
    let house = TestHouse::new().await;
    house.root("iam", "CreateUser", &[("UserName", "Ada")]).await;
    assert_eq!(refused(&house, "GetLoginProfile", &[("UserName", "Ada")]).await, missing("Ada"));
    assert_eq!(refused(&house, "DeleteLoginProfile", &[("UserName", "Ada")]).await, missing("Ada"));
    let params = [("UserName", "ada"), ("Password", PASSWORD)];
    let made = house.root("iam", "CreateLoginProfile", &params).await;
    let created = house.clock_now();
    let expected = json!({"UserName": "Ada", "CreateDate": created, "PasswordResetRequired": false});
    assert_eq!(made["LoginProfile"], expected);
    let taken = refusal("EntityAlreadyExists", "Login Profile for user Ada already exists.");
    assert_eq!(refused(&house, "CreateLoginProfile", &params).await, taken);
    assert!(is_password(&house, "Ada", PASSWORD) && !is_password(&house, "Ada", OTHER_PASSWORD));
    house.clock.advance(60);
    // Nothing to change is no mistake; a new password leaves the flag as it is.
    house.root("iam", "UpdateLoginProfile", &[("UserName", "Ada")]).await;
    assert_eq!(get(&house, "Ada").await, expected);
    house.root("iam", "UpdateLoginProfile", &[("UserName", "Ada"), ("PasswordResetRequired", "true")]).await;
    set(&house, "Ada", OTHER_PASSWORD).await.unwrap();
    assert!(is_password(&house, "Ada", OTHER_PASSWORD) && !is_password(&house, "Ada", PASSWORD));
    let reset = json!({"UserName": "Ada", "CreateDate": created, "PasswordResetRequired": true});
    assert_eq!(get(&house, "Ada").await, reset);
    assert_eq!(profile(&house, "Ada").record.changed, created + 60);
    let user = house.root("iam", "GetUser", &[("UserName", "Ada")]).await;
    assert!(user["User"].get("PasswordLastUsed").is_none(), "nobody has signed in");
    // It is the user's, whatever that is called.
    house.root("iam", "UpdateUser", &[("UserName", "Ada"), ("NewUserName", "Bea")]).await;
    assert_eq!(get(&house, "Bea").await["UserName"], "Bea");
    let first = refusal("DeleteConflict", "Cannot delete entity, must delete login profile first.");
    assert_eq!(refused(&house, "DeleteUser", &[("UserName", "Bea")]).await, first);
    house.root("iam", "DeleteLoginProfile", &[("UserName", "Bea")]).await;
    assert_eq!(refused(&house, "GetLoginProfile", &[("UserName", "Bea")]).await, missing("Bea"));
    house.root("iam", "DeleteUser", &[("UserName", "Bea")]).await;
}

#[tokio::test]
async fn a_user_changes_its_own_password_by_the_old_one() {
    let house = TestHouse::new().await;
    let ada = with_password(&house, "Ada").await;
    house.root("iam", "UpdateLoginProfile", &[("UserName", "Ada"), ("PasswordResetRequired", "true")]).await;
    let wrong = || Err(refusal("AccessDenied", WRONG));
    assert_eq!(change(&house, &ada, "Wr0ng-horse", OTHER_PASSWORD).await, wrong());
    assert_eq!(change(&house, &ada, PASSWORD, PASSWORD).await, wrong());
    assert_eq!(change(&house, &ada, OTHER_PASSWORD, OTHER_PASSWORD).await, wrong());
    let short = refusal("PasswordPolicyViolation", "Password should have a minimum length of 8");
    assert_eq!(change(&house, &ada, PASSWORD, "Sh0rt-1").await, Err(short));
    assert!(is_password(&house, "Ada", PASSWORD), "nothing was changed");
    assert_eq!(get(&house, "Ada").await["PasswordResetRequired"], true);
    change(&house, &ada, PASSWORD, OTHER_PASSWORD).await.unwrap();
    assert!(is_password(&house, "Ada", OTHER_PASSWORD) && !is_password(&house, "Ada", PASSWORD));
    assert_eq!(get(&house, "Ada").await["PasswordResetRequired"], false);
    // And by the new one from now on; without a policy the one before may come again.
    assert_eq!(change(&house, &ada, PASSWORD, THIRD_PASSWORD).await, wrong());
    change(&house, &ada, OTHER_PASSWORD, PASSWORD).await.unwrap();
    assert!(is_password(&house.copy().await, "Ada", PASSWORD), "a house that reads the store knows it");
}

#[tokio::test]
async fn only_a_user_with_a_password_changes_one() {
    let world = World::new().await;
    let house = &world.house;
    let not_a_user = || Err(refusal("InvalidUserType", "Only an IAM user can change its own password."));
    assert_eq!(change(house, &house.root, PASSWORD, OTHER_PASSWORD).await, not_a_user());
    let role = world.caller_of("role").await;
    assert_eq!(change(house, &role, PASSWORD, OTHER_PASSWORD).await, not_a_user());
    let bob = house.user("Bob", Some(ALLOW_ALL)).await;
    assert_eq!(change(house, &bob, PASSWORD, OTHER_PASSWORD).await, Err(missing("Bob")));
    // In a session of the user it is the user's.
    let session = world.mint(SessionKind::User, 0, 3600, true);
    change(house, &session, PASSWORD, OTHER_PASSWORD).await.unwrap();
    assert!(is_password(house, "Admin", OTHER_PASSWORD));
}

/// Whoever has a user's access key must not find its password here.
#[tokio::test]
async fn nine_tries_in_three_minutes_and_the_right_password_is_not_taken_either() {
    let house = TestHouse::new().await;
    let (ada, bob) = (with_password(&house, "Ada").await, with_password(&house, "Bob").await);
    let used_up = || Err(refusal("Throttling", "Rate exceeded"));
    for n in 0..9 {
        let outcome = change(&house, &ada, &format!("Wr0ng-horse{n}"), OTHER_PASSWORD).await;
        assert_eq!(outcome, Err(refusal("AccessDenied", WRONG)), "{n}");
        // What is refused before anything is compared takes no try.
        let short = refusal("PasswordPolicyViolation", "Password should have a minimum length of 8");
        assert_eq!(change(&house, &ada, PASSWORD, "Sh0rt-1").await, Err(short));
    }
    assert_eq!(change(&house, &ada, PASSWORD, OTHER_PASSWORD).await, used_up());
    assert_eq!(change(&house, &ada, "Wr0ng-horse", OTHER_PASSWORD).await, used_up());
    assert!(is_password(&house, "Ada", PASSWORD));
    change(&house, &bob, PASSWORD, OTHER_PASSWORD).await.unwrap();
    // A new password does not bring new tries.
    set(&house, "Ada", THIRD_PASSWORD).await.unwrap();
    assert_eq!(change(&house, &ada, THIRD_PASSWORD, OTHER_PASSWORD).await, used_up());
    house.clock.advance(180);
    change(&house, &ada, THIRD_PASSWORD, OTHER_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn as_many_passwords_do_not_come_again_as_the_policy_says() {
    let house = TestHouse::new().await;
    let ada = with_password(&house, "Ada").await;
    let password = |n: usize| format!("Passw0rd-{n}");
    for n in 0..27 {
        set(&house, "Ada", &password(n)).await.unwrap();
    }
    let reused = || {
        refusal(
            "PasswordPolicyViolation",
            "Password should not be one of the passwords that were used before",
        )
    };
    // The present one is the 27th; 24 before it are remembered, and no more are kept.
    assert_eq!(profile(&house, "Ada").earlier.len(), 24);
    house.root("iam", "UpdateAccountPasswordPolicy", &[("PasswordReusePrevention", "1")]).await;
    for n in [26, 25] {
        assert_eq!(set(&house, "Ada", &password(n)).await, Err(reused()), "{n}");
    }
    assert_eq!(change(&house, &ada, &password(26), &password(25)).await, Err(reused()));
    // Who does not know the old one hears nothing of those before.
    let wrong = Err(refusal("AccessDenied", WRONG));
    assert_eq!(change(&house, &ada, "Wr0ng-horse", &password(25)).await, wrong);
    change(&house, &ada, &password(26), &password(24)).await.unwrap();
    house.root("iam", "UpdateAccountPasswordPolicy", &[("PasswordReusePrevention", "24")]).await;
    // The oldest that is kept, and the one that had to make room for the last.
    assert_eq!(set(&house, "Ada", &password(3)).await, Err(reused()));
    set(&house, "Ada", &password(2)).await.unwrap();
}

#[tokio::test]
async fn the_policy_lets_every_user_change_its_own_password_and_see_the_policy() {
    let house = TestHouse::new().await;
    let ada = house.user("Ada", None).await;
    house.root("iam", "CreateLoginProfile", &[("UserName", "Ada"), ("Password", PASSWORD)]).await;
    let denied = |action: &str, on: &str, because: &str| {
        let who = format!("User: arn:aws:iam::{ACCOUNT}:user/Ada is not authorized to perform: iam:{action}");
        refusal("AccessDenied", &format!("{who} on resource: {on} {because}"))
    };
    let none = "because no identity-based policy allows the iam:ChangePassword action";
    let refused_change = Err(denied("ChangePassword", "user Ada", none));
    for policy in [&[][..], &[("AllowUsersToChangePassword", "false")]] {
        assert_eq!(change(&house, &ada, PASSWORD, OTHER_PASSWORD).await, refused_change);
        house.root("iam", "UpdateAccountPasswordPolicy", policy).await;
    }
    assert_eq!(change(&house, &ada, PASSWORD, OTHER_PASSWORD).await, refused_change);
    house.root("iam", "UpdateAccountPasswordPolicy", &[("AllowUsersToChangePassword", "true")]).await;
    house.call(&ada, "iam", "GetAccountPasswordPolicy", &[]).await.unwrap();
    change(&house, &ada, PASSWORD, OTHER_PASSWORD).await.unwrap();
    // Nothing beyond: not the user itself, and nobody else's password.
    house.user("Bob", None).await;
    for (action, params) in [
        ("GetUser", &[("UserName", "Ada")][..]),
        ("GetLoginProfile", &[("UserName", "Ada")]),
        ("UpdateLoginProfile", &[("UserName", "Bob"), ("Password", PASSWORD)]),
        ("DeleteAccountPasswordPolicy", &[]),
    ] {
        assert_eq!(refused_to(&house, &ada, action, params).await.0, "AccessDenied", "{action}");
    }
    // A boundary bounds it, and a Deny denies it.
    let boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    house
        .root("iam", "PutUserPermissionsBoundary", &[("UserName", "Ada"), ("PermissionsBoundary", boundary)])
        .await;
    let because = "because no permissions boundary allows the iam:ChangePassword action";
    let outcome = change(&house, &ada, OTHER_PASSWORD, PASSWORD).await;
    assert_eq!(outcome, Err(denied("ChangePassword", "user Ada", because)));
    house.root("iam", "DeleteUserPermissionsBoundary", &[("UserName", "Ada")]).await;
    let deny = [("UserName", "Ada"), ("PolicyName", "p"), ("PolicyDocument", DENY_ALL)];
    house.root("iam", "PutUserPolicy", &deny).await;
    let because = "with an explicit deny in an identity-based policy";
    let outcome = change(&house, &ada, OTHER_PASSWORD, PASSWORD).await;
    assert_eq!(outcome, Err(denied("ChangePassword", "user Ada", because)));
}

#[tokio::test]
async fn who_asks_why_is_told_that_the_password_policy_allowed_it() {
    let house = TestHouse::new().await;
    let ada = house.user("Ada", None).await;
    house.root("iam", "CreateLoginProfile", &[("UserName", "Ada"), ("Password", PASSWORD)]).await;
    house.root("iam", "UpdateAccountPasswordPolicy", &[("AllowUsersToChangePassword", "true")]).await;
    change(&house, &ada, PASSWORD, OTHER_PASSWORD).await.unwrap();
    let answer = explain(&house, &house.root, &house.last_request_id()).await.unwrap();
    let granted = json!([{
        "SourcePolicyId": "account password policy", "SourcePolicyType": "identity-based policy", "StatementIndex": 1,
    }]);
    assert_eq!(answer["Decisions"][0]["DeterminingStatements"], granted, "{answer}");
    // A boundary in its way, and why.
    let boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let params = [("UserName", "Ada"), ("PermissionsBoundary", boundary)];
    house.root("iam", "PutUserPermissionsBoundary", &params).await;
    change(&house, &ada, OTHER_PASSWORD, PASSWORD).await.unwrap_err();
    let answer = explain(&house, &house.root, &house.last_request_id()).await.unwrap();
    assert_eq!(answer["Decisions"][0]["DecidedBy"], "permissions boundary", "{answer}");
}

#[tokio::test]
async fn what_the_policy_lets_users_do_a_session_policy_narrows_and_no_role_may() {
    let world = World::new().await;
    let house = &world.house;
    house.root("iam", "UpdateAccountPasswordPolicy", &[("AllowUsersToChangePassword", "true")]).await;
    house.root("iam", "DeleteUserPolicy", &[("UserName", "Admin"), ("PolicyName", "p")]).await;
    let session = world.mint(SessionKind::User, 0, 3600, true);
    let trust_self = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:GetScopedCredentials", "Resource": "*"}]});
    let policy = [("UserName", "Admin"), ("PolicyName", "p"), ("PolicyDocument", &*trust_self.to_string())];
    house.root("iam", "PutUserPolicy", &policy).await;
    let scoped = async |policy: &str| {
        let answer =
            house.call(&session, "sts", "GetScopedCredentials", &[("Policy", policy)]).await.unwrap();
        Keys::of(&answer["Credentials"])
    };
    let nothing =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let narrowed = change(house, &scoped(nothing).await, PASSWORD, OTHER_PASSWORD).await.unwrap_err();
    assert!(narrowed.0 == "AccessDenied" && narrowed.1.contains("session policy"), "{narrowed:?}");
    change(house, &scoped(ALLOW_ALL).await, PASSWORD, OTHER_PASSWORD).await.unwrap();
    // A role has no password that could be its own.
    house.root("iam", "DeleteRolePolicy", &[("RoleName", "Power"), ("PolicyName", "all")]).await;
    let allow = [("UserName", "Admin"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    house.root("iam", "PutUserPolicy", &allow).await;
    let role = world.caller_of("role").await;
    assert_eq!(change(house, &role, PASSWORD, OTHER_PASSWORD).await.unwrap_err().0, "AccessDenied");
    assert_eq!(refused_to(house, &role, "GetAccountPasswordPolicy", &[]).await.0, "AccessDenied");
}

#[tokio::test]
async fn a_password_is_kept_as_a_sealed_hash_and_told_to_no_audit() {
    let house = TestHouse::new().await;
    let ada = house.user("Ada", Some(ALLOW_ALL)).await;
    house.audit.lock().unwrap().clear();
    house.root("iam", "CreateLoginProfile", &[("UserName", "Ada"), ("Password", PASSWORD)]).await;
    change(&house, &ada, PASSWORD, OTHER_PASSWORD).await.unwrap();
    set(&house, "Ada", THIRD_PASSWORD).await.unwrap();
    let events = std::mem::take(&mut *house.audit.lock().unwrap());
    let asked: Vec<_> =
        events.iter().map(|event| (&event["eventName"], &event["requestParameters"])).collect();
    let names = json!(["CreateLoginProfile", "ChangePassword", "UpdateLoginProfile"]);
    assert_eq!(asked[0], (&names[0], &json!({"userName": "Ada"})));
    assert_eq!(asked[1].0, &names[1]);
    assert!(asked[1].1.as_object().is_none_or(serde_json::Map::is_empty), "{:?}", asked[1]);
    assert_eq!(asked[2], (&names[2], &json!({"userName": "Ada"})));
    assert_eq!(events[0]["responseElements"]["loginProfile"]["userName"], "Ada");
    let (_, records) = house.stored().await;
    let of_profile: Vec<_> = records.iter().filter(|record| record.key.contains("/login-profile/")).collect();
    assert_eq!(of_profile.len(), 1);
    for record in &records {
        let text = String::from_utf8_lossy(&record.value);
        for what in ["argon2", "$v=19", PASSWORD, OTHER_PASSWORD, THIRD_PASSWORD] {
            assert!(!text.contains(what), "{what} in {}", record.key);
        }
    }
}

#[tokio::test]
async fn of_two_calls_on_one_password_that_cannot_both_be_right_one_wins() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    house.root("iam", "CreateUser", &[("UserName", "Ada")]).await;
    let create = [("UserName", "Ada"), ("Password", PASSWORD)];
    let both = race(&house, &gate, ("CreateLoginProfile", &create), ("CreateLoginProfile", &create)).await;
    assert_eq!(one_wins(both), "EntityAlreadyExists");
    house.root("iam", "DeleteLoginProfile", &[("UserName", "Ada")]).await;
    // Who hashes comes last to the gate and goes on first.
    let delete = [("UserName", "Ada")];
    let both = race(&house, &gate, ("CreateLoginProfile", &create), ("DeleteUser", &delete)).await;
    assert_eq!(one_wins(both), "DeleteConflict");
}

/// Run a test in which no password is hashed before it drops what it is given.
fn held_up(test: impl AsyncFnOnce(Sender<()>)) {
    let runtime = Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let (go, held) = channel::<()>();
        tokio::task::spawn_blocking(move || held.recv());
        test(go).await;
    });
}

/// A change that is decided again costs no second hash.
#[test]
fn a_change_that_is_decided_again_hashes_once() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (first, ada) = runtime.block_on(async {
        let house = TestHouse::new().await;
        let ada = with_password(&house, "Ada").await;
        (house, ada)
    });
    held_up(async |go| {
        let house = first.copy().await;
        let turns = house.house.passwords.turns();
        let mut changing = Box::pin(change(&house, &ada, PASSWORD, OTHER_PASSWORD));
        assert!(changing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let tag = [("UserName", "Ada"), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")];
        house.root("iam", "TagUser", &tag).await;
        drop(go);
        changing.await.unwrap();
        assert_eq!(house.house.passwords.turns() - turns, 1);
        change(&house, &ada, OTHER_PASSWORD, PASSWORD).await.unwrap();
    });
}

#[test]
fn what_changed_while_a_password_was_hashed_is_asked_about_again() {
    // Everything that takes a hash to set up comes before.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (first, ada) = runtime.block_on(async {
        let house = TestHouse::new().await;
        let ada = with_password(&house, "Ada").await;
        house.root("iam", "CreateUser", &[("UserName", "Gone")]).await;
        (house, ada)
    });
    for (what, params, expected) in [
        ("DeleteLoginProfile", &[("UserName", "Ada")][..], missing("Ada")),
        (
            "UpdateAccountPasswordPolicy",
            &[("MinimumPasswordLength", "40")],
            refusal("PasswordPolicyViolation", "Password should have a minimum length of 40"),
        ),
        (
            "PutUserPolicy",
            &[("UserName", "Ada"), ("PolicyName", "p"), ("PolicyDocument", DENY_ALL)],
            refusal(
                "AccessDenied",
                "User: arn:aws:iam::111122223333:user/Ada is not authorized to perform: iam:ChangePassword on resource: user Ada with an explicit deny in an identity-based policy",
            ),
        ),
    ] {
        held_up(async |go| {
            let house = first.copy().await;
            let mut changing = Box::pin(change(&house, &ada, PASSWORD, OTHER_PASSWORD));
            let waiting = changing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(waiting, Poll::Pending, "it waits for its hash");
            house.root("iam", what, params).await;
            drop(go);
            assert_eq!(changing.await, Err(expected), "{what}");
        });
    }
    held_up(async |go| {
        let house = first.copy().await;
        let params = [("UserName", "Gone"), ("Password", PASSWORD)];
        let mut creating = Box::pin(house.call(&house.root, "iam", "CreateLoginProfile", &params));
        assert!(creating.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        house.root("iam", "DeleteUser", &[("UserName", "Gone")]).await;
        drop(go);
        let error = creating.await.unwrap_err();
        assert_eq!(error.message, "The user with name Gone cannot be found.");
    });
}
