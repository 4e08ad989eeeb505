//! Guessers are slow, and keep nobody out who knows the password.
//!
//! Source: OWASP, "Authentication Cheat Sheet" and "Slow Down Online Guessing Attacks with Device Cookies".

use sha2::Digest as _;

use super::visitor::*;
use super::*;
use crate::phone::Phone;
use crate::support::ACCOUNT;

const TOO_MANY: &str = "There were too many attempts. Wait three minutes, and try again.";

/// How many guesses of so many were looked at.
async fn guesses(house: &TestHouse, person: &mut Person, user: &str, many: usize) -> usize {
    let mut looked_at = 0;
    for _ in 0..many {
        match told(person.sign_in(house, ACCOUNT, user, "wrong").await).as_str() {
            INCORRECT => looked_at += 1,
            TOO_MANY => {}
            other => panic!("{other}"),
        }
    }
    looked_at
}

#[tokio::test]
async fn one_guesser_gets_six_tries_in_three_minutes_and_others_get_in() {
    let house = with_ada().await;
    let mut guesser = Person::at("203.0.113.7");
    assert_eq!(guesses(&house, &mut guesser, "Ada", 20).await, 6);
    assert_eq!(told(guesser.ada(&house, PASSWORD).await), TOO_MANY, "not even with the right one");
    let event = house.last_event();
    assert_eq!(event["responseElements"], json!({"ConsoleLogin": "Failure"}));
    assert_eq!(guesses(&house, &mut Person::at("203.0.113.7"), "Ada", 3).await, 0, "another browser there");
    entered(Person::at("192.0.2.1").ada(&house, PASSWORD).await);
    house.clock.advance(180);
    entered(guesser.ada(&house, PASSWORD).await);
}

/// Whoever has one address of a network of IPv6 has them all.
#[tokio::test]
async fn a_network_is_one_guesser() {
    let house = with_ada().await;
    let mut all = 0;
    for n in 1..20 {
        all += guesses(&house, &mut Person::at(&format!("2001:db8:7:7::{n}")), "Ada", 1).await;
    }
    assert_eq!(all, 6);
}

/// Neither refusals nor their number tell whether there is such a user or account.
#[tokio::test]
async fn tries_are_of_names_whether_there_is_such_a_user_or_not() {
    let house = with_ada().await;
    house.root("iam", "CreateAccountAlias", &[("AccountAlias", "northwind")]).await;
    let mut guesser = Person::at("203.0.113.7");
    assert_eq!(guesses(&house, &mut guesser, "nobody", 20).await, 6);
    // One user has one name, however it is written.
    let mut spelled = 0;
    for (account, user) in [(ACCOUNT, "ada"), ("northwind", "ADA"), ("NORTHWIND", "Ada"), (ACCOUNT, " Ada ")]
    {
        for _ in 0..3 {
            let says = told(guesser.sign_in(&house, account, user, "wrong").await);
            spelled += usize::from(says == INCORRECT);
        }
    }
    assert_eq!(spelled, 6);
}

#[tokio::test]
async fn many_guessers_together_have_a_bound_and_never_keep_out_a_browser_that_is_known() {
    let house = with_ada().await;
    let mut ada = Person::at("192.0.2.1");
    entered(ada.ada(&house, PASSWORD).await);
    house.clock.advance(180);
    let mut looked_at = 0;
    for n in 0..250 {
        looked_at += guesses(&house, &mut Person::at(&format!("203.0.113.{n}")), "Ada", 2).await;
    }
    assert_eq!(looked_at, 8 * 12, "shelves, and the tries of each");
    assert_eq!(told(Person::at("192.0.2.99").ada(&house, PASSWORD).await), TOO_MANY, "a browser like theirs");
    entered(ada.ada(&house, PASSWORD).await);
    // From wherever; and her tries are hers.
    ada.address = "203.0.113.50".into();
    assert_eq!(guesses(&house, &mut ada, "Ada", 3).await, 3);
    entered(ada.ada(&house, PASSWORD).await);
    // With three more minutes everybody has new ones.
    house.clock.advance(180);
    entered(Person::at("192.0.2.99").ada(&house, PASSWORD).await);
}

