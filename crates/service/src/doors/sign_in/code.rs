//! The one-time code of a device, after the password. Its tries and its one use are those of calls (`directory/src/mfa.rs`).

use std::sync::Arc;

use daypass_directory::{MfaDevice, NotProven, OneTimeCode, Operation};
use daypass_model::Secret;

use super::progress::{Mfa, Progress, Proven, Stage, go_on};
use super::{Browser, Reason, failed, ours, over, page, too_many};
use crate::audit::Event;
use crate::doors::answer::{Answer, Problem, SignInStep};
use crate::error::Error;
use crate::house::House;
use crate::request::Request;

const FIELDS: [&str; 3] = ["progress", "device", "mfacode"];
/// Codes that may be tried after one password.
const TRIES_MAX: u32 = 5;
const WRONG: &str = "The MFA code is not right. Wait for the next one, and try again.";

/// The second step.
pub(in crate::doors) async fn code(
    house: &House,
    op: &Operation,
    request: &Request,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let browser = match ours(house, op, request, SignInStep::CODE, &FIELDS) {
        Ok(browser) => browser,
        Err(answer) => return Ok(answer),
    };
    let form = request.params.as_ref().map_err(Clone::clone)?;
    let text = |name| form.text(name).unwrap_or_default().trim();
    let progress = match Progress::open(house, op, &browser, Stage::Password, text("progress")) {
        Ok(progress) => progress,
        Err(done) => return Ok(over(house, browser, done)),
    };
    let has_try = progress.has_try(house, op, TRIES_MAX).await?;
    let Progress { mut proven, number, until } = progress;
    event.principal(&proven.who());
    event.tells("MFAUsed", "Yes");
    let ask = |browser, problem| Ok(ask_again(browser, text("progress"), &proven, problem));
    let Some(device) = device(&proven, text("device")) else {
        return ask(browser, wrong(event, Reason::NoSuchDevice));
    };
    event.tells("MFAIdentifier", device.arn.as_str());
    if !has_try {
        return Ok(over(house, browser, proven.over()));
    }
    // People see a code in two halves.
    let code: String = text("mfacode").split_whitespace().collect();
    let known = proven.user.as_ref().and_then(|(user, profile)| browser.known_by_code(user, profile));
    let given = OneTimeCode { serial_number: &device.arn, code: &code, browser: known };
    match proven.scope.clone().prove_code(&house.directory, op, &given).await {
        Ok(_) => {}
        Err(NotProven::NotSpent(error)) => return Err(error.into()),
        Err(NotProven::Unable) => return ask(browser, too_many()),
        Err(NotProven::WrongCode | NotProven::Half) => return ask(browser, wrong(event, Reason::WrongCode)),
    }
    if !house.directory.spend_sign_in_step(op, number, "done", until).await? {
        return Ok(over(house, browser, proven.over()));
    }
    proven.mfa = Some(Mfa::of(&device, op.now.as_second()));
    go_on(house, op, browser, Stage::Change, proven, event).await
}

/// The device that is meant: one of the user's.
fn device(proven: &Proven, named: &str) -> Option<Arc<MfaDevice>> {
    proven.devices().find(|device| device.arn == named).cloned()
}

fn ask_again(browser: Browser, progress: &str, proven: &Proven, problem: Problem) -> Answer {
    let step = SignInStep::Code { progress: Secret::new(progress), devices: proven.serial_numbers() };
    page(browser, step, Some(problem))
}

fn wrong(event: &mut Event<'_>, reason: Reason) -> Problem {
    Problem { says: WRONG.to_owned(), error: failed(event, reason) }
}
