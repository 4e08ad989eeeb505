//! Forms of other sites, cookies that somebody else put there, and secrets that nobody may find.

use daypass_authn::browser::BrowserSecret;

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
    // A code of ours, and no cookie.
    let mut without = Person::at("192.0.2.1");
    told(without.send(&house, "POST", FORM, "", &form(&page.code)).await);
    let value = person.cookie.as_ref().unwrap().cookie();
    // A sibling's page, whose cookie took the place of ours.
    let cookie = format!("{BROWSER_COOKIE}={}", value.expose_str());
    for site in ["cross-site", "same-site", "", "x"] {
        let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", site)];
        told(house.visit("POST", FORM, "", &headers, &form(&page.code)).await);
    }
    let both =
        [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")];
    told(house.visit("POST", FORM, "", &both, &form(&page.code)).await);
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
    let known = person.devices.values().next().unwrap().clone();
    assert!(before != after && after != browser.secret && before != browser.secret);
    let (_, records) = house.stored().await;
    let record = records.iter().find(|record| record.key.contains("/login-profile/")).unwrap();
    let text = String::from_utf8(record.value.to_vec()).unwrap();
    assert!(text.contains(&known.hash()), "of the user");
    assert!([before, after].iter().all(|other| !text.contains(&other.hash()) && *other != known));
    assert!(!text.contains(known.cookie().expose_str()));
}

/// A sibling host's page can set `daypass-browser` for the whole domain, for as long as browsers keep anything: it neither keeps
/// anybody out nor says which secret is theirs.
#[tokio::test]
async fn a_cookie_that_a_sibling_host_planted_is_nothing() {
    let house = with_ada().await;
    let mut person = Person::at("192.0.2.1");
    let page = person.page(&house, FORM, &[]).await;
    let planted = BrowserSecret::read(&"A".repeat(43)).unwrap();
    let (own, other) = (person.cookie.unwrap().cookie(), planted.cookie());
    let (own, other) = (own.expose_str(), other.expose_str());
    let visit = async |secure, cookie: &str, code: &str| {
        let at = ("POST", FORM, "");
        house.visit_over(Some(secure), "192.0.2.1", at, &[("cookie", cookie)], &form(code)).await
    };
    // Over TLS it is another cookie, which only this host can set (RFC 6265bis, section 4.1.3.2).
    let code = planted.form_code("sign-in");
    told(visit(true, &format!("daypass-browser={other}"), &code).await);
    entered(visit(true, &format!("daypass-browser=x; {BROWSER_COOKIE}={own}"), &page.code).await);
    // Where there is none, whichever fits: browsers send the ones of longer paths and older ones first.
    for planted in ["x", other, own] {
        entered(visit(false, &format!("daypass-browser={planted}; daypass-browser={own}"), &page.code).await);
    }
    told(visit(false, &format!("{BROWSER_COOKIE}={own}"), &page.code).await);
}

/// A browser that two people use, or that an administrator opens root in.
#[tokio::test]
async fn one_users_sign_in_takes_nothing_of_anothers_in_the_same_browser() {
    let house = with_ada().await;
    with_password(&house, "Bo", &[]).await;
    let mut person = Person::at("192.0.2.1");
    entered(person.ada(&house, PASSWORD).await);
    entered(person.sign_in(&house, ACCOUNT, "Bo", PASSWORD).await);
    let code = daypass_service::doors::root_code(&house.house, ACCOUNT.parse().unwrap()).unwrap();
    let page = person.page(&house, "/signin/step/root", &[]).await;
    let form = [("code", page.code.as_str()), ("rootcode", code.expose_str())];
    entered(person.send(&house, "POST", "/signin/step/root", "", &form).await);
    assert_eq!(person.devices.len(), 2);
    // Strangers use up what strangers have.
    for user in ["Ada", "Bo"] {
        let mut stranger = Person::at("192.0.2.1");
        for _ in 0..7 {
            told(stranger.sign_in(&house, ACCOUNT, user, "wrong").await);
        }
        entered(person.sign_in(&house, ACCOUNT, user, PASSWORD).await);
    }
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
