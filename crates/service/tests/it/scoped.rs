//! GetScopedCredentials: less of the same session, and nothing that the session had not.
//!
//! Source: AWS STS API Reference, GetScopedCredentials.

use daypass_authn::sigv4::HttpRequest;
use daypass_authn::token::{SessionClaims, SessionKind};
use daypass_service::Error;
use daypass_service::params::Params as DaypassParams;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::answers::{ALLOW_ALL, DENY_ALL};
use crate::session_contents::noise;
use crate::sessions::{
    GET_ROLE, GET_USER, Params, TRUST, assume, assumed, get_user, role, start, told, who_is,
};
use crate::support::{ACCOUNT, Keys, TestHouse};
use crate::world::{World, asking, claims, request};

/// Allows GetUser and GetRole, and to ask for less.
const BOTH: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetUser","iam:GetRole","sts:GetScopedCredentials"],"Resource":"*"}]}"#;

async fn scope(house: &TestHouse, who: &Keys, params: Params<'_>) -> Result<Value, Error> {
    house.call(who, "sts", "GetScopedCredentials", params).await
}

async fn scoped(house: &TestHouse, who: &Keys, params: Params<'_>) -> Keys {
    Keys::of(&scope(house, who, params).await.unwrap()["Credentials"])
}

async fn get_role(house: &TestHouse, who: &Keys) -> Result<Value, Error> {
    house.call(who, "iam", "GetRole", &[("RoleName", "Crew")]).await
}

#[tokio::test]
async fn identity_and_facts_are_those_of_the_calling_session() {
    let (house, ada) = start().await;
    let passed = [
        ("SourceIdentity", "ada"),
        ("Tags.member.1.Key", "Project"),
        ("Tags.member.1.Value", "x"),
        ("TransitiveTagKeys.member.1", "Project"),
        ("Policy", BOTH),
    ];
    let parent = assumed(&house, &ada, "Crew", &passed).await;
    house.clock.advance(60);
    let answer = scope(&house, &parent, &[("Policy", GET_USER)]).await.unwrap();
    let (was, is) = (claims(&house, &parent), claims(&house, &Keys::of(&answer["Credentials"])));
    assert_eq!(answer["SourceIdentity"], "ada");
    assert_eq!(answer["ScopedPoliciesCount"], 1);
    assert_eq!(answer["SessionInfo"]["ScopedSessionId"], format!("{}:s1", was.principal_id));
    assert_eq!(answer["SessionInfo"]["Arn"], format!("arn:aws:sts::{ACCOUNT}:assumed-role/Crew/s1"));
    assert_eq!(
        who_is(&house, &Keys::of(&answer["Credentials"])).await.unwrap(),
        who_is(&house, &parent).await.unwrap()
    );
    assert_ne!(is.session_id, was.session_id, "it can be ended by itself");
    assert_eq!(is.ancestry, [was.session_id], "and with the one it came from");
    assert_eq!(is.layers[..1], was.layers[..], "the session policy stays");
    let expected = SessionClaims {
        session_id: is.session_id,
        ancestry: is.ancestry.clone(),
        ancestry_ends: vec![was.expires_at],
        layers: is.layers.clone(),
        scoped_layers: 1,
        chained: true,
        ..was
    };
    assert_eq!(is, expected, "everything else is the calling session's, the time of issue too");
}

