//! Signatures that are of the right element, and are refused for how they are made or by whom.

use super::document::{
    ASSERTION, IDP, RESPONSE, STRANGER, check, edited, insert, malformed, refused, response, signed,
    unverified,
};

/// The assertion, signed with this change to what the signature says of itself.
fn with_info(from: &str, to: &str) -> String {
    response(&IDP.sign_edited(ASSERTION, |info| edited(&info, from, to)))
}

const FORM: &str = "a signature of another form than the one accepted";

#[test]
fn the_assertion_itself_is_signed() {
    check(&signed(ASSERTION)).unwrap();
    let mandatory = "Response (with optional signature) must contain an assertion with a mandatory signature";
    refused(&response(ASSERTION), "InvalidIdentityToken", mandatory);
    // The response's signature holds, and does not replace it.
    refused(&IDP.sign(&response(ASSERTION)), "InvalidIdentityToken", mandatory);
}

#[test]
fn a_signature_of_the_response_holds_as_well() {
    let both = IDP.sign(&signed(ASSERTION));
    check(&both).unwrap();
    let moved = edited(&both, "ID=\"_r\"", "Destination=\"https://signin.aws.amazon.com/saml\" ID=\"_r\"");
    assert_eq!(unverified(&moved), "the content was changed after it was signed");
    assert_eq!(
        unverified(&STRANGER.sign(&signed(ASSERTION))),
        "the signature is of none of the keys in the metadata"
    );
    let issuer =
        "<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">https://idp.example.com/saml<";
    let other = edited(&signed(ASSERTION), issuer, &issuer.replace("idp.example.com", "other.example.com"));
    check(&other).unwrap();
    let error = check(&IDP.sign(&other)).unwrap_err();
    assert_eq!(error.to_string(), "Issuer not present in specified provider");
}

/// A response of one provider, sent for another: told so, rather than that somebody tampered with it.
#[test]
fn another_providers_response_is_known_by_its_issuer() {
    let other = |text: &str| text.replace("https://idp.example.com/saml", "https://other.example.com/saml");
    let assertion = STRANGER.sign(&other(ASSERTION));
    let message = "Issuer not present in specified provider";
    refused(&response(&assertion), "InvalidIdentityToken", message);
    refused(&STRANGER.sign(&other(&response(&assertion))), "InvalidIdentityToken", message);
    unverified(&response(&STRANGER.sign(ASSERTION)));
    check(&IDP.sign(&signed(ASSERTION))).unwrap();
}

#[test]
fn only_keys_of_the_metadata_count() {
    let signature = STRANGER.signature(ASSERTION, |info| info);
    let none = "the signature is of none of the keys in the metadata";
    assert_eq!(unverified(&response(&insert(ASSERTION, &signature))), none);
    // With its certificate, in every place where a message may carry one.
    let certificate = &STRANGER.certificate;
    let info = |certificate: &str| {
        format!(
            "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
        )
    };
    let with_info = edited(&signature, "</ds:Signature>", &info(certificate));
    assert_eq!(unverified(&response(&insert(ASSERTION, &with_info))), none);
    let key_value = edited(
        &signature,
        "</ds:Signature>",
        "<ds:KeyInfo><ds:KeyValue><ds:ECKeyValue></ds:ECKeyValue></ds:KeyValue></ds:KeyInfo></ds:Signature>",
    );
    assert_eq!(unverified(&response(&insert(ASSERTION, &key_value))), none);
    // The right provider may say what it likes about its key.
    let own = edited(&IDP.signature(ASSERTION, |info| info), "</ds:Signature>", &info(certificate));
    check(&response(&insert(ASSERTION, &own))).unwrap();
}

#[test]
fn algorithms_are_those_accepted() {
    let unaccepted = "a signature algorithm that is not accepted";
    for method in [
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#ECDSA-SHA256",
        "",
    ] {
        let xml = with_info("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", method);
        assert_eq!(unverified(&xml), unaccepted, "{method}");
    }
    // Of the accepted ones, the one that was used.
    for method in ["ecdsa-sha384", "ecdsa-sha512", "rsa-sha256"] {
        let xml = with_info("xmldsig-more#ecdsa-sha256", &format!("xmldsig-more#{method}"));
        assert_eq!(unverified(&xml), "the signature is of none of the keys in the metadata", "{method}");
    }
    for method in
        ["http://www.w3.org/2001/04/xmldsig-more#md5", "http://www.w3.org/2001/04/xmldsig-more#sha256", ""]
    {
        let xml = with_info("http://www.w3.org/2001/04/xmlenc#sha256", method);
        assert_eq!(unverified(&xml), "a digest algorithm that is not accepted", "{method}");
    }
    let sha1 = with_info("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1");
    assert_eq!(unverified(&sha1), "signed with SHA-1, which is switched off");
}

