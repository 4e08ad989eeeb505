//! `iam:GetContextKeysForCustomPolicy` and `iam:GetContextKeysForPrincipalPolicy`: the condition keys that policies ask for,
//! which a simulation should give.

use std::collections::BTreeSet;

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::principal::check;
use super::sources::{Principal, Sources};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct GetContextKeysForCustomPolicy;
pub(in crate::actions::iam) struct GetContextKeysForPrincipalPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct CustomInput {
    policy_input_list: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct PrincipalInput {
    policy_source_arn: String,
    #[serde(default)]
    policy_input_list: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    context_key_names: Vec<String>,
}

impl Output {
    /// Each key once, in the order of the policies.
    fn of<'a>(sources: impl IntoIterator<Item = &'a Sources>) -> Self {
        let mut seen = BTreeSet::new();
        let statements = sources.into_iter().flat_map(Sources::iter).flat_map(|source| &source.outline);
        let keys =
            statements.flat_map(|statement| statement.resource_keys.iter().chain(&statement.condition_keys));
        Self { context_key_names: keys.filter(|key| seen.insert(key.to_lowercase())).cloned().collect() }
    }
}

impl Action for GetContextKeysForCustomPolicy {
    const NAME: &'static str = "iam:GetContextKeysForCustomPolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = CustomInput;
    type Output = Output;

    fn checks(scope: &Scope, _: &CustomInput) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<CustomInput>) -> Result<Output, Error> {
        Ok(Output::of([&Sources::of_inputs("PolicyInputList", &call.input().policy_input_list)?]))
    }
}

impl Action for GetContextKeysForPrincipalPolicy {
    const NAME: &'static str = "iam:GetContextKeysForPrincipalPolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = PrincipalInput;
    type Output = Output;

    fn checks(scope: &Scope, input: &PrincipalInput) -> Checks {
        check(Self::NAME, scope, &input.policy_source_arn)
    }

    async fn act(_: &Operation, _: &House, call: Authorized<PrincipalInput>) -> Result<Output, Error> {
        let input = call.input();
        let source = Principal::find(call.scope(), &input.policy_source_arn)?;
        let passed = Sources::of_inputs("PolicyInputList", &input.policy_input_list)?;
        Ok(Output::of([&source.identity, &passed].into_iter().chain(&source.boundary)))
    }
}
