//! The life of temporary credentials: how long they last, what ends them and what does not.
//!
//! Sources: AWS STS API Reference (AssumeRole, GetFederationToken, GetSessionToken); IAM User Guide, "Roles terms and
//! concepts" (role chaining), "Revoke IAM role temporary credentials".

use daypass_authn::token::MasterKey;
use daypass_directory::record::{KeyringRecord, Unknown, Written};
use daypass_directory::{Change, key};
use daypass_model::SeededRandom;
use daypass_service::Error;
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::support::{ACCOUNT, Keys, SEED, TestHouse};

/// Parameters of a call.
pub(crate) type Params<'a> = &'a [(&'a str, &'a str)];

/// Trusts the account for everything that an AssumeRole may need.
pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}"#;
/// Allows GetUser alone.
pub(crate) const GET_USER: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}]}"#;
/// Allows GetRole alone.
pub(crate) const GET_ROLE: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetRole","Resource":"*"}]}"#;

/// A user `Ada` and a role `Crew`, both with every permission.
pub(crate) async fn start() -> (TestHouse, Keys) {
    let house = TestHouse::new().await;
    let ada = house.user("Ada", Some(ALLOW_ALL)).await;
    role(&house, "Crew", TRUST, ALLOW_ALL, &[]).await;
    (house, ada)
}

/// A role with an inline policy.
pub(crate) async fn role(house: &TestHouse, name: &str, trust: &str, policy: &str, more: Params<'_>) {
    let params = [("RoleName", name), ("AssumeRolePolicyDocument", trust)];
    house.root("iam", "CreateRole", &[&params[..], more].concat()).await;
    let params = [("RoleName", name), ("PolicyName", "p"), ("PolicyDocument", policy)];
    house.root("iam", "PutRolePolicy", &params).await;
}

/// AssumeRole of a role of the account.
pub(crate) async fn assume(
    house: &TestHouse,
    who: &Keys,
    role: &str,
    more: Params<'_>,
) -> Result<Value, Error> {
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
    let params = [("RoleArn", arn.as_str()), ("RoleSessionName", "s1")];
    house.call(who, "sts", "AssumeRole", &[&params[..], more].concat()).await
}

/// The credentials of the same, where it must succeed.
pub(crate) async fn assumed(house: &TestHouse, who: &Keys, role: &str, more: Params<'_>) -> Keys {
    Keys::of(&assume(house, who, role, more).await.unwrap()["Credentials"])
}

fn lasts(house: &TestHouse, answer: &Value) -> i64 {
    answer["Credentials"]["Expiration"].as_i64().unwrap() - house.clock_now()
}

/// Code and message of a refusal.
pub(crate) fn told(outcome: Result<Value, Error>) -> (&'static str, String) {
    let error = outcome.expect_err("a refusal");
    (error.code, error.message)
}

/// What a caller may do who is allowed GetUser.
pub(crate) async fn get_user(house: &TestHouse, who: &Keys) -> Result<Value, Error> {
    house.call(who, "iam", "GetUser", &[("UserName", "Ada")]).await
}

/// GetCallerIdentity: works for every live credential.
pub(crate) async fn who_is(house: &TestHouse, who: &Keys) -> Result<Value, Error> {
    house.call(who, "sts", "GetCallerIdentity", &[]).await
}

const ROLE_LIMIT: &str = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
const CHAIN_LIMIT: &str =
    "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";

#[tokio::test]
async fn sessions_of_users_last_twelve_hours_or_what_they_ask_and_those_of_root_one_hour() {
    let (house, ada) = start().await;
    let root = house.root.clone();
    for (action, name) in [("GetSessionToken", None), ("GetFederationToken", Some(("Name", "Jill")))] {
        let ask = async |who: &Keys, seconds: Option<&str>| {
            let seconds = seconds.map(|seconds| ("DurationSeconds", seconds));
            let params: Vec<_> = name.into_iter().chain(seconds).collect();
            house.call(who, "sts", action, &params).await
        };
        for (seconds, lasting) in [(None, 43_200), (Some("900"), 900), (Some("129600"), 129_600)] {
            assert_eq!(lasts(&house, &ask(&ada, seconds).await.unwrap()), lasting, "{action} {seconds:?}");
        }
        for (seconds, lasting) in
            [(None, 3600), (Some("900"), 900), (Some("3601"), 3600), (Some("129600"), 3600)]
        {
            assert_eq!(
                lasts(&house, &ask(&root, seconds).await.unwrap()),
                lasting,
                "{action} {seconds:?} by root"
            );
        }
        for (seconds, bound) in
            [("899", "greater than or equal to 900"), ("129601", "less than or equal to 129600")]
        {
            for who in [&ada, &root] {
                let (code, message) = told(ask(who, Some(seconds)).await);
                assert_eq!(code, "ValidationError");
                let expected = format!(
                    "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value {bound}"
                );
                assert_eq!(message, expected);
            }
        }
    }
}

