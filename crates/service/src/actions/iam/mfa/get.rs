//! `iam:GetMFADevice`: one device of a user.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::owner;
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::Time;

pub(in crate::actions::iam) struct GetMfaDevice;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    serial_number: String,
    user_name: Option<String>,
}

/// No `Certifications`: those are of FIDO keys. Root has no user name.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    serial_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_date: Option<Time>,
}

impl Action for GetMfaDevice {
    const NAME: &'static str = "iam:GetMFADevice";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(owner::check(Self::NAME, scope, input.user_name.as_deref()))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let user = owner::find(call.scope(), input.user_name.as_deref())?;
        let device = owner::device(&account, &user.in_records(), &input.serial_number)?;
        Ok(Output {
            user_name: user.user_name().map(str::to_owned),
            serial_number: device.arn.clone(),
            enable_date: device.record.enabled.map(Time),
        })
    }
}
