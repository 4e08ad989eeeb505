//! What a token says, read as AWS reads it.
//!
//! Source: AWS STS API Reference, AssumeRoleWithWebIdentity; IAM User Guide, "Pass session tags in AWS STS" and
//! "Monitor and control actions taken with assumed roles"; the types of the claims were recorded against AWS.

use daypass_model::Tag;
use serde_json::{Map, Value};

use super::token::{AGE_SECONDS_MAX, LEEWAY_SECONDS, TokenError};

/// The claim that names the roles a token may be exchanged for.
const ROLES: &str = "https://aws.amazon.com/roles";
/// The claim with session tags, and the beginning of their flattened form.
const TAGS: &str = "https://aws.amazon.com/tags";
/// The claim with a source identity.
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

/// What a token says.
#[derive(Debug)]
pub struct Claims {
    /// `iss`
    pub issuer: String,
    /// `sub`; a number as text.
    pub subject: String,
    /// `aud`, one or several.
    pub audiences: Vec<String>,
    /// `azp`
    pub authorized_party: Option<String>,
    /// `amr`: how the subject was authenticated.
    pub methods: Vec<String>,
    /// Unix seconds.
    pub issued_at: i64,
    /// Unix seconds.
    pub expires_at: i64,
    not_before: Option<i64>,
    all: Map<String, Value>,
}

/// A special claim of AWS's that is not of its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The claim {0} is not of its form")]
pub struct BadClaim(pub &'static str);

/// Session tags that a provider passes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PassedTags {
    /// The tags.
    pub tags: Vec<Tag>,
    /// Which of them the next session in a chain inherits.
    pub transitive_keys: Vec<String>,
}

impl Claims {
    pub(super) fn read(all: Map<String, Value>) -> Result<Claims, TokenError> {
        let text = |name: &str| all.get(name)?.as_str().map(str::to_owned);
        let subject = |claim: &Value| match claim {
            Value::String(text) => Some(text.clone()),
            // Beyond 64 bits several numbers read alike.
            Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
            _ => None,
        };
        let missing = TokenError::MissingClaim;
        let issuer = text("iss").ok_or(missing("iss"))?;
        let subject = all.get("sub").and_then(subject).ok_or(missing("sub"))?;
        let audiences =
            all.get("aud").and_then(texts).filter(|texts| !texts.is_empty()).ok_or(missing("aud"))?;
        let expires_at = all.get("exp").and_then(seconds).ok_or(missing("exp"))?;
        let issued_at = all.get("iat").and_then(seconds).ok_or(missing("iat"))?;
        // What is there and cannot be read is not passed over: it restricts.
        let not_before = optional(&all, "nbf", seconds)?;
        let authorized_party = optional(&all, "azp", |claim| claim.as_str().map(str::to_owned))?;
        let methods = optional(&all, "amr", texts)?.unwrap_or_default();
        Ok(Claims {
            issuer,
            subject,
            audiences,
            authorized_party,
            methods,
            issued_at,
            expires_at,
            not_before,
            all,
        })
    }

