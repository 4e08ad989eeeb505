//! `daypass:DeletePodIdentityCluster`: of a cluster that has no associations. Sessions of its pods live on.

use daypass_directory::{Authorized, Checks, Operation, Scope};

use super::{Target, check_empty, find};
use crate::action::Action;
use crate::actions::eks::check_cluster;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::daypass) struct DeletePodIdentityCluster;

impl Action for DeletePodIdentityCluster {
    const NAME: &'static str = "daypass:DeletePodIdentityCluster";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Target;
    type Output = ();

    fn checks(scope: &Scope, input: &Target) -> Checks {
        Checks::one(check_cluster(Self::NAME, scope, &input.cluster_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Target>) -> Result<(), Error> {
        let account = call.account();
        let found = find(&account, &call.input().cluster_name)?;
        check_empty(&account, &found.record.name)?;
        let mut change = call.change(op);
        change.remove_pod_cluster(account.id(), found);
        Ok(house.directory.commit(change).await?)
    }
}
