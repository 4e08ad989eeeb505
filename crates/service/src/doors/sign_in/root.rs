//! `/signin/step/root`: the root user, who has no password. Whoever runs the host makes a code (`daypass account sign-in`), which
//! is typed in here: no address holds it, and no program that looks at links uses it up.

use daypass_authn::token::Purpose;
use daypass_directory::Operation;
use daypass_model::{AccountId, Secret};
use serde::{Deserialize, Serialize};

use super::enter::claims;
use super::progress::{Proven, Stage, go_on};
use super::{Browser, Reason, failed, ours, page};
use crate::audit::Event;
use crate::doors::answer::{Answer, Problem, SignInStep};
use crate::doors::begin::scope_of;
use crate::doors::sealed;
use crate::error::Error;
use crate::house::House;
use crate::request::Request;

/// For how long a code is good, in seconds.
pub const ROOT_CODE_SECONDS: i64 = 600;
const FIELDS: [&str; 1] = ["rootcode"];
const WRONG: &str = "The code is not valid: it was used, its ten minutes are over, or it is not whole.";

/// What a code says, sealed.
#[derive(Serialize, Deserialize)]
struct Code {
    account: AccountId,
    /// When it was made, in Unix seconds.
    at: i64,
    number: u64,
}

/// A code by which root of this account signs in once.
///
/// # Errors
/// It could not be sealed, which never happens.
pub fn root_code(house: &House, account: AccountId) -> Result<Secret, Error> {
    let code = Code { account, at: house.now().as_second(), number: sealed::number(house) };
    sealed::seal(house, &house.directory.snapshot(), Purpose::RootSignIn, b"", &code)
}

/// The form.
pub(in crate::doors) fn root_form(house: &House, request: &Request) -> Answer {
    page(Browser::of(house, request), SignInStep::Root, None)
}

/// The code, and then what everybody is asked.
pub(in crate::doors) async fn root(
    house: &House,
    op: &Operation,
    request: &Request,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let browser = match ours(house, op, request, SignInStep::ROOT, &FIELDS) {
        Ok(browser) => browser,
        Err(answer) => return Ok(answer),
    };
    let form = request.params.as_ref().map_err(Clone::clone)?;
    let text: String = form.text("rootcode").unwrap_or_default().split_whitespace().collect();
    match proven(house, op, &text).await? {
        Some(proven) => go_on(house, op, browser, Stage::Password, proven, event).await,
        None => Ok(page(
            browser,
            SignInStep::Root,
            Some(Problem { says: WRONG.to_owned(), error: failed(event, Reason::WrongCode) }),
        )),
    }
}

/// Root of the account that a code was made for, which it uses up.
async fn proven(house: &House, op: &Operation, text: &str) -> Result<Option<Proven>, Error> {
    let view = house.directory.snapshot();
    let code: Option<Code> = sealed::open(&view, Purpose::RootSignIn, b"", text);
    let Some(Code { account, at, number }) = code else { return Ok(None) };
    let until = at + ROOT_CODE_SECONDS;
    let is_now = sealed::is_now(at, ROOT_CODE_SECONDS, op.now.as_second());
    let is_good = is_now && view.is_account(account);
    if !is_good || !house.directory.spend_sign_in_step(op, number, "root", until).await? {
        return Ok(None);
    }
    let scope = scope_of(house, op, view, &claims(house, op, account, None, None)?)?;
    Ok(Some(Proven { scope, user: None, must_change: false, mfa: None, back: None }))
}
