//! `iam:UpdateUser`: another name or path. The id stays, so policies that trust the user go on trusting it.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::EntityKind;
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct UpdateUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: String,
    new_path: Option<String>,
    new_user_name: Option<String>,
}

impl Action for UpdateUser {
    const NAME: &'static str = "iam:UpdateUser";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    /// The permission is needed on the old ARN and on the new one.
    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = target::user(Self::NAME, scope, &input.user_name);
        let user = scope.account().user(&input.user_name);
        let present =
            user.map_or(("/", input.user_name.as_str()), |user| (&user.record.path, &user.record.name));
        let path = input.new_path.as_deref().unwrap_or(present.0);
        let name = input.new_user_name.as_deref().unwrap_or(present.1);
        let moved = target::moved(&check, scope, EntityKind::User, path, name);
        moved.into_iter().fold(Checks::one(check), Checks::and)
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let user = target::find_user(&account, &input.user_name)?;
        let mut record = user.record.clone();
        if let Some(path) = &input.new_path {
            record.path.clone_from(path);
        }
        if let Some(name) = &input.new_user_name {
            if account.user(name).is_some_and(|other| other.record.id != record.id) {
                return Err(Error::already_exists(format!("User with name {name} already exists.")));
            }
            record.name.clone_from(name);
        }
        let mut change = call.change(op);
        change.rename(account.id(), &user.record.name, &record);
        change.update(account.id(), user.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
