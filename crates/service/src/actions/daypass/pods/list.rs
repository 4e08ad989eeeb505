//! `daypass:ListPodIdentityClusters`: the account's clusters, by name.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::Shown;
use crate::action::Action;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::daypass) struct ListPodIdentityClusters;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::daypass) struct Input {
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::daypass) struct Output {
    clusters: Vec<Shown>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Action for ListPodIdentityClusters {
    const NAME: &'static str = "daypass:ListPodIdentityClusters";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let selection = Selection {
            of: "ListPodIdentityClusters".to_owned(),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let items = account.pod_clusters().map(|found| (found.record.name.clone(), found));
        let page = page(house, call.scope(), &selection, items)?;
        let page = page.map(|found| Shown::of(&account, &found.record));
        Ok(Output { clusters: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
