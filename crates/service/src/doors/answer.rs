//! What a visitor gets, as values. The server makes pages, redirects and cookies of them.

use daypass_authn::browser::BrowserSecret;
use daypass_model::{AccountId, Secret, SessionId, Tag};
use serde::Deserialize;

use super::authorize::Asked;
use super::sign_in::Device;
use crate::error::Error;

/// See the module.
#[derive(Debug)]
pub enum Answer {
    /// `{"SigninToken": …}`
    SigninToken(Secret),
    /// Somebody is signed in: their browser keeps the secret and goes to the session's page.
    Entered {
        /// The session.
        id: SessionId,
        /// What its cookie holds.
        secret: BrowserSecret,
        /// What the cookie of the sign-in's own pages holds from now on, if they were what led here.
        browser: Option<BrowserSecret>,
        /// By what it is known of the user from now on, if a password led here.
        device: Option<Box<Device>>,
        /// Where the browser goes instead: a path of ours.
        back: Option<String>,
    },
    /// A page of signing in.
    SignIn(Box<SignInPage>),
    /// Several roles may be meant.
    ChooseRole {
        /// By account.
        accounts: Vec<(AccountId, Vec<RoleChoice>)>,
        /// What the choice is sent with again.
        response: Secret,
        /// What that is called.
        field: RoleField,
        /// The same.
        relay_state: Option<String>,
        /// Where it is sent.
        path: String,
    },
    /// The browser goes to an identity provider.
    Leave {
        /// Where.
        url: String,
        /// What its cookie holds from now on, if it held nothing.
        browser: Option<BrowserSecret>,
    },
    /// A program asks for one of the browser's sessions.
    ChooseSession {
        /// What it asks for.
        asked: Box<Asked>,
        /// The sessions.
        sessions: Vec<LoginChoice>,
        /// Where the choice is sent.
        path: &'static str,
    },
    /// The code that the program waits for.
    Code {
        /// What it asked for.
        asked: Box<Asked>,
        /// The code.
        code: Secret,
        /// Whether it is to be pasted on another machine.
        is_elsewhere: bool,
    },
    /// What a program gets for a code or a refresh token.
    Tokens(Box<Tokens>),
    /// What identity providers read of this server.
    SamlMetadata(String),
    /// The page of a session.
    YourSession(Box<YourSession>),
    /// The form of another role, with what was wrong the last time.
    AnotherRole(Box<RoleForm>),
    /// The account's sessions.
    Sessions(Box<SessionList>),
    /// One of them.
    OneSession(Box<SessionShown>),
    /// Another page of the same session.
    GoTo(String),
    /// The same, with credentials for a command line.
    Credentials(Box<YourSession>, Box<CommandLine>),
    /// The browser was sent here by another site and brought no cookie: it does when it comes from here.
    ComeAgain {
        /// The session.
        id: SessionId,
    },
    /// No session here that this browser can prove.
    NotSignedIn,
    /// The session is over.
    Ended {
        /// Where its holder signs in again.
        issuer: Option<String>,
    },
    /// Signed out.
    SignedOut {
        /// The session.
        id: SessionId,
        /// Where its holder signs in again.
        issuer: Option<String>,
    },
}

/// What the choice of a role is sent with.
#[derive(Debug)]
pub enum RoleField {
    /// A SAML response, as it came.
    SamlResponse,
    /// A token, sealed.
    Token {
        /// The code of the form.
        code: String,
    },
}

/// A page of signing in: a step, and what was wrong with what was sent before.
#[derive(Debug)]
pub struct SignInPage {
    /// The step.
    pub step: SignInStep,
    /// The code of its form.
    pub code: String,
    /// What the browser's cookie holds from now on, if it held nothing.
    pub browser: Option<BrowserSecret>,
    /// What was wrong.
    pub problem: Option<Problem>,
}

