//! The encoded authorization message: why a request was denied, sealed so that only people of the principal's account who
//! may `sts:DecodeAuthorizationMessage` read it (AWS STS API Reference, DecodeAuthorizationMessage).
//!
//! Inside is AWS's JSON, and a member `daypass` with what every statement said, and whether anything was left out because
//! the message is full. Across accounts it holds the caller's side alone (`why`), and no value of a key that the resource's
//! side gave.

use daypass_authn::token::{Keyring, Purpose};
use daypass_directory::{Check, Facts, document_of};
use daypass_model::AccountId;
use daypass_model::limits::ENCODED_MESSAGE_LENGTH_MAX;
use daypass_policy::{DecisionEffect, Determining, Outcome, StatementOutline, StatementReport, outline};
use serde_json::{Value, json};

use crate::error::Error;
use crate::house::House;
use crate::why::{Told, Why, belongs_to_owner, crosses, is_deciding, reason, speaking};

/// Seconds after which a message is no longer opened.
const LIFETIME_SECONDS: i64 = 24 * 3600;
/// Statements of the member `daypass`.
const STATEMENTS_MAX: usize = 20;
/// Actions, resources, condition keys and their values that are told of a statement which has more than fit.
const LISTED_OF_LONG: usize = 5;
/// Bytes of JSON that fit into a message: sealed and in Base64 it is a third longer, and a little more.
const JSON_LENGTH_MAX: usize = ENCODED_MESSAGE_LENGTH_MAX / 4 * 3 - 64;

/// The message about a denial; `None` in the unlikely case that nothing of it fits.
pub(crate) fn encode(house: &House, facts: Facts<'_>, check: &Check, why: &Why) -> Option<String> {
    let subject = Subject { facts, check, told: why.callers(), across: crosses(facts, check) };
    let text = json!({"at": facts.op.now.as_second(), "message": subject.message()}).to_string();
    let (random, context) = (house.directory.random(), bound_to(facts.principal.account));
    let keyring: &Keyring = facts.view.keyring();
    let sealed = keyring.seal_message(Purpose::AuthorizationMessage, &context, text.as_bytes(), random);
    sealed.ok().filter(|sealed| sealed.len() <= ENCODED_MESSAGE_LENGTH_MAX)
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

/// What is left of a message's length.
struct Room(usize);

impl Room {
    /// Whether this still fits, behind a comma; then it is counted.
    fn take(&mut self, piece: &Value) -> bool {
        match self.0.checked_sub(piece.to_string().len() + 1) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }

    /// As many of these as fit, one after the other, and whether some did not.
    fn fill(&mut self, pieces: impl Iterator<Item = Value>) -> (Vec<Value>, bool) {
        let (fitting, others): (Vec<_>, Vec<_>) = pieces.partition(|piece| self.take(piece));
        (fitting, !others.is_empty())
    }
}

/// What a message is about.
struct Subject<'a> {
    facts: Facts<'a>,
    check: &'a Check,
    told: &'a Told,
    across: bool,
}

