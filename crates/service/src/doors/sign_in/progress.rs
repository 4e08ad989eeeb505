//! What was proven so far, and the next step.
//!
//! Between two steps it is a sealed text in the page, that counts in the browser that it was made for, for ten minutes, and once:
//! its number is spent when a step succeeds. The password must be the one that was proven, still, and the device one that the
//! user still has. What the account wants of the password is not in there: that is asked at every step.

use std::sync::Arc;

use daypass_authn::token::Purpose;
use daypass_directory::record::{KeyOwner, LoginProfileRecord};
use daypass_directory::{LoginProfile, MfaDevice, Operation, Principal, Scope, User, View};
use daypass_model::{AccountId, Secret, UniqueId};
use serde::{Deserialize, Serialize};

use super::enter::{claims, enter};
use super::{Browser, Over, page};
use crate::audit::Event;
use crate::doors::answer::{Answer, SignInStep};
use crate::doors::begin::scope_of;
use crate::doors::sealed;
use crate::error::Error;
use crate::house::House;

/// For how long a step may take, in seconds.
const STEP_SECONDS: i64 = 600;
const SECONDS_OF_DAY: i64 = 86_400;

/// Who has proven what.
pub(super) struct Proven {
    /// Who it is, without a session yet.
    pub(super) scope: Scope,
    /// The user, and what is kept of the password; none is root, who has no password.
    pub(super) user: Option<(Arc<User>, Arc<LoginProfile>)>,
    /// Whether another password must be chosen.
    pub(super) must_change: bool,
    /// The device whose code was given.
    pub(super) mfa: Option<Mfa>,
    /// Where the way leads afterwards.
    pub(super) back: Option<String>,
}

/// A device whose code was given.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Mfa {
    /// Its serial number.
    pub(super) device: String,
    /// Its id: another device may be given the same serial number.
    id: UniqueId,
    /// When, in Unix seconds.
    pub(super) at: i64,
}

impl Mfa {
    /// A code of this device, at that time.
    pub(super) fn of(device: &MfaDevice, at: i64) -> Self {
        Self { device: device.arn.clone(), id: device.record.id.clone(), at }
    }
}

/// The step that was done last.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// The password was right, and a code is asked for.
    Password,
    /// That was right too, or there is no device; the password must be another.
    Change,
}

/// What the page has of it, sealed.
#[derive(Serialize, Deserialize)]
struct Sealed {
    account: AccountId,
    user: Option<SealedUser>,
    stage: Stage,
    mfa: Option<Mfa>,
    back: Option<String>,
    /// When, in Unix seconds.
    at: i64,
    number: u64,
}

/// A user; none is root.
#[derive(Serialize, Deserialize)]
struct SealedUser {
    id: UniqueId,
    arn: String,
    /// By which the hash of the password is known again.
    password: String,
}

/// A sealed text, opened.
pub(super) struct Progress {
    pub(super) proven: Proven,
    /// What tells it from others.
    pub(super) number: u64,
    /// Until when it counts, in Unix seconds.
    pub(super) until: i64,
}

impl Progress {
    /// What the page brings back.
    ///
    /// # Errors
    /// It counts no more, or not here.
    pub(super) fn open(
        house: &House,
        op: &Operation,
        browser: &Browser,
        stage: Stage,
        text: &str,
    ) -> Result<Self, Over> {
        let view = house.directory.snapshot();
        let context = browser.secret.hash();
        let sealed: Option<Sealed> = sealed::open(&view, Purpose::SignInProgress, context.as_bytes(), text);
        let sealed = sealed.ok_or_else(Over::default)?;
        let over = Over { account: sealed.account.to_string(), back: sealed.back.clone() };
        Self::of(house, op, view, stage, sealed).ok_or(over)
    }

    fn of(house: &House, op: &Operation, view: Arc<View>, stage: Stage, sealed: Sealed) -> Option<Self> {
        let until = sealed.at + STEP_SECONDS;
        if sealed.stage != stage || !sealed::is_now(sealed.at, STEP_SECONDS, op.now.as_second()) {
            return None;
        }
        let whom = sealed.user.as_ref().map(|user| (&user.id, user.arn.as_str()));
        let claims = claims(house, op, sealed.account, whom, None).ok()?;
        let scope = scope_of(house, op, view, &claims).ok()?;
        let user = match sealed.user {
            Some(user) => Some(user.still(&scope)?),
            None => None,
        };
        let must_change = match &user {
            Some((_, profile)) => must_change(&scope, &profile.record, op.now.as_second())?,
            None => false,
        };
        let Sealed { mfa, back, number, .. } = sealed;
        let proven = Proven { scope, user, must_change, mfa, back };
        proven.has_device().then_some(Self { proven, number, until })
    }
}

