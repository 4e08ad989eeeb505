//! AssumeRoleWithSAML: who gets a role by a provider's assertion, and who does not.

use std::sync::Arc;

use data_encoding::BASE64;
use daypass_authn::sigv4::HttpRequest;
use daypass_service::federation::{Replay, SamlSettings};
use daypass_service::params::Params;
use daypass_service::{Error, Settings};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::saml_idp::{
    ASSERTION, IDP, ISSUER, PROVIDER, ROLE, STRANGER, edited, insert, metadata_of, response, signed,
};
use crate::session_contents::{is_over, noise};
use crate::support::{Keys, OTHER, TestHouse};

pub(crate) const WRITER: &str = "arn:aws:iam::111122223333:role/Writer";
const DENIED: &str = "Not authorized to perform sts:AssumeRoleWithSAML";
pub(crate) const USED: &str = "The SAML Assertion was used before";
const PAIR: &str = "arn:aws:iam::111122223333:role/Reader,arn:aws:iam::111122223333:saml-provider/Corp";
const ATTRIBUTES: &str = "https://aws.amazon.com/SAML/Attributes/";

pub(crate) fn trust(condition: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": condition,
    }]})
    .to_string()
}

/// A house whose account trusts the provider for the role `Reader` under this condition, and for `Writer` under none.
pub(crate) async fn trusting(condition: &Value) -> TestHouse {
    let house = TestHouse::new().await;
    let metadata = metadata_of(&IDP.certificate);
    let provider = [("Name", "Corp"), ("SAMLMetadataDocument", metadata.as_str())];
    house.root("iam", "CreateSAMLProvider", &provider).await;
    for (name, condition) in [("Reader", condition), ("Writer", &json!({}))] {
        let role = [("RoleName", name), ("AssumeRolePolicyDocument", &trust(condition))];
        house.root("iam", "CreateRole", &role).await;
    }
    house
}

pub(crate) async fn new() -> TestHouse {
    trusting(&json!({"StringEquals": {"saml:aud": "https://signin.aws.amazon.com/saml"}})).await
}

/// An unsigned call for the role `Reader` with this document, and these parameters beside or instead.
pub(crate) async fn call(house: &TestHouse, xml: &str, more: &[(&str, &str)]) -> Result<Value, Error> {
    let text = BASE64.encode(xml.as_bytes());
    let mut params = vec![("RoleArn", ROLE), ("PrincipalArn", PROVIDER), ("SAMLAssertion", text.as_str())];
    params.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    params.extend(more);
    let pairs = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let params = Params::from_pairs(pairs).map_err(|error| Error::new(error.code(), error.to_string()));
    let http = HttpRequest::new("POST", "/", "").with_header("host", "daypass.test");
    house.send_http(http, "sts", "AssumeRoleWithSAML", "2011-06-15", params).await
}

pub(crate) async fn refusal(house: &TestHouse, xml: &str, more: &[(&str, &str)]) -> (&'static str, String) {
    let error = call(house, xml, more).await.unwrap_err();
    (error.code, error.message)
}

pub(crate) fn invalid(message: &str) -> (&'static str, String) {
    ("InvalidIdentityToken", message.to_owned())
}

pub(crate) fn denied() -> (&'static str, String) {
    ("AccessDenied", DENIED.to_owned())
}

