//! `/signin/oidc/<name>`: people sign in at an OpenID Connect provider, and become a session of a role that trusts it.
//!
//! Sources: OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE).

use std::collections::BTreeMap;

use daypass_authn::oidc::{Algorithm, challenge_of};
use daypass_model::Secret;
use daypass_service::Settings;
use daypass_service::doors::{RoleField, SignIn};
use daypass_service::federation::{Fetched, SignInProvider};

use super::visitor::*;
use super::*;
use crate::oidc_issuer::Key;
use crate::support::ACCOUNT;

pub(super) const ISSUER: &str = "https://login.example";
pub(super) const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/login.example";
pub(super) const PATH: &str = "/signin/oidc/northwind";
pub(super) const CALLBACK: &str = "/signin/oidc/northwind/callback";
pub(super) const CHOSEN: &str = "/signin/oidc/northwind/role";
const REDIRECT: &str = "https://daypass.test/signin/oidc/northwind/callback";
const CODE: &str = "the-code";

/// A house whose account has the provider, and a role for whoever the provider calls alice.
pub(super) struct World {
    pub(super) house: TestHouse,
    pub(super) key: Key,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(None, &json!({})).await
    }

    /// The same with a client that has a secret, or with more in the discovery document.
    pub(super) async fn with(secret: Option<&str>, more: &Value) -> Self {
        Self::on(TestHouse::new().await, secret, more).await
    }

    /// The same of this house.
    pub(super) async fn on(house: TestHouse, secret: Option<&str>, more: &Value) -> Self {
        let key = Key::generate(Algorithm::Es256);
        house.providers.publish(ISSUER, &[("1", &key)]);
        let mut discovery = json!({
            "issuer": ISSUER,
            "jwks_uri": format!("{ISSUER}/keys"),
            "authorization_endpoint": format!("{ISSUER}/authorize?tenant=1"),
            "token_endpoint": format!("{ISSUER}/token"),
        });
        discovery.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        answers(&house, "/.well-known/openid-configuration", &discovery);
        let provider =
            [("Url", ISSUER), ("ClientIDList.member.1", "console"), ("ClientIDList.member.2", "another")];
        house.root("iam", "CreateOpenIDConnectProvider", &provider).await;
        let of = |name: &str, client_id: &str, arn: &str| SignInProvider {
            name: name.into(),
            account: ACCOUNT.parse().unwrap(),
            arn: arn.into(),
            client_id: client_id.into(),
            secret: secret.map(Secret::new),
        };
        let providers = vec![
            of("northwind", "console", PROVIDER),
            of("second", "another", PROVIDER),
            of("again", "console", PROVIDER),
            of("stranger", "nobodys", PROVIDER),
            of("gone", "console", "arn:aws:iam::111122223333:oidc-provider/gone.example"),
        ];
        let house = house.with_settings(Settings {
            public_authority: Some("https://daypass.test".parse().unwrap()),
            sign_in: SignIn { providers, ..SignIn::default() },
            ..Settings::default()
        });
        let world = Self { house, key };
        world.role("Desk", &json!({"StringEquals": {"login.example:sub": "alice"}})).await;
        world
    }

    /// A role that lets people in by the provider on this condition.
    pub(super) async fn role(&self, name: &str, condition: &Value) {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition,
        }]});
        let role = [("RoleName", name), ("AssumeRolePolicyDocument", &*trust.to_string())];
        self.house.root("iam", "CreateRole", &role).await;
        let policy = [("RoleName", name), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
        self.house.root("iam", "PutRolePolicy", &policy).await;
    }

    pub(super) fn claims(&self, nonce: &str) -> Value {
        let now = self.house.clock_now();
        json!({"iss": ISSUER, "sub": "alice", "aud": "console", "iat": now - 10, "exp": now + 600, "nonce": nonce})
    }

    /// What the provider gives for the next code.
    pub(super) fn gives(&self, claims: &Value) {
        let token = self.key.sign(&json!({"alg": "ES256", "kid": "1"}), claims);
        let answer = json!({"access_token": "not-ours", "token_type": "Bearer", "id_token": token});
        answers(&self.house, "/token", &answer);
    }

    /// The browser is at the provider: what it was sent with.
    pub(super) async fn leave(&self, person: &mut Person) -> BTreeMap<String, String> {
        match person.send(&self.house, "GET", PATH, "", &[]).await.unwrap() {
            Answer::Leave { url, .. } => sent(&url),
            other => panic!("{other:?}"),
        }
    }

    /// The browser comes back with a code, and the provider gives these claims for it.
    pub(super) async fn come_back(
        &self,
        person: &mut Person,
        state: &str,
        claims: &Value,
    ) -> Result<Answer, Error> {
        self.gives(claims);
        person.send(&self.house, "GET", CALLBACK, "", &[("state", state), ("code", CODE)]).await
    }

    /// All of it, for whoever the provider says.
    async fn sign_in(&self, change: impl Fn(&mut Value)) -> Result<Answer, Error> {
        let mut person = Person::at("192.0.2.1");
        let asked = self.leave(&mut person).await;
        let mut claims = self.claims(&asked["nonce"]);
        change(&mut claims);
        self.come_back(&mut person, &asked["state"], &claims).await
    }
}

