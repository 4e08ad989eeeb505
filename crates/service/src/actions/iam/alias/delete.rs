//! `iam:DeleteAccountAlias`: the account has none any more, and any account may take it.

use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Deserialize;

use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeleteAccountAlias;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    account_alias: String,
}

impl Action for DeleteAccountAlias {
    const NAME: &'static str = "iam:DeleteAccountAlias";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (account, alias) = (call.account(), &call.input().account_alias);
        // Another account's is as absent as none.
        let present = account.alias().filter(|present| present.record.alias == *alias);
        let missing = || Error::no_such_entity(format!("The account alias {alias} cannot be found."));
        let present = present.ok_or_else(missing)?;
        let place = key::account_alias(account.id());
        let mut change = call.change(op);
        change.unchanged(place.clone(), present.revision);
        change.delete(place);
        change.delete(key::alias(alias));
        Ok(house.directory.commit(change).await?)
    }
}
