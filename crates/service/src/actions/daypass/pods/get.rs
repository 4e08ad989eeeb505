//! `daypass:GetPodIdentityCluster`

use daypass_directory::{Authorized, Checks, Operation, Scope};

use super::{One, Shown, Target, find};
use crate::action::Action;
use crate::actions::eks::check_cluster;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::daypass) struct GetPodIdentityCluster;

impl Action for GetPodIdentityCluster {
    const NAME: &'static str = "daypass:GetPodIdentityCluster";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Target;
    type Output = One;

    fn checks(scope: &Scope, input: &Target) -> Checks {
        Checks::one(check_cluster(Self::NAME, scope, &input.cluster_name))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Target>) -> Result<One, Error> {
        let account = call.account();
        let found = find(&account, &call.input().cluster_name)?;
        Ok(One { cluster: Shown::of(&account, &found.record) })
    }
}
