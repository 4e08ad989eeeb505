//! `eks:DeletePodIdentityAssociation`. Sessions that pods got by it live on, as on AWS: revoke those of the role.

use daypass_directory::{Authorized, Checks, Operation, Scope};

use super::shape::One;
use super::target::{self, Target};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct DeletePodIdentityAssociation;

impl Action for DeletePodIdentityAssociation {
    const NAME: &'static str = "eks:DeletePodIdentityAssociation";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = Target;
    type Output = One;

    fn checks(scope: &Scope, input: &Target) -> Checks {
        let Target { cluster_name, association_id } = input;
        Checks::one(target::check_association(Self::NAME, scope, cluster_name, association_id))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Target>) -> Result<One, Error> {
        let (Target { cluster_name, association_id }, account) = (call.input(), call.account());
        let found = target::association(&account, cluster_name, association_id)?;
        let gone = One::of(&account, &found.record);
        let mut change = call.change(op);
        change.remove_pod_association(account.id(), found);
        house.directory.commit(change).await?;
        Ok(gone)
    }
}
