//! `iam:SimulatePrincipalPolicy`: what would be decided about a user, group or role with the policies it has, and with
//! those that are passed beside them.
//!
//! What is stored about anybody but that principal takes no part, or simulating would be a way to read it. The one
//! exception is a role of the account that is to be taken: its trust policy and tags are asked of whoever may get the role.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::EntityKind;
use serde::Deserialize;

use super::answer::Output;
use super::caller::Caller;
use super::question::{Asked, ContextEntry, Question, pages, roles_to_take};
use super::sources::{self, Principal, Sources};
use crate::action::{Action, read};
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

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

/// Roles that one call may take: each is a permission of its own.
const ROLES_MAX: usize = 20;

impl Input {
    fn asked(&self) -> Asked<'_> {
        Asked {
            action_names: &self.action_names,
            resource_arns: &self.resource_arns,
            resource_policy: self.resource_policy.as_deref(),
            resource_owner: self.resource_owner.as_deref(),
            caller_arn: self.caller_arn.as_deref(),
            context_entries: &self.context_entries,
        }
    }
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

    /// A member that nobody here knows could be a policy: refused, though nothing is written.
    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params, false)
    }

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let checks = check(Self::NAME, scope, &input.policy_source_arn);
        let roles = roles_to_take(scope, &input.asked()).into_iter().take(ROLES_MAX);
        roles.fold(checks, |checks, name| checks.and(target::role("iam:GetRole", scope, &name)))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, scope) = (call.input(), call.scope());
        let asked = input.asked();
        if roles_to_take(scope, &asked).len() > ROLES_MAX {
            return Err(Error::invalid_input(format!(
                "A simulation may ask about taking {ROLES_MAX} roles; ask about fewer at a time."
            )));
        }
        let source = Principal::find(scope, &input.policy_source_arn)?;
        let caller = match (&input.caller_arn, source.kind) {
            (Some(arn), _) if !source.is(scope, arn) => Caller::of_arn(arn)?,
            (Some(_), _) => Caller::of_source(scope, &source)?,
            // With the policies of a role or group alone nobody says in whose name a resource is asked for.
            (None, EntityKind::Role) if input.resource_policy.is_some() => Caller::nobody(scope),
            (None, _) => Caller::of_source(scope, &source)?,
        };
        let mut question = Question::new(&asked, caller)?;
        question.trust_policies = true;
        question.identity = source.identity;
        question.identity.extend(Sources::of_principal("PolicyInputList", &input.policy_input_list)?);
        question.boundary = source.boundary;
        // A boundary that is passed takes the place of the one that is set.
        let boundary = &input.permissions_boundary_policy_input_list;
        if !boundary.is_empty() {
            question.boundary = Some(Sources::of_principal("PermissionsBoundaryPolicyInputList", boundary)?);
        }
        pages(house, scope, Self::NAME, &question, &asked, (input.marker.as_deref(), input.max_items))
    }
}
