//! Responses made by hand, and a signer of them.
//!
//! What is signed here is written in its canonical form to begin with, so that the signer digests the text as it stands
//! and needs no canonicalization: the one under test is no witness for itself.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom as LibraryRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use data_encoding::BASE64;
use daypass_authn::SystemRandom;
use daypass_authn::saml::{Expected, Metadata, Requested, SamlError, VerifiedAssertion, verify};
use jiff::Timestamp;

pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/Reader";
pub(crate) const PROVIDER: &str = "arn:aws:iam::111122223333:saml-provider/Corp";
pub(crate) const ISSUER: &str = "https://idp.example.com/saml";

/// An assertion with everything that one must have, and little else, in canonical form.
pub(crate) const ASSERTION: &str = concat!(
    r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a" IssueInstant="2026-01-15T11:59:30Z" Version="2.0">"#,
    r#"<saml:Issuer>https://idp.example.com/saml</saml:Issuer>"#,
    r#"<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">alice</saml:NameID>"#,
    r#"<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">"#,
    r#"<saml:SubjectConfirmationData NotOnOrAfter="2026-01-15T12:04:30Z" Recipient="https://signin.aws.amazon.com/saml"></saml:SubjectConfirmationData>"#,
    r#"</saml:SubjectConfirmation></saml:Subject>"#,
    r#"<saml:Conditions NotBefore="2026-01-15T11:59:30Z" NotOnOrAfter="2026-01-15T12:59:30Z">"#,
    r#"<saml:AudienceRestriction><saml:Audience>urn:amazon:webservices</saml:Audience></saml:AudienceRestriction></saml:Conditions>"#,
    r#"<saml:AuthnStatement AuthnInstant="2026-01-15T11:59:30Z"></saml:AuthnStatement>"#,
    r#"<saml:AttributeStatement>"#,
    r#"<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/Role"><saml:AttributeValue>arn:aws:iam::111122223333:role/Reader,arn:aws:iam::111122223333:saml-provider/Corp</saml:AttributeValue></saml:Attribute>"#,
    r#"<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/RoleSessionName"><saml:AttributeValue>alice@example.com</saml:AttributeValue></saml:Attribute>"#,
    r#"</saml:AttributeStatement></saml:Assertion>"#,
);

/// What a response begins with, in canonical form.
pub(crate) const RESPONSE: &str = concat!(
    r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" IssueInstant="2026-01-15T11:59:30Z" Version="2.0">"#,
    r#"<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://idp.example.com/saml</saml:Issuer>"#,
    r#"<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>"#,
);

/// The `SignedInfo` of an element, in canonical form.
const SIGNED_INFO: &str = concat!(
    r#"<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">"#,
    r#"<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>"#,
    r#"<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"></ds:SignatureMethod>"#,
    r##"<ds:Reference URI="#ID"><ds:Transforms>"##,
    r#"<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>"#,
    r#"<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>"#,
    r#"<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>"#,
    r#"<ds:DigestValue>DIGEST</ds:DigestValue></ds:Reference></ds:SignedInfo>"#,
);

/// An identity provider, or who would like to be one.
pub(crate) struct Idp {
    key: EcdsaKeyPair,
    /// Base64 of its certificate in DER.
    pub(crate) certificate: String,
    pub(crate) metadata: Metadata,
}

/// The one whose metadata the tests trust.
pub(crate) static IDP: LazyLock<Idp> = LazyLock::new(Idp::new);
/// One that nobody trusts.
pub(crate) static STRANGER: LazyLock<Idp> = LazyLock::new(Idp::new);

