//! The page of the account's sessions, and another role: calls of the API as whoever is signed in.

use super::*;

const READ_ONLY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["daypass:ListSessions","daypass:GetSessionChain"],"Resource":"*"}]}"#;

async fn get(
    house: &TestHouse,
    browser: &Browser,
    place: &str,
    form: &[(&str, &str)],
) -> Result<Answer, Error> {
    let path = format!("{}{place}", session_path(browser.id));
    house.visit("GET", &path, "", &[("cookie", &browser.cookie())], form).await
}

pub(super) async fn post(
    house: &TestHouse,
    browser: &Browser,
    place: &str,
    form: &[(&str, &str)],
) -> Result<Answer, Error> {
    let path = format!("{}{place}", session_path(browser.id));
    house.visit("POST", &path, "", &[("cookie", &browser.cookie())], form).await
}

/// The page of one session.
pub(super) async fn one_session(
    house: &TestHouse,
    browser: &Browser,
    id: SessionId,
) -> Box<daypass_service::doors::SessionShown> {
    match get(house, browser, &format!("sessions/{id}"), &[]).await.unwrap() {
        Answer::OneSession(shown) => shown,
        other => panic!("{other:?}"),
    }
}

async fn found(house: &TestHouse, browser: &Browser, form: &[(&str, &str)]) -> Vec<(String, String)> {
    match get(house, browser, "sessions", form).await.unwrap() {
        Answer::Sessions(list) => {
            list.sessions.into_iter().map(|session| (session.arn, session.status)).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// What GetFederationToken of a user with everything gives under a policy.
async fn federated(house: &TestHouse, name: &str, policy: &str) -> Keys {
    let user = house.user(name, Some(ALLOW_ALL)).await;
    let answer = house.call(&user, "sts", "GetFederationToken", &[("Name", name), ("Policy", policy)]).await;
    Keys::of(&answer.unwrap()["Credentials"])
}

#[tokio::test]
async fn an_administrator_finds_a_session_and_ends_it() {
    let house = with_role().await;
    let admin = house.enter(&desk(&house, &[]).await).await;
    let thief = desk(&house, &[("RoleSessionName", "mallory"), ("SourceIdentity", "mallory")]).await;
    let arn = "arn:aws:sts::111122223333:assumed-role/Desk/mallory".to_owned();
    for (by, text) in [
        ("name", "mall"),
        ("source", "mallory"),
        ("arn", &*arn),
        ("key", &thief.access_key_id),
        ("x", "mallory"),
    ] {
        let rows = found(&house, &admin, &[("by", by), ("text", text)]).await;
        assert_eq!(rows, [(arn.clone(), "Live".to_owned())], "{by}");
    }
    assert_eq!(found(&house, &admin, &[("text", "nobody")]).await, []);
    // What is no key is told of on the page, and the form keeps it.
    for (by, text) in [("key", "ASIA"), ("source", "?!")] {
        let answer = get(&house, &admin, "sessions", &[("by", by), ("text", text)]).await.unwrap();
        let Answer::Sessions(list) = answer else { panic!("{answer:?}") };
        let problem = list.problem.expect(by);
        assert!(problem.contains("failed to satisfy constraint"), "{problem}");
        assert_eq!((list.search.text.as_str(), list.sessions.len()), (text, 0));
        assert_eq!(house.last_event()["errorCode"], "ValidationErrorException");
    }
    assert!(found(&house, &admin, &[]).await.len() >= 3);
    let event = house.last_event();
    assert_eq!(
        (&event["eventName"], &event["sessionCredentialFromConsole"]),
        (&json!("ListSessions"), &json!("true"))
    );
    assert_eq!(event["userIdentity"]["arn"], "arn:aws:sts::111122223333:assumed-role/Desk/ada");

    let listed = house
        .call_json(&house.root, "ListSessions", &json!({"AccessKeyId": thief.access_key_id}))
        .await
        .unwrap();
    let id = listed["Sessions"][0]["SessionId"].as_str().unwrap().to_owned();
    let place = format!("sessions/{id}");
    let Answer::OneSession(shown) = get(&house, &admin, &place, &[]).await.unwrap() else {
        panic!("no page")
    };
    assert_eq!((shown.session.arn.as_str(), shown.session.status.as_str()), (arn.as_str(), "Live"));
    assert_eq!(shown.chain.len(), 1, "the user whose keys began it");
    let end = format!("{place}/revoke");
    let form = [("code", shown.code.as_str()), ("end", "this")];
    assert!(
        matches!(post(&house, &admin, &end, &form).await.unwrap(), Answer::GoTo(path) if path.contains(&format!("{place}?ended=this&told=")))
    );
    assert_eq!(house.last_event()["eventName"], "RevokeSession");
    assert_eq!(house.whoami(&thief).await, Err("ExpiredToken"));
    let rows = found(&house, &admin, &[("text", "mallory"), ("ended", "1")]).await;
    assert_eq!(rows, [(arn, "Revoked".to_owned())]);
}

#[tokio::test]
async fn more_can_be_ended_at_once() {
    let house = with_role().await;
    // Nobody's sessions but the admin's are of this principal.
    let admin = house.enter(&federated(&house, "grace", ALLOW_ALL).await).await;
    let parent = desk(&house, &[]).await;
    let child = house
        .call(&parent, "sts", "AssumeRole", &[("RoleArn", ROLE), ("RoleSessionName", "child")])
        .await
        .unwrap();
    let (child, other) = (Keys::of(&child["Credentials"]), desk(&house, &[]).await);
    let listed = house
        .call_json(&house.root, "ListSessions", &json!({"AccessKeyId": parent.access_key_id}))
        .await
        .unwrap();
    let sessions = listed["Sessions"].as_array().unwrap();
    let own =
        sessions.iter().find(|session| session["AccessKeyId"] == parent.access_key_id.as_str()).unwrap();
    let place = format!("sessions/{}", own["SessionId"].as_str().unwrap());
    let Answer::OneSession(shown) = get(&house, &admin, &place, &[]).await.unwrap() else {
        panic!("no page")
    };
    assert_eq!(shown.issued.len(), 1);
    assert_eq!(shown.chain[0].session, None, "root's own keys");
    // From what it issued a link leads up to it.
    let issued = format!("sessions/{}", shown.issued[0].session_id);
    let Answer::OneSession(below) = get(&house, &admin, &issued, &[]).await.unwrap() else {
        panic!("no page")
    };
    assert_eq!(below.chain.last().unwrap().session, Some(shown.session.session_id));
    let end = format!("{place}/revoke");
    for bad in [
        &[("end", "this")][..],
        &[("code", "00"), ("end", "this")],
        &[("code", &*shown.code), ("end", "all")],
        &[("code", &*shown.code)],
    ] {
        let refused = post(&house, &admin, &end, bad).await.err().map(|error| error.code);
        assert!(matches!(refused, Some("AccessDenied" | "ValidationError")), "{bad:?}");
    }
    house.whoami(&parent).await.unwrap();
    post(&house, &admin, &end, &[("code", &shown.code), ("end", "issued")]).await.unwrap();
    assert_eq!(
        (house.whoami(&parent).await, house.whoami(&child).await),
        (Err("ExpiredToken"), Err("ExpiredToken"))
    );
    house.whoami(&other).await.unwrap();
    let params = [("RoleArn", ROLE), ("RoleSessionName", "child")];
    let below = house.call(&other, "sts", "AssumeRole", &params).await.unwrap();
    let below = Keys::of(&below["Credentials"]);
    let all = [
        ("code", shown.code.as_str()),
        ("end", "principal"),
        ("principal", shown.session.principal_arn.as_str()),
    ];
    post(&house, &admin, &end, &all).await.unwrap();
    let asked = &house.last_event()["requestParameters"];
    assert_eq!(asked["IncludeIssued"].as_bool().or(asked["includeIssued"].as_bool()), Some(true), "{asked}");
    assert_eq!(house.whoami(&other).await, Err("ExpiredToken"));
    assert_eq!(house.whoami(&below).await, Err("ExpiredToken"), "and what that asked for");
    house.your_session(&admin).await;
}

/// Being signed in gives nobody more than their policies do.
#[tokio::test]
async fn who_may_not_list_or_end_sessions_may_not_here_either() {
    let house = with_role().await;
    let nobody = house
        .enter(
            &federated(
                &house,
                "nobody",
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
            )
            .await,
        )
        .await;
    let reader = house.enter(&federated(&house, "reader", READ_ONLY).await).await;
    let place = format!("sessions/{}", reader.id);
    assert_eq!(get(&house, &nobody, "sessions", &[]).await.err().unwrap().code, "AccessDenied");
    assert_eq!(get(&house, &nobody, &place, &[]).await.err().unwrap().code, "AccessDenied");
    let Answer::OneSession(shown) = get(&house, &reader, &place, &[]).await.unwrap() else {
        panic!("no page")
    };
    let form = [("code", shown.code.as_str()), ("end", "this")];
    let refused = post(&house, &reader, &format!("{place}/revoke"), &form).await.err().unwrap();
    assert_eq!(refused.code, "AccessDenied");
    assert!(refused.message.contains("daypass:RevokeSession"), "{}", refused.message);
    house.your_session(&reader).await;
    // Another account's sessions are not there.
    let theirs = house.account(crate::support::OTHER).await;
    let answer = house.call(&theirs, "sts", "GetSessionToken", &[]).await.unwrap();
    let listed = house.call_json(&theirs, "ListSessions", &json!({})).await.unwrap();
    let other = format!("sessions/{}", listed["Sessions"][0]["SessionId"].as_str().unwrap());
    assert_eq!(get(&house, &reader, &other, &[]).await.err().unwrap().code, "NoSuchEntity");
    assert!(answer["Credentials"].is_object());
}

#[tokio::test]
async fn a_session_that_was_signed_out_of_is_shown_as_ended() {
    let house = with_role().await;
    let (admin, gone) = (
        house.enter(&desk(&house, &[]).await).await,
        house.enter(&federated(&house, "visitor", ALLOW_ALL).await).await,
    );
    house.sign_out(&gone).await;
    let place = format!("sessions/{}", gone.id);
    let Answer::OneSession(shown) = get(&house, &admin, &place, &[]).await.unwrap() else {
        panic!("no page")
    };
    assert_eq!(shown.session.status, "Revoked");
}

// --- another role -----------------------------------------------------------------------------------------

pub(super) async fn switch(
    house: &TestHouse,
    browser: &Browser,
    account: &str,
    role: &str,
) -> Result<Answer, Error> {
    let Answer::AnotherRole(form) = get(house, browser, "switch-role", &[]).await.unwrap() else {
        panic!("no form")
    };
    post(house, browser, "switch-role", &[("code", &form.code), ("account", account), ("role", role)]).await
}

#[tokio::test]
async fn another_role_opens_in_a_session_of_its_own() {
    let house = with_role().await;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
    }]});
    house
        .root(
            "iam",
            "CreateRole",
            &[("RoleName", "Night"), ("Path", "/watch/"), ("AssumeRolePolicyDocument", &trust.to_string())],
        )
        .await;
    let browser =
        house.enter(&desk(&house, &[("SourceIdentity", "ada"), ("DurationSeconds", "1800")]).await).await;
    house.clock.advance(60);
    house.root("iam", "CreateAccountAlias", &[("AccountAlias", "northwind")]).await;
    for (account, role) in [
        ("111122223333", "watch/Night"),
        ("Northwind", "watch/Night"),
        ("", "arn:aws:iam::111122223333:role/watch/Night"),
    ] {
        let Answer::Entered { id, secret, .. } = switch(&house, &browser, account, role).await.unwrap()
        else {
            panic!("{role}")
        };
        let events = house.audit.lock().unwrap().clone();
        let names: Vec<_> =
            events.iter().rev().take(2).map(|event| event["eventName"].as_str().unwrap()).collect();
        assert_eq!(names, ["SwitchRole", "AssumeRole"]);
        let event = events.last().unwrap();
        assert_eq!(
            event["additionalEventData"]["SwitchFrom"],
            "arn:aws:sts::111122223333:assumed-role/Desk/ada"
        );
        let session = house.your_session(&Browser { id, secret }).await;
        assert_eq!(session.arn, "arn:aws:sts::111122223333:assumed-role/Night/ada", "named as before");
        assert_eq!(session.source_identity.as_deref(), Some("ada"), "the person stays known");
        assert_eq!(session.expires, house.clock_now() + 1740, "no longer than where it came from");
    }
    house.your_session(&browser).await;

    let long = "\u{1}".repeat(80_000);
    let refused = switch(&house, &browser, "111122223333", &long).await.unwrap();
    assert!(matches!(refused, Answer::AnotherRole(form) if form.problem.is_some()));
    let told = house.last_event()["additionalEventData"]["RedirectTo"].as_str().unwrap().len();
    assert!(told <= 2048, "{told} bytes of what anybody typed");
}

