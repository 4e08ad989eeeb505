//! A session of the console: who proves it, what its credentials may, and that it ends for all of them at once.

use super::*;
use crate::world::claims;

#[tokio::test]
async fn only_the_browser_that_signed_in_gets_in() {
    let house = with_role().await;
    let keys = desk(&house, &[]).await;
    let (one, other) = (house.enter(&keys).await, house.enter(&keys).await);
    let path = session_path(one.id);
    let name = cookie_name(one.id);
    let value = one.secret.cookie();
    let value = value.expose_str();
    let at = async |cookie: &str, query: &str| {
        let headers = [("cookie", cookie)];
        let headers = if cookie.is_empty() { &[][..] } else { &headers[..] };
        house.visit("GET", &path, query, headers, &[]).await.unwrap()
    };
    assert!(matches!(at(&format!("a=b; {name}={value}; c=d"), "").await, Answer::YourSession(_)));
    // From a link elsewhere no cookie comes: the page asks once more, and then says so.
    assert!(matches!(at("", "").await, Answer::ComeAgain { id } if id == one.id));
    assert!(matches!(at("", "again").await, Answer::NotSignedIn));
    for none in [
        format!("{name}={value}; {name}={value}"),
        format!("{name}={}", &value[1..]),
        format!("{name}="),
        name.clone(),
        format!("{}={value}", cookie_name(other.id)),
        format!("{name}=\"{value}\""),
    ] {
        assert!(matches!(at(&none, "again").await, Answer::NotSignedIn), "{none}");
    }
    let stolen = format!("{name}={}", other.secret.cookie().expose_str());
    assert!(matches!(at(&stolen, "").await, Answer::Ended { issuer: None }), "another session's secret");
    // Only the name that our page asks by means that it has asked before.
    let search =
        house.visit("GET", &format!("{path}sessions"), "by=name&text=again", &[], &[]).await.unwrap();
    assert!(matches!(search, Answer::ComeAgain { id } if id == one.id), "{search:?}");
    // An id that never was looks the same to whoever has no cookie.
    let unknown = format!("/console/s/{}/", "00".repeat(16));
    assert!(matches!(house.visit("GET", &unknown, "", &[], &[]).await.unwrap(), Answer::ComeAgain { .. }));
    for path in ["/console/s/x/", "/console/s/", "/console/x", "/console/s/00/", "/Console/", "/federation/"]
    {
        assert_eq!(Door::at(path), None, "{path}");
    }
}

/// Beside its code and the cookie: browsers say where a form comes from, and what stands in an address somebody may have made a
/// link of.
#[tokio::test]
async fn a_form_is_sent_by_our_page_and_in_its_body() {
    let house = with_role().await;
    let browser = house.enter(&desk(&house, &[]).await).await;
    let code = house.your_session(&browser).await.sign_out_code;
    let (path, cookie) = (format!("{}sign-out", session_path(browser.id)), browser.cookie());
    let send = async |query: &str, sites: &[&str]| {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(sites.iter().map(|site| ("sec-fetch-site", *site)));
        house.visit("POST", &path, query, &headers, &[("code", &code)]).await.map_err(|error| error.code)
    };
    for (query, sites, refused) in [
        ("", &["cross-site"][..], "AccessDenied"),
        ("", &["same-site"], "AccessDenied"),
        ("", &["same-origin", "cross-site"], "AccessDenied"),
        ("code=x", &[], "ValidationError"),
        ("x", &["same-origin"], "ValidationError"),
    ] {
        assert_eq!(send(query, sites).await.err(), Some(refused), "{query} {sites:?}");
        house.your_session(&browser).await;
    }
    assert!(matches!(send("", &["same-origin"]).await, Ok(Answer::SignedOut { .. })));
}

#[tokio::test]
async fn two_identities_live_side_by_side() {
    let house = with_role().await;
    let user = house.user("grace", Some(ALLOW_ALL)).await;
    let params = [("Name", "visitor"), ("Policy", ALLOW_ALL)];
    let federated = house.call(&user, "sts", "GetFederationToken", &params).await.unwrap();
    let one = house.enter(&desk(&house, &[]).await).await;
    let other = house.enter(&Keys::of(&federated["Credentials"])).await;
    assert_ne!(session_path(one.id), session_path(other.id));
    house.sign_out(&one).await;
    assert_eq!(house.your_session(&other).await.kind, "FederatedUser");
}

