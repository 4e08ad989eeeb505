//! What whoever is on call sees of sign-ins at a provider that fails: in the log, in `/readyz` and the metrics, and in the audit.

use daypass_service::federation::FetchError;
use tracing::level_filters::LevelFilter;

use super::sign_in_oidc::*;
use super::visitor::*;
use super::*;
use crate::secrets::Captured;

const DISCOVERY: &str = "https://login.example/.well-known/openid-configuration";
const TOKEN: &str = "https://login.example/token";

/// Since when the provider fails, by the one line that there is of it.
fn failing_since(world: &World) -> Option<i64> {
    let health = world.house.house.provider_keys.health(world.house.clock_now());
    let lines: Vec<_> = health.iter().filter(|line| line.provider == PROVIDER).collect();
    assert!(lines.len() <= 1, "a series of the metrics has one value: {lines:?}");
    lines.first().and_then(|line| line.failing_since)
}

fn unreachable(url: &str) -> Result<daypass_service::federation::Fetched, FetchError> {
    Err(FetchError::Unreachable(url.into(), "connection refused".into()))
}

/// Comes back with a code from a provider that somebody has left for.
async fn come(world: &World) -> Result<Answer, Error> {
    let mut person = Person::at("192.0.2.1");
    let asked = world.leave(&mut person).await;
    let form = [("state", asked["state"].as_str()), ("code", "the-code")];
    person.send(&world.house, "GET", CALLBACK, "", &form).await
}