#[tokio::test]
async fn a_role_session_lasts_an_hour_or_up_to_what_the_role_allows() {
    let (house, ada) = start().await;
    role(&house, "Long", TRUST, ALLOW_ALL, &[("MaxSessionDuration", "7200")]).await;
    assert_eq!(lasts(&house, &assume(&house, &ada, "Long", &[]).await.unwrap()), 3600);
    for (seconds, lasting) in [("900", 900), ("7200", 7200)] {
        let answer = assume(&house, &ada, "Long", &[("DurationSeconds", seconds)]).await.unwrap();
        assert_eq!(lasts(&house, &answer), lasting);
    }
    for (role, seconds) in [("Long", "7201"), ("Crew", "3601"), ("Crew", "43200")] {
        let refusal = told(assume(&house, &ada, role, &[("DurationSeconds", seconds)]).await);
        assert_eq!(refusal, ("ValidationError", ROLE_LIMIT.into()), "{role} {seconds}");
    }
    for seconds in ["899", "43201", "0", "-1"] {
        let (code, message) = told(assume(&house, &ada, "Long", &[("DurationSeconds", seconds)]).await);
        assert!(code == "ValidationError" && message.contains("at 'durationSeconds'"), "{message}");
    }
}

#[tokio::test]
async fn a_chained_session_lasts_an_hour_at_most_and_may_outlive_its_parent() {
    let (house, ada) = start().await;
    role(&house, "Long", TRUST, ALLOW_ALL, &[("MaxSessionDuration", "43200")]).await;
    let parent = assumed(&house, &ada, "Crew", &[("DurationSeconds", "900")]).await;
    let of_user = Keys::of(&house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"]);
    for who in [&parent, &of_user] {
        let refusal = told(assume(&house, who, "Long", &[("DurationSeconds", "3601")]).await);
        assert_eq!(refusal, ("ValidationError", CHAIN_LIMIT.into()));
        let refusal = told(assume(&house, who, "Crew", &[("DurationSeconds", "3601")]).await);
        assert_eq!(refusal, ("ValidationError", ROLE_LIMIT.into()), "the role's own bound is told first");
        assert_eq!(lasts(&house, &assume(&house, who, "Long", &[]).await.unwrap()), 3600);
    }
    let child = assumed(&house, &parent, "Long", &[("DurationSeconds", "3600")]).await;
    house.clock.advance(1000);
    assert_eq!(told(who_is(&house, &parent).await).0, "ExpiredToken");
    who_is(&house, &child).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_in_the_second_that_was_named() {
    let (house, ada) = start().await;
    let session = assumed(&house, &ada, "Crew", &[("DurationSeconds", "900")]).await;
    house.clock.advance(899);
    get_user(&house, &session).await.unwrap();
    house.clock.advance(1);
    let expired = ("ExpiredToken", "The security token included in the request is expired".to_owned());
    assert_eq!(told(get_user(&house, &session).await), expired);
    assert_eq!(told(who_is(&house, &session).await), expired);
    let forged = Keys { secret_access_key: "x".repeat(40), ..session };
    assert_eq!(told(who_is(&house, &forged).await).0, "SignatureDoesNotMatch", "signature before expiry");
}

#[tokio::test]
async fn what_a_session_made_stays_when_it_is_over() {
    let (house, ada) = start().await;
    let session = assumed(&house, &ada, "Crew", &[("DurationSeconds", "900")]).await;
    house.call(&session, "iam", "CreateUser", &[("UserName", "Grace")]).await.unwrap();
    let made = house.call(&session, "iam", "CreateAccessKey", &[("UserName", "Grace")]).await.unwrap();
    house.clock.advance(900);
    assert_eq!(told(who_is(&house, &session).await).0, "ExpiredToken");
    let grace = who_is(&house, &Keys::of(&made["AccessKey"])).await.unwrap();
    assert_eq!(grace["Arn"], format!("arn:aws:iam::{ACCOUNT}:user/Grace"));
}

#[tokio::test]
async fn issuing_leaves_nothing_in_the_store() {
    let (house, ada) = start().await;
    let before = house.stored().await;
    let session = assumed(&house, &ada, "Crew", &[]).await;
    house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap();
    house.call(&ada, "sts", "GetFederationToken", &[("Name", "Jill")]).await.unwrap();
    who_is(&house, &session).await.unwrap();
    assert!(house.stored().await == before);
}

#[tokio::test]
async fn a_worker_renews_itself_for_ever_and_its_token_keeps_the_first_session_and_the_newest() {
    let (house, ada) = start().await;
    let opened = |keys: &Keys| {
        let (id, token) = (keys.access_key_id.parse().unwrap(), keys.session_token.as_deref().unwrap());
        house.house.directory.snapshot().keyring().open(token, &id).unwrap().claims
    };
    let mut keys = assumed(&house, &ada, "Crew", &[]).await;
    let mut ids = vec![opened(&keys).session_id];
    for _ in 0..40 {
        house.clock.advance(3000);
        keys = assumed(&house, &keys, "Crew", &[]).await;
        let claims = opened(&keys);
        let newest = ids.len().saturating_sub(14).max(1);
        assert_eq!(claims.ancestry, [&ids[..1], &ids[newest..]].concat());
        ids.push(claims.session_id);
        assert!(keys.session_token.as_ref().unwrap().len() < 1024);
    }
    who_is(&house, &keys).await.unwrap();
}

#[tokio::test]
async fn policies_changed_after_issue_count_at_once() {
    let (house, ada) = start().await;
    let session = assumed(&house, &ada, "Crew", &[]).await;
    get_user(&house, &session).await.unwrap();
    let of_user = Keys::of(&house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"]);
    assume(&house, &of_user, "Crew", &[]).await.unwrap();

    let params = [("RoleName", "Crew"), ("PolicyName", "p"), ("PolicyDocument", GET_ROLE)];
    house.root("iam", "PutRolePolicy", &params).await;
    assert_eq!(told(get_user(&house, &session).await).0, "AccessDenied");
    house
        .root(
            "iam",
            "PutUserPolicy",
            &[("UserName", "Ada"), ("PolicyName", "p"), ("PolicyDocument", GET_ROLE)],
        )
        .await;
    assert_eq!(told(assume(&house, &of_user, "Crew", &[]).await).0, "AccessDenied");
}

#[tokio::test]
async fn sessions_older_than_a_moment_are_revoked_by_a_policy() {
    let (house, ada) = start().await;
    let old = assumed(&house, &ada, "Crew", &[]).await;
    house.clock.advance(60);
    let revoke = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-01-15T12:00:30Z"}},
    }]});
    let params = [
        ("RoleName", "Crew"),
        ("PolicyName", "AWSRevokeOlderSessions"),
        ("PolicyDocument", &revoke.to_string()),
    ];
    house.root("iam", "PutRolePolicy", &params).await;
    let (_, message) = told(get_user(&house, &old).await);
    assert!(message.ends_with("with an explicit deny in an identity-based policy"), "{message}");
    get_user(&house, &assumed(&house, &ada, "Crew", &[]).await).await.unwrap();
    get_user(&house, &ada).await.unwrap();
}

