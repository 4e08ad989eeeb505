//! The encoded authorization message: why a request was denied, sealed so that only people of the principal's account who
//! may `sts:DecodeAuthorizationMessage` read it (AWS STS API Reference, DecodeAuthorizationMessage).
//!
//! Inside is AWS's JSON, and a member `daypass` with what every statement said.

use daypass_authn::token::{Keyring, Purpose};
use daypass_directory::{Check, Facts, document_of};
use daypass_model::AccountId;
use daypass_model::limits::ENCODED_MESSAGE_LENGTH_MAX;
use daypass_policy::{
    Context, Decision, DecisionEffect, Determining, Explanation, Outcome, PolicyType, outline,
};
use serde_json::{Value, json};

use crate::error::Error;
use crate::house::House;
use crate::why::{Told as Known, Why, belongs_to_owner, crosses, reason};

/// Seconds after which a message is no longer opened.
const LIFETIME_SECONDS: i64 = 24 * 3600;
/// Statements of the member `daypass`.
const STATEMENTS_MAX: usize = 20;

/// The message about a denial; `None` in the unlikely case that nothing of it fits.
pub(crate) fn encode(house: &House, facts: Facts<'_>, check: &Check, why: &Why) -> Option<String> {
    let Known { explanation, context } = why.callers();
    let decision = &explanation.decision;
    let told = Told { facts, check, decision, explanation, context };
    let account = facts.principal.account;
    // What is too long for AWS's parameter is told with less, rather than not at all.
    [Detail::All, Detail::NoStatements, Detail::NoContext].into_iter().find_map(|detail| {
        let text = json!({"at": facts.op.now.as_second(), "message": told.message(detail)}).to_string();
        let random = house.directory.random();
        let keyring: &Keyring = facts.view.keyring();
        let sealed =
            keyring.seal_message(Purpose::AuthorizationMessage, &bound_to(account), text.as_bytes(), random);
        sealed.ok().filter(|sealed| sealed.len() <= ENCODED_MESSAGE_LENGTH_MAX)
    })
}

/// The JSON text of a message of this account.
///
/// # Errors
/// InvalidAuthorizationMessageException.
pub(crate) fn decode(keyring: &Keyring, account: AccountId, now: i64, sealed: &str) -> Result<String, Error> {
    let invalid = || Error::new("InvalidAuthorizationMessageException", "Message is not valid.");
    let opened = keyring.open_message(Purpose::AuthorizationMessage, &bound_to(account), sealed);
    let opened: Value = serde_json::from_slice(&opened.map_err(|_| invalid())?).map_err(|_| invalid())?;
    let (at, message) = (opened.get("at").and_then(Value::as_i64), opened.get("message"));
    match (at, message) {
        (Some(at), Some(message)) if now - at < LIFETIME_SECONDS => Ok(message.to_string()),
        _ => Err(invalid()),
    }
}

/// Only this account opens it.
fn bound_to(account: AccountId) -> Vec<u8> {
    format!("account {account}").into_bytes()
}

/// How much is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    All,
    NoStatements,
    NoContext,
}

struct Told<'a> {
    facts: Facts<'a>,
    check: &'a Check,
    decision: &'a Decision<'a>,
    explanation: &'a Explanation,
    context: &'a Context,
}

impl Told<'_> {
    fn message(&self, detail: Detail) -> Value {
        let (principal, check) = (self.facts.principal, self.check);
        let matched = self.decision.statements.iter().filter(|found| self.is_ours(found.policy_type));
        let matched: Vec<Value> = matched.map(|found| self.statement(found)).collect();
        let mut who = json!({"id": principal.user_id, "arn": principal.arn});
        if let Some((name, members)) = principal.user_name().zip(who.as_object_mut()) {
            members.insert("name".to_owned(), json!(name));
        }
        let conditions = if detail == Detail::NoContext { Vec::new() } else { self.conditions() };
        json!({
            "allowed": self.decision.is_allowed(),
            "explicitDeny": self.decision.effect == DecisionEffect::ExplicitlyDenied,
            "matchedStatements": {"items": matched},
            "failures": {"items": []},
            "context": {
                "principal": who,
                "action": check.action,
                "resource": check.resource,
                "conditions": {"items": conditions},
            },
            "daypass": {
                "requestId": self.facts.op.request_id,
                "decidedBy": self.is_ours(self.decision.decided_by).then(|| self.decision.decided_by.as_str()),
                "statements": if detail == Detail::All { self.statements() } else { Vec::new() },
            },
        })
    }

    /// Of another account's policies nothing is told.
    fn is_ours(&self, kind: PolicyType) -> bool {
        !belongs_to_owner(kind) || self.check.owner == self.facts.principal.account
    }

    fn conditions(&self) -> Vec<Value> {
        // Across accounts what the service said of the request is for its own account.
        let across = crosses(self.facts, self.check);
        let said = |key: &str| self.check.keys.iter().any(|(said, _)| said.eq_ignore_ascii_case(key));
        let keys = self.context.iter().filter(|(key, ..)| !(across && said(key)));
        keys.map(|(key, values, _)| json!({"key": key, "values": values_of(values)})).collect()
    }

    fn statements(&self) -> Vec<Value> {
        let speaking =
            self.explanation.statements.iter().filter(|report| {
                report.outcome != Outcome::ActionMismatch && self.is_ours(report.policy_type)
            });
        let told = speaking.take(STATEMENTS_MAX).map(|report| {
            json!({
                "policy": report.policy, "type": report.policy_type.as_str(), "sid": report.sid,
                "index": report.index + 1, "matched": report.outcome == Outcome::Matched,
                "reason": reason(&report.outcome, crosses(self.facts, self.check)),
            })
        });
        told.collect()
    }

    /// A statement that denied, in AWS's form.
    fn statement(&self, found: &Determining<'_>) -> Value {
        let text = document_of(self.facts, self.check, found);
        let outline = text.and_then(|text| outline(text).ok()?.into_iter().nth(found.index));
        let (mut principals, mut actions, mut resources, mut conditions) = Default::default();
        if let Some(statement) = outline {
            (principals, actions, resources) = (statement.principals, statement.actions, statement.resources);
            conditions = statement.conditions;
        }
        if !belongs_to_owner(found.policy_type) {
            principals =
                self.facts.principal.user_id.split(':').next().map(str::to_owned).into_iter().collect();
        }
        let conditions: Vec<Value> =
            conditions.iter().map(|(key, values)| json!({"key": key, "values": values_of(values)})).collect();
        json!({
            "statementId": found.sid.clone().unwrap_or_default(),
            "effect": "DENY",
            "principals": values_of(&principals),
            "principalGroups": {"items": []},
            "actions": values_of(&actions),
            "resources": values_of(&resources),
            "conditions": {"items": conditions},
        })
    }
}

fn values_of(values: &[String]) -> Value {
    json!({"items": values.iter().map(|value| json!({"value": value})).collect::<Vec<_>>()})
}
