//! What the metadata of an identity provider says about it: its name and the keys that it signs with.
//!
//! Whoever may upload metadata decides whom to believe, so a signature in it is not looked at; nothing in it is fetched.
//!
//! Governing documents: SAML 2.0 Metadata, sections 2.3 and 2.4; AWS IAM API Reference, CreateSAMLProvider, and "IAM and
//! AWS STS quotas" in the IAM User Guide.

use jiff::Timestamp;

use super::bounds::METADATA;
use super::key::SigningKey;
use super::signature::DS;
use super::time;
use super::xml::{Element, Fault, Source, base64};

const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
/// Shortest metadata, in characters; [`METADATA`] has the longest.
const CHARACTERS_MIN: usize = 1000;
/// Signing certificates of one provider.
const SIGNING_KEYS_MAX: usize = 10;
/// Longest entity id, in characters (SAML 2.0 Core, section 8.3.6).
const ENTITY_ID_LENGTH_MAX: usize = 1024;

/// An identity provider, as its metadata describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    entity_id: String,
    keys: Vec<SigningKey>,
    valid_until: Option<Timestamp>,
}

/// The text is no metadata of one identity provider. AWS's code for it is `InvalidInput`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Could not parse metadata")]
pub struct InvalidMetadata {
    reason: &'static str,
}

impl InvalidMetadata {
    /// What is wrong with it, a fragment for whoever uploads it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

impl From<Fault> for InvalidMetadata {
    fn from(Fault(reason): Fault) -> Self {
        Self { reason }
    }
}

impl Metadata {
    /// Reads a SAML metadata document: one `EntityDescriptor` with an `IDPSSODescriptor`, alone or as the only such
    /// among others in an `EntitiesDescriptor`, with a signing certificate and a `SingleSignOnService`.
    ///
    /// # Errors
    /// It is something else, shorter than 1,000 characters or longer than 10,000,000, or has more than ten signing
    /// certificates or one with an RSA key of less than 1,024 bits or a repeated extension (AWS IAM API Reference,
    /// CreateSAMLProvider).
    pub fn parse(text: &str) -> Result<Self, InvalidMetadata> {
        if text.len() < CHARACTERS_MIN || text.chars().take(CHARACTERS_MIN).count() < CHARACTERS_MIN {
            return Err(Fault("shorter than 1,000 characters").into());
        }
        let source = Source::new(text.to_owned(), &METADATA)?;
        let tree = source.parse()?;
        let mut found = Found::default();
        found.search(tree.root(), None)?;
        let (entity, role, valid_until) =
            found.provider.ok_or(Fault("no EntityDescriptor with an IDPSSODescriptor"))?;

        let entity_id = entity.attribute("entityID").unwrap_or_default();
        if entity_id.is_empty() || entity_id.chars().count() > ENTITY_ID_LENGTH_MAX {
            return Err(Fault("an entityID that is missing or too long").into());
        }
        let located = |service: Element<'_>| service.attribute("Location").is_some_and(|it| !it.is_empty());
        if !role.all(MD, "SingleSignOnService").any(located) {
            return Err(Fault("no SingleSignOnService").into());
        }
        Ok(Self { entity_id: entity_id.to_owned(), keys: signing_keys(role)?, valid_until })
    }

    /// The name by which the provider calls itself as issuer.
    #[must_use]
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// When the metadata ends, if it says so.
    #[must_use]
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    pub(super) fn keys(&self) -> &[SigningKey] {
        &self.keys
    }
}

/// The identity provider in a document, as far as it has been searched.
#[derive(Default)]
struct Found<'t> {
    /// Its entity, its role, and when the first of them and what is around them ends.
    provider: Option<(Element<'t>, Element<'t>, Option<Timestamp>)>,
}

impl<'t> Found<'t> {
    /// Calls itself for descriptors within descriptors; documents are bounded in depth.
    fn search(&mut self, element: Element<'t>, around: Option<Timestamp>) -> Result<(), Fault> {
        let valid_until = earlier(around, valid_until(element)?);
        if element.is(MD, "EntitiesDescriptor") {
            return element.elements().try_for_each(|inside| self.search(inside, valid_until));
        }
        if element.is(MD, "EntityDescriptor")
            && let Some(role) = element.only(MD, "IDPSSODescriptor")?
        {
            let valid_until = earlier(valid_until, self::valid_until(role)?);
            if self.provider.replace((element, role, valid_until)).is_some() {
                return Err(Fault("more than one identity provider"));
            }
        }
        Ok(())
    }
}

fn valid_until(element: Element<'_>) -> Result<Option<Timestamp>, Fault> {
    element.attribute("validUntil").map(time::read).transpose()
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// The keys of every certificate that is for signing or for anything.
fn signing_keys(role: Element<'_>) -> Result<Vec<SigningKey>, Fault> {
    let mut keys = Vec::new();
    for descriptor in role.all(MD, "KeyDescriptor") {
        match descriptor.attribute("use") {
            None | Some("signing") => {}
            Some("encryption") => continue,
            Some(_) => return Err(Fault("a key for an unknown use")),
        }
        let info = descriptor.the(DS, "KeyInfo")?;
        for certificate in info.all(DS, "X509Data").flat_map(|data| data.all(DS, "X509Certificate")) {
            if keys.len() == SIGNING_KEYS_MAX {
                return Err(Fault("more than ten signing certificates"));
            }
            keys.push(SigningKey::from_certificate(&base64(certificate.text()?)?)?);
        }
    }
    if keys.is_empty() {
        return Err(Fault("no signing certificate"));
    }
    Ok(keys)
}
