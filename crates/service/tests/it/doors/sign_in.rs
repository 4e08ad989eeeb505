//! `/signin`: who gets in with a password, as whom and for how long, and what the audit tells.
//!
//! Sources: "How IAM users sign in to AWS" in the AWS Sign-In User Guide; "AWS Management Console sign-in events" in the CloudTrail
//! User Guide.

use daypass_service::Settings;
use daypass_service::doors::{SignInPage, SignInStep};

use super::visitor::*;
use super::*;
use crate::support::{ACCOUNT, OTHER};

#[tokio::test]
async fn a_user_signs_in_to_a_session_of_its_own_for_twelve_hours() {
    let house = with_ada().await;
    house.root("iam", "CreateAccountAlias", &[("AccountAlias", "northwind")]).await;
    for account in [ACCOUNT, "northwind", "NorthWind", " northwind "] {
        let browser = entered(Person::at("192.0.2.1").sign_in(&house, account, "ada", PASSWORD).await);
        let session = house.your_session(&browser).await;
        assert_eq!(session.arn, "arn:aws:iam::111122223333:user/Ada", "{account}");
        assert_eq!((session.kind, session.name.as_str()), ("IAMUser", "Ada"));
        assert_eq!(session.expires, house.clock_now() + 12 * 3600);
        assert_eq!((session.policy_layers, session.chain.len(), session.mfa), (0, 0, false));
        assert_eq!(session.issuer.as_deref(), Some("/signin/111122223333"), "where to sign in again");
    }
    let event = house.last_event();
    assert_eq!(
        (&event["eventSource"], &event["eventType"], &event["eventName"], &event["responseElements"]),
        (
            &json!("signin.amazonaws.com"),
            &json!("AwsConsoleSignIn"),
            &json!("ConsoleLogin"),
            &json!({"ConsoleLogin": "Success"})
        )
    );
    assert_eq!(
        (&event["userIdentity"]["type"], &event["userIdentity"]["userName"]),
        (&json!("IAMUser"), &json!("Ada"))
    );
    assert_eq!(event["userIdentity"]["arn"], "arn:aws:iam::111122223333:user/Ada");
    assert_eq!(event["additionalEventData"]["MFAUsed"], "No");
    assert_eq!((&event["requestParameters"], &event["recipientAccountId"]), (&Value::Null, &json!(ACCOUNT)));
}

#[tokio::test]
async fn the_session_may_what_the_user_may_in_iam_too() {
    let house = with_ada().await;
    let browser = entered(Person::at("192.0.2.1").ada(&house, PASSWORD).await);
    let keys = house.command_line(&browser).await;
    assert_eq!(house.whoami(&keys).await.unwrap()["Arn"], "arn:aws:iam::111122223333:user/Ada");
    house.call(&keys, "iam", "ListUsers", &[]).await.unwrap();
    let no_mfa = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}]}"#;
    let policy = [("UserName", "Ada"), ("PolicyName", "mfa"), ("PolicyDocument", no_mfa)];
    house.root("iam", "PutUserPolicy", &policy).await;
    let denied = house.call(&keys, "iam", "ListUsers", &[]).await.unwrap_err();
    assert_eq!(denied.code, "AccessDenied", "the key is there, and says no");
    house.root("iam", "DeleteUserPolicy", &[("UserName", "Ada"), ("PolicyName", "mfa")]).await;
    house.clock.advance(12 * 3600);
    assert!(matches!(house.page(&browser).await, Answer::Ended { issuer: Some(_) }));
}

#[tokio::test]
async fn when_a_password_was_last_used_is_told() {
    let house = with_ada().await;
    let last_used = async || {
        let user = house.root("iam", "GetUser", &[("UserName", "Ada")]).await["User"].clone();
        let users = house.root("iam", "ListUsers", &[]).await;
        assert_eq!(users["Users"][0]["PasswordLastUsed"], user["PasswordLastUsed"]);
        user["PasswordLastUsed"].clone()
    };
    told(Person::at("192.0.2.1").ada(&house, "wrong").await);
    assert_eq!(last_used().await, Value::Null, "nobody has signed in");
    house.clock.advance(60);
    entered(Person::at("192.0.2.1").ada(&house, PASSWORD).await);
    assert_eq!(last_used().await, json!(house.clock_now()));
    let new = [("UserName", "Ada"), ("Password", "Another-Horse-8")];
    house.root("iam", "UpdateLoginProfile", &new).await;
    assert_eq!(last_used().await, json!(house.clock_now()), "another password does not change that");
}