/// The assertion with this id.
fn with_id(id: &str) -> String {
    edited(ASSERTION, r#"ID="_a""#, &format!(r#"ID="{id}""#))
}

/// The assertion with further attributes of AWS's.
pub(crate) fn with_attributes(attributes: &[(&str, &[&str])]) -> String {
    let value = |value: &&str| format!("<saml:AttributeValue>{value}</saml:AttributeValue>");
    let attribute = |(name, values): &(&str, &[&str])| {
        let values: String = values.iter().map(value).collect();
        format!(r#"<saml:Attribute Name="{ATTRIBUTES}{name}">{values}</saml:Attribute>"#)
    };
    let attributes: String = attributes.iter().map(attribute).collect();
    edited(ASSERTION, "</saml:AttributeStatement>", &format!("{attributes}</saml:AttributeStatement>"))
}

/// The assertion for the role `Writer` as well.
pub(crate) fn of_both_roles() -> String {
    let other = PAIR.replace("Reader", "Writer");
    edited(ASSERTION, PAIR, &format!("{PAIR}</saml:AttributeValue><saml:AttributeValue>{other}"))
}

fn expiry(house: &TestHouse, answer: &Value) -> i64 {
    answer["Credentials"]["Expiration"].as_i64().unwrap() - house.clock_now()
}

#[tokio::test]
async fn an_assertion_becomes_a_session_of_the_role_that_trusts_its_provider() {
    let house = new().await;
    let answer = call(&house, &signed(ASSERTION), &[]).await.unwrap();
    let qualifier = daypass_authn::saml::name_qualifier(ISSUER, "111122223333".parse().unwrap(), "Corp");
    for (member, value) in [
        ("Audience", "https://signin.aws.amazon.com/saml"),
        ("Issuer", ISSUER),
        ("NameQualifier", qualifier.as_str()),
        ("Subject", "alice"),
        ("SubjectType", "persistent"),
    ] {
        assert_eq!(answer[member], value, "{member}");
    }
    assert_eq!(expiry(&house, &answer), 3600);
    assert_eq!((&answer["PackedPolicySize"], &answer["SourceIdentity"]), (&Value::Null, &Value::Null));
    let arn = "arn:aws:sts::111122223333:assumed-role/Reader/alice@example.com";
    assert_eq!(answer["AssumedRoleUser"]["Arn"], arn);
    let keys = Keys::of(&answer["Credentials"]);
    let whoami = house.call(&keys, "sts", "GetCallerIdentity", &[]).await.unwrap();
    assert_eq!(whoami["Arn"], arn);
}

#[tokio::test]
async fn the_trust_policy_decides_by_what_the_assertion_says() {
    let say = [
        "saml:aud",
        "saml:iss",
        "saml:sub",
        "saml:sub_type",
        "saml:doc",
        "sts:RoleSessionName",
        "saml:mail",
        "saml:cn",
    ];
    let cases = [
        json!({"StringEquals": {"saml:iss": ISSUER, "saml:sub": "alice", "saml:sub_type": "persistent"}}),
        json!({"StringEquals": {"SAML:DOC": "111122223333/Corp", "sts:RoleSessionName": "alice@example.com"}}),
        json!({"Null": {"saml:mail": "true", "saml:cn": "true", "aws:PrincipalArn": "true"}}),
        json!({"StringEquals": {"aws:userid": PROVIDER, "aws:PrincipalAccount": "111122223333"}}),
    ];
    for condition in cases {
        call(&trusting(&condition).await, &signed(ASSERTION), &[]).await.unwrap();
    }
    for key in say {
        let house = trusting(&json!({"StringEquals": {key: "another"}})).await;
        assert_eq!(refusal(&house, &signed(ASSERTION), &[]).await, denied(), "{key}");
    }
    let mail = edited(
        &with_attributes(&[]),
        "<saml:AttributeStatement>",
        r#"<saml:AttributeStatement><saml:Attribute Name="urn:oid:2.5.4.3"><saml:AttributeValue>a</saml:AttributeValue><saml:AttributeValue>b</saml:AttributeValue></saml:Attribute>"#,
    );
    let listed = json!({"ForAnyValue:StringEquals": {"saml:cn": "b"}});
    call(&trusting(&listed).await, &signed(&mail), &[]).await.unwrap();
}

#[tokio::test]
async fn nobody_else_lets_an_assertion_in() {
    let house = new().await;
    for principal in [
        json!({"AWS": "*"}),
        json!({"AWS": "arn:aws:iam::111122223333:root"}),
        json!({"Federated": "arn:aws:iam::111122223333:saml-provider/Other"}),
        json!({"Federated": "arn:aws:iam::444455556666:saml-provider/Corp"}),
    ] {
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRoleWithSAML", "sts:AssumeRole"]},
        ]});
        let params = [("RoleName", "Reader"), ("PolicyDocument", &trust.to_string())];
        house.root("iam", "UpdateAssumeRolePolicy", &params).await;
        assert_eq!(refusal(&house, &signed(ASSERTION), &[]).await, denied(), "{principal}");
    }
}

