//! Whoever is refused at a door is told a request id, and by that id ExplainRequest says which policy it was.

use daypass_service::Settings;

use super::sign_in_oidc::World;
use super::visitor::Person;
use super::*;
use crate::explained::{explain, reasons};
use crate::saml_idp::{ASSERTION, signed};

/// Every visit's (`visit_over`).
const REQUEST_ID: &str = "00000000-0000-4000-9000-000000000001";

/// What is kept of the visits: action, resource, decision and what decided.
async fn kept(house: &TestHouse) -> Vec<Value> {
    let answer = explain(house, &house.root, REQUEST_ID).await.unwrap();
    answer["Decisions"].as_array().unwrap().clone()
}

fn told(decision: &Value) -> [&str; 4] {
    ["Action", "Resource", "Decision", "DecidedBy"]
        .map(|member| decision[member].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_trust_policy_that_refuses_an_assertion_is_found() {
    let house = crate::saml::trusting(&json!({"StringEquals": {"saml:sub": "somebody-else"}})).await;
    assert!(explain(&house, &house.root, REQUEST_ID).await.is_err(), "nothing was decided yet");
    let response = data_encoding::BASE64.encode(signed(ASSERTION).as_bytes());
    let refused = house.visit("POST", "/saml", "", &[], &[("SAMLResponse", &response)]).await;
    assert_eq!(refused.err().unwrap().code, "AccessDenied");
    let decisions = kept(&house).await;
    assert_eq!(decisions.len(), 1, "{decisions:?}");
    let [action, resource, decision, _] = told(&decisions[0]);
    assert_eq!(
        (action, resource, decision),
        ("sts:AssumeRoleWithSAML", crate::saml_idp::ROLE, "ImplicitlyDenied")
    );
    let reasons = reasons(&decisions[0]);
    assert!(reasons.iter().any(|(_, _, reason)| reason.contains("saml:sub")), "{reasons:?}");
}

/// Of all the roles that name the provider, the one whose refusal is told; and of those that let somebody in, the one that is taken.
#[tokio::test]
async fn of_many_roles_the_one_that_counts_is_kept() {
    let world = World::new().await;
    for name in ["Early", "Late", "Night"] {
        world.role(name, &json!({"StringEquals": {"login.example:sub": "bob"}})).await;
    }
    let mut person = Person::at("192.0.2.1");
    let asked = world.leave(&mut person).await;
    let mut claims = world.claims(&asked["nonce"]);
    claims["sub"] = "mallory".into();
    let refused = world.come_back(&mut person, &asked["state"], &claims).await.err().unwrap();
    assert_eq!(refused.message, "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    let decisions = kept(&world.house).await;
    assert_eq!(decisions.len(), 1, "{decisions:?}");
    assert_eq!(told(&decisions[0])[0], "sts:AssumeRoleWithWebIdentity");
    assert_eq!(told(&decisions[0])[2], "ImplicitlyDenied");
    let reasons = reasons(&decisions[0]);
    assert!(reasons.iter().any(|(_, _, reason)| reason.contains("login.example:sub")), "{reasons:?}");

    let asked = world.leave(&mut person).await;
    let claims = world.claims(&asked["nonce"]);
    world.come_back(&mut person, &asked["state"], &claims).await.unwrap();
    let of_desk = kept(&world.house).await.into_iter().filter(|one| one["Resource"] == ROLE);
    let of_desk: Vec<_> = of_desk.map(|one| told(&one)[2].to_owned()).collect();
    assert_eq!(of_desk.last().map(String::as_str), Some("Allowed"), "{of_desk:?}");
}

#[tokio::test]
async fn a_policy_that_lets_no_programs_in_is_found() {
    let own = Some("https://daypass.test".parse().unwrap());
    let house = TestHouse::new().await;
    let house = house.with_settings(Settings { public_authority: own, ..Settings::default() });
    let policy = r#"{"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":"*","Resource":"*"},
      {"Sid":"NoPrograms","Effect":"Deny","Action":"signin:AuthorizeOAuth2Access","Resource":"*"}]}"#;
    let grace = house.user("grace", Some(policy)).await;
    let params = [("Name", "grace"), ("Policy", ALLOW_ALL)];
    let answer = house.call(&grace, "sts", "GetFederationToken", &params).await.unwrap();
    let browser = house.enter(&Keys::of(&answer["Credentials"])).await;
    let cookie = browser.cookie();
    let headers = [("cookie", cookie.as_str())];
    let asked = [
        ("response_type", "code"),
        ("client_id", "arn:aws:signin:::devtools/same-device"),
        ("state", "s"),
        // RFC 7636, appendix B.
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "SHA-256"),
        ("scope", "openid"),
        ("redirect_uri", "http://127.0.0.1:8765/oauth/callback"),
    ];
    let page = house.visit("GET", "/v1/authorize", "", &headers, &asked).await.unwrap();
    let Answer::ChooseSession { sessions, .. } = page else { panic!("{page:?}") };
    let id = browser.id.to_string();
    let form = [&asked[..], &[("session", id.as_str()), ("code", sessions[0].code.as_str())]].concat();
    let refused = house.visit("POST", "/v1/authorize", "", &headers, &form).await.err().unwrap();
    assert_eq!(refused.code, "AccessDenied");
    let decisions = kept(&house).await;
    assert_eq!(decisions.len(), 1, "{decisions:?}");
    assert_eq!(
        told(&decisions[0]),
        [
            "signin:AuthorizeOAuth2Access",
            "arn:aws:signin:us-east-1:111122223333:oauth2/public-client/localhost",
            "ExplicitlyDenied",
            "identity-based policy",
        ]
    );
    assert_eq!(decisions[0]["DeterminingStatements"][0]["Sid"], "NoPrograms");
}
