//! Documents that are refused before any of their contents counts. Each is signed with its fault in it.

use data_encoding::BASE64;
use daypass_authn::SystemRandom;
use daypass_authn::saml::verify;

use super::document::{
    ASSERTION, IDP, check, edited, expected, malformed, noon, response, signed, told, unverified,
};

fn sent(base64: &str) -> Result<String, String> {
    let result = verify(base64, &IDP.metadata, &expected(), noon(), &SystemRandom);
    result
        .map(|assertion| assertion.subject)
        .map_err(|error| told(&error, "InvalidIdentityToken", "Invalid base64 SAMLResponse"))
}

#[test]
fn a_response_is_base64_with_white_space_at_most() {
    let base64 = BASE64.encode(signed(ASSERTION).as_bytes());
    assert_eq!(sent(&base64).as_deref(), Ok("alice"));
    let lines: Vec<&str> =
        base64.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    assert_eq!(sent(&lines.join("\r\n")).as_deref(), Ok("alice"));
    for bad in [
        format!("{base64}A"),
        format!("{base64}===="),
        base64.replacen('P', "-", 1),
        format!("%{base64}"),
        signed(ASSERTION),
    ] {
        assert_eq!(sent(&bad).unwrap_err(), "not base64");
    }
    assert_eq!(sent("").unwrap_err(), "the document is not well-formed");
    assert_eq!(sent(&BASE64.encode(b"\xff\xfe<\0a\0")).unwrap_err(), "the response is not UTF-8");
    let latin: Vec<u8> =
        signed(ASSERTION).replace("alice@", "alic\u{e9}@").chars().map(|it| it as u8).collect();
    assert_eq!(sent(&BASE64.encode(&latin)).unwrap_err(), "the response is not UTF-8");
}

#[test]
fn a_response_has_at_most_100_000_characters() {
    let base64 = BASE64.encode(signed(ASSERTION).as_bytes());
    let padded = |length: usize| format!("{base64}{}", " ".repeat(length - base64.len()));
    assert_eq!(sent(&padded(100_000)).as_deref(), Ok("alice"));
    assert_eq!(sent(&padded(100_001)).unwrap_err(), "the response is too large");
    assert_eq!(sent(&"A".repeat(10_000_000)).unwrap_err(), "the response is too large");
}

#[test]
fn comments_inside_text_are_refused_wherever_they_are() {
    for (from, to) in [
        // The subject that such readers take is `alice`.
        (">alice<", ">alice<!---->.evil.example<"),
        (">alice<", "><!-- -->alice<"),
        (">alice@example.com<", ">alice@<!-- x -->example.com<"),
        ("role/Reader", "role/<!-- -->Reader"),
        (">urn:amazon:webservices<", ">urn:amazon:webservices<!-- --><"),
    ] {
        let plain = edited(
            ASSERTION,
            from,
            &to.replace("<!---->", "").replace("<!-- x -->", "").replace("<!-- -->", ""),
        );
        check(&signed(&plain)).unwrap();
        // With the signature of the text as canonicalization sees it: without the comment.
        let commented = edited(
            &signed(&plain),
            &plain[plain.find("<saml:Subject>").unwrap()..],
            &edited(ASSERTION, from, to)[ASSERTION.find("<saml:Subject>").unwrap()..],
        );
        assert_eq!(malformed(&commented), "a comment inside text", "{to}");
    }
    check(&format!("<!-- before -->{}<!-- after -->", signed(ASSERTION))).unwrap();
    check(&edited(&signed(ASSERTION), "<saml:Conditions", "<!-- between --><saml:Conditions")).unwrap();
}

#[test]
fn declarations_of_types_and_entities_are_refused() {
    let xml = signed(ASSERTION);
    for doctype in [
        "<!DOCTYPE samlp:Response>",
        "<!DOCTYPE r [<!ENTITY a \"alice\">]>",
        "<!DOCTYPE r SYSTEM \"http://evil.example/x.dtd\">",
        "<!DOCTYPE r [<!ENTITY % x SYSTEM \"file:///etc/passwd\"> %x;]>",
        "<!DOCTYPE r [<!ATTLIST saml:Other ID ID #IMPLIED>]>",
        "<!doctype r>",
    ] {
        assert_eq!(malformed(&format!("{doctype}{xml}")), "a document type declaration");
        assert_eq!(
            malformed(&format!("<?xml version=\"1.0\"?>\n<!-- -->{doctype}{xml}")),
            "a document type declaration"
        );
    }
    assert_eq!(malformed(&edited(&xml, ">alice<", ">&a;<")), "the document is not well-formed");
    assert_eq!(malformed(&edited(&xml, ">alice<", ">&lol;&lol;<")), "the document is not well-formed");
    check(&edited(&xml, ">alice<", ">&#x61;l&#105;ce<")).unwrap();
}

