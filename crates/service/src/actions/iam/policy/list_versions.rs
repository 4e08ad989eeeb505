//! `iam:ListPolicyVersions`: newest first, without the documents.

use daypass_directory::{AnyPolicy, Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::find;
use super::shape::VersionShape;
use crate::action::Action;
use crate::actions::iam::target;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct ListPolicyVersions;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    policy_arn: String,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    versions: Vec<VersionShape>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Action for ListPolicyVersions {
    const NAME: &'static str = "iam:ListPolicyVersions";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::policy(Self::NAME, scope, &input.policy_arn))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let policy = find::find(&account, &input.policy_arn)?;
        let selection = Selection {
            of: format!("ListPolicyVersions {}", policy.arn()),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let page = page(house, call.scope(), &selection, versions(&policy).into_iter())?;
        Ok(Output { versions: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}

/// Under keys that ascend from the newest to the oldest.
fn versions(policy: &AnyPolicy<'_>) -> Vec<(String, VersionShape)> {
    match policy {
        AnyPolicy::Customer(policy) => {
            let newest_first = policy.record.versions.iter().rev();
            let keyed = newest_first.map(|version| {
                (format!("{:010}", u32::MAX - version.number), VersionShape::listed(&policy.record, version))
            });
            keyed.collect()
        }
        AnyPolicy::Aws(policy) => vec![(String::new(), VersionShape::listed_aws(policy))],
    }
}
