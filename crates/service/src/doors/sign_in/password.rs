//! Account, user and password. Whatever is wrong, the answer is one, and takes one comparison of a password.

use std::sync::Arc;

use daypass_authn::password::matches_nobody;
use daypass_directory::{LoginProfile, Operation, SignInTry, User, View};
use daypass_model::{AccountId, Secret};

use super::enter::claims;
use super::progress::{Proven, Stage, go_on, must_change};
use super::{Browser, INCORRECT, Reason, asking, failed, ours, too_many};
use crate::audit::{Event, SigningIn};
use crate::doors::answer::{Answer, Problem, SignInStep};
use crate::doors::begin::scope_of;
use crate::doors::destination;
use crate::error::Error;
use crate::house::House;
use crate::line::Standing;
use crate::network::network;
use crate::request::Request;

const FIELDS: [&str; 4] = ["account", "username", "password", "back"];
/// Longest name that is looked for, in bytes: a user's has 64 characters.
const NAME_BYTES_MAX: usize = 256;
/// For whoever knows the password, and nobody else.
const EXPIRED: &str = "Your password has expired. Ask your administrator for a new one.";

/// What was typed.
struct Typed<'f> {
    account: &'f str,
    user: &'f str,
    password: Secret,
    back: Option<String>,
}

/// Whom it means.
struct Meant {
    account: AccountId,
    user: Option<(Arc<User>, Option<Arc<LoginProfile>>)>,
}

/// The first step.
pub(in crate::doors) async fn sign_in(
    house: &House,
    op: &Operation,
    request: &Request,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let browser = match ours(house, op, request, SignInStep::PASSWORD, &FIELDS) {
        Ok(browser) => browser,
        Err(answer) => return Ok(answer),
    };
    let typed = Typed::of(request)?;
    let view = house.directory.snapshot();
    let meant = meant(&view, &typed);
    if let Some(meant) = &meant {
        event.signing_in(SigningIn::of(meant.account, meant.user.as_ref().map(|(user, _)| &**user)));
    }
    let refused = |browser, problem| {
        Ok(asking(house, browser, (typed.account, typed.user), typed.back.clone(), problem))
    };
    match is_right(house, op, &typed, meant.as_ref(), &browser).await? {
        None => return refused(browser, too_many()),
        Some(false) => return refused(browser, incorrect(meant.as_ref(), event)),
        Some(true) => {}
    }
    let Some(Meant { account, user: Some((user, Some(profile))) }) = meant else {
        return Err(Error::internal("nobody's password was right"));
    };
    let claims = claims(house, op, account, Some((&user.record.id, &user.arn)), None)?;
    let scope = scope_of(house, op, view, &claims)?;
    let Some(must_change) = must_change(&scope, &profile.record, op.now.as_second()) else {
        return refused(
            browser,
            Problem { says: EXPIRED.into(), error: failed(event, Reason::PasswordExpired) },
        );
    };
    let proven = Proven { scope, user: Some((user, profile)), must_change, mfa: None, back: typed.back };
    go_on(house, op, browser, Stage::Password, proven, event).await
}

/// Whether the password is that user's; `None` if there were too many tries. For nobody it takes as long.
async fn is_right(
    house: &House,
    op: &Operation,
    typed: &Typed<'_>,
    meant: Option<&Meant>,
    browser: &Browser,
) -> Result<Option<bool>, Error> {
    let profile = meant.and_then(|meant| meant.user.as_ref()?.1.clone());
    // This is decided again where another commit was in the way.
    if profile.as_ref().is_some_and(|profile| op.spent.was_right(&profile.hash)) {
        return Ok(Some(true));
    }
    let one_try = typed.as_try(op, meant, browser);
    let standing = one_try.browser.map_or(Standing::Stranger, |_| Standing::Known);
    // Accounts that are none wait for each other, and for nobody else.
    let account = meant.map_or(AccountId::ZERO, |meant| meant.account);
    // Before the try: whoever finds no room has lost none.
    let Ok(place) = house.passwords.place(account, op.source_ip, standing) else { return Ok(None) };
    if !house.directory.spend_sign_in_try(op, one_try).await? {
        return Ok(None);
    }
    let (password, compared) = (typed.password.clone(), profile.clone());
    let compare = move || match compared {
        Some(profile) => profile.hash.matches(&password),
        None => matches_nobody(&password),
    };
    let is_right = house.passwords.work_at(place, compare).await?;
    if let Some(profile) = profile.filter(|_| is_right) {
        op.spent.keep_right(&profile.hash);
    }
    Ok(Some(is_right))
}

/// The account and the user, as far as there are such.
fn meant(view: &View, typed: &Typed<'_>) -> Option<Meant> {
    let number = typed.account.parse().ok().filter(|id| view.is_account(*id));
    let account = number.or_else(|| view.account_of_alias(&typed.account.to_ascii_lowercase()))?;
    let found = view.user_signing_in(account, typed.user);
    Some(Meant { account, user: found.map(|(user, profile)| (user.clone(), profile.cloned())) })
}

/// What somebody is told, and what the event tells: of a name that is nobody's nothing, since people type passwords there.
fn incorrect(meant: Option<&Meant>, event: &mut Event<'_>) -> Problem {
    let error = match meant.and_then(|meant| meant.user.as_ref()) {
        Some((_, Some(_))) => failed(event, Reason::WrongPassword),
        Some((_, None)) => failed(event, Reason::NoPassword),
        None => Error::access_denied("No username found in supplied account"),
    };
    Problem { says: INCORRECT.to_owned(), error }
}

impl<'f> Typed<'f> {
    fn of(request: &'f Request) -> Result<Self, Error> {
        let form = request.params.as_ref().map_err(Clone::clone)?;
        let text = |name| form.text(name).unwrap_or_default();
        let name = |name| Some(text(name).trim()).filter(|text: &&str| text.len() <= NAME_BYTES_MAX);
        Ok(Self {
            account: name("account").unwrap_or_default(),
            user: name("username").unwrap_or_default(),
            password: Secret::new(text("password")),
            back: destination::way_back(text("back")),
        })
    }

    /// Whose tries they are: of the account's number, whatever it was called. A browser is known where the user has signed in
    /// from it.
    fn as_try<'t>(&'t self, op: &Operation, meant: Option<&'t Meant>, browser: &Browser) -> SignInTry<'t> {
        let known = meant.and_then(|meant| {
            let (user, profile) = meant.user.as_ref()?;
            browser.known_of(user, profile.as_ref()?)
        });
        SignInTry {
            account: meant.map_or(self.account, |meant| meant.account.as_str()),
            user: self.user,
            network: network(op.source_ip),
            browser: known,
        }
    }
}