/// Whatever is wrong: one answer, one comparison of a password.
#[tokio::test]
async fn whatever_is_wrong_looks_the_same_and_takes_the_same_work() {
    let house = with_ada().await;
    house.root("iam", "CreateUser", &[("UserName", "nopassword")]).await;
    house.account(OTHER).await;
    let long = "x".repeat(3000);
    let mut pages = Vec::new();
    for (n, (account, user, password)) in [
        (ACCOUNT, "Ada", "wrong"),
        (ACCOUNT, "Ada", ""),
        (ACCOUNT, "Ada", &long),
        (ACCOUNT, "nobody", PASSWORD),
        (ACCOUNT, "nopassword", PASSWORD),
        (ACCOUNT, "", PASSWORD),
        (ACCOUNT, &long, PASSWORD),
        (OTHER, "Ada", PASSWORD),
        ("999999999999", "Ada", PASSWORD),
        ("nowhere", "Ada", PASSWORD),
        ("", "Ada", PASSWORD),
        ("arn:aws:iam::111122223333:root", "Ada", PASSWORD),
        (ACCOUNT, "arn:aws:iam::111122223333:user/Ada", PASSWORD),
    ]
    .into_iter()
    .enumerate()
    {
        let turns = house.house.passwords.turns();
        let mut person = Person::at(&format!("198.51.100.{n}"));
        let page = shown(person.sign_in(&house, account, user, password).await.unwrap());
        assert_eq!(house.house.passwords.turns() - turns, 1, "{account} {user}: one comparison");
        let problem = page.problem.as_ref().unwrap();
        assert!(matches!(page.step, SignInStep::Password { .. }));
        pages.push((problem.says.clone(), problem.error.code));
    }
    assert!(pages.iter().all(|page| *page == (INCORRECT.to_owned(), "AccessDenied")), "{pages:?}");
}

#[tokio::test]
async fn the_events_of_failures_name_users_and_nothing_else_that_was_typed() {
    let house = with_ada().await;
    let fail = async |account: &str, user: &str| {
        let from = house.audit.lock().unwrap().len();
        told(Person::at("192.0.2.1").sign_in(&house, account, user, "My-Secret-Pass-1").await);
        let mut events = events(&house, from);
        assert_eq!(events.len(), 1);
        let event = events.pop().unwrap();
        assert_eq!(event["responseElements"], json!({"ConsoleLogin": "Failure"}));
        assert!(!event.to_string().contains("My-Secret"));
        event
    };
    let known = fail(ACCOUNT, "ada").await;
    assert_eq!(known["errorMessage"], "Failed authentication");
    assert!(known.get("errorCode").is_none(), "{known}");
    let identity = &known["userIdentity"];
    assert_eq!((&identity["type"], &identity["userName"]), (&json!("IAMUser"), &json!("Ada")));
    assert_eq!((&identity["accessKeyId"], &identity["accountId"]), (&json!(""), &json!(ACCOUNT)));
    assert_eq!(known["recipientAccountId"], ACCOUNT);
    assert_eq!(known["additionalEventData"]["reason"], "WrongPassword");
    house.root("iam", "DeleteLoginProfile", &[("UserName", "Ada")]).await;
    let without = fail(ACCOUNT, "ada").await;
    assert_eq!(
        (&without["errorMessage"], &without["additionalEventData"]["reason"]),
        (&json!("Failed authentication"), &json!("NoPassword"))
    );
    let unknown = fail(ACCOUNT, "Typed-My-Secret-Here").await;
    assert!(unknown["additionalEventData"].get("reason").is_none(), "{unknown}");
    assert_eq!(unknown["errorMessage"], "No username found in supplied account");
    assert_eq!(
        unknown["userIdentity"],
        json!({"type": "IAMUser", "accountId": ACCOUNT, "accessKeyId": "", "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"})
    );
    let nowhere = fail("nowhere", "ada").await;
    assert!(
        nowhere.get("userIdentity").is_none() && nowhere.get("recipientAccountId").is_none(),
        "{nowhere}"
    );
}