impl Idp {
    fn new() -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["idp.example.com".to_owned()]).unwrap();
        let certificate = BASE64.encode(parameters.self_signed(&pair).unwrap().der());
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pair.serialize_der()).unwrap();
        let metadata = Metadata::parse(&metadata_of(&certificate)).unwrap();
        Self { key, certificate, metadata }
    }

    /// `element`, which must be in canonical form, with a signature of it behind its issuer.
    pub(crate) fn sign(&self, element: &str) -> String {
        self.sign_edited(element, |info| info)
    }

    /// The same, with `edit` made to the `SignedInfo` before it is signed.
    pub(crate) fn sign_edited(&self, element: &str, edit: impl Fn(String) -> String) -> String {
        insert(element, &self.signature(element, edit))
    }

    /// The signature alone.
    pub(crate) fn signature(&self, element: &str, edit: impl Fn(String) -> String) -> String {
        let id = element.split_once(" ID=\"").unwrap().1.split_once('"').unwrap().0;
        let value = BASE64.encode(digest(&SHA256, element.as_bytes()).as_ref());
        let info = edit(SIGNED_INFO.replace("#ID", &format!("#{id}")).replace("DIGEST", &value));
        let signature = self.key.sign(&LibraryRandom::new(), info.as_bytes()).unwrap();
        // In the document its declaration is that of the element around it, so that the whole is in canonical form too.
        let info = info.replacen(r#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#""#, "", 1);
        format!(
            r#"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">{info}<ds:SignatureValue>{}</ds:SignatureValue></ds:Signature>"#,
            BASE64.encode(signature.as_ref())
        )
    }
}

/// Metadata with this signing certificate.
pub(crate) fn metadata_of(certificate: &str) -> String {
    let text = format!(
        r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{ISSUER}"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"></md:SingleSignOnService></md:IDPSSODescriptor></md:EntityDescriptor>"#
    );
    // AWS takes none shorter than 1,000 characters.
    format!("{text:<1000}")
}

/// `element` with `inside` behind its issuer, where a signature belongs.
pub(crate) fn insert(element: &str, inside: &str) -> String {
    let (before, after) = element.split_once("</saml:Issuer>").unwrap();
    format!("{before}</saml:Issuer>{inside}{after}")
}

/// `text` with `from`, which must be there, become `to`.
pub(crate) fn edited(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replace(from, to)
}

/// A response with this inside, unsigned itself.
pub(crate) fn response(inside: &str) -> String {
    format!("{RESPONSE}{inside}</samlp:Response>")
}

/// A response with this assertion, signed.
pub(crate) fn signed(assertion: &str) -> String {
    response(&IDP.sign(assertion))
}

pub(crate) fn noon() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

/// What AssumeRoleWithSAML expects, for the role of the tests.
pub(crate) fn expected() -> Expected<'static> {
    Expected { requested: Some(Requested { role_arn: ROLE, provider_arn: PROVIDER }), ..Expected::default() }
}

pub(crate) fn check(xml: &str) -> Result<VerifiedAssertion, SamlError> {
    check_at(xml, noon())
}

pub(crate) fn check_at(xml: &str, now: Timestamp) -> Result<VerifiedAssertion, SamlError> {
    check_as(xml, &expected(), now)
}

pub(crate) fn check_as(
    xml: &str,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<VerifiedAssertion, SamlError> {
    verify(&BASE64.encode(xml.as_bytes()), &IDP.metadata, expected, now, &SystemRandom)
}

/// The code, message and reason of a refusal.
#[track_caller]
pub(crate) fn refused(xml: &str, code: &str, message: &str) -> String {
    told(&check(xml).unwrap_err(), code, message)
}

#[track_caller]
pub(crate) fn told(error: &SamlError, code: &str, message: &str) -> String {
    assert_eq!((error.code(), error.to_string().as_str()), (code, message), "{:?}", error.reason());
    error.reason().unwrap_or_default().to_owned()
}

/// A refusal for the form of the document, and for which fault of it.
#[track_caller]
pub(crate) fn malformed(xml: &str) -> String {
    refused(xml, "InvalidIdentityToken", "Invalid base64 SAMLResponse")
}

/// A refusal for a signature, and for which fault of it.
#[track_caller]
pub(crate) fn unverified(xml: &str) -> String {
    refused(xml, "InvalidIdentityToken", "Response signature invalid")
}
