//! `sts:AssumeRoleWithWebIdentity`: whoever an OpenID Connect provider vouches for becomes a session of a role that trusts
//! the provider.
//!
//! Up to three permissions, each by the trust policy alone: the role, its session tags, its source identity. Source: AWS STS API
//! Reference, AssumeRoleWithWebIdentity; IAM User Guide, "OIDC federation".

use std::sync::Arc;

use daypass_directory::{Authorized, Caller, Checks, Operation, Scope, View};
use serde::{Deserialize, Serialize};

use super::assume_role::AssumedRoleUser;
use super::issue::{self, Credentials, PolicyDescriptor};
use super::vouched;
use crate::action::{Action, Unsigned, read};
use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::error::Error;
use crate::federation;
use crate::house::House;
use crate::params::Params;

pub(super) struct AssumeRoleWithWebIdentity;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    role_arn: String,
    role_session_name: String,
    web_identity_token: String,
    provider_id: Option<String>,
    #[serde(default)]
    policy_arns: Vec<PolicyDescriptor>,
    policy: Option<String>,
    duration_seconds: Option<i64>,
    minimum_session_token_size: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    audience: String,
    assumed_role_user: AssumedRoleUser,
    provider: String,
    credentials: Credentials,
    subject_from_web_identity_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed_policy_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
    session_token_size: usize,
    session_token_utilization: u32,
}

impl Action for AssumeRoleWithWebIdentity {
    const NAME: &'static str = "sts:AssumeRoleWithWebIdentity";
    const CALLERS: Callers = Callers::Vouched;
    const READ_ONLY: bool = false;
    const ISSUES: bool = true;
    const AUDIT: AuditTraits = AuditTraits {
        read_only: Some(true),
        role: Some("RoleArn"),
        hidden: &["/webIdentityToken"],
        ..AuditTraits::PLAIN
    };
    type Input = Input;
    type Output = Output;

    fn parse(params: &Params) -> Result<Input, Error> {
        let input = read::<Self>(params, Self::READ_ONLY)?;
        vouched::check_role_arn(&input.role_arn)?;
        Ok(input)
    }

    fn checks(scope: &Scope, input: &Input) -> Checks {
        vouched::checks(Self::NAME, scope, &input.role_arn, &input.role_session_name)
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let input = call.input();
        let asked = vouched::Asked {
            role_arn: &input.role_arn,
            session_name: &input.role_session_name,
            policy: input.policy.as_ref(),
            policy_arns: &input.policy_arns,
            lifetime: vouched::Lifetime::OfRole(input.duration_seconds),
            ends_by: None,
        };
        let granted = vouched::grant(op, house, &call, &asked)?;
        let issued = issue::issue(op, house, &call, &granted.claims, input.minimum_session_token_size)?;
        let who =
            call.principal().vouched().ok_or_else(|| Error::internal("nobody vouches for the caller"))?;
        Ok(Output {
            audience: who.audience.clone(),
            assumed_role_user: AssumedRoleUser::of(granted.role, &input.role_session_name),
            provider: who.provider.clone(),
            credentials: issued.credentials,
            subject_from_web_identity_token: who.subject.clone(),
            packed_policy_size: granted.is_packed.then_some(issued.packed_policy_size),
            source_identity: who.source_identity.clone(),
            session_token_size: issued.session_token_size,
            session_token_utilization: issued.session_token_utilization,
        })
    }
}

impl Unsigned for AssumeRoleWithWebIdentity {
    async fn vouch(op: &Operation, house: &House, input: &Input) -> Result<(Arc<View>, Caller), Error> {
        let call = federation::Presented { role_arn: &input.role_arn, token: &input.web_identity_token };
        match &input.provider_id {
            Some(id) => federation::vouch_by_access_token(op, house, id, &call).await,
            None => federation::vouch(op, house, &call).await,
        }
    }
}
