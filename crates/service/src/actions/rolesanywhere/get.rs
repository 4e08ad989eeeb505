//! `rolesanywhere:GetTrustAnchor`, `GetProfile`, `GetCrl` and `GetSubject`.

use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Operation, Scope};

use super::kind::Resource;
use super::shape::Wrapped;
use super::target::{self, Target};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct Get<R>(PhantomData<R>);

impl<R: Resource> Action for Get<R> {
    const NAME: &'static str = R::NAMES.get;
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = true;
    type Input = Target;
    type Output = Wrapped<R::Detail>;

    fn checks(scope: &Scope, input: &Target) -> Checks {
        Checks::one(target::check::<R>(Self::NAME, scope, &input.id))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Target>) -> Result<Self::Output, Error> {
        let account = call.account();
        let found = target::existing::<R>(&account, &call.input().id)?;
        Ok(Wrapped { name: R::ONE, of: R::detail(&account, &found.record, &found.arn, false) })
    }
}
