//! Rules for resource control policies (AWS Organizations User Guide, "RCP syntax").

use super::Kind;
use crate::code::Code;
use crate::document::{Effect, Fault, PrincipalForm, StatementText};
use crate::principal::PrincipalKind;

pub(super) const UNFIT: &str =
    "The provided policy document does not meet the requirements of the specified policy type.";

/// They deny to everybody: effect `Deny`, principal `*`, named actions.
pub(super) fn check_rcp(_: Kind, statement: &StatementText, found: &mut Vec<Fault>) {
    let action_fits = statement
        .action
        .as_ref()
        .is_some_and(|action| !action.negated && action.items.iter().all(|item| item.value != "*"));
    let principal_fits = statement.principal.as_ref().is_some_and(|principal| {
        let everybody = match &principal.form {
            PrincipalForm::Star => true,
            PrincipalForm::Map(kinds) => {
                matches!(kinds.as_slice(), [(PrincipalKind::Aws, values)]
                    if matches!(values.as_slice(), [value] if value.value == "*"))
            }
            PrincipalForm::Wrong(..) => false,
        };
        everybody && !principal.negated
    });
    if statement.effect() != Some(Effect::Deny) || !action_fits || !principal_fits {
        found.push(Fault::rule(Code::RcpSyntax, UNFIT, statement.at));
    }
}
