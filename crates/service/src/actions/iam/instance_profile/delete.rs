//! `iam:DeleteInstanceProfile`: only one without a role.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeleteInstanceProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    instance_profile_name: String,
}

impl Action for DeleteInstanceProfile {
    const NAME: &'static str = "iam:DeleteInstanceProfile";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::instance_profile(Self::NAME, scope, &input.instance_profile_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let account = call.account();
        let profile = target::find_instance_profile(&account, &call.input().instance_profile_name)?;
        if profile.record.role.is_some() {
            let what = "Cannot delete entity, must remove roles from instance profile first.";
            return Err(Error::delete_conflict(what));
        }
        // Its role is in its own record: one that comes meanwhile changes it and wins.
        let mut change = call.change(op);
        change.remove(account.id(), profile.revision, &profile.record);
        Ok(house.directory.commit(change).await?)
    }
}