impl Progress {
    /// Whether one of the tries that this step has is left. INVARIANT (tries-first).
    pub(super) async fn has_try(&self, house: &House, op: &Operation, max: u32) -> Result<bool, Error> {
        for n in 0..max {
            let step = format!("try-{n}");
            if house.directory.spend_sign_in_step(op, self.number, &step, self.until).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a password must be another before anything else, by what the account says today; `None` if it opens nothing.
pub(super) fn must_change(scope: &Scope, profile: &LoginProfileRecord, now: i64) -> Option<bool> {
    let policy = scope.account().password_policy();
    let days = policy.and_then(|policy| policy.record.days_max);
    let until = days.map(|days| profile.changed.saturating_add(i64::from(days) * SECONDS_OF_DAY));
    let is_expired = until.is_some_and(|until| now >= until);
    let is_over = is_expired && policy.is_some_and(|policy| policy.record.hard_expiry);
    (!is_over).then_some(is_expired || profile.reset_required)
}

impl SealedUser {
    /// The user, whose password is the one that was proven.
    fn still(&self, scope: &Scope) -> Option<(Arc<User>, Arc<LoginProfile>)> {
        let user = scope.principal().user()?.clone();
        let profile = scope.account().login_profile(&self.id)?.clone();
        (fingerprint(&profile) == self.password).then_some((user, profile))
    }
}

impl Proven {
    pub(super) fn account(&self) -> AccountId {
        self.scope.principal().account
    }

    /// For whoever has to begin again.
    pub(super) fn over(&self) -> Over {
        Over { account: self.account().to_string(), back: self.back.clone() }
    }

    /// Who it is, as an event tells of it that has no session yet.
    pub(super) fn who(&self) -> Arc<Principal> {
        let principal = Principal::clone(self.scope.principal());
        Arc::new(Principal { session: None, access_key_id: None, ..principal })
    }

    /// Whether the device whose code was given, if one was, is still one of theirs: whoever lost it had it taken away.
    fn has_device(&self) -> bool {
        self.mfa.as_ref().is_none_or(|mfa| self.devices().any(|device| device.record.id == mfa.id))
    }

    /// The devices.
    pub(super) fn devices(&self) -> impl Iterator<Item = &Arc<MfaDevice>> {
        let owner = KeyOwner::of(self.scope.principal());
        owner.into_iter().flat_map(|owner| self.scope.account().mfa_devices_of(&owner))
    }

    /// Their serial numbers.
    pub(super) fn serial_numbers(&self) -> Vec<String> {
        self.devices().map(|device| device.arn.clone()).collect()
    }
}

/// The next step after one that was done: a code, another password, or the session.
pub(super) async fn go_on(
    house: &House,
    op: &Operation,
    browser: Browser,
    done: Stage,
    proven: Proven,
    event: &mut Event<'_>,
) -> Result<Answer, Error> {
    let devices = proven.serial_numbers();
    if done == Stage::Password && proven.mfa.is_none() && !devices.is_empty() {
        event.principal(&proven.who());
        event.named("CheckMfa");
        event.tells("MfaType", if devices.len() > 1 { "Multiple MFA Devices" } else { "Virtual MFA" });
        let progress = seal(house, op, &browser, Stage::Password, &proven)?;
        return Ok(page(browser, SignInStep::Code { progress, devices }, None));
    }
    if proven.must_change {
        event.principal(&proven.who());
        event.named("CheckPassword");
        event.tells("PasswordChangeRequired", "Yes");
        let progress = seal(house, op, &browser, Stage::Change, &proven)?;
        let user = proven.scope.principal().user_name().unwrap_or_default().to_owned();
        return Ok(page(browser, SignInStep::Change { progress, user }, None));
    }
    enter(house, op, &browser, proven, event, None).await
}

fn seal(
    house: &House,
    op: &Operation,
    browser: &Browser,
    stage: Stage,
    proven: &Proven,
) -> Result<Secret, Error> {
    let sealed = Sealed {
        account: proven.account(),
        user: proven.user.as_ref().map(|(user, profile)| SealedUser {
            id: user.record.id.clone(),
            arn: user.arn.clone(),
            password: fingerprint(profile),
        }),
        stage,
        mfa: proven.mfa.clone(),
        back: proven.back.clone(),
        at: op.now.as_second(),
        number: sealed::number(house),
    };
    let (view, context) = (proven.scope.view(), browser.secret.hash());
    sealed::seal(house, view, Purpose::SignInProgress, context.as_bytes(), &sealed)
}

/// By which a password is known again.
pub(in crate::doors) fn fingerprint(profile: &LoginProfile) -> String {
    profile.hash.fingerprint().expose_str().to_owned()
}
