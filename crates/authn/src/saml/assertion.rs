//! What a verified assertion says, and whether it says it to us and now.
//!
//! The checks stand in AWS's order, so that a response with two faults is refused for the one AWS names. Where AWS's call
//! lets pass what SAML forbids (a wrong audience or recipient, a `NotBefore` a day ahead), we do not.
//!
//! Governing documents: SAML 2.0 Core, sections 2.3 to 2.7; SAML 2.0 Profiles, section 4.1.4.3; AWS STS API Reference,
//! AssumeRoleWithSAML; IAM User Guide, "Configure SAML assertions for the authentication response".

use std::collections::{BTreeMap, BTreeSet};

use daypass_model::{Arn, Tag, is_session_name, is_source_identity};
use jiff::{SignedDuration, Timestamp};

use super::SAML;
use super::condition_key::{ConditionKey, mapped};
use super::error::SamlError;
use super::expected::{Expected, Requested};
use super::signature::Verified;
use super::time;
use super::xml::{Element, Fault};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
const FORMAT_PREFIX: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:";
/// What XML calls white space.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];
/// What the names of AWS's attributes begin with.
const AWS_ATTRIBUTES: &str = "https://aws.amazon.com/SAML/Attributes/";
/// Roles of AWS IAM Identity Center, which are nobody's else to enter.
const RESERVED_ROLE: &str = "AWSReservedSSO_";

/// A role and the provider that leads to it, as an assertion pairs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolePair {
    /// The role.
    pub role: Arn,
    /// The SAML provider.
    pub provider: Arn,
}

/// What an identity provider says about a user, to us and now; only [`verify`](super::verify) makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedAssertion {
    /// `ID`: what a replay has in common with the original.
    pub id: String,
    /// Who issued it: the entity id in the provider's metadata.
    pub issuer: String,
    /// When it was issued.
    pub issue_instant: Timestamp,
    /// `Subject`: the text of the `NameID`.
    pub subject: String,
    /// The whole `Format` of the `NameID`; [`VerifiedAssertion::subject_type`] is AWS's form of it.
    pub subject_format: String,
    /// `Audience` of AWS's answer: the `Recipient` that it was made for.
    pub recipient: String,
    /// The audiences that the conditions name; there may be none.
    pub audiences: Vec<String>,
    /// `OneTimeUse`: its issuer wants it to count once.
    pub one_time_use: bool,
    /// The pairs that it lists, without what is no such pair.
    pub role_pairs: Vec<RolePair>,
    /// `RoleSessionName`, 2–64 characters.
    pub role_session_name: String,
    /// `SessionDuration` in seconds, 900–43,200. For the console; a call's session it only shortens.
    pub session_duration_seconds: Option<u32>,
    /// `SourceIdentity`, 2–64 characters.
    pub source_identity: Option<String>,
    /// Session tags, in the order of their keys; keys and values as they were sent.
    pub tags: Vec<Tag>,
    /// Keys of session tags that sessions of sessions inherit.
    pub transitive_tag_keys: Vec<String>,
    /// `SessionNotOnOrAfter`: when the session ends at the latest.
    pub session_not_on_or_after: Option<Timestamp>,
    /// The condition keys that attributes are mapped to.
    pub mapped: Vec<ConditionKey>,
    /// Every attribute with its values, AWS's own included. Values with elements inside are left out: they say nothing here,
    /// and none of AWS's has any.
    pub attributes: BTreeMap<String, Vec<String>>,
}

impl VerifiedAssertion {
    /// `SubjectType`: `persistent`, `transient`, … or a whole URI that is not one of SAML 2.0's.
    #[must_use]
    pub fn subject_type(&self) -> &str {
        self.subject_format.strip_prefix(FORMAT_PREFIX).unwrap_or(&self.subject_format)
    }

    /// Whether it pairs these two ARNs.
    #[must_use]
    pub fn lists(&self, role_arn: &str, provider_arn: &str) -> bool {
        lists(&self.role_pairs, Requested { role_arn, provider_arn })
    }
}

