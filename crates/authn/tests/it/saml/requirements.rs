//! What an assertion must say, each row both ways: as it should be, and with one fault that is signed all the same.

use daypass_authn::saml::{Expected, Requested};

use super::document::{
    ASSERTION, IDP, PROVIDER, RESPONSE, ROLE, check, check_as, check_at, edited, expected, noon, refused,
    response, signed, told,
};

const INVALID: &str = "InvalidIdentityToken";
const MALFORMED: &str = "Invalid base64 SAMLResponse";
const DENIED: &str = "Not authorized to perform sts:AssumeRoleWithSAML";
pub(super) const AWS: &str = "https://aws.amazon.com/SAML/Attributes/";

/// The assertion with this change, signed.
pub(super) fn with(from: &str, to: &str) -> String {
    signed(&edited(ASSERTION, from, to))
}

#[track_caller]
pub(super) fn invalid(xml: &str, message: &str) {
    check(&signed(ASSERTION)).unwrap();
    refused(xml, INVALID, message);
}

#[track_caller]
pub(super) fn reason(xml: &str) -> String {
    check(&signed(ASSERTION)).unwrap();
    refused(xml, INVALID, MALFORMED)
}

#[test]
fn the_status_is_success() {
    let response = signed(ASSERTION);
    check(&response).unwrap();
    let failed = edited(&response, "status:Success", "status:Responder");
    assert_eq!(reason(&failed), "the status is not Success");
    let without = edited(&response, "samlp:StatusCode", "samlp:Other");
    assert_eq!(reason(&without), "a required element is missing");
}

#[test]
fn the_issuer_is_the_providers_entity() {
    for other in
        ["https://idp.example.com/saml/", "https://IDP.example.com/saml", " https://idp.example.com/saml", ""]
    {
        let faulty = with(">https://idp.example.com/saml<", &format!(">{other}<"));
        invalid(&faulty, "Issuer not present in specified provider");
    }
    // The response's own is unsigned and may be any.
    let mut response = signed(ASSERTION);
    response = response.replacen(">https://idp.example.com/saml<", ">urn:other<", 1);
    check(&response).unwrap();
}