#[tokio::test]
async fn credentials_of_the_session_are_the_same_principal_for_a_quarter_of_an_hour() {
    let house = with_role().await;
    let browser = house.enter(&desk(&house, &[("DurationSeconds", "3600")]).await).await;
    let keys = house.command_line(&browser).await;
    let event = house.last_event();
    assert_eq!(
        (&event["eventName"], &event["additionalEventData"]["accessKeyId"]),
        (&json!("GetConsoleCredentials"), &json!(keys.access_key_id))
    );
    assert!(!event.to_string().contains(&keys.secret_access_key));
    assert_eq!(house.whoami(&keys).await.unwrap()["Arn"], "arn:aws:sts::111122223333:assumed-role/Desk/ada");
    house.call(&keys, "iam", "ListUsers", &[]).await.unwrap();
    house.clock.advance(899);
    house.whoami(&keys).await.unwrap();
    house.clock.advance(1);
    assert_eq!(house.whoami(&keys).await, Err("ExpiredToken"));
    house.clock.advance(2600);
    let last = house.command_line(&browser).await;
    house.clock.advance(99);
    house.whoami(&last).await.unwrap();
    house.clock.advance(1);
    assert_eq!(house.whoami(&last).await, Err("ExpiredToken"), "never beyond the session");
    assert!(matches!(house.page(&browser).await, Answer::Ended { .. }));
}

/// "Compare AWS STS credentials": GetFederationToken credentials may not call IAM; their console sessions may.
#[tokio::test]
async fn a_federated_user_calls_iam_from_the_console_alone_and_only_what_its_policies_allow() {
    let house = with_role().await;
    let user = house.user("grace", Some(ALLOW_ALL)).await;
    let narrow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ListUsers","sts:GetScopedCredentials"],"Resource":"*"}]}"#;
    let answer = house
        .call(&user, "sts", "GetFederationToken", &[("Name", "visitor"), ("Policy", narrow)])
        .await
        .unwrap();
    let outside = Keys::of(&answer["Credentials"]);
    let inside = house.command_line(&house.enter(&outside).await).await;
    let ask = async |keys: &Keys, service, action: &str| {
        house.call(keys, service, action, &[]).await.map_err(|error| error.code)
    };
    assert_eq!(ask(&outside, "iam", "ListUsers").await.unwrap_err(), "InvalidClientTokenId");
    ask(&inside, "iam", "ListUsers").await.unwrap();
    assert_eq!(ask(&inside, "iam", "ListRoles").await.unwrap_err(), "AccessDenied");
    assert_eq!(
        ask(&inside, "sts", "GetSessionToken").await.unwrap_err(),
        "AccessDenied",
        "STS is as closed as ever"
    );
    // What it hands on is no session of the console.
    let scoped =
        house.call(&inside, "sts", "GetScopedCredentials", &[("DurationSeconds", "600")]).await.unwrap();
    let scoped = Keys::of(&scoped["Credentials"]);
    house.whoami(&scoped).await.unwrap();
    assert_eq!(ask(&scoped, "iam", "ListUsers").await.unwrap_err(), "InvalidClientTokenId");
}

#[tokio::test]
async fn a_sign_out_ends_everything_in_the_sessions_name_on_every_node() {
    let house = with_role().await;
    let browser = house.enter(&desk(&house, &[]).await).await;
    let keys = [house.command_line(&browser).await, house.command_line(&browser).await];
    house.sign_out(&browser).await;
    let event = house.last_event();
    assert_eq!(
        (&event["eventName"], &event["responseElements"]),
        (&json!("ConsoleLogout"), &json!({"ConsoleLogout": "Success"}))
    );
    for keys in &keys {
        assert_eq!(house.whoami(keys).await, Err("ExpiredToken"));
    }
    assert!(matches!(house.page(&browser).await, Answer::Ended { issuer: None }));
    let (_, records) = house.stored().await;
    assert!(records.iter().all(|record| !record.key.contains("/console-session/")), "nothing is left of it");
}

/// Scoped credentials and unused links are in the session's name as well; a role that was assumed is a session of its own.
#[tokio::test]
async fn a_sign_out_ends_what_its_credentials_narrowed_or_made_a_link_of() {
    let house = with_role().await;
    let browser = house.enter(&desk(&house, &[]).await).await;
    let keys = house.command_line(&browser).await;
    let narrowed = async |keys: &Keys| {
        let answer = house.call(keys, "sts", "GetScopedCredentials", &[("DurationSeconds", "600")]).await;
        Keys::of(&answer.unwrap()["Credentials"])
    };
    let scoped = narrowed(&keys).await;
    let twice = narrowed(&scoped).await;
    let link = house.signin_token(&keys, &[]).await.unwrap();
    let of_scoped = house.signin_token(&scoped, &[]).await.unwrap();
    let begun = house.enter(&keys).await;
    let role = [("RoleArn", ROLE), ("RoleSessionName", "again")];
    let assumed = house.call(&keys, "sts", "AssumeRole", &role).await.unwrap();
    house.sign_out(&browser).await;
    for keys in [&keys, &scoped, &twice] {
        assert_eq!(house.whoami(keys).await, Err("ExpiredToken"));
    }
    for link in [&link, &of_scoped] {
        assert_eq!(house.login(link, &[]).await.err().unwrap().code, "InvalidSigninToken");
    }
    house.your_session(&begun).await;
    house.whoami(&Keys::of(&assumed["Credentials"])).await.unwrap();
}

