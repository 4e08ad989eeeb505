//! `sts:GetSessionToken`: temporary credentials for the user (or root) who asks. Needs no permission and
//! cannot be denied; it is open to long-term keys only.

use daypass_authn::token::{SessionClaims, SessionKind};
use daypass_directory::{Authorized, Checks, Identity, Operation, Principal, View};
use daypass_model::limits::{ROOT_SESSION_SECONDS_MAX, USER_SESSION_SECONDS_DEFAULT};
use serde::{Deserialize, Serialize};

use super::issue::{self, Credentials};
use super::mfa;
use crate::action::{Action, read};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

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
    const NAME: (&'static str, &'static str) = ("sts", "GetSessionToken");
    const CALLERS: Callers = Callers::LongTermKeys;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params)
    }

    fn checks(_: &View, _: &Principal, _: &Input) -> Checks {
        Checks::nothing_can_deny()
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, who, view) = (call.input(), call.principal(), call.view());
        mfa::refuse_unverifiable(input.serial_number.as_deref(), input.token_code.as_deref())?;
        let asked = input.duration_seconds.unwrap_or(USER_SESSION_SECONDS_DEFAULT);
        let (kind, principal_id, seconds) = match &who.identity {
            Identity::User(user) => (SessionKind::User, user.record.id.to_string(), asked),
            // AWS cuts root's sessions to an hour without an error.
            _ => (SessionKind::Root, who.account.to_string(), asked.min(ROOT_SESSION_SECONDS_MAX)),
        };
        let (session_id, ancestry) = issue::lineage(house, None);
        let issued_at = op.now.as_second();
        let claims = SessionClaims {
            session_id,
            ancestry,
            kind,
            account: who.account,
            principal_id,
            principal_arn: who.arn.clone(),
            session_name: String::new(),
            issued_at,
            expires_at: issued_at + seconds,
            layers: Vec::new(),
            tags: Vec::new(),
            transitive_tag_keys: Vec::new(),
            source_identity: None,
            mfa_authenticated_at: None,
            federation: Vec::new(),
            chained: false,
        };
        let issued = issue::issue(house, view, &claims, input.minimum_session_token_size)?;
        Ok(Output {
            credentials: issued.credentials,
            session_token_size: issued.session_token_size,
            session_token_utilization: issued.session_token_utilization,
        })
    }
}
