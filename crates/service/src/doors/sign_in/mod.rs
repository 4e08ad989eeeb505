//! `/signin`: people with an IAM user's password sign in to the console.
//!
//! Step one takes account, user and password; whoever has an MFA device is asked for its code next, and whose password is to be
//! changed for another. Between the steps nothing is kept here: what was proven is in a sealed text of the page
//! (`progress.rs`), good for minutes, in this browser (`browser.rs`), and once. The session begins after the last step.
//!
//! Source: IAM User Guide, "How IAM users sign in to AWS", "Using MFA devices with your IAM sign-in page" and "Set an account
//! password policy for IAM users".

mod browser;
mod change;
mod code;
mod enter;
pub(super) mod oidc;
mod password;
mod progress;
mod root;

pub(super) use browser::Browser;
pub use browser::{Device, browser_cookie, is_over_tls};
pub(super) use change::change;
pub(super) use code::code;
pub(super) use password::sign_in;
pub(super) use progress::fingerprint;
pub use root::{ROOT_CODE_SECONDS, root_code};
pub(super) use root::{root, root_form};

use daypass_directory::Operation;

use super::answer::{Answer, Problem, SignInPage, SignInStep};
use super::form::known;
use super::{Door, destination};
use crate::audit::Event;
use crate::error::Error;
use crate::federation::query;
use crate::house::House;
use crate::request::Request;

pub(super) const PATH: &str = "/signin";
/// Below it are an account's own addresses: no alias has a slash, so the steps have one.
const OF_ACCOUNT: &str = "/signin/";
pub(super) const CODE_PATH: &str = "/signin/step/code";
pub(super) const CHANGE_PATH: &str = "/signin/step/password";
pub(super) const ROOT_PATH: &str = "/signin/step/root";
/// Longest name of an account: an alias has 63 characters.
const ACCOUNT_BYTES_MAX: usize = 64;

/// AWS's one sentence for whatever is wrong.
const INCORRECT: &str = "Your authentication information is incorrect. Please try again.";
const TOO_MANY: &str = "There were too many attempts. Wait three minutes, and try again.";

/// The door that a path below `/signin` leads to.
pub(super) fn door(path: &str) -> Option<Door> {
    match path {
        PATH => Some(Door::SignIn),
        CODE_PATH => Some(Door::SignInCode),
        CHANGE_PATH => Some(Door::SignInChange),
        ROOT_PATH => Some(Door::SignInRoot),
        _ => {
            match oidc::name_of(path).map(|(_, rest)| rest) {
                Some("") => return Some(Door::Oidc),
                Some("callback") => return Some(Door::OidcBack),
                Some("role") => return Some(Door::OidcRole),
                Some(_) | None => {}
            }
            let account = path.strip_prefix(OF_ACCOUNT)?;
            (account.is_empty() || is_account(account)).then_some(Door::SignIn)
        }
    }
}

