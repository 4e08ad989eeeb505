//! Doors for people: what a browser asks, which signs nothing and gets a page or is sent elsewhere.
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
mod federation;
mod saml;
mod sessions;
mod sign_in;
mod switch;
mod token;

pub use answer::{
    Answer, CommandLine, Listed, ListedRequester, LoginChoice, Problem, RoleChoice, RoleField, RoleForm,
    SessionList, SessionSearch, SessionShown, SignInPage, SignInStep, Step, Tokens, Whose, YourSession,
};
pub use authorize::Asked;
use console::cookies;
use daypass_authn::sigv4::Presented;
use daypass_directory::Operation;
use daypass_model::SessionId;
pub use destination::{BadDestination, ConsoleDestination};
pub use sign_in::{Device, ROOT_CODE_SECONDS, browser_cookie, is_over_tls, root_code};
use tracing::Instrument as _;

use crate::audit::Event;
use crate::error::Error;
use crate::federation::SignInProvider;
use crate::house::House;
use crate::params::Params;
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

/// A door, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// `/federation`
    Federation,
    /// `/saml`, and `/saml/acs/<uuid of a provider>`
    Saml,
    /// `/saml/metadata.xml`
    SamlMetadata,
    /// `/v1/authorize`
    Authorize,
    /// `/v1/token`
    Token,
    /// `/signin`, and `/signin/<account or alias>`
    SignIn,
    /// `/signin/step/code`
    SignInCode,
    /// `/signin/step/password`
    SignInChange,
    /// `/signin/step/root`
    SignInRoot,
    /// `/signin/oidc/<name>`
    Oidc,
    /// `/signin/oidc/<name>/callback`
    OidcBack,
    /// `/signin/oidc/<name>/role`
    OidcRole,
    /// `/console/`: nobody is known here.
    Lobby,
    /// `/console/s/<session id>/…`
    Session(SessionId, Place),
}

/// What is asked of a session of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Its page.
    Page,
    /// Credentials in its name.
    Credentials,
    /// Its end.
    SignOut,
    /// The form of another role, and the change to it.
    SwitchRole,
    /// The account's sessions.
    Sessions,
    /// One of them.
    OneSession(SessionId),
    /// Its end, or that of more.
    Revoke(SessionId),
}

/// Below it are the pages of sessions, each under a path of its own: a browser has several at once.
const SESSIONS: &str = "/console/s/";

impl Door {
    /// The door that a path leads to.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        match path {
            "/federation" => return Some(Self::Federation),
            saml::PATH => return Some(Self::Saml),
            authorize::PATH => return Some(Self::Authorize),
            token::PATH => return Some(Self::Token),
            saml::METADATA_PATH | "/static/saml-metadata.xml" => return Some(Self::SamlMetadata),
            "/console" | "/console/" => return Some(Self::Lobby),
            _ if path.starts_with(saml::OF_PROVIDER) => return Some(Self::Saml),
            _ if path.starts_with(sign_in::PATH) => return sign_in::door(path),
            _ => {}
        }
        let (id, place) = path.strip_prefix(SESSIONS)?.split_once('/')?;
        let place = match place {
            "" => Place::Page,
            "credentials" => Place::Credentials,
            "sign-out" => Place::SignOut,
            "switch-role" => Place::SwitchRole,
            "sessions" => Place::Sessions,
            other => {
                let other = other.strip_prefix("sessions/")?;
                match other.strip_suffix("/revoke") {
                    Some(session) => Place::Revoke(session.parse().ok()?),
                    None => Place::OneSession(other.parse().ok()?),
                }
            }
        };
        Some(Self::Session(id.parse().ok()?, place))
    }

    /// The session whose pages are behind it.
    #[must_use]
    pub const fn session(self) -> Option<SessionId> {
        match self {
            Self::Session(id, _) => Some(id),
            Self::Federation
            | Self::Saml
            | Self::SamlMetadata
            | Self::Authorize
            | Self::Token
            | Self::SignIn
            | Self::SignInCode
            | Self::SignInChange
            | Self::SignInRoot
            | Self::Oidc
            | Self::OidcBack
            | Self::OidcRole
            | Self::Lobby => None,
        }
    }
}

