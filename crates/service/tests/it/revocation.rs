//! RevokeSession: what ends, at which doors, and who may end it.

mod issued;
use daypass_authn::sigv4::HttpRequest;
use daypass_authn::token::SessionKind;
use daypass_directory::{Revocation, SessionRules, key};
use daypass_model::SessionId;
use daypass_model::limits::REVOCATIONS_PER_ACCOUNT_MAX;
use daypass_service::Error;
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::race::Gate;
use crate::sessions::{TRUST, assume, assumed, get_user, role, start, told, who_is};
use crate::support::{ACCOUNT, Keys, OTHER, TestHouse};
use crate::world::{World, asking, session_id};

/// 36 hours, and the hour by which clocks may differ.
const KEPT: i64 = 129_600 + 3600;

async fn revoke(house: &TestHouse, body: Value) -> Result<Value, Error> {
    house.call_json(&house.root, "RevokeSession", &body).await
}

async fn scoped(house: &TestHouse, who: &Keys) -> Keys {
    let answer = house.call(who, "sts", "GetScopedCredentials", &[("Policy", ALLOW_ALL)]).await;
    Keys::of(&answer.unwrap()["Credentials"])
}

/// What is said to whoever comes with a session that was ended.
async fn assert_ended(house: &TestHouse, who: &Keys, what: &str) {
    let ended = ("ExpiredToken", "The security token included in the request is expired".to_owned());
    assert_eq!(told(who_is(house, who).await), ended, "{what}");
}

async fn assert_lives(house: &TestHouse, who: &Keys, what: &str) {
    assert!(who_is(house, who).await.is_ok(), "{what}");
}

/// A role of another account that trusts this one.
async fn role_elsewhere(house: &TestHouse) -> (Keys, String) {
    let theirs = house.account(OTHER).await;
    let params = [("RoleName", "Guest"), ("AssumeRolePolicyDocument", TRUST)];
    house.call(&theirs, "iam", "CreateRole", &params).await.unwrap();
    (theirs, format!("arn:aws:iam::{OTHER}:role/Guest"))
}

async fn assume_elsewhere(house: &TestHouse, who: &Keys, arn: &str) -> Keys {
    let params = [("RoleArn", arn), ("RoleSessionName", "guest")];
    Keys::of(&house.call(who, "sts", "AssumeRole", &params).await.unwrap()["Credentials"])
}

#[tokio::test]
async fn one_session_ends_at_the_next_request_and_no_other() {
    let (house, ada) = start().await;
    let [stolen, other] =
        [assumed(&house, &ada, "Crew", &[]).await, assumed(&house, &ada, "Crew", &[]).await];
    let (child, narrow) = (assumed(&house, &stolen, "Crew", &[]).await, scoped(&house, &stolen).await);
    get_user(&house, &stolen).await.unwrap();
    revoke(&house, json!({"SessionId": session_id(&house, &stolen)})).await.unwrap();
    assert_ended(&house, &stolen, "itself").await;
    assert_eq!(told(get_user(&house, &stolen).await).0, "ExpiredToken");
    assert_eq!(
        told(assume(&house, &stolen, "Crew", &[]).await).0,
        "ExpiredToken",
        "it issues nothing either"
    );
    for (who, what) in
        [(&ada, "the user"), (&other, "a sister"), (&child, "its child"), (&narrow, "a scoped one")]
    {
        assert_lives(&house, who, what).await;
    }
    let forged = Keys { secret_access_key: "x".repeat(40), ..stolen };
    assert_eq!(told(who_is(&house, &forged).await).0, "SignatureDoesNotMatch", "signature before all that");
}

