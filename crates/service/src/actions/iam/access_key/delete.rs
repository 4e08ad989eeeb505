//! `iam:DeleteAccessKey`. Nobody ever gets a key of the same id again.

use daypass_directory::{Authorized, Checks, Operation, Principal, View};
use serde::Deserialize;

use super::owner::{self, Owner};
use crate::action::{Action, read};
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

pub(in crate::actions::iam) struct DeleteAccessKey;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: Option<String>,
    access_key_id: String,
}

impl Action for DeleteAccessKey {
    const NAME: (&'static str, &'static str) = ("iam", "DeleteAccessKey");
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params)
    }

    fn checks(view: &View, who: &Principal, input: &Input) -> Checks {
        Checks::one(owner::check("iam:DeleteAccessKey", view, who, input.user_name.as_deref()))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, who, view) = (call.input(), call.principal(), call.view());
        let account = target::account(view, who)?;
        let owner = Owner::named(&account, who, input.user_name.as_deref())?;
        let position = owner.position(&input.access_key_id)?;
        let mut keys = owner.keys().to_vec();
        let gone = keys.remove(position);
        let mut change = house.change(op, view);
        Owner::disclaim(&mut change, view, &gone.id);
        owner.put_keys(&mut change, &account, keys);
        Ok(house.directory.commit(change).await?)
    }
}
