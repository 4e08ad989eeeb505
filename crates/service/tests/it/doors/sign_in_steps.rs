//! What comes between the password and the session: a code, another password.
//!
//! Sources: "Using MFA devices with your IAM sign-in page" and "Set an account password policy for IAM users" in the IAM User
//! Guide.

use std::sync::atomic::Ordering;

use daypass_service::doors::SignInStep;

use super::visitor::*;
use super::*;
use crate::mfa::Flaky;
use crate::phone::Phone;
use crate::support::ACCOUNT;

const NEW: &str = "Another-Horse-8";
const OVER: &str = "That took too long, or was done before. Please sign in again.";
const WRONG_CODE: &str = "The MFA code is not right. Wait for the next one, and try again.";

/// Ada's password was right, and another page asks for more.
async fn next(house: &TestHouse, person: &mut Person) -> daypass_service::doors::SignInPage {
    let page = shown(person.ada(house, PASSWORD).await.unwrap());
    assert!(page.problem.is_none(), "{page:?}");
    page
}

#[tokio::test]
async fn whoever_has_a_device_gets_in_with_its_code_alone() {
    let house = with_ada().await;
    let phone = Phone::of(&house, "Ada").await;
    let mut person = Person::at("192.0.2.1");
    let page = next(&house, &mut person).await;
    let event = house.last_event();
    assert_eq!(
        (&event["eventName"], &event["responseElements"]),
        (&json!("CheckMfa"), &json!({"CheckMfa": "Success"}))
    );
    assert_eq!(event["additionalEventData"]["MfaType"], "Virtual MFA");
    assert_eq!(event["userIdentity"]["arn"], "arn:aws:iam::111122223333:user/Ada");
    assert!(event["userIdentity"].get("accessKeyId").is_none(), "there is no session yet: {event}");
    let (_, records) = house.stored().await;
    assert!(records.iter().all(|record| !record.key.contains("/console-session/")));

    let again = shown(person.code(&house, &page, "000000").await.unwrap());
    assert_eq!(again.problem.as_ref().unwrap().says, WRONG_CODE);
    let event = house.last_event();
    assert_eq!(
        (&event["eventName"], &event["responseElements"], &event["errorMessage"]),
        (&json!("ConsoleLogin"), &json!({"ConsoleLogin": "Failure"}), &json!("Failed authentication"))
    );
    let told = &event["additionalEventData"];
    assert_eq!((&told["MFAUsed"], &told["reason"]), (&json!("Yes"), &json!("WrongCode")));

    let code = phone.code(0);
    let halves = format!("{} {}", &code[..3], &code[3..]);
    let browser = entered(person.code(&house, &again, &halves).await);
    let event = house.last_event();
    assert_eq!(
        (&event["eventName"], &event["responseElements"]),
        (&json!("ConsoleLogin"), &json!({"ConsoleLogin": "Success"}))
    );
    let data = &event["additionalEventData"];
    assert_eq!((&data["MFAUsed"], &data["MFAIdentifier"]), (&json!("Yes"), &json!(phone.serial)));
    assert_eq!(event["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"], "true");
    assert!(house.your_session(&browser).await.mfa);
    let events = json!(*house.audit.lock().unwrap()).to_string();
    assert!(!events.contains(&code) && !events.contains(PASSWORD));
}

#[tokio::test]
async fn the_session_of_a_code_says_so_to_policies_and_how_long_ago() {
    let house = with_ada().await;
    let phone = Phone::of(&house, "Ada").await;
    let mut person = Person::at("192.0.2.1");
    let page = next(&house, &mut person).await;
    let browser = entered(person.code(&house, &page, &phone.code(0)).await);
    let within = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":"sts:*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}},{"Effect":"Deny","NotAction":"sts:*","Resource":"*","Condition":{"NumericGreaterThanIfExists":{"aws:MultiFactorAuthAge":"600"}}}]}"#;
    let policy = [("UserName", "Ada"), ("PolicyName", "mfa"), ("PolicyDocument", within)];
    house.root("iam", "PutUserPolicy", &policy).await;
    let lists = async || {
        let keys = house.command_line(&browser).await;
        house.call(&keys, "iam", "ListUsers", &[]).await.map_err(|error| error.code)
    };
    house.clock.advance(600);
    lists().await.unwrap();
    house.clock.advance(1);
    assert_eq!(lists().await.unwrap_err(), "AccessDenied");
}

