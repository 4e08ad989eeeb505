//! `iam:ListAttachedUserPolicies`, `iam:ListAttachedGroupPolicies`, `iam:ListAttachedRolePolicies`.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Entity, Operation, Scope};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::holder::Holder;
use crate::actions::iam::policy::sort_key;
use crate::actions::iam::shape::AttachedPolicy;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct ListAttachedPolicies<H>(PhantomData<H>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "UserName", alias = "GroupName", alias = "RoleName")]
    holder_name: String,
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    attached_policies: Vec<AttachedPolicy>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl<H: Holder> Action for ListAttachedPolicies<H> {
    const NAME: &'static str = H::OPERATIONS.list_attached;
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
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let selection = Selection {
            of: format!("{} {} {prefix}", Self::NAME, record.id()),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let policies = H::attached(record).iter().filter_map(|arn| account.policy(arn));
        let policies = policies.filter(|policy| policy.path().starts_with(prefix));
        let policies = policies.map(|policy| (sort_key(&policy), AttachedPolicy::of(&policy)));
        let policies: BTreeMap<_, _> = policies.collect();
        let page = page(house, call.scope(), &selection, policies.into_iter())?;
        Ok(Output { attached_policies: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
