//! The life of every call, on one screen. Nothing else may reach an action.

use daypass_authn::sigv4::{AuthError, Presented};
use daypass_directory::{Operation, Scope, Turn};
use tracing::Instrument as _;

use crate::action::{Row, Scene};
use crate::audit::Event;
use crate::authenticate::authenticate;
use crate::error::Error;
use crate::house::House;
use crate::request::{Reply, Request, Response};

/// A conflicting commit repeats a call, or a visit, from a newer snapshot, at most this often, and so does waiting for an
/// identity provider. From the second try on those of one account take turns: what stands in their way then is first tries only.
const TRIES_MAX: usize = 50;

/// find → authenticate → resolve → admit → parse → prove → authorize → act → audit.
pub async fn call(house: &House, request: Request) -> Response {
    let presented = house.presented(&request);
    let op = house.operation(&request, &presented);
    let (id, service, action) = (op.request_id.as_str(), request.service, request.action_name());
    let span = tracing::info_span!("call", request_id = id, service, action);
    let outcome = audited(house, &op, &request, &presented).instrument(span).await;
    if let Err(error) = &outcome {
        let code = error.code;
        // Outside of the span, which not every level has: the id must be there at any.
        match error.why() {
            Some(why) => tracing::error!(request_id = id, service, action, why, "a call failed"),
            None => tracing::debug!(request_id = id, service, action, code, "a call was refused"),
        }
    }
    Response { request_id: op.request_id, service: request.service, action: request.action, outcome }
}

async fn audited(
    house: &House,
    op: &Operation,
    request: &Request,
    presented: &Result<Presented, AuthError>,
) -> Result<Reply, Error> {
    let mut event = Event::open(house, op, request);
    if let Ok(presented) = presented {
        event.presented(presented);
    }
    let mut tries = Tries::default();
    let mut outcome = steps(house, op, request, presented, &mut event).await;
    while tries.again(house, &mut event, outcome.as_ref().err()).await {
        outcome = steps(house, op, request, presented, &mut event).await;
    }
    event.finish(outcome).await // INVARIANT (audit-once)
}

/// The tries of a call, of a visit, or of what in a visit can be done more than once: all of them are one event. Never a write,
/// nor a session, on a stale authorization: each decides everything again.
#[derive(Default)]
pub(crate) struct Tries {
    made: usize,
    turn: Option<Turn>,
}

impl Tries {
    /// Whether to try once more, in one's turn, because another commit was in the way of the last try.
    pub(crate) async fn again(
        &mut self,
        house: &House,
        event: &mut Event<'_>,
        error: Option<&Error>,
    ) -> bool {
        self.turn = None;
        self.made += 1;
        let is_again = self.made < TRIES_MAX && error.is_some_and(Error::is_conflict);
        if is_again {
            self.turn = turn(house, event).await;
        }
        is_again
    }
}

/// Wait among the account's calls. Who waits holds no room in the audit, or one account's queue could fill it.
async fn turn(house: &House, event: &mut Event<'_>) -> Option<Turn> {
    event.give_back();
    Some(house.directory.turn(event.account()?).await)
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
    let (view, caller) = match row.vouch {
        None => {
            let view = house.directory.snapshot();
            let caller = authenticate(house, op, &view, request, presented)?;
            (view, caller)
        }
        Some(vouch) => {
            // A signature proves nothing here, but half of one is a mistake.
            let presented = presented.as_ref().map_err(Clone::clone)?;
            vouch(op, house, request, presented, params).await?
        }
    };
    // INVARIANT (one-snapshot): from here on nobody asks for another view.
    let scope = Scope::resolve(view, caller, op.now)?.in_region(&op.region);
    in_scope(house, op, request, row, scope, event).await
}

/// admit → parse → prove → authorize → act, for whoever it is: what a page asks for whoever is signed in to it, too.
pub(crate) async fn in_scope(
    house: &House,
    op: &Operation,
    request: &Request,
    row: &'static Row,
    scope: Scope,
    event: &mut Event<'_>,
) -> Result<Reply, Error> {
    let params = request.params.as_ref().map_err(Clone::clone)?;
    let principal = scope.principal();
    event.principal(principal);
    house.directory.last_used().note(principal, request.service, &op.region, op.now.as_second());
    row.callers.admit(principal, row.name.0, row.name.1)?;
    if !row.read_only {
        event.reserve()?; // what cannot be audited is not done
    }
    let scene = Scene { op, scope, house };
    (row.run)(&scene, params).await
}
