//! Spellings and literals that IAM's older parser refuses: "The policy failed legacy parsing".

use super::{Kind, resources};
use crate::code::Code;
use crate::condition;
use crate::document::{Document, Fault, StatementText};

pub(super) const FAILED: &str = "The policy failed legacy parsing";

pub(super) fn check(kind: Kind, document: &Document, found: &mut Vec<Fault>) {
    for statement in &document.statements {
        if statement.effect().is_none() {
            found.push(Fault::rule(Code::InvalidEffect, FAILED, statement.effect.at));
        }
        check_values(kind, statement, document.has_variables(), found);
    }
    // A resource that has no form at all answers later, with words of its own.
    if kind.is_iam() && !document.statements.iter().any(resources::has_format_fault) {
        found.extend(document.statements.iter().flat_map(arn_faults));
    }
}

fn check_values(kind: Kind, statement: &StatementText, variables: bool, found: &mut Vec<Fault>) {
    for operator in &statement.conditions {
        for value in operator.keys.iter().flat_map(|(_, values)| values) {
            let name = &operator.name.value;
            if !condition::is_writable_literal(name, &value.value, variables, kind.literal_check()) {
                found.push(Fault::rule(Code::InvalidConditionValue, FAILED, value.at));
            }
        }
    }
}

/// An ARN with an empty service, or with fewer than six fields of which some are empty.
fn arn_faults(statement: &StatementText) -> impl Iterator<Item = Fault> {
    let resources = statement.resource.iter().flat_map(|resource| &resource.items);
    let unfit = resources.filter(|resource| {
        let text = resource.value.as_str();
        let short = text.matches(':').count() < 5 && text.contains("::");
        short || text.split(':').nth(2) == Some("")
    });
    unfit.map(|resource| Fault::rule(Code::InvalidArn, FAILED, resource.at))
}
