//! `/saml`: who gets in by an assertion that a browser brings, and what is asked where several roles are meant.

use data_encoding::BASE64;
use daypass_service::Settings;
use daypass_service::federation::{Replay, SamlSettings};

use super::*;
use crate::saml::{WRITER, invalid, new, of_both_roles, trust, trusting, with_attributes};
use crate::saml_idp::{ASSERTION, PROVIDER, ROLE, STRANGER, edited, metadata_of, response, signed};
use crate::support::OTHER;

const INVALID: &str = "Your request included an invalid SAML response.";

async fn bring_to(house: &TestHouse, path: &str, xml: &str, more: &[(&str, &str)]) -> Result<Answer, Error> {
    let text = BASE64.encode(xml.as_bytes());
    let mut form = vec![("SAMLResponse", text.as_str())];
    form.extend(more);
    house.visit("POST", path, "", &[], &form).await
}

async fn bring(house: &TestHouse, xml: &str, more: &[(&str, &str)]) -> Result<Answer, Error> {
    bring_to(house, "/saml", xml, more).await
}

async fn enter(house: &TestHouse, xml: &str, more: &[(&str, &str)]) -> Browser {
    match bring(house, xml, more).await.unwrap() {
        Answer::Entered { id, secret, .. } => Browser { id, secret },
        other => panic!("{other:?}"),
    }
}

async fn refusal(house: &TestHouse, xml: &str, more: &[(&str, &str)]) -> (&'static str, String) {
    let error = bring(house, xml, more).await.err().unwrap();
    (error.code, error.message)
}

