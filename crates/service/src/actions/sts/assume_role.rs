//! `sts:AssumeRole`: a user or role session becomes a session of a role that trusts it.
//!
//! Up to four permissions, each on trust policy and identity side: AssumeRole, TagSession (tags passed or
//! inherited), SetSourceIdentity (given or inherited), SetContext. Source: AWS STS API Reference, AssumeRole; IAM User
//! Guide, "Pass session tags in AWS STS", "Monitor and control actions taken with assumed roles".

use std::sync::Arc;

use daypass_authn::token::{SessionClaims, SessionKind};
use daypass_directory::{Authorized, Check, Checks, Operation, Principal, Role, Scope, TrustingRole};
use daypass_model::limits::CHAINED_SESSION_SECONDS_MAX;
use daypass_model::{AccountId, Arn, Tag, TagSet, is_reserved, same_key};
use serde::{Deserialize, Serialize};

use super::claims::Subject;
use super::issue::{self, Credentials, PolicyDescriptor};
use super::{claims, mfa, vouched};
use crate::action::{Action, read};
use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

pub(super) struct AssumeRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    role_arn: String,
    role_session_name: String,
    #[serde(default)]
    policy_arns: Vec<PolicyDescriptor>,
    policy: Option<String>,
    duration_seconds: Option<i64>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    transitive_tag_keys: Vec<String>,
    external_id: Option<String>,
    serial_number: Option<String>,
    token_code: Option<String>,
    source_identity: Option<String>,
    #[serde(default)]
    provided_contexts: Vec<serde::de::IgnoredAny>,
    minimum_session_token_size: Option<i64>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    pub(super) assumed_role_user: AssumedRoleUser,
    pub(super) credentials: Credentials,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed_policy_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
    session_token_size: usize,
    session_token_utilization: u32,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AssumedRoleUser {
    pub(in crate::actions) assumed_role_id: String,
    pub(in crate::actions) arn: String,
}

impl AssumedRoleUser {
    /// A session of a role.
    pub(crate) fn of(role: &Role, session: &str) -> Self {
        let (id, name) = (&role.record.id, &role.record.name);
        let arn = daypass_directory::assumed_role_arn(role.account, name, session);
        Self { assumed_role_id: format!("{id}:{session}"), arn }
    }
}

impl Action for AssumeRole {
    const NAME: &'static str = "sts:AssumeRole";
    const CALLERS: Callers = Callers::AssumesRoles;
    const READ_ONLY: bool = false;
    const ISSUES: bool = true;
    /// CloudTrail has it as a read, though it issues: GetSessionToken is a write there.
    const AUDIT: AuditTraits = AuditTraits {
        read_only: Some(true),
        role: Some("RoleArn"),
        inherits_tags: true,
        ..AuditTraits::PLAIN
    };
    type Input = Input;
    type Output = Output;

    fn parse(params: &Params) -> Result<Input, Error> {
        let input = read::<Self>(params, Self::READ_ONLY)?;
        vouched::check_role_arn(&input.role_arn)?;
        Ok(input)
    }

    /// A code given here is for this decision alone: the session that comes of it has no MFA.
    async fn prove(op: &Operation, house: &House, scope: Scope, input: &Input) -> Result<Scope, Error> {
        // Told before any policy is asked, as recorded against AWS, and before a code is used up.
        Inherited::of(scope.principal()).refuse_another_source_identity(input)?;
        mfa::prove(op, house, scope, input.serial_number.as_deref(), input.token_code.as_deref()).await
    }

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let inherited = Inherited::of(scope.principal());
        let Some(TrustingRole { role, .. }) = trusting_role(scope, &input.role_arn) else {
            let owner = input.role_arn.parse().ok().and_then(|arn: Arn| arn.account_id());
            let owner = owner.unwrap_or(scope.principal().account);
            return Checks::missing(inherited.asked(&input.role_arn, owner, input));
        };
        let check = inherited.keys(role, input);
        let tagging = !input.tags.is_empty() || !inherited.tags.is_empty();
        let naming = input.source_identity.is_some() || inherited.source_identity.is_some();
        Checks::one(check)
            .also_if(tagging, "sts:TagSession")
            .also_if(naming, "sts:SetSourceIdentity")
            .also_if(!input.provided_contexts.is_empty(), "sts:SetContext")
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, who) = (call.input(), call.principal());
        let trusting = trusting_role(call.scope(), &input.role_arn)
            .ok_or_else(|| Error::internal("a role was authorized that is not there"))?;
        let role = trusting.role;
        if !input.provided_contexts.is_empty() {
            return Err(Error::new(
                "InvalidContextAssertion",
                "The context assertion is from no trusted context provider.",
            ));
        }
        let inherited = Inherited::of(who);
        let seconds = duration(input.duration_seconds, role, who)?;
        let source_identity = inherited.settle_source_identity(input.source_identity.as_deref())?;
        let (tags, transitive_tag_keys) = inherited.settle_tags(&input.tags, &input.transitive_tag_keys)?;
        let layer = issue::layer(|arn| trusting.policy(arn), input.policy.as_ref(), &input.policy_arns)?;
        let packed = layer.is_some() || !input.tags.is_empty();
        let of = Subject {
            kind: SessionKind::Role,
            account: role.account,
            id: role.record.id.to_string(),
            arn: role.arn.clone(),
        };
        let claims = SessionClaims {
            session_name: input.role_session_name.clone(),
            layers: layer.into_iter().collect(),
            tags,
            transitive_tag_keys,
            source_identity: source_identity.clone(),
            ..claims::begin(op, house, who, of, seconds)?
        };
        let issued = issue::issue(op, house, &call, &claims, input.minimum_session_token_size)?;
        Ok(Output {
            assumed_role_user: AssumedRoleUser::of(role, &input.role_session_name),
            credentials: issued.credentials,
            packed_policy_size: packed.then_some(issued.packed_policy_size),
            source_identity,
            session_token_size: issued.session_token_size,
            session_token_utilization: issued.session_token_utilization,
        })
    }
}