#[test]
fn canonicalization_is_exclusive_and_without_comments() {
    const EXCLUSIVE: &str = "\"http://www.w3.org/2001/10/xml-exc-c14n#\"";
    for method in [
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "",
    ] {
        // Both, the first alone (of `SignedInfo`), the second alone (of the element).
        let method = format!("\"{method}\"");
        for edit in [
            |info: String, method: &str| info.replace(EXCLUSIVE, method),
            |info: String, method: &str| info.replacen(EXCLUSIVE, method, 1),
            |info: String, method: &str| {
                let at = info.rfind(EXCLUSIVE).unwrap();
                format!("{}{method}{}", &info[..at], &info[at + EXCLUSIVE.len()..])
            },
        ] {
            let xml = response(&IDP.sign_edited(ASSERTION, |info| edit(info, &method)));
            assert_eq!(unverified(&xml), "another canonicalization than exclusive", "{method}");
        }
    }
}

#[test]
fn a_prefix_list_is_honoured_and_bounded() {
    const PLAIN: &str = "xml-exc-c14n#\"></ds:Transform>";
    let listing = |list: &str| {
        format!(
            "xml-exc-c14n#\"><ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"{list}\"></ec:InclusiveNamespaces></ds:Transform>"
        )
    };
    // In scope at the assertion, and not part of what was digested here.
    let error = unverified(&with_info(PLAIN, &listing("samlp")));
    assert_eq!(error, "the content was changed after it was signed");
    let digested = ASSERTION.replacen(
        "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"",
        "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"",
        1,
    );
    check(&response(&IDP.sign_edited(&digested, |info| edited(&info, PLAIN, &listing("samlp"))))).unwrap();
    check(&with_info(PLAIN, &listing("saml xs other"))).unwrap();
    check(&with_info(PLAIN, &listing(&"a ".repeat(31)).replace("a \"", "a\""))).unwrap();
    let many = with_info(PLAIN, &listing(&format!("{}a", "a ".repeat(32))));
    assert_eq!(unverified(&many), "too many prefixes in a PrefixList");
    let two = edited(
        &listing("saml"),
        "</ec:InclusiveNamespaces>",
        "</ec:InclusiveNamespaces><ec:x xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ec:x>",
    );
    assert_eq!(unverified(&with_info(PLAIN, &two)), "a canonicalization with unknown parameters");
    let inside = edited(&listing("saml"), "</ec:InclusiveNamespaces>", "<x></x></ec:InclusiveNamespaces>");
    assert_eq!(unverified(&with_info(PLAIN, &inside)), "a canonicalization with unknown parameters");
}

#[test]
fn there_are_two_transforms_and_no_other() {
    const ENVELOPED: &str =
        "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>";
    const EXCLUSIVE: &str =
        "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>";
    let both = format!("{ENVELOPED}{EXCLUSIVE}");
    let xpath = "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>not(self::x)</ds:XPath></ds:Transform>";
    for other in [
        String::new(),
        ENVELOPED.to_owned(),
        EXCLUSIVE.to_owned(),
        ENVELOPED.repeat(3),
        format!("{both}{EXCLUSIVE}"),
        format!("{xpath}{both}"),
        both.repeat(100),
    ] {
        assert_eq!(unverified(&with_info(&both, &other)), FORM);
    }
    for other in [
        format!("{EXCLUSIVE}{ENVELOPED}"),
        EXCLUSIVE.repeat(2),
        format!("{xpath}{EXCLUSIVE}"),
        format!("{}{EXCLUSIVE}", xpath.replace("<ds:XPath>not(self::x)</ds:XPath>", "")),
        format!("{}{EXCLUSIVE}", ENVELOPED.replace("enveloped-signature", "base64")),
    ] {
        assert_eq!(
            unverified(&with_info(&both, &other)),
            "other transforms than enveloped-signature and exclusive canonicalization",
            "{other}"
        );
    }
    assert_eq!(unverified(&with_info("<ds:Transforms>", "<ds:Manifest></ds:Manifest><ds:Transforms>")), FORM);
}

