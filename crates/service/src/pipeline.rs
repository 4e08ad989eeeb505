//! The life of every call, on one screen. Nothing else may reach an action.

use daypass_authn::sigv4::{self, AuthError, Presented};
use daypass_directory::{Operation, Principal};

use crate::action::Scene;
use crate::audit::Event;
use crate::authenticate::authenticate;
use crate::error::Error;
use crate::house::House;
use crate::request::{Reply, Request, Response};

/// A conflicting commit repeats the call from a newer snapshot, at most this often.
const TRIES_MAX: usize = 5;

/// find → authenticate → resolve → admit → parse → authorize → act → audit.
pub async fn call(house: &House, request: Request) -> Response {
    let presented = sigv4::presented(&request.http);
    let op = house.operation(&request, &presented);
    let mut event = Event::open(house, &op, &request);
    let mut outcome = steps(house, &op, &request, &presented, &mut event).await;
    for _ in 1..TRIES_MAX {
        match &outcome {
            // Never a write on a stale authorization: everything is decided again.
            Err(error) if error.is_conflict() => {
                outcome = steps(house, &op, &request, &presented, &mut event).await;
            }
            _ => break,
        }
    }
    let outcome = event.finish(outcome); // INVARIANT (audit-once)
    Response { request_id: op.request_id, service: request.service, action: request.action, outcome }
}

async fn steps(
    house: &House,
    op: &Operation,
    request: &Request,
    presented: &Result<Presented, AuthError>,
    event: &mut Event<'_>,
) -> Result<Reply, Error> {
    let row = house.find(request)?;
    event.found(row);
    let params = request.params.as_ref().map_err(Clone::clone)?;
    let view = house.directory.snapshot(); // INVARIANT (one-snapshot)
    let caller = authenticate(house, op, &view, request, presented)?;
    let principal = Principal::resolve(&view, caller, op.now)?;
    event.principal(&principal);
    house.directory.last_used().note(&principal, request.service, &op.region, op.now.as_second());
    row.callers.admit(&principal, row.name.0, row.name.1)?;
    if !row.read_only {
        event.reserve()?; // what cannot be audited is not done
    }
    let scene = Scene { op, view, principal, house };
    (row.run)(&scene, params).await
}
