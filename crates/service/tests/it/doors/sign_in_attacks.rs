//! Forms of other sites, cookies that somebody else put there, and secrets that nobody may find.

use daypass_service::doors::BROWSER_COOKIE;

use super::visitor::*;
use crate::support::ACCOUNT;

fn form(code: &str) -> [(&str, &str); 4] {
    [("code", code), ("account", ACCOUNT), ("username", "Ada"), ("password", PASSWORD)]
}

/// Whoever signs a stranger's browser in as themselves sees what is done there (login CSRF).
#[tokio::test]
async fn a_form_of_another_site_signs_nobody_in() {
    let house = with_ada().await;
    let (mut person, mut other) = (Person::at("192.0.2.1"), Person::at("192.0.2.2"));
    let page = person.page(&house, FORM, &[]).await;
    let others = other.page(&house, FORM, &[]).await;
    let turns = house.house.passwords.turns();
    for code in ["", "00", &others.code, &page.code.to_uppercase(), &page.code[1..]] {
        let says = told(person.send(&house, "POST", FORM, "", &form(code)).await);
        assert!(says.starts_with("The page was open for too long"), "{says}");
    }
    // A code of ours, and no cookie, or two of them.
    let mut without = Person::at("192.0.2.1");
    told(without.send(&house, "POST", FORM, "", &form(&page.code)).await);
    let value = person.cookie.as_ref().unwrap().cookie();
    let twice = format!("{BROWSER_COOKIE}={0}; {BROWSER_COOKIE}={0}", value.expose_str());
    told(house.visit("POST", FORM, "", &[("cookie", &twice)], &form(&page.code)).await);
    // A sibling's page, whose cookie took the place of ours.
    let cookie = format!("{BROWSER_COOKIE}={}", value.expose_str());
    for site in ["cross-site", "same-site", "", "x"] {
        let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", site)];
        told(house.visit("POST", FORM, "", &headers, &form(&page.code)).await);
    }
    // A password in an address stands in logs.
    told(person.send(&house, "POST", FORM, "password=x", &form(&page.code)).await);
    assert_eq!(house.house.passwords.turns(), turns, "no password was looked at");
    let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
    entered(house.visit("POST", FORM, "", &headers, &form(&page.code)).await);
}

/// Whoever put a cookie into somebody's browser has nothing of what comes after (session fixation).
#[tokio::test]
async fn a_sign_in_gives_the_browser_another_secret() {
    let house = with_ada().await;
    let mut person = Person::at("192.0.2.1");
    person.page(&house, FORM, &[]).await;
    let before = person.cookie.clone().unwrap();
    let browser = entered(person.ada(&house, PASSWORD).await);
    let after = person.cookie.clone().unwrap();
    assert!(before != after && after != browser.secret && before != browser.secret);
    let (_, records) = house.stored().await;
    let record = records.iter().find(|record| record.key.contains("/login-profile/")).unwrap();
    let text = String::from_utf8(record.value.to_vec()).unwrap();
    assert!(text.contains(&after.hash()) && !text.contains(&before.hash()), "the new one is known");
    assert!(!text.contains(after.cookie().expose_str()));
}

/// The form is only sent whole, and nothing in it is passed over.
#[tokio::test]
async fn a_form_with_more_than_its_fields_is_refused() {
    let house = with_ada().await;
    let mut person = Person::at("192.0.2.1");
    let page = person.page(&house, FORM, &[]).await;
    let more = [&form(&page.code)[..], &[("DurationSeconds", "900")]].concat();
    told(person.send(&house, "POST", FORM, "", &more).await);
    entered(person.send(&house, "POST", FORM, "", &form(&page.code)).await);
}

#[tokio::test]
async fn failures_without_end_leave_the_audit_room() {
    let house = with_ada().await;
    let from = house.audit.lock().unwrap().len();
    let mut person = Person::at("192.0.2.1");
    let page = person.page(&house, FORM, &[]).await;
    for n in 0..150 {
        let name = format!("nobody{n}");
        let form = [
            ("code", page.code.as_str()),
            ("account", ACCOUNT),
            ("username", name.as_str()),
            ("password", ""),
        ];
        person.send(&house, "POST", FORM, "", &form).await.unwrap();
    }
    assert_eq!(events(&house, from).len(), 100, "those of one address");
}