#[test]
fn there_is_one_reference_and_it_is_to_the_element() {
    let info = |edit: &dyn Fn(&str, &str) -> String| {
        response(&IDP.sign_edited(ASSERTION, |info| {
            let (from, end) = (info.find("<ds:Reference").unwrap(), "</ds:Reference>");
            let reference = info[from..info.find(end).unwrap() + end.len()].to_owned();
            edit(&info, &reference)
        }))
    };
    check(&info(&|info, _| info.to_owned())).unwrap();
    assert_eq!(unverified(&info(&|info, one| info.replace(one, ""))), FORM);
    assert_eq!(unverified(&info(&|info, one| info.replace(one, &one.repeat(2)))), FORM);
    assert_eq!(unverified(&info(&|info, one| info.replace(one, &one.repeat(60)))), FORM);
    let elsewhere = "the reference is not to the element around the signature";
    for uri in [
        "",
        "#",
        "#_r",
        "#_A",
        "#_a ",
        "_a",
        "#xpointer(/)",
        "#xpointer(id('_a'))",
        "https://evil.example/#_a",
        "##_a",
    ] {
        assert_eq!(unverified(&with_info("URI=\"#_a\"", &format!("URI=\"{uri}\""))), elsewhere, "{uri}");
    }
    assert_eq!(unverified(&with_info("URI=\"#_a\"", "")), elsewhere);
    let nameless = |id: &str| {
        let assertion = edited(ASSERTION, " ID=\"_a\"", id);
        let signature = IDP.signature(ASSERTION, |info| edited(&info, "#_a", "#"));
        response(&insert(&assertion, &signature))
    };
    assert_eq!(unverified(&nameless(" ID=\"\"")), elsewhere);
    assert_eq!(unverified(&nameless("")), elsewhere);
}

#[test]
fn what_a_signature_is_made_of_is_fixed() {
    let signature = IDP.signature(ASSERTION, |info| info);
    let with = |from: &str, to: &str| response(&insert(ASSERTION, &edited(&signature, from, to)));
    let parts = "a signature with other parts than SignedInfo, SignatureValue and KeyInfo";
    assert_eq!(unverified(&with("</ds:Signature>", "<ds:Object></ds:Object></ds:Signature>")), parts);
    assert_eq!(
        unverified(&with(
            "</ds:Signature>",
            "<ds:KeyInfo></ds:KeyInfo><ds:Object></ds:Object></ds:Signature>"
        )),
        parts
    );
    assert_eq!(unverified(&with("ds:SignatureValue", "ds:Value")), parts);
    let from = signature.find("<ds:SignedInfo").unwrap();
    let end = "</ds:SignedInfo>";
    let info = &signature[from..signature.find(end).unwrap() + end.len()];
    assert_eq!(unverified(&with(info, &info.repeat(2))), parts);
    assert_eq!(unverified(&with(info, "")), parts);
    assert_eq!(
        unverified(&with(
            "<ds:SignatureValue>",
            "<ds:SignatureValue>AAAA</ds:SignatureValue><ds:SignatureValue>"
        )),
        parts
    );
    check(&with("</ds:Signature>", "<ds:KeyInfo></ds:KeyInfo></ds:Signature>")).unwrap();
    let both = response(&insert(ASSERTION, &signature.repeat(2)));
    assert_eq!(unverified(&both), "an element that may appear once appears twice");
    // Of another namespace, it is no signature.
    let other =
        response(&insert(ASSERTION, &signature.replace("http://www.w3.org/2000/09/xmldsig#", "urn:x")));
    assert_eq!(
        check(&other).unwrap_err().to_string(),
        "Response (with optional signature) must contain an assertion with a mandatory signature"
    );
}

