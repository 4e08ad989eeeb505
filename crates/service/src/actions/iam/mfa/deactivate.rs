//! `iam:DeactivateMFADevice`: the device is its user's no longer. Sessions that were given for a code of it stay.

use daypass_directory::record::MfaDeviceRecord;
use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Deserialize;

use super::owner;
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeactivateMfaDevice;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: Option<String>,
    serial_number: String,
}

impl Action for DeactivateMfaDevice {
    const NAME: &'static str = "iam:DeactivateMFADevice";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(owner::check(Self::NAME, scope, input.user_name.as_deref()))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let user = owner::find(call.scope(), input.user_name.as_deref())?;
        let owner = user.in_records();
        owner::may_change_own(&call, &owner, Self::NAME, &owner::shown(user, &account))?;
        let device = owner::device(&account, &owner, &input.serial_number)?;
        let mut change = call.change(op);
        change.delete(key::assigned(account.id(), &owner, &device.record.id));
        let record = MfaDeviceRecord { owner: None, enabled: None, ..device.record.clone() };
        change.update(account.id(), device.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