#[tokio::test]
async fn a_session_ends_with_all_that_came_from_it_in_whatever_account() {
    let (house, ada) = start().await;
    let (_, guest) = role_elsewhere(&house).await;
    let first = Keys::of(&house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"]);
    let stolen = assumed(&house, &first, "Crew", &[]).await;
    let sister = assumed(&house, &first, "Crew", &[]).await;
    let child = assumed(&house, &stolen, "Crew", &[]).await;
    let narrow = scoped(&house, &child).await;
    let away = assume_elsewhere(&house, &narrow, &guest).await;
    let issued = [
        (&stolen, "itself"),
        (&child, "its child"),
        (&narrow, "a scoped grandchild"),
        (&away, "one elsewhere"),
    ];
    let id = session_id(&house, &stolen);
    // First alone, then with all: the second says more than the first.
    revoke(&house, json!({"SessionId": id, "IncludeIssued": false})).await.unwrap();
    assert_lives(&house, &child, "a child of a session that ended alone").await;
    revoke(&house, json!({"SessionId": id, "IncludeIssued": true})).await.unwrap();
    for (who, what) in issued {
        assert_ended(&house, who, what).await;
    }
    // To say less afterwards takes nothing back, and writes nothing.
    let before = house.stored().await;
    revoke(&house, json!({"SessionId": id})).await.unwrap();
    assert!(house.stored().await == before);
    assert_ended(&house, &away, "one elsewhere").await;
    for (who, what) in [(&ada, "the user"), (&first, "the parent"), (&sister, "a sister")] {
        assert_lives(&house, who, what).await;
    }
}

#[tokio::test]
async fn sessions_of_a_principal_end_that_were_issued_before_a_moment() {
    let (house, ada) = start().await;
    let bob = house.user("Bob", Some(ALLOW_ALL)).await;
    let session = async |who: &Keys| {
        Keys::of(&house.call(who, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"])
    };
    let federated = async |who: &Keys| {
        let answer = house.call(who, "sts", "GetFederationToken", &[("Name", "Jill")]).await.unwrap();
        Keys::of(&answer["Credentials"])
    };
    let of_ada = [session(&ada).await, federated(&ada).await];
    let (of_bob, of_root) = (session(&bob).await, [session(&house.root).await, federated(&house.root).await]);
    let of_crew = assumed(&house, &ada, "Crew", &[]).await;
    house.clock.advance(10);
    let narrow = scoped(&house, &of_crew).await;
    let newer = assumed(&house, &ada, "Crew", &[]).await;
    let crew = format!("arn:aws:iam::{ACCOUNT}:role/Crew");
    let user = format!("arn:aws:iam::{ACCOUNT}:user/Ada");
    // To the second: what was issued in it is not before it.
    revoke(&house, json!({"PrincipalArn": crew, "IssuedBefore": house.clock_now() - 10})).await.unwrap();
    assert_lives(&house, &of_crew, "issued in that second").await;
    revoke(&house, json!({"PrincipalArn": crew, "IssuedBefore": house.clock_now() - 9})).await.unwrap();
    assert_ended(&house, &of_crew, "issued before it").await;
    assert_ended(&house, &narrow, "narrowed after it, from one issued before").await;
    assert_lives(&house, &newer, "issued after it").await;
    // An earlier moment takes nothing back.
    revoke(&house, json!({"PrincipalArn": crew, "IssuedBefore": house.clock_now() - 10})).await.unwrap();
    assert_ended(&house, &of_crew, "still").await;

    revoke(&house, json!({"PrincipalArn": user})).await.unwrap();
    for who in &of_ada {
        assert_ended(&house, who, "of the user").await;
    }
    assert_lives(&house, &ada, "her keys").await;
    assert_lives(&house, &of_bob, "another user's").await;
    assert_lives(&house, &newer, "the role's").await;
    let same_second = session(&ada).await;
    assert_ended(&house, &same_second, "of the second in which all were ended").await;
    house.clock.advance(1);
    assert_lives(&house, &session(&ada).await, "a second later").await;

    revoke(&house, json!({"PrincipalArn": format!("arn:aws:iam::{ACCOUNT}:root")})).await.unwrap();
    for who in &of_root {
        assert_ended(&house, who, "of root").await;
    }
    assert_lives(&house, &house.root, "root's keys").await;
}

#[tokio::test]
async fn what_a_revocation_cannot_mean_is_refused() {
    let (house, ada) = start().await;
    let id = session_id(&house, &assumed(&house, &ada, "Crew", &[]).await);
    let crew = format!("arn:aws:iam::{ACCOUNT}:role/Crew");
    let before = house.stored().await;
    let now = house.clock_now();
    for body in [
        json!({}),
        json!({"SessionId": id, "PrincipalArn": crew}),
        json!({"SessionId": id, "IssuedBefore": now}),
        json!({"IncludeIssued": true}),
        json!({"SessionId": id.to_uppercase()}),
        json!({"SessionId": &id[1..]}),
        json!({"SessionId": id, "Scope": "all"}),
        json!({"PrincipalArn": crew, "IssuedBefore": now + 901}),
    ] {
        assert_eq!(told(revoke(&house, body.clone()).await).0, "ValidationError", "{body}");
    }
    for arn in [
        format!("arn:aws:iam::{ACCOUNT}:role/Nobody"),
        format!("arn:aws:iam::{ACCOUNT}:role/crew"),
        format!("arn:aws:iam::{ACCOUNT}:group/Crew"),
        format!("arn:aws:sts::{ACCOUNT}:assumed-role/Crew/s1"),
        format!("arn:aws:iam::{OTHER}:root"),
        "Crew".into(),
    ] {
        assert_eq!(told(revoke(&house, json!({"PrincipalArn": arn})).await).0, "NoSuchEntity", "{arn}");
    }
    assert!(house.stored().await == before, "nothing was written");
    // So long ago that no such session is left: done, without a record.
    revoke(&house, json!({"PrincipalArn": crew, "IssuedBefore": now - KEPT})).await.unwrap();
    assert!(house.stored().await == before);
}

#[tokio::test]
async fn an_account_ends_its_own_sessions_and_no_others() {
    let (house, ada) = start().await;
    let (theirs, guest) = role_elsewhere(&house).await;
    let ours = assumed(&house, &ada, "Crew", &[]).await;
    let away = assume_elsewhere(&house, &ours, &guest).await;
    let before = house.stored().await;
    for who in [&ours, &ada] {
        let body = if who.session_token.is_some() {
            json!({"SessionId": session_id(&house, who), "IncludeIssued": true})
        } else {
            json!({"PrincipalArn": format!("arn:aws:iam::{ACCOUNT}:user/Ada")})
        };
        let refused = house.call_json(&theirs, "RevokeSession", &body).await;
        assert_eq!(told(refused).0, "NoSuchEntity");
    }
    // Nor does whoever sent a session there: it is theirs, and ends with the one that it came from.
    let refused = revoke(&house, json!({"SessionId": session_id(&house, &away)})).await;
    assert_eq!(told(refused).0, "NoSuchEntity");
    assert!(house.stored().await == before);
    house
        .call_json(&theirs, "RevokeSession", &json!({"SessionId": session_id(&house, &away)}))
        .await
        .unwrap();
    assert_ended(&house, &away, "by its own account").await;
    assert_lives(&house, &ours, "where it came from").await;
}

#[tokio::test]
async fn permission_is_asked_for_on_the_session_or_the_principal() {
    let (house, ada) = start().await;
    let session = assumed(&house, &ada, "Crew", &[]).await;
    let id = session_id(&house, &session);
    let crew = format!("arn:aws:iam::{ACCOUNT}:role/Crew");
    let may = |resource: &str| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "daypass:RevokeSession", "Resource": resource}]})
        .to_string()
    };
    let of_role = house.user("OfRole", Some(&may(&crew))).await;
    let of_sessions =
        house.user("OfSessions", Some(&may(&format!("arn:aws:daypass::{ACCOUNT}:session/*")))).await;
    let by_id = json!({"SessionId": id});
    let by_role = json!({"PrincipalArn": crew, "IssuedBefore": house.clock_now()});
    let (code, message) = told(house.call_json(&of_role, "RevokeSession", &by_id).await);
    let asked = format!("daypass:RevokeSession on resource: arn:aws:daypass::{ACCOUNT}:session/{id} because");
    assert!(code == "AccessDenied" && message.contains(&asked), "{message}");
    assert_eq!(told(house.call_json(&of_sessions, "RevokeSession", &by_role).await).0, "AccessDenied");
    house.call_json(&of_role, "RevokeSession", &by_role).await.unwrap();
    assert_lives(&house, &session, "issued in that second").await;
    house.call_json(&of_sessions, "RevokeSession", &by_id).await.unwrap();
    assert_ended(&house, &session, "by id").await;
    let event =
        house.audit.lock().unwrap().iter().rev().find(|event| event["eventName"] == "RevokeSession").cloned();
    let event = event.unwrap();
    assert_eq!((&event["requestParameters"]["sessionId"], &event["readOnly"]), (&json!(id), &json!(false)));
}

