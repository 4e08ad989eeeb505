//! From base64 to the assertion that an identity provider signed.
//!
//! The response around it is an envelope: only its status is read without a signature. One assertion, once in the
//! document, signed itself; a signature of the response is checked too where there is one. What wraps, repeats or moves
//! signed elements has two assertions or a signature out of its place, and is refused for that before any is verified.
//!
//! Governing documents: SAML 2.0 Core, section 3.2.2 and 5.4; SAML 2.0 Profiles, section 4.1.4; XML Encryption 1.1,
//! section 4.4.

use std::collections::BTreeSet;
use std::ops::Range;

use daypass_model::Random;
use jiff::Timestamp;

use super::assertion::{VerifiedAssertion, providers_named, read};
use super::bounds::RESPONSE;
use super::encryption::{DecryptionKey, Sealed, UNDECRYPTED};
use super::error::SamlError;
use super::expected::Expected;
use super::metadata::Metadata;
use super::signature::{self, DS, Trusted, Verified};
use super::xml::{Element, Fault, Source, base64};
use super::{SAML, SAMLP};

/// `SAMLAssertion` of AssumeRoleWithSAML, in characters.
const RESPONSE_LENGTH_MAX: usize = 100_000;
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// A response that is in order, as far as nobody has to decrypt anything for it.
pub enum Received {
    /// It is verified.
    Verified(Box<VerifiedAssertion>),
    /// Its assertion is encrypted.
    Encrypted(EncryptedResponse),
}

/// A response whose assertion is encrypted to one of the provider's private keys, or to none: anybody can write it.
pub struct EncryptedResponse {
    source: Source,
    sealed: Sealed,
}

/// A response with the assertion that was encrypted. Nothing in it is verified.
pub struct DecryptedResponse {
    source: Source,
    /// Where the assertion stands.
    place: Range<usize>,
}

/// Reads `response`, base64 of a SAML 2.0 `Response`, and verifies it as of `now` unless it is encrypted.
///
/// # Errors
/// It is not from the provider that `metadata` describes, or not for us, or not now (AWS STS API Reference,
/// AssumeRoleWithSAML); see [`SamlError`].
pub fn receive(
    response: &str,
    metadata: &Metadata,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Received, SamlError> {
    if response.len() > RESPONSE_LENGTH_MAX {
        return Err(Fault("the response is too large").into());
    }
    let text = String::from_utf8(base64(response)?).map_err(|_| Fault("the response is not UTF-8"))?;
    let source = Source::new(text, &RESPONSE)?;
    let tree = source.parse()?;
    let root = tree.root();
    let sent = envelope(root)?;
    if metadata.valid_until().is_some_and(|end| end <= now) {
        return Err(SamlError::MetadataExpired);
    }
    if expected.destination && root.attribute("Destination").is_some_and(|it| !expected.is_recipient(it)) {
        return Err(SamlError::Destination);
    }
    match sent {
        Sent::Plain(_) if expected.encryption.required => return Err(SamlError::AssertionNotEncrypted),
        // Asked again of what is verified. Here it only tells a provider that was confused with another from one that
        // was tampered with.
        Sent::Plain(assertion) if issuer(assertion)? != Some(metadata.entity_id()) => {
            return Err(SamlError::Issuer);
        }
        _ => {}
    }
    let trusted = Trusted { keys: metadata.keys(), sha1: expected.sha1 };
    response_signature(root, trusted, metadata)?;

    match sent {
        Sent::Plain(assertion) => {
            let verified = signed(root, assertion, trusted).map_err(invalid)?;
            let verified = verified.ok_or(SamlError::AssertionNotSigned)?;
            Ok(Received::Verified(Box::new(read(verified, metadata.entity_id(), expected, now)?)))
        }
        Sent::Encrypted(encrypted) => {
            let sealed = Sealed::read(encrypted, expected.encryption.keys).map_err(invalid)?;
            drop(tree);
            Ok(Received::Encrypted(EncryptedResponse { source, sealed }))
        }
    }
}

impl EncryptedResponse {
    /// Decrypts the assertion. That is work, up to some tens of milliseconds, which anybody can ask for. `random` blinds it.
    ///
    /// # Errors
    /// It is encrypted to none of `keys`, or no XML.
    pub fn decrypt(
        self,
        keys: &[&DecryptionKey],
        random: &dyn Random,
    ) -> Result<DecryptedResponse, SamlError> {
        let (plain, place) = self.sealed.open(keys, random).map_err(invalid)?;
        let (source, place) = self.source.spliced(place, &plain).map_err(|_| invalid(UNDECRYPTED))?;
        Ok(DecryptedResponse { source, place })
    }
}

impl DecryptedResponse {
    /// Verifies the assertion, by the metadata and for what the response was received with.
    ///
    /// # Errors
    /// As [`receive`].
    pub fn verify(
        &self,
        metadata: &Metadata,
        expected: &Expected<'_>,
        now: Timestamp,
    ) -> Result<VerifiedAssertion, SamlError> {
        let trusted = Trusted { keys: metadata.keys(), sha1: expected.sha1 };
        let undecrypted = |_| invalid(UNDECRYPTED);
        let tree = self.source.parse().map_err(undecrypted)?;
        // Until a signature holds, anybody may have written the ciphertext: whether it gave XML, an assertion or a
        // signature is not told apart.
        let assertion = decrypted(tree.root(), &self.place).map_err(undecrypted)?;
        let verified = signed(tree.root(), assertion, trusted).map_err(undecrypted)?;
        read(verified.ok_or(invalid(UNDECRYPTED))?, metadata.entity_id(), expected, now)
    }
}

/// What an unverified response says of who could verify it: good for looking up providers by exactly this, and for nothing
/// else, since anybody may have written it.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    /// The issuer: the assertion's word counts, or where it is encrypted that of the response.
    pub entity: String,
    /// The ARNs of providers that the assertion pairs roles with, unless it is encrypted.
    pub providers: Option<BTreeSet<String>>,
}