/// Of those who switch at once each assumes the role once, however often their sessions had to begin.
#[tokio::test]
async fn a_switch_assumes_the_role_once() {
    let house = with_role().await;
    let browser = house.enter(&desk(&house, &[]).await).await;
    let once = || switch(&house, &browser, "111122223333", "Desk");
    let (a, b, c, d) = tokio::join!(once(), once(), once(), once());
    for answer in [a, b, c, d] {
        assert!(matches!(answer.unwrap(), Answer::Entered { .. }));
    }
    let events = house.audit.lock().unwrap().clone();
    let named = |name: &str| events.iter().filter(|event| event["eventName"] == name).count();
    assert_eq!((named("SwitchRole"), named("AssumeRole")), (4, 5), "and the one of the desk's own");
}

/// One sentence for whatever is wrong, as AWS has it: the page tells nobody which roles there are.
#[tokio::test]
async fn a_role_that_is_not_open_and_one_that_is_not_there_are_refused_alike() {
    let house = with_role().await;
    let closed = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/ada"}, "Action": "sts:AssumeRole",
    }]});
    let browser = house.enter(&desk(&house, &[]).await).await;
    house
        .root(
            "iam",
            "CreateRole",
            &[("RoleName", "Closed"), ("AssumeRolePolicyDocument", &closed.to_string())],
        )
        .await;
    let said =
        "Invalid information in one or more fields. Check your information or contact your administrator.";
    for (account, role) in [
        ("111122223333", "Closed"),
        ("111122223333", "Nobody"),
        ("444455556666", "Desk"),
        ("x", "Desk"),
        ("111122223333", ""),
        ("", "arn:aws:iam::1:x"),
    ] {
        let answer = switch(&house, &browser, account, role).await.unwrap();
        assert!(
            matches!(&answer, Answer::AnotherRole(form) if form.problem.as_deref() == Some(said)),
            "{account} {role}: {answer:?}"
        );
        let event = house.last_event();
        assert_eq!(
            (&event["eventName"], &event["responseElements"]),
            (&json!("SwitchRole"), &json!({"SwitchRole": "Failure"}))
        );
    }
    let federated = house.enter(&federated(&house, "grace", ALLOW_ALL).await).await;
    let answer = switch(&house, &federated, "111122223333", "Desk").await.unwrap();
    assert!(
        matches!(answer, Answer::AnotherRole(form) if form.problem.is_some()),
        "federated users assume no role"
    );
}