#[tokio::test]
async fn the_provider_must_be_there_and_in_the_account_of_the_role() {
    let house = new().await;
    let unknown = invalid("Specified provider doesn't exist");
    for arn in [
        "arn:aws:iam::111122223333:saml-provider/Nobody",
        "arn:aws:iam::111122223333:saml-provider/corp",
        "arn:aws:iam::444455556666:saml-provider/Corp",
        "arn:aws:iam::111122223333:oidc-provider/Corp",
        "arn:aws:iam::111122223333:role/Reader",
        "twenty-characters-no-arn",
    ] {
        assert_eq!(refusal(&house, &signed(ASSERTION), &[("PrincipalArn", arn)]).await, unknown, "{arn}");
    }
    // The provider of another account, which lists a role of this one and would be trusted by name.
    let other = house.account(OTHER).await;
    let metadata = metadata_of(&STRANGER.certificate);
    let provider = [("Name", "Corp"), ("SAMLMetadataDocument", metadata.as_str())];
    house.call(&other, "iam", "CreateSAMLProvider", &provider).await.unwrap();
    let elsewhere = "arn:aws:iam::444455556666:saml-provider/Corp";
    let pair = format!("{ROLE},{elsewhere}");
    let forged = response(&STRANGER.sign(&edited(ASSERTION, PAIR, &pair)));
    assert_eq!(refusal(&house, &forged, &[("PrincipalArn", elsewhere)]).await, denied());
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Federated": elsewhere}, "Action": "sts:AssumeRoleWithSAML"},
    ]});
    let params = [("RoleName", "Reader"), ("PolicyDocument", &trust.to_string())];
    house.root("iam", "UpdateAssumeRolePolicy", &params).await;
    assert_eq!(refusal(&house, &forged, &[("PrincipalArn", elsewhere)]).await, denied());
}