#[tokio::test]
async fn a_code_counts_once_here_and_in_calls() {
    let house = with_ada().await;
    let phone = Phone::of(&house, "Ada").await;
    let key = house.root("iam", "CreateAccessKey", &[("UserName", "Ada")]).await;
    let keys = Keys::of(&key["AccessKey"]);
    let mut person = Person::at("192.0.2.1");
    let page = next(&house, &mut person).await;
    phone.session(&house, &keys, &phone.code(0)).await.unwrap();
    assert_eq!(told(person.code(&house, &page, &phone.code(0)).await), WRONG_CODE);
    entered(person.code(&house, &page, &phone.code(1)).await);
    assert_eq!(phone.session(&house, &keys, &phone.code(1)).await.unwrap_err().code, "AccessDenied");
}

#[tokio::test]
async fn one_of_several_devices_is_chosen_and_nobody_elses() {
    let house = with_ada().await;
    let (first, second) = (Phone::of(&house, "Ada").await, Phone::new(&house, "spare", &[]).await);
    second.enable(&house, &house.root, "Ada", -1).await.unwrap();
    with_password(&house, "Bo", &[]).await;
    let other = Phone::new(&house, "other", &[]).await;
    other.enable(&house, &house.root, "Bo", -1).await.unwrap();
    let mut person = Person::at("192.0.2.1");
    let page = next(&house, &mut person).await;
    assert_eq!(house.last_event()["additionalEventData"]["MfaType"], "Multiple MFA Devices");
    let SignInStep::Code { progress, devices } = &page.step else { panic!("{page:?}") };
    assert_eq!(devices.len(), 2);
    let mut send = async |device: &str, code: &str| {
        let form = [
            ("code", page.code.as_str()),
            ("progress", progress.expose_str()),
            ("device", device),
            ("mfacode", code),
        ];
        person.send(&house, "POST", CODE, "", &form).await
    };
    assert_eq!(told(send(&other.serial, &other.code(0)).await), WRONG_CODE, "somebody else's");
    assert!(!house.last_event().to_string().contains(&other.serial));
    assert_eq!(told(send(&second.serial, &first.code(0)).await), WRONG_CODE);
    entered(send(&second.serial, &second.code(0)).await);
}

#[tokio::test]
async fn codes_can_be_tried_five_times_and_then_the_password_comes_first_again() {
    let house = with_ada().await;
    let phone = Phone::of(&house, "Ada").await;
    let mut person = Person::at("192.0.2.1");
    let page = next(&house, &mut person).await;
    for _ in 0..5 {
        assert_eq!(told(person.code(&house, &page, "000000").await), WRONG_CODE);
    }
    assert_eq!(told(person.code(&house, &page, &phone.code(0)).await), OVER);
    // And nine of a device in three minutes, as in calls.
    house.clock.advance(180);
    let page = next(&house, &mut person).await;
    for _ in 0..5 {
        assert_eq!(told(person.code(&house, &page, "000000").await), WRONG_CODE);
    }
    let page = next(&house, &mut person).await;
    for _ in 0..4 {
        assert_eq!(told(person.code(&house, &page, "000000").await), WRONG_CODE);
    }
    assert!(told(person.code(&house, &page, &phone.code(0)).await).starts_with("There were too many"));
    house.clock.advance(180);
    let page = next(&house, &mut person).await;
    entered(person.code(&house, &page, &phone.code(0)).await);
}

