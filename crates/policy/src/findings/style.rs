//! Warnings and suggestions about what is written twice, in vain, or without the version it needs.

use std::collections::BTreeSet;

use super::conditions::{self, Test};
use super::{Look, Note};
use crate::action::{Action, ActionSet};
use crate::arn::{Arn, ResourcePattern};
use crate::code::Code;
use crate::condition::Base;
use crate::context::Context;
use crate::document::{Document, Listed, PrincipalForm, StatementText, Text};
use crate::validate::Kind;
use crate::variable::Match;

/// Longest list of which every entry is compared with every other.
const COMPARED_MAX: usize = 100;

pub(super) fn look_at_document(kind: Kind, document: &Document, notes: &mut Vec<Note>) {
    // Managed policies without it are refused.
    if document.version.is_none() && !matches!(kind, Kind::Managed | Kind::Boundary) {
        notes.push(Note::plain(Code::MissingVersion, 0));
    }
    if !kind.is_iam() {
        notes.extend(document.repeated_sids().map(|sid| Note::plain(Code::DuplicateSids, sid.at)));
    }
    let mut seen = BTreeSet::new();
    for statement in &document.statements {
        if !seen.insert(meaning(statement)) {
            notes.push(Note::plain(Code::RedundantStatement, statement.at));
        }
    }
}

/// What a statement says, without its name and its places.
fn meaning(statement: &StatementText) -> String {
    let listed = |items: &[Text]| items.iter().map(|item| item.value.clone()).collect::<Vec<_>>();
    let element =
        |element: &Option<Listed>| element.as_ref().map(|element| (element.negated, listed(&element.items)));
    let principal = statement.principal.as_ref().map(|principal| {
        let kinds = match &principal.form {
            PrincipalForm::Map(kinds) => {
                kinds.iter().map(|(kind, values)| (kind.name(), listed(values))).collect()
            }
            _ => Vec::new(),
        };
        (principal.negated, kinds)
    });
    let conditions: Vec<_> = statement
        .conditions
        .iter()
        .map(|operator| {
            let keys = operator.keys.iter().map(|(key, values)| (key.value.clone(), listed(values)));
            (operator.name.value.clone(), keys.collect::<Vec<_>>())
        })
        .collect();
    let (action, resource) = (element(&statement.action), element(&statement.resource));
    format!("{:?}", (&statement.effect.value, principal, action, resource, conditions))
}

pub(super) fn look(look: &Look<'_>, notes: &mut Vec<Note>) {
    if let Some(sid) = look.statement.sid.as_ref().filter(|sid| sid.value.is_empty()) {
        notes.push(Note::plain(Code::EmptySid, sid.at));
    }
    let empty = look.statement.conditions.iter().filter(|operator| operator.keys.is_empty());
    notes.extend(empty.map(|operator| Note::plain(Code::EmptyObjectCondition, operator.name.at)));
    redundant(look.actions(), compile_action, covers_action, Code::RedundantAction, notes);
    redundant(look.resources(), compile_resource, covers_resource, Code::RedundantResource, notes);
    for test in conditions::of(look.statement) {
        let mut seen = BTreeSet::new();
        let again = test.values.iter().filter(|value| !seen.insert(value.value.as_str()));
        notes.extend(again.map(|value| Note::plain(Code::RedundantConditionValue, value.at)));
        addresses(&test, notes);
    }
}

/// Entries that another entry takes in. Of two that are the same the later one is told.
fn redundant<P>(
    items: &[Text],
    compile: fn(&str) -> P,
    covers: fn(&P, &Text, &Text) -> bool,
    code: Code,
    notes: &mut Vec<Note>,
) {
    let items = items.get(..COMPARED_MAX).unwrap_or(items);
    let compiled: Vec<(P, &Text)> = items.iter().map(|item| (compile(&item.value), item)).collect();
    for (at, (own, item)) in compiled.iter().enumerate() {
        let other = compiled.iter().enumerate().find(|(other_at, (pattern, other))| {
            let again = covers(pattern, other, item);
            *other_at != at && again && (*other_at < at || !covers(own, item, other))
        });
        if let Some((_, (_, other))) = other {
            let message = format!("`{}` takes `{}` in.", other.value, item.value);
            notes.push(Note::new(code, message, item.at));
        }
    }
}

/// Whether everything that `inner` matches is matched by `outer`. A `*` of the inner one is taken in by a `*` of the
/// outer one only; a `?` of the outer one proves nothing.
fn covers_action(set: &ActionSet, outer: &Text, inner: &Text) -> bool {
    !outer.value.contains('?') && set.contains(Action::new(&inner.value.to_ascii_lowercase()))
}

fn compile_action(text: &str) -> ActionSet {
    ActionSet::new([text])
}

fn covers_resource(pattern: &ResourcePattern, outer: &Text, inner: &Text) -> bool {
    if outer.value == inner.value {
        return true;
    }
    if outer.value.contains(['?', '$']) {
        return false;
    }
    pattern.matches(Arn::parse(&inner.value).as_ref(), &Context::new()) == Match::Yes
}

fn compile_resource(text: &str) -> ResourcePattern {
    ResourcePattern::new(text, false)
}

/// Private networks in aws:SourceIp.
fn addresses(test: &Test<'_>, notes: &mut Vec<Note>) {
    let address = matches!(test.operator.base, Base::Address { .. });
    if !address || !test.is("aws:sourceip") {
        return;
    }
    let private = |text: &str| {
        let second = text.split('.').nth(1).and_then(|part| part.parse::<u8>().ok());
        text.starts_with("10.")
            || text.starts_with("192.168.")
            || (text.starts_with("172.") && second.is_some_and(|second| (16..32).contains(&second)))
    };
    let values = test.values.iter().filter(|value| private(&value.value));
    notes.extend(values.map(|value| Note::plain(Code::PrivateIpAddress, value.at)));
}
