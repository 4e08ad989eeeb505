//! Which door a path leads to, and what somebody wants there.

use daypass_model::SessionId;

use super::{authorize, federation, saml, sign_in, token};
use crate::error::Error;
use crate::request::Request;

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

/// What somebody wants at a door.
#[derive(Clone, Copy)]
pub(super) enum Wish {
    Page(Page),
    /// The way to an identity provider, which has an event where it is refused.
    Begin,
    Act(Act),
}

/// What is looked at. Where it asks for something, that is a call of the API with an event of its own.
#[derive(Clone, Copy)]
pub(super) enum Page {
    Lobby,
    SamlMetadata,
    /// The form of an account's user.
    SignInForm,
    /// The form of a code for root.
    RootForm,
    /// The page that asks for which session.
    AskAuthorize,
    Session(SessionId),
    /// The form.
    AnotherRole(SessionId),
    Sessions(SessionId),
    OneSession(SessionId, SessionId),
    Revoke(SessionId, SessionId),
}

/// What is done, and has an event.
#[derive(Clone, Copy)]
pub(super) enum Act {
    SigninToken,
    Login,
    Saml,
    SignIn,
    SignInCode,
    SignInChange,
    Root,
    /// The way back from an identity provider.
    OidcBack,
    OidcRole,
    Authorize,
    Token,
    Credentials(SessionId),
    SignOut(SessionId),
    SwitchRole(SessionId),
}

impl Wish {
    pub(super) fn of(door: Door, request: &Request) -> Result<Self, Error> {
        let is_post = request.http.method == "POST";
        match door {
            // Programs that look at links in messages ask for nothing more than this, and use nothing up.
            Door::Federation | Door::OidcBack if request.http.method == "HEAD" => Ok(Self::Page(Page::Lobby)),
            Door::Federation | Door::OidcBack if is_ahead(request) => Err(Error::new(
                "ServiceUnavailable",
                "A sign-in link is opened when somebody follows it, and not ahead of that.",
            )),
            Door::Federation => federation::wish(request),
            Door::Saml if is_post => Ok(Self::Act(Act::Saml)),
            // Somebody's address bar.
            Door::Saml | Door::Lobby => Ok(Self::Page(Page::Lobby)),
            Door::SamlMetadata => Ok(Self::Page(Page::SamlMetadata)),
            Door::Authorize if is_post => Ok(Self::Act(Act::Authorize)),
            Door::Authorize => Ok(Self::Page(Page::AskAuthorize)),
            Door::Token => Ok(Self::Act(Act::Token)),
            Door::SignIn if is_post => Ok(Self::Act(Act::SignIn)),
            Door::SignInCode if is_post => Ok(Self::Act(Act::SignInCode)),
            Door::SignInChange if is_post => Ok(Self::Act(Act::SignInChange)),
            Door::SignInRoot if is_post => Ok(Self::Act(Act::Root)),
            Door::Oidc => Ok(Self::Begin),
            Door::OidcBack => Ok(Self::Act(Act::OidcBack)),
            Door::OidcRole if is_post => Ok(Self::Act(Act::OidcRole)),
            Door::OidcRole => Ok(Self::Page(Page::Lobby)),
            Door::SignInRoot => Ok(Self::Page(Page::RootForm)),
            Door::SignIn | Door::SignInCode | Door::SignInChange => Ok(Self::Page(Page::SignInForm)),
            Door::Session(id, Place::Page) => Ok(Self::Page(Page::Session(id))),
            Door::Session(id, Place::Credentials) if is_post => Ok(Self::Act(Act::Credentials(id))),
            Door::Session(id, Place::SignOut) if is_post => Ok(Self::Act(Act::SignOut(id))),
            Door::Session(id, Place::SwitchRole) if is_post => Ok(Self::Act(Act::SwitchRole(id))),
            Door::Session(id, Place::SwitchRole) => Ok(Self::Page(Page::AnotherRole(id))),
            Door::Session(id, Place::Sessions) => Ok(Self::Page(Page::Sessions(id))),
            Door::Session(id, Place::Revoke(session)) if is_post => Ok(Self::Page(Page::Revoke(id, session))),
            Door::Session(id, Place::OneSession(session) | Place::Revoke(session)) => {
                Ok(Self::Page(Page::OneSession(id, session)))
            }
            // A form's address in the address bar.
            Door::Session(id, Place::Credentials | Place::SignOut) => Ok(Self::Page(Page::Session(id))),
        }
    }

    /// Its name, for those who count.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Page(page) => page.name(),
            Self::Begin => Page::SignInForm.name(),
            Self::Act(act) => act.name(),
        }
    }
}

impl Page {
    const fn name(self) -> &'static str {
        match self {
            Self::Lobby => "ConsoleLobby",
            Self::SamlMetadata => "SamlMetadata",
            Self::SignInForm | Self::RootForm => "ConsoleSignIn",
            Self::AskAuthorize => "ConsoleAuthorize",
            Self::Session(_) => "ConsolePage",
            Self::AnotherRole(_) => "ConsoleSwitchRole",
            Self::Sessions(_) => "ConsoleSessions",
            Self::OneSession(..) => "ConsoleSession",
            Self::Revoke(..) => "ConsoleRevoke",
        }
    }
}

impl Act {
    /// The name of its event.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SigninToken => "GetSigninToken",
            Self::Login | Self::Saml | Self::SignIn | Self::SignInCode | Self::Root => "ConsoleLogin",
            Self::OidcBack | Self::OidcRole => "ConsoleLogin",
            Self::SignInChange => "PasswordUpdated",
            Self::Authorize => "AuthorizeOAuth2Access",
            Self::Token => "CreateOAuth2Token",
            Self::Credentials(_) => "GetConsoleCredentials",
            Self::SignOut(_) => "ConsoleLogout",
            Self::SwitchRole(_) => "SwitchRole",
        }
    }

    /// Whether it cannot be done once more when a commit was in another's way: what it asked of other actions, or of a provider,
    /// would be done again.
    pub(super) const fn is_once(self) -> bool {
        matches!(self, Self::SwitchRole(_) | Self::OidcBack)
    }
}

/// Whether a browser asks for a page that nobody may ever look at (Fetch Standard, `Sec-Purpose`).
fn is_ahead(request: &Request) -> bool {
    request.header("sec-purpose").or(request.header("purpose")).is_some_and(|why| why.contains("prefetch"))
}
