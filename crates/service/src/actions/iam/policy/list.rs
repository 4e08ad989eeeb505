//! `iam:ListPolicies`: AWS's and the account's own, by name.

use std::collections::BTreeMap;

use daypass_directory::managed::AWS_POLICIES;
use daypass_directory::{AccountView, AnyPolicy, Authorized, Checks, Operation, Scope};
use daypass_model::EntityKind;
use serde::{Deserialize, Serialize};

use super::find::sort_key;
use super::shape::PolicyShape;
use crate::action::Action;
use crate::actions::iam::target;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct ListPolicies;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(default)]
    scope: PolicyScope,
    #[serde(default)]
    only_attached: bool,
    path_prefix: Option<String>,
    policy_usage_filter: Option<Usage>,
    marker: Option<String>,
    max_items: Option<i64>,
}

/// `policyScopeType`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum PolicyScope {
    #[default]
    All,
    #[serde(rename = "AWS")]
    Aws,
    Local,
}

/// `PolicyUsageType`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Usage {
    PermissionsPolicy,
    PermissionsBoundary,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    policies: Vec<PolicyShape>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Action for ListPolicies {
    const NAME: &'static str = "iam:ListPolicies";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let prefix = input.path_prefix.as_deref();
        let shown = format!("policy path {}", prefix.unwrap_or("/"));
        Checks::one(target::collection(Self::NAME, scope, EntityKind::Policy, prefix).shown(shown))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        // The usage counts only together with OnlyAttached, on AWS too.
        let usage = input.policy_usage_filter.filter(|_| input.only_attached);
        let selection = Selection {
            of: format!("ListPolicies {:?} {} {usage:?} {prefix}", input.scope, input.only_attached),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let wanted = |policy: &AnyPolicy<'_>| {
            policy.path().starts_with(prefix) && (!input.only_attached || used(&account, policy, usage))
        };
        let policies = in_scope(&account, input.scope).filter(wanted);
        let policies: BTreeMap<_, _> = policies.map(|policy| (sort_key(&policy), policy)).collect();
        let page = page(house, call.scope(), &selection, policies.into_iter())?;
        let shown = page.items.iter().map(|policy| PolicyShape::listed(&account, policy));
        Ok(Output { policies: shown.collect(), is_truncated: page.is_truncated, marker: page.marker })
    }
}

fn in_scope<'v>(
    account: &AccountView<'v>,
    scope: PolicyScope,
) -> impl Iterator<Item = AnyPolicy<'v>> + use<'v> {
    let aws = AWS_POLICIES.iter().filter(move |_| scope != PolicyScope::Local).map(AnyPolicy::Aws);
    let local = account.policies().filter(move |_| scope != PolicyScope::Aws).map(AnyPolicy::Customer);
    aws.chain(local)
}

fn used(account: &AccountView<'_>, policy: &AnyPolicy<'_>, usage: Option<Usage>) -> bool {
    let attached = || account.attached_to(policy.arn()).next().is_some();
    let bounds = || account.boundary_of(policy.arn()).next().is_some();
    match usage {
        None => attached() || bounds(),
        Some(Usage::PermissionsPolicy) => attached(),
        Some(Usage::PermissionsBoundary) => bounds(),
    }
}
