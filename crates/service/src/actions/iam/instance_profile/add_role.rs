//! `iam:AddRoleToInstanceProfile`: machines of the profile get the role's credentials, so that the caller must be allowed
//! to pass it to them as well.

use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use daypass_model::EntityKind;
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::actions::pass_role;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::services::OwnService;

pub(in crate::actions::iam) struct AddRoleToInstanceProfile;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    instance_profile_name: String,
    role_name: String,
}

impl Action for AddRoleToInstanceProfile {
    const NAME: &'static str = "iam:AddRoleToInstanceProfile";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::instance_profile(Self::NAME, scope, &input.instance_profile_name))
            .and(pass_role::by_name(scope, &input.role_name, OwnService::Ec2))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let profile = target::find_instance_profile(&account, &input.instance_profile_name)?;
        let role = target::find_role(&account, &input.role_name)?;
        rules::modifiable(role)?;
        // The same role again, too: there is no room for it.
        let present = usize::from(profile.record.role.is_some());
        rules::within("InstanceSessionsPerInstanceProfile", present + 1, 1)?;
        let (mut record, id) = (profile.record.clone(), &role.record.id);
        record.role = Some(id.clone());
        let mut change = call.change(op);
        // The role must still be there, as the caller was allowed to pass it; whoever deletes it watches its profiles.
        change.unchanged(key::entity(account.id(), EntityKind::Role, id), role.revision);
        change.point(key::profiled(account.id(), id, &record.id), record.id.as_str());
        change.update(account.id(), profile.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
