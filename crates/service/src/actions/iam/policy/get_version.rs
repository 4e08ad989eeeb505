//! `iam:GetPolicyVersion`: the one call that shows the text of a managed policy.

use daypass_directory::{AnyPolicy, Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::find;
use super::shape::VersionShape;
use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct GetPolicyVersion;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    policy_arn: String,
    version_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    policy_version: VersionShape,
}

impl Action for GetPolicyVersion {
    const NAME: &'static str = "iam:GetPolicyVersion";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::policy(Self::NAME, scope, &input.policy_arn))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let Input { policy_arn, version_id } = call.input();
        let account = call.account();
        rules::arn_of_policy(policy_arn)?;
        let shape = match account.policy(policy_arn) {
            Some(AnyPolicy::Customer(policy)) => {
                let record = &policy.record;
                let number = find::version_number(version_id);
                let version = record.versions.iter().find(|version| Some(version.number) == number);
                version.map(|version| VersionShape::whole(record, version))
            }
            // Older versions of AWS's policies are not served.
            Some(AnyPolicy::Aws(policy)) => {
                (policy.default_version == version_id).then(|| VersionShape::whole_aws(policy))
            }
            // A version of no policy is as absent as one of a policy: as recorded from AWS.
            None => None,
        };
        let policy_version = shape.ok_or_else(|| find::no_version(policy_arn, version_id))?;
        Ok(Output { policy_version })
    }
}
