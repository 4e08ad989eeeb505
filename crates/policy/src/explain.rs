//! Why: the same evaluation with a recorder that keeps what each statement answered.
//!
//! There is no second code path. Evaluation is generic over [`Recorder`]; the silent one compiles away.

use std::fmt;

use crate::context::Context;
use crate::decision::{Decision, PolicyType};
use crate::document::Effect;
use crate::evaluate::{Policies, evaluate_with};
use crate::policy::{Mismatch, Statement};
use crate::principal::Strength;
use crate::request::Request;

/// A decision and what every statement had to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The decision, the same that `evaluate` makes.
    pub decision: Decision<'static>,
    /// Every statement that was asked, in the order of asking. Policies that do not bind this caller or this
    /// action (service control policies for a service, say) are not asked.
    pub statements: Vec<StatementReport>,
    /// What it cost, as a share of what one decision may cost: from 0 to 1. Who makes many decisions for one call
    /// can stop by it.
    pub cost: f64,
}

/// What one statement answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementReport {
    /// The kind of policy it stands in.
    pub policy_type: PolicyType,
    /// The level of the organization, for service and resource control policies.
    pub level: Option<String>,
    /// The name or ARN of the policy.
    pub policy: String,
    /// Its place in the document, from 0.
    pub index: usize,
    /// Its `Sid`, if it has one.
    pub sid: Option<String>,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Whether it matched.
    pub outcome: Outcome,
}

/// Whether a statement matched, or the first part of it that did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It matched: its effect counts.
    Matched,
    /// `Action` or `NotAction`.
    ActionMismatch,
    /// `Resource` or `NotResource`.
    ResourceMismatch,
    /// `Principal` or `NotPrincipal`.
    PrincipalMismatch,
    /// One key of the `Condition`.
    ConditionMismatch {
        /// The operator as written.
        operator: String,
        /// The key as written.
        key: String,
        /// What the request has under that key; `None` when it has no such key.
        values: Option<Vec<String>>,
        /// Whether the key is one of several values, which no operator without a set qualifier is met by.
        unqualified: bool,
    },
    /// Nothing of it was looked at: what came before had used up what one decision may cost.
    TooCostly,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Matched => f.write_str("matches"),
            Outcome::ActionMismatch => f.write_str("the action does not match"),
            Outcome::ResourceMismatch => f.write_str("the resource does not match"),
            Outcome::PrincipalMismatch => f.write_str("the principal does not match"),
            Outcome::TooCostly => f.write_str("the decision cost too much before it"),
            Outcome::ConditionMismatch { operator, key, values, unqualified } => {
                write!(f, "the condition `{operator}` on `{key}` is not met")?;
                match values.as_deref() {
                    None => f.write_str(": the request has no such key"),
                    Some(_) if *unqualified => {
                        f.write_str(": a key of several values needs ForAllValues: or ForAnyValue:")
                    }
                    Some([]) => f.write_str(": the request has the key, and no value in it"),
                    Some(values) => write!(f, " by `{}`", values.join("`, `")),
                }
            }
        }
    }
}

/// Decides one request and says why.
///
/// ```
/// # use daypass_policy::*;
/// let policy = Policy::parse(
///     r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
///         "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}}"#,
/// )?;
/// let mut context = Context::new();
/// context.insert("aws:SourceIp", "198.51.100.7");
/// let request = Request {
///     principal: Principal::User {
///         account: "111122223333",
///         arn: "arn:aws:iam::111122223333:user/alice",
///         id: None,
///     },
///     action: "s3:GetObject",
///     resource: "arn:aws:s3:::bucket/key",
///     resource_account: None,
///     context: &context,
/// };
/// let own = [Named { id: "readers", policy: &policy }];
/// let explanation = explain(&request, &Policies { identity: &own, ..Policies::default() });
/// assert_eq!(
///     explanation.statements[0].outcome.to_string(),
///     "the condition `IpAddress` on `aws:SourceIp` is not met by `198.51.100.7`"
/// );
/// # Ok::<(), Malformed>(())
/// ```
#[must_use]
pub fn explain(request: &Request<'_>, policies: &Policies<'_>) -> Explanation {
    let mut log = Log { context: request.context, level: String::new(), statements: Vec::new() };
    let (decision, cost) = evaluate_with(request, policies, &mut log);
    Explanation { decision: decision.into_owned(), statements: log.statements, cost }
}

/// Hears about every statement that is asked.
pub(crate) trait Recorder {
    /// Whether statements that can no longer change the decision are asked too.
    const WANTS_ALL: bool;

    /// The level of the organization whose policies come next; empty for policies that belong to none.
    fn level(&mut self, name: &str);

    fn statement(
        &mut self,
        policy_type: PolicyType,
        policy: &str,
        index: usize,
        statement: &Statement,
        outcome: &Result<Strength, Mismatch<'_>>,
    );
}

/// Keeps nothing.
pub(crate) struct Silent;

impl Recorder for Silent {
    const WANTS_ALL: bool = false;

    fn level(&mut self, _: &str) {}

    fn statement(
        &mut self,
        _: PolicyType,
        _: &str,
        _: usize,
        _: &Statement,
        _: &Result<Strength, Mismatch<'_>>,
    ) {
    }
}

struct Log<'a> {
    context: &'a Context,
    level: String,
    statements: Vec<StatementReport>,
}

impl Recorder for Log<'_> {
    const WANTS_ALL: bool = true;

    fn level(&mut self, name: &str) {
        name.clone_into(&mut self.level);
    }

    fn statement(
        &mut self,
        policy_type: PolicyType,
        policy: &str,
        index: usize,
        statement: &Statement,
        outcome: &Result<Strength, Mismatch<'_>>,
    ) {
        let outcome = match outcome {
            Ok(_) => Outcome::Matched,
            Err(Mismatch::Action) => Outcome::ActionMismatch,
            Err(Mismatch::Resource) => Outcome::ResourceMismatch,
            Err(Mismatch::Principal) => Outcome::PrincipalMismatch,
            Err(Mismatch::TooCostly) => Outcome::TooCostly,
            Err(Mismatch::Condition(condition)) => Outcome::ConditionMismatch {
                operator: condition.operator.to_string(),
                key: condition.key.to_string(),
                values: self.context.get(&condition.key).map(<[String]>::to_vec),
                unqualified: condition.lacks_qualifier(self.context),
            },
        };
        self.statements.push(StatementReport {
            policy_type,
            level: (!self.level.is_empty()).then(|| self.level.clone()),
            policy: policy.to_owned(),
            index,
            sid: statement.sid.as_deref().map(str::to_owned),
            effect: statement.effect,
            outcome,
        });
    }
}