/// What is asked for.
#[derive(Debug)]
pub enum SignInStep {
    /// Account, user and password.
    Password {
        /// The account's number or alias, as far as it is known.
        account: String,
        /// The user's name, as it was typed the last time.
        user: String,
        /// Where the way leads afterwards: a path of ours.
        back: Option<String>,
        /// Identity providers that people of the account sign in at instead, and where that begins.
        providers: Vec<(String, String)>,
    },
    /// The code of an MFA device.
    Code {
        /// What was proven so far.
        progress: Secret,
        /// The serial numbers of the user's devices.
        devices: Vec<String>,
    },
    /// The code that root was given on the host.
    Root,
    /// Another password.
    Change {
        /// What was proven so far.
        progress: Secret,
        /// The user's name.
        user: String,
    },
}

impl SignInStep {
    pub(super) const PASSWORD: &str = "sign-in";
    pub(super) const CODE: &str = "sign-in-code";
    pub(super) const CHANGE: &str = "sign-in-change";
    pub(super) const ROOT: &str = "sign-in-root";

    /// What its form is called, in its code.
    pub(super) fn form(&self) -> &'static str {
        match self {
            Self::Password { .. } => Self::PASSWORD,
            Self::Code { .. } => Self::CODE,
            Self::Change { .. } => Self::CHANGE,
            Self::Root => Self::ROOT,
        }
    }
}

/// What was wrong.
#[derive(Debug)]
pub struct Problem {
    /// What the page says of it.
    pub says: String,
    /// What the event says.
    pub error: Error,
}

/// The form of another role.
#[derive(Debug)]
pub struct RoleForm {
    /// Who asks.
    pub whose: Whose,
    /// The code of the form.
    pub code: String,
    /// The account's number and the role, as they were typed the last time.
    pub tried: Option<(String, String)>,
    /// What was said of them.
    pub problem: Option<String>,
}

/// A role that somebody may choose.
#[derive(Debug, PartialEq, Eq)]
pub struct RoleChoice {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
}

/// Who somebody is, by which chain, and for how long.
#[derive(Debug)]
pub struct YourSession {
    /// The session.
    pub id: SessionId,
    /// Its account.
    pub account: AccountId,
    /// The ARN that GetCallerIdentity answers.
    pub arn: String,
    /// `AssumedRole`, `FederatedUser`, `IAMUser` or `Root`.
    pub kind: &'static str,
    /// The role's, user's or federated user's name.
    pub name: String,
    /// The role session name, of a role.
    pub session_name: Option<String>,
    /// Unix seconds.
    pub now: i64,
    /// Unix seconds.
    pub began: i64,
    /// Unix seconds.
    pub expires: i64,
    /// Whether a one-time code was given.
    pub mfa: bool,
    /// The person behind the chain, where it was said.
    pub source_identity: Option<String>,
    /// Tags of the session.
    pub tags: Vec<Tag>,
    /// How many layers of session policies narrow it.
    pub policy_layers: usize,
    /// How it came about, the beginning first, the session itself not included.
    pub chain: Vec<Step>,
    /// Where its holder signs in again.
    pub issuer: Option<String>,
    /// Where the way was to lead, if elsewhere.
    pub destination: Option<String>,
    /// The code of the form that asks for credentials.
    pub credentials_code: String,
    /// The code of the form that signs out.
    pub sign_out_code: String,
}

/// One step on the way to a session.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// Who it was, or what may be said of that.
    pub who: String,
    /// Until when, in Unix seconds, where that is known.
    pub expires: Option<i64>,
    /// The session that it was, where the account can look at it.
    pub session: Option<SessionId>,
}

/// Credentials for a command line.
#[derive(Debug)]
pub struct CommandLine {
    /// `ASIA…`
    pub access_key_id: String,
    /// What goes with it.
    pub secret_access_key: Secret,
    /// What goes with both.
    pub session_token: Secret,
    /// Unix seconds.
    pub expires: i64,
    /// Where this server is reached, if it knows.
    pub endpoint: Option<String>,
    /// What programs sign for: without it some sign nothing.
    pub region: String,
}

