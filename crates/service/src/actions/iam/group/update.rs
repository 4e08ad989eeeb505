//! `iam:UpdateGroup`: another name or path. The id stays, and with it members and policies.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::EntityKind;
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct UpdateGroup;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    group_name: String,
    new_path: Option<String>,
    new_group_name: Option<String>,
}

impl Action for UpdateGroup {
    const NAME: &'static str = "iam:UpdateGroup";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    /// The permission is needed on the old ARN and on the new one.
    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = target::group(Self::NAME, scope, &input.group_name);
        let group = scope.account().group(&input.group_name);
        let present =
            group.map_or(("/", input.group_name.as_str()), |group| (&group.record.path, &group.record.name));
        let path = input.new_path.as_deref().unwrap_or(present.0);
        let name = input.new_group_name.as_deref().unwrap_or(present.1);
        let moved = target::moved(&check, scope, EntityKind::Group, path, name);
        moved.into_iter().fold(Checks::one(check), Checks::and)
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let group = target::find_group(&account, &input.group_name)?;
        let mut record = group.record.clone();
        if let Some(path) = &input.new_path {
            record.path.clone_from(path);
        }
        if let Some(name) = &input.new_group_name {
            if account.group(name).is_some_and(|other| other.record.id != record.id) {
                return Err(Error::already_exists(format!("Group with name {name} already exists.")));
            }
            record.name.clone_from(name);
        }
        let mut change = call.change(op);
        change.rename(account.id(), &group.record.name, &record);
        change.update(account.id(), group.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
