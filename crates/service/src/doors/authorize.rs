//! `/v1/authorize`: a program on somebody's machine (`aws login`) sends the browser here, and gets a code for one of the sessions
//! that the browser has, if whoever sits before it says so.
//!
//! Source: AWS Sign-In API Reference and the AWS CLI's `aws login`: OAuth 2.1 authorization code with PKCE, for a program on this
//! machine (the code goes to a port of it) or on another (the code is shown, to be pasted there).

use data_encoding::BASE64URL_NOPAD;
use daypass_authn::oidc::challenge_of;
use daypass_authn::token::Purpose;
use daypass_directory::{Checks, Operation, Scope};
use daypass_model::SessionId;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, LoginChoice, Whose};
use super::console::{Visitor, login_sessions, sender, visitor};
use super::form::known;
use super::sealed;
use super::sign_in::fingerprint;
use crate::audit::Event;
use crate::decide::decide;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;
use crate::request::Request;

pub(super) const PATH: &str = "/v1/authorize";
/// Where a code for another machine is shown.
const CONFIRMATION: &str = "/v1/sessions/confirmation";
const SAME_DEVICE: &str = "arn:aws:signin:::devtools/same-device";
const CROSS_DEVICE: &str = "arn:aws:signin:::devtools/cross-device";
const FORM: &str = "authorize";
/// What the principal must be allowed, and what for.
const ACTION: &str = "signin:AuthorizeOAuth2Access";
/// What a program sends, and the session that was chosen.
const FIELDS: [&str; 8] = [
    "response_type",
    "client_id",
    "state",
    "code_challenge",
    "code_challenge_method",
    "scope",
    "redirect_uri",
    "session",
];
/// Sessions of one browser that a program may choose from.
const CHOICES_MAX: usize = 20;
/// Hexadecimal digits by which a password is known again.
const PASSWORD_TOLD: usize = 16;
/// Longest state of a program, in bytes.
const STATE_BYTES_MAX: usize = 512;

/// What a program asks for, once it is in order.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The program.
    pub client_id: String,
    /// Where the code goes.
    pub redirect_uri: String,
    /// What comes back with it.
    pub state: String,
    /// SHA-256 of what only the program knows, in base64url.
    pub challenge: String,
}

/// What a code says, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct Code {
    /// The session.
    pub(super) s: SessionId,
    /// The challenge.
    pub(super) c: String,
    /// Whether it was asked for on another machine.
    pub(super) x: bool,
    /// SHA-256 of where it goes, in base64url.
    pub(super) r: String,
    /// When, in Unix seconds.
    pub(super) t: i64,
    /// What tells it from others.
    pub(super) n: u64,
    /// By which the password of a user who lets it in is known again.
    pub(super) p: Option<String>,
}

impl Asked {
    /// # Errors
    /// Nobody is sent anywhere with a request that is not in order.
    fn read(house: &House, request: &Request, form: &Params) -> Result<Self, Error> {
        let text = |name: &str| form.text(name).unwrap_or_default();
        let wrong =
            |what: &str| Error::validation(format!("The request of the program is not in order: {what}."));
        for (name, value) in
            [("response_type", "code"), ("code_challenge_method", "SHA-256"), ("scope", "openid")]
        {
            if text(name) != value {
                return Err(wrong(name));
            }
        }
        let asked = Self {
            client_id: text("client_id").to_owned(),
            redirect_uri: text("redirect_uri").to_owned(),
            state: text("state").to_owned(),
            challenge: text("code_challenge").to_owned(),
        };
        let is_challenge =
            BASE64URL_NOPAD.decode(asked.challenge.as_bytes()).is_ok_and(|hash| hash.len() == 32);
        let leads_back = match asked.client_id.as_str() {
            SAME_DEVICE => port_of(&asked.redirect_uri).is_some(),
            CROSS_DEVICE => own_urls(house, request, CONFIRMATION).contains(&asked.redirect_uri),
            _ => return Err(wrong("client_id")),
        };
        match (leads_back, is_challenge, asked.state.len() <= STATE_BYTES_MAX) {
            (false, ..) => Err(wrong("redirect_uri")),
            (_, false, _) => Err(wrong("code_challenge")),
            (.., false) => Err(wrong("state")),
            _ => Ok(asked),
        }
    }

    /// Whether a program on another machine asks.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        is_elsewhere(&self.client_id)
    }

    /// All of it once more, as it was sent.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, &str); 7] {
        [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("state", &self.state),
            ("code_challenge", &self.challenge),
            ("code_challenge_method", "SHA-256"),
            ("scope", "openid"),
            ("redirect_uri", &self.redirect_uri),
        ]
    }
}