/// The path of a session's page, and of its cookie.
#[must_use]
pub fn session_path(id: SessionId) -> String {
    format!("{SESSIONS}{id}/")
}

/// The path of the cookie by which a browser tells which sessions it has, where a program asks.
pub const AUTHORIZE_PATH: &str = authorize::PATH;

/// The path of the first page of signing in.
pub const SIGN_IN_PATH: &str = sign_in::PATH;
/// Where the code of a device goes.
pub const SIGN_IN_CODE_PATH: &str = sign_in::CODE_PATH;
/// Where another password goes.
pub const SIGN_IN_CHANGE_PATH: &str = sign_in::CHANGE_PATH;
/// Where root signs in.
pub const SIGN_IN_ROOT_PATH: &str = sign_in::ROOT_PATH;

/// The name of a session's cookie.
#[must_use]
pub fn cookie_name(id: SessionId) -> String {
    format!("daypass-{id}")
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

/// What somebody wants at a door.
#[derive(Clone, Copy)]
enum Wish {
    SigninToken,
    Login,
    Saml,
    SamlMetadata,
    Credentials(SessionId),
    SignOut(SessionId),
    SwitchRole(SessionId),
    /// The page that asks for which session.
    AskAuthorize,
    Authorize,
    Token,
    /// The form of an account's user.
    SignInForm,
    SignIn,
    SignInCode,
    SignInChange,
    /// The form of a code for root.
    RootForm,
    Root,
    /// The way to an identity provider, and back.
    Oidc,
    OidcBack,
    OidcRole,
    Page(SessionId),
    /// The form.
    AnotherRole(SessionId),
    Sessions(SessionId),
    OneSession(SessionId, SessionId),
    Revoke(SessionId, SessionId),
    Lobby,
}

/// find → prove → resolve → authorize → act → audit.
pub async fn visit(house: &House, door: Door, request: Request) -> Visited {
    let op = house.operation(&request, &Ok(Presented::Nothing));
    let wish = Wish::of(door, &request);
    let name = wish.as_ref().map_or("unknown", |wish| wish.name());
    let span = tracing::info_span!("visit", request_id = op.request_id.as_str(), name);
    let outcome = async { answer(house, &op, wish?, &request).await }.instrument(span).await;
    if let Err(error) = &outcome {
        let (id, code) = (op.request_id.as_str(), error.code);
        match error.why() {
            Some(why) => tracing::error!(request_id = id, name, why, "a visit failed"),
            None => tracing::debug!(request_id = id, name, code, "a visit was refused"),
        }
    }
    Visited { request_id: op.request_id, name, session: door.session(), outcome }
}

async fn answer(house: &House, op: &Operation, wish: Wish, request: &Request) -> Result<Answer, Error> {
    match wish {
        Wish::Lobby => return Ok(Answer::NotSignedIn),
        Wish::Page(id) => return console::page(house, op, request, id).await,
        Wish::SamlMetadata => return saml::metadata(house),
        Wish::SignInForm => return sign_in::form(house, request),
        Wish::RootForm => return Ok(sign_in::root_form(house, request)),
        Wish::Oidc => return sign_in::oidc::begin(house, op, request).await,
        Wish::AskAuthorize => return authorize::choice(house, op, request),
        Wish::AnotherRole(id) => return switch::form(house, op, request, id).await,
        // Calls of the API, each with its own event.
        Wish::Sessions(id) => return sessions::list(house, op, request, id).await,
        Wish::OneSession(id, session) => return sessions::one(house, op, request, id, session).await,
        Wish::Revoke(id, session) => return sessions::revoke(house, op, request, id, session).await,
        Wish::Authorize
        | Wish::Token
        | Wish::SwitchRole(_)
        | Wish::SigninToken
        | Wish::Login
        | Wish::Saml
        | Wish::SignIn
        | Wish::SignInCode
        | Wish::SignInChange
        | Wish::Root
        | Wish::OidcBack
        | Wish::OidcRole
        | Wish::Credentials(_)
        | Wish::SignOut(_) => {}
    }
    let mut event = Event::of_visit(house, op, request, wish.name());
    let mut tries = Tries::default();
    let mut outcome = act(house, op, wish, request, &mut event).await;
    // What some ask of other actions, or of a provider, would be done once more.
    while !wish.is_once() && tries.again(house, &mut event, outcome.as_ref().err()).await {
        outcome = act(house, op, wish, request, &mut event).await;
    }
    let written = match &outcome {
        // Nothing came of it yet: the page asks which role is meant. Or nobody was there.
        Ok(
            Answer::ChooseRole { .. } | Answer::ComeAgain { .. } | Answer::NotSignedIn | Answer::Ended { .. },
        ) => event.finish_quietly(),
        Ok(Answer::SignIn(page)) if let Some(problem) = &page.problem => {
            _ = event.finish(Err(problem.error.clone())).await;
            Ok(Box::new(()) as Reply)
        }
        Ok(Answer::AnotherRole(form)) if form.problem.is_some() => {
            let problem = form.problem.as_deref().unwrap_or_default();
            _ = event.finish(Err(Error::access_denied(problem))).await;
            Ok(Box::new(()) as Reply)
        }
        Ok(_) => event.finish(Ok(Box::new(()))).await, // INVARIANT (audit-once)
        Err(error) => event.finish(Err(error.clone())).await,
    };
    written.and(outcome)
}

async fn act(
    house: &House,
    op: &Operation,
    wish: Wish,
    request: &Request,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    match wish {
        Wish::SigninToken => federation::signin_token(house, op, request, event),
        Wish::Login => federation::login(house, op, request, event).await,
        Wish::Credentials(id) => console::credentials(house, op, request, id, event).await,
        Wish::SignOut(id) => console::sign_out(house, op, request, id, event).await,
        Wish::Saml => saml::sign_in(house, op, request, event).await,
        Wish::SignIn => sign_in::sign_in(house, op, request, event).await,
        Wish::SignInCode => sign_in::code(house, op, request, event).await,
        Wish::SignInChange => sign_in::change(house, op, request, event).await,
        Wish::Root => sign_in::root(house, op, request, event).await,
        Wish::OidcBack => sign_in::oidc::come_back(house, op, request, event).await,
        Wish::OidcRole => sign_in::oidc::choose(house, op, request, event).await,
        Wish::Authorize => authorize::give(house, op, request, event),
        Wish::Token => token::tokens(house, op, request, event).await,
        Wish::SwitchRole(id) => switch::switch(house, op, request, id, event).await,
        Wish::Page(_)
        | Wish::Lobby
        | Wish::SamlMetadata
        | Wish::SignInForm
        | Wish::RootForm
        | Wish::Oidc
        | Wish::AskAuthorize
        | Wish::AnotherRole(_)
        | Wish::Sessions(_)
        | Wish::OneSession(..)
        | Wish::Revoke(..) => Err(Error::internal("a page is no act")),
    }
}

/// Whether a browser asks for a page that nobody may ever look at (Fetch Standard, `Sec-Purpose`).
fn is_ahead(request: &Request) -> bool {
    request.header("sec-purpose").or(request.header("purpose")).is_some_and(|why| why.contains("prefetch"))
}

/// The parameters of a form, all of which are known.
fn known<'f>(request: &'f Request, names: &[&str]) -> Result<&'f Params, Error> {
    let form = request.params.as_ref().map_err(Clone::clone)?;
    match form.names().find(|name| !names.contains(name)) {
        Some(_) => Err(Error::validation("The request has a parameter that is not known here.")),
        None => Ok(form),
    }
}