/// Reads `assertion` and holds it to what is `expected`, as of `now`.
pub(super) fn read(
    assertion: Verified<'_>,
    entity_id: &str,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<VerifiedAssertion, SamlError> {
    let clock = Clock { now, leeway: SignedDuration::from_secs(expected.leeway_seconds) };
    if assertion.attribute("Version") != Some("2.0") {
        return Err(Fault("not a SAML 2.0 assertion").into());
    }
    let issuer = assertion.only(SAML, "Issuer")?.ok_or(SamlError::Issuer)?.text()?;
    if issuer != entity_id {
        return Err(SamlError::Issuer);
    }
    let subject = Subject::read(assertion, expected, clock)?;
    let conditions = Conditions::read(assertion, expected, clock)?;
    let issue_instant = age(assertion, expected, clock)?;
    let session_not_on_or_after = authentication(assertion)?;

    let attributes = attributes(assertion)?;
    let aws = |name: &str| attributes.get(&format!("{AWS_ATTRIBUTES}{name}")).map(Vec::as_slice);
    let role_pairs: Vec<RolePair> =
        aws("Role").unwrap_or_default().iter().filter_map(|text| role_pair(text)).collect();
    if let Some(requested) = expected.requested {
        listed(&role_pairs, requested)?;
    }
    let said = VerifiedAssertion {
        id: assertion.attribute("ID").unwrap_or_default().to_owned(),
        issuer: issuer.to_owned(),
        issue_instant,
        subject: subject.name,
        subject_format: subject.format,
        recipient: subject.recipient,
        audiences: conditions.audiences,
        one_time_use: conditions.one_time_use,
        role_pairs,
        role_session_name: role_session_name(aws("RoleSessionName").unwrap_or_default())?,
        session_duration_seconds: session_duration(aws("SessionDuration"))?,
        source_identity: source_identity(aws("SourceIdentity"))?,
        tags: tags(&attributes)?,
        transitive_tag_keys: aws("TransitiveTagKeys").unwrap_or_default().to_vec(),
        session_not_on_or_after,
        mapped: mapped(&attributes)?,
        attributes,
    };
    if let Some(end) = session_not_on_or_after {
        clock.before(end)?;
    }
    Ok(said)
}

/// Now, and how far ahead of it other clocks may be.
#[derive(Clone, Copy)]
struct Clock {
    now: Timestamp,
    leeway: SignedDuration,
}

impl Clock {
    /// What ends at `end` must not have ended.
    fn before(self, end: Timestamp) -> Result<(), SamlError> {
        if self.now < end { Ok(()) } else { Err(SamlError::Expired) }
    }

    /// What starts at `start` must have started, by a clock that may be ahead of ours.
    fn after(self, start: Timestamp) -> Result<(), SamlError> {
        if start.duration_since(self.now) <= self.leeway { Ok(()) } else { Err(SamlError::NotYetValid) }
    }
}

fn instant(element: Element<'_>, attribute: &str) -> Result<Option<Timestamp>, Fault> {
    element.attribute(attribute).map(time::read).transpose()
}

struct Subject {
    name: String,
    format: String,
    recipient: String,
}

impl Subject {
    /// Who it is about, and that whoever bears it here and now may be taken for them.
    fn read(assertion: Verified<'_>, expected: &Expected<'_>, clock: Clock) -> Result<Self, SamlError> {
        let subject = assertion.only(SAML, "Subject")?.ok_or(SamlError::NoSubject)?;
        let name = subject.only(SAML, "NameID")?.ok_or(SamlError::NoSubject)?;
        let format = name.attribute("Format").ok_or(Fault("a NameID without a Format"))?;
        let name = name.text()?;
        if name.is_empty() || format.is_empty() {
            return Err(Fault("a NameID, or its Format, that is empty").into());
        }
        let confirmation = subject.the(SAML, "SubjectConfirmation")?;
        if confirmation.attribute("Method") != Some(BEARER) {
            return Err(Fault("a subject confirmation that is not by bearer").into());
        }
        let data = confirmation.the(SAML, "SubjectConfirmationData")?;
        // Who else must confirm, or by which key (SAML Core, sections 2.4.1.1 and 2.4.1.3): nobody here asks for that proof.
        if confirmation.elements().count() != 1 || data.elements().next().is_some() {
            return Err(Fault("a subject confirmation that asks for more than to be borne").into());
        }
        let end = instant(data, "NotOnOrAfter")?.ok_or(Fault("a subject confirmation without an end"))?;
        let recipient =
            data.attribute("Recipient").ok_or(Fault("a subject confirmation without a recipient"))?;
        clock.before(end)?;
        if let Some(start) = instant(data, "NotBefore")? {
            clock.after(start)?;
        }
        if !expected.is_recipient(recipient) {
            return Err(SamlError::Recipient);
        }
        Ok(Self { name: name.to_owned(), format: format.to_owned(), recipient: recipient.to_owned() })
    }
}

struct Conditions {
    audiences: Vec<String>,
    one_time_use: bool,
}

impl Conditions {
    /// What the conditions say, after every one is met. An audience need not be named, as on AWS, where many providers name
    /// none that it knows.
    fn read(assertion: Verified<'_>, expected: &Expected<'_>, clock: Clock) -> Result<Self, SamlError> {
        let conditions = assertion.only(SAML, "Conditions")?.ok_or(Fault("no Conditions"))?;
        let (mut audiences, mut one_time_use) = (Vec::new(), false);
        for condition in conditions.elements() {
            if condition.is(SAML, "AudienceRestriction") {
                let mut ours = false;
                for audience in condition.all(SAML, "Audience") {
                    let audience = audience.text()?;
                    ours |= expected.is_audience(audience);
                    audiences.push(audience.to_owned());
                }
                // One of each restriction's, where there are several (SAML 2.0 Core section 2.5.1.4).
                if !ours {
                    return Err(SamlError::Audience);
                }
            } else if condition.is(SAML, "OneTimeUse") {
                one_time_use = true;
            } else if !condition.is(SAML, "ProxyRestriction") {
                // Whether an unknown condition is met cannot be known (section 2.5.1.1).
                return Err(Fault("a condition that is not understood").into());
            }
        }
        if let Some(start) = instant(conditions, "NotBefore")? {
            clock.after(start)?;
        }
        if let Some(end) = instant(conditions, "NotOnOrAfter")? {
            clock.before(end)?;
        }
        Ok(Self { audiences, one_time_use })
    }
}

fn age(assertion: Verified<'_>, expected: &Expected<'_>, clock: Clock) -> Result<Timestamp, SamlError> {
    let issued = assertion.attribute("IssueInstant").ok_or(Fault("an assertion without an IssueInstant"))?;
    let issued = time::read(issued)?;
    clock.after(issued)?;
    let age = clock.now.duration_since(issued);
    if age <= SignedDuration::from_secs(expected.age_seconds_max) {
        Ok(issued)
    } else {
        Err(SamlError::TooOld)
    }
}

/// When the session at the provider ends, if it says so. That the subject authenticated at all must be said.
fn authentication(assertion: Verified<'_>) -> Result<Option<Timestamp>, Fault> {
    let mut statements = assertion.all(SAML, "AuthnStatement").peekable();
    if statements.peek().is_none() {
        return Err(Fault("no AuthnStatement"));
    }
    let mut end = None;
    for statement in statements {
        let this = instant(statement, "SessionNotOnOrAfter")?;
        end = end.into_iter().chain(this).min();
    }
    Ok(end)
}

/// Every attribute with its values, those of one name together.
fn attributes(assertion: Verified<'_>) -> Result<BTreeMap<String, Vec<String>>, Fault> {
    let mut attributes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for statement in assertion.all(SAML, "AttributeStatement") {
        for attribute in statement.elements() {
            // An encrypted one might be any; nobody could say that it is not one of AWS's.
            if !attribute.is(SAML, "Attribute") {
                return Err(Fault("an attribute that cannot be read"));
            }
            let name = attribute.attribute("Name").ok_or(Fault("an attribute without a name"))?;
            let values = attributes.entry(name.to_owned()).or_default();
            for value in attribute.all(SAML, "AttributeValue") {
                // Structured values, such as a NameID as eduPersonTargetedID, say nothing to us.
                if name.starts_with(AWS_ATTRIBUTES) || value.elements().next().is_none() {
                    values.push(value.text()?.to_owned());
                }
            }
        }
    }
    Ok(attributes)
}

/// The providers of the pairs in an assertion that nobody has verified.
pub(super) fn providers_named(assertion: Element<'_>) -> BTreeSet<String> {
    let statements = assertion.all(SAML, "AttributeStatement");
    let attributes = statements.flat_map(|statement| statement.elements());
    let roles = attributes.filter(|attribute| {
        attribute.attribute("Name").and_then(|name| name.strip_prefix(AWS_ATTRIBUTES)) == Some("Role")
    });
    let values = roles.flat_map(|role| role.elements());
    let pairs = values.filter_map(|value| role_pair(value.text().ok()?));
    pairs.map(|pair| pair.provider.as_str().to_owned()).collect()
}

/// A role's and a provider's ARN in either order; `None` when it is something else.
fn role_pair(text: &str) -> Option<RolePair> {
    let text = text.trim_matches(BLANKS);
    // Names of roles may have commas; the one in between is followed by an ARN.
    let mut pairs = text.match_indices(',').filter_map(|(at, _)| {
        let (one, other) =
            (text.get(..at)?.trim_end_matches(BLANKS), text.get(at + 1..)?.trim_start_matches(BLANKS));
        other.starts_with("arn:").then_some((one, other))
    });
    let ((one, other), None) = (pairs.next()?, pairs.next()) else { return None };
    let (one, other): (Arn, Arn) = (one.parse().ok()?, other.parse().ok()?);
    let is = |arn: &Arn, kind: &str| {
        arn.service() == "iam"
            && arn.region().is_empty()
            && arn.account_id().is_some()
            && arn.resource_parts().is_some_and(|(of, name)| of == kind && !name.is_empty())
    };
    if is(&one, "role") && is(&other, "saml-provider") {
        Some(RolePair { role: one, provider: other })
    } else if is(&other, "role") && is(&one, "saml-provider") {
        Some(RolePair { role: other, provider: one })
    } else {
        None
    }
}

fn lists(pairs: &[RolePair], requested: Requested<'_>) -> bool {
    pairs.iter().any(|pair| {
        pair.role.as_str() == requested.role_arn && pair.provider.as_str() == requested.provider_arn
    })
}

fn listed(pairs: &[RolePair], requested: Requested<'_>) -> Result<(), SamlError> {
    if !lists(pairs, requested) {
        return Err(SamlError::RoleNotListed);
    }
    let name = requested.role_arn.rsplit('/').next().unwrap_or_default();
    if name.starts_with(RESERVED_ROLE) { Err(SamlError::ReservedRole) } else { Ok(()) }
}

fn role_session_name(values: &[String]) -> Result<String, SamlError> {
    match values {
        [] => Err(SamlError::NoRoleSessionName),
        [name] if is_session_name(name) => Ok(name.clone()),
        _ => Err(SamlError::RoleSessionName),
    }
}

fn session_duration(values: Option<&[String]>) -> Result<Option<u32>, SamlError> {
    let Some(values) = values else { return Ok(None) };
    let [text] = values else { return Err(SamlError::SessionDuration) };
    // `parse` would take a sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|seconds| digits && (900..=43_200).contains(seconds));
    seconds.map(Some).ok_or(SamlError::SessionDuration)
}

fn source_identity(values: Option<&[String]>) -> Result<Option<String>, SamlError> {
    match values {
        None => Ok(None),
        Some([name]) if is_source_identity(name) => Ok(Some(name.clone())),
        _ => Err(SamlError::SourceIdentity),
    }
}

/// The session tags, each with its one value. What a key or a value may be is the same for every way to pass tags.
fn tags(attributes: &BTreeMap<String, Vec<String>>) -> Result<Vec<Tag>, SamlError> {
    let tag = |(name, values): (&String, &Vec<String>)| {
        let key = name.strip_prefix(AWS_ATTRIBUTES)?.strip_prefix("PrincipalTag:")?;
        Some(match values.as_slice() {
            [value] => Ok(Tag { key: key.to_owned(), value: value.clone() }),
            _ => Err(SamlError::PrincipalTag),
        })
    };
    attributes.iter().filter_map(tag).collect()
}
