//! Another password, for whoever has proven the one that must not stay. No policy is asked: the account wants it changed.

use daypass_directory::Operation;
use daypass_model::Secret;

use super::enter::enter;
use super::progress::{Progress, Proven, Stage};
use super::{Browser, ours, over, page};
use crate::actions::iam::replaced_password;
use crate::audit::Event;
use crate::doors::answer::{Answer, Problem, SignInStep};
use crate::error::Error;
use crate::house::House;
use crate::request::Request;

const FIELDS: [&str; 3] = ["progress", "password", "again"];
/// Passwords that may be tried in the place of one: each is compared with those before.
const TRIES_MAX: u32 = 10;
const DIFFER: &str = "The two passwords differ. Type the new one twice.";

/// The last step: the new password, and the session.
pub(in crate::doors) async fn change(
    house: &House,
    op: &Operation,
    request: &Request,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let browser = match ours(house, op, request, SignInStep::CHANGE, &FIELDS) {
        Ok(browser) => browser,
        Err(answer) => return Ok(answer),
    };
    let form = request.params.as_ref().map_err(Clone::clone)?;
    let text = |name| form.text(name).unwrap_or_default();
    let progress = match Progress::open(house, op, &browser, Stage::Change, text("progress")) {
        Ok(progress) => progress,
        Err(done) => return Ok(over(house, browser, done)),
    };
    let has_try = progress.has_try(house, op, TRIES_MAX).await?;
    let Progress { proven, number, until } = progress;
    let (user, profile) = proven.user.as_ref().ok_or_else(|| Error::internal("root has no password"))?;
    let who = proven.who();
    event.named("PasswordUpdated");
    event.principal(&who);
    if !has_try {
        return Ok(over(house, browser, proven.over()));
    }
    let ask = |browser, problem| Ok(ask_again(browser, text("progress"), &proven, problem));
    if text("password") != text("again") {
        let error = Error::validation(DIFFER);
        return ask(browser, Problem { says: DIFFER.to_owned(), error });
    }
    let account = proven.scope.account();
    let new = Secret::new(text("password"));
    let record = match replaced_password(house, op, &account, user, profile, new).await {
        Ok(record) => record,
        Err(error) if matches!(error.code, "PasswordPolicyViolation" | "Throttling") => {
            return ask(browser, Problem { says: error.message.clone(), error });
        }
        Err(error) => return Err(error),
    };
    // A device that somebody else has set up meanwhile is asked for as well.
    let is_done = house.directory.spend_sign_in_step(op, number, "done", until).await?;
    if !is_done || lacks_code(&proven) {
        return Ok(over(house, browser, proven.over()));
    }
    let mut updated = Event::of_visit(house, op, request, "PasswordUpdated");
    updated.principal(&who);
    updated.reserve()?;
    event.named("ConsoleLogin");
    let entered = enter(house, op, &browser, proven, event, Some(record)).await;
    match &entered {
        Ok(_) => drop(updated.finish(Ok(Box::new(()))).await?),
        // What comes of it is told once it is known.
        Err(error) if error.is_conflict() => drop(updated.finish_quietly()?),
        Err(error) => _ = updated.finish(Err(error.clone())).await,
    }
    entered
}

/// Whether there is a device, and no code of one was given.
fn lacks_code(proven: &Proven) -> bool {
    proven.mfa.is_none() && proven.devices().next().is_some()
}

fn ask_again(browser: Browser, progress: &str, proven: &Proven, problem: Problem) -> Answer {
    let user = proven.scope.principal().user_name().unwrap_or_default().to_owned();
    page(browser, SignInStep::Change { progress: Secret::new(progress), user }, Some(problem))
}
