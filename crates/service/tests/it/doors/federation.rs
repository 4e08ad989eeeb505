//! `/federation`: whose credentials become a link, for how long a session, and how often a link is good.
//!
//! Source: "Enable custom identity broker access to the AWS console" in the IAM User Guide.

use daypass_service::Settings;
use daypass_service::doors::SignIn;

use super::*;

const NO_GOOD: &str =
    "The sign-in link is not valid: it was used, its fifteen minutes are over, or it is not whole.";

async fn refusal(house: &TestHouse, form: &[(&str, &str)]) -> (&'static str, String) {
    let error = house.federation(form).await.unwrap_err();
    (error.code, error.message)
}

async fn user(house: &TestHouse) -> Keys {
    house.user("grace", Some(ALLOW_ALL)).await
}

#[tokio::test]
async fn both_spellings_of_the_action_are_one_and_others_are_none() {
    let house = with_role().await;
    let session = session_of(&desk(&house, &[]).await);
    for action in ["getSigninToken", "getSignInToken", "GETSIGNINTOKEN"] {
        for more in [&[][..], &[("SessionType", "json")]] {
            let mut form = vec![("Action", action), ("Session", session.as_str())];
            form.extend(more);
            assert!(matches!(house.federation(&form).await, Ok(Answer::SigninToken(_))), "{action}");
        }
    }
    for action in ["", "logout", "getSigninToken ", "get"] {
        let told = refusal(&house, &[("Action", action), ("Session", &session)]).await;
        assert_eq!(
            told,
            ("ValidationError", "The Action must be getSigninToken or login.".into()),
            "{action}"
        );
    }
}

#[tokio::test]
async fn a_link_opens_a_session_of_the_same_principal_once() {
    let house = with_role().await;
    let keys = desk(&house, &[("SourceIdentity", "ada-lovelace"), ("DurationSeconds", "3600")]).await;
    let token = house.signin_token(&keys, &[]).await.unwrap();
    let event = house.last_event();
    assert_eq!(
        (&event["eventName"], &event["eventSource"]),
        (&json!("GetSigninToken"), &json!("signin.amazonaws.com"))
    );
    assert_eq!(
        (&event["eventType"], &event["responseElements"]),
        (&json!("AwsConsoleSignIn"), &json!({"GetSigninToken": "Success"}))
    );
    assert_eq!(event["userIdentity"]["accessKeyId"], keys.access_key_id);
    let browser = house.login(&token, &[("Issuer", "https://broker.example/")]).await.unwrap();
    let event = house.last_event();
    assert_eq!(
        (&event["eventName"], &event["responseElements"]),
        (&json!("ConsoleLogin"), &json!({"ConsoleLogin": "Success"}))
    );
    assert_eq!(event["userIdentity"]["type"], "AssumedRole");
    assert_eq!(event["additionalEventData"]["MFAUsed"], "No");
    let session = house.your_session(&browser).await;
    assert_eq!(session.arn, "arn:aws:sts::111122223333:assumed-role/Desk/ada");
    assert_eq!(
        (session.kind, session.name.as_str(), session.session_name.as_deref()),
        ("AssumedRole", "Desk", Some("ada"))
    );
    assert_eq!(session.source_identity.as_deref(), Some("ada-lovelace"));
    assert_eq!(session.expires, house.clock_now() + 3600, "as long as the credentials");
    assert_eq!(session.issuer.as_deref(), Some("https://broker.example/"));
    let steps: Vec<&str> = session.chain.iter().map(|step| step.who.as_str()).collect();
    assert_eq!(
        steps,
        ["arn:aws:iam::111122223333:user/ada", "arn:aws:sts::111122223333:assumed-role/Desk/ada"]
    );

    let error = house.login(&token, &[]).await.err().unwrap();
    assert_eq!((error.code, error.message.as_str()), ("InvalidSigninToken", NO_GOOD));
    let event = house.last_event();
    assert_eq!(event["responseElements"], json!({"ConsoleLogin": "Failure"}));
    assert_eq!(house.your_session(&browser).await.arn, session.arn, "the first session goes on");
    let events = json!(*house.audit.lock().unwrap()).to_string();
    assert!(!events.contains(&token) && !events.contains(browser.secret.cookie().expose_str()));
}

