//! `rolesanywhere:CreateSession`: whoever holds the key of a certificate that leads to a trust anchor becomes a session of a
//! role. There is no such permission: the role's trust policy lets the service `rolesanywhere.amazonaws.com` in, and may ask for
//! what the certificate says.
//!
//! Source: IAM Roles Anywhere User Guide, "The IAM Roles Anywhere trust model" and "The IAM Roles Anywhere authentication signing
//! process"; the answer as AWS's credential helper reads it (github.com/aws/rolesanywhere-credential-helper).

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_authn::sigv4::{AuthError, Presented};
use daypass_directory::anywhere::ByCertificate;
use daypass_directory::anywhere::record::ProfileRecord;
use daypass_directory::{AccountView, Authorized, Caller, Checks, Operation, Scope, View};
use serde::{Deserialize, Serialize};

use super::shape::Moment;
use super::subject::{self, Attempt};
use crate::action::{Action, Unsigned};
use crate::actions::pass_role;
use crate::actions::sts::issue::{self, Issued, PolicyDescriptor};
use crate::actions::sts::vouched::{self, Asked, Granted, Lifetime};
use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::error::Error;
use crate::federation::{Asked as AskedByCertificate, Came, claim_of, vouch_by_certificate};
use crate::house::House;
use crate::params::Params;
use crate::request::Request;

pub(super) struct CreateSession;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    profile_arn: String,
    role_arn: String,
    trust_anchor_arn: String,
    duration_seconds: Option<i64>,
    role_session_name: Option<String>,
    #[serde(default)]
    instance_properties: BTreeMap<String, String>,
    /// Old helpers send it, and AWS does not look at it.
    #[serde(rename = "sessionName")]
    _session_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    credential_set: [CredentialSet; 1],
    subject_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CredentialSet {
    assumed_role_user: AssumedRoleUser,
    credentials: Credentials,
    packed_policy_size: u32,
    role_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AssumedRoleUser {
    arn: String,
    assumed_role_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    access_key_id: String,
    expiration: Moment,
    #[serde(serialize_with = "crate::request::exposed")]
    secret_access_key: daypass_model::Secret,
    #[serde(serialize_with = "crate::request::exposed")]
    session_token: daypass_model::Secret,
}

impl Action for CreateSession {
    const NAME: &'static str = "rolesanywhere:CreateSession";
    const CALLERS: Callers = Callers::Vouched;
    const READ_ONLY: bool = false;
    const ISSUES: bool = true;
    const AUDIT: AuditTraits = AuditTraits { role: Some("roleArn"), ..AuditTraits::PLAIN };
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let name = claim_of(scope).map_or("", |claim| claim.session_name.as_str());
        vouched::checks("sts:AssumeRole", scope, &input.role_arn, name)
    }

    async fn denied(op: &Operation, house: &House, scope: &Scope, params: &Params) {
        if let Ok(input) = Self::parse(params) {
            note_refused(op, house, scope, &input.instance_properties).await;
        }
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let nobody = || Error::internal("nobody vouches for the caller");
        let claim = claim_of(call.scope()).ok_or_else(nobody)?.clone();
        let profile = account.anywhere_profile(&claim.profile).ok_or_else(nobody)?;
        let made = make(op, house, &call, &claim, &profile.record);
        // What is decided again is no refusal.
        if made.as_ref().is_err_and(|error| !error.is_conflict()) {
            note_refused(op, house, call.scope(), &input.instance_properties).await;
        }
        let (granted, issued) = made?;
        let properties = &input.instance_properties;
        let subject_arn = subject::seen(op, house, &call, &claim.certificate, properties).await;
        let (access_key_id, secret_access_key, session_token) = issued.credentials.into_parts();
        let role = granted.role;
        Ok(Output {
            credential_set: [CredentialSet {
                assumed_role_user: AssumedRoleUser {
                    arn: daypass_directory::assumed_role_arn(
                        account.id(),
                        &role.record.name,
                        &claim.session_name,
                    ),
                    assumed_role_id: format!("{}:{}", role.record.id, claim.session_name),
                },
                credentials: Credentials {
                    access_key_id,
                    expiration: Moment(granted.claims.expires_at),
                    secret_access_key,
                    session_token,
                },
                packed_policy_size: issued.packed_policy_size,
                role_arn: role.arn.clone(),
                source_identity: granted.claims.source_identity.clone(),
            }],
            subject_arn,
        })
    }
}