#[tokio::test]
async fn a_token_endpoint_that_is_down_is_told_though_the_keys_are_known() {
    let world = World::new().await;
    let mut person = Person::at("192.0.2.1");
    let asked = world.leave(&mut person).await;
    let claims = world.claims(&asked["nonce"]);
    entered(world.come_back(&mut person, &asked["state"], &claims).await);
    assert_eq!(failing_since(&world), None);
    let (log, _guard) = Captured::at(LevelFilter::INFO);
    world.house.providers.answer(TOKEN, unreachable(TOKEN));
    world.house.clock.advance(60);
    let began = world.house.clock_now();
    assert_eq!(come(&world).await.unwrap_err().code, "IDPCommunicationError");
    world.house.clock.advance(60);
    come(&world).await.unwrap_err();
    assert_eq!(failing_since(&world), Some(began), "since the first");
    let lines = log.lines();
    let warnings: Vec<_> = lines.iter().filter(|line| line.contains("WARN")).collect();
    let [warning] = &warnings[..] else { panic!("one is enough of what everybody meets: {lines:#?}") };
    let why = "`https://login.example/token` does not answer: connection refused";
    for part in ["the code of a sign-in could not be exchanged", PROVIDER, why] {
        assert!(warning.contains(part), "{part} in {warning}");
    }
    let refusals = lines.iter().filter(|line| line.contains("does not vouch") && line.contains(why)).count();
    assert_eq!(refusals, 2, "each refusal has the reason: {lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("the-code")), "{lines:#?}");
    // A code that is none says nothing about the provider.
    world.house.providers.answer(TOKEN, Err(FetchError::of_form(TOKEN.into(), 400, b"")));
    come(&world).await.unwrap_err();
    assert_eq!(failing_since(&world), Some(began));
    let asked = world.leave(&mut person).await;
    let claims = world.claims(&asked["nonce"]);
    entered(world.come_back(&mut person, &asked["state"], &claims).await);
    assert_eq!(failing_since(&world), None);
    assert!(log.lines().iter().any(|line| line.contains("exchanges the codes of sign-ins again")));
}

#[tokio::test]
async fn a_provider_that_does_not_say_where_people_sign_in_is_told() {
    let world = World::new().await;
    let (log, _guard) = Captured::at(LevelFilter::INFO);
    world.house.providers.answer(DISCOVERY, unreachable(DISCOVERY));
    let began = world.house.clock_now();
    let begin = async || Person::at("192.0.2.1").send(&world.house, "GET", PATH, "", &[]).await;
    assert_eq!(begin().await.unwrap_err().code, "IDPCommunicationError");
    assert_eq!(failing_since(&world), Some(began));
    let why = "does not answer: connection refused";
    assert!(
        log.lines().iter().all(|line| line.contains(PROVIDER) && line.contains(why)),
        "{:#?}",
        log.lines()
    );
    // Nobody asks again by themselves: what is not met again is told for five minutes.
    world.house.clock.advance(300);
    assert_eq!(failing_since(&world), Some(began));
    world.house.clock.advance(1);
    assert_eq!(failing_since(&world), None);
}

/// Whoever changes the thumbprints of a provider says that other servers are it.
#[tokio::test]
async fn where_people_sign_in_is_asked_again_once_other_thumbprints_vouch_for_it() {
    let world = World::new().await;
    let at = async || match Person::at("192.0.2.1").send(&world.house, "GET", PATH, "", &[]).await.unwrap() {
        Answer::Leave { url, .. } => url.split('?').next().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(at().await, "https://login.example/authorize");
    let moved = json!({
        "issuer": ISSUER,
        "jwks_uri": format!("{ISSUER}/keys"),
        "authorization_endpoint": format!("{ISSUER}/elsewhere"),
        "token_endpoint": format!("{ISSUER}/token"),
    });
    answers(&world.house, "/.well-known/openid-configuration", &moved);
    assert_eq!(at().await, "https://login.example/authorize", "known for five minutes");
    let thumbprint = "a".repeat(40);
    let update = [("OpenIDConnectProviderArn", PROVIDER), ("ThumbprintList.member.1", thumbprint.as_str())];
    world.house.root("iam", "UpdateOpenIDConnectProviderThumbprint", &update).await;
    assert_eq!(at().await, "https://login.example/elsewhere");
}

/// RFC 6749, section 5.2: a client that is not known or has another secret is `invalid_client`, with 401; a code that was not made
/// for this redirect URI `invalid_grant`, with 400.
#[tokio::test]
async fn a_wrong_secret_is_told_from_a_wrong_redirect_uri_in_the_log_and_nowhere_else() {
    let world = World::with(Some("the-secret"), &json!({})).await;
    let (log, _guard) = Captured::at(LevelFilter::INFO);
    for (status, body, detail) in [
        (
            401,
            r#"{"error":"invalid_client","error_description":"the-code"}"#,
            "answers 401, error=invalid_client\"",
        ),
        (400, r#"{"error":"invalid_grant"}"#, "answers 400, error=invalid_grant\""),
        (403, "<html>invalid_client", "answers 403\""),
        // No word of OAuth's: it could be anything, the secret itself included.
        (401, r#"{"error":"the-secret"}"#, "answers 401\""),
        (401, r#"{"error":"Call 555"}"#, "answers 401\""),
        (401, r#"{"error":["invalid_client"]}"#, "answers 401\""),
        (401, r#"{"error":""}"#, "answers 401\""),
    ] {
        world.house.providers.answer(TOKEN, Err(FetchError::of_form(TOKEN.into(), status, body.as_bytes())));
        let error = come(&world).await.unwrap_err();
        assert_eq!(error.message, "The identity provider does not take the code that it sent you back with.");
        let event = world.house.last_event();
        assert!(!event.to_string().contains("invalid_"), "{event}");
        let line = log.lines().pop().unwrap();
        assert!(line.contains(&format!("detail=\"`{TOKEN}` {detail}")), "{detail} in {line}");
        assert!(!line.contains("the-secret") && !line.contains("the-code"), "{line}");
    }
    let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(65));
    world.house.providers.answer(TOKEN, Err(FetchError::of_form(TOKEN.into(), 400, long.as_bytes())));
    come(&world).await.unwrap_err();
    assert!(!log.lines().pop().unwrap().contains("xx"));
    answers(&world.house, "/token", &json!({"error": "bad_verification_code"}));
    assert_eq!(come(&world).await.unwrap_err().message, "The identity provider gave no ID token.");
    assert!(log.lines().pop().unwrap().contains("answers 200, error=bad_verification_code"));
}

/// Whoever cannot even leave for the provider is somebody who cannot sign in.
#[tokio::test]
async fn a_sign_in_that_is_refused_at_its_beginning_has_an_event() {
    let world = World::new().await;
    let before = world.house.audit.lock().unwrap().len();
    world.leave(&mut Person::at("192.0.2.1")).await;
    assert_eq!(world.house.audit.lock().unwrap().len(), before, "who comes back has one then");
    world.house.providers.answer(DISCOVERY, unreachable(DISCOVERY));
    world.house.clock.advance(600);
    let there = Some(PROVIDER);
    let gone = Some("arn:aws:iam::111122223333:oidc-provider/gone.example");
    for (name, provider, code) in [
        ("northwind", there, "IDPCommunicationError"),
        ("stranger", there, "ValidationError"),
        ("gone", gone, "ValidationError"),
        ("unknown", None, "ValidationError"),
    ] {
        let before = world.house.audit.lock().unwrap().len();
        let path = PATH.replace("northwind", name);
        let error = Person::at("192.0.2.1").send(&world.house, "GET", &path, "", &[]).await.unwrap_err();
        assert_eq!(error.code, code, "{name}");
        assert_eq!(world.house.audit.lock().unwrap().len(), before + 1, "{name}");
        let event = world.house.last_event();
        let told = (&event["eventName"], &event["errorCode"], &event["errorMessage"]);
        assert_eq!(told, (&json!("ConsoleLogin"), &json!(code), &json!(error.message)), "{name}");
        assert_eq!(event["responseElements"], json!({"ConsoleLogin": "Failure"}));
        assert_eq!(event["additionalEventData"]["identityProvider"].as_str(), provider, "{name}");
        assert_eq!(event["recipientAccountId"].as_str(), provider.map(|_| crate::support::ACCOUNT), "{name}");
        assert!(event.get("userIdentity").is_none(), "{event}");
    }
}

#[tokio::test]
async fn a_slip_in_the_operators_list_shows() {
    let world = World::new().await;
    let providers = &world.house.house.settings.sign_in.providers;
    let there: Vec<_> =
        providers.iter().map(|one| (one.name.as_str(), one.is_there(&world.house.house))).collect();
    let expected =
        [("northwind", true), ("second", true), ("again", true), ("stranger", false), ("gone", false)];
    assert_eq!(there, expected);
}