#[tokio::test]
async fn the_three_parts_of_the_session_must_belong_together() {
    let house = with_role().await;
    let (one, other) = (desk(&house, &[]).await, desk(&house, &[]).await);
    let long_term = user(&house).await;
    let mut mixed = Vec::new();
    for (id, key, token) in [(&one, &one, &other), (&one, &other, &one), (&other, &one, &one)] {
        mixed.push(Keys {
            access_key_id: id.access_key_id.clone(),
            secret_access_key: key.secret_access_key.clone(),
            session_token: token.session_token.clone(),
        });
    }
    mixed.push(Keys { secret_access_key: String::new(), ..one.clone() });
    mixed.push(Keys { session_token: None, ..one.clone() });
    mixed.push(Keys { session_token: one.session_token.clone(), ..long_term.clone() });
    for keys in &mixed {
        assert_eq!(
            house.signin_token(keys, &[]).await.unwrap_err().code,
            "InvalidClientTokenId",
            "{}",
            keys.access_key_id
        );
        let event = house.last_event();
        assert!(
            event.get("userIdentity").is_none()
                && event["responseElements"] == json!({"GetSigninToken": "Failure"}),
            "{event}"
        );
        assert!(!event.to_string().contains(&one.secret_access_key));
    }
    for text in ["", "{}", "null", "[]", r#"{"sessionId":1,"sessionKey":"","sessionToken":""}"#] {
        let told = refusal(&house, &[("Action", "getSigninToken"), ("Session", text)]).await;
        assert_eq!(told.0, "ValidationError", "{text}");
    }
    let twice = session_of(&one).replacen('{', r#"{"sessionId":"x","#, 1);
    assert_eq!(
        refusal(&house, &[("Action", "getSigninToken"), ("Session", &twice)]).await.0,
        "ValidationError"
    );
    let more = session_of(&one).replacen('{', r#"{"policy":"x","#, 1);
    assert_eq!(
        refusal(&house, &[("Action", "getSigninToken"), ("Session", &more)]).await.0,
        "ValidationError"
    );
    assert_eq!(refusal(&house, &[("Action", "getSigninToken")]).await.1, "The request has no Session.");
}

/// What would narrow a session and is not known is no parameter that is passed over.
#[tokio::test]
async fn a_parameter_that_is_not_known_is_refused() {
    let house = with_role().await;
    let session = session_of(&desk(&house, &[]).await);
    for more in
        [("DurationSeconds", "900"), ("Policy", "{}"), ("sessionduration", "900"), ("SessionType", "xml")]
    {
        let told = refusal(&house, &[("Action", "getSigninToken"), ("Session", &session), more]).await;
        assert_eq!(told.0, "ValidationError", "{more:?}");
    }
    let error = house
        .visit("GET", "/federation", "", &[], &[("Action", "login"), ("Action", "login")])
        .await
        .unwrap_err();
    assert_eq!(error.code, "MalformedInput", "twice");
}

#[tokio::test]
async fn which_credentials_become_a_link_and_for_how_long() {
    let house = with_role().await;
    let user = user(&house).await;
    let duration = [("SessionDuration", "43200")];
    // Long-term keys, and those of GetSessionToken.
    let token = Keys::of(&house.call(&user, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"]);
    for keys in [&user, &house.root, &token] {
        for more in [&[][..], &duration] {
            assert!(matches!(
                house.signin_token(keys, more).await.unwrap_err().code,
                "ValidationError" | "InvalidClientTokenId"
            ));
        }
    }
    // GetFederationToken: never longer than the credentials.
    let params = [("Name", "grace"), ("Policy", ALLOW_ALL), ("DurationSeconds", "7200")];
    for who in [&user, &house.root] {
        let answer = house.call(who, "sts", "GetFederationToken", &params).await.unwrap();
        let federated = Keys::of(&answer["Credentials"]);
        assert_eq!(house.signin_token(&federated, &duration).await.unwrap_err().code, "ValidationError");
        let session = house.your_session(&house.enter(&federated).await).await;
        assert_eq!((session.kind, session.name.as_str()), ("FederatedUser", "grace"));
        let seconds = if who.access_key_id == house.root.access_key_id { 3600 } else { 7200 };
        assert_eq!(session.expires, house.clock_now() + seconds);
    }
    // AssumeRole with long-term keys: any duration, also beyond the role's own bound.
    let role = desk(&house, &[("DurationSeconds", "900")]).await;
    for (seconds, good) in [
        ("900", true),
        ("43200", true),
        ("3601", true),
        ("899", false),
        ("43201", false),
        ("0", false),
        ("-900", false),
        ("", false),
        ("1h", false),
        ("900.0", false),
        (" 900", false),
        ("+900", false),
        ("00900", false),
    ] {
        let token = house.signin_token(&role, &[("SessionDuration", seconds)]).await;
        assert_eq!(token.is_ok(), good, "{seconds}");
        if let Ok(token) = token {
            let session = house.your_session(&house.login(&token, &[]).await.unwrap()).await;
            assert_eq!(session.expires, house.clock_now() + seconds.parse::<i64>().unwrap(), "{seconds}");
        }
    }
    // A chain: only what is left.
    let chained = house
        .call(&role, "sts", "AssumeRole", &[("RoleArn", ROLE), ("RoleSessionName", "again")])
        .await
        .unwrap();
    let chained = Keys::of(&chained["Credentials"]);
    assert_eq!(
        house.signin_token(&chained, &[("SessionDuration", "900")]).await.unwrap_err().code,
        "ValidationError"
    );
    house.enter(&chained).await;
    // Narrowed credentials stay as narrow in time.
    let scoped =
        house.call(&role, "sts", "GetScopedCredentials", &[("DurationSeconds", "600")]).await.unwrap();
    let scoped = Keys::of(&scoped["Credentials"]);
    assert_eq!(
        house.signin_token(&scoped, &[("SessionDuration", "900")]).await.unwrap_err().code,
        "ValidationError"
    );
    assert_eq!(house.your_session(&house.enter(&scoped).await).await.expires, house.clock_now() + 600);
}

/// Whoever has credentials of the console for a quarter of an hour must not have them for ever.
#[tokio::test]
async fn credentials_of_the_console_do_not_prolong_themselves() {
    let house = with_role().await;
    let token = house.signin_token(&desk(&house, &[]).await, &[("SessionDuration", "43200")]).await.unwrap();
    let inside = house.command_line(&house.login(&token, &[]).await.unwrap()).await;
    assert_eq!(
        house.signin_token(&inside, &[("SessionDuration", "43200")]).await.unwrap_err().code,
        "ValidationError"
    );
    let again = house.your_session(&house.enter(&inside).await).await;
    assert_eq!(again.expires, house.clock_now() + 900);
}

#[tokio::test]
async fn a_link_is_good_for_fifteen_minutes_whatever_becomes_of_the_credentials() {
    let house = with_role().await;
    let keys = desk(&house, &[("DurationSeconds", "900")]).await;
    let [early, late] = [0, 1].map(|_| ("SessionDuration", "43200"));
    let (first, second) = (
        house.signin_token(&keys, &[early]).await.unwrap(),
        house.signin_token(&keys, &[late]).await.unwrap(),
    );
    house.clock.advance(899);
    house.login(&first, &[]).await.unwrap();
    house.clock.advance(1);
    assert_eq!(house.whoami(&keys).await, Err("ExpiredToken"));
    assert_eq!(house.login(&second, &[]).await.err().unwrap().code, "InvalidSigninToken");
    let fresh = house.signin_token(&keys, &[]).await.unwrap_err();
    assert_eq!(fresh.code, "ExpiredToken");
}

/// A clock that was ahead makes no link that is good for longer.
#[tokio::test]
async fn a_link_of_a_clock_that_was_ahead_waits_for_its_time() {
    let house = with_role().await;
    let keys = desk(&house, &[]).await;
    house.clock.advance(800);
    let token = house.signin_token(&keys, &[]).await.unwrap();
    house.clock.advance(-800);
    for seconds in [0, 700] {
        house.clock.advance(seconds);
        assert_eq!(house.login(&token, &[]).await.err().unwrap().code, "InvalidSigninToken", "{seconds}");
    }
    house.clock.advance(50);
    house.login(&token, &[]).await.unwrap();
}

#[tokio::test]
async fn a_link_opens_nothing_once_the_credentials_were_ended() {
    let house = with_role().await;
    let session_id = async |keys: &Keys| {
        let body = json!({"AccessKeyId": keys.access_key_id});
        let found = house.call_json(&house.root, "ListSessions", &body).await.unwrap();
        found["Sessions"][0]["SessionId"].as_str().unwrap().to_owned()
    };
    for issued_too in [false, true] {
        let keys = desk(&house, &[]).await;
        let token = house.signin_token(&keys, &[]).await.unwrap();
        let body = json!({"SessionId": session_id(&keys).await, "IncludeIssued": issued_too});
        house.call_json(&house.root, "RevokeSession", &body).await.unwrap();
        assert_eq!(house.login(&token, &[]).await.err().unwrap().code, "InvalidSigninToken", "{issued_too}");
    }
    let keys = desk(&house, &[]).await;
    let token = house.signin_token(&keys, &[]).await.unwrap();
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}]}"#;
    house.root("iam", "DeleteRolePolicy", &[("RoleName", "Desk"), ("PolicyName", "p")]).await;
    house.root("iam", "DeleteRole", &[("RoleName", "Desk")]).await;
    house.root("iam", "CreateRole", &[("RoleName", "Desk"), ("AssumeRolePolicyDocument", trust)]).await;
    assert_eq!(
        house.login(&token, &[]).await.err().unwrap().code,
        "InvalidSigninToken",
        "another role of that name"
    );
}

/// A policy, or an administrator, ends the sessions issued before a moment: a link made since is of the same session's time.
#[tokio::test]
async fn a_link_does_not_make_credentials_younger() {
    let house = with_role().await;
    let (early, late) = (desk(&house, &[]).await, [("SessionDuration", "43200")]);
    house.clock.advance(60);
    let before = jiff::Timestamp::from_second(house.clock_now() - 30).unwrap().to_string();
    let deny = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": before}},
    }]});
    let policy = [("RoleName", "Desk"), ("PolicyName", "older"), ("PolicyDocument", &deny.to_string())];
    house.root("iam", "PutRolePolicy", &policy).await;
    let token = house.signin_token(&early, &late).await.unwrap();
    let inside = house.command_line(&house.login(&token, &[]).await.unwrap()).await;
    assert_eq!(house.call(&inside, "iam", "ListUsers", &[]).await.unwrap_err().code, "AccessDenied");
    let young = house.command_line(&house.enter(&desk(&house, &[]).await).await).await;
    house.call(&young, "iam", "ListUsers", &[]).await.unwrap();

    let token = house.signin_token(&early, &late).await.unwrap();
    let browser = house.login(&house.signin_token(&early, &late).await.unwrap(), &[]).await.unwrap();
    let body = json!({"PrincipalArn": ROLE, "IssuedBefore": house.clock_now() - 30});
    house.call_json(&house.root, "RevokeSession", &body).await.unwrap();
    assert!(matches!(house.page(&browser).await, Answer::Ended { .. }));
    assert_eq!(house.login(&token, &[]).await.err().unwrap().code, "InvalidSigninToken");
    assert_eq!(house.whoami(&young).await.unwrap()["Account"], "111122223333");
}