#[tokio::test]
async fn the_form_knows_the_account_of_its_address_and_where_the_way_leads() {
    let house = with_ada().await;
    let mut person = Person::at("192.0.2.1");
    let account = async |person: &mut Person, path: &str| match person.page(&house, path, &[]).await.step {
        SignInStep::Password { account, user, back: None, .. } if user.is_empty() => account,
        other => panic!("{other:?}"),
    };
    for (path, expected) in [
        ("/signin", ""),
        ("/signin/", ""),
        ("/signin/111122223333", ACCOUNT),
        ("/signin/north-wind", "north-wind"),
        ("/signin/step/code", ""),
        ("/signin/step/password", ""),
    ] {
        assert_eq!(account(&mut person, path).await, expected, "{path}");
    }
    for path in ["/signing", "/signin/a/b", "/signin/a_b", "/signin/<b>", "/signin/../x", "/signin/step"] {
        let is_door = Door::at(path).is_some();
        assert_eq!(is_door, path == "/signin/step", "{path}: an alias, or nothing");
    }
    let unknown = person.send(&house, "GET", FORM, "", &[("redirect", "https://evil.example/")]).await;
    assert_eq!(unknown.unwrap_err().code, "ValidationError", "a parameter that is not known is refused");
}

/// Only the page where programs ask is a way back, and no spelling of another place is one (CWE-601).
#[tokio::test]
async fn a_sign_in_on_the_way_leads_back_there_and_nowhere_else() {
    let house = with_ada().await;
    let way =
        "/v1/authorize?response_type=code&redirect_uri=http%3A%2F%2F127.0.0.1%3A1234%2Foauth%2Fcallback";
    let back = async |way: &str| {
        // Six sign-ins in three minutes are enough for one network.
        house.clock.advance(180);
        let mut person = Person::at("192.0.2.1");
        let page = person.page(&house, FORM, &[("back", way)]).await;
        let SignInStep::Password { back, .. } = &page.step else { panic!("{page:?}") };
        let shown = back.clone();
        // Whatever the form says, too.
        let form = [
            ("code", page.code.as_str()),
            ("account", ACCOUNT),
            ("username", "Ada"),
            ("password", PASSWORD),
            ("back", way),
        ];
        match person.send(&house, "POST", FORM, "", &form).await.unwrap() {
            Answer::Entered { back, .. } => {
                assert_eq!(back, shown);
                back
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(back(way).await.as_deref(), Some(way));
    assert_eq!(house.last_event()["additionalEventData"]["LoginTo"], "/v1/authorize");
    for elsewhere in [
        "",
        "https://evil.example/v1/authorize?x",
        "//evil.example/v1/authorize?x",
        "/\\evil.example?x",
        "/v1/authorize",
        "/v1/authorize@evil.example?x",
        "/v1/authorize/..//evil.example?x",
        "/v1/authorize\r\nSet-Cookie: a=b?x",
        "javascript:alert(1)?/v1/authorize?",
        "/console/?x",
        "/V1/authorize?x",
    ] {
        assert_eq!(back(elsewhere).await, None, "{elsewhere}");
    }
}

#[tokio::test]
async fn a_user_that_is_gone_or_whose_password_is_has_no_way_in() {
    let house = with_ada().await;
    let browser = entered(Person::at("192.0.2.1").ada(&house, PASSWORD).await);
    house.root("iam", "DeleteLoginProfile", &[("UserName", "Ada")]).await;
    assert_eq!(told(Person::at("192.0.2.1").ada(&house, PASSWORD).await), INCORRECT);
    house.your_session(&browser).await;
    house.root("iam", "DeleteUserPolicy", &[("UserName", "Ada"), ("PolicyName", "p")]).await;
    house.root("iam", "DeleteUser", &[("UserName", "Ada")]).await;
    assert!(matches!(house.page(&browser).await, Answer::Ended { .. }), "and ends with the user");
    assert_eq!(told(Person::at("192.0.2.1").ada(&house, PASSWORD).await), INCORRECT);
}

/// "Switching to a role (console)": the session is called by the user's name.
#[tokio::test]
async fn a_user_who_is_signed_in_switches_to_a_role() {
    let house = with_role().await;
    with_password(&house, "Ada", &[]).await;
    let browser = entered(Person::at("192.0.2.1").ada(&house, PASSWORD).await);
    let path = format!("{}switch-role", session_path(browser.id));
    let cookie = browser.cookie();
    let headers = [("cookie", cookie.as_str())];
    let Answer::AnotherRole(form) = house.visit("GET", &path, "", &headers, &[]).await.unwrap() else {
        panic!("the form")
    };
    let fields = [("code", form.code.as_str()), ("account", ACCOUNT), ("role", "Desk")];
    let role = entered(house.visit("POST", &path, "", &headers, &fields).await);
    assert_eq!(house.your_session(&role).await.arn, "arn:aws:sts::111122223333:assumed-role/Desk/Ada");
    // And is let in by `aws login`.
    let way = [
        ("response_type", "code"),
        ("client_id", "arn:aws:signin:::devtools/same-device"),
        ("state", "s"),
        ("code_challenge", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"),
        ("code_challenge_method", "SHA-256"),
        ("scope", "openid"),
        ("redirect_uri", "http://127.0.0.1:1234/oauth/callback"),
    ];
    let house = house.with_settings(Settings {
        public_authority: Some("https://daypass.test".parse().unwrap()),
        ..Settings::default()
    });
    let answer = house.visit("GET", "/v1/authorize", "", &headers, &way).await.unwrap();
    let Answer::ChooseSession { sessions, .. } = answer else { panic!("{answer:?}") };
    assert_eq!(sessions[0].whose.arn, "arn:aws:iam::111122223333:user/Ada");
}

/// The way of a program that waits (`aws login`), and the other ways in, are there whatever goes wrong.
#[tokio::test]
async fn the_way_back_and_the_other_ways_in_outlast_what_goes_wrong() {
    const BACK: &str = "/v1/authorize?response_type=code";
    let world = sign_in_oidc::World::new().await;
    let house = &world.house;
    with_password(house, "Ada", &[("PasswordResetRequired", "true")]).await;
    let kept = |page: SignInPage| {
        assert!(page.problem.is_some());
        let SignInStep::Password { account, back, providers, .. } = page.step else {
            panic!("{:?}", page.step)
        };
        assert_eq!((account.as_str(), back.as_deref()), (ACCOUNT, Some(BACK)));
        assert!(providers.iter().any(|(name, _)| name == "northwind"), "{providers:?}");
        let leads_back =
            |(_, path): &(String, String)| path.ends_with("?back=%2Fv1%2Fauthorize%3Fresponse_type%3Dcode");
        assert!(providers.iter().all(leads_back), "{providers:?}");
    };
    let mut person = Person::at("192.0.2.1");
    let code = person.page(house, FORM, &[]).await.code;
    let fill = |password| {
        [
            ("code", code.as_str()),
            ("account", ACCOUNT),
            ("username", "Ada"),
            ("password", password),
            ("back", BACK),
        ]
    };
    kept(shown(person.send(house, "POST", FORM, "", &fill("wrong")).await.unwrap()));
    // A browser that has lost its cookie.
    let mut forgetful = Person::at("192.0.2.1");
    kept(shown(forgetful.send(house, "POST", FORM, "", &fill(PASSWORD)).await.unwrap()));
    // Somebody who took too long.
    let change = shown(person.send(house, "POST", FORM, "", &fill(PASSWORD)).await.unwrap());
    assert!(matches!(change.step, SignInStep::Change { .. }), "{change:?}");
    house.clock.advance(601);
    kept(shown(person.change(house, &change, ("Another-Horse-8", "Another-Horse-8")).await.unwrap()));
}