impl Wish {
    fn of(door: Door, request: &Request) -> Result<Self, Error> {
        let is_post = request.http.method == "POST";
        match door {
            // Programs that look at links in messages ask for nothing more than this, and use nothing up.
            Door::Federation | Door::OidcBack if request.http.method == "HEAD" => Ok(Self::Lobby),
            Door::Federation | Door::OidcBack if is_ahead(request) => Err(Error::new(
                "ServiceUnavailable",
                "A sign-in link is opened when somebody follows it, and not ahead of that.",
            )),
            Door::Federation => federation::wish(request),
            Door::Saml if is_post => Ok(Self::Saml),
            // Somebody's address bar.
            Door::Saml | Door::Lobby => Ok(Self::Lobby),
            Door::SamlMetadata => Ok(Self::SamlMetadata),
            Door::Authorize if is_post => Ok(Self::Authorize),
            Door::Authorize => Ok(Self::AskAuthorize),
            Door::Token => Ok(Self::Token),
            Door::SignIn if is_post => Ok(Self::SignIn),
            Door::SignInCode if is_post => Ok(Self::SignInCode),
            Door::SignInChange if is_post => Ok(Self::SignInChange),
            Door::SignInRoot if is_post => Ok(Self::Root),
            Door::Oidc => Ok(Self::Oidc),
            Door::OidcBack => Ok(Self::OidcBack),
            Door::OidcRole if is_post => Ok(Self::OidcRole),
            Door::OidcRole => Ok(Self::Lobby),
            Door::SignInRoot => Ok(Self::RootForm),
            Door::SignIn | Door::SignInCode | Door::SignInChange => Ok(Self::SignInForm),
            Door::Session(id, Place::Page) => Ok(Self::Page(id)),
            Door::Session(id, Place::Credentials) if is_post => Ok(Self::Credentials(id)),
            Door::Session(id, Place::SignOut) if is_post => Ok(Self::SignOut(id)),
            Door::Session(id, Place::SwitchRole) if is_post => Ok(Self::SwitchRole(id)),
            Door::Session(id, Place::SwitchRole) => Ok(Self::AnotherRole(id)),
            Door::Session(id, Place::Sessions) => Ok(Self::Sessions(id)),
            Door::Session(id, Place::Revoke(session)) if is_post => Ok(Self::Revoke(id, session)),
            Door::Session(id, Place::OneSession(session) | Place::Revoke(session)) => {
                Ok(Self::OneSession(id, session))
            }
            // A form's address in the address bar.
            Door::Session(id, Place::Credentials | Place::SignOut) => Ok(Self::Page(id)),
        }
    }

