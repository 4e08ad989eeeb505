//! AssumeRole within a call that issued credentials already: whoever is to get a second role by the first gets it in one call,
//! decided in one view as if they had asked themselves, and on the record of both accounts.

use std::sync::Arc;

use daypass_authn::sigv4::HttpRequest;
use daypass_directory::{Authorized, Checks, Denied, Facts, Operation, Scope, authorize};
use daypass_policy::Decision;

use super::assume_role::{AssumeRole, AssumedRoleUser, Output};
use super::issue::Credentials;
use crate::action::{Action, Row};
use crate::audit::Event;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;
use crate::request::{Reply, Request};
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

static ROW: Row = Row::of::<AssumeRole>();

/// Become a session of another role with the credentials of the first.
///
/// # Errors
/// As AssumeRole: AccessDenied where the first role may not, or the other one does not let it in; a 503 where it cannot be
/// audited.
pub(in crate::actions) async fn assume_with(
    op: &Operation,
    house: &House,
    scope: &Scope,
    first: &Credentials,
    next: &Next<'_>,
) -> Result<(AssumedRoleUser, Credentials), Error> {
    let (id, token) = first.presented();
    let credential = house.directory.credential(scope.view(), id, Some(token));
    // Of a role whose sessions of this very moment are revoked, say. The caller's own session is not meant.
    let over = |_| Error::access_denied("The first role's session is over.");
    let scope = scope.of_issued(credential?, op.now).map_err(over)?;
    let request = next.request(op);
    let mut event = Event::open(house, op, &request);
    event.found(&ROW);
    event.principal(scope.principal());
    event.reserve()?;
    let outcome = assume(op, house, scope, &request).await;
    let told = outcome.as_ref().map(|output| Box::new(output.clone()) as Reply).map_err(Clone::clone);
    event.finish(told).await?;
    outcome.map(|Output { assumed_role_user, credentials, .. }| (assumed_role_user, credentials))
}

async fn assume(op: &Operation, house: &House, scope: Scope, request: &Request) -> Result<Output, Error> {
    let params = request.params.as_ref().map_err(Clone::clone)?;
    let input = AssumeRole::parse(params)?;
    let scope = AssumeRole::prove(op, house, scope, &input).await?;
    let checks = AssumeRole::checks(&scope, &input);
    let outcome = authorize(op, &scope, &checks, input);
    remember(op, house, &scope, &checks, outcome.as_ref().map(Authorized::decisions).map_err(Box::as_ref));
    AssumeRole::act(op, house, outcome?).await
}

/// Keep what was decided, as of a call of its own.
fn remember(
    op: &Operation,
    house: &House,
    scope: &Scope,
    checks: &Checks,
    decided: Result<&[Decision<'static>], &Denied>,
) {
    let principal: &Arc<_> = scope.principal();
    let facts = Facts { op, view: scope.view(), principal, mfa_given: false };
    match decided {
        Ok(decisions) => {
            for (check, decision) in checks.as_slice().iter().zip(decisions) {
                house.decisions.note(facts, check, decision, None);
            }
        }
        Err(denied) => {
            let denied = checks.as_slice().get(denied.check).zip(denied.decision.as_ref());
            if let Some((check, decision)) = denied {
                house.decisions.note(facts, check, decision, Some(&Why::of(facts, check)));
            }
        }
    }
}

impl Next<'_> {
    /// The call that nobody sends.
    fn request(&self, op: &Operation) -> Request {
        Request {
            id: op.request_id.clone(),
            source_ip: op.source_ip,
            secure: None,
            http: HttpRequest::new("POST", "/", Vec::new()),
            service: "sts",
            action: "AssumeRole".to_owned(),
            version: None,
            params: self.params(),
        }
    }

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
