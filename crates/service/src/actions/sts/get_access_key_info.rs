//! `sts:GetAccessKeyInfo`: which account an access key id belongs to. Answers for any account's key.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::AccessKeyId;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct GetAccessKeyInfo;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    access_key_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    account: String,
}

impl Action for GetAccessKeyInfo {
    const NAME: &'static str = "sts:GetAccessKeyInfo";
    const CALLERS: Callers = Callers::NoDerivedSessions;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let unknown = || Error::validation("The access key id is not valid.");
        let id: AccessKeyId = call.input().access_key_id.parse().map_err(|_| unknown())?;
        // A key pinned by configuration embeds no account, or another one: what is known wins over what is written.
        let known = call.view().account_of_key(&id);
        let account = known.or_else(|| id.account()).ok_or_else(unknown)?;
        Ok(Output { account: account.to_string() })
    }
}
