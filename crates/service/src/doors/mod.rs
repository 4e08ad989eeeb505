//! Doors for people: what a browser asks, which signs nothing and gets a page or is sent elsewhere; and what two of their
//! programs ask, which get JSON.
//!
//! Here is the life of every visit, on one screen, beside that of calls. A door proves who comes by what comes with the
//! visit, and from there on everything is as in a call: the same principal, the same `authorize`, the same event.
//! An answer is a value; what it looks like is the server's business.

mod answer;
mod ask;
mod authorize;
mod begin;
mod console;
mod destination;
mod door;
mod federation;
mod form;
mod saml;
mod sealed;
mod sessions;
mod sign_in;
mod switch;
mod token;

pub use answer::{
    Answer, CommandLine, End, Listed, ListedRequester, LoginChoice, Problem, RoleChoice, RoleField, RoleForm,
    SessionList, SessionSearch, SessionShown, SignInPage, SignInStep, Step, Tokens, Whose, YourSession,
};
pub use authorize::Asked;
use console::cookies;
use daypass_authn::sigv4::Presented;
use daypass_directory::Operation;
use daypass_model::SessionId;
pub use destination::{BadDestination, ConsoleDestination};
pub use door::{
    AUTHORIZE_PATH, Door, Place, SIGN_IN_CHANGE_PATH, SIGN_IN_CODE_PATH, SIGN_IN_PATH, SIGN_IN_ROOT_PATH,
    cookie_name, session_path,
};
use door::{Act, Page, Wish};
pub use sign_in::{Device, ROOT_CODE_SECONDS, browser_cookie, is_over_tls, root_code};
use tracing::Instrument as _;

use crate::audit::Event;
use crate::error::Error;
use crate::federation::SignInProvider;
use crate::house::House;
use crate::pipeline::Tries;
use crate::request::{Reply, Request};

/// How people sign in, by the operator's choice.
#[derive(Debug, Clone, Default)]
pub struct SignIn {
    /// Whether a sign-in link of the federation endpoint is good until its time is over, and not only once.
    pub links_again: bool,
    /// Where else than to the console a sign-in may lead.
    pub destinations: Vec<ConsoleDestination>,
    /// Identity providers that people sign in at.
    pub providers: Vec<SignInProvider>,
}

/// What came of a visit.
pub struct Visited {
    /// The request's id.
    pub request_id: String,
    /// What was asked, for those who count.
    pub name: &'static str,
    /// The session whose page was asked, if it was one's.
    pub session: Option<SessionId>,
    /// What to show, or why there is nothing.
    pub outcome: Result<Answer, Error>,
}

impl Visited {
    /// The error that it came to, also where a page is what says so.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        self.outcome.as_ref().map_or_else(|error| Some(error.clone()), problem)
    }
}

/// find → prove → resolve → authorize → act → audit.
pub async fn visit(house: &House, door: Door, request: Request) -> Visited {
    let op = house.operation(&request, &Ok(Presented::Nothing));
    let wish = Wish::of(door, &request);
    let name = wish.as_ref().map_or("unknown", |wish| wish.name());
    let span = tracing::info_span!("visit", request_id = op.request_id.as_str(), name);
    let answered = async {
        match wish? {
            Wish::Page(wanted) => page(house, &op, wanted, &request).await,
            Wish::Begin => begun(house, &op, &request).await,
            Wish::Act(wanted) => audited(house, &op, wanted, &request).await,
        }
    };
    let outcome = answered.instrument(span).await;
    if let Err(error) = &outcome {
        let (id, code) = (op.request_id.as_str(), error.code);
        match error.why() {
            Some(why) => tracing::error!(request_id = id, name, why, "a visit failed"),
            None => tracing::debug!(request_id = id, name, code, "a visit was refused"),
        }
    }
    Visited { request_id: op.request_id, name, session: door.session(), outcome }
}

