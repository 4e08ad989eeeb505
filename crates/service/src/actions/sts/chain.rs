//! AssumeRole within a call that issued credentials already: whoever is to get a second role by the first gets it in one call,
//! decided in one view as if they had asked themselves.

use daypass_directory::{Authorized, Denied, Facts, Operation, Scope, authorize};

use super::assume_role::{AssumeRole, Output};
use super::issue::Credentials;
use crate::action::Action;
use crate::actions::sts::assume_role::AssumedRoleUser;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;
use crate::why::Why;

/// What is asked for with the first role.
pub(in crate::actions) struct Next<'a> {
    pub(in crate::actions) role_arn: &'a str,
    pub(in crate::actions) session_name: &'a str,
    pub(in crate::actions) external_id: &'a str,
    pub(in crate::actions) policy: Option<&'a str>,
    /// Seconds; those of a chained session at the most.
    pub(in crate::actions) seconds: i64,
}

/// Become a session of another role with the credentials of the first.
///
/// # Errors
/// As AssumeRole: AccessDenied where the first role may not, or the other one does not let it in.
pub(in crate::actions) async fn assume_with(
    op: &Operation,
    house: &House,
    scope: &Scope,
    first: &Credentials,
    next: &Next<'_>,
) -> Result<(AssumedRoleUser, Credentials), Error> {
    let (id, token) = first.presented();
    let credential = house.directory.credential(scope.view(), id, Some(token));
    let scope = scope.of_issued(credential?, op.now)?;
    let input = AssumeRole::parse(&next.params()?)?;
    let scope = AssumeRole::prove(op, house, scope, &input).await?;
    let checks = AssumeRole::checks(&scope, &input);
    let outcome = authorize(op, &scope, &checks, input);
    let decided = outcome.as_ref().map(Authorized::decisions).map_err(Box::as_ref);
    remember(op, house, &scope, &checks, decided);
    let Output { assumed_role_user, credentials, .. } = AssumeRole::act(op, house, outcome?).await?;
    Ok((assumed_role_user, credentials))
}

/// Keep what was decided, as of a call of its own.
fn remember(
    op: &Operation,
    house: &House,
    scope: &Scope,
    checks: &daypass_directory::Checks,
    decided: Result<&[daypass_policy::Decision<'static>], &Denied>,
) {
    let facts = Facts { op, view: scope.view(), principal: scope.principal(), mfa_given: false };
    match decided {
        Ok(decisions) => {
            for (check, decision) in checks.as_slice().iter().zip(decisions) {
                house.decisions.note(facts, check, decision, None);
            }
        }
        Err(denied) => {
            if let Some((check, decision)) = checks.as_slice().get(denied.check).zip(denied.decision.as_ref())
            {
                house.decisions.note(facts, check, decision, Some(&Why::of(facts, check)));
            }
        }
    }
}

impl Next<'_> {
    fn params(&self) -> Result<Params, Error> {
        let seconds = self.seconds.to_string();
        let mut pairs = vec![
            ("RoleArn", self.role_arn),
            ("RoleSessionName", self.session_name),
            ("ExternalId", self.external_id),
            ("DurationSeconds", &seconds),
        ];
        pairs.extend(self.policy.map(|policy| ("Policy", policy)));
        let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Params::from_pairs(pairs).map_err(|error| Error::new(error.code(), error.to_string()))
    }
}
