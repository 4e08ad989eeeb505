//! `iam:ResyncMFADevice`: two codes in a row show where the device's clock stands now.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::owner;
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct ResyncMfaDevice;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: String,
    serial_number: String,
    authentication_code1: String,
    authentication_code2: String,
}

impl Action for ResyncMfaDevice {
    const NAME: &'static str = "iam:ResyncMFADevice";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(owner::check(Self::NAME, scope, Some(&input.user_name)))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let owner = owner::find(call.scope(), Some(&input.user_name))?.in_records();
        let device = owner::device(&account, &owner, &input.serial_number)?;
        let codes = (input.authentication_code1.as_str(), input.authentication_code2.as_str());
        let synchronized = house.directory.resynchronized(op, device, codes).await;
        let record = synchronized.map_err(owner::not_synchronized)?;
        let mut change = call.change(op);
        change.update(account.id(), device.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