/// What the first step proved counts in this browser, for ten minutes, for this password and once.
#[tokio::test]
async fn what_was_proven_counts_here_now_and_once() {
    let house = with_ada().await;
    let phone = Phone::of(&house, "Ada").await;
    let mut person = Person::at("192.0.2.1");
    let page = next(&house, &mut person).await;
    // Another browser, which has the page and a cookie of its own.
    let mut thief = Person::at("192.0.2.2");
    let own = thief.page(&house, FORM, &[]).await;
    let SignInStep::Code { progress, .. } = &page.step else { panic!("{page:?}") };
    let forms = [("code", page.code.as_str()), ("code", own.code.as_str())];
    for code in forms {
        let form = [
            code,
            ("progress", progress.expose_str()),
            ("device", phone.serial.as_str()),
            ("mfacode", &phone.code(0)),
        ];
        let problem = problem(thief.send(&house, "POST", CODE, "", &form).await);
        assert_eq!(problem.error.code, "AccessDenied");
        assert!(problem.error.message.contains("not one of this browser's pages"));
    }
    let mut same = person.same_browser();
    entered(person.code(&house, &page, &phone.code(0)).await);
    assert_eq!(told(same.code(&house, &page, &phone.code(1)).await), OVER, "replayed");

    house.clock.advance(180);
    let page = next(&house, &mut person).await;
    house.clock.advance(600);
    assert_eq!(told(person.code(&house, &page, &phone.code(0)).await), OVER, "ten minutes");

    let page = next(&house, &mut person).await;
    house.root("iam", "UpdateLoginProfile", &[("UserName", "Ada"), ("Password", NEW)]).await;
    assert_eq!(told(person.code(&house, &page, &phone.code(0)).await), OVER, "another password");
}

#[tokio::test]
async fn a_password_that_must_be_changed_is_and_the_session_begins() {
    let house = TestHouse::new().await;
    with_password(&house, "Ada", &[("PasswordResetRequired", "true")]).await;
    // Nobody lets Ada change her password, and she does.
    house.root("iam", "DeleteUserPolicy", &[("UserName", "Ada"), ("PolicyName", "p")]).await;
    let mut person = Person::at("192.0.2.1");
    let page = next(&house, &mut person).await;
    let event = house.last_event();
    assert_eq!(
        (&event["eventName"], &event["additionalEventData"]["PasswordChangeRequired"]),
        (&json!("CheckPassword"), &json!("Yes"))
    );
    for (new, says) in [
        ((NEW, "Another"), "The two passwords differ. Type the new one twice."),
        (("short", "short"), "Password should have a minimum length of 8"),
        ((PASSWORD, PASSWORD), "Password should not be one of the passwords that were used before"),
    ] {
        assert_eq!(told(person.change(&house, &page, new).await), says);
        let event = house.last_event();
        assert_eq!(
            (&event["eventName"], &event["responseElements"]),
            (&json!("PasswordUpdated"), &json!({"PasswordUpdated": "Failure"}))
        );
    }
    let from = house.audit.lock().unwrap().len();
    let mut same = person.same_browser();
    let browser = entered(person.change(&house, &page, (NEW, NEW)).await);
    let names: Vec<_> = events(&house, from).iter().map(|event| event["responseElements"].clone()).collect();
    assert_eq!(names, [json!({"PasswordUpdated": "Success"}), json!({"ConsoleLogin": "Success"})]);
    assert_eq!(house.your_session(&browser).await.name, "Ada");
    assert_eq!(told(same.change(&house, &page, (NEW, NEW)).await), OVER, "replayed");
    assert_eq!(told(Person::at("192.0.2.2").ada(&house, PASSWORD).await), INCORRECT, "the old one");
    entered(Person::at("192.0.2.2").ada(&house, NEW).await);
    let events = json!(*house.audit.lock().unwrap()).to_string();
    assert!(!events.contains(NEW) && !events.contains(PASSWORD));
}

/// Each comparison with the passwords before takes a processor, and tells whether it was one of them.
#[tokio::test]
async fn ten_passwords_can_be_tried_in_the_place_of_one() {
    let house = TestHouse::new().await;
    with_password(&house, "Ada", &[("PasswordResetRequired", "true")]).await;
    let mut person = Person::at("192.0.2.1");
    let page = next(&house, &mut person).await;
    for _ in 0..10 {
        let says = told(person.change(&house, &page, (PASSWORD, PASSWORD)).await);
        assert_eq!(says, "Password should not be one of the passwords that were used before");
    }
    let turns = house.house.passwords.turns();
    assert_eq!(told(person.change(&house, &page, (NEW, NEW)).await), OVER);
    assert_eq!(house.house.passwords.turns(), turns);
}

