//! `iam:ListUserPolicies`, `iam:ListGroupPolicies`, `iam:ListRolePolicies`: names of inline policies.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Entity, Operation, Scope};
use daypass_model::fold_name;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::holder::Holder;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct ListInlinePolicies<H>(PhantomData<H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "UserName", alias = "GroupName", alias = "RoleName")]
    holder_name: String,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    policy_names: Vec<String>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl<H: Holder> Action for ListInlinePolicies<H> {
    const NAME: &'static str = H::OPERATIONS.list_inline;
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(H::check(Self::NAME, scope, &input.holder_name))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let (record, _) = H::record(H::find(&account, &input.holder_name)?);
        let selection = Selection {
            of: format!("{} {}", Self::NAME, record.id()),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let names = H::inline(record).iter().map(|policy| (fold_name(&policy.name), policy.name.clone()));
        let names: BTreeMap<_, _> = names.collect();
        let page = page(house, call.scope(), &selection, names.into_iter())?;
        Ok(Output { policy_names: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
