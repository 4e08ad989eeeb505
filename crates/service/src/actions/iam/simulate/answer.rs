//! What a simulation answers (IAM API Reference, `EvaluationResult`).

use std::collections::BTreeMap;

use daypass_policy::{DecisionEffect, Effect, Explanation, Outcome, PolicyType, StatementOutline};
use serde::Serialize;

/// A page of results.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    pub(super) evaluation_results: Vec<EvaluationResult>,
    pub(super) is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) marker: Option<String>,
}

/// One action: the worst that is decided about any of the resources, and each of them.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EvaluationResult {
    eval_action_name: String,
    eval_resource_name: String,
    eval_decision: &'static str,
    matched_statements: Vec<MatchedStatement>,
    missing_context_values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organizations_decision_detail: Option<OrganizationsDecision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary_decision_detail: Option<BoundaryDecision>,
    eval_decision_details: BTreeMap<&'static str, &'static str>,
    resource_specific_results: Vec<ResourceSpecificResult>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceSpecificResult {
    eval_resource_name: String,
    eval_resource_decision: &'static str,
    matched_statements: Vec<MatchedStatement>,
    missing_context_values: Vec<String>,
    eval_decision_details: BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary_decision_detail: Option<BoundaryDecision>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OrganizationsDecision {
    allowed_by_organizations: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BoundaryDecision {
    allowed_by_permissions_boundary: bool,
}

/// A statement that decided, and where it stands in the text.
#[derive(Serialize, Clone, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MatchedStatement {
    source_policy_id: String,
    source_policy_type: &'static str,
    start_position: Position,
    end_position: Position,
}

#[derive(Serialize, Clone, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
struct Position {
    line: u32,
    column: u32,
}

impl MatchedStatement {
    pub(super) fn new(id: &str, kind: PolicyType, statement: &StatementOutline) -> Self {
        let position = |(line, column)| Position { line, column };
        Self {
            source_policy_id: id.to_owned(),
            source_policy_type: source_type(kind),
            start_position: position(statement.start),
            end_position: position(statement.end),
        }
    }
}

/// The kinds of policies in the words that AWS's simulator answers with.
fn source_type(kind: PolicyType) -> &'static str {
    match kind {
        PolicyType::Resource | PolicyType::RoleTrust => "Resource Policy",
        PolicyType::Boundary => "Permissions Boundary Policy",
        PolicyType::Scp => "Service Control Policy",
        PolicyType::Rcp => "Resource Control Policy",
        PolicyType::Session => "Session Policy",
        PolicyType::Identity | PolicyType::NotNeeded => "IAM Policy",
    }
}

/// What was decided about one resource.
pub(super) struct ResourceResult {
    pub(super) resource: String,
    pub(super) explanation: Explanation,
    pub(super) matched: Vec<MatchedStatement>,
    pub(super) missing: Vec<String>,
    pub(super) within_boundary: Option<bool>,
    pub(super) within_organization: bool,
}

impl EvaluationResult {
    pub(super) fn of(action: &str, results: Vec<ResourceResult>, organization: bool) -> Self {
        let (name, matched) = match results.as_slice() {
            [one] => (one.resource.clone(), one.matched.clone()),
            _ => ("*".to_owned(), once_each(results.iter().flat_map(|result| &result.matched))),
        };
        let worst = results.iter().map(|result| result.explanation.decision.effect).max_by_key(badness);
        let boundaries: Option<Vec<bool>> = results.iter().map(|result| result.within_boundary).collect();
        let boundary =
            boundaries.filter(|all| !all.is_empty()).map(|all| all.into_iter().all(|within| within));
        Self {
            eval_action_name: action.to_owned(),
            eval_resource_name: name,
            eval_decision: worst.map_or("implicitDeny", decision),
            matched_statements: matched,
            missing_context_values: once_each(results.iter().flat_map(|result| &result.missing)),
            organizations_decision_detail: organization.then(|| OrganizationsDecision {
                allowed_by_organizations: results.iter().all(|result| result.within_organization),
            }),
            permissions_boundary_decision_detail: boundary.map(BoundaryDecision::new),
            eval_decision_details: match results.as_slice() {
                [one] => details(&one.explanation),
                _ => BTreeMap::new(),
            },
            resource_specific_results: results.into_iter().map(ResourceSpecificResult::of).collect(),
        }
    }
}

impl ResourceSpecificResult {
    fn of(result: ResourceResult) -> Self {
        Self {
            eval_resource_name: result.resource,
            eval_resource_decision: decision(result.explanation.decision.effect),
            eval_decision_details: details(&result.explanation),
            matched_statements: result.matched,
            missing_context_values: result.missing,
            permissions_boundary_decision_detail: result.within_boundary.map(BoundaryDecision::new),
        }
    }
}

impl BoundaryDecision {
    fn new(allowed_by_permissions_boundary: bool) -> Self {
        Self { allowed_by_permissions_boundary }
    }
}

fn once_each<'a, T: Clone + PartialEq + 'a>(items: impl Iterator<Item = &'a T>) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    for item in items {
        if !all.contains(item) {
            all.push(item.clone());
        }
    }
    all
}

/// Across accounts, what each side says (`EvalDecisionDetails`); within an account there is nothing to tell apart.
fn details(explanation: &Explanation) -> BTreeMap<&'static str, &'static str> {
    if !explanation.decision.cross_account {
        return BTreeMap::new();
    }
    let side = |kinds: &[PolicyType]| {
        let matched = |effect| {
            explanation.statements.iter().any(|report| {
                kinds.contains(&report.policy_type)
                    && report.effect == effect
                    && report.outcome == Outcome::Matched
            })
        };
        match (matched(Effect::Deny), matched(Effect::Allow)) {
            (true, _) => "explicitDeny",
            (false, true) => "allowed",
            (false, false) => "implicitDeny",
        }
    };
    BTreeMap::from([
        ("IAM Policy", side(&[PolicyType::Identity])),
        ("Resource Policy", side(&[PolicyType::Resource, PolicyType::RoleTrust])),
    ])
}

fn decision(effect: DecisionEffect) -> &'static str {
    match effect {
        DecisionEffect::Allowed => "allowed",
        DecisionEffect::ExplicitlyDenied => "explicitDeny",
        DecisionEffect::ImplicitlyDenied => "implicitDeny",
    }
}

fn badness(effect: &DecisionEffect) -> u8 {
    match effect {
        DecisionEffect::Allowed => 0,
        DecisionEffect::ImplicitlyDenied => 1,
        DecisionEffect::ExplicitlyDenied => 2,
    }
}
