//! `iam:DeleteAccountPasswordPolicy`: passwords are held to AWS's default from now on.

use daypass_directory::{Authorized, Checks, Operation, Scope, key};

use crate::action::Action;
use crate::actions::iam::outbound::Nothing;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeletePasswordPolicy;

impl Action for DeletePasswordPolicy {
    const NAME: &'static str = "iam:DeleteAccountPasswordPolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Nothing;
    type Output = ();

    fn checks(scope: &Scope, _: &Nothing) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Nothing>) -> Result<(), Error> {
        let account = call.account();
        let policy = super::find(&account)?;
        let place = key::password_policy(account.id());
        let mut change = call.change(op);
        change.unchanged(place.clone(), policy.revision);
        change.delete(place);
        Ok(house.directory.commit(change).await?)
    }
}
