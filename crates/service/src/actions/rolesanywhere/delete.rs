//! `rolesanywhere:DeleteTrustAnchor`, `DeleteProfile` and `DeleteCrl`. Sessions that were had by it live on: what they may is
//! their role's.

use std::marker::PhantomData;

use daypass_directory::anywhere::AnywhereRecord as _;
use daypass_directory::{Authorized, Checks, Operation, Scope};

use super::kind::Resource;
use super::shape::Wrapped;
use super::target::{self, Target};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct Delete<R>(PhantomData<R>);

impl<R: Resource> Action for Delete<R> {
    const NAME: &'static str = R::NAMES.delete;
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = Target;
    type Output = Wrapped<R::Detail>;

    fn checks(scope: &Scope, input: &Target) -> Checks {
        Checks::one(target::check::<R>(Self::NAME, scope, &input.id))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Target>) -> Result<Self::Output, Error> {
        let account = call.account();
        let found = target::existing::<R>(&account, &call.input().id)?;
        let gone = R::detail(&account, &found.record, &found.arn, false);
        let mut change = call.change(op);
        change.remove_anywhere(account.id(), R::KIND, found.record.id(), found.revision);
        house.directory.commit(change).await?;
        Ok(Wrapped { name: R::ONE, of: gone })
    }
}
