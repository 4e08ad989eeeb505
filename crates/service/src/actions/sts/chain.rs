//! AssumeRole within a call that issued credentials already: whoever is to get a second role by the first gets it in one call,
//! decided in one view as if they had asked themselves, and on the record of both accounts.

use daypass_authn::sigv4::HttpRequest;
use daypass_directory::{Operation, Scope};

use super::assume_role::{AssumeRole, AssumedRoleUser, Output};
use super::issue::Credentials;
use crate::action::{Action, Row};
use crate::audit::Event;
use crate::decide::decide;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;
use crate::request::{Reply, Request};

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
    let call = decide(op, house, &scope, &checks, input)?;
    AssumeRole::act(op, house, call).await
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