#[tokio::test]
async fn a_password_past_its_age_is_changed_by_the_accounts_rules() {
    let house = with_ada().await;
    let policy =
        [("MaxPasswordAge", "90"), ("PasswordReusePrevention", "2"), ("MinimumPasswordLength", "12")];
    house.root("iam", "UpdateAccountPasswordPolicy", &policy).await;
    house.clock.advance(90 * 86_400 - 1);
    let mut person = Person::at("192.0.2.1");
    entered(person.ada(&house, PASSWORD).await);
    house.clock.advance(1);
    let page = next(&house, &mut person).await;
    assert_eq!(
        told(person.change(&house, &page, ("Short-Hors9", "Short-Hors9")).await),
        "Password should have a minimum length of 12"
    );
    entered(person.change(&house, &page, (NEW, NEW)).await);
    house.clock.advance(90 * 86_400);
    let page = shown(person.ada(&house, NEW).await.unwrap());
    assert_eq!(
        told(person.change(&house, &page, (PASSWORD, PASSWORD)).await),
        "Password should not be one of the passwords that were used before"
    );
}

#[tokio::test]
async fn an_expired_password_that_an_administrator_must_replace_lets_nobody_in() {
    let house = with_ada().await;
    let policy = [("MaxPasswordAge", "1"), ("HardExpiry", "true")];
    house.root("iam", "UpdateAccountPasswordPolicy", &policy).await;
    house.clock.advance(86_400);
    let mut person = Person::at("192.0.2.1");
    assert_eq!(told(person.ada(&house, "wrong").await), INCORRECT, "who does not know it hears nothing");
    let expired = "Your password has expired. Ask your administrator for a new one.";
    assert_eq!(house.last_event()["additionalEventData"]["reason"], "WrongPassword");
    assert_eq!(told(person.ada(&house, PASSWORD).await), expired);
    let event = house.last_event();
    assert_eq!(event["responseElements"], json!({"ConsoleLogin": "Failure"}));
    assert_eq!(event["errorMessage"], "Failed authentication", "AWS's words stay");
    assert_eq!(event["additionalEventData"]["reason"], "PasswordExpired");
    house.root("iam", "UpdateLoginProfile", &[("UserName", "Ada"), ("Password", NEW)]).await;
    entered(person.ada(&house, NEW).await);
}

#[tokio::test]
async fn a_code_is_asked_for_before_another_password_and_both_before_the_session() {
    let house = TestHouse::new().await;
    with_password(&house, "Ada", &[("PasswordResetRequired", "true")]).await;
    let phone = Phone::of(&house, "Ada").await;
    let mut person = Person::at("192.0.2.1");
    let asks_code = next(&house, &mut person).await;
    let asks_password = shown(person.code(&house, &asks_code, &phone.code(0)).await.unwrap());
    // What one step gave is nothing for the other.
    let SignInStep::Code { progress, .. } = &asks_code.step else { panic!("{asks_code:?}") };
    let form = [
        ("code", asks_password.code.as_str()),
        ("progress", progress.expose_str()),
        ("password", NEW),
        ("again", NEW),
    ];
    assert_eq!(told(person.send(&house, "POST", CHANGE, "", &form).await), OVER);
    let browser = entered(person.change(&house, &asks_password, (NEW, NEW)).await);
    assert!(house.your_session(&browser).await.mfa);
    assert_eq!(house.last_event()["additionalEventData"]["MFAUsed"], "Yes");
}

/// Otherwise whoever knows the password could go on without the device that was set up against them.
#[tokio::test]
async fn a_device_that_came_between_is_asked_for() {
    let house = TestHouse::new().await;
    with_password(&house, "Ada", &[("PasswordResetRequired", "true")]).await;
    let mut person = Person::at("192.0.2.1");
    let page = next(&house, &mut person).await;
    let _phone = Phone::of(&house, "Ada").await;
    assert_eq!(told(person.change(&house, &page, (NEW, NEW)).await), OVER);
    let page = next(&house, &mut person).await;
    assert!(matches!(page.step, SignInStep::Code { .. }));
}