    /// Any claim, by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.all.get(name)
    }

    /// All of them, by name.
    #[must_use]
    pub fn all(&self) -> &Map<String, Value> {
        &self.all
    }

    /// `azp`, or the one `aud`. Of several nobody knows which client asked.
    pub(super) fn effective_audience(&self) -> Option<&str> {
        match (&self.authorized_party, self.audiences.as_slice()) {
            (Some(party), _) => Some(party),
            (None, [one]) => Some(one),
            (None, _) => None,
        }
    }

    pub(super) fn check_time(&self, now: i64) -> Result<(), TokenError> {
        let Claims { issued_at, expires_at, .. } = *self;
        if expires_at.saturating_add(LEEWAY_SECONDS) <= now {
            return Err(TokenError::Expired { now, expires_at });
        }
        let latest = now.saturating_add(LEEWAY_SECONDS);
        if issued_at > latest || self.not_before.is_some_and(|moment| moment > latest) {
            return Err(TokenError::TooEarly);
        }
        let age = now.saturating_sub(issued_at);
        if age > AGE_SECONDS_MAX { Err(TokenError::TooOld(age)) } else { Ok(()) }
    }

    /// Whether the provider names the roles that the token is good for, and then whether this is one of them.
    #[must_use]
    pub fn names_role(&self, arn: &str) -> Option<bool> {
        let is_it = |text: &str| text.trim() == arn;
        match self.all.get(ROLES)? {
            Value::Null => None,
            Value::String(list) => Some(list.split(';').any(is_it)),
            Value::Array(items) => Some(items.iter().filter_map(Value::as_str).any(is_it)),
            _ => Some(false),
        }
    }

    /// The source identity of the session, if the provider sets one.
    ///
    /// # Errors
    /// [`BadClaim`]. What it may consist of is whoever uses it to check.
    pub fn source_identity(&self) -> Result<Option<&str>, BadClaim> {
        match self.all.get(SOURCE_IDENTITY) {
            None => Ok(None),
            Some(claim) => claim.as_str().map(Some).ok_or(BadClaim(SOURCE_IDENTITY)),
        }
    }

    /// The session tags that the provider passes, from the nested or the flattened form.
    ///
    /// # Errors
    /// [`BadClaim`]. What they may consist of is whoever uses them to check.
    pub fn session_tags(&self) -> Result<PassedTags, BadClaim> {
        let mut passed = PassedTags::default();
        if let Some(claim) = self.all.get(TAGS) {
            passed.nested(claim).ok_or(BadClaim(TAGS))?;
        }
        for (name, claim) in &self.all {
            let Some(rest) = name.strip_prefix(TAGS).and_then(|rest| rest.strip_prefix('/')) else {
                continue;
            };
            passed.flattened(rest, claim).ok_or(BadClaim(TAGS))?;
        }
        Ok(passed)
    }
}

impl PassedTags {
    /// `{"principal_tags": {"Project": ["Automation"]}, "transitive_tag_keys": ["Project"]}`
    fn nested(&mut self, claim: &Value) -> Option<()> {
        for (name, member) in claim.as_object()? {
            match name.as_str() {
                "principal_tags" => {
                    for (key, values) in member.as_object()? {
                        let [value] = values.as_array()?.as_slice() else { return None };
                        self.tags.push(Tag { key: key.clone(), value: value.as_str()?.to_owned() });
                    }
                }
                "transitive_tag_keys" => self.transitive(member)?,
                _ => return None,
            }
        }
        Some(())
    }

    /// `…/principal_tags/Project: "Automation"`, `…/transitive_tag_keys: ["Project"]`
    fn flattened(&mut self, rest: &str, claim: &Value) -> Option<()> {
        match rest.strip_prefix("principal_tags/") {
            Some(key) => {
                let value = claim.as_str()?.to_owned();
                self.tags.push(Tag { key: key.to_owned(), value });
                Some(())
            }
            None if rest == "transitive_tag_keys" => self.transitive(claim),
            None => None,
        }
    }

    fn transitive(&mut self, claim: &Value) -> Option<()> {
        for key in claim.as_array()? {
            self.transitive_keys.push(key.as_str()?.to_owned());
        }
        Some(())
    }
}

/// A claim that need not be there, and can be read when it is.
fn optional<T>(
    all: &Map<String, Value>,
    name: &'static str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<Option<T>, TokenError> {
    match all.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(claim) => read(claim).map(Some).ok_or(TokenError::MissingClaim(name)),
    }
}

/// A text or a list of texts.
fn texts(claim: &Value) -> Option<Vec<String>> {
    match claim {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// Whole seconds, as a number or a text of digits; no fractions.
fn seconds(claim: &Value) -> Option<i64> {
    match claim {
        Value::Number(number) => number.as_i64(),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
    .filter(|seconds| *seconds >= 0)
}