#[tokio::test]
async fn policies_that_no_token_holds_together_are_too_large() {
    let (house, ada) = start().await;
    let policy = |n: u32| BOTH.replace(r#""Effect""#, &format!(r#""Sid":"{}","Effect""#, noise(n, 1850)));
    let first = assumed(&house, &ada, "Crew", &[("Policy", &policy(1))]).await;
    let (code, message) = told(scope(&house, &first, &[("Policy", &policy(2))]).await);
    assert_eq!(code, "PackedPolicyTooLarge");
    let percent = message.strip_prefix("Packed policy consumes ").unwrap();
    let percent = percent.strip_suffix("% of allotted space, please use smaller policy.").unwrap();
    assert!(percent.parse::<u32>().unwrap() > 100, "{percent}");
    scope(&house, &first, &[("Policy", BOTH)]).await.unwrap();
}

#[tokio::test]
async fn mfa_facts_stay_what_they_were() {
    let world = World::new().await;
    for mfa in [true, false] {
        let parent = world.mint(SessionKind::User, -100, 3600, mfa);
        let child = scoped(&world.house, &parent, &[("Policy", ALLOW_ALL)]).await;
        let at = claims(&world.house, &child).mfa_authenticated_at;
        assert_eq!(at, claims(&world.house, &parent).mfa_authenticated_at);
        assert_eq!(at.is_some(), mfa);
        // IAM takes a session of a user with MFA, and no other.
        let outcome = world.house.call(&child, "iam", "GetUser", &[]).await;
        assert_eq!(outcome.map_err(|error| error.code).is_ok(), mfa);
    }
}

#[tokio::test]
async fn layers_intersect_one_by_one_and_a_fourth_is_denied() {
    let (house, ada) = start().await;
    // The session policy that AssumeRole was given is none of the three.
    let parent = assumed(&house, &ada, "Crew", &[("Policy", ALLOW_ALL)]).await;
    let (mut session, mut count) = (parent, 0);
    for policy in [ALLOW_ALL, BOTH, GET_USER] {
        assert!(get_role(&house, &session).await.is_ok(), "{policy}");
        let answer = scope(&house, &session, &[("Policy", policy)]).await.unwrap();
        count += 1;
        assert_eq!(answer["ScopedPoliciesCount"], count);
        session = Keys::of(&answer["Credentials"]);
    }
    get_user(&house, &session).await.unwrap();
    let (code, message) = told(get_role(&house, &session).await);
    assert!(
        code == "AccessDenied"
            && message.ends_with("because no session policy allows the iam:GetRole action")
    );

    let wide = assumed(&house, &ada, "Crew", &[]).await;
    let mut session = wide;
    for _ in 0..3 {
        session = scoped(&house, &session, &[("Policy", ALLOW_ALL)]).await;
    }
    let (code, message) = told(scope(&house, &session, &[("Policy", ALLOW_ALL)]).await);
    let full = "A session may have 3 scope-down policies, and this one has them.";
    assert_eq!((code, message.as_str()), ("AccessDenied", full));
    let answer = scope(&house, &session, &[("DurationSeconds", "60")]).await.unwrap();
    assert_eq!(answer["ScopedPoliciesCount"], 3, "a shorter life is no further policy");
}

#[tokio::test]
async fn it_ends_when_asked_and_never_after_the_calling_session() {
    let (house, ada) = start().await;
    let parent = assumed(&house, &ada, "Crew", &[("DurationSeconds", "900")]).await;
    house.clock.advance(300);
    let now = house.clock_now();
    let ends = |answer: &Value| answer["Credentials"]["Expiration"].as_i64().unwrap() - now;
    assert_eq!(
        ends(&scope(&house, &parent, &[("Policy", ALLOW_ALL)]).await.unwrap()),
        600,
        "with the calling one"
    );
    for (seconds, lasting) in [("1", 1), ("599", 599), ("600", 600)] {
        assert_eq!(ends(&scope(&house, &parent, &[("DurationSeconds", seconds)]).await.unwrap()), lasting);
    }
    for seconds in ["601", "129600"] {
        let refused = told(scope(&house, &parent, &[("DurationSeconds", seconds)]).await);
        assert_eq!(refused.0, "InsufficientSessionLifetime", "{seconds}: never cut without a word");
    }
    for seconds in ["0", "129601"] {
        assert_eq!(told(scope(&house, &parent, &[("DurationSeconds", seconds)]).await).0, "ValidationError");
    }
    let child = scoped(&house, &parent, &[("DurationSeconds", "100")]).await;
    house.clock.advance(100);
    assert_eq!(told(who_is(&house, &child).await).0, "ExpiredToken");
    who_is(&house, &parent).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let (house, ada) = start().await;
    let parent = assumed(&house, &ada, "Crew", &[]).await;
    let refusal = async |params: Params<'_>| told(scope(&house, &parent, params).await).0;
    assert_eq!(refusal(&[]).await, "ValidationError", "neither a policy nor a time");
    assert_eq!(refusal(&[("ScopedSessionDescription", "nothing else")]).await, "ValidationError");
    assert_eq!(refusal(&[("Policy", "{")]).await, "MalformedPolicyDocument");
    assert_eq!(
        refusal(&[("Policy", &ALLOW_ALL.replace(r#""Action""#, r#""Principal":"*","Action""#))]).await,
        "MalformedPolicyDocument"
    );
    assert_eq!(refusal(&[("Policy", &format!("{ALLOW_ALL}{}", " ".repeat(2048)))]).await, "ValidationError");
    assert_eq!(refusal(&[("Policy", ALLOW_ALL), ("ScopedSessionDescription", "x")]).await, "ValidationError");
    assert_eq!(
        refusal(&[
            ("Policy", ALLOW_ALL),
            ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess")
        ])
        .await,
        "ValidationError"
    );
    for who in [&ada, &house.root] {
        assert_eq!(told(scope(&house, who, &[("Policy", ALLOW_ALL)]).await).0, "InvalidSubjectCredentials");
    }
}

#[tokio::test]
async fn the_description_is_in_the_record_and_the_policy_too() {
    let (house, ada) = start().await;
    let parent = assumed(&house, &ada, "Crew", &[]).await;
    scoped(&house, &parent, &[("Policy", GET_USER), ("ScopedSessionDescription", "for the nightly job")])
        .await;
    let events = house.audit.lock().unwrap();
    let event = events.last().unwrap();
    assert_eq!(event["requestParameters"]["scopedSessionDescription"], "for the nightly job");
    assert_eq!(event["requestParameters"]["policy"], GET_USER);
    assert_eq!(event["readOnly"], false);
}

/// A Deny of sessions issued before a moment reaches what such a session made of itself afterwards.
#[tokio::test]
async fn a_scoped_session_does_not_get_away_from_a_deny_of_older_sessions() {
    let (house, ada) = start().await;
    let parent = assumed(&house, &ada, "Crew", &[]).await;
    house.clock.advance(60);
    let child = scoped(&house, &parent, &[("Policy", ALLOW_ALL)]).await;
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-01-15T12:00:30Z"}}}]});
    let params = [
        ("RoleName", "Crew"),
        ("PolicyName", "AWSRevokeOlderSessions"),
        ("PolicyDocument", &deny.to_string()),
    ];
    house.root("iam", "PutRolePolicy", &params).await;
    assert_eq!(told(get_user(&house, &child).await).0, "AccessDenied");
}

/// In a resource policy that names the session, its session policies count for nothing; what it was narrowed to does.
#[tokio::test]
async fn what_a_resource_policy_gives_is_narrowed_too() {
    let (house, ada) = start().await;
    let named = format!("arn:aws:sts::{ACCOUNT}:assumed-role/Crew/s1");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": named}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shelf/*"}]});
    let put = json!({"ResourceArn": "arn:aws:s3:::shelf", "Policy": policy.to_string()});
    house.call_json(&house.root, "PutResourcePolicy", &put).await.unwrap();
    let service = house.root.clone();
    let reads = async |who: &Keys| {
        let http = HttpRequest::new("GET", "/shelf/a.txt", "").with_header("host", "store.test");
        let question = asking(&house.signed(who, "s3", http));
        house.call_json(&service, "CheckRequest", &question).await.unwrap()["Decision"].clone()
    };
    role(&house, "Empty", TRUST, GET_ROLE, &[]).await;
    let parent = assumed(&house, &ada, "Crew", &[("Policy", BOTH)]).await;
    assert_eq!(reads(&parent).await, "Allowed", "by its name, whatever its session policy says");
    assert_eq!(reads(&scoped(&house, &parent, &[("Policy", ALLOW_ALL)]).await).await, "Allowed");
    assert_eq!(reads(&scoped(&house, &parent, &[("Policy", GET_USER)]).await).await, "ImplicitlyDenied");
    assert_eq!(reads(&scoped(&house, &parent, &[("Policy", DENY_ALL)]).await).await, "ExplicitlyDenied");
}

#[tokio::test]
async fn a_federated_user_without_session_policies_gains_nothing() {
    let (house, ada) = start().await;
    for issuer in [&ada, &house.root.clone()] {
        let answer = house.call(issuer, "sts", "GetFederationToken", &[("Name", "Jill")]).await.unwrap();
        let session = Keys::of(&answer["Credentials"]);
        let (code, _) = told(scope(&house, &session, &[("Policy", ALLOW_ALL)]).await);
        assert_eq!(code, "AccessDenied", "it may not even ask");
    }
}

/// The role that a scoped session assumes has its own rights, as with any session: what was narrowed is whether it may.
#[tokio::test]
async fn what_was_narrowed_counts_when_the_session_assumes_a_role() {
    let (house, ada) = start().await;
    let parent = assumed(&house, &ada, "Crew", &[]).await;
    let child = scoped(&house, &parent, &[("Policy", GET_USER)]).await;
    assert_eq!(told(assume(&house, &child, "Crew", &[]).await).0, "AccessDenied");
    let child = scoped(&house, &parent, &[("Policy", ALLOW_ALL)]).await;
    let next = assumed(&house, &child, "Crew", &[]).await;
    let (first, next) = (claims(&house, &child), claims(&house, &next));
    assert_eq!((next.scoped_layers, next.layers.len()), (0, 0));
    assert_eq!(next.ancestry, [first.ancestry[0], first.session_id]);
    assert_eq!(next.first_key.unwrap().as_str(), ada.access_key_id, "the whole chain knows where it began");
}

/// Operations of features that nobody here has: found, authenticated, and refused whoever asks.
#[tokio::test]
async fn features_that_are_not_enabled_are_refused_in_a_denials_words() {
    let (house, ada) = start().await;
    house.account("444455556666").await;
    let task = ("TaskPolicyArn.arn", "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy");
    let denied = |action: &str, resource: &str| {
        let message = format!(
            "User: arn:aws:iam::{ACCOUNT}:user/Ada is not authorized to perform: sts:{action} on resource: {resource}"
        );
        ("AccessDenied", message)
    };
    for (target, resource) in [
        ("444455556666", "arn:aws:iam::444455556666:root"),
        ("777788889999", "arn:aws:iam::777788889999:root"),
        ("arn:aws:iam::444455556666:root", "arn:aws:iam::444455556666:root"),
    ] {
        let params = [("TargetPrincipal", target), task, ("DurationSeconds", "900")];
        let refused = told(house.call(&ada, "sts", "AssumeRoot", &params).await);
        assert_eq!(refused, denied("AssumeRoot", resource), "the same for an account that is not there");
        assert_eq!(told(house.call(&house.root, "sts", "AssumeRoot", &params).await).0, "AccessDenied");
    }
    let params = [("TradeInToken", "a token that was traded")];
    let refused = told(house.call(&ada, "sts", "GetDelegatedAccessToken", &params).await);
    assert_eq!(refused, denied("GetDelegatedAccessToken", "*"));
    let audit = house.audit.lock().unwrap().iter().map(Value::to_string).collect::<String>();
    assert!(audit.contains("AssumeRoot") && !audit.contains("a token that was traded"), "{audit}");
    for (action, params) in
        [("AssumeRoot", &[("TargetPrincipal", "444455556666")][..]), ("GetDelegatedAccessToken", &[])]
    {
        assert_eq!(told(house.call(&ada, "sts", action, params).await).0, "ValidationError", "{action}");
        let nobody = house
            .send_http(
                request(),
                "sts",
                action,
                "2011-06-15",
                DaypassParams::from_pairs(Vec::new())
                    .map_err(|error| Error::new(error.code(), error.to_string())),
            )
            .await;
        assert_eq!(told(nobody).0, "MissingAuthenticationToken", "{action}");
        assert!(daypass_service::actions::all().all(|row| row.name.1 != action), "{action} is not done here");
    }
}

/// Policies that a session may be given or narrowed to.
fn policy() -> impl Strategy<Value = String> {
    let actions = ["*", "iam:*", "iam:GetUser", "iam:GetRole", "sts:*", "iam:Get*", "s3:*"];
    let statement = (prop::bool::weighted(0.2), prop::sample::subsequence(actions.to_vec(), 1..3));
    prop::collection::vec(statement, 1..3).prop_map(|statements| {
        let statement = |(deny, actions): (bool, Vec<&str>)| {
            json!({"Effect": if deny { "Deny" } else { "Allow" }, "Action": actions, "Resource": "*"})
        };
        let statements: Vec<_> = statements.into_iter().map(statement).collect();
        json!({"Version": "2012-10-17", "Statement": statements}).to_string()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// INVARIANT (no-widening): whatever a session is narrowed to and however often, each session may only what the one
    /// before it may, and lives no longer.
    #[test]
    fn a_scoped_session_never_may_more_than_its_parent(
        of_role in policy(),
        passed in prop::option::of(policy()),
        layers in prop::collection::vec((policy(), 1i64..900), 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (house, ada) = start().await;
            role(&house, "Some", TRUST, &of_role, &[]).await;
            let more: Vec<_> = passed.iter().map(|policy| ("Policy", policy.as_str())).collect();
            let mut parent = assumed(&house, &ada, "Some", &more).await;
            for (policy, seconds) in &layers {
                let seconds = seconds.to_string();
                let params = [("Policy", policy.as_str()), ("DurationSeconds", &seconds)];
                let Ok(answer) = scope(&house, &parent, &params).await else { break };
                let child = Keys::of(&answer["Credentials"]);
                assert!(claims(&house, &child).expires_at <= claims(&house, &parent).expires_at);
                let may = async |who: &Keys| {
                    [
                        get_user(&house, who).await.is_ok(),
                        get_role(&house, who).await.is_ok(),
                        assume(&house, who, "Crew", &[]).await.is_ok(),
                        house.call(who, "iam", "CreateUser", &[("UserName", "x")]).await.is_ok(),
                    ]
                };
                let (of_child, of_parent) = (may(&child).await, may(&parent).await);
                for (n, (child, parent)) in of_child.into_iter().zip(of_parent).enumerate() {
                    // The user can be made once: by the child, if it may.
                    assert!(!child || parent || n == 3, "{n}: {policy}");
                }
                house.call(&house.root, "iam", "DeleteUser", &[("UserName", "x")]).await.ok();
                parent = child;
            }
        });
    }
}
