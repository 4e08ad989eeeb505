//! Whom a SAML assertion vouches for. Nothing is fetched: an administrator of the provider's account uploaded its metadata.
//! No part of an assertion that does not verify is logged.
//!
//! Source: AWS STS API Reference, AssumeRoleWithSAML; IAM User Guide, "SAML 2.0 federation".

use std::sync::Arc;

use daypass_authn::saml::{
    ConditionKey, DecryptionKey, Encryption, Expected, Requested, SamlError, VerifiedAssertion,
    name_qualifier, verify,
};
use daypass_directory::record::AssertionEncryption;
use daypass_directory::{
    Assertion, AssertionUse, Caller, Operation, Role, SamlProvider, Value, View, Vouched, VouchedBy,
};
use daypass_model::Arn;
use jiff::Timestamp;

use crate::error::Error;
use crate::house::House;

/// How often one assertion counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Replay {
    /// Once for each role that it lists: tools fetch several roles with one.
    #[default]
    PerRole,
    /// Once in each account.
    Once,
    /// As often as it is brought while it is young enough, as on AWS.
    Off,
}

/// The operator's choices about assertions.
#[derive(Debug, Clone, Default)]
pub struct SamlSettings {
    /// How often one counts.
    pub replay: Replay,
    /// Whether signatures with SHA-1 count.
    pub allow_sha1: bool,
}

/// What a call brings.
pub(crate) struct Response<'a> {
    /// The role it asks for.
    pub(crate) role_arn: &'a str,
    /// The provider.
    pub(crate) provider_arn: &'a str,
    /// Base64 of the provider's response.
    pub(crate) text: &'a str,
}

/// Verify the assertion of a call.
///
/// # Errors
/// InvalidIdentityToken, ExpiredTokenException, AccessDenied.
pub(crate) fn vouch_by_assertion(
    op: &Operation,
    house: &House,
    call: &Response<'_>,
) -> Result<(Arc<View>, Caller), Error> {
    let view = house.directory.snapshot();
    let provider = call.provider_arn.parse().ok().and_then(|arn: Arn| view.saml_provider(&arn));
    let provider =
        provider.ok_or_else(|| Error::new("InvalidIdentityToken", "Specified provider doesn't exist"))?;
    let settings = &house.settings;
    let own = settings.saml_endpoint();
    let own: Vec<&str> = own.as_deref().into_iter().collect();
    let uuid = provider.record.uuid();
    let keys: Vec<&DecryptionKey> = provider.keys.iter().collect();
    let expected = Expected {
        requested: Some(Requested { role_arn: call.role_arn, provider_arn: call.provider_arn }),
        endpoints: &own,
        provider_unique_id: (!keys.is_empty()).then_some(uuid.as_str()),
        sha1: settings.saml.allow_sha1,
        encryption: Encryption {
            keys: &keys,
            required: provider.record.encryption == Some(AssertionEncryption::Required),
        },
        ..Expected::default()
    };
    let random = house.directory.random();
    let assertion = verify(call.text, &provider.metadata, &expected, op.now, random);
    let assertion = assertion.map_err(|error| refused(provider, error))?;
    let caller = Caller::vouched(provider.account, vouched(op, provider, assertion));
    Ok((view, caller))
}

/// Who keeps the provider finds out more by its log than whoever brings what is refused.
fn refused(provider: &SamlProvider, error: SamlError) -> Error {
    if let Some(reason) = error.reason() {
        tracing::info!(provider = provider.arn, reason, "a SAML response was refused");
    }
    Error::new(error.code(), error.to_string())
}

fn vouched(op: &Operation, provider: &SamlProvider, assertion: VerifiedAssertion) -> Vouched {
    let (account, name) = (provider.account, provider.record.name.as_str());
    let keys: Vec<(String, Value)> =
        assertion.condition_keys(account, name).into_iter().map(condition_key).collect();
    let name_qualifier = name_qualifier(&assertion.issuer, account, name);
    let subject_type = assertion.subject_type().to_owned();
    let kept = [
        ("saml:namequalifier", &name_qualifier),
        ("saml:sub", &assertion.subject),
        ("saml:sub_type", &subject_type),
        ("aws:FederatedProvider", &provider.arn),
    ];
    let kept = kept.map(|(key, value)| (key.to_owned(), vec![value.clone()]));
    // For the console it may be longer than what a call asks for; a call's session it only shortens.
    let asked = assertion.session_duration_seconds.map(|seconds| op.now.as_second() + i64::from(seconds));
    let end_there = assertion.session_not_on_or_after.map(Timestamp::as_second);
    Vouched {
        provider: provider.arn.clone(),
        is_registered: true,
        subject: assertion.subject,
        audience: assertion.recipient,
        keys,
        kept: kept.into(),
        tags: assertion.tags,
        transitive_tag_keys: assertion.transitive_tag_keys,
        source_identity: assertion.source_identity,
        by: VouchedBy::Saml(Assertion {
            id: assertion.id,
            issuer: assertion.issuer,
            issued_at: assertion.issue_instant.as_second(),
            subject_type,
            name_qualifier,
            session_name: assertion.role_session_name,
            ends_by: asked.into_iter().chain(end_there).min(),
        }),
    }
}

fn condition_key(ConditionKey { name, mut values, list }: ConditionKey) -> (String, Value) {
    let one = if list { None } else { values.pop() };
    (name.to_owned(), one.map_or(Value::Many(values), Value::One))
}

/// Use an assertion up for a role, as far as it is to count once.
///
/// # Errors
/// It was used before: InvalidIdentityToken. A 503 when nobody can tell.
pub(crate) async fn spend_assertion(
    op: &Operation,
    house: &House,
    assertion: &Assertion,
    role: &Role,
) -> Result<(), Error> {
    let role_account = role.account;
    let role = match house.settings.saml.replay {
        Replay::Off => return Ok(()),
        Replay::PerRole => Some(&role.record.id),
        Replay::Once => None,
    };
    // Twice as long as it may be used: a store that heard of a later time has not forgotten it.
    let expires_at = assertion.issued_at.saturating_add(2 * Expected::default().age_seconds_max);
    let used = AssertionUse {
        account: role_account,
        issuer: &assertion.issuer,
        id: &assertion.id,
        role,
        expires_at,
    };
    if house.directory.spend_assertion(op, used).await? {
        return Ok(());
    }
    Err(Error::new("InvalidIdentityToken", "The SAML Assertion was used before"))
}