impl Subject<'_> {
    /// What matters most takes its room first: the statements that decided, then the facts that AWS defines, then those of
    /// a service from the shortest on, then what the other statements said.
    fn message(&self) -> Value {
        let (principal, check, decision) =
            (self.facts.principal, self.check, &self.told.explanation.decision);
        let mut who = json!({"id": principal.user_id, "arn": principal.arn});
        if let Some((name, members)) = principal.user_name().zip(who.as_object_mut()) {
            members.insert("name".to_owned(), json!(name));
        }
        let is_ours = |kind| !(self.across && belongs_to_owner(kind));
        let mut message = json!({
            "allowed": decision.is_allowed(),
            "explicitDeny": decision.effect == DecisionEffect::ExplicitlyDenied,
            "matchedStatements": {"items": []},
            "failures": {"items": []},
            "context": {
                "principal": who,
                "action": check.action,
                "resource": check.resource,
                "conditions": {"items": []},
            },
            "daypass": {
                "requestId": self.facts.op.request_id,
                "decidedBy": Some(decision.decided_by).filter(|kind| is_ours(*kind)).map(|kind| kind.as_str()),
                "statements": [],
                "isTruncated": false,
                "contextIsTruncated": false,
            },
        });
        let mut room = Room(JSON_LENGTH_MAX.saturating_sub(message.to_string().len() + 40));
        let explanation = &self.told.explanation;
        let reports = speaking(explanation).filter(|report| is_ours(report.policy_type));
        let reports: Vec<_> = reports.take(STATEMENTS_MAX + 1).collect();
        let (deciding, others): (Vec<_>, Vec<_>) =
            reports.iter().take(STATEMENTS_MAX).partition(|report| is_deciding(explanation, report));
        let (mut statements, cut_deciding) =
            room.fill(deciding.into_iter().map(|report| self.report(report)));
        let (matched, cut_matched) = self.matched(&mut room);
        let (conditions, cut_context) = self.conditions(&mut room);
        let (more, cut_others) = room.fill(others.into_iter().map(|report| self.report(report)));
        statements.extend(more);
        let is_truncated = cut_deciding || cut_matched || cut_others || reports.len() > STATEMENTS_MAX;
        for (place, value) in [
            ("/matchedStatements/items", json!(matched)),
            ("/context/conditions/items", json!(conditions)),
            ("/daypass/statements", json!(statements)),
            ("/daypass/isTruncated", json!(is_truncated)),
            ("/daypass/contextIsTruncated", json!(cut_context)),
        ] {
            if let Some(member) = message.pointer_mut(place) {
                *member = value;
            }
        }
        message
    }

    /// The facts, in the order of their names, and whether some did not fit.
    fn conditions(&self, room: &mut Room) -> (Vec<Value>, bool) {
        // Across accounts what the service said of the request is for its own account.
        let said = |key: &str| self.check.keys.iter().any(|(said, _)| said.eq_ignore_ascii_case(key));
        let keys = self.told.context.iter().filter(|(key, ..)| !(self.across && said(key)));
        let mut keys: Vec<_> = keys
            .enumerate()
            .map(|(place, (key, values, _))| {
                let is_of_service = !key.to_lowercase().starts_with("aws:");
                (is_of_service, place, json!({"key": key, "values": values_of(values)}))
            })
            .collect();
        keys.sort_by_cached_key(|(is_of_service, _, item)| (*is_of_service, item.to_string().len()));
        let (mut fitting, others): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|(.., item)| room.take(item));
        fitting.sort_unstable_by_key(|(_, place, _)| *place);
        (fitting.into_iter().map(|(.., item)| item).collect(), !others.is_empty())
    }

    /// What a statement said.
    fn report(&self, report: &StatementReport) -> Value {
        json!({
            "policy": report.policy, "type": report.policy_type.as_str(), "sid": report.sid,
            "index": report.index + 1, "matched": report.outcome == Outcome::Matched,
            "reason": reason(&report.outcome, self.across),
        })
    }

    /// The statements that denied, in AWS's form, and whether something of them did not fit. One that is too long is told
    /// with the beginnings of its lists, or without them.
    fn matched(&self, room: &mut Room) -> (Vec<Value>, bool) {
        let decision = &self.told.explanation.decision;
        let (mut matched, mut cut) = (Vec::new(), false);
        for found in decision.statements.iter() {
            if matched.len() == STATEMENTS_MAX {
                return (matched, true);
            }
            let outline = self.outline(found);
            let forms = [usize::MAX, LISTED_OF_LONG, 0].into_iter();
            let mut forms = forms.map(|most| (most, self.statement(found, outline.as_ref(), most)));
            // Half of what is left, so that one long statement leaves room for the others and for the facts.
            let mut half = Room(room.0 / 2);
            let Some((most, item)) = forms.find(|(_, item)| half.take(item)) else {
                cut = true;
                continue;
            };
            room.take(&item);
            matched.push(item);
            cut |= most != usize::MAX;
        }
        (matched, cut)
    }

    fn outline(&self, found: &Determining<'_>) -> Option<StatementOutline> {
        let text = document_of(self.facts, self.check, found)?;
        outline(text).ok()?.into_iter().nth(found.index)
    }

    /// A statement that denied, in AWS's form, with at most so many items of each of its lists.
    fn statement(&self, found: &Determining<'_>, outline: Option<&StatementOutline>, most: usize) -> Value {
        let cut = |list: &[String]| values_of(list.get(..most).unwrap_or(list));
        let none: &[String] = &[];
        let listed = |list: fn(&StatementOutline) -> &Vec<String>| cut(outline.map_or(none, |one| list(one)));
        let principals = if belongs_to_owner(found.policy_type) {
            listed(|one| &one.principals)
        } else {
            let id = self.facts.principal.user_id.split(':').next().unwrap_or_default();
            values_of(&[id.to_owned()])
        };
        let conditions = outline.into_iter().flat_map(|one| &one.conditions).take(most);
        let conditions: Vec<Value> =
            conditions.map(|(key, values)| json!({"key": key, "values": cut(values)})).collect();
        json!({
            "statementId": found.sid.clone().unwrap_or_default(),
            "effect": "DENY",
            "principals": principals,
            "principalGroups": {"items": []},
            "actions": listed(|one| &one.actions),
            "resources": listed(|one| &one.resources),
            "conditions": {"items": conditions},
        })
    }
}

fn values_of(values: &[String]) -> Value {
    json!({"items": values.iter().map(|value| json!({"value": value})).collect::<Vec<_>>()})
}
