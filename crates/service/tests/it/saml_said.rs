//! What an assertion says decides as it was signed, and how often it counts; what the log tells of those that are refused.

use daypass_service::Settings;
use daypass_service::federation::{Replay, SamlSettings};
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use crate::saml::{USED, WRITER, call, denied, invalid, new, of_both_roles, refusal, trust, with_attributes};
use crate::saml_idp::{PROVIDER, edited, signed};
use crate::secrets::Captured;
use crate::support::TestHouse;

/// `eduPersonAffiliation`, whose condition key holds a list.
const AFFILIATION: &str = "urn:oid:1.3.6.1.4.1.5923.1.1.1.1";
/// `eduPersonPrimaryAffiliation`, whose condition key holds one value.
const PRIMARY_AFFILIATION: &str = "urn:oid:1.3.6.1.4.1.5923.1.1.1.5";

/// A signed response with this attribute.
fn saying(name: &str, values: &[&str]) -> String {
    let values: String =
        values.iter().map(|value| format!("<saml:AttributeValue>{value}</saml:AttributeValue>")).collect();
    let attribute =
        format!(r#"<saml:AttributeStatement><saml:Attribute Name="{name}">{values}</saml:Attribute>"#);
    signed(&edited(&with_attributes(&[]), "<saml:AttributeStatement>", &attribute))
}

/// A house whose role trusts the provider, but for whom a Deny under this condition applies to.
async fn denying(condition: &Value) -> TestHouse {
    let house = new().await;
    let mut trust: Value = serde_json::from_str(&trust(&json!({}))).unwrap();
    let deny = json!({
        "Effect": "Deny", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithSAML",
        "Condition": condition,
    });
    trust["Statement"].as_array_mut().unwrap().push(deny);
    let params = [("RoleName", "Reader"), ("PolicyDocument", &trust.to_string())];
    house.root("iam", "UpdateAssumeRolePolicy", &params).await;
    house
}

/// Whoever bears a response can put a comment into it, which no signature covers.
#[tokio::test]
async fn no_comment_turns_what_a_trust_policy_decides() {
    let primary = "saml:edupersonprimaryaffiliation";
    for (deny, name, values) in [
        (json!({"StringEquals": {primary: ""}}), PRIMARY_AFFILIATION, &[""][..]),
        (
            json!({"ForAnyValue:StringEquals": {"saml:edupersonaffiliation": ""}}),
            AFFILIATION,
            &["", "root@corp"],
        ),
        (
            json!({"ForAnyValue:StringNotEquals": {"saml:edupersonaffiliation": "staff"}}),
            AFFILIATION,
            &[" ", "staff"],
        ),
        (json!({"Null": {primary: "false"}}), PRIMARY_AFFILIATION, &[""]),
    ] {
        let house = denying(&deny).await;
        let xml = saying(name, values);
        assert_eq!(refusal(&house, &xml, &[]).await, denied(), "{deny}");
        let value = format!("<saml:AttributeValue>{}</saml:AttributeValue>", values[0]);
        let commented = format!("<saml:AttributeValue><!---->{}</saml:AttributeValue>", values[0]);
        let struck = edited(&xml, &value, &commented);
        assert_eq!(refusal(&house, &struck, &[]).await, invalid("Invalid base64 SAMLResponse"), "{deny}");
        call(&house, &saying("urn:other", values), &[]).await.unwrap();
    }
}

#[tokio::test]
async fn several_values_of_a_key_of_one_are_refused() {
    let house = denying(&json!({"StringEquals": {"saml:edupersonprimaryaffiliation": "student"}})).await;
    assert_eq!(refusal(&house, &saying(PRIMARY_AFFILIATION, &["student"]), &[]).await, denied());
    let message = "saml:eduPersonPrimaryAffiliation in AuthnResponse must have at most one value";
    let several = saying(PRIMARY_AFFILIATION, &["student", "staff"]);
    assert_eq!(refusal(&house, &several, &[]).await, invalid(message));
    call(&house, &saying(PRIMARY_AFFILIATION, &["staff"]), &[]).await.unwrap();
}

#[tokio::test]
async fn an_assertion_whose_issuer_says_so_counts_once_unless_the_operator_lets_all_count_again() {
    let both = of_both_roles();
    let once = edited(&both, "</saml:Conditions>", "<saml:OneTimeUse></saml:OneTimeUse></saml:Conditions>");
    let house = new().await;
    call(&house, &signed(&once), &[]).await.unwrap();
    assert_eq!(refusal(&house, &signed(&once), &[("RoleArn", WRITER)]).await, invalid(USED));
    let saml = SamlSettings { replay: Replay::Off, ..SamlSettings::default() };
    let off = new().await.with_settings(Settings { saml, ..Settings::default() });
    for _ in 0..2 {
        call(&off, &signed(&once), &[]).await.unwrap();
    }
    call(&off, &signed(&once), &[("RoleArn", WRITER)]).await.unwrap();
}

#[tokio::test]
async fn nobody_fills_the_log_with_what_is_refused() {
    let house = new().await;
    let (log, _guard) = Captured::at(LevelFilter::INFO);
    let junk = async || {
        let message = "Invalid base64 SAMLResponse";
        assert_eq!(refusal(&house, "<a/>", &[]).await, invalid(message));
    };
    let lines = |part: &str| log.lines().iter().filter(|line| line.contains(part)).count();
    for _ in 0..103 {
        junk().await;
    }
    assert_eq!(lines("an identity provider does not vouch for a caller"), 100);
    assert_eq!(lines("the log counts some of them"), 1);
    assert_eq!(lines("not_logged"), 0);
    house.clock.advance(1);
    junk().await;
    assert_eq!(lines("not_logged=3"), 1, "{:?}", log.lines().last());
}
