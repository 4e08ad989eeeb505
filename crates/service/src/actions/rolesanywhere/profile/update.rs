//! `rolesanywhere:UpdateProfile`: what is given is replaced, the rest stays. Roles that are given need `iam:PassRole`.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::limits;
use crate::action::Action;
use crate::actions::rolesanywhere::kind::{Profiles, Resource as _};
use crate::actions::rolesanywhere::shape::{ProfileDetail, Wrapped};
use crate::actions::rolesanywhere::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::rolesanywhere) struct UpdateProfile;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::actions::rolesanywhere) struct Input {
    profile_id: String,
    name: Option<String>,
    role_arns: Option<Vec<String>>,
    managed_policy_arns: Option<Vec<String>>,
    session_policy: Option<String>,
    duration_seconds: Option<i64>,
    accept_role_session_name: Option<bool>,
}

impl Action for UpdateProfile {
    const NAME: &'static str = "rolesanywhere:UpdateProfile";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Wrapped<ProfileDetail>;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let own = target::check::<Profiles>(Self::NAME, scope, &input.profile_id);
        let account = scope.account();
        let found = target::find::<Profiles>(&account, &input.profile_id);
        let profile = found.map(|profile| profile.arn.as_str());
        limits::passing(Checks::one(own), scope, input.role_arns.as_deref().unwrap_or(&[]), profile)
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Self::Output, Error> {
        let (input, account) = (call.input(), call.account());
        let found = target::existing::<Profiles>(&account, &input.profile_id)?;
        let mut record = found.record.clone();
        if let Some(name) = &input.name {
            record.common.name.clone_from(name);
        }
        if let Some(arns) = &input.role_arns {
            record.roles = limits::roles(&account, arns, &record.roles)?;
        }
        if let Some(arns) = &input.managed_policy_arns {
            record.managed_policies.clone_from(arns);
        }
        if input.session_policy.is_some() {
            record.session_policy.clone_from(&input.session_policy);
        }
        limits::check_policies(&account, record.session_policy.as_ref(), &record.managed_policies)?;
        record.duration = input.duration_seconds.unwrap_or(record.duration);
        record.accept_role_session_name =
            input.accept_role_session_name.unwrap_or(record.accept_role_session_name);
        record.common.updated = op.now.as_second();
        let shown = Profiles::detail(&account, &record, &found.arn, false);
        let mut change = call.change(op);
        change.update_anywhere(account.id(), found.revision, record);
        house.directory.commit(change).await?;
        Ok(Wrapped { name: Profiles::ONE, of: shown })
    }
}