fn trusting_role<'v>(scope: &'v Scope, arn: &str) -> Option<TrustingRole<'v>> {
    scope.view().trusting_role(&arn.parse().ok()?)
}

fn duration(asked: Option<i64>, role: &Role, who: &Principal) -> Result<i64, Error> {
    // The role's own bound first, as recorded against AWS.
    let seconds = claims::seconds_of_role(asked, role)?;
    if who.session.is_some() && seconds > CHAINED_SESSION_SECONDS_MAX {
        return Err(Error::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    Ok(seconds)
}

/// What a chained session takes over from the calling one, whether the caller wants it or not.
struct Inherited {
    tags: TagSet,
    source_identity: Option<String>,
}

impl Inherited {
    fn of(who: &Principal) -> Self {
        let Some(session) = &who.session else { return Self { tags: TagSet::new(), source_identity: None } };
        let claims = &session.claims;
        let tags = claims.transitive_tags().cloned().collect();
        Self { tags, source_identity: claims.source_identity.clone() }
    }

    /// The question of this call, with the condition keys that the call itself gives.
    fn asked(&self, arn: &str, owner: AccountId, input: &Input) -> Check {
        let check = Check::new(AssumeRole::NAME, arn, owner)
            .with("sts:RoleSessionName", input.role_session_name.as_str())
            .with_some("sts:ExternalId", input.external_id.as_deref())
            .with_some(
                "sts:SourceIdentity",
                input.source_identity.as_deref().or(self.source_identity.as_deref()),
            )
            .with_request_tags(&input.tags);
        let transitive = Some(&input.transitive_tag_keys).filter(|keys| !keys.is_empty());
        check.with_some("sts:TransitiveTagKeys", transitive.cloned())
    }

    /// The condition keys of all permissions, which share one context.
    fn keys(&self, role: &Arc<Role>, input: &Input) -> Check {
        // An inherited transitive tag takes the place of the role's tag of the same key.
        let mut resource_tags = role.record.tags.clone();
        for tag in &self.tags {
            if resource_tags.value(&tag.key).is_some() {
                resource_tags.insert(tag.clone());
            }
        }
        self.asked(&role.arn, role.account, input).of_role(role, &resource_tags)
    }

    /// The source identity is set once and kept through the whole chain.
    fn refuse_another_source_identity(&self, input: &Input) -> Result<(), Error> {
        match (&input.source_identity, &self.source_identity) {
            (Some(asked), Some(kept)) if asked != kept => {
                Err(Error::validation("The source identity is already set for this assume role session"))
            }
            _ => Ok(()),
        }
    }

    fn settle_source_identity(&self, asked: Option<&str>) -> Result<Option<String>, Error> {
        if asked.is_some_and(is_reserved) {
            return Err(Error::validation("SourceIdentity may not begin with aws:."));
        }
        Ok(self.source_identity.as_deref().or(asked).map(str::to_owned))
    }

    /// The session's tags and which of them are transitive.
    fn settle_tags(&self, passed: &[Tag], transitive: &[String]) -> Result<(Vec<Tag>, Vec<String>), Error> {
        let invalid = |message: &str| Err(Error::new("InvalidParameterValue", message));
        issue::check_tags(passed)?;
        if !transitive.iter().all(|key| passed.iter().any(|tag| same_key(&tag.key, key))) {
            return invalid("The specified transitive tag key must be included in the requested tags.");
        }
        if passed.iter().any(|tag| self.tags.value(&tag.key).is_some()) {
            return invalid(
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
            );
        }
        let tags = self.tags.iter().chain(passed).cloned().collect();
        let keys = self.tags.iter().map(|tag| tag.key.clone()).chain(transitive.iter().cloned()).collect();
        Ok((tags, keys))
    }
}