    /// Whether what it does cannot be done once more when a commit was in another's way.
    const fn is_once(self) -> bool {
        matches!(self, Self::SwitchRole(_) | Self::OidcBack | Self::OidcRole)
    }

    /// The name of its event.
    const fn name(self) -> &'static str {
        match self {
            Self::SigninToken => "GetSigninToken",
            Self::Login | Self::Saml | Self::SignIn | Self::SignInCode | Self::Root => "ConsoleLogin",
            Self::OidcBack | Self::OidcRole => "ConsoleLogin",
            Self::SignInForm | Self::RootForm | Self::Oidc => "ConsoleSignIn",
            Self::SignInChange => "PasswordUpdated",
            Self::SamlMetadata => "SamlMetadata",
            Self::Credentials(_) => "GetConsoleCredentials",
            Self::SignOut(_) => "ConsoleLogout",
            Self::SwitchRole(_) => "SwitchRole",
            Self::AskAuthorize => "ConsoleAuthorize",
            Self::Authorize => "AuthorizeOAuth2Access",
            Self::Token => "CreateOAuth2Token",
            Self::AnotherRole(_) => "ConsoleSwitchRole",
            Self::Sessions(_) => "ConsoleSessions",
            Self::OneSession(..) => "ConsoleSession",
            Self::Revoke(..) => "ConsoleRevoke",
            Self::Page(_) => "ConsolePage",
            Self::Lobby => "ConsoleLobby",
        }
    }
}
