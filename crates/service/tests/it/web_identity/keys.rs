//! The keys that tokens are verified by: when a provider is asked for them, and what comes of a call that waits for it.

use daypass_authn::oidc::Algorithm;
use daypass_service::federation::{FetchError, Fetched, renew_keys};
use serde_json::{Value, json};

use super::{ACCOUNT, DENIED, ISSUER, PROVIDER, World, trust};
use crate::oidc_issuer::Key;

#[tokio::test]
async fn keys_are_fetched_once_renewed_in_the_background_and_outlive_their_provider_for_a_day() {
    let world = World::new().await;
    let (house, providers) = (&world.house, &world.house.providers);
    world.present(&world.claims()).await.unwrap();
    assert_eq!(providers.asked().len(), 2);
    for _ in 0..10 {
        world.present(&world.claims()).await.unwrap();
    }
    renew_keys(&house.house).await;
    assert!(providers.asked().is_empty());
    house.clock.advance(50 * 60);
    renew_keys(&house.house).await;
    assert_eq!(providers.asked().len(), 2);
    providers.go_away(ISSUER);
    house.clock.advance(23 * 3600);
    renew_keys(&house.house).await;
    assert_eq!(providers.asked().len(), 1);
    world.present(&world.claims()).await.unwrap();
    let [health] = house.house.provider_keys.health(house.clock_now()).try_into().unwrap();
    assert_eq!((health.provider.as_str(), health.failing_since), (PROVIDER, Some(house.clock_now())));
    house.clock.advance(61 * 60);
    let (code, _) = world.refusal(&world.claims()).await;
    assert_eq!(code, "IDPCommunicationError");
    providers.publish(ISSUER, &[("1", &world.key)]);
    assert_eq!(world.refusal(&world.claims()).await.0, "IDPCommunicationError", "it was asked a moment ago");
    house.clock.advance(20);
    world.present(&world.claims()).await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_not_known_is_looked_for_at_once_and_a_few_times_a_minute_at_most() {
    let world = World::new().await;
    world.present(&world.claims()).await.unwrap();
    let new = Key::generate(Algorithm::Es384);
    let header = json!({"alg": "ES384", "kid": "2"});
    let token = new.sign(&header, &world.claims());
    let present = async || world.call(&[("WebIdentityToken", &token)]).await;
    // The provider was asked a moment ago, and the key may have come since: the client is to try again.
    assert_eq!(present().await.unwrap_err().code, "IDPCommunicationError");
    world.house.clock.advance(20);
    assert_eq!(
        present().await.unwrap_err().code,
        "InvalidIdentityToken",
        "now it is known that there is none"
    );
    world.house.providers.publish(ISSUER, &[("1", &world.key), ("2", &new)]);
    world.house.clock.advance(20);
    present().await.unwrap();
    world.house.providers.asked();
    for n in 0..100 {
        let strange = new.sign(&json!({"alg": "ES384", "kid": format!("x{n}")}), &world.claims());
        assert_eq!(
            world.call(&[("WebIdentityToken", &strange)]).await.unwrap_err().code,
            "IDPCommunicationError"
        );
    }
    assert!(world.house.providers.asked().is_empty(), "one fetch was made in these seconds already");
    present().await.unwrap();
    world.house.clock.advance(20);
    let strange = new.sign(&json!({"alg": "ES384", "kid": "y"}), &world.claims());
    world.call(&[("WebIdentityToken", &strange)]).await.unwrap_err();
    assert_eq!(world.house.providers.asked().len(), 2);
}

#[tokio::test]
async fn what_goes_wrong_with_a_provider_is_told_with_awss_codes() {
    let world = World::new().await;
    let discovery = format!("{ISSUER}/.well-known/openid-configuration");
    let text = |text: &str| Ok(Fetched { body: text.as_bytes().to_vec(), max_age: None });
    let url = || discovery.clone();
    for (answer, code) in [
        (Err(FetchError::Unreachable(url(), "refused".into())), "IDPCommunicationError"),
        (Err(FetchError::Status(url(), 503)), "IDPCommunicationError"),
        (Err(FetchError::Status(url(), 404)), "InvalidIdentityToken"),
        (Err(FetchError::Certificate(url())), "InvalidIdentityToken"),
        (Err(FetchError::Refused(url(), "it is not https")), "InvalidIdentityToken"),
        (Err(FetchError::NotPublic(url())), "IDPCommunicationError"),
        (Err(FetchError::TooLong(url())), "InvalidIdentityToken"),
        (text("<html>"), "InvalidIdentityToken"),
        (
            text(r#"{"issuer":"https://other.example","jwks_uri":"https://other.example/keys"}"#),
            "InvalidIdentityToken",
        ),
    ] {
        world.house.clock.advance(120);
        world.house.providers.answer(&discovery, answer.clone());
        assert_eq!(world.refusal(&world.claims()).await.0, code, "{answer:?}");
    }
}

#[tokio::test]
async fn what_a_tenants_host_leads_to_is_not_told() {
    let world = World::new().await;
    let discovery = format!("{ISSUER}/.well-known/openid-configuration");
    let mut told = Vec::new();
    for error in [
        FetchError::NotPublic(discovery.clone()),
        FetchError::Unreachable(discovery.clone(), "no such host".into()),
    ] {
        world.house.clock.advance(120);
        world.house.providers.answer(&discovery, Err(error));
        told.push(world.refusal(&world.claims()).await);
    }
    assert_eq!(told[0], told[1]);
}

/// What comes of a call that waits for the provider while this is done.
async fn meanwhile(action: &str, params: &[(&str, &str)]) -> Result<Value, (&'static str, String)> {
    let world = World::new().await;
    let providers = &world.house.providers;
    providers.hold(&format!("{ISSUER}/keys"));
    let claims = world.claims();
    let change = async {
        while !providers.asked().contains(&format!("{ISSUER}/keys")) {
            tokio::task::yield_now().await;
        }
        if !action.is_empty() {
            world.house.root("iam", action, params).await;
        }
        providers.go_on();
    };
    let (answer, ()) = tokio::join!(world.present(&claims), change);
    assert_eq!(
        world
            .house
            .audit
            .lock()
            .unwrap()
            .iter()
            .filter(|event| event["eventName"] == "AssumeRoleWithWebIdentity")
            .count(),
        1
    );
    answer.map_err(|error| (error.code, error.message))
}

#[tokio::test]
async fn a_call_that_waited_for_its_provider_is_decided_by_what_holds_then() {
    meanwhile("", &[]).await.unwrap();
    let stranger =
        trust(&json!({})).replace(PROVIDER, "arn:aws:iam::111122223333:oidc-provider/other.example");
    let policy = [("RoleName", "Reader"), ("PolicyDocument", stranger.as_str())];
    let denied = ("AccessDenied", DENIED.to_owned());
    assert_eq!(meanwhile("UpdateAssumeRolePolicy", &policy).await.unwrap_err(), denied);
    let provider = [("OpenIDConnectProviderArn", PROVIDER)];
    let (code, message) = meanwhile("DeleteOpenIDConnectProvider", &provider).await.unwrap_err();
    let gone = format!("No OpenIDConnect provider found in your account for {ISSUER}");
    assert_eq!((code, message), ("InvalidIdentityToken", gone));
    let client = [("OpenIDConnectProviderArn", PROVIDER), ("ClientID", "app")];
    let (code, message) = meanwhile("RemoveClientIDFromOpenIDConnectProvider", &client).await.unwrap_err();
    assert_eq!((code, message.as_str()), ("InvalidIdentityToken", "Incorrect token audience"));
}

#[tokio::test]
async fn keys_of_a_provider_that_is_made_anew_are_fetched_anew() {
    let world = World::new().await;
    world.present(&world.claims()).await.unwrap();
    let thief = Key::generate(Algorithm::Es256);
    world.house.providers.publish(ISSUER, &[("1", &thief)]);
    let provider = [("OpenIDConnectProviderArn", PROVIDER)];
    world.house.root("iam", "DeleteOpenIDConnectProvider", &provider).await;
    renew_keys(&world.house.house).await;
    assert!(
        world.house.house.provider_keys.health(world.house.clock_now()).is_empty(),
        "nothing is kept of a provider that is gone"
    );
    world
        .house
        .root("iam", "CreateOpenIDConnectProvider", &[("Url", ISSUER), ("ClientIDList.member.1", "app")])
        .await;
    assert_eq!(world.refusal(&world.claims()).await.0, "InvalidIdentityToken");
}

#[tokio::test]
async fn a_built_in_providers_tokens_do_not_tell_which_accounts_there_are() {
    const COGNITO: &str = "https://cognito-identity.amazonaws.com";
    let there = format!("arn:aws:iam::{ACCOUNT}:role/nobodyknows");
    let not_there = "arn:aws:iam::123456789012:role/nobodyknows";
    let told = async |publish: bool, signed_by_another: bool, role: &str| {
        let world = World::new().await;
        if publish {
            world.house.providers.publish(COGNITO, &[("1", &world.key)]);
        }
        let claims = world.with("iss", json!(COGNITO));
        let key = if signed_by_another { &Key::generate(Algorithm::Es256) } else { &world.key };
        let token = key.sign(&json!({"alg": "ES256", "kid": "1"}), &claims);
        let error = world.call(&[("WebIdentityToken", &token), ("RoleArn", role)]).await.unwrap_err();
        ((error.code, error.message), world.house.providers.asked())
    };
    for (publish, signed_by_another, code) in [
        (true, false, "AccessDenied"),
        (true, true, "InvalidIdentityToken"),
        (false, false, "IDPCommunicationError"),
    ] {
        let answer = told(publish, signed_by_another, &there).await;
        assert_eq!(answer.0.0, code);
        assert_eq!(answer, told(publish, signed_by_another, not_there).await);
    }
}
