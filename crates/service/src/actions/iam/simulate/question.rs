//! A simulation: actions and resources, the policies that have a say, and the facts of the request.

use std::collections::BTreeSet;
use std::sync::Arc;

use daypass_directory::{Role, Scope};
use daypass_model::{AccountId, Arn};
use daypass_policy::{
    Context, Explanation, Level, Outcome, Policies, PolicyType, Request, StatementReport, explain,
};
use serde::Deserialize;

use super::answer::{EvaluationResult, MatchedStatement, Output, ResourceResult};
use super::caller::Caller;
use super::sources::{Source, Sources};
use crate::actions::paging::{Selection, page};
use crate::actions::principals;
use crate::error::Error;
use crate::house::House;

/// The parameters that both simulators have.
pub(super) struct Asked<'a> {
    pub(super) action_names: &'a [String],
    pub(super) resource_arns: &'a [String],
    pub(super) resource_policy: Option<&'a str>,
    pub(super) resource_owner: Option<&'a str>,
    pub(super) caller_arn: Option<&'a str>,
    pub(super) context_entries: &'a [ContextEntry],
}

/// One condition key of the simulated request.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ContextEntry {
    context_key_name: Option<String>,
    #[serde(default)]
    context_key_values: Vec<String>,
    context_key_type: Option<String>,
}

/// Actions times resources of one call.
const PAIRS_MAX: usize = 5000;

/// Everything that a simulation rests on.
pub(super) struct Question {
    pub(super) identity: Sources,
    pub(super) boundary: Option<Sources>,
    /// Service control policies, a level each.
    pub(super) organization: Vec<Sources>,
    /// Whether the trust policies of the account's roles take part, for the actions that take a role.
    pub(super) trust_policies: bool,
    resource_policy: Option<Source>,
    owner: Option<AccountId>,
    caller: Caller,
    context: Context,
    resources: Vec<String>,
}

impl Question {
    /// # Errors
    /// InvalidInput.
    pub(super) fn new(asked: &Asked<'_>, caller: Caller) -> Result<Self, Error> {
        let parse = |text| Source::parse("ResourcePolicy", text)?.with_principals(true);
        let resource_policy = asked.resource_policy.map(parse).transpose()?;
        if resource_policy.is_some() && !caller.has_name() {
            return Err(Error::invalid_input(match asked.caller_arn {
                Some(_) => "Invalid caller - Caller must be an IAM user or role in this context.",
                None => {
                    "CallerArn must be given with ResourcePolicy, so that its principals have a caller to be compared with."
                }
            }));
        }
        let resources = match asked.resource_arns {
            [] => vec!["*".to_owned()],
            named => named.to_vec(),
        };
        if resources.len().saturating_mul(asked.action_names.len()) > PAIRS_MAX {
            return Err(Error::invalid_input(format!(
                "A simulation may ask about {PAIRS_MAX} pairs of an action and a resource."
            )));
        }
        let mut context = context(asked.context_entries)?;
        caller.complete(&mut context);
        Ok(Self {
            identity: Sources::default(),
            boundary: None,
            organization: Vec::new(),
            trust_policies: false,
            resource_policy,
            owner: asked.resource_owner.map(account_of).transpose()?,
            caller,
            context,
            resources,
        })
    }

    /// What is decided about an action on each of the resources, and what deciding cost, in shares of what one decision
    /// may cost.
    ///
    /// # Errors
    /// InvalidInput when the resources together cost more than a page may: an action is never told in part.
    fn about(
        &self,
        scope: &Scope,
        context: &mut Context,
        action: &str,
    ) -> Result<(EvaluationResult, f64), Error> {
        let (mut results, mut cost) = (Vec::new(), 0.0);
        for resource in &self.resources {
            if cost >= PAGE_COST_MAX {
                return Err(Error::invalid_input(
                    "The simulation of one action costs too much; ask about fewer resources at a time.",
                ));
            }
            let (result, spent) = self.one(scope, context, action, resource);
            results.push(result);
            cost += spent;
        }
        Ok((EvaluationResult::of(action, results, !self.organization.is_empty()), cost))
    }

