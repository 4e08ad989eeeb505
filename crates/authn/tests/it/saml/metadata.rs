//! Metadata of identity providers: what is taken out of it, and what is refused at upload.

use data_encoding::BASE64;
use daypass_authn::SystemRandom;
use daypass_authn::saml::{Expected, Metadata, verify};

use super::document::{ASSERTION, IDP, ISSUER, STRANGER, check, edited, expected, metadata_of, noon, signed};
use super::vectors::file;

fn plain() -> String {
    metadata_of(&IDP.certificate)
}

#[track_caller]
fn refused(text: &str) -> &'static str {
    Metadata::parse(&plain()).unwrap();
    let error = Metadata::parse(text).unwrap_err();
    assert_eq!(error.to_string(), "Could not parse metadata");
    error.reason()
}

fn accepted(text: &str) -> Metadata {
    let metadata = Metadata::parse(text);
    assert!(metadata.is_ok(), "{:?}", metadata.map_err(|error| error.reason()));
    metadata.unwrap()
}

/// Whether a response of the tests' provider verifies with this metadata.
fn trusts(metadata: &Metadata, xml: &str, expected: &Expected<'_>) -> bool {
    verify(&BASE64.encode(xml.as_bytes()), metadata, expected, noon(), &SystemRandom).is_ok()
}

/// The descriptor of the key in `plain`.
fn descriptor(metadata: &str) -> String {
    let end = "</md:KeyDescriptor>";
    metadata[metadata.find("<md:KeyDescriptor").unwrap()..metadata.find(end).unwrap() + end.len()].to_owned()
}

#[test]
fn one_provider_is_described_alone_or_among_others() {
    let text = plain();
    let metadata = accepted(&text);
    assert_eq!((metadata.entity_id(), metadata.valid_until()), (ISSUER, None));
    let text = text.trim();
    let among = |inside: &str| {
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{inside}</md:EntitiesDescriptor>"
        )
    };
    let service =
        text.replace("IDPSSODescriptor", "SPSSODescriptor").replace(ISSUER, "https://sp.example.com");
    assert_eq!(accepted(&among(text)).entity_id(), ISSUER);
    assert_eq!(accepted(&among(&format!("{service}{text}{service}"))).entity_id(), ISSUER);
    assert_eq!(accepted(&among(&among(text))).entity_id(), ISSUER);
    let other = text.replace(ISSUER, "https://other.example.com");
    assert_eq!(refused(&among(&format!("{text}{other}"))), "more than one identity provider");
    let none = "no EntityDescriptor with an IDPSSODescriptor";
    assert_eq!(refused(&among(&service)), none);
    assert_eq!(refused(&format!("{service:<1000}")), none);
    assert_eq!(refused(&edited(text, "SAML:2.0:metadata", "SAML:1.0:metadata")), none);
    assert_eq!(refused(&format!("{:<1000}", among(""))), none);
    let roles = edited(text, "</md:EntityDescriptor>", "<md:IDPSSODescriptor/></md:EntityDescriptor>");
    assert_eq!(refused(&roles), "an element that may appear once appears twice");
}

#[test]
fn its_size_is_awss() {
    let text = metadata_of("AAAA").trim().to_owned();
    let text = text.replace("AAAA", "");
    assert!(text.len() < 1000);
    let sized = |size: usize| {
        edited(
            &plain(),
            "</md:EntityDescriptor>",
            &format!("<!--{}--></md:EntityDescriptor>", "x".repeat(size)),
        )
    };
    assert_eq!(refused(&text), "shorter than 1,000 characters");
    assert_eq!(refused(&format!("{text:<999}")), "shorter than 1,000 characters");
    // Long enough, and read: it has no certificate.
    assert_eq!(refused(&format!("{text:<1000}")), "a certificate that does not parse");
    let over = sized(0).chars().count();
    accepted(&sized(10_000_000 - over));
    assert_eq!(refused(&sized(10_000_001 - over)), "the document is too large");
    assert_eq!(refused(&format!("\u{feff}{}", plain())), "the document starts with a byte order mark");
}

