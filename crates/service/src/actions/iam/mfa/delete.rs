//! `iam:DeleteVirtualMFADevice`: only one that is nobody's.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::owner;
use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeleteVirtualMfaDevice;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    serial_number: String,
}

impl Action for DeleteVirtualMfaDevice {
    const NAME: &'static str = "iam:DeleteVirtualMFADevice";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::mfa_device(Self::NAME, scope, &input.serial_number))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let account = call.account();
        let device = target::find_mfa_device(&account, &call.input().serial_number)?;
        if let Some(owner) = &device.record.owner {
            owner::may_change_own(&call, owner, Self::NAME, &device.arn)?;
            return Err(Error::delete_conflict("MFA VirtualDevice in use. Must deactivate first."));
        }
        let mut change = call.change(op);
        // Who assigns it meanwhile changes its record, and one of the two decides again.
        change.remove(account.id(), device.revision, &device.record);
        Ok(house.directory.commit(change).await?)
    }
}
