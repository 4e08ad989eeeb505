//! Why a request was denied, as far as each of the two accounts may know: the caller's and the resource's.
//!
//! INVARIANT (own-side-only): across accounts each is told what its own policies said, with the names of condition keys
//! and not their values. The caller's side is asked anew as if the resource were not there: what it is told is the same
//! for a resource that does not let it in and for one that does not exist.

use daypass_directory::{Check, Facts, explain};
use daypass_policy::{Context, DecisionEffect, Effect, Explanation, Outcome, PolicyType, StatementReport};

/// A denial, explained once for all who may ask.
pub(crate) struct Why {
    /// With everything that took part.
    pub(crate) whole: Told,
    /// Across accounts, what the caller's account may know.
    callers: Option<Told>,
}

/// An explanation, and the facts that it rests on.
pub(crate) struct Told {
    pub(crate) explanation: Explanation,
    pub(crate) context: Context,
}

impl Why {
    pub(crate) fn of(facts: Facts<'_>, check: &Check) -> Self {
        let told = |check: &Check| {
            let (explanation, context) = explain(facts, check);
            Told { explanation, context }
        };
        let callers = crosses(facts, check).then(|| told(&check.callers_side()));
        Self { whole: told(check), callers }
    }

    /// What the caller's account may know.
    pub(crate) fn callers(&self) -> &Told {
        self.callers.as_ref().unwrap_or(&self.whole)
    }
}

/// Whether caller and resource belong to different accounts.
pub(crate) fn crosses(facts: Facts<'_>, check: &Check) -> bool {
    facts.principal.account != check.owner
}

/// Whose policies a kind is, where the accounts differ.
pub(crate) fn belongs_to_owner(kind: PolicyType) -> bool {
    matches!(kind, PolicyType::Resource | PolicyType::RoleTrust | PolicyType::Rcp)
}

/// Statements of other actions that are told.
const SILENT_MAX: usize = 20;

/// Every statement that speaks of the action, those that decided first: what is cut is never one of them. Where nothing
/// allowed, then some that allow other actions, of the kind of policy that had to allow this one.
pub(crate) fn speaking(explanation: &Explanation) -> impl Iterator<Item = &StatementReport> {
    let reports = move |decided| {
        let all = explanation.statements.iter();
        all.filter(move |report| is_deciding(explanation, report) == decided)
    };
    let is_of_action = |report: &&StatementReport| report.outcome != Outcome::ActionMismatch;
    let decision = &explanation.decision;
    let is_silent = |report: &&StatementReport| {
        decision.effect == DecisionEffect::ImplicitlyDenied
            && report.outcome == Outcome::ActionMismatch
            && report.effect == Effect::Allow
            && report.policy_type == decision.decided_by
    };
    let silent = explanation.statements.iter().filter(move |report| is_silent(report)).take(SILENT_MAX);
    reports(true).chain(reports(false)).filter(is_of_action).chain(silent)
}

/// Whether a statement is one of those that denied.
pub(crate) fn is_deciding(explanation: &Explanation, report: &StatementReport) -> bool {
    explanation.decision.effect == DecisionEffect::ExplicitlyDenied
        && report.outcome == Outcome::Matched
        && report.effect == Effect::Deny
}

/// What a statement said in words; across accounts without the values of the request.
pub(crate) fn reason(outcome: &Outcome, across: bool) -> String {
    match outcome {
        Outcome::ConditionMismatch { operator, key, .. } if across => {
            format!("the condition `{operator}` on `{key}` is not met")
        }
        outcome => outcome.to_string(),
    }
}
