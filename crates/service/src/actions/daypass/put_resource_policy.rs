//! `daypass:PutResourcePolicy`: say who may use a resource of a service behind daypass.

use daypass_directory::key;
use daypass_directory::record::{ResourcePolicyRecord, Unknown};
use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::limits::RESOURCE_POLICIES_PER_ACCOUNT_MAX;
use daypass_policy::Kind;
use serde::Deserialize;

use crate::action::Action;
use crate::actions::daypass::resource;
use crate::actions::principals;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct PutResourcePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    resource_arn: String,
    policy: String,
}

impl Action for PutResourcePolicy {
    const NAME: &'static str = "daypass:PutResourcePolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, &input.resource_arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        resource::can_have_policy(account.id(), &input.resource_arn)?;
        daypass_policy::validate(Kind::Resource, &input.policy)
            .map_err(|malformed| Error::malformed_policy(malformed.message))?;
        let document = principals::stored(call.view(), &input.policy)?;
        let mut change = call.change(op);
        let place = key::resource_policy(account.id(), &input.resource_arn);
        let unknown = match account.resource_policy(&input.resource_arn) {
            Some(present) => {
                change.unchanged(place.clone(), present.revision);
                present.record.unknown.clone()
            }
            None => {
                let (count, max) = (account.resource_policies().count(), RESOURCE_POLICIES_PER_ACCOUNT_MAX);
                if count >= max {
                    return Err(Error::limit_exceeded(format!(
                        "Cannot exceed quota for ResourcePoliciesPerAccount: {max}"
                    )));
                }
                // Calls at the same time must not all take the last place.
                change.quiet(key::resource_policies(account.id()));
                change.absent(place.clone());
                Unknown::new()
            }
        };
        let (written, arn) = (change.written(), input.resource_arn.clone());
        change.put(place, &ResourcePolicyRecord { written, arn, document, unknown });
        Ok(house.directory.commit(change).await?)
    }
}