    fn one(
        &self,
        scope: &Scope,
        context: &mut Context,
        action: &str,
        resource: &str,
    ) -> (ResourceResult, f64) {
        let account = self.caller.account;
        let named: Option<Arn> = resource.parse().ok();
        let said = named.as_ref().and_then(Arn::account_id).or(self.owner);
        let owner = said.unwrap_or(account);
        let role = self.role_to_take(scope, action, resource);
        let trust = role.and_then(|role| self.trust_policy(scope, role));
        let facts = of_resource(context, said, role);
        let attached = self.resource_policy.as_ref().or(trust.as_ref());
        let (identity, boundary) = (self.identity.named(), self.boundary.as_ref().map(Sources::named));
        let levels: Vec<_> = self.organization.iter().map(Sources::named).collect();
        let names: Vec<String> = (0..levels.len()).map(|level| level.to_string()).collect();
        let levels: Vec<_> =
            names.iter().zip(&levels).map(|(name, policies)| Level { name, policies }).collect();
        let policies = Policies {
            identity: &identity,
            boundary: boundary.as_deref(),
            resource: attached.map(Source::named),
            scp: &levels,
            ..Policies::default()
        };
        let nobody = format!("arn:aws:iam::{account}:user");
        let request = Request {
            principal: self.caller.principal(&nobody),
            action,
            resource,
            resource_account: Some(owner.as_str()),
            context,
        };
        let explanation = explain(&request, &policies);
        let texts = Texts { question: self, attached, context };
        let result = ResourceResult {
            resource: resource.to_owned(),
            matched: texts.matched(&explanation),
            missing: texts.missing(&explanation),
            within_boundary: self.boundary.as_ref().map(|_| allows(&explanation, PolicyType::Boundary, None)),
            within_organization: names.iter().all(|level| allows(&explanation, PolicyType::Scp, Some(level))),
            explanation,
        };
        let cost = result.explanation.cost;
        for key in facts {
            context.remove(&key);
        }
        (result, cost)
    }

    /// The role that an action takes, as long as the call gives no policy in place of the role's.
    fn role_to_take<'s>(&self, scope: &'s Scope, action: &str, resource: &str) -> Option<&'s Arc<Role>> {
        let asked = self.trust_policies && self.resource_policy.is_none() && takes_roles(action);
        let name = own_role(scope, resource).filter(|_| asked)?;
        scope.account().role(&name).filter(|role| role.arn == resource)
    }

    /// Evaluated as it is stored, with unique ids, for who has one here; for anybody else as it is shown.
    fn trust_policy(&self, scope: &Scope, role: &Role) -> Option<Source> {
        let stored = &role.record.trust;
        let shown = principals::shown(scope.view(), stored);
        let evaluated = if self.caller.is_known() { stored } else { &shown };
        Source::shown(&role.arn, evaluated, &shown).ok()
    }
}

/// Add the facts that the resource makes sure of, and tell their keys. What the simulation says itself stays.
fn of_resource(context: &mut Context, owner: Option<AccountId>, role: Option<&Arc<Role>>) -> Vec<String> {
    let owner = owner.map(|owner| ("aws:ResourceAccount".to_owned(), owner.to_string()));
    let tags = role.into_iter().flat_map(|role| &role.record.tags).flat_map(|tag| {
        ["aws", "iam"].map(|prefix| (format!("{prefix}:ResourceTag/{}", tag.key), tag.value.clone()))
    });
    let mut added = Vec::new();
    for (key, value) in owner.into_iter().chain(tags) {
        if context.get(&key).is_none() {
            context.insert(&key, value);
            added.push(key);
        }
    }
    added
}

/// Whether an action is one that a role's trust policy is asked about.
fn takes_roles(action: &str) -> bool {
    let Some((service, name)) = action.split_once(':') else { return false };
    let others = ["TagSession", "SetSourceIdentity", "SetContext"];
    let starts = name.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("AssumeRole"));
    let is_one = starts || others.iter().any(|known| known.eq_ignore_ascii_case(name));
    is_one && service.eq_ignore_ascii_case("sts")
}

/// The name in the ARN of a role of the caller's account.
fn own_role(scope: &Scope, resource: &str) -> Option<String> {
    let arn: Arn = resource.parse().ok()?;
    let own = arn.account_id() == Some(scope.account().id()) && arn.service() == "iam";
    let (_, path) = arn.resource_parts().filter(|(kind, _)| own && *kind == "role")?;
    path.rsplit('/').next().map(str::to_owned)
}

/// The names of the roles whose trust policies and tags a simulation asks about.
// INVARIANT (get-role): the simulator looks at a role only where these do, each of which is a check on `iam:GetRole`.
pub(super) fn roles_to_take(scope: &Scope, asked: &Asked<'_>) -> BTreeSet<String> {
    let asks = asked.resource_policy.is_none() && asked.action_names.iter().any(|action| takes_roles(action));
    let named = asked.resource_arns.iter().filter(|_| asks).filter_map(|arn| own_role(scope, arn));
    let mut seen = BTreeSet::new();
    named.filter(|name| seen.insert(name.to_lowercase())).collect()
}

/// A page ends when it has cost as much as so many decisions may: policies that are passed can be as dear as policies
/// get, and a call decides about many pairs.
const PAGE_COST_MAX: f64 = 3.0;

