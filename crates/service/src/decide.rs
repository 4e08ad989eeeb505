//! A decision that counts is kept, for those who ask why: of calls, of services, and of doors alike.

use daypass_directory::{Authorized, Checks, Denied, Facts, Operation, Scope, authorize};
use daypass_model::AccountId;
use daypass_policy::Decision;

use crate::house::House;
use crate::why::Why;

/// Make every check, all of which must pass, and keep what was decided.
///
/// # Errors
/// [`Denied`] by the first check that does not.
pub(crate) fn decide<I>(
    op: &Operation,
    house: &House,
    scope: &Scope,
    checks: &Checks,
    input: I,
) -> Result<Authorized<I>, Box<Denied>> {
    let outcome = authorize(op, scope, checks, input);
    keep(op, house, scope, checks, of(&outcome), None);
    outcome
}

/// The same about a service that wants a role, for the role's account. Somebody of this account speaks for it.
///
/// # Errors
/// As there.
pub(crate) fn decide_of_service(
    op: &Operation,
    house: &House,
    scope: &Scope,
    checks: &Checks,
    speaker: AccountId,
) -> Result<Authorized<()>, Box<Denied>> {
    let outcome = authorize(op, scope, checks, ());
    keep(op, house, scope, checks, of(&outcome), Some(speaker));
    outcome
}

/// What was decided about one of several roles, of which one is taken: of the others nobody hears.
pub(crate) struct Decided {
    scope: Scope,
    checks: Checks,
    outcome: Result<Authorized<()>, Box<Denied>>,
}

impl Decided {
    /// Make every check.
    pub(crate) fn on(op: &Operation, scope: Scope, checks: Checks) -> Self {
        let outcome = authorize(op, &scope, &checks, ());
        Self { scope, checks, outcome }
    }

    pub(crate) fn is_allowed(&self) -> bool {
        self.outcome.is_ok()
    }

    /// What it was made on.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// This is the one that counts, and it is kept.
    ///
    /// # Errors
    /// [`Denied`], which somebody is told.
    pub(crate) fn counts(self, op: &Operation, house: &House) -> Result<Authorized<()>, Box<Denied>> {
        keep(op, house, &self.scope, &self.checks, of(&self.outcome), None);
        self.outcome
    }
}

fn of<I>(outcome: &Result<Authorized<I>, Box<Denied>>) -> Result<&[Decision<'static>], &Denied> {
    outcome.as_ref().map(Authorized::decisions).map_err(Box::as_ref)
}

fn keep(
    op: &Operation,
    house: &House,
    scope: &Scope,
    checks: &Checks,
    decided: Result<&[Decision<'static>], &Denied>,
    speaker: Option<AccountId>,
) {
    let (view, principal, mfa_given) = (scope.view(), scope.principal(), scope.mfa_given());
    let facts = Facts { op, view, principal, mfa_given };
    let checks = checks.as_slice();
    let note = |check, decision, why: Option<&Why>| match speaker {
        None => house.decisions.note(facts, check, decision, why),
        Some(speaker) => house.decisions.note_of_service(facts, check, decision, why, speaker),
    };
    match decided {
        Ok(decisions) => {
            for (check, decision) in checks.iter().zip(decisions) {
                note(check, decision, None);
            }
        }
        Err(denied) => {
            if let Some((check, decision)) = checks.get(denied.check).zip(denied.decision.as_ref()) {
                note(check, decision, Some(&Why::of(facts, check)));
            }
        }
    }
}
