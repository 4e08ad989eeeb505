//! `iam:SimulateCustomPolicy`: what policies that are passed would decide. No policy of the account takes part: a role's
//! trust policy is passed as `ResourcePolicy`, and without one nobody takes a role.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::answer::Output;
use super::caller::Caller;
use super::question::{Asked, ContextEntry, Question, pages};
use super::sources::Sources;
use crate::action::{Action, read};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

pub(in crate::actions::iam) struct SimulateCustomPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    policy_input_list: Vec<String>,
    #[serde(default)]
    permissions_boundary_policy_input_list: Vec<String>,
    #[serde(default)]
    ordered_organization_policy_input_list: Vec<OrganizationLevel>,
    action_names: Vec<String>,
    #[serde(default)]
    resource_arns: Vec<String>,
    resource_policy: Option<String>,
    resource_owner: Option<String>,
    caller_arn: Option<String>,
    #[serde(default)]
    context_entries: Vec<ContextEntry>,
    max_items: Option<i64>,
    marker: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OrganizationLevel {
    #[serde(default)]
    service_control_policy_input_list: Vec<String>,
}

impl Action for SimulateCustomPolicy {
    const NAME: &'static str = "iam:SimulateCustomPolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    /// A member that nobody here knows could be a policy: refused, though nothing is written.
    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params, false)
    }

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, scope) = (call.input(), call.scope());
        let caller = match &input.caller_arn {
            Some(arn) => Caller::of_arn(arn)?,
            None => Caller::nobody(scope),
        };
        let asked = Asked {
            action_names: &input.action_names,
            resource_arns: &input.resource_arns,
            resource_policy: input.resource_policy.as_deref(),
            resource_owner: input.resource_owner.as_deref(),
            caller_arn: input.caller_arn.as_deref(),
            context_entries: &input.context_entries,
        };
        let mut question = Question::new(&asked, caller)?;
        question.identity = Sources::of_principal("PolicyInputList", &input.policy_input_list)?;
        let boundary = &input.permissions_boundary_policy_input_list;
        if !boundary.is_empty() {
            question.boundary = Some(Sources::of_principal("PermissionsBoundaryPolicyInputList", boundary)?);
        }
        for (level, n) in input.ordered_organization_policy_input_list.iter().zip(1..) {
            let name = format!("OrderedOrganizationPolicyInputList.{n}.ServiceControlPolicyInputList");
            let policies = Sources::of_principal(&name, &level.service_control_policy_input_list)?;
            question.organization.push(policies);
        }
        pages(house, scope, Self::NAME, &question, &asked, (input.marker.as_deref(), input.max_items))
    }
}
