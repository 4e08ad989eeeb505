//! Signature wrapping: the signed element is somewhere, and another one is where readers look.
//!
//! The eight shapes are those of "On Breaking SAML: Be Whoever You Want to Be" (Somorovsky and others, USENIX Security
//! 2012). `evil` is what the attacker wants read; what was signed stays in the document, whole.

use super::document::{
    ASSERTION, IDP, RESPONSE, check, edited, insert, malformed, response, signed, unverified,
};

/// Another subject, under another id, signed by nobody.
fn evil() -> String {
    edited(&edited(ASSERTION, "ID=\"_a\"", "ID=\"_evil\""), ">alice<", ">admin<")
}

fn object(inside: &str) -> String {
    format!("<ds:Object>{inside}</ds:Object></ds:Signature>")
}

/// Signed as a whole, with a signed assertion inside.
fn signed_response() -> String {
    let assertion = IDP.sign(ASSERTION);
    // In canonical form the assertion is as it stands: everything in it declares what it uses.
    IDP.sign(&response(&assertion))
}

#[test]
fn what_is_wrapped_below_verifies_unwrapped() {
    assert_eq!(check(&signed(ASSERTION)).unwrap().subject, "alice");
    assert_eq!(check(&signed_response()).unwrap().subject, "alice");
}

#[test]
fn shape_1_the_signed_response_in_the_signature_of_another() {
    let original = response(ASSERTION);
    let signature = edited(&IDP.signature(&original, |info| info), "</ds:Signature>", &object(&original));
    let evil_response = insert(&edited(&response(&evil()), "ID=\"_r\"", "ID=\"_evil_r\""), &signature);
    assert_eq!(malformed(&evil_response), "more than one assertion");
}

#[test]
fn shape_2_the_signed_response_beside_its_signature() {
    let original = response(ASSERTION);
    let detached = format!("{original}{}", IDP.signature(&original, |info| info));
    let evil_response = insert(&edited(&response(&evil()), "ID=\"_r\"", "ID=\"_evil_r\""), &detached);
    assert_eq!(malformed(&evil_response), "more than one assertion");
}

#[test]
fn shape_3_another_assertion_before_the_signed_one() {
    assert_eq!(
        malformed(&response(&format!("{}{}", evil(), IDP.sign(ASSERTION)))),
        "more than one assertion"
    );
    assert_eq!(
        malformed(&response(&format!("{}{}", IDP.sign(ASSERTION), evil()))),
        "more than one assertion"
    );
}

#[test]
fn shape_4_another_assertion_around_the_signed_one() {
    let around = edited(&evil(), "</saml:Assertion>", &format!("{}</saml:Assertion>", IDP.sign(ASSERTION)));
    assert_eq!(malformed(&response(&around)), "more than one assertion");
}

#[test]
fn shape_5_another_assertion_with_the_signature_of_one_behind_it() {
    let signature = IDP.signature(ASSERTION, |info| info);
    let both = format!("{}{ASSERTION}", insert(&evil(), &signature));
    assert_eq!(malformed(&response(&both)), "more than one assertion");
}

#[test]
fn shape_6_the_signed_assertion_in_the_signature_of_another() {
    let signature = IDP.signature(ASSERTION, |info| info);
    let (before, after) = signature.split_once("</ds:Signature>").unwrap();
    let inside = format!("{before}{ASSERTION}</ds:Signature>{after}");
    assert_eq!(malformed(&response(&insert(&evil(), &inside))), "more than one assertion");
}

#[test]
fn shape_7_another_assertion_in_an_extension_before_the_signed_one() {
    let extension = format!("<samlp:Extensions>{}</samlp:Extensions>", evil());
    let xml = response(&format!("{extension}{}", IDP.sign(ASSERTION)));
    assert_eq!(malformed(&xml), "more than one assertion");
    // Anything else there is nobody's business.
    check(&edited(&xml, &evil(), "<x></x>")).unwrap();
}

#[test]
fn shape_8_the_signed_assertion_in_an_object_of_the_signature() {
    let signature = edited(&IDP.signature(ASSERTION, |info| info), "</ds:Signature>", &object(ASSERTION));
    assert_eq!(malformed(&response(&insert(&evil(), &signature))), "more than one assertion");
}

/// The shapes again, where the signed element is no second assertion: what is looked at is the reference alone.
#[test]
fn a_signature_of_anything_else_than_its_own_element_is_none() {
    let other = r#"<x xmlns="urn:x" ID="_other"></x>"#;
    let signature = IDP.signature(other, |info| info);
    for place in [
        response(&format!("{other}{}", insert(&evil(), &signature))),
        response(&insert(&evil(), &format!("{signature}{other}"))),
        response(&insert(&evil(), &edited(&signature, "<ds:SignedInfo", &format!("{other}<ds:SignedInfo")))),
        response(&insert(&evil(), &edited(&signature, "</ds:Signature>", &object(other)))),
    ] {
        let reason = unverified(&place);
        assert!(
            [
                "the reference is not to the element around the signature",
                "a signature with other parts than SignedInfo, SignatureValue and KeyInfo"
            ]
            .contains(&reason.as_str()),
            "{reason}"
        );
    }
    // A signature of the response is none of the assertion.
    let of_response = IDP.signature(&response(ASSERTION), |info| info);
    assert_eq!(
        unverified(&response(&insert(ASSERTION, &of_response))),
        "the reference is not to the element around the signature"
    );
}

#[test]
fn two_elements_with_one_id_are_refused() {
    let same_id = edited(&evil(), "ID=\"_evil\"", "ID=\"_a\"").replace("saml:Assertion", "saml:Other");
    for attribute in ["ID", "Id", "id", "xml:id"] {
        let beside = |id: &str| {
            let other = same_id.replace("ID=\"_a\"", &format!("{attribute}=\"{id}\""));
            response(&format!("{other}{}", IDP.sign(ASSERTION)))
        };
        assert_eq!(malformed(&beside("_a")), "an id that appears twice", "{attribute}");
        check(&beside("_b")).unwrap();
    }
}

#[test]
fn a_signature_out_of_its_place_is_refused() {
    let stray = IDP.signature(ASSERTION, |info| info);
    let xml = response(&format!("<samlp:Extensions>{stray}</samlp:Extensions>{}", IDP.sign(ASSERTION)));
    assert_eq!(unverified(&xml), "a signature outside the assertion and the response");
    let nested = edited(ASSERTION, "<saml:Conditions", &format!("{stray}<saml:Conditions"));
    assert_eq!(unverified(&response(&IDP.sign(&nested))), "an element that may appear once appears twice");
    let deeper = edited(ASSERTION, "</saml:Subject>", &format!("{stray}</saml:Subject>"));
    assert_eq!(
        unverified(&response(&IDP.sign(&deeper))),
        "a signature outside the assertion and the response"
    );
}

#[test]
fn an_assertion_elsewhere_than_in_the_response_is_none() {
    let extension = format!("<samlp:Extensions>{}</samlp:Extensions>", IDP.sign(ASSERTION));
    assert_eq!(malformed(&response(&extension)), "no assertion");
    assert_eq!(malformed(&response("")), "no assertion");
    assert_eq!(malformed(&IDP.sign(ASSERTION)), "not a SAML 2.0 Response");
    let wrapped = format!("{RESPONSE}{}</samlp:Response>", signed(ASSERTION).replace("\"_r\"", "\"_r2\""));
    assert_eq!(malformed(&wrapped), "no assertion");
}
