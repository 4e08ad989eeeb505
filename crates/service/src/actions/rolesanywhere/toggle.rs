//! `rolesanywhere:EnableTrustAnchor`, `DisableTrustAnchor` and those of profiles and lists of revocations.

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

pub(super) struct Enable<R>(PhantomData<R>);
pub(super) struct Disable<R>(PhantomData<R>);

macro_rules! toggle {
    ($action:ident, $name:ident, $enabled:literal) => {
        impl<R: Resource> Action for $action<R> {
            const NAME: &'static str = R::NAMES.$name;
            const CALLERS: Callers = Callers::Anyone;
            const READ_ONLY: bool = false;
            type Input = Target;
            type Output = Wrapped<R::Detail>;

            fn checks(scope: &Scope, input: &Target) -> Checks {
                Checks::one(target::check::<R>(Self::NAME, scope, &input.id))
            }

            async fn act(
                op: &Operation,
                house: &House,
                call: Authorized<Target>,
            ) -> Result<Self::Output, Error> {
                set::<R>(op, house, &call, $enabled).await
            }
        }
    };
}
toggle!(Enable, enable, true);
toggle!(Disable, disable, false);

async fn set<R: Resource>(
    op: &Operation,
    house: &House,
    call: &Authorized<Target>,
    enabled: bool,
) -> Result<Wrapped<R::Detail>, Error> {
    let account = call.account();
    let found = target::existing::<R>(&account, &call.input().id)?;
    let mut record = found.record.clone();
    if let Some(common) = record.common() {
        common.enabled = enabled;
        common.updated = op.now.as_second();
    }
    let shown = R::detail(&account, &record, &found.arn, false);
    let mut change = call.change(op);
    change.update_anywhere(account.id(), found.revision, record);
    house.directory.commit(change).await?;
    Ok(Wrapped { name: R::ONE, of: shown })
}