#[test]
fn processing_instructions_are_refused() {
    let xml = signed(ASSERTION);
    for faulty in [
        format!("<?xml-stylesheet href=\"x\"?>{xml}"),
        format!("{xml}<?x?>"),
        edited(&xml, ">alice<", ">alice<?x y?><"),
        edited(&xml, "<saml:Conditions", "<?x?><saml:Conditions"),
        format!(" <?xml version=\"1.0\"?>{xml}"),
        format!("<?xml\tversion=\"1.0\"?>{xml}"),
        format!("<?XML version=\"1.0\"?>{xml}"),
    ] {
        assert_eq!(malformed(&faulty), "a processing instruction");
    }
}

#[test]
fn a_declaration_says_1_0_and_utf_8() {
    let declared = |declaration: &str| format!("{declaration}{}", signed(ASSERTION));
    for good in [
        "<?xml version=\"1.0\"?>",
        "<?xml version='1.0' encoding='utf-8'?>\r\n",
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\" ?>",
        "<?xml version=\"1.0\" standalone=\"yes\"?>",
        "<?xml version=\"1.0\" encoding=\"US-ASCII\"?>",
    ] {
        check(&declared(good)).unwrap();
    }
    for bad in [
        "<?xml version=\"1.1\"?>",
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>",
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>",
        "<?xml version=\"1.0\" encoding=\"UTF-7\"?>",
        "<?xml encoding=\"UTF-8\"?>",
        "<?xml version=\"1.0\" standalone=\"yes\" encoding=\"UTF-8\"?>",
        "<?xml version=\"1.0\" x=\"y\"?>",
        "<?xml ?>",
    ] {
        assert_eq!(
            malformed(&declared(bad)),
            "another version of XML than 1.0, or another encoding than UTF-8",
            "{bad}"
        );
    }
    assert_eq!(malformed(&declared("\u{feff}")), "the document starts with a byte order mark");
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let xml = signed(ASSERTION);
    for faulty in [
        edited(&xml, "</samlp:Response>", ""),
        format!("{xml}{xml}"),
        format!("{xml}x"),
        edited(&xml, "Version=\"2.0\"", "Version=2.0"),
        edited(&xml, "Version=\"2.0\"", "Version=\"2.0\" Version=\"2.0\""),
        edited(&xml, ">alice<", ">a & b<"),
        edited(&xml, ">alice<", ">a\u{1}b<"),
        edited(&xml, ">alice<", ">&#0;<"),
        edited(&xml, ">alice<", ">&#xFFFE;<"),
        edited(&xml, ">alice<", ">]]><"),
        edited(&xml, "<saml:Subject>", "<other:Subject>"),
        edited(&xml, "</saml:Subject>", "</saml:SubJect>"),
    ] {
        malformed(&faulty);
    }
}

