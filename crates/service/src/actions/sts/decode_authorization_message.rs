//! `sts:DecodeAuthorizationMessage`: what an encoded authorization message of a denial says. Of the own account only.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::audit::AuditTraits;
use crate::authorization_message;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct DecodeAuthorizationMessage;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    encoded_message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    decoded_message: String,
}

impl Action for DecodeAuthorizationMessage {
    const NAME: &'static str = "sts:DecodeAuthorizationMessage";
    const CALLERS: Callers = Callers::NoDerivedSessions;
    /// Listed as a write, and audited as a read.
    const READ_ONLY: bool = false;
    const AUDIT: AuditTraits = AuditTraits { read_only: Some(true), ..AuditTraits::PLAIN };
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(op: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (keyring, account) = (call.view().keyring(), call.account().id());
        let message = &call.input().encoded_message;
        let decoded_message = authorization_message::decode(keyring, account, op.now.as_second(), message)?;
        Ok(Output { decoded_message })
    }
}
