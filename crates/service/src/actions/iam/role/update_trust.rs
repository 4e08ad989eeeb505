//! `iam:UpdateAssumeRolePolicy`: another trust policy in the place of the whole old one.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::trust;
use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct UpdateAssumeRolePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    role_name: String,
    policy_document: String,
}

impl Action for UpdateAssumeRolePolicy {
    const NAME: &'static str = "iam:UpdateAssumeRolePolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = target::role(Self::NAME, scope, &input.role_name);
        Checks::one(target::with_role_boundary(check, scope, &input.role_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let role = target::find_role(&account, &input.role_name)?;
        rules::modifiable(role)?;
        let mut record = role.record.clone();
        record.trust = trust::accepted(call.view(), &input.policy_document)?;
        let mut change = call.change(op);
        change.update(account.id(), role.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