/// Whoever has the password and the device, which is why an administrator takes it away.
#[tokio::test]
async fn a_code_of_a_device_that_was_taken_away_since_is_nothing() {
    let house = TestHouse::new().await;
    with_password(&house, "Ada", &[("PasswordResetRequired", "true")]).await;
    let phone = Phone::of(&house, "Ada").await;
    let mut person = Person::at("192.0.2.1");
    let page = next(&house, &mut person).await;
    let page = shown(person.code(&house, &page, &phone.code(0)).await.unwrap());
    let taken = [("UserName", "Ada"), ("SerialNumber", phone.serial.as_str())];
    house.root("iam", "DeactivateMFADevice", &taken).await;
    let other = Phone::new(&house, "spare", &[]).await;
    other.enable(&house, &house.root, "Ada", -1).await.unwrap();
    assert_eq!(told(person.change(&house, &page, (NEW, NEW)).await), OVER);
}

/// The lost device, too, was called so.
#[tokio::test]
async fn nor_where_another_device_has_its_serial_number() {
    let house = TestHouse::new().await;
    with_password(&house, "Ada", &[("PasswordResetRequired", "true")]).await;
    let phone = Phone::new(&house, "phone", &[]).await;
    phone.enable(&house, &house.root, "Ada", -1).await.unwrap();
    let mut person = Person::at("192.0.2.1");
    let page = next(&house, &mut person).await;
    let page = shown(person.code(&house, &page, &phone.code(0)).await.unwrap());
    let taken = [("UserName", "Ada"), ("SerialNumber", phone.serial.as_str())];
    house.root("iam", "DeactivateMFADevice", &taken).await;
    house.root("iam", "DeleteVirtualMFADevice", &taken[1..]).await;
    let other = Phone::new(&house, "phone", &[]).await;
    assert_eq!(other.serial, phone.serial);
    other.enable(&house, &house.root, "Ada", -1).await.unwrap();
    assert_eq!(told(person.change(&house, &page, (NEW, NEW)).await), OVER);
}

/// An administrator who sees somebody sign in wants another password before the session, not at the next sign-in.
#[tokio::test]
async fn what_the_account_wants_of_a_password_is_asked_at_every_step() {
    let house = with_ada().await;
    let phone = Phone::of(&house, "Ada").await;
    house.clock.advance(2 * 86_400);
    let mut person = Person::at("192.0.2.1");
    let page = next(&house, &mut person).await;
    let reset = [("UserName", "Ada"), ("PasswordResetRequired", "true")];
    house.root("iam", "UpdateLoginProfile", &reset).await;
    let asks_another = shown(person.code(&house, &page, &phone.code(0)).await.unwrap());
    assert!(matches!(asks_another.step, SignInStep::Change { .. }), "{asks_another:?}");
    let asks_code = next(&house, &mut person).await;
    let expired = [("MaxPasswordAge", "1"), ("HardExpiry", "true")];
    house.root("iam", "UpdateAccountPasswordPolicy", &expired).await;
    assert_eq!(told(person.change(&house, &asks_another, (NEW, NEW)).await), OVER);
    assert_eq!(told(person.code(&house, &asks_code, &phone.code(1)).await), OVER);
}

#[tokio::test]
async fn signing_in_from_two_browsers_at_once_lets_both_in() {
    let house = with_ada().await;
    let (mut one, mut other) = (Person::at("192.0.2.1"), Person::at("192.0.2.2"));
    let (first, second) = tokio::join!(one.ada(&house, PASSWORD), other.ada(&house, PASSWORD));
    for browser in [entered(first), entered(second)] {
        house.your_session(&browser).await;
    }
    assert_eq!(
        house.root("iam", "GetUser", &[("UserName", "Ada")]).await["User"]["Arn"],
        format!("arn:aws:iam::{ACCOUNT}:user/Ada")
    );
}

/// Nor does it take another try, or a place in the line.
#[tokio::test]
async fn a_sign_in_that_is_decided_again_compares_once() {
    let store = Flaky::new();
    let house = TestHouse::on(store.clone()).await;
    with_password(&house, "Ada", &[]).await;
    let turns = house.house.passwords.turns();
    store.conflicts.store(3, Ordering::SeqCst);
    entered(Person::at("192.0.2.1").ada(&house, PASSWORD).await);
    assert_eq!(store.conflicts.load(Ordering::SeqCst), 0);
    assert_eq!(house.house.passwords.turns() - turns, 1);
}