#[tokio::test]
async fn a_known_browser_has_nine_tries_of_the_user_that_it_is_known_of() {
    let house = with_ada().await;
    with_password(&house, "Bo", &[]).await;
    let mut ada = Person::at("192.0.2.1");
    entered(ada.ada(&house, PASSWORD).await);
    house.clock.advance(180);
    assert_eq!(guesses(&house, &mut ada, "Ada", 20).await, 9);
    assert_eq!(guesses(&house, &mut ada, "Bo", 20).await, 6, "of others it is like any");
}

/// Whoever had the password, too, has signed in with it: with another, nobody is known but who chose it.
#[tokio::test]
async fn another_password_leaves_known_the_browser_alone_that_it_was_chosen_in() {
    let house = with_ada().await;
    let (mut ada, mut eve) = (Person::at("192.0.2.1"), Person::at("192.0.2.2"));
    for person in [&mut ada, &mut eve] {
        entered(person.ada(&house, PASSWORD).await);
    }
    house.clock.advance(180);
    let other = [("UserName", "Ada"), ("Password", "Another-Horse-8"), ("PasswordResetRequired", "true")];
    house.root("iam", "UpdateLoginProfile", &other).await;
    assert_eq!(guesses(&house, &mut eve, "Ada", 20).await, 6, "an administrator's");
    let page = shown(ada.ada(&house, "Another-Horse-8").await.unwrap());
    entered(ada.change(&house, &page, ("A-Third-Horse-9", "A-Third-Horse-9")).await);
    house.clock.advance(180);
    assert_eq!(guesses(&house, &mut eve, "Ada", 20).await, 6);
    assert_eq!(guesses(&house, &mut ada, "Ada", 20).await, 9);
}

/// Whoever could tell who shares tries with whom would keep one network waiting with two others, for as long as they like.
#[tokio::test]
async fn who_shares_tries_with_whom_nobody_can_tell_nor_is_it_so_for_long() {
    let house = with_ada().await;
    let shelf = |network: &str| sha2::Sha256::digest(network)[0] % 8;
    let victim = "198.51.100.7";
    let networks = (0..).map(|n| format!("203.0.113.{n}"));
    let few: Vec<_> = networks.filter(|network| shelf(network) == shelf(victim)).take(2).collect();
    let mut kept_out = 0;
    for _ in 0..3 {
        for network in &few {
            guesses(&house, &mut Person::at(network), "Ada", 6).await;
        }
        kept_out += usize::from(guesses(&house, &mut Person::at(victim), "Ada", 1).await == 0);
        house.clock.advance(180);
    }
    assert!(kept_out < 3, "each time, by a chance of one in 64");
}

#[tokio::test]
async fn the_ten_latest_browsers_are_known() {
    let house = with_ada().await;
    let mut people = Vec::new();
    for n in 0..11 {
        let mut person = Person::at(&format!("192.0.2.{n}"));
        entered(person.ada(&house, PASSWORD).await);
        people.push(person);
    }
    house.clock.advance(180);
    assert_eq!(guesses(&house, &mut people[0], "Ada", 12).await, 6);
    assert_eq!(guesses(&house, &mut people[1], "Ada", 12).await, 9);
}

/// One password tried with every user.
#[tokio::test]
async fn an_address_has_tries_over_all_users_together() {
    let house = with_ada().await;
    let mut sprayer = Person::at("203.0.113.7");
    let mut looked_at = 0;
    for n in 0..220 {
        looked_at += guesses(&house, &mut sprayer, &format!("user{n}"), 1).await;
    }
    assert!((130..=160).contains(&looked_at), "{looked_at}: at most twenty of each of eight shelves");
    entered(Person::at("192.0.2.1").ada(&house, PASSWORD).await);
}

