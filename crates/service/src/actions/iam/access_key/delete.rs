//! `iam:DeleteAccessKey`. Nobody ever gets a key of the same id again.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::owner::{self, Owner};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeleteAccessKey;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: Option<String>,
    access_key_id: String,
}

impl Action for DeleteAccessKey {
    const NAME: &'static str = "iam:DeleteAccessKey";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(owner::check(Self::NAME, scope, input.user_name.as_deref()))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let owner = Owner::named(call.scope(), input.user_name.as_deref())?;
        let position = owner.position(&input.access_key_id)?;
        let mut keys = owner.keys().to_vec();
        let gone = keys.remove(position);
        let mut change = call.change(op);
        Owner::disclaim(&mut change, call.scope(), &gone.id);
        owner.put_keys(&mut change, &account, keys);
        Ok(house.directory.commit(change).await?)
    }
}