/// Programs that look at the links in messages, and browsers that load pages nobody may look at, use nothing up.
#[tokio::test]
async fn who_only_looks_does_not_use_a_link_up() {
    let house = with_role().await;
    let token = house.signin_token(&desk(&house, &[]).await, &[]).await.unwrap();
    let login = [("Action", "login"), ("SigninToken", token.as_str())];
    let head = house.visit("HEAD", "/federation", "", &[], &login).await;
    assert!(matches!(head.unwrap(), Answer::NotSignedIn));
    for header in [("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch")] {
        let ahead = house.visit("GET", "/federation", "", &[header], &login).await;
        assert_eq!(ahead.err().unwrap().code, "ServiceUnavailable");
    }
    house.login(&token, &[]).await.unwrap();
}

#[tokio::test]
async fn what_is_no_sign_in_token_opens_nothing() {
    let house = with_role().await;
    let keys = desk(&house, &[]).await;
    let token = house.signin_token(&keys, &[]).await.unwrap();
    let mut bad: Vec<String> =
        vec![String::new(), "AAAA".into(), format!("{token}A"), token[1..].to_owned(), token.to_lowercase()];
    bad.push(keys.session_token.clone().unwrap());
    for at in (0..token.len()).step_by(97) {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        bad.push(String::from_utf8(changed).unwrap());
    }
    for text in &bad {
        assert_eq!(house.login(text, &[]).await.err().unwrap().message, NO_GOOD, "{text:.20}");
    }
    assert_eq!(refusal(&house, &[("Action", "login")]).await.1, NO_GOOD);
    // An authorization message is sealed with the same keyring, for another purpose.
    let other = house.user("nobody", None).await;
    let denied =
        house.call(&other, "sts", "AssumeRole", &[("RoleArn", ROLE), ("RoleSessionName", "x")]).await;
    assert!(denied.is_err());
    house.login(&token, &[]).await.unwrap();
}