/// Whose page it is.
#[derive(Debug, Clone)]
pub struct Whose {
    /// The session.
    pub id: SessionId,
    /// Its account.
    pub account: AccountId,
    /// The ARN.
    pub arn: String,
}

/// What is looked for among the sessions.
#[derive(Debug, Clone, Default)]
pub struct SessionSearch {
    /// `name`, `source`, `arn` or `key`.
    pub by: String,
    /// What it is, or begins with; empty: anything.
    pub text: String,
    /// Whether those that are over are meant too.
    pub ended: bool,
}

/// The account's sessions, the newest first.
#[derive(Debug)]
pub struct SessionList {
    /// Who asks.
    pub whose: Whose,
    /// For what.
    pub search: SessionSearch,
    /// What is wrong with what was looked for.
    pub problem: Option<String>,
    /// What was found.
    pub sessions: Vec<Listed>,
    /// Where more is.
    pub marker: Option<String>,
    /// Whether the log of this server may lack some.
    pub may_be_incomplete: bool,
    /// Unix seconds.
    pub now: i64,
}

/// One session, where it came from and what it issued.
#[derive(Debug)]
pub struct SessionShown {
    /// Who asks.
    pub whose: Whose,
    /// The session.
    pub session: Listed,
    /// How it came about, the beginning first.
    pub chain: Vec<Step>,
    /// What it issued, the newest first.
    pub issued: Vec<Listed>,
    /// Whether it issued more than is shown.
    pub is_truncated: bool,
    /// What was just ended, if that is how the page came.
    pub ended: Option<End>,
    /// The code of the forms.
    pub code: String,
    /// Unix seconds.
    pub now: i64,
}

/// How far an end of a session goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It alone.
    This,
    /// With all that it issued.
    Issued,
    /// All sessions of its principal, with what those and its access keys issued.
    Principal,
}

impl End {
    /// All of them, with their words in forms.
    const WORDS: [(Self, &str); 3] =
        [(Self::This, "this"), (Self::Issued, "issued"), (Self::Principal, "principal")];

    /// Its word in a form.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(end, _)| *end == self).map_or("", |(_, word)| word)
    }

    pub(super) fn of_word(text: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, word)| *word == text).map(|(end, _)| *end)
    }
}

/// A session, as ListSessions of daypass's own API tells of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Listed {
    /// Its id.
    pub session_id: SessionId,
    /// Under which it calls.
    pub arn: String,
    /// Of the role, user or root behind it.
    pub principal_arn: String,
    /// The access key id that was issued.
    pub access_key_id: String,
    /// `Live`, `Expired`, `Revoked` or `PrincipalDeleted`.
    pub status: String,
    /// Unix seconds.
    pub issued_at: i64,
    /// Unix seconds.
    pub expires: i64,
    /// Who asked for it.
    pub requested_by: ListedRequester,
    /// The person behind the chain, where it was said.
    pub source_identity: Option<String>,
    /// Where the call came from.
    pub source_ip_address: Option<String>,
    /// What made it.
    pub user_agent: Option<String>,
    /// Whether a one-time code was given.
    pub mfa_authenticated: bool,
    /// What it was told of the session.
    pub description: Option<String>,
}

/// Who asked for a session.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListedRequester {
    /// The account.
    pub account_id: AccountId,
    /// The ARN, where it is the same account's.
    pub arn: Option<String>,
    /// The access key id that it signed with, where it is the same account's.
    pub access_key_id: Option<String>,
}

/// A session that a program may be let in by.
#[derive(Debug)]
pub struct LoginChoice {
    /// Whose.
    pub whose: Whose,
    /// The code of the form.
    pub code: String,
}

/// Credentials of a session for a program.
#[derive(Debug)]
pub struct Tokens {
    /// `ASIA…`
    pub access_key_id: String,
    /// What goes with it.
    pub secret_access_key: Secret,
    /// What goes with both.
    pub session_token: Secret,
    /// Seconds.
    pub expires_in: i64,
    /// What new ones are had by.
    pub refresh_token: Secret,
    /// Who it is; the first time.
    pub id_token: Option<Secret>,
}