#[test]
fn it_is_plain_xml() {
    let text = plain();
    accepted(&format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><!-- a comment -->\n{text}"));
    assert_eq!(refused(&format!("<!DOCTYPE x>{text}")), "a document type declaration");
    assert_eq!(
        refused(&format!("<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>{text}")),
        "a document type declaration"
    );
    assert_eq!(refused(&edited(&text, "</md:EntityDescriptor>", "")), "the document is not well-formed");
    assert_eq!(
        refused(&edited(&text, "<ds:X509Certificate>", "<ds:X509Certificate><!-- -->")),
        "a comment inside text"
    );
    for many in ["<".repeat(5_000_000), "=".repeat(5_000_000)] {
        assert_eq!(refused(&many), "the document has too many parts");
    }
    // Bounds that keep its cost linear.
    let nested: String = (0..100_000).map(|n| format!("<a xmlns:b{n}=\"urn:{n}\">")).collect();
    assert_eq!(refused(&nested), "elements are nested too deeply");
    let attributes: String = (0..300_000).map(|n| format!(" a{n}=\"\"")).collect();
    assert_eq!(refused(&format!("<a{attributes}/>")), "an element has too many attributes or namespaces");
}

#[test]
fn it_names_the_entity_and_where_to_sign_in() {
    let text = plain();
    let name = format!("entityID=\"{ISSUER}\"");
    let bad = "an entityID that is missing or too long";
    assert_eq!(refused(&edited(&text, &name, "")), bad);
    assert_eq!(refused(&edited(&text, &name, "entityID=\"\"")), bad);
    assert_eq!(refused(&edited(&text, &name, &format!("entityID=\"{}\"", "ä".repeat(1025)))), bad);
    accepted(&edited(&text, &name, &format!("entityID=\"{}\"", "ä".repeat(1024))));
    let none = "no SingleSignOnService";
    assert_eq!(refused(&edited(&text, "SingleSignOnService", "SingleLogoutService")), none);
    assert_eq!(
        refused(
            &edited(&text, " Location=\"https://idp.example.com/sso\"", "")
                .replace("</md:Entity", &format!("{}</md:Entity", " ".repeat(99)))
        ),
        none
    );
    assert_eq!(refused(&edited(&text, "https://idp.example.com/sso", "")), none);
}

#[test]
fn it_says_until_when() {
    let text = plain();
    let with = |attribute: &str| {
        edited(&text, "<md:EntityDescriptor ", &format!("<md:EntityDescriptor {attribute} "))
    };
    let until = |text: &str| accepted(text).valid_until().map(|it| it.to_string());
    assert_eq!(until(&with("validUntil=\"2026-02-01T00:00:00Z\"")).as_deref(), Some("2026-02-01T00:00:00Z"));
    assert_eq!(refused(&with("validUntil=\"tomorrow\"")), "a time that is none");
    // The first of all that are around it.
    let role = |text: &str, end: &str| {
        edited(text, "<md:IDPSSODescriptor ", &format!("<md:IDPSSODescriptor validUntil=\"{end}\" "))
    };
    let entity = with("validUntil=\"2026-02-01T00:00:00Z\"");
    assert_eq!(until(&role(&entity, "2026-01-31T00:00:00Z")).as_deref(), Some("2026-01-31T00:00:00Z"));
    assert_eq!(until(&role(&entity, "2026-03-31T00:00:00Z")).as_deref(), Some("2026-02-01T00:00:00Z"));
    let among = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" validUntil=\"2026-01-30T00:00:00Z\">{}</md:EntitiesDescriptor>",
        entity.trim()
    );
    assert_eq!(until(&among).as_deref(), Some("2026-01-30T00:00:00Z"));

    // Metadata that is over vouches for nobody.
    let ends = |end: &str| accepted(&with(&format!("validUntil=\"{end}\"")));
    let xml = signed(ASSERTION);
    assert!(trusts(&ends("2026-01-15T12:00:00.001Z"), &xml, &expected()));
    let over = ends("2026-01-15T12:00:00Z");
    let error =
        verify(&BASE64.encode(xml.as_bytes()), &over, &expected(), noon(), &SystemRandom).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("InvalidIdentityToken", "Metadata of the specified provider has expired")
    );
}

