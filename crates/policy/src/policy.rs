//! A compiled policy document, and what can be said about one statement and one request.
//!
//! It answers for `Policy` and for whether a statement matches. It does not know which kinds of policies
//! there are or how they combine: that is the evaluate module.

use crate::action::{Action, ActionSet};
use crate::arn::{Arn, ResourcePattern};
use crate::code::Code;
use crate::condition::Condition;
use crate::context::Context;
use crate::document::{
    Document, Effect, Fault, Listed, Malformed, PrincipalForm, PrincipalText, SYNTAX_ERRORS, StatementText,
};
use crate::index::Index;
use crate::json::Node;
use crate::principal::{PrincipalKind, PrincipalMatcher, Strength};
use crate::request::Principal;
use crate::variable::Match;
use crate::work::{Weight, Work};

/// A policy document, compiled once and shared by all requests that meet it.
///
/// ```
/// use daypass_policy::Policy;
/// let policy = Policy::parse(r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#)?;
/// assert_eq!(policy.principals().count(), 0);
/// let error = Policy::parse(r#"{"Statement": [{"Effect": "Allow"}, ]}"#).unwrap_err();
/// assert_eq!(error.to_string(), "Syntax errors in policy.");
/// assert_eq!((error.line, error.column), (1, 37));
/// # Ok::<(), daypass_policy::Malformed>(())
/// ```
#[derive(Debug)]
pub struct Policy {
    statements: Box<[Statement]>,
    /// `None` where it would take longer than to ask each of them.
    index: Option<Index>,
}

/// The fewest statements for which an index pays.
const INDEXED_MIN: usize = 16;

/// One entry of a `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrincipalEntry<'a> {
    /// `AWS`, `Service`, `Federated` or `CanonicalUser`; `*` for the bare `"*"`.
    pub kind: &'static str,
    /// The value: an ARN, an account, a unique id, a service name…
    pub value: &'a str,
    /// Whether it stands in a `NotPrincipal`.
    pub negated: bool,
}

impl Policy {
    /// Parses and compiles a document that was validated when it was written: only its syntax is checked.
    /// What cannot be understood (an operator nobody knows, a value that is no number) fails closed when it
    /// is met.
    ///
    /// # Errors
    ///
    /// `Malformed` when the text is no JSON, has a name twice in one object, is too long or nested too
    /// deeply, or breaks the grammar.
    pub fn parse(text: &str) -> Result<Policy, Malformed> {
        let compiled = Document::parse(text).and_then(|document| Policy::compile(&document));
        compiled.map_err(|fault| fault.locate(text, SYNTAX_ERRORS.to_owned()))
    }

    /// Every entry of every `Principal` and `NotPrincipal`, in the order of the document: for checking that
    /// what they name exists.
    pub fn principals(&self) -> impl Iterator<Item = PrincipalEntry<'_>> {
        self.statements.iter().filter_map(|statement| statement.principal.as_ref()).flat_map(|principal| {
            principal.entries.iter().map(|(kind, value)| PrincipalEntry {
                kind: kind.name(),
                value,
                negated: principal.negated,
            })
        })
    }

    /// A policy that stands inside a larger JSON document.
    pub(crate) fn from_node(node: &Node) -> Result<Policy, Fault> {
        Policy::compile(&Document::read(node)?)
    }

    /// Every statement with its place in the document.
    pub(crate) fn statements(&self) -> impl Iterator<Item = (usize, &Statement)> {
        self.statements.iter().enumerate()
    }

    /// Those that can speak of the action, in the same order: all that can match, and few others.
    pub(crate) fn each_candidate<'p>(&'p self, action: Action<'_>, ask: impl FnMut((usize, &'p Statement))) {
        match &self.index {
            Some(index) => {
                let places = index.candidates(action);
                places.filter_map(|place| Some((place, self.statements.get(place)?))).for_each(ask);
            }
            None => self.statements().for_each(ask),
        }
    }

    fn compile(document: &Document) -> Result<Policy, Fault> {
        let variables = document.has_variables();
        let statements = document.statements.iter().map(|text| Statement::compile(text, variables));
        let statements: Box<[Statement]> = statements.collect::<Result<_, Fault>>()?;
        let indexed = statements.len() >= INDEXED_MIN;
        let index = indexed.then(|| Index::new(statements.iter().map(Statement::actions_listed)));
        Ok(Policy { statements, index })
    }
}

/// A compiled statement.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) sid: Option<Box<str>>,
    pub(crate) effect: Effect,
    principal: Option<PrincipalMatcher>,
    not_action: bool,
    actions: ActionSet,
    resource: Option<ResourceMatcher>,
    conditions: Box<[Condition]>,
}

#[derive(Debug)]
struct ResourceMatcher {
    negated: bool,
    patterns: Box<[ResourcePattern]>,
    weight: Weight,
}

/// A request, split once for all statements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) action: Action<'a>,
    pub(crate) resource: Option<Arn<'a>>,
    /// The length of its text.
    pub(crate) resource_bytes: usize,
    pub(crate) principal: &'a Principal<'a>,
    pub(crate) context: &'a Context,
    /// Whether the caller has a permissions boundary.
    pub(crate) bounded: bool,
    /// What may still be spent on the decision.
    pub(crate) work: &'a Work,
}

