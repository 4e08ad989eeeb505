//! `iam:DeletePolicyVersion`: any but the default.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::find;
use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeletePolicyVersion;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    policy_arn: String,
    version_id: String,
}

impl Action for DeletePolicyVersion {
    const NAME: &'static str = "iam:DeletePolicyVersion";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        target::writing(target::policy(Self::NAME, scope, &input.policy_arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (Input { policy_arn, version_id }, account) = (call.input(), call.account());
        let policy = find::find_own(&account, policy_arn)?;
        let mut record = policy.record.clone();
        let unwanted = find::version_number(version_id);
        if unwanted == Some(record.default_version) {
            return Err(Error::delete_conflict("Cannot delete the default version of a policy."));
        }
        let before = record.versions.len();
        record.versions.retain(|version| Some(version.number) != unwanted);
        if record.versions.len() == before {
            return Err(find::no_version(policy_arn, version_id));
        }
        record.updated = op.now.as_second();
        let mut change = call.change(op);
        change.update(account.id(), policy.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