/// All tries of what is done have one event.
async fn audited(house: &House, op: &Operation, wanted: Act, request: &Request) -> Result<Answer, Error> {
    let mut event = Event::of_visit(house, op, request, wanted.name());
    let mut tries = Tries::default();
    let mut outcome = act(house, op, wanted, request, &mut event).await;
    while !wanted.is_once() && tries.again(house, &mut event, outcome.as_ref().err()).await {
        outcome = act(house, op, wanted, request, &mut event).await;
    }
    let written = match &outcome {
        // Nothing came of it yet: the page asks which role is meant. Or nobody was there.
        Ok(
            Answer::ChooseRole { .. } | Answer::ComeAgain { .. } | Answer::NotSignedIn | Answer::Ended { .. },
        ) => event.finish_quietly(),
        // A page that says what was wrong is shown, whatever becomes of the line.
        Ok(answer) if let Some(error) = problem(answer) => {
            _ = event.finish(Err(error)).await;
            Ok(Box::new(()) as Reply)
        }
        Ok(_) => event.finish(Ok(Box::new(()))).await, // INVARIANT (audit-once)
        Err(error) => event.finish(Err(error.clone())).await,
    };
    written.and(outcome)
}

/// The way to an identity provider. Who gets there is told of when they come back; who is refused, now: it is a sign-in that failed.
async fn begun(house: &House, op: &Operation, request: &Request) -> Result<Answer, Error> {
    let event = Event::of_visit(house, op, request, Act::OidcBack.name());
    let outcome = sign_in::oidc::begin(house, op, request).await;
    let written = match &outcome {
        Ok(_) => event.finish_quietly(),
        Err(error) => event.finish(Err(error.clone())).await, // INVARIANT (audit-once)
    };
    written.and(outcome)
}

/// What the event tells of a page that says what was wrong.
fn problem(answer: &Answer) -> Option<Error> {
    match answer {
        Answer::SignIn(page) => page.problem.as_ref().map(|problem| problem.error.clone()),
        Answer::AnotherRole(form) => form.problem.as_deref().map(Error::access_denied),
        _ => None,
    }
}

async fn act(
    house: &House,
    op: &Operation,
    wanted: Act,
    request: &Request,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    match wanted {
        Act::SigninToken => federation::signin_token(house, op, request, event),
        Act::Login => federation::login(house, op, request, event).await,
        Act::Credentials(id) => console::credentials(house, op, request, id, event).await,
        Act::SignOut(id) => console::sign_out(house, op, request, id, event).await,
        Act::Saml => saml::sign_in(house, op, request, event).await,
        Act::SignIn => sign_in::sign_in(house, op, request, event).await,
        Act::SignInCode => sign_in::code(house, op, request, event).await,
        Act::SignInChange => sign_in::change(house, op, request, event).await,
        Act::Root => sign_in::root(house, op, request, event).await,
        Act::OidcBack => sign_in::oidc::come_back(house, op, request, event).await,
        Act::OidcRole => sign_in::oidc::choose(house, op, request, event).await,
        Act::Authorize => authorize::give(house, op, request, event),
        Act::Token => token::tokens(house, op, request, event).await,
        Act::SwitchRole(id) => switch::switch(house, op, request, id, event).await,
    }
}

async fn page(house: &House, op: &Operation, wanted: Page, request: &Request) -> Result<Answer, Error> {
    match wanted {
        Page::Lobby => Ok(Answer::NotSignedIn),
        Page::Session(id) => console::page(house, op, request, id).await,
        Page::SamlMetadata => saml::metadata(house),
        Page::SignInForm => sign_in::form(house, request),
        Page::RootForm => Ok(sign_in::root_form(house, request)),
        Page::AskAuthorize => authorize::choice(house, op, request),
        Page::AnotherRole(id) => switch::form(house, op, request, id).await,
        Page::Sessions(id) => sessions::list(house, op, request, id).await,
        Page::OneSession(id, session) => sessions::one(house, op, request, id, session).await,
        Page::Revoke(id, session) => sessions::revoke(house, op, request, id, session).await,
    }
}
