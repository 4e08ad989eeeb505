//! `iam:DeleteGroup`: only a group without members and policies.

use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeleteGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    group_name: String,
}

impl Action for DeleteGroup {
    const NAME: &'static str = "iam:DeleteGroup";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::group(Self::NAME, scope, &input.group_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let account = call.account();
        let group = target::find_group(&account, &call.input().group_name)?;
        let record = &group.record;
        let first = [
            (account.members(&record.id).next().is_none(), "remove users from group first."),
            (record.inline.is_empty(), "delete policies first."),
            (record.attached.is_empty(), "detach all policies first."),
        ];
        if let Some((_, what)) = first.iter().find(|(done, _)| !done) {
            return Err(Error::delete_conflict(&format!("Cannot delete entity, must {what}")));
        }
        let mut change = call.change(op);
        // Policies are in the record; a member that comes meanwhile leaves a link here and wins.
        change.quiet(key::members(account.id(), &record.id));
        change.remove(account.id(), group.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