#[test]
fn there_is_a_subject_with_a_name_and_a_format() {
    check(&signed(ASSERTION)).unwrap();
    let name =
        r#"<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">alice</saml:NameID>"#;
    let denied = |xml: &str| refused(xml, "AccessDenied", DENIED);
    assert_eq!(denied(&with(name, "")), "the assertion has no NameID");
    assert_eq!(denied(&with("saml:Subject>", "saml:Object>")), "the assertion has no NameID");
    assert_eq!(denied(&with(name, "<saml:EncryptedID></saml:EncryptedID>")), "the assertion has no NameID");
    let format = r#" Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent""#;
    assert_eq!(reason(&with(format, "")), "a NameID without a Format");
    assert_eq!(reason(&with(format, r#" Format="""#)), "a NameID, or its Format, that is empty");
    assert_eq!(reason(&with(">alice<", "><")), "a NameID, or its Format, that is empty");
    let twice = "an element that may appear once appears twice";
    assert_eq!(reason(&with(name, &name.repeat(2))), twice);
    assert_eq!(reason(&with(">alice<", "><saml:b></saml:b>alice<")), "an element holds more than text");
}

#[test]
fn the_subject_is_confirmed_once_and_by_bearer() {
    let (from, end) = (ASSERTION.find("<saml:SubjectConfirmation ").unwrap(), "</saml:SubjectConfirmation>");
    let confirmation = &ASSERTION[from..ASSERTION.find(end).unwrap() + end.len()];
    assert_eq!(reason(&with(confirmation, "")), "a required element is missing");
    assert_eq!(
        reason(&with(confirmation, &confirmation.repeat(2))),
        "an element that may appear once appears twice"
    );
    assert_eq!(
        reason(&with("cm:bearer", "cm:sender-vouches")),
        "a subject confirmation that is not by bearer"
    );
    assert_eq!(
        reason(&with(r#" Method="urn:oasis:names:tc:SAML:2.0:cm:bearer""#, "")),
        "a subject confirmation that is not by bearer"
    );
    let more = "a subject confirmation that asks for more than to be borne";
    let before =
        |more: &str| with("<saml:SubjectConfirmationData ", &format!("{more}<saml:SubjectConfirmationData "));
    for who in [
        r#"<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">bob</saml:NameID>"#,
        "<saml:EncryptedID></saml:EncryptedID>",
        r#"<cb:ChannelBindings xmlns:cb="urn:oasis:names:tc:SAML:protocol:ext:channel-binding" Type="tls-unique">AA==</cb:ChannelBindings>"#,
    ] {
        assert_eq!(reason(&before(who)), more, "{who}");
    }
    let key = r#"<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:KeyName>k</ds:KeyName></ds:KeyInfo>"#;
    assert_eq!(
        reason(&with("</saml:SubjectConfirmationData>", &format!("{key}</saml:SubjectConfirmationData>"))),
        more
    );
    assert_eq!(
        reason(&with(r#" NotOnOrAfter="2026-01-15T12:04:30Z""#, "")),
        "a subject confirmation without an end"
    );
    assert_eq!(
        reason(&with(r#" Recipient="https://signin.aws.amazon.com/saml""#, "")),
        "a subject confirmation without a recipient"
    );
    assert_eq!(reason(&with("2026-01-15T12:04:30Z", "2026-01-15 12:04:30")), "a time that is none");
    let expired = with("2026-01-15T12:04:30Z", "2026-01-15T12:00:00Z");
    refused(&expired, "ExpiredTokenException", "Response has expired");
    check(&with("2026-01-15T12:04:30Z", "2026-01-15T12:00:01Z")).unwrap();
    let early =
        |time: &str| with(r#"Data NotOnOrAfter"#, &format!(r#"Data NotBefore="{time}" NotOnOrAfter"#));
    check(&early("2026-01-15T12:05:00Z")).unwrap();
    invalid(&early("2026-01-15T12:05:01Z"), "Response is not yet valid");
}

#[test]
fn the_recipient_is_aws_or_this_server() {
    let recipient = |url: &str| {
        with(r#"Recipient="https://signin.aws.amazon.com/saml""#, &format!("Recipient=\"{url}\""))
    };
    for good in
        ["https://signin.aws.amazon.com/static/saml", "https://eu-central-1.signin.aws.amazon.com/saml"]
    {
        assert_eq!(check(&recipient(good)).unwrap().recipient, good);
    }
    for bad in ["https://signin.aws.amazon.com/saml/", "https://sts.example.com/saml", ""] {
        invalid(&recipient(bad), "Response does not contain the required recipient.");
    }
    let own = Expected { endpoints: &["https://sts.example.com/saml"], ..expected() };
    check_as(&recipient("https://sts.example.com/saml"), &own, noon()).unwrap();
    let id = Expected { provider_unique_id: Some("SAMLSPX"), ..expected() };
    let with_id = recipient("https://signin.aws.amazon.com/saml/acs/SAMLSPX");
    check_as(&with_id, &id, noon()).unwrap();
    invalid(&with_id, "Response does not contain the required recipient.");
}

#[test]
fn an_audience_that_is_named_is_aws_or_this_server() {
    const RESTRICTION: &str = "<saml:AudienceRestriction><saml:Audience>urn:amazon:webservices</saml:Audience></saml:AudienceRestriction>";
    let audience = |to: &str| with(">urn:amazon:webservices<", &format!(">{to}<"));
    for good in ["https://signin.aws.amazon.com/saml", "https://eu-west-1.signin.aws.amazon.com/saml"] {
        assert_eq!(check(&audience(good)).unwrap().audiences, [good]);
    }
    let wrong = "Response does not contain the required audience.";
    for bad in
        ["urn:amazon:webservices/", "https://signin.aws.amazon.com/saml/", "https://sts.example.com/saml", ""]
    {
        invalid(&audience(bad), wrong);
    }
    let own = Expected { endpoints: &["https://sts.example.com/saml"], ..expected() };
    check_as(&audience("https://sts.example.com/saml"), &own, noon()).unwrap();
    assert_eq!(check(&with(RESTRICTION, "")).unwrap().audiences, [""; 0]);

    // One of several in a restriction, and of every restriction.
    let other = RESTRICTION.replace("urn:amazon:webservices", "urn:other");
    let both =
        "<saml:Audience>urn:other</saml:Audience><saml:Audience>urn:amazon:webservices</saml:Audience>";
    check(&with("<saml:Audience>urn:amazon:webservices</saml:Audience>", both)).unwrap();
    invalid(&with(RESTRICTION, &format!("{RESTRICTION}{other}")), wrong);
    invalid(&with("<saml:Audience>urn:amazon:webservices</saml:Audience>", ""), wrong);
}

#[test]
fn the_conditions_are_there_and_met() {
    let (from, end) = (ASSERTION.find("<saml:Conditions").unwrap(), "</saml:Conditions>");
    let conditions = &ASSERTION[from..ASSERTION.find(end).unwrap() + end.len()];
    assert_eq!(reason(&with(conditions, "")), "no Conditions");
    assert_eq!(
        reason(&with(conditions, &conditions.repeat(2))),
        "an element that may appear once appears twice"
    );
    let more = |condition: &str| with("</saml:Conditions>", &format!("{condition}</saml:Conditions>"));
    let once = "<saml:OneTimeUse></saml:OneTimeUse><saml:ProxyRestriction></saml:ProxyRestriction>";
    assert!(check(&more(once)).unwrap().one_time_use);
    assert!(!check(&signed(ASSERTION)).unwrap().one_time_use);
    assert_eq!(reason(&more("<saml:Condition></saml:Condition>")), "a condition that is not understood");
    assert_eq!(reason(&more("<OneTimeUse></OneTimeUse>")), "a condition that is not understood");

    let between = |start: &str, end: &str| {
        with(
            r#" NotBefore="2026-01-15T11:59:30Z" NotOnOrAfter="2026-01-15T12:59:30Z""#,
            &format!(r#" NotBefore="{start}" NotOnOrAfter="{end}""#),
        )
    };
    check(&with(r#" NotBefore="2026-01-15T11:59:30Z" NotOnOrAfter="2026-01-15T12:59:30Z""#, "")).unwrap();
    let (start, end) = ("2026-01-15T11:59:30Z", "2026-01-15T12:59:30Z");
    check(&between("2026-01-15T12:05:00Z", end)).unwrap();
    invalid(&between("2026-01-15T12:05:00.001Z", end), "Response is not yet valid");
    check(&between(start, "2026-01-15T12:00:00.001Z")).unwrap();
    refused(&between(start, "2026-01-15T12:00:00Z"), "ExpiredTokenException", "Response has expired");
    assert_eq!(reason(&between("", end)), "a time that is none");
    assert_eq!(reason(&between("yesterday", end)), "a time that is none");
    assert_eq!(reason(&between(start, "tomorrow")), "a time that is none");
}

#[test]
fn an_assertion_is_used_within_five_minutes() {
    let issued =
        |time: &str| with("IssueInstant=\"2026-01-15T11:59:30Z\"", &format!("IssueInstant=\"{time}\""));
    check(&issued("2026-01-15T11:55:00Z")).unwrap();
    let old = issued("2026-01-15T11:54:59.999Z");
    refused(&old, "ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance");
    check(&issued("2026-01-15T12:05:00Z")).unwrap();
    invalid(&issued("2026-01-15T12:05:01Z"), "Response is not yet valid");
    assert_eq!(reason(&issued("")), "a time that is none");
    assert_eq!(
        reason(&with(" IssueInstant=\"2026-01-15T11:59:30Z\"", "")),
        "an assertion without an IssueInstant"
    );
    // The same by the server's clock.
    let xml = signed(ASSERTION);
    check_at(&xml, "2026-01-15T12:04:29Z".parse().unwrap()).unwrap();
    let error = check_at(&xml, "2026-01-15T12:04:30Z".parse().unwrap()).unwrap_err();
    told(&error, "ExpiredTokenException", "Response has expired");
}

#[test]
fn leeway_and_age_are_what_the_caller_says() {
    let xml = with("IssueInstant=\"2026-01-15T11:59:30Z\"", "IssueInstant=\"2026-01-15T11:59:00Z\"");
    let young = Expected { age_seconds_max: 60, ..expected() };
    check_as(&xml, &young, noon()).unwrap();
    let error = check_as(&xml, &Expected { age_seconds_max: 59, ..young }, noon()).unwrap_err();
    assert_eq!(error.code(), "ExpiredTokenException");
    let early = with("NotBefore=\"2026-01-15T11:59:30Z\"", "NotBefore=\"2026-01-15T12:00:10Z\"");
    check_as(&early, &Expected { leeway_seconds: 10, ..expected() }, noon()).unwrap();
    check_as(&early, &Expected { leeway_seconds: 9, ..expected() }, noon()).unwrap_err();
}

#[test]
fn the_subject_authenticated_and_the_session_is_not_over() {
    let statement = r#"<saml:AuthnStatement AuthnInstant="2026-01-15T11:59:30Z"></saml:AuthnStatement>"#;
    assert_eq!(reason(&with(statement, "")), "no AuthnStatement");
    let ends = |time: &str| {
        with(
            "AuthnInstant=\"2026-01-15T11:59:30Z\"",
            &format!("AuthnInstant=\"x\" SessionNotOnOrAfter=\"{time}\""),
        )
    };
    let end = check(&ends("2026-01-15T12:00:01Z")).unwrap().session_not_on_or_after.unwrap();
    assert_eq!(end.to_string(), "2026-01-15T12:00:01Z");
    assert_eq!(check(&signed(ASSERTION)).unwrap().session_not_on_or_after, None);
    refused(&ends("2026-01-15T12:00:00Z"), "ExpiredTokenException", "Response has expired");
    assert_eq!(reason(&ends("never")), "a time that is none");
    let two = format!(
        "{}{}{statement}",
        r#"<saml:AuthnStatement SessionNotOnOrAfter="2026-01-15T14:00:00Z"></saml:AuthnStatement>"#,
        r#"<saml:AuthnStatement SessionNotOnOrAfter="2026-01-15T13:00:00Z"></saml:AuthnStatement>"#
    );
    let end = check(&with(statement, &two)).unwrap().session_not_on_or_after.unwrap();
    assert_eq!(end.to_string(), "2026-01-15T13:00:00Z");
}

#[test]
fn the_role_and_the_provider_are_a_listed_pair() {
    let roles = |text: &str| with(&format!("{ROLE},{PROVIDER}"), text);
    for good in [
        format!("{PROVIDER},{ROLE}"),
        format!("  {ROLE} ,\n\t{PROVIDER}  "),
        format!("nonsense</saml:AttributeValue><saml:AttributeValue>{ROLE},{PROVIDER}"),
    ] {
        assert!(check(&roles(&good)).unwrap().lists(ROLE, PROVIDER), "{good}");
    }
    for bad in [
        String::new(),
        ROLE.to_owned(),
        format!("{ROLE};{PROVIDER}"),
        format!("{ROLE},{PROVIDER},{ROLE}"),
        format!("{ROLE},{ROLE}"),
        format!("{PROVIDER},{PROVIDER}"),
        format!("{ROLE}s,{PROVIDER}"),
        format!("{ROLE},{PROVIDER}s"),
        // Both are listed, but not with each other.
        format!("{ROLE},{PROVIDER}s</saml:AttributeValue><saml:AttributeValue>{ROLE}s,{PROVIDER}"),
        format!("{},{PROVIDER}", ROLE.to_lowercase()),
        format!("{},{PROVIDER}", ROLE.replace("::", ":eu-west-1:")),
        // White space of Unicode's and not of XML's.
        format!("\u{a0}{ROLE},{PROVIDER}"),
        format!("{ROLE}\u{a0},{PROVIDER}"),
        format!("{ROLE},\u{2003}{PROVIDER}"),
        format!("{ROLE},{PROVIDER}\u{85}"),
    ] {
        invalid(
            &roles(&bad),
            "SAML Assertion doesn't contain the requested Role and Metadata in the attributes",
        );
    }
    let absent = with("Attributes/Role\"", "Attributes/role\"");
    invalid(&absent, "SAML Assertion doesn't contain the requested Role and Metadata in the attributes");
    let pairs = |text: &str| {
        let none = Expected { requested: None, ..expected() };
        check_as(&roles(text), &none, noon()).unwrap().role_pairs.len()
    };
    for pair in
        [format!("{PROVIDER},{ROLE}"), format!("{ROLE},a,{PROVIDER}"), format!("{PROVIDER}, {ROLE},a")]
    {
        assert_eq!(pairs(&pair), 1, "{pair}");
    }
    for no_pair in [
        format!("{ROLE},{ROLE}"),
        format!("{PROVIDER},{PROVIDER}"),
        format!("{ROLE},{PROVIDER},{ROLE}"),
        format!("{ROLE},{}", PROVIDER.replace("saml", "oidc")),
        format!("{},{PROVIDER}", ROLE.replace("role", "user")),
        format!("{},{PROVIDER}", ROLE.replace(":iam:", ":sts:")),
        format!("{},{PROVIDER}", ROLE.replace("::", ":eu-west-1:")),
        format!("{},{PROVIDER}", ROLE.replace("111122223333", "")),
        format!("{},{PROVIDER}", ROLE.replace("Reader", "")),
        format!("{},{PROVIDER}", ROLE.replace("/Reader", "")),
    ] {
        assert_eq!(pairs(&no_pair), 0, "{no_pair}");
    }
    // At sign-in nobody asked for one yet.
    let none = Expected { requested: None, ..expected() };
    assert_eq!(check_as(&absent, &none, noon()).unwrap().role_pairs, []);
}

#[test]
fn roles_of_identity_center_are_refused() {
    let reserved = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1";
    let plain = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/Admin_1";
    for (role, allowed) in [(reserved, false), (plain, true)] {
        let wanted =
            Expected { requested: Some(Requested { role_arn: role, provider_arn: PROVIDER }), ..expected() };
        let result = check_as(&with(ROLE, role), &wanted, noon());
        match result {
            Ok(_) => assert!(allowed),
            Err(error) => {
                assert!(!allowed);
                told(&error, "AccessDenied", DENIED);
            }
        }
    }
}

#[test]
fn the_versions_are_2_0() {
    assert_eq!(reason(&with("Version=\"2.0\"", "Version=\"1.1\"")), "not a SAML 2.0 assertion");
    let response = edited(RESPONSE, "Version=\"2.0\"", "Version=\"1.1\"");
    let xml = format!("{response}{}</samlp:Response>", IDP.sign(ASSERTION));
    assert_eq!(reason(&xml), "not a SAML 2.0 Response");
}

#[test]
fn a_destination_counts_at_sign_in_only() {
    let sent =
        |to: &str| edited(&signed(ASSERTION), " ID=\"_r\"", &format!(" Destination=\"{to}\" ID=\"_r\""));
    let sign_in = Expected { destination: true, ..expected() };
    check_as(&signed(ASSERTION), &sign_in, noon()).unwrap();
    check_as(&sent("https://signin.aws.amazon.com/saml"), &sign_in, noon()).unwrap();
    let elsewhere = sent("https://other.example.com/saml");
    check(&elsewhere).unwrap();
    let error = check_as(&elsewhere, &sign_in, noon()).unwrap_err();
    told(&error, INVALID, "Response does not contain the required destination.");
}

/// Two faults: the one that AWS's order has first is told.
#[test]
fn the_first_fault_in_the_order_is_told() {
    let mut assertion = ASSERTION.to_owned();
    let faults = [
        (">alice@example.com<", "><", "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"),
        (
            "role/Reader",
            "role/Writer",
            "SAML Assertion doesn't contain the requested Role and Metadata in the attributes",
        ),
        (
            "IssueInstant=\"2026-01-15T11:59:30Z\"",
            "IssueInstant=\"2026-01-14T11:59:30Z\"",
            "Token must be redeemed within 5 minutes of issuance",
        ),
        ("urn:amazon:webservices", "urn:other", "Response does not contain the required audience."),
        ("12:04:30", "11:04:30", "Response has expired"),
        (">https://idp.example.com/saml<", ">urn:other<", "Issuer not present in specified provider"),
    ];
    for (from, to, message) in faults {
        assertion = edited(&assertion, from, to);
        assert_eq!(check(&signed(&assertion)).unwrap_err().to_string(), message);
    }
    // Nothing that is said counts before the signature does, but for who is said to have issued it.
    let issued = edited(&assertion, ">urn:other<", ">https://idp.example.com/saml<");
    let tampered = edited(&signed(&issued), "alice", "malice");
    assert_eq!(check(&tampered).unwrap_err().to_string(), "Response signature invalid");
    check(&response(&IDP.sign(ASSERTION))).unwrap();
}