/// Whether the text could be an account's number or alias.
fn is_account(text: &str) -> bool {
    (1..ACCOUNT_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The address of an account's form.
pub(super) fn path_of(account: &str) -> String {
    format!("{OF_ACCOUNT}{account}")
}

/// The form.
pub(super) fn form(house: &House, request: &Request) -> Result<Answer, Error> {
    let form = known(request, &["back"])?;
    let account = request.http.path.strip_prefix(OF_ACCOUNT).filter(|account| is_account(account));
    let account = account.unwrap_or_default();
    let back = form.text("back").and_then(destination::way_back);
    let providers = providers(house, account, back.as_deref());
    let (account, user) = (account.to_owned(), String::new());
    Ok(page(Browser::of(house, request), SignInStep::Password { account, user, back, providers }, None))
}

/// Other ways into the account that the address names: names of providers, and where each leads.
fn providers(house: &House, account: &str, back: Option<&str>) -> Vec<(String, String)> {
    let view = house.directory.snapshot();
    let id = account.parse().ok().or_else(|| view.account_of_alias(&account.to_ascii_lowercase()));
    let of_account = house.settings.sign_in.providers.iter().filter(|provider| Some(provider.account) == id);
    let path = |name: &str| match back {
        Some(back) => format!("{}?{}", oidc::path_of(name), query(&[("back", back)])),
        None => oidc::path_of(name),
    };
    of_account.map(|provider| (provider.name.clone(), path(&provider.name))).collect()
}

/// The form, with what was typed the last time and what was wrong with it.
fn asking(
    house: &House,
    browser: Browser,
    (account, user): (&str, &str),
    back: Option<String>,
    problem: Problem,
) -> Answer {
    let providers = providers(house, account, back.as_deref());
    let step = SignInStep::Password { account: account.to_owned(), user: user.to_owned(), back, providers };
    page(browser, step, Some(problem))
}

fn page(browser: Browser, step: SignInStep, problem: Option<Problem>) -> Answer {
    let code = browser.secret.form_code(step.form());
    let browser = browser.is_new.then_some(browser.secret);
    Answer::SignIn(Box::new(SignInPage { step, code, browser, problem }))
}

/// Somebody who has to begin again: in which account, and where the way was to lead.
#[derive(Default)]
struct Over {
    account: String,
    back: Option<String>,
}

/// For whoever brings what counts no more.
fn over(house: &House, browser: Browser, over: Over) -> Answer {
    let says = "That took too long, or was done before. Please sign in again.";
    again(house, browser, over, says, Error::access_denied("The sign-in in progress is over."))
}

/// The form once more, for whoever has to begin again.
fn again(house: &House, browser: Browser, over: Over, says: &str, error: Error) -> Answer {
    asking(house, browser, (&over.account, ""), over.back, Problem { says: says.to_owned(), error })
}

/// Why somebody is not let in, which only the account's audit tells, in words of ours: whoever tries does not hear it.
#[derive(Clone, Copy)]
enum Reason {
    NoPassword,
    WrongPassword,
    PasswordExpired,
    WrongCode,
    NoSuchDevice,
}

/// What the event of a failure tells ("AWS Management Console sign-in events" in the CloudTrail User Guide).
fn failed(event: &mut Event<'_>, reason: Reason) -> Error {
    event.tells(
        "reason",
        match reason {
            Reason::NoPassword => "NoPassword",
            Reason::WrongPassword => "WrongPassword",
            Reason::PasswordExpired => "PasswordExpired",
            Reason::WrongCode => "WrongCode",
            Reason::NoSuchDevice => "NoSuchDevice",
        },
    );
    Error::access_denied("Failed authentication")
}

/// What somebody is told who has no tries left, and the event with them.
fn too_many() -> Problem {
    Problem { says: TOO_MANY.to_owned(), error: Error::new("Throttling", "Rate exceeded") }
}

/// That a form came from a page of ours in this browser: nobody signs somebody else's browser in (login CSRF).
///
/// # Errors
/// The form once more, which now has what it takes.
fn ours(
    house: &House,
    op: &Operation,
    request: &Request,
    form: &str,
    fields: &[&str],
) -> Result<Browser, Answer> {
    let mut browser = Browser::of(house, request);
    if browser.sent(request, form, fields) {
        return Ok(browser);
    }
    tracing::debug!(request_id = op.request_id.as_str(), "a form of the sign-in is not ours");
    // What a link to the form could say as well.
    let text = |name| request.params.as_ref().ok().and_then(|form| form.text(name));
    let account = text("account").map(str::trim).filter(|account| is_account(account));
    let over = Over {
        account: account.unwrap_or_default().to_owned(),
        back: text("back").and_then(destination::way_back),
    };
    let says = "The page was open for too long, or your browser keeps no cookies. Please try again.";
    Err(again(
        house,
        browser,
        over,
        says,
        Error::access_denied("The form is not one of this browser's pages."),
    ))
}