/// Where a policy stands, which says what its statements must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// With the caller or its organization: a resource, and no principal.
    Caller,
    /// At a resource: both.
    Resource,
    /// At a role, as its trust policy: a principal; it speaks of its own role.
    Role,
}

/// The first part of a statement that did not match.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mismatch<'p> {
    Action,
    Resource,
    Principal,
    Condition(&'p Condition),
    /// Not looked at: the decision has cost too much already.
    TooCostly,
}

impl Statement {
    fn compile(text: &StatementText, variables: bool) -> Result<Statement, Fault> {
        let effect = text.effect().ok_or_else(|| Fault::syntax(Code::InvalidEffect, text.effect.at))?;
        let action = text.action.as_ref().ok_or_else(|| Fault::syntax(Code::MissingAction, text.at))?;
        let values = |listed: &Listed| listed.items.iter().map(|item| item.value.clone()).collect::<Vec<_>>();
        let resource = text.resource.as_ref().map(|resource| ResourceMatcher {
            negated: resource.negated,
            patterns: values(resource).iter().map(|value| ResourcePattern::new(value, variables)).collect(),
            weight: Weight::of(values(resource).iter().map(String::as_str)),
        });
        let conditions = text.conditions.iter().flat_map(|operator| {
            operator.keys.iter().map(|(key, values)| {
                let values = values.iter().map(|value| value.value.as_str());
                Condition::new(&operator.name.value, &key.value, values, variables)
            })
        });
        Ok(Statement {
            sid: text.sid.as_ref().map(|sid| sid.value.as_str().into()),
            effect,
            principal: text.principal.as_ref().map(compile_principal).transpose()?,
            not_action: action.negated,
            actions: ActionSet::new(action.items.iter().map(|item| item.value.as_str())),
            resource,
            conditions: conditions.collect(),
        })
    }

    fn actions_listed(&self) -> Option<&ActionSet> {
        (!self.not_action).then_some(&self.actions)
    }

    /// Whether the statement speaks of this call. Where a policy stands at a resource, the answer is how strongly
    /// the statement names the caller.
    // INVARIANT (fail-closed): an element that is missing or out of place keeps an Allow from applying and
    // does not keep a Deny from it.
    pub(crate) fn check(&self, call: &Call<'_>, place: Place) -> Result<Strength, Mismatch<'_>> {
        if self.actions.contains(call.action) == self.not_action {
            return Err(Mismatch::Action);
        }
        let weight = self.resource.as_ref().map_or(Weight::default(), |resource| resource.weight);
        if !call.work.spend(weight, 1, call.resource_bytes) {
            return self.too_costly();
        }
        if !self.reaches_resource(call, place) {
            return Err(Mismatch::Resource);
        }
        let strength = self.names_caller(call, place).ok_or(Mismatch::Principal)?;
        for condition in &self.conditions {
            match condition.holds(self.effect, call.context, call.work) {
                Some(true) => {}
                Some(false) => return Err(Mismatch::Condition(condition)),
                None => return self.too_costly(),
            }
        }
        Ok(strength)
    }

    /// What counts when nobody can afford to look.
    fn too_costly(&self) -> Result<Strength, Mismatch<'_>> {
        match self.effect {
            Effect::Deny => Ok(Strength::Everyone),
            Effect::Allow => Err(Mismatch::TooCostly),
        }
    }

    fn reaches_resource(&self, call: &Call<'_>, place: Place) -> bool {
        let Some(resource) = &self.resource else {
            return place == Place::Role || self.effect == Effect::Deny;
        };
        let mut unresolved = false;
        let listed = resource.patterns.iter().any(|pattern| {
            match pattern.matches(call.resource.as_ref(), call.context) {
                Match::Yes => true,
                Match::No => false,
                Match::Unresolved => {
                    unresolved = true;
                    false
                }
            }
        });
        if !resource.negated {
            return listed;
        }
        // An exclusion that names nothing excludes nothing. A Deny then applies everywhere; an Allow that
        // did the same would grant what its author meant to exclude, so it does not apply.
        let doubtful = unresolved && self.effect == Effect::Allow;
        !listed && !doubtful
    }

    fn names_caller(&self, call: &Call<'_>, place: Place) -> Option<Strength> {
        let attached = place != Place::Caller;
        let deny = self.effect == Effect::Deny;
        match &self.principal {
            None => (!attached || deny).then_some(Strength::Everyone),
            Some(_) if !attached => deny.then_some(Strength::Everyone),
            Some(principal) if principal.negated => {
                // Only Deny takes a NotPrincipal, and it catches every caller with a boundary.
                let caught = deny && (call.bounded || !principal.spares(call.principal));
                caught.then_some(Strength::Everyone)
            }
            Some(principal) => principal.names(call.principal, deny),
        }
    }
}

fn compile_principal(text: &PrincipalText) -> Result<PrincipalMatcher, Fault> {
    let entries = match &text.form {
        PrincipalForm::Star => Box::from([(PrincipalKind::Star, Box::from("*"))]),
        PrincipalForm::Map(kinds) => kinds
            .iter()
            .flat_map(|(kind, values)| values.iter().map(|value| (*kind, Box::from(value.value.as_str()))))
            .collect(),
        PrincipalForm::Wrong(code, at) => return Err(Fault::syntax(*code, *at)),
    };
    Ok(PrincipalMatcher { negated: text.negated, entries })
}
