//! `iam:UpdateAccessKey`: a key is put out of use, or back. Sessions it has begun go on, as on AWS.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::owner::{self, Owner};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct UpdateAccessKey;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: Option<String>,
    access_key_id: String,
    status: Status,
}

/// `statusType`
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
enum Status {
    Active,
    Inactive,
    Expired,
}

impl Action for UpdateAccessKey {
    const NAME: &'static str = "iam:UpdateAccessKey";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(owner::check(Self::NAME, scope, input.user_name.as_deref()))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let active = match input.status {
            Status::Active => true,
            Status::Inactive => false,
            // The model knows it, no caller may set it.
            Status::Expired => {
                return Err(Error::invalid_input("The status of an access key cannot be set to Expired."));
            }
        };
        let owner = Owner::named(call.scope(), input.user_name.as_deref())?;
        let position = owner.position(&input.access_key_id)?;
        let mut keys = owner.keys().to_vec();
        if let Some(key) = keys.get_mut(position) {
            key.active = active;
        }
        let mut change = call.change(op);
        owner.put_keys(&mut change, &account, keys);
        Ok(house.directory.commit(change).await?)
    }
}
