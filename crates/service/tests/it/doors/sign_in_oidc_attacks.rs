//! Codes, states and tokens that are somebody else's, and providers that take each other's place.
//!
//! Sources: RFC 9700 (Best Current Practice for OAuth 2.0 Security), section 4; RFC 9207 (mix-up).

use daypass_service::federation::FetchError;

use super::sign_in_oidc::*;
use super::visitor::*;
use super::*;

const OVER: &str = "The sign-in was not begun in this browser, took longer than ten minutes, or was done before. Begin again.";

/// Whoever gets a victim's browser to bring their code would sign it in as themselves (section 4.7).
#[tokio::test]
async fn a_state_counts_in_its_browser_for_ten_minutes_at_its_provider_and_once() {
    let world = World::new().await;
    let (mut person, mut thief) = (Person::at("192.0.2.1"), Person::at("192.0.2.2"));
    let asked = world.leave(&mut person).await;
    let (state, claims) = (&asked["state"], world.claims(&asked["nonce"]));
    let refused = async |person: &mut Person, path: &str, state: &str| {
        world.gives(&claims);
        let form = [("state", state), ("code", "c")];
        let error = person.send(&world.house, "GET", path, "", &form).await.unwrap_err();
        assert!(world.house.last_event().get("userIdentity").is_none());
        error.message
    };
    for other in ["", "x", &state[1..], &format!("{state}A")] {
        assert_eq!(refused(&mut person, CALLBACK, other).await, OVER);
    }
    assert_eq!(refused(&mut thief, CALLBACK, state).await, OVER, "a browser without a cookie");
    world.leave(&mut thief).await;
    assert_eq!(refused(&mut thief, CALLBACK, state).await, OVER, "and with its own");
    let elsewhere = CALLBACK.replace("northwind", "second");
    assert_eq!(refused(&mut person, &elsewhere, state).await, OVER, "of another client");
    assert!(world.house.providers.posted().is_empty(), "no code was shown to anybody");
    let mut late = Person::at("192.0.2.3");
    let early = world.leave(&mut late).await;
    world.house.clock.advance(600);
    assert_eq!(refused(&mut late, CALLBACK, &early["state"]).await, OVER);

    let asked = world.leave(&mut person).await;
    let claims = world.claims(&asked["nonce"]);
    let mut same = person.same_browser();
    entered(world.come_back(&mut person, &asked["state"], &claims).await);
    // Whoever put the browser's cookie there before has nothing of what comes after (session fixation).
    assert_ne!(person.cookie, same.cookie);
    let again = world.come_back(&mut same, &asked["state"], &claims).await.unwrap_err();
    assert_eq!(again.message, OVER);
    let again = world.come_back(&mut person, &asked["state"], &claims).await.unwrap_err();
    assert_eq!(again.message, OVER);
    assert_eq!(world.house.providers.posted().len(), 1);
}

/// The token of one sign-in brought into another (section 4.5.3.2), or one of another client, issuer or key.
#[tokio::test]
async fn the_token_is_this_providers_for_this_client_and_this_sign_in() {
    let world = World::new().await;
    let refused = async |change: &dyn Fn(&mut Value)| {
        let mut person = Person::at("192.0.2.1");
        let asked = world.leave(&mut person).await;
        let mut claims = world.claims(&asked["nonce"]);
        change(&mut claims);
        let error = world.come_back(&mut person, &asked["state"], &claims).await.unwrap_err();
        (error.code, error.message)
    };
    let another =
        ("InvalidIdentityToken", "The ID token is of another provider, client or sign-in.".to_owned());
    assert_eq!(refused(&|claims| claims["nonce"] = "another".into()).await, another);
    assert_eq!(refused(&|claims| drop(claims.as_object_mut().unwrap().remove("nonce"))).await, another);
    assert_eq!(refused(&|claims| claims["nonce"] = json!([claims["nonce"]])).await, another);
    assert_eq!(refused(&|claims| claims["iss"] = "https://evil.example".into()).await, another);
    let audience = ("InvalidIdentityToken", "Incorrect token audience".to_owned());
    // `another` is a client of the provider, and not the one that people sign in with here.
    assert_eq!(refused(&|claims| claims["aud"] = "another".into()).await, audience);
    assert_eq!(refused(&|claims| claims["azp"] = "another".into()).await, audience);
    // `azp` does not stand in for `aud` (OpenID Connect Core 1.0, section 3.1.3.7).
    let both = |claims: &mut Value| (claims["aud"], claims["azp"]) = ("another".into(), "console".into());
    assert_eq!(refused(&both).await, audience);
    let code = async |change: &dyn Fn(&mut Value)| refused(change).await.0;
    assert_eq!(
        code(&|claims| claims["exp"] = (world.house.clock_now() - 300).into()).await,
        "ExpiredTokenException"
    );
    // Signed by somebody else.
    let mut person = Person::at("192.0.2.1");
    let asked = world.leave(&mut person).await;
    let other = crate::oidc_issuer::Key::generate(daypass_authn::oidc::Algorithm::Es256);
    let token = other.sign(&json!({"alg": "ES256", "kid": "1"}), &world.claims(&asked["nonce"]));
    answers(&world.house, "/token", &json!({"id_token": token}));
    let form = [("state", asked["state"].as_str()), ("code", "c")];
    let error = person.send(&world.house, "GET", CALLBACK, "", &form).await.unwrap_err();
    assert_eq!(error.code, "InvalidIdentityToken");
    assert!(!error.message.contains(&token));
}

