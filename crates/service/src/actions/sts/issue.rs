//! What every call that issues credentials shares: session policies, tags, the token, its sizes.

use daypass_authn::token::{SessionClaims, SessionLayer};
use daypass_directory::{AnyPolicy, Authorized, Operation};
use daypass_model::limits::{SESSION_POLICY_ARNS_MAX, SESSION_POLICY_CHARACTERS_MAX, TAGS_MAX};
use daypass_model::{AccessKeyId, AccessKeyKind, Secret, Tag, TagSet, is_reserved};
use daypass_policy::Kind;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::house::House;
use crate::request::{Time, exposed};
use crate::sessions::SessionEntry;

/// `Credentials` of an answer.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Credentials {
    access_key_id: String,
    #[serde(serialize_with = "exposed")]
    secret_access_key: Secret,
    #[serde(serialize_with = "exposed")]
    session_token: Secret,
    expiration: Time,
}

impl Credentials {
    /// When they end, in Unix seconds.
    pub(crate) fn expiration(&self) -> i64 {
        self.expiration.0
    }

    /// Access key id and token, for whoever uses them here and now.
    pub(super) fn presented(&self) -> (&str, &str) {
        (&self.access_key_id, self.session_token.expose_str())
    }

    /// Access key id, secret and token, for an answer of another form.
    pub(crate) fn into_parts(self) -> (String, Secret, Secret) {
        (self.access_key_id, self.secret_access_key, self.session_token)
    }
}

/// Credentials and what the answer tells of their token.
pub(crate) struct Issued {
    pub(crate) credentials: Credentials,
    pub(crate) packed_policy_size: u32,
    pub(crate) session_token_size: usize,
    pub(crate) session_token_utilization: u32,
}

/// A managed session policy, `PolicyArns.member.N.arn`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyDescriptor {
    pub(crate) arn: Option<String>,
}

/// Seal the claims and derive the secret that goes with them.
pub(crate) fn issue<I>(
    op: &Operation,
    house: &House,
    call: &Authorized<I>,
    claims: &SessionClaims,
    minimum: Option<i64>,
) -> Result<Issued, Error> {
    issue_described(op, house, call, claims, minimum, None)
}

/// The same, with a description for whoever looks through the sessions.
pub(crate) fn issue_described<I>(
    op: &Operation,
    house: &House,
    call: &Authorized<I>,
    claims: &SessionClaims,
    minimum: Option<i64>,
    description: Option<&str>,
) -> Result<Issued, Error> {
    let keyring = call.view().keyring();
    let random = house.directory.random();
    let access_key_id = AccessKeyId::generate(AccessKeyKind::Temporary, claims.account, random);
    let minimum = usize::try_from(minimum.unwrap_or(0)).unwrap_or(0);
    let sealed = keyring.seal(claims, &access_key_id, minimum, random)?;
    house.session_log.keep(SessionEntry::of(op, call.principal(), claims, &access_key_id, description));
    Ok(Issued {
        packed_policy_size: sealed.packed_policy_percent,
        session_token_size: sealed.token.len(),
        credentials: Credentials {
            access_key_id: access_key_id.to_string(),
            secret_access_key: sealed.secret_access_key,
            session_token: Secret::new(sealed.token),
            expiration: Time(claims.expires_at),
        },
        session_token_utilization: sealed.utilization_percent,
    })
}

/// Check the session policies of a call and make them one layer; `None` when none was passed. `find` knows the
/// managed policies where the session will act, by ARN.
pub(super) fn layer<'v>(
    find: impl Fn(&str) -> Option<AnyPolicy<'v>>,
    policy: Option<&String>,
    arns: &[PolicyDescriptor],
) -> Result<Option<SessionLayer>, Error> {
    if policy.is_none() && arns.is_empty() {
        return Ok(None);
    }
    if arns.len() > SESSION_POLICY_ARNS_MAX {
        return Err(Error::validation(format!(
            "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to {SESSION_POLICY_ARNS_MAX}"
        )));
    }
    if let Some(text) = policy {
        daypass_policy::validate(Kind::Session, text)
            .map_err(|malformed| Error::malformed_policy(malformed.message))?;
    }
    let mut policy_ids = Vec::with_capacity(arns.len());
    let mut characters = policy.map_or(0, |text| text.chars().count());
    for descriptor in arns {
        let arn = descriptor.arn.clone().unwrap_or_default();
        let policy = find(&arn).ok_or_else(|| {
            Error::new(
                "MalformedPolicyDocument",
                format!(
                    "The policy ARN {arn} is not valid: it names no managed policy of this account or of AWS."
                ),
            )
        })?;
        characters += arn.len();
        policy_ids.push(policy.id().to_owned());
    }
    if characters > SESSION_POLICY_CHARACTERS_MAX {
        // Rounded up: one character too many is not 100%.
        let percent = (characters * 100).div_ceil(SESSION_POLICY_CHARACTERS_MAX);
        return Err(Error::new(
            "PackedPolicyTooLarge",
            format!("Packed policy consumes {percent}% of allotted space, please use smaller policy."),
        ));
    }
    Ok(Some(SessionLayer { inline: policy.cloned(), policy_ids }))
}

/// Rules of session tags that need more than their shape.
pub(super) fn check_tags(tags: &[Tag]) -> Result<(), Error> {
    let invalid = |message: String| Error::new("InvalidParameterValue", message);
    if tags.len() > TAGS_MAX {
        return Err(invalid(format!("The number of session tags may not exceed {TAGS_MAX}.")));
    }
    if tags.iter().any(|tag| is_reserved(&tag.key) || is_reserved(&tag.value)) {
        return Err(invalid("Tag keys and values beginning with aws: are reserved for system use.".into()));
    }
    if tags.iter().cloned().collect::<TagSet>().len() < tags.len() {
        return Err(invalid(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.".into(),
        ));
    }
    Ok(())
}