#[tokio::test]
async fn a_service_that_asks_is_told_that_the_session_is_over() {
    let (house, ada) = start().await;
    let session = assumed(&house, &ada, "Crew", &[]).await;
    let http = HttpRequest::new("GET", "/shelf/a.txt", "").with_header("host", "store.test");
    let question = asking(&house.signed(&session, "s3", http));
    let ask = async || house.call_json(&house.root, "CheckRequest", &question).await.unwrap();
    assert_eq!(ask().await["Decision"], "Allowed");
    revoke(&house, json!({"SessionId": session_id(&house, &session)})).await.unwrap();
    let answer = ask().await;
    assert_eq!(answer["Decision"], "ImplicitlyDenied");
    assert_eq!(answer["AuthenticationError"]["Code"], "ExpiredToken");
    assert_eq!(answer.get("Principal"), None);
}

/// INVARIANT (fresh-authorization).
#[tokio::test]
async fn no_write_is_made_by_a_session_that_was_ended_meanwhile() {
    let ways: [fn(&TestHouse, &[Keys; 2]) -> Value; 3] = [
        |house, keys| json!({"SessionId": session_id(house, &keys[1])}),
        |house, keys| json!({"SessionId": session_id(house, &keys[0]), "IncludeIssued": true}),
        |_, _| json!({"PrincipalArn": format!("arn:aws:iam::{ACCOUNT}:role/Crew")}),
    ];
    for way in ways {
        let gate = Gate::new();
        let house = TestHouse::on(gate.clone()).await;
        let ada = house.user("Ada", Some(ALLOW_ALL)).await;
        role(&house, "Crew", TRUST, ALLOW_ALL, &[]).await;
        let first = assumed(&house, &ada, "Crew", &[]).await;
        let keys = [first.clone(), assumed(&house, &first, "Crew", &[]).await];
        // A revocation that was there before and does not end the session is in nobody's way.
        revoke(&house, json!({"PrincipalArn": format!("arn:aws:iam::{ACCOUNT}:role/Crew"), "IssuedBefore": house.clock_now()}))
            .await
            .unwrap();
        revoke(&house, json!({"SessionId": session_id(&house, &first)})).await.unwrap();
        house.call(&keys[1], "iam", "CreateUser", &[("UserName", "early")]).await.unwrap();
        let body = way(&house, &keys);
        gate.arm();
        let (written, ended) = tokio::join!(
            house.call(&keys[1], "iam", "CreateUser", &[("UserName", "late")]),
            revoke(&house, body.clone()),
        );
        ended.unwrap();
        assert_eq!(told(written).0, "ExpiredToken", "{body}");
        let there = house.call(&house.root, "iam", "GetUser", &[("UserName", "late")]).await;
        assert_eq!(told(there).0, "NoSuchEntity", "{body}");
    }
}

