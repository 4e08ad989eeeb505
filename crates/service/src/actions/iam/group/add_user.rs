//! `iam:AddUserToGroup`: from the next call on the group's policies are the user's too. Authorised on the
//! group alone; a member may be added again.

use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use daypass_model::EntityKind;
use daypass_model::limits::GROUPS_PER_USER_MAX;
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct AddUserToGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    group_name: String,
    user_name: String,
}

impl Action for AddUserToGroup {
    const NAME: &'static str = "iam:AddUserToGroup";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::group(Self::NAME, scope, &input.group_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let group = target::find_group(&account, &input.group_name)?;
        let user = target::find_user(&account, &input.user_name)?;
        if user.record.groups.contains(&group.record.id) {
            return Ok(());
        }
        rules::within("GroupsPerUser", user.record.groups.len() + 1, GROUPS_PER_USER_MAX)?;
        let mut record = user.record.clone();
        record.groups.push(group.record.id.clone());
        let mut change = call.change(op);
        // The group must still be there; whoever deletes it watches its members.
        change.unchanged(key::entity(account.id(), EntityKind::Group, &group.record.id), group.revision);
        change.point(key::member(account.id(), &group.record.id, &record.id), record.id.as_str());
        change.update(account.id(), user.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