#[tokio::test]
async fn one_assertion_counts_once_for_each_role_unless_the_operator_says_otherwise() {
    let house = new().await;
    let both = signed(&of_both_roles());
    call(&house, &both, &[]).await.unwrap();
    assert_eq!(refusal(&house, &both, &[]).await, invalid(USED));
    call(&house, &both, &[("RoleArn", WRITER)]).await.unwrap();
    assert_eq!(refusal(&house, &both, &[("RoleArn", WRITER)]).await, invalid(USED));
    // Signed once more it is the same one.
    assert_eq!(refusal(&house, &signed(&of_both_roles()), &[]).await, invalid(USED));
    call(&house, &signed(&with_id("_b")), &[]).await.unwrap();

    let with =
        |replay| Settings { saml: SamlSettings { replay, ..SamlSettings::default() }, ..Settings::default() };
    let once = new().await.with_settings(with(Replay::Once));
    call(&once, &both, &[]).await.unwrap();
    assert_eq!(refusal(&once, &both, &[("RoleArn", WRITER)]).await, invalid(USED));
    // Whoever calls itself the issuer in another account uses up nothing here.
    let once = new().await.with_settings(with(Replay::Once));
    let other = once.account(OTHER).await;
    let metadata = metadata_of(&STRANGER.certificate);
    let provider = [("Name", "Corp"), ("SAMLMetadataDocument", metadata.as_str())];
    once.call(&other, "iam", "CreateSAMLProvider", &provider).await.unwrap();
    let here = "arn:aws:iam::444455556666:saml-provider/Corp";
    let trust = trust(&json!({})).replace(PROVIDER, here);
    let role = [("RoleName", "Reader"), ("AssumeRolePolicyDocument", trust.as_str())];
    once.call(&other, "iam", "CreateRole", &role).await.unwrap();
    let there = response(&STRANGER.sign(&ASSERTION.replace("111122223333", OTHER)));
    let params = [("RoleArn", "arn:aws:iam::444455556666:role/Reader"), ("PrincipalArn", here)];
    call(&once, &there, &params).await.unwrap();
    call(&once, &signed(ASSERTION), &[]).await.unwrap();
    let off = new().await.with_settings(with(Replay::Off));
    for _ in 0..3 {
        call(&off, &both, &[]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_calls_that_bring_one_assertion_at_once_one_gets_the_role() {
    let house = Arc::new(new().await);
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let house = house.clone();
        calls.spawn(async move { call(&house, &signed(ASSERTION), &[]).await });
    }
    let outcomes = calls.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(|error| error.message == USED));
}

#[tokio::test]
async fn what_is_refused_is_not_used_up() {
    let house = trusting(&json!({"StringEquals": {"saml:sub": "bob"}})).await;
    let document = signed(ASSERTION);
    assert_eq!(refusal(&house, &document, &[]).await, denied());
    let params = [("RoleName", "Reader"), ("PolicyDocument", &trust(&json!({})))];
    house.root("iam", "UpdateAssumeRolePolicy", &params).await;
    let long = refusal(&house, &document, &[("DurationSeconds", "3601")]).await;
    assert_eq!(long.0, "ValidationError");
    call(&house, &document, &[]).await.unwrap();
}

#[tokio::test]
async fn an_assertion_only_shortens_what_the_call_asks_for() {
    let house = new().await;
    let until = |end: &str| {
        edited(
            &with_id(&format!("_{}", end.len())),
            r#"AuthnInstant="2026-01-15T11:59:30Z""#,
            &format!(r#"AuthnInstant="2026-01-15T11:59:30Z" SessionNotOnOrAfter="{end}""#),
        )
    };
    let short = call(&house, &signed(&until("2026-01-15T12:10:00Z")), &[]).await.unwrap();
    assert_eq!(expiry(&house, &short), 600);
    let long = call(&house, &signed(&until("2026-01-15T22:00:00.0Z")), &[]).await.unwrap();
    assert_eq!(expiry(&house, &long), 3600);
    for (asked, said, lasts) in [("3600", "1800", 1800), ("900", "1800", 900), ("3600", "43200", 3600)] {
        let assertion = with_attributes(&[("SessionDuration", &[said])]);
        let assertion = edited(&assertion, r#"ID="_a""#, &format!(r#"ID="_{asked}{said}""#));
        let answer = call(&house, &signed(&assertion), &[("DurationSeconds", asked)]).await.unwrap();
        assert_eq!(expiry(&house, &answer), lasts, "{asked} {said}");
    }
    // What the role allows is asked of DurationSeconds, whatever the assertion says.
    let document = signed(&with_attributes(&[("SessionDuration", &["900"])]));
    let error = call(&house, &document, &[("DurationSeconds", "7200")]);
    let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    assert_eq!(error.await.unwrap_err(), Error::validation(message));
}

#[tokio::test]
async fn tags_that_do_not_fit_say_how_far_they_are_over() {
    let tags: Vec<_> = (0..50_u32).map(|n| (format!("PrincipalTag:key-{n}"), [noise(n, 200)])).collect();
    let values: Vec<_> = tags.iter().map(|(name, [value])| (name.as_str(), [value.as_str()])).collect();
    let attributes: Vec<_> = values.iter().map(|(name, value)| (*name, &value[..])).collect();
    let house = new().await;
    assert!(is_over(&refusal(&house, &signed(&with_attributes(&attributes)), &[]).await));
}

#[tokio::test]
async fn tags_and_source_identity_of_the_assertion_are_the_sessions() {
    let house = new().await;
    let assertion = with_attributes(&[
        ("PrincipalTag:Team", &["red"]),
        ("PrincipalTag:Cost", &["1"]),
        ("TransitiveTagKeys", &["Team"]),
        ("SourceIdentity", &["alice"]),
    ]);
    let answer = call(&house, &signed(&assertion), &[]).await.unwrap();
    assert_eq!(answer["SourceIdentity"], "alice");
    assert!(answer["PackedPolicySize"].as_u64().unwrap() > 0);
    let allowed = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
        "Condition": {"StringEquals": {
            "aws:PrincipalTag/Team": "red", "aws:PrincipalTag/Cost": "1", "aws:SourceIdentity": "alice",
            "saml:sub": "alice", "saml:sub_type": "persistent", "aws:FederatedProvider": PROVIDER,
        }, "Null": {"saml:namequalifier": "false", "saml:aud": "true", "saml:iss": "true"}},
    }]});
    let params = [("RoleName", "Reader"), ("PolicyName", "q"), ("PolicyDocument", &allowed.to_string())];
    house.root("iam", "PutRolePolicy", &params).await;
    house.call(&Keys::of(&answer["Credentials"]), "iam", "ListUsers", &[]).await.unwrap();

    // Each is a permission of its own.
    for (missing, attribute) in [
        ("sts:TagSession", ("PrincipalTag:Team", &["red"][..])),
        ("sts:SetSourceIdentity", ("SourceIdentity", &["alice"])),
    ] {
        let house = new().await;
        let trust = trust(&json!({})).replace(&format!(r#","{missing}""#), "");
        house
            .root("iam", "UpdateAssumeRolePolicy", &[("RoleName", "Reader"), ("PolicyDocument", &trust)])
            .await;
        let document = signed(&with_attributes(&[attribute]));
        assert_eq!(refusal(&house, &document, &[]).await, denied(), "{missing}");
        call(&house, &signed(&with_id("_b")), &[]).await.unwrap();
    }
    for (attributes, code) in [
        (&[("TransitiveTagKeys", &["Team"][..])][..], "InvalidParameterValue"),
        (&[("PrincipalTag:aws:x", &["1"])], "InvalidParameterValue"),
        (&[("PrincipalTag:a", &["1"]), ("PrincipalTag:A", &["2"])], "InvalidParameterValue"),
        (&[("PrincipalTag:Team", &["red", "blue"])], "InvalidIdentityToken"),
        (&[("SourceIdentity", &["aws:x"])], "InvalidIdentityToken"),
    ] {
        let error = call(&house, &signed(&with_attributes(attributes)), &[]).await.unwrap_err();
        assert_eq!(error.code, code, "{attributes:?} {error}");
    }
}

#[tokio::test]
async fn new_metadata_counts_from_the_next_call_on() {
    let house = new().await;
    let by_stranger = response(&STRANGER.sign(ASSERTION));
    assert_eq!(refusal(&house, &by_stranger, &[]).await, invalid("Response signature invalid"));
    let both = metadata_of(&format!(
        "{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}",
        IDP.certificate, STRANGER.certificate
    ));
    let update = async |metadata: &str| {
        let params = [("SAMLProviderArn", PROVIDER), ("SAMLMetadataDocument", metadata)];
        house.root("iam", "UpdateSAMLProvider", &params).await;
    };
    update(&both).await;
    call(&house, &by_stranger, &[]).await.unwrap();
    call(&house, &signed(&with_id("_b")), &[]).await.unwrap();
    update(&metadata_of(&STRANGER.certificate)).await;
    let old = refusal(&house, &signed(&with_id("_c")), &[]).await;
    assert_eq!(old, invalid("Response signature invalid"));
    let ended = edited(&both, "entityID=", r#"validUntil="2026-01-15T12:00:00Z" entityID="#);
    update(&ended).await;
    let ended = refusal(&house, &signed(&with_id("_d")), &[]).await;
    assert_eq!(ended, invalid("Metadata of the specified provider has expired"));
    house.root("iam", "DeleteSAMLProvider", &[("SAMLProviderArn", PROVIDER)]).await;
    let gone = refusal(&house, &signed(&with_id("_e")), &[]).await;
    assert_eq!(gone, invalid("Specified provider doesn't exist"));
}

#[tokio::test]
async fn an_assertion_counts_for_five_minutes_and_a_used_one_is_remembered_that_long() {
    let house = new().await;
    call(&house, &signed(ASSERTION), &[]).await.unwrap();
    house.clock.advance(269);
    assert_eq!(refusal(&house, &signed(ASSERTION), &[]).await, invalid(USED));
    house.clock.advance(1);
    assert_eq!(
        refusal(&house, &signed(ASSERTION), &[]).await,
        ("ExpiredTokenException", "Response has expired".into())
    );
    // At an age of five minutes to the second one still counts, and one that was used is still known.
    let long = edited(ASSERTION, "2026-01-15T12:04:30Z", "2026-01-15T13:04:30Z");
    assert_eq!(refusal(&house, &signed(&long), &[]).await, invalid(USED));
    call(&house, &signed(&edited(&long, r#"ID="_a""#, r#"ID="_b""#)), &[]).await.unwrap();
    house.clock.advance(1);
    let message = "Token must be redeemed within 5 minutes of issuance".to_owned();
    assert_eq!(refusal(&house, &signed(&long), &[]).await, ("ExpiredTokenException", message));
}

#[tokio::test]
async fn an_assertion_for_this_server_itself_counts_where_its_url_is_known() {
    let own = edited(ASSERTION, "https://signin.aws.amazon.com/saml", "https://sts.example.com/saml");
    let house = trusting(&json!({"StringEquals": {"saml:aud": "https://sts.example.com/saml"}})).await;
    let recipient = invalid("Response does not contain the required recipient.");
    assert_eq!(refusal(&house, &signed(&own), &[]).await, recipient);
    let public_authority = Some("https://sts.example.com".parse().unwrap());
    let house = house.with_settings(Settings { public_authority, ..Settings::default() });
    call(&house, &signed(&own), &[]).await.unwrap();
}

#[tokio::test]
async fn the_audit_tells_who_came_by_which_assertion_and_nothing_of_one_that_does_not_verify() {
    let house = new().await;
    let document = signed(&with_attributes(&[("PrincipalTag:Team", &["red"])]));
    call(&house, &document, &[]).await.unwrap();
    let event = house.audit.lock().unwrap().pop().unwrap();
    let qualifier = daypass_authn::saml::name_qualifier(ISSUER, "111122223333".parse().unwrap(), "Corp");
    let identity = json!({
        "type": "SAMLUser", "principalId": format!("{qualifier}:alice"),
        "userName": "alice", "identityProvider": qualifier,
    });
    assert_eq!(event["userIdentity"], identity);
    let parameters = json!({
        "roleArn": ROLE, "principalArn": PROVIDER, "sAMLAssertionID": "_a",
        "roleSessionName": "alice@example.com", "principalTags": {"Team": "red"},
    });
    assert_eq!(event["requestParameters"], parameters);
    assert_eq!(event["readOnly"], true);
    assert_eq!(event["responseElements"]["nameQualifier"], qualifier);
    assert!(!event.to_string().contains(&BASE64.encode(document.as_bytes())));

    let forged = insert(&edited(ASSERTION, "alice", "mallory-the-forger"), "");
    assert_eq!(
        call(&house, &response(&STRANGER.sign(&forged)), &[]).await.unwrap_err().code,
        "InvalidIdentityToken"
    );
    let event = house.audit.lock().unwrap().pop().unwrap();
    assert_eq!(event["requestParameters"], Value::Null);
    assert!(!event.to_string().contains("mallory"), "{event}");
    let told = (&event["errorMessage"], &event["additionalEventData"], &event["recipientAccountId"]);
    assert_eq!(
        told,
        (
            &json!("Response signature invalid"),
            &json!({"identityProvider": PROVIDER}),
            &json!("111122223333")
        )
    );
}