#[tokio::test]
async fn revocations_are_bounded_and_go_when_no_session_that_they_name_can_live() {
    let (house, ada) = start().await;
    let account = ACCOUNT.parse().unwrap();
    let now = house.clock_now();
    let filler = |n: usize, expires: i64| {
        let mut id = SessionId::generate(account, house.house.directory.random());
        id.0[8..].copy_from_slice(&(n as u64).to_be_bytes());
        let record =
            json!({"v": 1, "request_id": "filler", "at": now, "expires": expires, "issued_too": false});
        (key::revoked_session(account, id), record.to_string().into())
    };
    house.put((1..REVOCATIONS_PER_ACCOUNT_MAX).map(|n| filler(n, now + 60)).collect()).await;
    let sessions = [assumed(&house, &ada, "Crew", &[]).await, assumed(&house, &ada, "Crew", &[]).await];
    let end = async |keys: &Keys| revoke(&house, json!({"SessionId": session_id(&house, keys)})).await;
    end(&sessions[0]).await.unwrap();
    let (code, message) = told(end(&sessions[1]).await);
    assert_eq!(code, "LimitExceeded");
    assert!(message.contains("Cannot exceed quota for Revocations: there are 10000"), "{message}");
    assert_lives(&house, &sessions[1], "one too many").await;
    end(&sessions[0]).await.unwrap();
    // Whoever fills it is not safe from the operator.
    let stolen = assumed(&house, &ada, "Crew", &[]).await;
    let id = session_id(&house, &stolen).parse().unwrap();
    let what = Revocation::Session { id, issued_too: true };
    house.house.directory.revoke(account, &what, "operator").await.unwrap();
    assert_ended(&house, &stolen, "by the operator").await;
    // To end all of a principal there is room of its own.
    revoke(&house, json!({"PrincipalArn": format!("arn:aws:iam::{ACCOUNT}:role/Crew")})).await.unwrap();
    assert_ended(&house, &sessions[1], "with all of its role").await;
    house.clock.advance(60);
    let count = async || {
        let (_, records) = house.stored().await;
        records.iter().filter(|record| record.key.contains("/revoked-session/")).count()
    };
    assert_eq!(count().await, REVOCATIONS_PER_ACCOUNT_MAX + 1);
    let third = assumed(&house, &ada, "Crew", &[]).await;
    end(&third).await.unwrap();
    assert_eq!(count().await, REVOCATIONS_PER_ACCOUNT_MAX + 2 - 50, "each takes some that are over with it");
    assert_ended(&house, &sessions[0], "whose revocation is still needed").await;
    assert_ended(&house, &third, "itself").await;
}

