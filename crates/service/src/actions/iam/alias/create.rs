//! `iam:CreateAccountAlias`: an account has one, and another takes its place.

use daypass_directory::record::{AccountAliasRecord, Unknown};
use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use daypass_model::AccountId;
use serde::Deserialize;

use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct CreateAccountAlias;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    account_alias: String,
}

impl Action for CreateAccountAlias {
    const NAME: &'static str = "iam:CreateAccountAlias";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (account, alias) = (call.account(), &call.input().account_alias);
        if alias.parse::<AccountId>().is_ok() {
            // Whoever signs in to the account of that number would come here.
            return Err(Error::invalid_input("An account alias cannot have the form of an account number."));
        }
        let present = account.alias();
        if present.is_some_and(|present| present.record.alias == *alias) {
            return Ok(());
        }
        if call.view().is_alias_taken(alias) {
            return Err(Error::already_exists(format!("The account alias {alias} already exists.")));
        }
        let place = key::account_alias(account.id());
        let mut change = call.change(op);
        let unknown = match present {
            Some(present) => {
                change.unchanged(place.clone(), present.revision);
                change.delete(key::alias(&present.record.alias));
                present.record.unknown.clone()
            }
            None => {
                change.absent(place.clone());
                Unknown::new()
            }
        };
        change.absent(key::alias(alias));
        change.point(key::alias(alias), account.id().as_str());
        let (written, created) = (change.written(), op.now.as_second());
        let record = AccountAliasRecord { written, alias: alias.clone(), created, unknown };
        change.put(place, &record);
        Ok(house.directory.commit(change).await?)
    }
}