/// Programs that look at links, and browsers that guess where somebody goes next.
#[tokio::test]
async fn the_way_back_is_gone_by_who_follows_it_and_not_ahead() {
    let world = World::new().await;
    let mut person = Person::at("192.0.2.1");
    let asked = world.leave(&mut person).await;
    world.gives(&world.claims(&asked["nonce"]));
    let form = [("state", asked["state"].as_str()), ("code", "c")];
    let secret = person.cookie.as_ref().unwrap().cookie();
    let cookie = format!("{}={}", BROWSER_COOKIE, secret.expose_str());
    let cookie = ("cookie", cookie.as_str());
    for (method, more) in
        [("HEAD", None), ("GET", Some(("sec-purpose", "prefetch"))), ("GET", Some(("purpose", "prefetch")))]
    {
        let headers: Vec<_> = [Some(cookie), more].into_iter().flatten().collect();
        let answer = world.house.visit(method, CALLBACK, "", &headers, &form).await;
        assert!(!matches!(answer, Ok(Answer::Entered { .. })), "{method} {more:?}");
    }
    assert!(world.house.providers.posted().is_empty(), "no code was shown to anybody");
    entered(person.send(&world.house, "GET", CALLBACK, "", &form).await);
}

/// RFC 9207: an honest provider names itself, and a code of one is not shown to another.
#[tokio::test]
async fn the_answer_is_the_providers_that_was_asked() {
    let named = json!({"authorization_response_iss_parameter_supported": true});
    for (world, must) in [(World::new().await, false), (World::with(None, &named).await, true)] {
        let come = async |iss: Option<&str>| {
            let mut person = Person::at("192.0.2.1");
            let asked = world.leave(&mut person).await;
            world.gives(&world.claims(&asked["nonce"]));
            let mut form = vec![("state", asked["state"].as_str()), ("code", "c")];
            form.extend(iss.map(|iss| ("iss", iss)));
            person.send(&world.house, "GET", CALLBACK, "", &form).await
        };
        for other in ["https://evil.example", "", "https://login.example/"] {
            let error = come(Some(other)).await.unwrap_err();
            assert_eq!(error.message, "The answer is another identity provider's.", "{other}");
        }
        assert!(world.house.providers.posted().is_empty());
        entered(come(Some(ISSUER)).await);
        assert_eq!(come(None).await.is_err(), must, "where it always does, its silence is not its own");
    }
}

