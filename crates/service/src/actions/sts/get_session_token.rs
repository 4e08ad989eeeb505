//! `sts:GetSessionToken`: temporary credentials for the user (or root) who asks. Needs no permission and
//! cannot be denied; it is open to long-term keys only.

use daypass_authn::token::{SessionClaims, SessionKind};
use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::issue::{self, Credentials};
use super::{claims, mfa};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct GetSessionToken;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    duration_seconds: Option<i64>,
    serial_number: Option<String>,
    token_code: Option<String>,
    minimum_session_token_size: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    credentials: Credentials,
    session_token_size: usize,
    session_token_utilization: u32,
}

impl Action for GetSessionToken {
    const NAME: &'static str = "sts:GetSessionToken";
    const CALLERS: Callers = Callers::LongTermKeys;
    const READ_ONLY: bool = false;
    const ISSUES: bool = true;
    type Input = Input;
    type Output = Output;

    async fn prove(op: &Operation, house: &House, scope: Scope, input: &Input) -> Result<Scope, Error> {
        mfa::prove(op, house, scope, input.serial_number.as_deref(), input.token_code.as_deref()).await
    }

    fn checks(_: &Scope, _: &Input) -> Checks {
        Checks::nothing_can_deny()
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, who) = (call.input(), call.principal());
        let kinds = (SessionKind::User, SessionKind::Root);
        let (of, seconds) = claims::of_caller(who, kinds, input.duration_seconds)?;
        let claims = SessionClaims {
            mfa_authenticated_at: call.scope().mfa_given().then(|| op.now.as_second()),
            ..claims::begin(op, house, who, of, seconds)?
        };
        let issued = issue::issue(op, house, &call, &claims, input.minimum_session_token_size)?;
        Ok(Output {
            credentials: issued.credentials,
            session_token_size: issued.session_token_size,
            session_token_utilization: issued.session_token_utilization,
        })
    }
}
