//! Root signs in by a code that whoever runs the host makes, and by nothing else.

use daypass_service::doors::root_code;

use super::visitor::*;
use super::*;
use crate::phone::Phone;
use crate::support::{ACCOUNT, OTHER};

const ROOT: &str = "/signin/step/root";
const WRONG: &str = "The code is not valid: it was used, its ten minutes are over, or it is not whole.";

fn made(house: &TestHouse, account: &str) -> String {
    root_code(&house.house, account.parse().unwrap()).unwrap().expose_str().to_owned()
}

async fn send(person: &mut Person, house: &TestHouse, code: &str) -> Result<Answer, Error> {
    let page = person.page(house, ROOT, &[]).await;
    person.send(house, "POST", ROOT, "", &[("code", &page.code), ("rootcode", code)]).await
}

#[tokio::test]
async fn a_code_of_the_host_signs_root_in_once_for_an_hour() {
    let house = TestHouse::new().await;
    let code = made(&house, ACCOUNT);
    let mut person = Person::at("192.0.2.1");
    let browser = entered(send(&mut person, &house, &format!(" {code}\n")).await);
    let session = house.your_session(&browser).await;
    assert_eq!((session.kind, session.arn.as_str()), ("Root", "arn:aws:iam::111122223333:root"));
    assert_eq!(session.expires, house.clock_now() + 3600);
    let event = house.last_event();
    assert_eq!(
        (&event["eventName"], &event["responseElements"], &event["userIdentity"]["type"]),
        (&json!("ConsoleLogin"), &json!({"ConsoleLogin": "Success"}), &json!("Root"))
    );
    let keys = house.command_line(&browser).await;
    house.call(&keys, "iam", "ListUsers", &[]).await.unwrap();

    assert_eq!(told(send(&mut person, &house, &code).await), WRONG, "used");
    let event = house.last_event();
    assert_eq!(event["responseElements"], json!({"ConsoleLogin": "Failure"}));
    let events = json!(*house.audit.lock().unwrap()).to_string();
    assert!(!events.contains(&code));
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes_whole_and_while_there_is_the_account() {
    let house = TestHouse::new().await;
    house.account(OTHER).await;
    let mut person = Person::at("192.0.2.1");
    let late = made(&house, ACCOUNT);
    house.clock.advance(600);
    assert_eq!(told(send(&mut person, &house, &late).await), WRONG);
    let good = made(&house, ACCOUNT);
    for bad in ["", "x", &good[1..], &good[..good.len() - 1], &format!("{good}A")] {
        assert_eq!(told(send(&mut person, &house, bad).await), WRONG, "{bad}");
    }
    // Made by a node whose clock is ahead, it would be good for longer.
    house.clock.advance(-61);
    assert_eq!(told(send(&mut person, &house, &good).await), WRONG);
    house.clock.advance(61 + 599);
    entered(send(&mut person, &house, &good).await);
    let none = made(&house, "999999999999");
    assert_eq!(told(send(&mut person, &house, &none).await), WRONG);
    // What is sealed for something else is no code.
    let keys = house.root.clone();
    let user = house.user("grace", Some(ALLOW_ALL)).await;
    let params = [("Name", "visitor"), ("Policy", ALLOW_ALL)];
    let federated = house.call(&user, "sts", "GetFederationToken", &params).await.unwrap();
    let token = house.signin_token(&Keys::of(&federated["Credentials"]), &[]).await.unwrap();
    assert_eq!(told(send(&mut person, &house, &token).await), WRONG);
    assert!(!keys.access_key_id.is_empty());
}

#[tokio::test]
async fn roots_device_is_asked_for_too() {
    let house = TestHouse::new().await;
    let phone = Phone::new(&house, "root-phone", &[]).await;
    phone.enable(&house, &house.root, ACCOUNT, -1).await.unwrap();
    let mut person = Person::at("192.0.2.1");
    let page = shown(send(&mut person, &house, &made(&house, ACCOUNT)).await.unwrap());
    assert_eq!(house.last_event()["eventName"], "CheckMfa");
    let browser = entered(person.code(&house, &page, &phone.code(0)).await);
    assert!(house.your_session(&browser).await.mfa);
    assert_eq!(house.last_event()["userIdentity"]["type"], "Root");
}

/// The form of users knows no root: not by its name, nor by an account's number for one.
#[tokio::test]
async fn root_has_no_password() {
    let house = TestHouse::new().await;
    for user in ["root", ACCOUNT, ""] {
        assert_eq!(
            told(Person::at("192.0.2.1").sign_in(&house, ACCOUNT, user, PASSWORD).await),
            INCORRECT,
            "{user}"
        );
    }
    // A form without a code of ours does nothing with a code of the host.
    let code = made(&house, ACCOUNT);
    let mut person = Person::at("192.0.2.1");
    told(person.send(&house, "POST", ROOT, "", &[("code", ""), ("rootcode", &code)]).await);
    entered(send(&mut person, &house, &code).await);
}