#[tokio::test]
async fn what_the_provider_refuses_is_told_in_its_word_alone() {
    let world = World::new().await;
    let said = async |error: &str| {
        let mut person = Person::at("192.0.2.1");
        let asked = world.leave(&mut person).await;
        let form =
            [("state", asked["state"].as_str()), ("error", error), ("error_description", "<b>call 555</b>")];
        person.send(&world.house, "GET", CALLBACK, "", &form).await.unwrap_err().message
    };
    assert_eq!(said("access_denied").await, "The identity provider did not sign you in: access_denied.");
    assert_eq!(said("").await, "The identity provider sent no code.", "some send it empty beside a code");
    assert_eq!(said("Call 555-1234 now").await, "The identity provider did not sign you in: an error.");
    let mut person = Person::at("192.0.2.1");
    let asked = world.leave(&mut person).await;
    let url = format!("{ISSUER}/token");
    world.house.providers.answer(&url, Err(FetchError::of_form(url.clone(), 400, b"")));
    let form = [("state", asked["state"].as_str()), ("code", "c")];
    let error = person.send(&world.house, "GET", CALLBACK, "", &form).await.unwrap_err();
    assert_eq!(error.message, "The identity provider does not take the code that it sent you back with.");
    let asked = world.leave(&mut person).await;
    world.house.providers.answer(&url, Err(FetchError::Unreachable(url.clone(), "refused".into())));
    let form = [("state", asked["state"].as_str()), ("code", "c")];
    assert_eq!(
        person.send(&world.house, "GET", CALLBACK, "", &form).await.unwrap_err().code,
        "IDPCommunicationError"
    );
    let asked = world.leave(&mut person).await;
    answers(&world.house, "/token", &json!({"access_token": "x"}));
    let form = [("state", asked["state"].as_str()), ("code", "c")];
    assert_eq!(
        person.send(&world.house, "GET", CALLBACK, "", &form).await.unwrap_err().message,
        "The identity provider gave no ID token."
    );
}

/// A provider that its account has no more, or that does not know the client, sends nobody anywhere; nor one that says nothing.
#[tokio::test]
async fn a_browser_is_sent_to_a_provider_of_the_account_and_nowhere_else() {
    let world = World::new().await;
    let go = async |name: &str| {
        Person::at("192.0.2.1").send(&world.house, "GET", &PATH.replace("northwind", name), "", &[]).await
    };
    for name in ["stranger", "gone", "unknown"] {
        assert_eq!(go(name).await.unwrap_err().code, "ValidationError", "{name}");
    }
    for path in
        ["/signin/oidc/", "/signin/oidc/A", "/signin/oidc/a/b", "/signin/oidc/a_b", "/signin/oidc//callback"]
    {
        assert_eq!(Door::at(path), None, "{path}");
    }
    let first = world.house.providers.asked();
    assert!(first.is_empty(), "nobody was asked: {first:?}");
    for endpoint in ["http://login.example/a", "javascript:alert(1)", "https://login.example/a#b", "//x", ""]
    {
        world.house.clock.advance(600);
        let more = json!({"authorization_endpoint": endpoint, "issuer": ISSUER, "token_endpoint": "https://login.example/token", "jwks_uri": "https://login.example/keys"});
        answers(&world.house, "/.well-known/openid-configuration", &more);
        assert!(go("northwind").await.is_err(), "{endpoint}");
    }
    world.house.clock.advance(600);
    let other = json!({"issuer": "https://evil.example", "authorization_endpoint": "https://evil.example/", "token_endpoint": "https://evil.example/"});
    answers(&world.house, "/.well-known/openid-configuration", &other);
    assert!(go("northwind").await.is_err(), "another's document");
    // What failed is not asked again at once, whoever comes.
    world.house.providers.asked();
    assert!(go("northwind").await.is_err());
    assert!(world.house.providers.asked().is_empty());
    world.house.clock.advance(10);
    assert!(go("northwind").await.is_err());
    assert_eq!(world.house.providers.asked().len(), 1);
}

/// Without a public URL the Host header would say where the provider sends people back to.
#[tokio::test]
async fn nobody_is_sent_to_a_provider_without_a_public_url() {
    let world = World::new().await;
    let sign_in = world.house.house.settings.sign_in.clone();
    let house = world.house.with_settings(daypass_service::Settings { sign_in, ..Default::default() });
    let error = Person::at("192.0.2.1").send(&house, "GET", PATH, "", &[]).await.unwrap_err();
    assert!(error.message.contains("--public-url"), "{}", error.message);
}

/// A provider that is removed, or whose client is, between the two halves.
#[tokio::test]
async fn what_changed_while_somebody_was_away_counts() {
    let world = World::new().await;
    let mut person = Person::at("192.0.2.1");
    let asked = world.leave(&mut person).await;
    let client = [("OpenIDConnectProviderArn", PROVIDER), ("ClientID", "console")];
    world.house.root("iam", "RemoveClientIDFromOpenIDConnectProvider", &client).await;
    let claims = world.claims(&asked["nonce"]);
    assert!(world.come_back(&mut person, &asked["state"], &claims).await.is_err());
    assert!(world.house.providers.posted().is_empty(), "no code was shown to it");
}