#[tokio::test]
async fn a_revocation_stays_as_long_as_the_longest_session_may_live() {
    let world = World::new().await;
    let house = &world.house;
    let longest = [("DurationSeconds", "129600")];
    let answer = house.call(&world.admin, "sts", "GetSessionToken", &longest).await.unwrap();
    let longest = Keys::of(&answer["Credentials"]);
    revoke(house, json!({"SessionId": session_id(house, &longest)})).await.unwrap();
    // In the last second of its life, with as many sweeps as there can be between.
    house.clock.advance(129_599);
    let other = world.mint(SessionKind::User, 0, 60, true);
    revoke(house, json!({"SessionId": session_id(house, &other)})).await.unwrap();
    assert_ended(house, &longest, "to its end").await;
    let left =
        async || house.stored().await.1.iter().filter(|record| record.key.contains("/revoked-")).count();
    assert_eq!(left().await, 2);
    house.clock.advance(KEPT - 129_599);
    let another = world.mint(SessionKind::User, 0, 60, true);
    revoke(house, json!({"SessionId": session_id(house, &another)})).await.unwrap();
    assert_eq!(left().await, 2, "the first record is of no use any more");
}

/// On AWS sessions live on; an operator may want it otherwise.
#[tokio::test]
async fn with_the_rule_sessions_end_with_the_key_that_their_chain_began_with() {
    for end_with_key in [false, true] {
        let house = TestHouse::with_rules(SessionRules { end_with_key }).await;
        let ada = house.user("Ada", Some(ALLOW_ALL)).await;
        let second =
            Keys::of(&house.root("iam", "CreateAccessKey", &[("UserName", "Ada")]).await["AccessKey"]);
        role(&house, "Crew", TRUST, ALLOW_ALL, &[]).await;
        let of_user =
            Keys::of(&house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"]);
        let of_role = assumed(&house, &of_user, "Crew", &[]).await;
        let narrow = scoped(&house, &of_role).await;
        let other = assumed(&house, &second, "Crew", &[]).await;
        let all = [&of_user, &of_role, &narrow];
        let key = [("UserName", "Ada"), ("AccessKeyId", ada.access_key_id.as_str())];
        let set = async |status: &str| {
            house.root("iam", "UpdateAccessKey", &[&key[..], &[("Status", status)]].concat()).await;
        };
        set("Inactive").await;
        for who in all {
            if end_with_key {
                assert_ended(&house, who, "of an inactive key").await;
            } else {
                assert_lives(&house, who, "of an inactive key").await;
            }
        }
        assert_lives(&house, &other, "of another key of the same user").await;
        set("Active").await;
        assert_lives(&house, &of_role, "of a key that is active again").await;
        house.root("iam", "DeleteAccessKey", &key).await;
        assert_eq!(who_is(&house, &narrow).await.is_err(), end_with_key, "of a deleted key");
    }
}

/// INVARIANT (fresh-authorization), where sessions end with their key.
#[tokio::test]
async fn a_right_that_goes_with_the_key_is_guarded_too() {
    let house = TestHouse::with_rules(SessionRules { end_with_key: true }).await;
    let ada = house.user("Ada", Some(ALLOW_ALL)).await;
    role(&house, "Crew", TRUST, ALLOW_ALL, &[]).await;
    let session = assumed(&house, &ada, "Crew", &[]).await;
    let view = house.house.directory.snapshot();
    let token = session.session_token.as_deref();
    let credential = house.house.directory.credential(&view, &session.access_key_id, token).unwrap();
    let key = [("UserName", "Ada"), ("AccessKeyId", ada.access_key_id.as_str()), ("Status", "Inactive")];
    house.root("iam", "UpdateAccessKey", &key).await;
    // Decided on the view from before, the change does not come through.
    let scope = daypass_directory::Scope::resolve(view, credential.caller, house.house.now()).unwrap();
    let check = scope.check("iam:CreateUser", "*");
    let op = daypass_directory::Operation {
        request_id: "late".into(),
        now: house.house.now(),
        source_ip: None,
        secure: None,
        region: String::new(),
        user_agent: None,
        referer: None,
        spent: daypass_directory::SpentByCall::default(),
    };
    let call = daypass_directory::authorize(&op, &scope, &daypass_directory::Checks::one(check), ());
    let mut change = call.unwrap().change(&op);
    change.put("/late".into(), &json!({}));
    let outcome = house.house.directory.commit(change).await;
    assert_eq!(outcome, Err(daypass_directory::NotCommitted::Conflict));
}

#[tokio::test]
async fn no_chain_gets_so_long_that_a_session_above_it_cannot_end_it() {
    let (house, ada) = start().await;
    let stolen = assumed(&house, &ada, "Crew", &[]).await;
    let mut last = stolen.clone();
    // With the stolen one they are as many as a token holds.
    let mut all = Vec::new();
    for n in 0..15 {
        last =
            if n % 2 == 0 { scoped(&house, &last).await } else { assumed(&house, &last, "Crew", &[]).await };
        all.push(last.clone());
    }
    let more = [("DurationSeconds", "900")];
    let scope = async |who: &Keys| house.call(who, "sts", "GetScopedCredentials", &more).await;
    let too_long = told(scope(&last).await);
    assert_eq!(too_long.0, "LimitExceeded");
    assert!(too_long.1.contains("LivingSessionsPerChain: 16"), "{}", too_long.1);
    assert_eq!(told(assume(&house, &last, "Crew", &[]).await), too_long);
    let id = session_id(&house, &stolen);
    let chain = house
        .call_json(&house.root, "GetSessionChain", &json!({"SessionId": session_id(&house, &last)}))
        .await;
    assert_eq!(chain.unwrap()["Chain"].as_array().unwrap().len(), 16);
    revoke(&house, json!({"SessionId": id, "IncludeIssued": true})).await.unwrap();
    for session in &all {
        assert_ended(&house, session, "every one of them").await;
    }
}

#[tokio::test]
async fn a_worker_renews_itself_for_ever_and_what_is_over_is_forgotten() {
    let (house, ada) = start().await;
    let first = assumed(&house, &ada, "Crew", &[]).await;
    let mut worker = first.clone();
    let mut before = Vec::new();
    for _ in 0..40 {
        before.push(worker.clone());
        house.clock.advance(3000);
        worker = assumed(&house, &worker, "Crew", &[]).await;
    }
    let chain = json!({"SessionId": session_id(&house, &worker)});
    let chain = house.call_json(&house.root, "GetSessionChain", &chain).await.unwrap();
    let links = chain["Chain"].as_array().unwrap();
    assert_eq!(links.len(), 16);
    assert_eq!(links[0]["SessionId"], session_id(&house, &first), "where it began stays known");
    assert_eq!(chain["MayBeIncomplete"], true, "some are left out");
    // The one that lives still above it.
    let above = session_id(&house, before.last().unwrap());
    revoke(&house, json!({"SessionId": above, "IncludeIssued": true})).await.unwrap();
    assert_ended(&house, &worker, "it came from there").await;
}

#[tokio::test]
async fn a_principals_sessions_of_a_clock_that_ran_ahead_end_with_the_others() {
    let (house, ada) = start().await;
    house.clock.advance(600);
    let ahead = assumed(&house, &ada, "Crew", &[]).await;
    house.clock.advance(-600);
    assert_lives(&house, &ahead, "it says that it is from ten minutes ahead").await;
    let crew = format!("arn:aws:iam::{ACCOUNT}:role/Crew");
    revoke(&house, json!({"PrincipalArn": crew})).await.unwrap();
    assert_ended(&house, &ahead, "issued by now, whatever it says").await;
    house.clock.advance(601);
    let later = assumed(&house, &ada, "Crew", &[]).await;
    assert_lives(&house, &later, "a new one").await;
}