/// What the tree builder lets pass and other parsers do not, or read in another way.
#[test]
fn what_parsers_disagree_about_is_refused() {
    let xml = signed(ASSERTION);
    let twice = "a namespace that is declared twice";
    let not = "a namespace that must not be declared";
    let extension = |text: &str| {
        edited(&xml, "<samlp:Status>", &format!("<samlp:Extensions>{text}</samlp:Extensions><samlp:Status>"))
    };
    check(&extension("<x xmlns=\"urn:a\" xmlns:b=\"urn:b\"/>")).unwrap();
    assert_eq!(malformed(&extension("<x xmlns=\"urn:a\" xmlns=\"urn:b\"/>")), twice);
    assert_eq!(malformed(&extension("<x xmlns:b=\"\"/>")), not);
    let colon = "a name that starts with a colon, or a prefixed `xmlns`";
    assert_eq!(malformed(&extension("<x xmlns:xmlns=\"urn:x\"/>")), colon);
    assert_eq!(malformed(&extension("<samlp:x samlp:xmlns=\"urn:x\"/>")), colon);
    check(&extension("<samlp:x samlp:xml-ns=\"urn:x\"/>")).unwrap();
    for name in [
        "a",
        "./a",
        "//a",
        "1:a",
        "#a",
        "a b",
        "ä:b",
        ":a",
        "urn:a b",
        "urn:ä",
        "urn:a&amp;b",
        "urn:a&lt;",
        "urn:a\\b",
    ] {
        assert_eq!(malformed(&extension(&format!("<x xmlns=\"{name}\"/>"))), not, "{name}");
        assert_eq!(malformed(&extension(&format!("<x xmlns:b=\"{name}\"/>"))), not, "{name}");
    }
    check(&extension("<x xmlns=\"\"/>")).unwrap();
    check(&extension("<x xmlns=\"http://a.example/~b?c=(d)#%20\"/>")).unwrap();
    let long = |length: usize| extension(&format!("<x xmlns:b=\"urn:{}\"/>", "x".repeat(length - 4)));
    check(&long(1024)).unwrap();
    assert_eq!(malformed(&long(1025)), "a namespace with too long a name");
    assert_eq!(malformed(&extension("<:x></:x>")), colon);
    assert_eq!(malformed(&extension("<x></:x>")), colon);
    assert_eq!(malformed(&extension("<x :a=\"\"></x>")), "a name that cannot be read");
    for reference in ["&#xD800;", "&#x110000;", "&#55296;", "&#99999999999;", "&#x;", "&#;"] {
        assert_eq!(malformed(&extension(reference)), "a reference to what is no character", "{reference}");
    }
    check(&extension("&#x10FFFF;&#9;")).unwrap();
}

#[test]
fn huge_and_deep_documents_cost_nothing() {
    let extension = |text: &str| {
        edited(
            &signed(ASSERTION),
            "<samlp:Status>",
            &format!("<samlp:Extensions>{text}</samlp:Extensions><samlp:Status>"),
        )
    };
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    check(&extension(&nested(29))).unwrap();
    assert_eq!(malformed(&extension(&nested(31))), "elements are nested too deeply");
    assert_eq!(malformed(&extension(&nested(9_000))), "elements are nested too deeply");
    let many = |count: usize| "<a/>".repeat(count);
    check(&extension(&many(15_000))).unwrap();
    let attributes =
        |count: usize| format!("<a{}/>", (0..count).map(|n| format!(" a{n}=\"\"")).collect::<String>());
    check(&extension(&attributes(64))).unwrap();
    assert_eq!(malformed(&extension(&attributes(65))), "an element has too many attributes or namespaces");
    assert_eq!(malformed(&extension(&attributes(6_000))), "an element has too many attributes or namespaces");
    let namespaces =
        (0..30).map(|n| format!("<a xmlns:a{n}=\"urn:{n}\" xmlns:b{n}=\"urn:{n}\" xmlns:c{n}=\"urn:{n}\">"));
    let namespaces = format!("{}{}", namespaces.collect::<String>(), "</a>".repeat(30));
    assert_eq!(malformed(&extension(&namespaces)), "an element has too many attributes or namespaces");
    let values = format!("<a>{}</a>", "&lt;".repeat(15_000));
    check(&extension(&values)).unwrap();
    let sections = format!("<a>{}</a>", "<![CDATA[x]]>".repeat(4_000));
    check(&extension(&sections)).unwrap();
    // As signed content as well, where canonicalization comes to it.
    let advice = format!("<saml:Advice>{}</saml:Advice><saml:AuthnStatement", "<a></a>".repeat(8_000));
    check(&signed(&edited(ASSERTION, "<saml:AuthnStatement", &advice))).unwrap();
    assert_eq!(
        unverified(&edited(&signed(ASSERTION), "<saml:AuthnStatement", &advice)),
        "the content was changed after it was signed"
    );
}

#[test]
fn other_messages_are_no_response() {
    check(&signed(ASSERTION)).unwrap();
    let not = "not a SAML 2.0 Response";
    assert_eq!(malformed("<Response/>"), not);
    assert_eq!(malformed(&signed(ASSERTION).replace("samlp:Response", "samlp:LogoutResponse")), not);
    assert_eq!(malformed(&signed(ASSERTION).replace("SAML:2.0:protocol", "SAML:1.0:protocol")), not);
    let soap = format!(
        "<s:Body xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">{}</s:Body>",
        signed(ASSERTION)
    );
    assert_eq!(malformed(&soap), not);
    assert_eq!(
        malformed(&response(&IDP.sign(ASSERTION)).replace("saml:Assertion", "saml:Claim")),
        "no assertion"
    );
}
