//! What a verified assertion says to the rest of the house.

use daypass_authn::saml::ConditionKey;

use super::document::{ASSERTION, ISSUER, PROVIDER, ROLE, check, edited, signed};

/// The keys of an assertion with these attributes added.
fn keys(attributes: &[(&str, &[&str])]) -> Vec<ConditionKey> {
    let text: String = attributes
        .iter()
        .map(|(name, values)| {
            let values: String =
                values.iter().map(|it| format!("<saml:AttributeValue>{it}</saml:AttributeValue>")).collect();
            format!("<saml:Attribute Name=\"{name}\">{values}</saml:Attribute>")
        })
        .collect();
    let assertion =
        edited(ASSERTION, "</saml:AttributeStatement>", &format!("{text}</saml:AttributeStatement>"));
    check(&signed(&assertion)).unwrap().condition_keys("111122223333".parse().unwrap(), "Corp")
}

fn find<'k>(keys: &'k [ConditionKey], name: &str) -> Option<(&'k [String], bool)> {
    keys.iter().find(|key| key.name == name).map(|key| (key.values.as_slice(), key.list))
}

#[test]
fn an_assertion_says_all_of_it() {
    let said = check(&signed(ASSERTION)).unwrap();
    assert_eq!((said.id.as_str(), said.issuer.as_str(), said.subject.as_str()), ("_a", ISSUER, "alice"));
    assert_eq!(said.issue_instant.to_string(), "2026-01-15T11:59:30Z");
    assert_eq!(said.subject_format, "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent");
    assert_eq!(said.subject_type(), "persistent");
    assert_eq!(said.recipient, "https://signin.aws.amazon.com/saml");
    assert_eq!(said.audiences, ["urn:amazon:webservices"]);
    assert_eq!(said.role_pairs.len(), 1);
    assert_eq!((said.role_pairs[0].role.as_str(), said.role_pairs[0].provider.as_str()), (ROLE, PROVIDER));
    assert!(said.lists(ROLE, PROVIDER) && !said.lists(PROVIDER, ROLE) && !said.lists(ROLE, ROLE));
    assert_eq!(said.role_session_name, "alice@example.com");
    assert_eq!(said.attributes.len(), 2);
    // Formats of another version keep their whole name.
    let other = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
    let text = edited(ASSERTION, "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", other);
    assert_eq!(check(&signed(&text)).unwrap().subject_type(), other);
}

#[test]
fn every_assertion_answers_six_keys() {
    let keys = keys(&[]);
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    assert_eq!(
        names,
        ["saml:aud", "saml:iss", "saml:sub", "saml:sub_type", "saml:namequalifier", "saml:doc"]
    );
    for (name, value) in [
        ("saml:aud", "https://signin.aws.amazon.com/saml"),
        ("saml:iss", ISSUER),
        ("saml:sub", "alice"),
        ("saml:sub_type", "persistent"),
        ("saml:doc", "111122223333/Corp"),
    ] {
        assert_eq!(find(&keys, name), Some((&[value.to_owned()][..], false)), "{name}");
    }
    let qualifier = daypass_authn::saml::name_qualifier(ISSUER, "111122223333".parse().unwrap(), "Corp");
    assert_eq!(find(&keys, "saml:namequalifier"), Some((&[qualifier][..], false)));
}

#[test]
fn attributes_are_mapped_as_the_guide_says() {
    let mapped = keys(&[
        ("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", &["staff", "member"]),
        ("urn:oid:1.3.6.1.4.1.5923.1.1.1.7", &["one"]),
        ("urn:oid:1.3.6.1.4.1.5923.1.1.1.3", &["o=x"]),
        ("urn:oid:2.5.4.3", &["Alice"]),
        ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", &["alice@example.com"]),
        ("0.9.2342.19200300100.1.1", &["alice"]),
        ("urn:other", &["x"]),
    ]);
    let values = |values: &[&str]| values.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    assert_eq!(find(&mapped, "saml:eduPersonAffiliation"), Some((&values(&["staff", "member"])[..], true)));
    assert_eq!(find(&mapped, "saml:eduPersonEntitlement"), Some((&values(&["one"])[..], true)));
    assert_eq!(find(&mapped, "saml:eduPersonOrgDN"), Some((&values(&["o=x"])[..], false)));
    assert_eq!(find(&mapped, "saml:cn"), Some((&values(&["Alice"])[..], true)));
    assert_eq!(find(&mapped, "saml:mail"), Some((&values(&["alice@example.com"])[..], false)));
    assert_eq!(find(&mapped, "saml:uid"), Some((&values(&["alice"])[..], false)));
    assert_eq!(mapped.len(), 6 + 6);
}

#[test]
fn a_key_without_a_value_is_absent() {
    let mail = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress";
    assert!(find(&keys(&[(mail, &["a"])]), "saml:mail").is_some());
    assert_eq!(find(&keys(&[(mail, &[])]), "saml:mail"), None);
    assert_eq!(find(&keys(&[("urn:oid:2.5.4.3", &[])]), "saml:cn"), None);
    // No attribute is taken for one of the six.
    assert_eq!(keys(&[("saml:sub", &["admin"]), ("sub", &["admin"])]).len(), 6);
}
