//! Spellings and literals that IAM's older parser refuses: "The policy failed legacy parsing".

use super::{Kind, resources};
use crate::condition;
use crate::document::{Document, Fault, StatementText};

pub(super) const FAILED: &str = "The policy failed legacy parsing";

pub(super) fn check(kind: Kind, document: &Document) -> Result<(), Fault> {
    for statement in &document.statements {
        if statement.effect().is_none() {
            return Err(Fault::rule(FAILED, statement.effect.at));
        }
        check_values(kind, statement, document.has_variables())?;
    }
    // A resource that has no form at all answers later, with words of its own.
    if kind.is_iam() && document.statements.iter().all(|s| resources::check_format(kind, s).is_ok()) {
        document.statements.iter().try_for_each(check_arns)?;
    }
    Ok(())
}

fn check_values(kind: Kind, statement: &StatementText, variables: bool) -> Result<(), Fault> {
    for operator in &statement.conditions {
        for value in operator.keys.iter().flat_map(|(_, values)| values) {
            let name = &operator.name.value;
            if !condition::is_writable_literal(name, &value.value, variables, kind.literal_check()) {
                return Err(Fault::rule(FAILED, value.at));
            }
        }
    }
    Ok(())
}

/// An ARN with an empty service, or with fewer than six fields of which some are empty.
fn check_arns(statement: &StatementText) -> Result<(), Fault> {
    for resource in statement.resource.iter().flat_map(|resource| &resource.items) {
        let text = resource.value.as_str();
        let short = text.matches(':').count() < 5 && text.contains("::");
        let no_service = text.split(':').nth(2) == Some("");
        if short || no_service {
            return Err(Fault::rule(FAILED, resource.at));
        }
    }
    Ok(())
}