#[tokio::test]
async fn a_revocation_ends_the_session_of_the_console_too() {
    let house = with_role().await;
    let browser = house.enter(&desk(&house, &[]).await).await;
    let keys = house.command_line(&browser).await;
    let body = json!({"SessionId": browser.id.to_string(), "IncludeIssued": false});
    house.call_json(&house.root, "RevokeSession", &body).await.unwrap();
    assert_eq!(house.whoami(&keys).await, Err("ExpiredToken"));
    assert!(matches!(house.page(&browser).await, Answer::Ended { .. }));
    // And with whom it came from.
    let parent = desk(&house, &[]).await;
    let browser = house.enter(&parent).await;
    let found = house
        .call_json(&house.root, "ListSessions", &json!({"AccessKeyId": parent.access_key_id}))
        .await
        .unwrap();
    let body = json!({"SessionId": found["Sessions"][0]["SessionId"], "IncludeIssued": true});
    house.call_json(&house.root, "RevokeSession", &body).await.unwrap();
    assert!(matches!(house.page(&browser).await, Answer::Ended { .. }));
}

/// Credentials of the session are good for a quarter of an hour, and the session lives: whoever draws a chain out of them does not
/// make it forget where it came from.
#[tokio::test]
async fn a_long_chain_does_not_forget_a_session_of_the_console_that_lives() {
    let house = with_role().await;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole",
    }]});
    let hop = [("RoleName", "Hop"), ("AssumeRolePolicyDocument", &*trust.to_string())];
    house.root("iam", "CreateRole", &hop).await;
    house
        .root(
            "iam",
            "PutRolePolicy",
            &[("RoleName", "Hop"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)],
        )
        .await;
    let long = [("SessionDuration", "43200")];
    let token = house.signin_token(&desk(&house, &[]).await, &long).await.unwrap();
    let browser = house.login(&token, &[]).await.unwrap();
    for narrower in [false, true] {
        let mut last = house.command_line(&browser).await;
        if narrower {
            let less =
                house.call(&last, "sts", "GetScopedCredentials", &[("Policy", ALLOW_ALL)]).await.unwrap();
            last = Keys::of(&less["Credentials"]);
        }
        for _ in 0..20 {
            let params = [("RoleArn", "arn:aws:iam::111122223333:role/Hop"), ("RoleSessionName", "hop")];
            last = Keys::of(&house.call(&last, "sts", "AssumeRole", &params).await.unwrap()["Credentials"]);
            house.clock.advance(800);
        }
        let named = claims(&house, &last).ancestry;
        assert!(named.contains(&browser.id), "{narrower}: {named:?}");
    }
    let last = house.command_line(&browser).await;
    let body = json!({"SessionId": browser.id.to_string(), "IncludeIssued": true});
    house.call_json(&house.root, "RevokeSession", &body).await.unwrap();
    assert_eq!(house.whoami(&last).await, Err("ExpiredToken"));
}

/// The cookie alone is not enough: a form of another site could bring it where a browser does not know SameSite.
#[tokio::test]
async fn a_form_that_is_not_ours_does_nothing() {
    let house = with_role().await;
    let (one, other) =
        (house.enter(&desk(&house, &[]).await).await, house.enter(&desk(&house, &[]).await).await);
    let (session, others) = (house.your_session(&one).await, house.your_session(&other).await);
    for (form, code) in [
        ("sign-out", ""),
        ("sign-out", "00"),
        ("sign-out", session.credentials_code.as_str()),
        ("sign-out", others.sign_out_code.as_str()),
        ("credentials", ""),
        ("credentials", session.sign_out_code.as_str()),
        ("credentials", others.credentials_code.as_str()),
    ] {
        let error = house.send_form(&one, form, code).await.unwrap_err();
        assert_eq!(error.code, "AccessDenied", "{form} {code}");
    }
    let path = format!("{}sign-out", session_path(one.id));
    let got = house
        .visit("GET", &path, "", &[("cookie", &one.cookie())], &[("code", &session.sign_out_code)])
        .await;
    assert!(matches!(got.unwrap(), Answer::YourSession(_)), "a form is sent by POST");
    let without = house.visit("POST", &path, "", &[], &[("code", &session.sign_out_code)]).await;
    assert!(matches!(without.unwrap(), Answer::ComeAgain { .. }), "no cookie, no session");
    let events = house.audit.lock().unwrap().clone();
    let of_nobody = events.iter().filter(|event| event["eventName"] == "ConsoleLogout");
    assert!(
        of_nobody.clone().all(|event| event["userIdentity"]["arn"] == session.arn),
        "a wrong code is told of whose cookie came with it, and nobody's visit is no event"
    );
    assert_eq!(of_nobody.count(), 4);
    house.your_session(&one).await;
}