#[tokio::test]
async fn a_key_put_out_of_use_or_deleted_does_not_end_the_sessions_it_began() {
    let (house, ada) = start().await;
    let federation = [("Name", "Jill"), ("Policy", ALLOW_ALL)];
    let federated =
        Keys::of(&house.call(&ada, "sts", "GetFederationToken", &federation).await.unwrap()["Credentials"]);
    let of_user = Keys::of(&house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"]);
    let of_role = assumed(&house, &ada, "Crew", &[]).await;
    let key = [("UserName", "Ada"), ("AccessKeyId", ada.access_key_id.as_str())];
    house.root("iam", "UpdateAccessKey", &[&key[..], &[("Status", "Inactive")]].concat()).await;
    assert_eq!(told(who_is(&house, &ada).await).0, "InvalidClientTokenId");
    for session in [&federated, &of_user, &of_role] {
        who_is(&house, session).await.unwrap();
    }
    house.root("iam", "DeleteAccessKey", &key).await;
    for session in [&federated, &of_user, &of_role] {
        who_is(&house, session).await.unwrap();
    }
}

#[tokio::test]
async fn deleting_a_user_ends_its_sessions_and_a_namesake_does_not_revive_them() {
    let (house, ada) = start().await;
    let federated = house.call(&ada, "sts", "GetFederationToken", &[("Name", "Jill")]).await.unwrap();
    let of_user = house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap();
    let sessions = [Keys::of(&federated["Credentials"]), Keys::of(&of_user["Credentials"])];
    let of_role = assumed(&house, &ada, "Crew", &[]).await;
    house.root("iam", "DeleteUserPolicy", &[("UserName", "Ada"), ("PolicyName", "p")]).await;
    house.root("iam", "DeleteAccessKey", &[("UserName", "Ada"), ("AccessKeyId", &ada.access_key_id)]).await;
    house.root("iam", "DeleteUser", &[("UserName", "Ada")]).await;
    let gone = ("InvalidClientTokenId", "The security token included in the request is invalid.".to_owned());
    for round in ["deleted", "made again"] {
        for session in &sessions {
            assert_eq!(told(who_is(&house, session).await), gone, "{round}");
        }
        who_is(&house, &of_role).await.unwrap(); // a role's session is the role's
        if round == "deleted" {
            house.user("Ada", Some(ALLOW_ALL)).await;
        }
    }
}

#[tokio::test]
async fn deleting_a_role_ends_its_sessions_and_a_namesake_does_not_revive_them() {
    let (house, ada) = start().await;
    let session = assumed(&house, &ada, "Crew", &[]).await;
    house.root("iam", "DeleteRolePolicy", &[("RoleName", "Crew"), ("PolicyName", "p")]).await;
    house.root("iam", "DeleteRole", &[("RoleName", "Crew")]).await;
    assert_eq!(told(who_is(&house, &session).await).0, "InvalidClientTokenId");
    role(&house, "Crew", TRUST, ALLOW_ALL, &[]).await;
    assert_eq!(told(who_is(&house, &session).await).0, "InvalidClientTokenId");
    who_is(&house, &assumed(&house, &ada, "Crew", &[]).await).await.unwrap();
}

#[tokio::test]
async fn mfa_is_absent_with_long_term_keys_and_false_with_every_session_that_gave_none() {
    let (house, ada) = start().await;
    let without = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}},
    ]})
    .to_string();
    role(&house, "NoMfa", TRUST, &without, &[]).await;
    get_user(&house, &assumed(&house, &ada, "NoMfa", &[]).await).await.unwrap();
    let bob = house.user("Bob", Some(&without)).await;
    assert_eq!(told(get_user(&house, &bob).await).0, "AccessDenied", "absent is not false");
}