/// Whether it is one of the two names that programs have here.
pub(super) fn is_client(client_id: &str) -> bool {
    matches!(client_id, SAME_DEVICE | CROSS_DEVICE)
}

/// Whether a program on another machine asks.
pub(super) fn is_elsewhere(client_id: &str) -> bool {
    client_id == CROSS_DEVICE
}

/// The port of this machine that a program waits at: `http://127.0.0.1:<port>/oauth/callback` to the letter.
fn port_of(redirect_uri: &str) -> Option<u16> {
    let port = redirect_uri.strip_prefix("http://127.0.0.1:")?.strip_suffix("/oauth/callback")?;
    port.parse().ok().filter(|number: &u16| *number > 0 && number.to_string() == port)
}

/// A path of ours as programs write it: by the public URL, or else by the host that they ask, on this machine alone. Any other is
/// a word of the client's, and whoever a program was led to could pass its proof on (RFC 9449, section 4.3).
pub(super) fn own_urls(house: &House, request: &Request, path: &str) -> Vec<String> {
    match &house.settings.public_authority {
        Some(own) => vec![format!("{}{path}", own.url())],
        None => {
            let host = request.header("host").filter(|host| is_this_machine(host)).into_iter();
            host.flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}{path}"))).collect()
        }
    }
}

/// `127.0.0.1`, `localhost` or `[::1]`, with a port or without.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => host,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

/// A server that does not know its own address lets programs in on this machine alone.
pub(super) fn check_address(house: &House, request: &Request) -> Result<(), Error> {
    let message = "This server does not know its own address: its operator sets it with --public-url.";
    let is_known = !own_urls(house, request, PATH).is_empty();
    is_known.then_some(()).ok_or_else(|| Error::validation(message))
}

/// The page that asks for which session.
pub(super) fn choice(house: &House, op: &Operation, request: &Request) -> Result<Answer, Error> {
    check_address(house, request)?;
    let asked = Asked::read(house, request, known(request, &FIELDS)?)?;
    // Those that are over take nobody's place.
    let sessions = login_sessions(request).into_iter().filter_map(|id| visitor(house, op, request, id).ok());
    let sessions = sessions.take(CHOICES_MAX).map(|visitor| choice_of(&visitor)).collect();
    Ok(Answer::ChooseSession { asked: Box::new(asked), sessions, path: PATH })
}

fn choice_of(visitor: &Visitor) -> LoginChoice {
    let who = visitor.scope.principal();
    let whose = Whose { id: visitor.id, account: who.account, arn: who.arn.clone() };
    LoginChoice { whose, code: visitor.code(FORM) }
}

/// The code, for the session that was chosen.
pub(super) fn give(
    house: &House,
    op: &Operation,
    request: &Request,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let form = request.params.as_ref().map_err(Clone::clone)?;
    let id = form.text("session").and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Error::validation("The form does not say which session is meant."))?;
    let (visitor, form) = match sender(house, op, request, (id, FORM, &FIELDS), event) {
        Ok(sent) => sent,
        Err(early) => return early,
    };
    let asked = Asked::read(house, request, form)?;
    event.tells("clientId", asked.client_id.as_str());
    allowed(house, op, &visitor.scope, ACTION, &asked.client_id)?;
    event.reserve()?;
    let is_elsewhere = asked.is_elsewhere();
    let code = Code {
        s: visitor.id,
        c: asked.challenge.clone(),
        x: is_elsewhere,
        r: challenge_of(&asked.redirect_uri),
        t: op.now.as_second(),
        n: sealed::number(house),
        p: password_of(&visitor.scope),
    };
    let code = sealed::seal(house, visitor.scope.view(), Purpose::AuthorizationCode, b"", &code)?;
    Ok(Answer::Code { asked: Box::new(asked), code, is_elsewhere })
}

/// By which the password that a session's user has now is known again, by as little of it as a code in an address has room for;
/// none, of whoever has none.
pub(super) fn password_of(scope: &Scope) -> Option<String> {
    let user = scope.principal().user()?;
    let mut known = fingerprint(scope.account().login_profile(&user.record.id)?);
    known.truncate(PASSWORD_TOLD);
    Some(known)
}

/// That the principal may let programs in.
pub(super) fn allowed(
    house: &House,
    op: &Operation,
    scope: &Scope,
    action: &str,
    client_id: &str,
) -> Result<(), Error> {
    let place = if is_elsewhere(client_id) { "remote" } else { "localhost" };
    let account = scope.account().id();
    let check =
        scope.check(action, format!("arn:aws:signin:us-east-1:{account}:oauth2/public-client/{place}"));
    decide(op, house, scope, &Checks::one(check), ())?;
    Ok(())
}
