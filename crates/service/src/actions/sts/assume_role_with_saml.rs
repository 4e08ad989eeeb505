//! `sts:AssumeRoleWithSAML`: whoever a SAML provider vouches for becomes a session of a role that trusts the provider.
//!
//! Up to three permissions, each by the trust policy alone: the role, its session tags, its source identity. Source: AWS STS API
//! Reference, AssumeRoleWithSAML; IAM User Guide, "SAML 2.0 federation".

use std::sync::Arc;

use daypass_directory::{Assertion, Authorized, Caller, Checks, Operation, Scope, View, Vouched};
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

pub(super) struct AssumeRoleWithSaml;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    role_arn: String,
    principal_arn: String,
    #[serde(rename = "SAMLAssertion")]
    assertion: String,
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
    credentials: Credentials,
    issuer: String,
    name_qualifier: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed_policy_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
    subject: String,
    subject_type: String,
    session_token_size: usize,
    session_token_utilization: u32,
}

impl Action for AssumeRoleWithSaml {
    const NAME: &'static str = "sts:AssumeRoleWithSAML";
    const CALLERS: Callers = Callers::Vouched;
    const READ_ONLY: bool = false;
    const ISSUES: bool = true;
    const AUDIT: AuditTraits = AuditTraits {
        read_only: Some(true),
        role: Some("RoleArn"),
        hidden: &["/sAMLAssertion"],
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
        let assertion = scope.principal().vouched().and_then(Vouched::assertion);
        let session_name = assertion.map_or("", |assertion| &assertion.session_name);
        vouched::checks(Self::NAME, scope, &input.role_arn, session_name)
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let input = call.input();
        let (who, assertion) = vouching(&call)?;
        let asked = vouched::Asked {
            role_arn: &input.role_arn,
            session_name: &assertion.session_name,
            policy: input.policy.as_ref(),
            policy_arns: &input.policy_arns,
            lifetime: vouched::Lifetime::OfRole(input.duration_seconds),
            ends_by: assertion.ends_by,
        };
        let granted = vouched::grant(op, house, &call, &asked)?;
        // After what the role and its trust policy refuse: that can be mended, and the assertion brought again. Only a token that
        // would be too large is told later, since issuing is noted.
        federation::spend_assertion(op, house, assertion, granted.role).await?;
        let issued = issue::issue(op, house, &call, &granted.claims, input.minimum_session_token_size)?;
        Ok(Output {
            audience: who.audience.clone(),
            assumed_role_user: AssumedRoleUser::of(granted.role, &assertion.session_name),
            credentials: issued.credentials,
            issuer: assertion.issuer.clone(),
            name_qualifier: assertion.name_qualifier.clone(),
            packed_policy_size: granted.is_packed.then_some(issued.packed_policy_size),
            source_identity: who.source_identity.clone(),
            subject: who.subject.clone(),
            subject_type: assertion.subject_type.clone(),
            session_token_size: issued.session_token_size,
            session_token_utilization: issued.session_token_utilization,
        })
    }
}

/// Who calls, and what the assertion says of them.
fn vouching(call: &Authorized<Input>) -> Result<(&Vouched, &Assertion), Error> {
    let who = call.principal().vouched();
    who.and_then(|who| Some((who, who.assertion()?)))
        .ok_or_else(|| Error::internal("no assertion vouches for the caller"))
}

impl Unsigned for AssumeRoleWithSaml {
    async fn vouch(op: &Operation, house: &House, input: &Input) -> Result<(Arc<View>, Caller), Error> {
        let response = federation::Response {
            role_arn: Some(&input.role_arn),
            provider_arn: &input.principal_arn,
            by_browser: false,
            text: &input.assertion,
        };
        federation::vouch_by_assertion(op, house, &response).await
    }
}
