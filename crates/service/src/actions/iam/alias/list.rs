//! `iam:ListAccountAliases`: one at most.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct ListAccountAliases;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    account_aliases: Vec<String>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Action for ListAccountAliases {
    const NAME: &'static str = "iam:ListAccountAliases";
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
            of: "ListAccountAliases".into(),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let found = account.alias().map(|alias| (alias.record.alias.clone(), alias.record.alias.clone()));
        let page = page(house, call.scope(), &selection, found.into_iter())?;
        Ok(Output { account_aliases: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
