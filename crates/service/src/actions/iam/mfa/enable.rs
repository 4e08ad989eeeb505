//! `iam:EnableMFADevice`: a device becomes a user's, once two of its codes in a row have shown where its clock stands.

use daypass_directory::record::MfaDeviceRecord;
use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use daypass_model::limits::MFA_DEVICES_PER_USER_MAX;
use serde::Deserialize;

use super::owner;
use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct EnableMfaDevice;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: String,
    serial_number: String,
    authentication_code1: String,
    authentication_code2: String,
}

impl Action for EnableMfaDevice {
    const NAME: &'static str = "iam:EnableMFADevice";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(owner::check(Self::NAME, scope, Some(&input.user_name)))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let user = owner::find(call.scope(), Some(&input.user_name))?;
        let owner = user.in_records();
        owner::may_change_own(&call, &owner, Self::NAME, &owner::shown(user, &account))?;
        let device = target::find_mfa_device(&account, &input.serial_number)?;
        if device.record.owner.is_some() {
            return Err(Error::already_exists("MFA Device is already in use."));
        }
        let count = account.mfa_devices_of(&owner).count();
        rules::within("MFADevicesPerUser", count + 1, MFA_DEVICES_PER_USER_MAX)?;
        let codes = (input.authentication_code1.as_str(), input.authentication_code2.as_str());
        let synchronized = house.directory.synchronized(op, device, codes).await;
        let record = synchronized.map_err(owner::not_synchronized)?;
        let mut change = call.change(op);
        // Another device meanwhile would be one too many, or the first, after which this call needs MFA.
        change.quiet(key::assignments(account.id(), &owner));
        user.stays(&mut change, &account);
        change.point(key::assigned(account.id(), &owner, &record.id), record.id.as_str());
        let now = op.now.as_second();
        let record = MfaDeviceRecord { owner: Some(owner), enabled: Some(now), ..record };
        change.update(account.id(), device.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