#[tokio::test]
async fn what_cannot_be_validated_yet_is_refused_never_ignored() {
    let (house, ada) = start().await;
    let serial = ("SerialNumber", "arn:aws:iam::111122223333:mfa/ada");
    let code = ("TokenCode", "123456");
    let unable = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user. ";
    let half =
        "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code. ";
    for (params, message) in [(&[serial, code][..], unable), (&[serial], half), (&[code], half)] {
        let denied = ("AccessDenied", message.to_owned());
        assert_eq!(told(assume(&house, &ada, "Crew", params).await), denied);
        assert_eq!(told(house.call(&ada, "sts", "GetSessionToken", params).await), denied);
    }
    let context = [
        ("ProvidedContexts.member.1.ProviderArn", "arn:aws:iam::aws:contextProvider/IdentityCenter"),
        ("ProvidedContexts.member.1.ContextAssertion", "assertion"),
    ];
    // Whoever may not pass one is told that, not whether it would be good.
    let denied = told(assume(&house, &ada, "Crew", &context).await);
    assert_eq!(denied.0, "AccessDenied");
    assert!(denied.1.contains("is not authorized to perform: sts:SetContext on resource"), "{}", denied.1);
    let trust = TRUST.replace("sts:TagSession", "sts:SetContext");
    role(&house, "Context", &trust, ALLOW_ALL, &[]).await;
    assert_eq!(told(assume(&house, &ada, "Context", &context).await).0, "InvalidContextAssertion");
}

#[tokio::test]
async fn a_trust_policy_that_is_silent_is_not_named() {
    let (house, ada) = start().await;
    house.account("444455556666").await;
    let nobody = TRUST.replace(r#""AWS":"111122223333""#, r#""AWS":"444455556666""#);
    role(&house, "Closed", &nobody, ALLOW_ALL, &[]).await;
    let only = TRUST.replace(r#","sts:TagSession","sts:SetSourceIdentity""#, "");
    role(&house, "Bare", &only, ALLOW_ALL, &[]).await;
    let tags = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "red")];
    for (name, params, action) in [
        ("Closed", &[][..], "sts:AssumeRole"),
        ("Bare", &tags[..], "sts:TagSession"),
        ("Bare", &[("SourceIdentity", "ada")], "sts:SetSourceIdentity"),
    ] {
        let message = format!(
            "User: arn:aws:iam::{ACCOUNT}:user/Ada is not authorized to perform: {action} on resource: arn:aws:iam::{ACCOUNT}:role/{name}"
        );
        let denied = ("AccessDenied", message);
        assert_eq!(told(assume(&house, &ada, name, params).await), denied);
    }
}

