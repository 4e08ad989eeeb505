//! `daypass:PutResourcePolicy`: say who may use a resource of a service behind daypass.

use daypass_directory::key;
use daypass_directory::record::{ResourcePolicyRecord, Unknown};
use daypass_directory::{Authorized, Checks, Operation, Principal, View};
use daypass_model::limits::RESOURCE_POLICIES_PER_ACCOUNT_MAX;
use daypass_policy::Kind;
use serde::Deserialize;

use crate::action::{Action, read};
use crate::actions::daypass::resource;
use crate::actions::principals;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

pub(super) struct PutResourcePolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    resource_arn: String,
    policy: String,
}

impl Action for PutResourcePolicy {
    const NAME: (&'static str, &'static str) = ("daypass", "PutResourcePolicy");
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params)
    }

    fn checks(_: &View, who: &Principal, input: &Input) -> Checks {
        Checks::one(resource::check("daypass:PutResourcePolicy", who, &input.resource_arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, who, view) = (call.input(), call.principal(), call.view());
        resource::can_have_policy(who.account, &input.resource_arn)?;
        daypass_policy::validate(Kind::Resource, &input.policy)
            .map_err(|malformed| Error::malformed_policy(malformed.message))?;
        let document = principals::stored(view, &input.policy)?;
        let account = view.account(who.account).ok_or_else(Error::internal)?;
        let mut change = house.change(op, view);
        let place = key::resource_policy(who.account, &input.resource_arn);
        let unknown = match account.resource_policy(&input.resource_arn) {
            Some(present) => {
                change.unchanged(place.clone(), present.revision);
                present.record.unknown.clone()
            }
            None if account.resource_policies().count() >= RESOURCE_POLICIES_PER_ACCOUNT_MAX => {
                let quota = RESOURCE_POLICIES_PER_ACCOUNT_MAX;
                return Err(Error::limit_exceeded(format!(
                    "Cannot exceed quota for ResourcePoliciesPerAccount: {quota}"
                )));
            }
            None => {
                change.absent(place.clone());
                Unknown::new()
            }
        };
        let (written, arn) = (change.written(), input.resource_arn.clone());
        change.put(place, &ResourcePolicyRecord { written, arn, document, unknown });
        Ok(house.directory.commit(change).await?)
    }
}
