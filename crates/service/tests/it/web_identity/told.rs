//! What the audit and the log tell of tokens: of one that vouched who it was, of one that is refused for which provider.

use daypass_authn::oidc::Algorithm;
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use super::{PROVIDER, ROLE, World};
use crate::oidc_issuer::Key;
use crate::secrets::Captured;
use crate::support::ACCOUNT;

#[tokio::test]
async fn the_audit_tells_who_came_by_which_provider_and_nothing_of_a_token_that_does_not_verify() {
    let world = World::new().await;
    let token = world.token(&world.claims());
    world.call(&[("WebIdentityToken", &token)]).await.unwrap();
    let event = world.house.audit.lock().unwrap().pop().unwrap();
    let identity = &event["userIdentity"];
    assert_eq!(identity["type"], "WebIdentityUser");
    assert_eq!(identity["principalId"], format!("{PROVIDER}:app:alice"));
    assert_eq!((&identity["userName"], &identity["identityProvider"]), (&json!("alice"), &json!(PROVIDER)));
    assert_eq!(identity["accessKeyId"], Value::Null);
    assert_eq!(event["requestParameters"]["roleArn"], ROLE);
    assert!(!event.to_string().contains(&token));
    assert_eq!(event["resources"][0]["ARN"], ROLE);
    let iat = world.house.clock_now() - 10;
    assert_eq!(
        event["additionalEventData"],
        json!({"identityProvider": PROVIDER, "kid": "1", "iat": iat}),
        "by which token"
    );
    let named = world.with("jti", json!("a-name"));
    world.present(&named).await.unwrap();
    let event = world.house.audit.lock().unwrap().pop().unwrap();
    assert_eq!(
        event["additionalEventData"],
        json!({"identityProvider": PROVIDER, "kid": "1", "jti": "a-name", "iat": iat})
    );
    let mut forged = world.with("iss", json!("https://secret-issuer.example"));
    forged["sub"] = json!("mallory");
    world.present(&forged).await.unwrap_err();
    let event = world.house.audit.lock().unwrap().pop().unwrap().to_string();
    assert!(!event.contains("mallory") && !event.contains("secret-issuer"), "{event}");
    // What the session does afterwards says by whose token it was had.
    let answer = world.present(&world.claims()).await.unwrap();
    world.whoami(&answer).await;
    let event = world.house.audit.lock().unwrap().pop().unwrap();
    let expected = json!({"federatedProvider": PROVIDER, "attributes": {}});
    assert_eq!(event["userIdentity"]["sessionContext"]["webIdFederationData"], expected);
}

/// Whoever is called at night finds out by the log and the audit which provider it is, and what is wrong.
#[tokio::test]
async fn a_refused_token_is_told_of_by_its_provider_and_by_nothing_that_it_says() {
    let world = World::new().await;
    let (log, _guard) = Captured::at(LevelFilter::INFO);
    let stranger = Key::generate(Algorithm::Es256);
    let header = |kid: &str| json!({"alg": "ES256", "kid": kid});
    let said = |more: &[(&str, Value)]| {
        let mut claims = world.with("sub", json!("mallory"));
        more.iter().for_each(|(name, value)| claims[*name] = value.clone());
        claims
    };
    let key = "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";
    for (token, code, told) in [
        (
            world.token(&said(&[("aud", json!("mallory-app"))])),
            "InvalidIdentityTokenException",
            "Incorrect token audience",
        ),
        (
            world.token(&said(&[("azp", json!("mallory-app"))])),
            "InvalidIdentityTokenException",
            "Incorrect token audience",
        ),
        (world.key.sign(&header("mallory-key"), &said(&[])), "InvalidIdentityTokenException", key),
        (
            stranger.sign(&header("1"), &said(&[])),
            "InvalidIdentityTokenException",
            "The signature of the ID Token does not verify",
        ),
        (
            world.token(&said(&[("exp", json!(world.house.clock_now() - 9000))])),
            "ExpiredTokenException",
            "Token expired: ",
        ),
    ] {
        world.call(&[("WebIdentityToken", &token)]).await.unwrap_err();
        let event = world.house.audit.lock().unwrap().pop().unwrap();
        assert_eq!(event["errorCode"], code, "{told}");
        assert!(event["errorMessage"].as_str().unwrap().starts_with(told), "{event}");
        assert_eq!(event["additionalEventData"], json!({"identityProvider": PROVIDER}));
        assert_eq!(event["recipientAccountId"], ACCOUNT);
        assert!(event.get("userIdentity").is_none() && event["requestParameters"].is_null());
        assert!(!event.to_string().contains("mallory"), "{event}");
        let line = log.lines().pop().unwrap();
        assert!(line.contains(PROVIDER) && line.contains(told) && !line.contains("mallory"), "{line}");
    }
    let unknown = world.with("iss", json!("https://mallory.example"));
    world.present(&unknown).await.unwrap_err();
    let event = world.house.audit.lock().unwrap().pop().unwrap();
    assert!(event.get("errorMessage").is_none() && event.get("additionalEventData").is_none(), "{event}");
    assert!(!log.lines().pop().unwrap().contains("mallory"));
}

/// One account's flood leaves the others their lines.
#[tokio::test]
async fn what_is_refused_of_one_provider_takes_no_line_of_another() {
    let world = World::new().await;
    let wrong = world.token(&world.with("aud", json!("nobody")));
    for _ in 0..2000 {
        world.call(&[("WebIdentityToken", &wrong)]).await.unwrap_err();
    }
    let told = |events: &[Value]| {
        events.iter().filter(|event| event["errorCode"] == "InvalidIdentityTokenException").count()
    };
    assert_eq!(told(&world.house.audit.lock().unwrap()), 100);
    let none = world.with("iss", json!("https://elsewhere.example"));
    world.present(&none).await.unwrap_err();
    assert_eq!(told(&world.house.audit.lock().unwrap()), 101, "those of nobody have a ration of their own");
    world.house.clock.advance(1);
    world.call(&[("WebIdentityToken", &wrong)]).await.unwrap_err();
    let event = world.house.audit.lock().unwrap().pop().unwrap();
    assert_eq!(
        event["additionalEventData"],
        json!({"identityProvider": PROVIDER, "unprovenCallsNotLogged": 1900})
    );
}