#[tokio::test]
async fn a_link_is_good_again_where_the_operator_says_so_and_each_use_is_a_session() {
    let sign_in = SignIn { links_again: true, ..SignIn::default() };
    let house = with_role().await.with_settings(Settings { sign_in, ..Settings::default() });
    let token = house.signin_token(&desk(&house, &[]).await, &[]).await.unwrap();
    let (one, other) = (house.login(&token, &[]).await.unwrap(), house.login(&token, &[]).await.unwrap());
    assert_ne!(one.id, other.id);
    house.sign_out(&one).await;
    assert!(matches!(house.page(&one).await, Answer::Ended { .. }));
    house.your_session(&other).await;
    house.login(&token, &[]).await.unwrap();
    house.clock.advance(900);
    assert_eq!(house.login(&token, &[]).await.err().unwrap().code, "InvalidSigninToken");
}

/// AWS's guide of 2012 calls the parameter so, and its programs otherwise.
#[tokio::test]
async fn both_spellings_of_the_token_are_one() {
    let house = with_role().await;
    let token = house.signin_token(&desk(&house, &[]).await, &[]).await.unwrap();
    let both = [("Action", "login"), ("SigninToken", token.as_str()), ("SignInToken", token.as_str())];
    assert_eq!(refusal(&house, &both).await.0, "ValidationError");
    let form = [("Action", "login"), ("SignInToken", token.as_str())];
    assert!(matches!(house.federation(&form).await, Ok(Answer::Entered { .. })));
}

/// Of many who use one link at once one gets in.
#[tokio::test]
async fn of_several_at_once_one_gets_in() {
    let house = with_role().await;
    let token = house.signin_token(&desk(&house, &[]).await, &[]).await.unwrap();
    let (a, b, c) =
        tokio::join!(house.login(&token, &[]), house.login(&token, &[]), house.login(&token, &[]));
    let entered = [a, b, c].into_iter().filter(Result::is_ok).count();
    assert_eq!(entered, 1);
}