pub(super) fn answers(house: &TestHouse, path: &str, body: &Value) {
    let body = body.to_string().into_bytes();
    house.providers.answer(&format!("{ISSUER}{path}"), Ok(Fetched { body, max_age: None }));
}

/// The parameters of an address, as a server reads them.
pub(super) fn sent(url: &str) -> BTreeMap<String, String> {
    let (place, query) = url.split_once('?').unwrap();
    assert_eq!(place, format!("{ISSUER}/authorize"));
    pairs(query)
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.into(), decoded(value)))
        .collect()
}

#[tokio::test]
async fn a_code_becomes_a_session_of_the_role_that_trusts_the_provider() {
    let world = World::new().await;
    let mut person = Person::at("192.0.2.1");
    let asked = world.leave(&mut person).await;
    assert_eq!(asked["tenant"], "1", "the endpoint's own query stays (RFC 6749, section 3.1)");
    let given: Vec<_> = ["response_type", "client_id", "redirect_uri", "scope", "code_challenge_method"]
        .map(|name| asked[name].as_str())
        .into();
    assert_eq!(given, ["code", "console", REDIRECT, "openid email", "S256"]);
    let claims = world.claims(&asked["nonce"]);
    let browser = entered(world.come_back(&mut person, &asked["state"], &claims).await);
    let session = world.house.your_session(&browser).await;
    assert_eq!(session.arn, "arn:aws:sts::111122223333:assumed-role/Desk/alice");
    assert_eq!(session.expires, world.house.clock_now() + 3600, "as long as the role allows");
    let [(form, None)] = &world.house.providers.posted()[..] else {
        panic!("one exchange, without a secret")
    };
    let form = pairs(form);
    assert_eq!((form["grant_type"].as_str(), form["code"].as_str()), ("authorization_code", CODE));
    assert_eq!((form["redirect_uri"].as_str(), form["client_id"].as_str()), (REDIRECT, "console"));
    assert_eq!(challenge_of(&form["code_verifier"]), asked["code_challenge"]);
    assert_eq!(form["code_verifier"].len(), 43);
    let event = world.house.last_event();
    assert_eq!(
        (&event["eventName"], &event["responseElements"]),
        (&json!("ConsoleLogin"), &json!({"ConsoleLogin": "Success"}))
    );
    let federation = &event["userIdentity"]["sessionContext"]["webIdFederationData"];
    assert_eq!(federation["federatedProvider"], PROVIDER);
    let to = event["additionalEventData"]["LoginTo"].as_str().unwrap();
    assert!(to.starts_with("/console/s/"), "{to}");
    let events = json!(*world.house.audit.lock().unwrap()).to_string();
    assert!(![CODE, &asked["state"], &form["code_verifier"]].iter().any(|secret| events.contains(*secret)));
}

#[tokio::test]
async fn a_session_is_called_by_the_address_that_the_provider_has_verified_or_by_the_subject() {
    let world = World::new().await;
    world.role("Any", &json!({"StringEquals": {"login.example:aud": "console"}})).await;
    let name = async |change: &dyn Fn(&mut Value)| {
        let browser = entered(
            world
                .sign_in(|claims| {
                    claims["sub"] = "bo b/1".into();
                    change(claims);
                })
                .await,
        );
        world.house.your_session(&browser).await.session_name.unwrap()
    };
    assert_eq!(name(&|_| {}).await, "bo-b-1");
    assert_eq!(name(&|claims| claims["email"] = "bo@example.com".into()).await, "bo-b-1");
    let verified = |claims: &mut Value| {
        claims["email"] = "bo@example.com".into();
        claims["email_verified"] = true.into();
    };
    assert_eq!(name(&verified).await, "bo@example.com");
    assert_eq!(name(&|claims| claims["sub"] = "é".into()).await, "--");
    assert_eq!(name(&|claims| claims["sub"] = "x".repeat(100).into()).await, "x".repeat(64));
}

#[tokio::test]
async fn a_secret_goes_by_basic_or_in_the_body_where_the_provider_takes_nothing_else() {
    let basic = World::with(Some("p%ss word"), &json!({})).await;
    entered(basic.sign_in(|_| {}).await);
    let [(form, Some(authorization))] = &basic.house.providers.posted()[..] else { panic!("one exchange") };
    // RFC 6749, section 2.3.1: both encoded, then joined.
    let expected = data_encoding::BASE64.encode(b"console:p%25ss%20word");
    assert_eq!(*authorization, format!("Basic {expected}"));
    assert!(!form.contains("client_secret") && !form.contains("client_id"));
    let more = json!({"token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"]});
    let post = World::with(Some("p%ss word"), &more).await;
    entered(post.sign_in(|_| {}).await);
    let [(form, None)] = &post.house.providers.posted()[..] else { panic!("one exchange") };
    assert_eq!(
        (pairs(form)["client_secret"].as_str(), pairs(form)["client_id"].as_str()),
        ("p%ss word", "console")
    );
    let both =
        json!({"token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"]});
    let both = World::with(Some("x"), &both).await;
    entered(both.sign_in(|_| {}).await);
    assert!(both.house.providers.posted()[0].1.is_some());
}