#[test]
fn a_signature_value_is_base64_with_white_space_and_nothing_else() {
    let signature = IDP.signature(ASSERTION, |info| info);
    let (before, rest) = signature.split_once("<ds:SignatureValue>").unwrap();
    let (value, after) = rest.split_once("</ds:SignatureValue>").unwrap();
    let with = |value: &str| {
        response(&insert(
            ASSERTION,
            &format!("{before}<ds:SignatureValue>{value}</ds:SignatureValue>{after}"),
        ))
    };
    check(&with(&format!("\n  {}\n{}\t\r\n", &value[..40], &value[40..]))).unwrap();
    for bad in [
        value.trim_end_matches('=').to_owned(),
        format!("{value}="),
        format!("{value}!"),
        value.replace('=', "-"),
    ] {
        assert_eq!(unverified(&with(&bad)), "not base64");
    }
    for bad in ["", "AAAA"] {
        assert_eq!(unverified(&with(bad)), "the signature is of none of the keys in the metadata");
    }
    let zero = format!("{}==", "A".repeat(86));
    assert_eq!(unverified(&with(&zero)), "the signature is of none of the keys in the metadata");
    assert_eq!(unverified(&with(&format!("<x></x>{value}"))), "an element holds more than text");
}

#[test]
fn a_digest_is_all_of_it_and_nothing_else() {
    let info = |edit: &dyn Fn(&str) -> String| {
        response(&IDP.sign_edited(ASSERTION, |info| {
            let (before, rest) = info.split_once("<ds:DigestValue>").unwrap();
            let (value, after) = rest.split_once('<').unwrap();
            format!("{before}<ds:DigestValue>{}<{after}", edit(value))
        }))
    };
    check(&info(&|value| format!("\n{value} "))).unwrap();
    let changed = "the content was changed after it was signed";
    assert_eq!(unverified(&info(&|_| String::new())), changed);
    assert_eq!(unverified(&info(&|value| value[..40].to_owned())), changed);
    // That of nothing, which a canonicalization gives that fails and does not say so.
    assert_eq!(unverified(&info(&|_| "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned())), changed);
    // A comment hides from canonicalization what a reader of text may take for the digest.
    assert_eq!(malformed(&info(&|value| format!("{value}<!--{value}-->"))), "a comment inside text");
    assert_eq!(malformed(&info(&|value| format!("<!--{value}-->{value}"))), "a comment inside text");
    assert_eq!(unverified(&info(&|value| format!("<!--{value}-->"))), "an element holds more than text");
}

#[test]
fn what_is_said_is_what_was_signed() {
    let xml = signed(ASSERTION);
    check(&xml).unwrap();
    for (from, to) in [
        (">alice<", ">admin<"),
        ("role/Reader", "role/Writer"),
        (
            "Recipient=\"https://signin.aws.amazon.com/saml\"",
            "Recipient=\"https://signin.aws.amazon.com/static/saml\"",
        ),
        ("IssueInstant=\"2026-01-15T11:59:30Z\" Version", "IssueInstant=\"2026-01-15T11:59:31Z\" Version"),
        ("</saml:AttributeStatement>", " </saml:AttributeStatement>"),
        ("<saml:Conditions", "<!-- nothing --><saml:Conditions"),
        ("<saml:AuthnStatement", "<x></x><saml:AuthnStatement"),
    ] {
        let changed = edited(&xml.replace(RESPONSE, "RESPONSE"), from, to).replace("RESPONSE", RESPONSE);
        if to.starts_with("<!--") {
            // A comment between elements is not part of what is signed, and not of what is read.
            check(&changed).unwrap();
        } else {
            assert_eq!(unverified(&changed), "the content was changed after it was signed", "{from}");
        }
    }
    // The signed form has many spellings; the meaning is one.
    for (from, to) in [
        (">alice<", "><![CDATA[alice]]><"),
        (">alice<", ">&#97;lice<"),
        ("Version=\"2.0\"><saml:Issuer>", "Version='2.0'\n><saml:Issuer>"),
        ("></saml:AuthnStatement>", "/>"),
        ("<saml:Conditions", "<saml:Conditions xmlns:unused=\"urn:unused\""),
    ] {
        let respelled = edited(&xml.replace(RESPONSE, "RESPONSE"), from, to).replace("RESPONSE", RESPONSE);
        assert_eq!(check(&respelled).unwrap().subject, "alice", "{to}");
    }
}
