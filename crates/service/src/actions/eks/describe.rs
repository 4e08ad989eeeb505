//! `eks:DescribePodIdentityAssociation`

use daypass_directory::{Authorized, Checks, Operation, Scope};

use super::shape::One;
use super::target::{self, Target};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct DescribePodIdentityAssociation;

impl Action for DescribePodIdentityAssociation {
    const NAME: &'static str = "eks:DescribePodIdentityAssociation";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = true;
    type Input = Target;
    type Output = One;

    fn checks(scope: &Scope, input: &Target) -> Checks {
        let Target { cluster_name, association_id } = input;
        Checks::one(target::check_association(Self::NAME, scope, cluster_name, association_id))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Target>) -> Result<One, Error> {
        let (Target { cluster_name, association_id }, account) = (call.input(), call.account());
        let found = target::association(&account, cluster_name, association_id)?;
        Ok(One::of(&account, &found.record))
    }
}
