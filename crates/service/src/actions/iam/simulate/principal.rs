//! `iam:SimulatePrincipalPolicy`: what would be decided about a user, group or role with the policies it has, and with
//! those that are passed beside them.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::EntityKind;
use serde::Deserialize;

use super::answer::Output;
use super::caller::Caller;
use super::question::{Asked, ContextEntry, Question, pages};
use super::sources::{self, Principal, Sources};
use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct SimulatePrincipalPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    policy_source_arn: String,
    #[serde(default)]
    policy_input_list: Vec<String>,
    #[serde(default)]
    permissions_boundary_policy_input_list: Vec<String>,
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

/// The check of a call about the policies of a user, group or role: on its ARN, found by name.
pub(super) fn check(action: &str, scope: &Scope, arn: &str) -> Checks {
    let check = match sources::kind_and_name(scope, arn) {
        Some((EntityKind::User, name)) => target::user(action, scope, &name),
        Some((EntityKind::Group, name)) => target::group(action, scope, &name),
        Some((_, name)) => target::role(action, scope, &name),
        // Another account's, or no ARN at all: nothing is there to be found.
        None => scope.check(action, arn),
    };
    let arn = check.resource.clone();
    Checks::one(check.shown(arn))
}

impl Action for SimulatePrincipalPolicy {
    const NAME: &'static str = "iam:SimulatePrincipalPolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        check(Self::NAME, scope, &input.policy_source_arn)
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, scope) = (call.input(), call.scope());
        let source = Principal::find(scope, &input.policy_source_arn)?;
        let caller = match (&input.caller_arn, source.kind) {
            (Some(arn), _) => Caller::of_arn(scope, arn)?,
            // With the policies of a role or group alone nobody says in whose name a resource is asked for.
            (None, EntityKind::Role) if input.resource_policy.is_some() => Caller::nobody(scope),
            (None, _) => Caller::of_arn(scope, &source.arn)?,
        };
        let asked = Asked {
            action_names: &input.action_names,
            resource_arns: &input.resource_arns,
            resource_policy: input.resource_policy.as_deref(),
            resource_owner: input.resource_owner.as_deref(),
            context_entries: &input.context_entries,
        };
        let mut question = Question::new(&asked, caller)?;
        question.trust_policies = true;
        question.identity = source.identity;
        question.identity.extend(Sources::of_inputs("PolicyInputList", &input.policy_input_list)?);
        question.boundary = source.boundary;
        // A boundary that is passed takes the place of the one that is set.
        let boundary = &input.permissions_boundary_policy_input_list;
        if !boundary.is_empty() {
            question.boundary = Some(Sources::of_inputs("PermissionsBoundaryPolicyInputList", boundary)?);
        }
        pages(house, scope, Self::NAME, &question, &asked, (input.marker.as_deref(), input.max_items))
    }
}