/// The session that the profile gives.
fn make<'c>(
    op: &Operation,
    house: &House,
    call: &'c Authorized<Input>,
    claim: &ByCertificate,
    profile: &ProfileRecord,
) -> Result<(Granted<'c>, Issued), Error> {
    let policy_arns: Vec<_> =
        profile.managed_policies.iter().map(|arn| PolicyDescriptor { arn: Some(arn.clone()) }).collect();
    let input = call.input();
    let asked = Asked {
        role_arn: &input.role_arn,
        session_name: &claim.session_name,
        policy: profile.session_policy.as_ref(),
        policy_arns: &policy_arns,
        lifetime: Lifetime::Exactly(seconds(&call.account(), profile, input)),
        ends_by: None,
    };
    let granted = vouched::grant(op, house, call, &asked)?;
    let issued = issue::issue(op, house, call, &granted.claims, None)?;
    Ok((granted, issued))
}

/// Whoever was vouched for got nothing.
async fn note_refused(op: &Operation, house: &House, scope: &Scope, properties: &BTreeMap<String, String>) {
    let Some(claim) = claim_of(scope) else { return };
    let (account, certificate) = (scope.account(), &*claim.certificate);
    let attempt = Attempt { account, certificate, properties, may_be_new: true };
    subject::refused(op, house, scope.view(), &attempt).await;
}

/// Nobody was vouched for.
async fn note_not_vouched(op: &Operation, house: &House, came: &Came, properties: &BTreeMap<String, String>) {
    let Some((account, _)) = came.view.trust_anchor(&came.anchor) else { return };
    // Below a revoked authority anybody has any name.
    let may_be_new = !came.is_revoked;
    let attempt = Attempt { account, certificate: &came.certificate, properties, may_be_new };
    subject::refused(op, house, &came.view, &attempt).await;
}

/// For how long: what is asked for, or else what the profile says; the profile's and the role's bounds cut it short.
fn seconds(account: &AccountView<'_>, profile: &ProfileRecord, input: &Input) -> i64 {
    let asked = input.duration_seconds.unwrap_or(profile.duration).min(profile.duration);
    let role = pass_role::find(account, &input.role_arn);
    role.map_or(asked, |role| asked.min(role.record.session_duration_max))
}

impl Unsigned for CreateSession {
    const BY_CERTIFICATE: bool = true;

    async fn vouch(_: &Operation, _: &House, _: &Input) -> Result<(Arc<View>, Caller), Error> {
        Err(AuthError::MissingAuthenticationToken.into())
    }

    async fn vouch_by_request(
        op: &Operation,
        house: &House,
        request: &Request,
        presented: &Presented,
        input: &Input,
    ) -> Result<(Arc<View>, Caller), Error> {
        let asked = AskedByCertificate {
            profile_arn: &input.profile_arn,
            role_arn: &input.role_arn,
            trust_anchor_arn: &input.trust_anchor_arn,
            role_session_name: input.role_session_name.as_deref(),
            has_instance_properties: !input.instance_properties.is_empty(),
        };
        match vouch_by_certificate(op, house, request, presented, &asked) {
            Ok(vouched) => Ok(vouched),
            Err(not_vouched) => {
                if let Some(came) = &not_vouched.came {
                    note_not_vouched(op, house, came, &input.instance_properties).await;
                }
                Err(not_vouched.error)
            }
        }
    }
}
