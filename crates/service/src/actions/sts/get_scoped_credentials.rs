//! `sts:GetScopedCredentials`: a session hands on less than it has. The same principal under the same session name,
//! with one scope-down policy more or a shorter life; everything else is the calling session's.
//!
//! Source: AWS STS API Reference, GetScopedCredentials. Whether a grant is needed is documented nowhere; it is here.

use daypass_authn::token::{SessionClaims, SessionLayer};
use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::limits::SCOPED_POLICIES_MAX;
use serde::{Deserialize, Serialize};

use super::issue::{self, Credentials};
use crate::action::{Action, read};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::lineage::descendant;
use crate::params::Params;

pub(super) struct GetScopedCredentials;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    policy: Option<String>,
    duration_seconds: Option<i64>,
    minimum_session_token_size: Option<i64>,
    /// For the audit record, which repeats every parameter, and the session log.
    scoped_session_description: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    credentials: Credentials,
    session_info: ScopedSession,
    session_token_utilization: u32,
    session_token_size: usize,
    scoped_policies_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ScopedSession {
    scoped_session_id: String,
    arn: String,
}

impl Action for GetScopedCredentials {
    const NAME: &'static str = "sts:GetScopedCredentials";
    const CALLERS: Callers = Callers::Sessions;
    const READ_ONLY: bool = false;
    const ISSUES: bool = true;
    type Input = Input;
    type Output = Output;

    fn parse(params: &Params) -> Result<Input, Error> {
        let input = read::<Self>(params, Self::READ_ONLY)?;
        if input.policy.is_none() && input.duration_seconds.is_none() {
            return Err(Error::validation("At least one of Policy and DurationSeconds must be given."));
        }
        Ok(input)
    }

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, format!("arn:aws:sts::{}:self", scope.account().id())))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, who) = (call.input(), call.principal());
        let session = who.session.as_deref();
        let session = session.ok_or_else(|| Error::internal("long-term keys asked for less"))?;
        let expires_at = end(op.now.as_second(), session.claims.expires_at, input.duration_seconds)?;
        let layer = issue::layer(|_| None, input.policy.as_ref(), &[])?;
        let descendant = descendant(op, house, session, expires_at)?;
        let claims = SessionClaims { chained: true, ..narrowed(&descendant, layer)? };
        let (size, description) =
            (input.minimum_session_token_size, input.scoped_session_description.as_deref());
        let issued = issue::issue_described(op, house, &call, &claims, size, description)?;
        Ok(Output {
            credentials: issued.credentials,
            session_info: ScopedSession { scoped_session_id: who.user_id.clone(), arn: who.arn.clone() },
            session_token_utilization: issued.session_token_utilization,
            session_token_size: issued.session_token_size,
            scoped_policies_count: claims.scoped_layers,
            source_identity: claims.source_identity,
        })
    }
}

/// When the new session ends: never after the calling one, and never earlier than asked for without a word.
fn end(now: i64, calling_ends: i64, seconds: Option<i64>) -> Result<i64, Error> {
    match seconds.map(|seconds| now.saturating_add(seconds)) {
        None => Ok(calling_ends),
        Some(end) if end <= calling_ends => Ok(end),
        Some(_) => Err(Error::new(
            "InsufficientSessionLifetime",
            "The requested DurationSeconds exceeds the remaining lifetime of the calling session.",
        )),
    }
}

/// What the calling session is, with one layer more.
fn narrowed(calling: &SessionClaims, layer: Option<SessionLayer>) -> Result<SessionClaims, Error> {
    let mut claims = calling.clone();
    if let Some(layer) = layer {
        if claims.scoped_layers >= SCOPED_POLICIES_MAX {
            let message = format!(
                "A session may have {SCOPED_POLICIES_MAX} scope-down policies, and this one has them."
            );
            return Err(Error::access_denied(message));
        }
        claims.layers.push(layer);
        claims.scoped_layers += 1;
    }
    Ok(claims)
}
