//! `iam:RemoveUserFromGroup`. Authorised on the group alone; who is no member may be removed as well.

use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct RemoveUserFromGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    group_name: String,
    user_name: String,
}

impl Action for RemoveUserFromGroup {
    const NAME: &'static str = "iam:RemoveUserFromGroup";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::group(Self::NAME, scope, &input.group_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        // Where both are missing the user is named, as recorded from AWS.
        let user = target::find_user(&account, &input.user_name)?;
        let group = &target::find_group(&account, &input.group_name)?.record.id;
        if !user.record.groups.contains(group) {
            return Ok(());
        }
        let mut record = user.record.clone();
        record.groups.retain(|id| id != group);
        let mut change = call.change(op);
        change.delete(key::member(account.id(), group, &record.id));
        change.update(account.id(), user.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
