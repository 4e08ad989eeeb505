//! What attributes must be, each row both ways, and that no comment in them changes what they say.

use super::document::{ASSERTION, check, edited, signed};
use super::requirements::{AWS, invalid, reason, with};

/// `eduPersonAffiliation`, whose condition key holds a list.
const AFFILIATION: &str = "urn:oid:1.3.6.1.4.1.5923.1.1.1.1";
/// `eduPersonPrimaryAffiliation`, whose condition key holds one value.
const PRIMARY_AFFILIATION: &str = "urn:oid:1.3.6.1.4.1.5923.1.1.1.5";

/// The assertion with one more attribute of AWS's, signed.
fn with_attribute(name: &str, values: &[&str]) -> String {
    let values: String =
        values.iter().map(|value| format!("<saml:AttributeValue>{value}</saml:AttributeValue>")).collect();
    let attribute = format!(r#"<saml:Attribute Name="{AWS}{name}">{values}</saml:Attribute>"#);
    with("</saml:AttributeStatement>", &format!("{attribute}</saml:AttributeStatement>"))
}

#[test]
fn the_session_has_a_name() {
    let named = |name: &str| with(">alice@example.com<", &format!(">{name}<"));
    let longest = "a".repeat(64);
    for good in ["ab", "_+=,.@-", longest.as_str()] {
        assert_eq!(check(&named(good)).unwrap().role_session_name, good);
    }
    let too_long = "a".repeat(65);
    for bad in ["", "a", too_long.as_str(), "a b", "alice:x", "älice", " alice", "alice\n"] {
        invalid(&named(bad), "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}");
    }
    let two = named("alice</saml:AttributeValue><saml:AttributeValue>bob");
    invalid(&two, "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}");
    let required = "RoleSessionName is required in AuthnResponse";
    invalid(&with("Attributes/RoleSessionName", "Attributes/rolesessionname"), required);
    invalid(&with("<saml:AttributeValue>alice@example.com</saml:AttributeValue>", ""), required);
}

#[test]
fn a_session_duration_is_a_number_of_seconds() {
    let lasting = |values: &[&str]| with_attribute("SessionDuration", values);
    for (good, seconds) in [("900", 900), ("43200", 43_200), ("03600", 3600)] {
        assert_eq!(check(&lasting(&[good])).unwrap().session_duration_seconds, Some(seconds));
    }
    assert_eq!(check(&signed(ASSERTION)).unwrap().session_duration_seconds, None);
    for bad in ["899", "43201", "", "1h", "+3600", "3600.0", " 3600", "99999999999999999999"] {
        invalid(
            &lasting(&[bad]),
            "SessionDuration in AuthnResponse must be an integer between 900 and 43200",
        );
    }
    for values in [&[][..], &["3600", "3600"]] {
        invalid(
            &lasting(values),
            "SessionDuration in AuthnResponse must be an integer between 900 and 43200",
        );
    }
}

#[test]
fn a_source_identity_is_a_name() {
    let named = |values: &[&str]| with_attribute("SourceIdentity", values);
    assert_eq!(check(&named(&["alice@x"])).unwrap().source_identity.as_deref(), Some("alice@x"));
    assert_eq!(check(&signed(ASSERTION)).unwrap().source_identity, None);
    for bad in ["", "a", "aws:alice", "AWS:alice", "a:b", "a b"] {
        invalid(
            &named(&[bad]),
            "Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with \"aws:\"",
        );
    }
    for values in [&[][..], &["alice", "alice"]] {
        invalid(
            &named(values),
            "Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with \"aws:\"",
        );
    }
}

#[test]
fn a_session_tag_has_one_value() {
    let tagged = |values: &[&str]| with_attribute("PrincipalTag:Cost Center", values);
    let tags = check(&tagged(&["7 &amp; 8"])).unwrap().tags;
    assert_eq!((tags[0].key.as_str(), tags[0].value.as_str()), ("Cost Center", "7 & 8"));
    assert_eq!(check(&tagged(&[""])).unwrap().tags[0].value, "");
    assert_eq!(check(&signed(ASSERTION)).unwrap().tags, []);
    for bad in [&[][..], &["7", "8"]] {
        invalid(&tagged(bad), "PrincipalTag in AuthnResponse must have exactly one value");
    }
    let keys = check(&with_attribute("TransitiveTagKeys", &["A", "B"])).unwrap().transitive_tag_keys;
    assert_eq!(keys, ["A", "B"]);
}

#[test]
fn attributes_that_cannot_be_read_are_no_attributes() {
    let statement =
        |inside: &str| with("</saml:AttributeStatement>", &format!("{inside}</saml:AttributeStatement>"));
    assert_eq!(
        reason(&statement("<saml:EncryptedAttribute></saml:EncryptedAttribute>")),
        "an attribute that cannot be read"
    );
    assert_eq!(reason(&statement("<saml:Attribute></saml:Attribute>")), "an attribute without a name");
    let structured = |name: &str| {
        statement(&format!(
            r#"<saml:Attribute Name="{name}"><saml:AttributeValue><saml:NameID>x</saml:NameID></saml:AttributeValue></saml:Attribute>"#
        ))
    };
    let said = check(&structured("urn:oid:1.3.6.1.4.1.5923.1.1.1.10")).unwrap();
    assert_eq!(said.attributes["urn:oid:1.3.6.1.4.1.5923.1.1.1.10"], [""; 0]);
    assert_eq!(reason(&structured(&format!("{AWS}SourceIdentity"))), "an element holds more than text");
}

/// A signed response with this attribute more.
fn with_values(name: &str, values: &[&str]) -> String {
    let values: String =
        values.iter().map(|value| format!("<saml:AttributeValue>{value}</saml:AttributeValue>")).collect();
    let attribute =
        format!(r#"<saml:Attribute Name="{name}">{values}</saml:Attribute></saml:AttributeStatement>"#);
    with("</saml:AttributeStatement>", &attribute)
}

/// Canonicalization drops a comment, so whoever bears a response can add one and the signature holds.
#[test]
fn no_comment_strikes_out_a_value_that_is_empty_or_blank() {
    for (name, values) in [
        (PRIMARY_AFFILIATION, &[""][..]),
        (AFFILIATION, &["", "root@corp"]),
        (AFFILIATION, &[" ", "staff"]),
        ("urn:other", &["\n\t"]),
    ] {
        let xml = with_values(name, values);
        assert_eq!(check(&xml).unwrap().attributes[name], values);
        let value = format!("<saml:AttributeValue>{}</saml:AttributeValue>", values[0]);
        for inside in [format!("<!---->{}", values[0]), format!("{}<!-- x -->", values[0])] {
            let struck =
                edited(&xml, &value, &format!("<saml:AttributeValue>{inside}</saml:AttributeValue>"));
            assert_eq!(reason(&struck), "an element holds more than text", "{name} {values:?}");
        }
    }
    // What has an element inside says nothing, and no comment makes it say anything.
    let structured = with_values(AFFILIATION, &["<saml:NameID></saml:NameID>", "staff"]);
    let commented =
        edited(&structured, "<saml:NameID></saml:NameID>", "<!----><saml:NameID><!----></saml:NameID>");
    for xml in [structured, commented] {
        assert_eq!(check(&xml).unwrap().attributes[AFFILIATION], ["staff"]);
    }
}

#[test]
fn a_condition_key_of_one_value_is_given_one() {
    let mail = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress";
    invalid(&with_values(mail, &["a", "b"]), "saml:mail in AuthnResponse must have at most one value");
    invalid(
        &with_values(PRIMARY_AFFILIATION, &["student", "staff"]),
        "saml:eduPersonPrimaryAffiliation in AuthnResponse must have at most one value",
    );
    // Two attributes that feed one key.
    let other = r#"<saml:Attribute Name="0.9.2342.19200300100.1.3"><saml:AttributeValue>b</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>"#;
    let assertion = edited(ASSERTION, "</saml:AttributeStatement>", other);
    let both = |value: &str| {
        let more = format!(
            r#"<saml:AttributeStatement><saml:Attribute Name="{mail}"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>"#
        );
        signed(&edited(&assertion, "<saml:AttributeStatement>", &more))
    };
    invalid(&both("a"), "saml:mail in AuthnResponse must have at most one value");
    for once in [both("b"), with_values(mail, &["b", "b"])] {
        let said = check(&once).unwrap();
        let mapped: Vec<_> =
            said.mapped.iter().map(|key| (key.name, key.values.as_slice(), key.list)).collect();
        assert_eq!(mapped, [("saml:mail", &["b".to_owned()][..], false)]);
    }
}
