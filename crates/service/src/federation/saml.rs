//! Whom a SAML assertion vouches for. Nothing is fetched: an administrator of the provider's account uploaded its metadata.
//! No part of an assertion that does not verify is logged.
//!
//! Source: AWS STS API Reference, AssumeRoleWithSAML; IAM User Guide, "SAML 2.0 federation".

use std::sync::Arc;

use daypass_authn::saml::{
    ConditionKey, DecryptionKey, EncryptedResponse, Encryption, Expected, Received, Requested, SamlError,
    VerifiedAssertion, name_qualifier, receive,
};
use daypass_directory::record::AssertionEncryption;
use daypass_directory::{
    Assertion, AssertionUse, Caller, Operation, Role, SamlProvider, TokenNames, Value, View, Vouched,
    VouchedBy,
};
use daypass_model::Arn;
use jiff::Timestamp;

use super::refused::{self, Asked};
use crate::error::Error;
use crate::house::House;
use crate::line::{Lengths, Line, busy, half_of_processors};

/// How old an assertion may be, as on AWS.
const AGE_SECONDS_MAX: i64 = 300;

/// How often one assertion counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Replay {
    /// Once for each role that it lists: tools fetch several roles with one. Once in all if its issuer says so
    /// (`OneTimeUse`), which is once in each account.
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

/// What a call or a visit brings.
#[derive(Clone, Copy)]
pub(crate) struct Response<'a> {
    /// The role it asks for; none at sign-in, where one is chosen from those that are listed.
    pub(crate) role_arn: Option<&'a str>,
    /// The provider.
    pub(crate) provider_arn: &'a str,
    /// Whether a browser brings it, sent to an address of ours by the provider.
    pub(crate) by_browser: bool,
    /// Base64 of the provider's response.
    pub(crate) text: &'a str,
}

/// What assertions take of the house beyond their own calls.
pub struct Assertions {
    decryptions: Line,
}

/// Decryptions at once, on a machine with twice as many processors or more. Anybody can ask for one by an unsigned call.
const DECRYPTIONS_AT_ONCE_MAX: usize = 4;
/// Calls that wait for one.
const DECRYPTIONS: Lengths = Lengths { of_account: 100, of_address: 20 };

impl Default for Assertions {
    fn default() -> Self {
        let at_once = half_of_processors().min(DECRYPTIONS_AT_ONCE_MAX);
        Self { decryptions: Line::new(at_once, DECRYPTIONS) }
    }
}

/// Verify the assertion of a call.
///
/// # Errors
/// InvalidIdentityToken, ExpiredTokenException, AccessDenied; Throttling where too many are to be decrypted; that all is to be
/// decided again, where the provider changed in the meantime.
pub(crate) async fn vouch_by_assertion(
    op: &Operation,
    house: &House,
    call: &Response<'_>,
) -> Result<(Arc<View>, Caller), Error> {
    let (view, assertion) = assertion(op, house, call).await?;
    let provider = provider(&view, call)?;
    let caller = Caller::vouched(provider.account, vouched(op, provider, assertion));
    Ok((view, caller))
}

/// The assertion itself, in the view that its provider was read in last.
///
/// # Errors
/// As there.
pub(crate) async fn assertion(
    op: &Operation,
    house: &House,
    call: &Response<'_>,
) -> Result<(Arc<View>, VerifiedAssertion), Error> {
    let view = house.directory.snapshot();
    let provider = provider(&view, call)?;
    let received =
        expecting(house, provider, call, |expected| receive(call.text, &provider.metadata, expected, op.now));
    match received.map_err(|error| refused(house, op, provider, error))? {
        Received::Verified(assertion) => Ok((view, *assertion)),
        Received::Encrypted(response) => open(op, house, call, provider, response).await,
    }
}

/// The same for a response that has to be decrypted, in the view from after that.
async fn open(
    op: &Operation,
    house: &House,
    call: &Response<'_>,
    provider: &SamlProvider,
    response: EncryptedResponse,
) -> Result<(Arc<View>, VerifiedAssertion), Error> {
    let (keys, directory) = (provider.keys.clone(), house.directory.clone());
    let decrypting = house.assertions.decryptions.run(provider.account, op.source_ip, move || {
        let keys: Vec<&DecryptionKey> = keys.iter().collect();
        response.decrypt(&keys, directory.random())
    });
    let response = decrypting.await?.map_err(|error| refused(house, op, provider, error))?;
    let view = house.directory.snapshot();
    let current = self::provider(&view, call)?;
    if current.revision != provider.revision {
        return Err(busy().into_conflict());
    }
    let verify = |expected: &Expected<'_>| response.verify(&current.metadata, expected, op.now);
    let assertion = expecting(house, current, call, verify);
    let assertion = assertion.map_err(|error| refused(house, op, current, error))?;
    Ok((view, assertion))
}

fn provider<'v>(view: &'v View, call: &Response<'_>) -> Result<&'v SamlProvider, Error> {
    let provider = call.provider_arn.parse().ok().and_then(|arn: Arn| view.saml_provider(&arn));
    provider
        .map(|provider| &**provider)
        .ok_or_else(|| Error::new("InvalidIdentityToken", "Specified provider doesn't exist"))
}

/// With what is expected of a response that a call brings.
fn expecting<T>(
    house: &House,
    provider: &SamlProvider,
    call: &Response<'_>,
    check: impl FnOnce(&Expected<'_>) -> T,
) -> T {
    let settings = &house.settings;
    let uuid = provider.record.uuid();
    let own = settings.saml_endpoint();
    let of_provider = own.as_ref().map(|own| format!("{own}/acs/{uuid}"));
    let own: Vec<&str> = own.iter().chain(&of_provider).map(String::as_str).collect();
    let keys: Vec<&DecryptionKey> = provider.keys.iter().collect();
    check(&Expected {
        requested: call.role_arn.map(|role_arn| Requested { role_arn, provider_arn: call.provider_arn }),
        destination: call.by_browser,
        endpoints: &own,
        provider_unique_id: (!keys.is_empty()).then_some(uuid.as_str()),
        age_seconds_max: AGE_SECONDS_MAX,
        sha1: settings.saml.allow_sha1,
        encryption: Encryption {
            keys: &keys,
            required: provider.record.encryption == Some(AssertionEncryption::Required),
        },
        ..Expected::default()
    })
}

fn refused(house: &House, op: &Operation, provider: &SamlProvider, error: SamlError) -> Error {
    let asked = Asked { name: &provider.arn, account: Some(provider.account) };
    refused::refused(house, op, asked, Error::new(error.code(), error.to_string()), error.reason())
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
        token: TokenNames::default(),
        keys,
        kept: kept.into(),
        tags: assertion.tags,
        transitive_tag_keys: assertion.transitive_tag_keys,
        source_identity: assertion.source_identity,
        by_certificate: None,
        by: VouchedBy::Saml(Assertion {
            id: assertion.id,
            issuer: assertion.issuer,
            issued_at: assertion.issue_instant.as_second(),
            subject_type,
            name_qualifier,
            session_name: assertion.role_session_name,
            one_time_use: assertion.one_time_use,
            session_seconds: assertion.session_duration_seconds.map(i64::from),
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
        Replay::PerRole if !assertion.one_time_use => Some(&role.record.id),
        Replay::PerRole | Replay::Once => None,
    };
    // Twice as long as it may be used: a store that heard of a later time has not forgotten it.
    let expires_at = assertion.issued_at.saturating_add(2 * AGE_SECONDS_MAX);
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