impl Named {
    /// Reads base64 of a `Response`.
    #[must_use]
    pub fn read(response: &str) -> Option<Self> {
        if response.len() > RESPONSE_LENGTH_MAX {
            return None;
        }
        let source = Source::new(String::from_utf8(base64(response).ok()?).ok()?, &RESPONSE).ok()?;
        let tree = source.parse().ok()?;
        let root = tree.root();
        let (entity, providers) = match envelope(root).ok()? {
            Sent::Plain(assertion) => (issuer(assertion), Some(providers_named(assertion))),
            Sent::Encrypted(_) => (issuer(root), None),
        };
        Some(Self { entity: entity.ok()??.to_owned(), providers })
    }
}

/// All of it at once, with the keys that are `expected`, for whoever may be kept by a decryption.
///
/// # Errors
/// As [`receive`].
pub fn verify(
    response: &str,
    metadata: &Metadata,
    expected: &Expected<'_>,
    now: Timestamp,
    random: &dyn Random,
) -> Result<VerifiedAssertion, SamlError> {
    match receive(response, metadata, expected, now)? {
        Received::Verified(assertion) => Ok(*assertion),
        Received::Encrypted(response) => {
            response.decrypt(expected.encryption.keys, random)?.verify(metadata, expected, now)
        }
    }
}

/// What a response holds, as it was sent.
enum Sent<'t> {
    Plain(Element<'t>),
    Encrypted(Element<'t>),
}

/// The response's form and status, and its one assertion.
fn envelope(root: Element<'_>) -> Result<Sent<'_>, SamlError> {
    if !root.is(SAMLP, "Response") || root.attribute("Version") != Some("2.0") {
        return Err(Fault("not a SAML 2.0 Response").into());
    }
    let code = root.the(SAMLP, "Status")?.the(SAMLP, "StatusCode")?;
    if code.attribute("Value") != Some(SUCCESS) {
        return Err(SamlError::Status);
    }
    let all = root.descendants().filter(|it| is_assertion(*it) || it.is(SAML, "EncryptedAssertion")).count();
    if all > 1 {
        return Err(Fault("more than one assertion").into());
    }
    match (root.only(SAML, "Assertion")?, root.only(SAML, "EncryptedAssertion")?) {
        (Some(plain), _) => Ok(Sent::Plain(plain)),
        (None, Some(encrypted)) => Ok(Sent::Encrypted(encrypted)),
        (None, None) => Err(Fault("no assertion").into()),
    }
}

/// The assertion that took the place of encrypted data: all of what was decrypted, and the only one.
fn decrypted<'t>(root: Element<'t>, place: &Range<usize>) -> Result<Element<'t>, Fault> {
    let assertion = root.the(SAML, "EncryptedAssertion")?.the(SAML, "Assertion")?;
    let only = root.descendants().filter(|it| is_assertion(*it)).count() == 1;
    if only && assertion.range() == *place { Ok(assertion) } else { Err(UNDECRYPTED) }
}

fn is_assertion(element: Element<'_>) -> bool {
    element.is(SAML, "Assertion")
}

/// A signature of the response itself, if it has one: it must hold, and be of the same provider.
fn response_signature(root: Element<'_>, trusted: Trusted<'_>, metadata: &Metadata) -> Result<(), SamlError> {
    let Some(verified) = signature::verify(root, trusted).map_err(invalid)? else { return Ok(()) };
    // SAML 2.0 Profiles section 4.1.4.2: a signed response names its issuer.
    let issuer = verified.only(SAML, "Issuer")?.ok_or(SamlError::Issuer)?;
    if issuer.text()? == metadata.entity_id() { Ok(()) } else { Err(SamlError::Issuer) }
}

/// The assertion as it was signed, where every signature of the document is the assertion's or the response's own.
fn signed<'t>(
    root: Element<'t>,
    assertion: Element<'t>,
    trusted: Trusted<'_>,
) -> Result<Option<Verified<'t>>, Fault> {
    let own = |of: Element<'t>| of.all(DS, "Signature").count();
    if root.descendants().filter(|it| it.is(DS, "Signature")).count() > own(root) + own(assertion) {
        return Err(Fault("a signature outside the assertion and the response"));
    }
    signature::verify(assertion, trusted)
}

/// The issuer that an assertion names, believed or not.
fn issuer(assertion: Element<'_>) -> Result<Option<&str>, Fault> {
    assertion.only(SAML, "Issuer")?.map(|issuer| issuer.text()).transpose()
}

fn invalid(Fault(reason): Fault) -> SamlError {
    SamlError::Signature { reason }
}
