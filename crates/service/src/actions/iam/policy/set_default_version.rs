//! `iam:SetDefaultPolicyVersion`: from now on this version decides, wherever the policy is attached.

use daypass_directory::{AnyPolicy, Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::find;
use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct SetDefaultPolicyVersion;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    policy_arn: String,
    version_id: String,
}

impl Action for SetDefaultPolicyVersion {
    const NAME: &'static str = "iam:SetDefaultPolicyVersion";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        target::writing(target::policy(Self::NAME, scope, &input.policy_arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (Input { policy_arn, version_id }, account) = (call.input(), call.account());
        rules::arn_of_policy(policy_arn)?;
        let missing = || find::no_version(policy_arn, version_id);
        // A version of no policy is as absent as one of a policy: as recorded from AWS.
        let Some(AnyPolicy::Customer(policy)) = account.policy(policy_arn) else { return Err(missing()) };
        let mut record = policy.record.clone();
        let wanted = find::version_number(version_id);
        let version = record.versions.iter().find(|version| Some(version.number) == wanted);
        record.default_version = version.ok_or_else(missing)?.number;
        record.updated = op.now.as_second();
        let mut change = call.change(op);
        change.update(account.id(), policy.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