#[tokio::test]
async fn a_session_from_a_clock_that_ran_ahead_waits_until_its_time() {
    let (house, ada) = start().await;
    house.clock.advance(3 * 3600);
    let ahead = assumed(&house, &ada, "Crew", &[]).await;
    house.clock.advance(-3 * 3600);
    let refused =
        ("InvalidClientTokenId", "The security token included in the request is invalid.".to_owned());
    assert_eq!(
        told(who_is(&house, &ahead).await),
        refused,
        "a Deny of sessions issued before now would not reach it"
    );
    house.clock.advance(3 * 3600 - 901);
    assert_eq!(told(who_is(&house, &ahead).await), refused);
    house.clock.advance(1);
    who_is(&house, &ahead).await.unwrap();
}

#[tokio::test]
async fn a_clock_that_goes_back_loses_nothing() {
    let (house, ada) = start().await;
    let root = house.root.clone();
    let short = assumed(&house, &ada, "Crew", &[("DurationSeconds", "900")]).await;
    house.clock.advance(901);
    assert_eq!(told(who_is(&house, &short).await).0, "ExpiredToken");
    let made = house.root("iam", "CreateUser", &[("UserName", "Late")]).await;
    let late = assumed(&house, &ada, "Crew", &[]).await;
    house.clock.advance(-600);
    // What was made stays, and more can be made and changed.
    let found = house.root("iam", "GetUser", &[("UserName", "Late")]).await;
    assert_eq!(found["User"]["UserId"], made["User"]["UserId"]);
    house.root("iam", "UpdateUser", &[("UserName", "Late"), ("NewUserName", "Later")]).await;
    house.root("iam", "CreateUser", &[("UserName", "Late")]).await;
    // A session goes by the time that it is: within what clocks may be apart nothing is taken from anybody.
    who_is(&house, &late).await.unwrap();
    who_is(&house, &short).await.unwrap();
    house.clock.advance(600);
    assert_eq!(told(who_is(&house, &short).await).0, "ExpiredToken");
    // Back by more than signatures may be off: what is signed by the right time is refused, and nothing else changes.
    let revision = house.stored().await.0;
    let request = house.signed(&root, "iam", crate::world::request());
    house.clock.advance(-3600);
    let outcome = house
        .send_http(
            request,
            "iam",
            "ListUsers",
            "any",
            daypass_service::params::Params::from_pairs(Vec::new()).map_err(|_| unreachable!()),
        )
        .await;
    assert_eq!(told(outcome).0, "SignatureDoesNotMatch");
    assert_eq!(house.stored().await.0, revision);
    house.root("iam", "ListUsers", &[]).await;
}

/// Put another keyring into the store, as `keys rotate` does.
async fn rotate(house: &TestHouse) {
    let directory = &house.house.directory;
    let view = directory.snapshot();
    let master = MasterKey::generate(&SeededRandom::new(SEED));
    let rotated = view.keyring().rotate(directory.random(), house.clock_now()).keys().to_text();
    let sealed = master.seal(key::KEYRING, rotated.expose(), directory.random()).unwrap();
    let mut change = Change::new("rotate", &view);
    change.put(
        key::KEYRING.into(),
        &KeyringRecord { written: Written::by("rotate"), sealed, unknown: Unknown::new() },
    );
    directory.commit(change).await.unwrap();
}

#[tokio::test]
async fn a_session_outlives_one_rotation_of_the_keyring_and_ends_with_its_key() {
    let (house, ada) = start().await;
    let first = assumed(&house, &ada, "Crew", &[]).await;
    let ahead = {
        // A node that has rotated already seals with what is still the next key here.
        let other = house.copy().await;
        rotate(&other).await;
        assumed(&other, &ada, "Crew", &[]).await
    };
    who_is(&house, &ahead).await.unwrap();
    rotate(&house).await;
    let second = assumed(&house, &ada, "Crew", &[]).await;
    for session in [&first, &second, &ahead] {
        who_is(&house, session).await.unwrap();
    }
    rotate(&house).await;
    assert_eq!(
        told(who_is(&house, &first).await).0,
        "InvalidClientTokenId",
        "though it was opened and kept before"
    );
    for session in [&second, &ahead] {
        who_is(&house, session).await.unwrap();
    }
}