/// What would change what a form does, and is none of its fields, is not passed over.
#[tokio::test]
async fn a_form_with_more_than_its_fields_is_refused() {
    let house = with_role().await;
    let browser = house.enter(&desk(&house, &[]).await).await;
    let session = house.your_session(&browser).await;
    for (form, code, more) in [
        ("credentials", &session.credentials_code, ("DurationSeconds", "900")),
        ("sign-out", &session.sign_out_code, ("all", "true")),
        ("switch-role", &session.credentials_code, ("Policy", "{}")),
    ] {
        let path = format!("{}{form}", session_path(browser.id));
        let cookie = [("cookie", browser.cookie())];
        let headers: Vec<_> = cookie.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let fields = [("code", code.as_str()), more];
        let error = house.visit("POST", &path, "", &headers, &fields).await.err().unwrap();
        assert_eq!(error.message, "The request has a parameter that is not known here.", "{form}");
    }
    house.your_session(&browser).await;
}

#[tokio::test]
async fn the_oldest_of_too_many_sessions_of_one_principal_ends() {
    let house = with_role().await;
    let keys = desk(&house, &[("DurationSeconds", "3600")]).await;
    let mut browsers = Vec::new();
    for _ in 0..20 {
        browsers.push(house.enter(&keys).await);
        house.clock.advance(1);
    }
    let other = house
        .enter(&Keys::of(
            &house
                .call(
                    &house.user("grace", Some(ALLOW_ALL)).await,
                    "sts",
                    "GetFederationToken",
                    &[("Name", "visitor"), ("Policy", ALLOW_ALL)],
                )
                .await
                .unwrap()["Credentials"],
        ))
        .await;
    house.your_session(&browsers[0]).await;
    let newest = house.enter(&keys).await;
    assert!(matches!(house.page(&browsers[0]).await, Answer::Ended { .. }));
    for browser in browsers[1..].iter().chain([&newest, &other]) {
        house.your_session(browser).await;
    }
}

#[tokio::test]
async fn records_of_sessions_that_are_over_go_with_the_next_sign_in_a_day_later() {
    let house = with_role().await;
    let token = house.signin_token(&desk(&house, &[]).await, &[]).await.unwrap();
    let browser = house.login(&token, &[("Issuer", "https://broker.example/")]).await.unwrap();
    house.clock.advance(2 * 3600);
    let Answer::Ended { issuer } = house.page(&browser).await else { panic!("it is over") };
    assert_eq!(issuer.as_deref(), Some("https://broker.example/"), "where to sign in again");
    house.enter(&desk(&house, &[]).await).await;
    let kept = async || {
        let (_, records) = house.stored().await;
        records.iter().filter(|record| record.key.contains("/console-session/")).count()
    };
    assert_eq!(kept().await, 2);
    house.clock.advance(24 * 3600);
    house.enter(&desk(&house, &[]).await).await;
    assert_eq!(kept().await, 2, "the first is gone");
}

/// A copy of the store has the sessions, and no secret of any.
#[tokio::test]
async fn the_store_holds_nothing_that_opens_a_session() {
    let house = with_role().await;
    let browser = house.enter(&desk(&house, &[]).await).await;
    let keys = house.command_line(&browser).await;
    let (_, records) = house.stored().await;
    let record = records.iter().find(|record| record.key.contains("/console-session/")).unwrap();
    let text = String::from_utf8(record.value.to_vec()).unwrap();
    assert!(!text.contains(browser.secret.cookie().expose_str()) && !text.contains(&keys.secret_access_key));
    let kept: Value = serde_json::from_str(&text).unwrap();
    let stolen = Keys {
        access_key_id: kept["access_key_id"].as_str().unwrap().to_owned(),
        secret_access_key: kept["secret_hash"].as_str().unwrap().to_owned(),
        session_token: Some(kept["token"].as_str().unwrap().to_owned()),
    };
    assert_eq!(house.whoami(&stolen).await, Err("SignatureDoesNotMatch"));
}
