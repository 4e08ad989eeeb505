//! `iam:DeletePolicy`: only one that nothing uses, and that has no version left but the default.

use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Deserialize;

use super::find;
use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeletePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    policy_arn: String,
}

impl Action for DeletePolicy {
    const NAME: &'static str = "iam:DeletePolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        target::writing(target::policy(Self::NAME, scope, &input.policy_arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (arn, account) = (&call.input().policy_arn, call.account());
        let policy = find::find_own(&account, arn)?;
        if account.attached_to(arn).next().is_some() || account.boundary_of(arn).next().is_some() {
            return Err(Error::delete_conflict("Cannot delete a policy attached to entities."));
        }
        if policy.record.versions.len() > 1 {
            return Err(Error::delete_conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                 versions. The default version is deleted with the policy.",
            ));
        }
        let mut change = call.change(op);
        // Who attaches it meanwhile guards this record and writes a link: whichever comes second decides again.
        change.quiet(key::attachments(account.id(), &policy.record.id));
        change.quiet(key::boundaries(account.id(), &policy.record.id));
        change.remove(account.id(), policy.revision, &policy.record);
        Ok(house.directory.commit(change).await?)
    }
}