#[tokio::test]
async fn whoever_may_have_several_roles_is_asked_which() {
    let world = World::new().await;
    world.role("Second", &json!({"StringEquals": {"login.example:aud": "console"}})).await;
    world.role("Closed", &json!({"StringEquals": {"login.example:sub": "somebody-else"}})).await;
    let mut person = Person::at("192.0.2.1");
    let asked = world.leave(&mut person).await;
    let claims = world.claims(&asked["nonce"]);
    let answer = world.come_back(&mut person, &asked["state"], &claims).await.unwrap();
    let Answer::ChooseRole { accounts, response, field: RoleField::Token { code }, path, .. } = answer else {
        panic!("{answer:?}")
    };
    let [(account, roles)] = &accounts[..] else { panic!("{accounts:?}") };
    let names: Vec<_> = roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!((account.as_str(), &names[..], path.as_str()), (ACCOUNT, &["Desk", "Second"][..], CHOSEN));
    let choose = async |person: &mut Person, code: &str, token: &str, role: &str| {
        let arn = format!("arn:aws:iam::111122223333:role/{role}");
        let form = [("code", code), ("token", token), ("roleIndex", &*arn)];
        person.send(&world.house, "POST", CHOSEN, "", &form).await
    };
    let response = response.expose_str();
    for closed in ["Closed", "Missing"] {
        assert_eq!(
            choose(&mut person, &code, response, closed).await.unwrap_err().code,
            "AccessDenied",
            "{closed}"
        );
    }
    // Nor is it anything where another name of the operator's leads to the same provider, perhaps for another account.
    let arn = "arn:aws:iam::111122223333:role/Second";
    let form = [("code", code.as_str()), ("token", response), ("roleIndex", arn)];
    let elsewhere = CHOSEN.replace("northwind", "again");
    assert!(person.send(&world.house, "POST", &elsewhere, "", &form).await.is_err());
    // Of another browser, or without a code of ours, it is nothing.
    let mut thief = Person::at("192.0.2.2");
    let own = thief.page(&world.house, FORM, &[]).await;
    told(choose(&mut thief, &code, response, "Second").await);
    told(choose(&mut thief, &own.code, response, "Second").await);
    told(choose(&mut person, "", response, "Second").await);
    let mut same = person.same_browser();
    let browser = entered(choose(&mut person, &code, response, "Second").await);
    assert_eq!(world.house.your_session(&browser).await.name, "Second");
    let again = choose(&mut same, &code, response, "Desk").await;
    assert!(again.is_err(), "once");
}

#[tokio::test]
async fn the_trust_policy_decides() {
    let world = World::new().await;
    for change in
        [&(|claims: &mut Value| claims["sub"] = "mallory".into()) as &dyn Fn(&mut Value), &|claims| {
            claims["https://aws.amazon.com/tags"] = json!({"principal_tags": {"team": ["x"]}});
        }]
    {
        let error = world.sign_in(change).await.unwrap_err();
        assert_eq!(error.code, "AccessDenied");
        let event = world.house.last_event();
        assert_eq!(event["responseElements"], json!({"ConsoleLogin": "Failure"}));
        assert_eq!(event["userIdentity"]["type"], "WebIdentityUser");
    }
    world.house.root("iam", "DeleteRolePolicy", &[("RoleName", "Desk"), ("PolicyName", "p")]).await;
    world.house.root("iam", "DeleteRole", &[("RoleName", "Desk")]).await;
    let error = world.sign_in(|_| {}).await.unwrap_err();
    assert_eq!(error.message, "No role of the account lets you in by this identity provider.");
}

#[tokio::test]
async fn a_sign_in_at_a_provider_comes_back_to_the_program_that_waits() {
    let world = World::new().await;
    let mut person = Person::at("192.0.2.1");
    let way = "/v1/authorize?response_type=code";
    for (asked_back, led_back) in [(way, Some(way)), ("https://evil.example/", None)] {
        let left = person.send(&world.house, "GET", PATH, "", &[("back", asked_back)]).await.unwrap();
        let Answer::Leave { url, .. } = left else { panic!("{left:?}") };
        let asked = sent(&url);
        let claims = world.claims(&asked["nonce"]);
        let answer = world.come_back(&mut person, &asked["state"], &claims).await.unwrap();
        let Answer::Entered { back, .. } = answer else { panic!("{answer:?}") };
        assert_eq!(back.as_deref(), led_back);
    }
}