async fn choices(house: &TestHouse, xml: &str) -> Vec<String> {
    match bring(house, xml, &[]).await.unwrap() {
        Answer::ChooseRole { accounts, .. } => {
            accounts.into_iter().flat_map(|(_, roles)| roles).map(|role| role.arn).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_role_is_entered_at_once() {
    let house = new().await;
    let browser = enter(&house, &signed(&with_attributes(&[("PrincipalTag:Team", &["red"])])), &[]).await;
    let event = house.last_event();
    assert_eq!(
        (&event["eventName"], &event["responseElements"]),
        (&json!("ConsoleLogin"), &json!({"ConsoleLogin": "Success"}))
    );
    assert_eq!(event["additionalEventData"]["SamlProviderArn"], PROVIDER);
    assert_eq!(event["additionalEventData"]["sAMLAssertionID"], "_a");
    assert_eq!(event["additionalEventData"]["LoginTo"], format!("/console/s/{}/", browser.id));
    assert_eq!(
        event["userIdentity"]["arn"],
        "arn:aws:sts::111122223333:assumed-role/Reader/alice@example.com"
    );
    let session = house.your_session(&browser).await;
    assert_eq!(session.arn, "arn:aws:sts::111122223333:assumed-role/Reader/alice@example.com");
    assert_eq!(session.expires, house.clock_now() + 3600, "the default");
    assert_eq!(session.tags.len(), 1);
    let keys = house.command_line(&browser).await;
    assert_eq!(house.whoami(&keys).await.unwrap()["Arn"], session.arn);
}

#[tokio::test]
async fn of_several_one_is_chosen_and_each_may_be_once() {
    let house = new().await;
    let both = signed(&of_both_roles());
    let before = house.audit.lock().unwrap().len();
    assert_eq!(choices(&house, &both).await, [ROLE, WRITER]);
    assert_eq!(house.audit.lock().unwrap().len(), before, "a question is no event");
    let session = house.your_session(&enter(&house, &both, &[("roleIndex", WRITER)]).await).await;
    assert_eq!(session.name, "Writer");
    assert_eq!(
        refusal(&house, &both, &[("roleIndex", WRITER)]).await,
        invalid("The SAML Assertion was used before")
    );
    let session = house.your_session(&enter(&house, &both, &[("roleIndex", ROLE)]).await).await;
    assert_eq!(session.name, "Reader");
    let other = ("roleIndex", "arn:aws:iam::111122223333:role/Other");
    assert_eq!(refusal(&house, &both, &[other]).await.0, "AccessDenied");
}

/// The same assertion counts once, whether it comes to the page or to the API first.
#[tokio::test]
async fn the_page_and_the_api_share_the_uses_of_an_assertion() {
    let house = new().await;
    enter(&house, &signed(ASSERTION), &[]).await;
    let again = crate::saml::refusal(&house, &signed(ASSERTION), &[]).await;
    assert_eq!(again, invalid("The SAML Assertion was used before"));
    let house = new().await;
    crate::saml::call(&house, &signed(ASSERTION), &[]).await.unwrap();
    assert_eq!(refusal(&house, &signed(ASSERTION), &[]).await, invalid("The SAML Assertion was used before"));
}

#[tokio::test]
async fn only_roles_that_trust_the_bearer_are_offered() {
    let house = trusting(&json!({"StringEquals": {"saml:sub": "somebody-else"}})).await;
    let browser = enter(&house, &signed(&of_both_roles()), &[]).await;
    assert_eq!(house.your_session(&browser).await.name, "Writer", "the one that is left is entered");
    let (code, message) = refusal(&house, &signed(ASSERTION), &[]).await;
    assert_eq!(
        (code, message.as_str()),
        ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML")
    );
    let event = house.last_event();
    assert_eq!(event["userIdentity"]["type"], "SAMLUser", "who it was that may not");
    assert_eq!(event["additionalEventData"]["identityProvider"], PROVIDER, "by its ARN");
    assert_eq!(event["responseElements"], json!({"ConsoleLogin": "Failure"}));
}

#[tokio::test]
async fn what_does_not_verify_opens_nothing_and_says_so_in_one_way() {
    let house = new().await;
    let forged = edited(ASSERTION, "alice", "mallory");
    for (xml, message) in [
        ("<a/>".to_owned(), INVALID),
        (response(&STRANGER.sign(ASSERTION)), "Response signature invalid"),
        (edited(&signed(ASSERTION), "alice", "mallory"), "Response signature invalid"),
        (
            response(ASSERTION),
            "Response (with optional signature) must contain an assertion with a mandatory signature",
        ),
        (signed(ASSERTION).replace("https://idp.example.com/saml", "https://other.example/"), INVALID),
    ] {
        assert_eq!(refusal(&house, &xml, &[]).await, invalid(message), "{message}");
        let event = house.last_event();
        assert!(!event.to_string().contains("mallory") && event.get("userIdentity").is_none(), "{event}");
    }
    assert_eq!(bring(&house, &forged, &[]).await.err().unwrap().code, "InvalidIdentityToken");
    let error = house.visit("POST", "/saml", "", &[], &[]).await.err().unwrap();
    assert_eq!(error.message, INVALID);
    let error = bring(&house, &signed(ASSERTION), &[("Policy", "{}")]).await.err().unwrap();
    assert_eq!(error.code, "ValidationError", "nothing that would narrow is passed over");
    assert!(matches!(house.visit("GET", "/saml", "", &[], &[]).await.unwrap(), Answer::NotSignedIn));
}

/// Another account may call the same company's provider its own, with other keys: each vouches for its own roles.
#[tokio::test]
async fn a_provider_of_another_account_leads_to_no_role_here() {
    let house = new().await;
    let theirs = house.account(OTHER).await;
    let metadata = metadata_of(&STRANGER.certificate);
    let provider = [("Name", "Corp"), ("SAMLMetadataDocument", metadata.as_str())];
    house.call(&theirs, "iam", "CreateSAMLProvider", &provider).await.unwrap();
    let by_them = response(&STRANGER.sign(ASSERTION));
    let refused = refusal(&house, &by_them, &[]).await;
    assert_eq!(
        refused,
        ("InvalidIdentityToken", "Response signature invalid".into()),
        "it names the provider here, which has other keys"
    );
    let event = house.last_event();
    assert_eq!(
        event["recipientAccountId"], "111122223333",
        "they are told of nothing that does not name them"
    );
    // Nor are many of them in the company's way.
    for n in 0..9 {
        let name = format!("Corp{n}");
        let provider = [("Name", name.as_str()), ("SAMLMetadataDocument", metadata.as_str())];
        house.call(&theirs, "iam", "CreateSAMLProvider", &provider).await.unwrap();
    }
    enter(&house, &signed(ASSERTION), &[]).await;
}

#[tokio::test]
async fn how_long_the_session_is_the_provider_says() {
    for (more, seconds) in [
        (vec![], 3600),
        (vec![("SessionDuration", vec!["43200"])], 43_200),
        (vec![("SessionDuration", vec!["900"])], 900),
    ] {
        let house = new().await;
        let more: Vec<(&str, &[&str])> =
            more.iter().map(|(name, values)| (*name, values.as_slice())).collect();
        let browser = enter(&house, &signed(&with_attributes(&more)), &[]).await;
        assert_eq!(
            house.your_session(&browser).await.expires,
            house.clock_now() + seconds,
            "beyond the role's hour too"
        );
    }
    let house = new().await;
    let begins = r#"AuthnInstant="2026-01-15T11:59:30Z""#;
    let end = edited(ASSERTION, begins, &format!(r#"{begins} SessionNotOnOrAfter="2026-01-15T12:30:00Z""#));
    let session = house.your_session(&enter(&house, &signed(&end), &[]).await).await;
    assert_eq!(session.expires, house.clock_now() + 1800);
}

/// A relay state is the provider's own word for anything; what is no place of ours leads to the console.
#[tokio::test]
async fn the_relay_state_leads_nowhere_else() {
    for (state, destination) in [
        ("https://grafana.example.com/d/x", Some("https://grafana.example.com/d/x")),
        ("https://evil.example/", None),
        ("ss:mem:0123456789", None),
        ("", None),
    ] {
        let destinations = vec!["https://grafana.example.com/d/".parse().unwrap()];
        let sign_in = daypass_service::doors::SignIn { destinations, ..Default::default() };
        let house = new().await.with_settings(Settings { sign_in, ..Settings::default() });
        let browser = enter(&house, &signed(ASSERTION), &[("RelayState", state)]).await;
        assert_eq!(house.your_session(&browser).await.destination.as_deref(), destination, "{state}");
    }
}

/// A response that was sent somewhere else is not for us, whoever carries it here.
#[tokio::test]
async fn a_response_with_another_destination_is_refused() {
    let house = new().await;
    let sent_to = |url: &str| {
        edited(&signed(ASSERTION), "<samlp:Response ", &format!(r#"<samlp:Response Destination="{url}" "#))
    };
    let refused = refusal(&house, &sent_to("https://other.example/saml"), &[]).await;
    assert_eq!(refused, invalid("Response does not contain the required destination."));
    enter(&house, &sent_to("https://signin.aws.amazon.com/saml"), &[]).await;
}

#[tokio::test]
async fn a_providers_own_address_names_it() {
    let house = new().await;
    let shown = house.root("iam", "GetSAMLProvider", &[("SAMLProviderArn", PROVIDER)]).await;
    let uuid = shown["SAMLProviderUUID"].as_str().unwrap();
    let entered = bring_to(&house, &format!("/saml/acs/{uuid}"), &signed(ASSERTION), &[]).await.unwrap();
    assert!(matches!(entered, Answer::Entered { .. }));
    for other in ["/saml/acs/", "/saml/acs/SAMLSPNOBODY", "/saml/acs/../x"] {
        let error = bring_to(&house, other, &signed(ASSERTION), &[]).await.err().unwrap();
        assert_eq!(error.message, INVALID, "{other}");
    }
}

#[tokio::test]
async fn a_choice_goes_on_where_assertions_count_as_often_as_they_come() {
    let saml = SamlSettings { replay: Replay::Off, ..SamlSettings::default() };
    let house = new().await.with_settings(Settings { saml, ..Settings::default() });
    for _ in 0..2 {
        enter(&house, &signed(ASSERTION), &[]).await;
    }
    let other =
        [("RoleName", "Writer"), ("PolicyDocument", &*trust(&json!({"StringEquals": {"saml:sub": "x"}})))];
    house.root("iam", "UpdateAssumeRolePolicy", &other).await;
    assert!(matches!(bring(&house, &signed(&of_both_roles()), &[]).await, Ok(Answer::Entered { .. })));
}

#[tokio::test]
async fn identity_providers_read_where_to_send_responses() {
    let house = new().await;
    let ask = async |house: &TestHouse, path| house.visit("GET", path, "", &[], &[]).await;
    assert_eq!(ask(&house, "/saml/metadata.xml").await.err().unwrap().code, "ValidationError");
    let public_authority = Some("https://sts.example.com".parse().unwrap());
    let house = house.with_settings(Settings { public_authority, ..Settings::default() });
    for path in ["/saml/metadata.xml", "/static/saml-metadata.xml"] {
        let answer = ask(&house, path).await.unwrap();
        assert!(matches!(answer, Answer::SamlMetadata(own) if own == "https://sts.example.com/saml"));
    }
}