/// A page of a simulation: an action each, in the order of the call.
pub(super) fn pages(
    house: &House,
    scope: &Scope,
    name: &str,
    question: &Question,
    asked: &Asked<'_>,
    (marker, max_items): (Option<&str>, Option<i64>),
) -> Result<Output, Error> {
    let actions = || asked.action_names.iter().enumerate().map(|(n, action)| (format!("{n:08}"), action));
    let cut = |max_items| {
        // A marker is a place in the list of names, so the seal covers all of them: in another list it means nothing.
        let selection = Selection { of: format!("{name} {:?}", asked.action_names), marker, max_items };
        page(house, scope, &selection, actions())
    };
    let mut page = cut(max_items)?;
    let mut results = Vec::new();
    let mut cost = 0.0;
    let mut context = question.context.clone();
    for action in &page.items {
        let (result, spent) = question.about(scope, &mut context, action)?;
        results.push(result);
        cost += spent;
        if cost >= PAGE_COST_MAX {
            break;
        }
    }
    if results.len() < page.items.len() {
        page = cut(i64::try_from(results.len()).ok())?;
    }
    Ok(Output { evaluation_results: results, is_truncated: page.is_truncated, marker: page.marker })
}

/// Whether policies of a kind (and level) allow: some Allow of theirs matched, and no Deny.
fn allows(explanation: &Explanation, kind: PolicyType, level: Option<&str>) -> bool {
    use daypass_policy::Effect::{Allow, Deny};
    let matched = |effect| {
        explanation.statements.iter().any(|report| {
            report.policy_type == kind
                && report.level.as_deref() == level
                && report.effect == effect
                && report.outcome == Outcome::Matched
        })
    };
    matched(Allow) && !matched(Deny)
}

/// Finds what a report is about in the texts of the question.
struct Texts<'a> {
    question: &'a Question,
    attached: Option<&'a Source>,
    context: &'a Context,
}

impl Texts<'_> {
    fn source(&self, report: &StatementReport) -> Option<&Source> {
        let (question, place) = (self.question, report.policy.as_str());
        match report.policy_type {
            PolicyType::Identity => question.identity.at(place),
            PolicyType::Boundary => question.boundary.as_ref()?.at(place),
            PolicyType::Scp => {
                let level: usize = report.level.as_ref()?.parse().ok()?;
                question.organization.get(level)?.at(place)
            }
            PolicyType::Resource | PolicyType::RoleTrust => self.attached,
            PolicyType::NotNeeded | PolicyType::Rcp | PolicyType::Session => None,
        }
    }

    /// The statements that made the decision: every Deny, or else every Allow that grants.
    fn matched(&self, explanation: &Explanation) -> Vec<MatchedStatement> {
        use daypass_policy::DecisionEffect::{Allowed, ExplicitlyDenied, ImplicitlyDenied};
        use daypass_policy::Effect::{Allow, Deny};
        let grants = [PolicyType::Identity, PolicyType::Resource, PolicyType::RoleTrust];
        let counts = |kind, effect| match explanation.decision.effect {
            Allowed => effect == Allow && grants.contains(&kind),
            ExplicitlyDenied => effect == Deny,
            ImplicitlyDenied => false,
        };
        let decided = explanation
            .statements
            .iter()
            .filter(|report| report.outcome == Outcome::Matched && counts(report.policy_type, report.effect));
        let told = decided.filter_map(|report| {
            let source = self.source(report)?;
            let statement = source.outline.get(report.index)?;
            Some(MatchedStatement::new(&source.id, report.policy_type, statement))
        });
        told.collect()
    }

    /// Condition keys that some statement asked for and the simulation does not give.
    fn missing(&self, explanation: &Explanation) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut missing = Vec::new();
        for report in &explanation.statements {
            let Some(source) = self.source(report) else { continue };
            let Some(statement) = source.outline.get(report.index) else { continue };
            let conditions: &[String] = match report.outcome {
                Outcome::Matched | Outcome::ConditionMismatch { .. } => &statement.condition_keys,
                Outcome::ResourceMismatch => &[],
                _ => continue,
            };
            let keys = statement.resource_keys.iter().chain(conditions);
            let absent = keys.filter(|key| self.context.get(key).is_none());
            missing.extend(absent.filter(|key| seen.insert(key.to_lowercase())).cloned());
        }
        missing
    }
}

fn context(entries: &[ContextEntry]) -> Result<Context, Error> {
    let mut context = Context::new();
    for entry in entries {
        let Some(name) = &entry.context_key_name else {
            return Err(Error::invalid_input("A context entry needs a ContextKeyName."));
        };
        if context.get(name).is_some() {
            return Err(Error::invalid_input(format!("The context key {name} is given twice.")));
        }
        let list = match &entry.context_key_type {
            Some(kind) => kind.ends_with("List"),
            None => entry.context_key_values.len() != 1,
        };
        match entry.context_key_values.as_slice() {
            values if list => context.insert_list(name, values.to_vec()),
            [value] => context.insert(name, value.as_str()),
            _ => {
                return Err(Error::invalid_input(format!(
                    "The context key {name} is of a type with one value, and is given another number of them."
                )));
            }
        }
    }
    Ok(context)
}

/// `ResourceOwner`: the ARN of an account, or its number.
fn account_of(text: &str) -> Result<AccountId, Error> {
    let by_arn = || text.parse::<Arn>().ok()?.account_id();
    text.parse()
        .ok()
        .or_else(by_arn)
        .ok_or_else(|| Error::invalid_input(format!("Invalid ResourceOwner: {text}")))
}