/// A guesser with the user's access key has other tries.
#[tokio::test]
async fn guesses_in_calls_and_guesses_here_do_not_use_each_other_up() {
    let house = with_ada().await;
    let key = house.root("iam", "CreateAccessKey", &[("UserName", "Ada")]).await;
    let keys = Keys::of(&key["AccessKey"]);
    assert_eq!(guesses(&house, &mut Person::at("192.0.2.10"), "Ada", 20).await, 6);
    let change = [("OldPassword", PASSWORD), ("NewPassword", "Another-Horse-8")];
    house.call(&keys, "iam", "ChangePassword", &change).await.unwrap();
}

/// A flood of names that are nobody's, from as many networks as it takes, to keep the processor busy that passwords are compared by.
#[tokio::test]
async fn a_flood_of_strangers_leaves_room_for_known_browsers_and_signed_calls_and_takes_no_try() {
    let house = with_ada().await;
    let mut ada = Person::at("192.0.2.1");
    entered(ada.ada(&house, PASSWORD).await);
    let mut strangers: Vec<_> = (0..40).map(|n| Person::at(&format!("203.0.113.{n}"))).collect();
    for stranger in &mut strangers {
        stranger.page(&house, FORM, &[]).await;
    }
    let visits = strangers.iter_mut().map(|stranger| stranger.sign_in(&house, ACCOUNT, "nobody", "wrong"));
    let mut visits: Vec<_> = visits.map(Box::pin).collect();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    visits.retain_mut(|visit| visit.as_mut().poll(&mut context).is_pending());
    assert_eq!(visits.len(), 10, "half of the places of the account");
    let mut newcomer = Person::at("198.51.100.1");
    assert_eq!(guesses(&house, &mut newcomer, "Ada", 9).await, 0, "nobody else who is not known finds room");
    entered(ada.ada(&house, PASSWORD).await);
    let update = [("UserName", "Ada"), ("Password", "Another-Horse-8")];
    house.root("iam", "UpdateLoginProfile", &update).await;
    drop(visits);
    assert_eq!(guesses(&house, &mut newcomer, "Ada", 9).await, 6, "and nothing was spent meanwhile");
}

/// Whoever has found out the password, too, is asked for a code: they cannot keep its owner waiting with wrong ones.
#[tokio::test]
async fn codes_of_a_known_browser_have_tries_of_their_own() {
    let house = with_ada().await;
    let (mut ada, mut thief) = (Person::at("192.0.2.1"), Person::at("192.0.2.2"));
    // Who was in before there was a device has shown no code.
    entered(thief.ada(&house, PASSWORD).await);
    let phone = Phone::of(&house, "Ada").await;
    let page = shown(ada.ada(&house, PASSWORD).await.unwrap());
    entered(ada.code(&house, &page, &phone.code(0)).await);
    house.clock.advance(180);
    assert_eq!(wrong_codes(&house, &mut thief, 10).await, 9);
    let right = shown(ada.ada(&house, PASSWORD).await.unwrap());
    entered(ada.code(&house, &right, &phone.code(0)).await);
    // Nor is a known browser without a bound, nor does a code count in both.
    house.clock.advance(180);
    assert_eq!(wrong_codes(&house, &mut ada, 10).await, 9);
    let right = shown(thief.ada(&house, PASSWORD).await.unwrap());
    let code = phone.code(0);
    entered(thief.code(&house, &right, &code).await);
    house.clock.advance(180);
    let page = shown(ada.ada(&house, PASSWORD).await.unwrap());
    assert!(told(ada.code(&house, &page, &code).await).starts_with("The MFA code is not right"));
}

/// How many of so many wrong codes are looked at.
async fn wrong_codes(house: &TestHouse, person: &mut Person, many: usize) -> usize {
    let mut looked_at = 0;
    let mut page = None;
    for n in 0..many {
        // Five may follow one password.
        if n % 5 == 0 {
            page = Some(shown(person.ada(house, PASSWORD).await.unwrap()));
        }
        let told = told(person.code(house, page.as_ref().unwrap(), &format!("00000{n}")).await);
        looked_at += usize::from(told.starts_with("The MFA code is not right"));
    }
    looked_at
}
