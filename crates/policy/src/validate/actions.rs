//! Rules for `Action` and `NotAction`.

use super::Kind;
use crate::action::{Action, ActionSet, TAKING_A_ROLE, WITH_A_ROLE};
use crate::code::Code;
use crate::document::{Fault, StatementText, Text};

/// Some policies of other services may list no action at all; an element must be there in every kind.
pub(super) fn check_present(kind: Kind, statement: &StatementText, found: &mut Vec<Fault>) {
    let message = match kind {
        Kind::Trust => "Missing required field Action",
        _ => "Policy statement must contain actions.",
    };
    let at = match &statement.action {
        Some(action) if !action.items.is_empty() || !kind.is_iam() => return,
        Some(action) => action.at,
        None => statement.at,
    };
    found.push(Fault::rule(Code::MissingAction, message, at));
}

/// A lone `*`, or one colon after a service name without wildcards (or `*`). Unknown services pass.
pub(super) fn check_prefixes(_: Kind, statement: &StatementText, found: &mut Vec<Fault>) {
    found.extend(statement.action.iter().flat_map(|action| &action.items).filter_map(prefix_fault));
}

fn prefix_fault(action: &Text) -> Option<Fault> {
    let text = action.value.as_str();
    if text == "*" {
        return None;
    }
    let message = match text.split_once(':') {
        None => "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".to_owned(),
        Some((_, name)) if name.contains(':') => "Actions/Condition can contain only one colon.".to_owned(),
        // `*:*` is taken; every service's actions of some name are not (recorded against IAM, 2018 and 2026).
        Some(("*", name)) if name != "*" => {
            "Action vendors (e.g., aws, ec2, etc.) must not contain wildcards.".to_owned()
        }
        Some((vendor, _)) if vendor == "*" || is_vendor(vendor) => return None,
        Some((vendor, _)) => format!("Vendor {vendor} is not valid"),
    };
    Some(Fault::rule(Code::InvalidActionFormat, message, action.at))
}

fn is_vendor(vendor: &str) -> bool {
    !vendor.is_empty()
        && vendor.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

/// Trust policies speak of the actions of STS that go with roles, and never of all but some.
pub(super) fn check_trust(_: Kind, statement: &StatementText, found: &mut Vec<Fault>) {
    let Some(action) = &statement.action else { return };
    let fault = |at| {
        let message = "AssumeRole policy may only specify STS AssumeRole actions.";
        Fault::rule(Code::UnsupportedActionInPolicy, message, at)
    };
    if action.negated {
        found.push(fault(action.at));
    } else {
        let others = action.items.iter().filter(|item| !goes_with_roles(&item.value));
        found.extend(others.map(|item| fault(item.at)));
    }
}

/// A name that is mistyped would never match, and its author would not know. A wildcard must match one of them.
fn goes_with_roles(text: &str) -> bool {
    let Some((vendor, _)) = text.split_once(':') else { return false };
    let pattern = ActionSet::new([text]);
    let mut known = TAKING_A_ROLE.iter().chain(&WITH_A_ROLE);
    let matches = |known: &&str| pattern.contains(Action::new(&format!("sts:{known}").to_ascii_lowercase()));
    vendor.eq_ignore_ascii_case("sts") && known.any(matches)
}
