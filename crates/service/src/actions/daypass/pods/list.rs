//! `daypass:ListPodIdentityClusters`: the account's clusters, by name.

use daypass_directory::{Authorized, Checks, Operation, Scope};

use super::super::listed::{Listed, Whole};
use super::Shown;
use crate::action::Action;
use crate::actions::paging::page;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::daypass) struct ListPodIdentityClusters;

impl Action for ListPodIdentityClusters {
    const NAME: &'static str = "daypass:ListPodIdentityClusters";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Whole;
    type Output = Listed<Shown>;

    fn checks(scope: &Scope, _: &Whole) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Whole>) -> Result<Listed<Shown>, Error> {
        let (selection, account) = (call.input().of("ListPodIdentityClusters"), call.account());
        let items = account.pod_clusters().map(|found| (found.record.name.clone(), found));
        let page = page(house, call.scope(), &selection, items)?;
        Ok(Listed { name: "Clusters", page: page.map(|found| Shown::of(&account, &found.record)) })
    }
}
