//! `iam:RemoveRoleFromInstanceProfile`: machines of the profile get no credentials any more. Sessions that they have go
//! on until they end.

use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct RemoveRoleFromInstanceProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    instance_profile_name: String,
    role_name: String,
}

impl Action for RemoveRoleFromInstanceProfile {
    const NAME: &'static str = "iam:RemoveRoleFromInstanceProfile";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::instance_profile(Self::NAME, scope, &input.instance_profile_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let profile = target::find_instance_profile(&account, &input.instance_profile_name)?;
        let role = target::find_role(&account, &input.role_name)?;
        rules::modifiable(role)?;
        let (mut record, id) = (profile.record.clone(), &role.record.id);
        if record.role.take().as_ref() != Some(id) {
            let (role, profile) = (&input.role_name, &input.instance_profile_name);
            return Err(Error::no_such_entity(format!(
                "The role with name {role} is not in instance profile {profile}."
            )));
        }
        let mut change = call.change(op);
        change.delete(key::profiled(account.id(), id, &record.id));
        change.update(account.id(), profile.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