#[test]
fn keys_for_signing_or_for_anything_count() {
    let xml = signed(ASSERTION);
    check(&xml).unwrap();
    let ours = plain();
    let one = descriptor(&ours);
    let other = edited(&one, &IDP.certificate, &STRANGER.certificate);
    let trusted = |keys: &str| trusts(&accepted(&edited(&ours, &one, keys)), &xml, &expected());
    assert!(trusted(&one));
    assert!(trusted(&edited(&one, " use=\"signing\"", "")));
    assert!(trusted(&format!("{other}{one}")));
    assert!(trusted(&format!("{one}{other}")));
    assert!(!trusted(&other));
    let encrypting = edited(&one, "use=\"signing\"", "use=\"encryption\"");
    assert!(!trusted(&format!("{encrypting}{other}")));
    assert!(trusted(&format!("{encrypting}{one}")));
    assert_eq!(refused(&edited(&ours, &one, &encrypting)), "no signing certificate");
    assert_eq!(refused(&edited(&ours, "use=\"signing\"", "use=\"anything\"")), "a key for an unknown use");
    // Not those of another role of the same entity.
    let service = format!("<md:SPSSODescriptor>{one}</md:SPSSODescriptor>");
    let elsewhere = edited(
        &edited(&ours, &one, &other),
        "<md:IDPSSODescriptor",
        &format!("{service}<md:IDPSSODescriptor"),
    );
    assert!(!trusts(&accepted(&elsewhere), &xml, &expected()));

    // Two certificates of one key descriptor, and ten of all.
    let two = edited(
        &one,
        "<ds:X509Data>",
        &format!("<ds:X509Data><ds:X509Certificate>\n {} </ds:X509Certificate>", STRANGER.certificate),
    );
    assert!(trusted(&two));
    assert!(trusted(&format!("{}{one}", other.repeat(9))));
    assert_eq!(refused(&edited(&ours, &one, &one.repeat(11))), "more than ten signing certificates");
}

#[test]
fn certificates_are_of_a_key_that_we_verify_with() {
    for key in ["rsa1024", "rsa2048", "p256", "p384", "p521"] {
        accepted(&file(&format!("{key}.metadata.xml")));
    }
    let ours = plain();
    let with = |certificate: &str| format!("{:<1000}", edited(&ours, &IDP.certificate, certificate));
    assert_eq!(refused(&with("not base64!")), "not base64");
    assert_eq!(refused(&with("AAAA")), "a certificate that does not parse");
    assert_eq!(refused(&with(&IDP.certificate[..40])), "a certificate that does not parse");
    let mut trailing = BASE64.decode(IDP.certificate.as_bytes()).unwrap();
    trailing.push(0);
    assert_eq!(refused(&with(&BASE64.encode(&trailing))), "a certificate that does not parse");
    let ed25519 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let certificate = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&ed25519).unwrap();
    assert_eq!(
        refused(&with(&BASE64.encode(certificate.der()))),
        "a certificate with a key that is neither RSA nor of a NIST curve"
    );
    // By OpenSSL.
    for small in
        [include_str!("vectors/rsa-512-certificate.txt"), include_str!("vectors/rsa-1023-certificate.txt")]
    {
        assert_eq!(
            refused(&with(small)),
            "a certificate with an RSA key of another length than 1,024 to 8,192 bits"
        );
    }
    let extensions = |numbers: &[u64]| {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec![]).unwrap();
        let extension =
            |number| rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, number], vec![5, 0]);
        parameters.custom_extensions = numbers.iter().map(|number| extension(*number)).collect();
        BASE64.encode(parameters.self_signed(&pair).unwrap().der())
    };
    let many = |count: u64| (0..count).collect::<Vec<_>>();
    accepted(&with(&extensions(&many(60))));
    assert_eq!(refused(&with(&extensions(&many(65)))), "a certificate with too many extensions");
    for repeated in [[1, 1, 2], [1, 2, 1], [2, 1, 1]] {
        assert_eq!(refused(&with(&extensions(&repeated))), "a certificate that repeats an extension");
    }
}
