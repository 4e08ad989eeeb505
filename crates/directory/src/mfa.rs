//! Multi-factor authentication: whether a one-time code shows that the caller has one of its devices at hand.
//!
//! Every try and every used code is a fact that is spent in the store (`Store::spend`): nothing is counted in memory,
//! so neither a restart nor a second node gives anybody more tries or a code twice.
//!
//! Source: IAM User Guide, "Secure API access with MFA" and "Synchronize a virtual or hardware MFA device".

use std::ops::RangeInclusive;

use daypass_authn::totp::{STEP_SECONDS, counter_at};
use daypass_model::UniqueId;

use crate::context::Operation;
use crate::directory::{Directory, in_time};
use crate::entity::MfaDevice;
use crate::error::NotCommitted;
use crate::key;
use crate::principal::{Identity, Principal};
use crate::record::{KeyOwner, MfaDeviceRecord};
use crate::scope::Scope;

/// Steps around the device's own time in which a code counts, to either side.
const WINDOW_STEPS: i64 = 2;
/// Steps that a device's clock may be off, to either side: an hour. Pairs are looked for in there, whatever was found
/// before, so a code can never count again once it is that old.
const OFFSET_STEPS_MAX: i64 = 120;

/// A one-time code, and whose tries it takes one of.
#[derive(Clone, Copy)]
pub struct OneTimeCode<'a> {
    /// The device's.
    pub serial_number: &'a str,
    /// Six digits, as they were given.
    pub code: &'a str,
    /// The hash of the secret of a browser that the user has signed in from: it has tries of its own, so that whoever has
    /// found out the password keeps nobody out.
    pub browser: Option<&'a str>,
}

/// Why no device was proven to be at hand.
#[derive(Debug, PartialEq, Eq)]
pub enum NotProven {
    /// Only one of serial number and code was given.
    Half,
    /// The caller has no such device, or its tries are used up.
    Unable,
    /// The code is wrong, or was used before.
    WrongCode,
    /// The store did not take the try or the code as spent.
    NotSpent(NotCommitted),
}

impl From<NotCommitted> for NotProven {
    fn from(error: NotCommitted) -> Self {
        Self::NotSpent(error)
    }
}

impl KeyOwner {
    /// The owner that a principal is, for what only users and root have.
    #[must_use]
    pub fn of(principal: &Principal) -> Option<Self> {
        match &principal.identity {
            Identity::Root => Some(Self::Root),
            Identity::User(user) => Some(Self::User(user.record.id.clone())),
            Identity::Role(_) | Identity::Federated(_) | Identity::Vouched(_) => None,
        }
    }
}

impl Scope {
    /// The same caller, for whom this call's `SerialNumber` and `TokenCode` prove that it has its device at hand; just
    /// the same caller when neither was given. A code counts once, in whichever call.
    ///
    /// # Errors
    /// [`NotProven`].
    pub async fn prove_mfa(
        self,
        directory: &Directory,
        op: &Operation,
        serial_number: Option<&str>,
        code: Option<&str>,
    ) -> Result<Self, NotProven> {
        let (serial_number, code) = match (serial_number, code) {
            (None, None) => return Ok(self),
            (Some(serial_number), Some(code)) => (serial_number, code),
            _ => return Err(NotProven::Half),
        };
        self.prove_code(directory, op, &OneTimeCode { serial_number, code, browser: None }).await
    }

    /// The same by a code that is there.
    ///
    /// # Errors
    /// [`NotProven`].
    pub async fn prove_code(
        self,
        directory: &Directory,
        op: &Operation,
        given: &OneTimeCode<'_>,
    ) -> Result<Self, NotProven> {
        // Somebody else's device is as unknown as none: nobody uses up the tries of another.
        let owner = KeyOwner::of(self.principal());
        let found = self.account().mfa_device(given.serial_number);
        let device = found.filter(|device| owner.is_some() && device.record.owner == owner);
        let device = device.ok_or(NotProven::Unable)?.clone();
        in_time(directory.spend_all(op, &device, given)).await?;
        Ok(self.with_mfa())
    }
}

impl Directory {
    /// What a device's record says once two codes in a row have shown where its clock stands. They must be newer
    /// than those that showed it before, and are not used up.
    ///
    /// # Errors
    /// [`NotProven`].
    pub async fn synchronized(
        &self,
        op: &Operation,
        device: &MfaDevice,
        codes: (&str, &str),
    ) -> Result<MfaDeviceRecord, NotProven> {
        in_time(self.spend_code_try(op, &device.record.id, None)).await?;
        let now = counter_at(op.now.as_second());
        let found = device.seed.find_pair(codes, near(now, OFFSET_STEPS_MAX));
        let newer = found.filter(|counter| device.record.last_pair.is_none_or(|last| *counter > last));
        let counter = newer.ok_or(NotProven::WrongCode)?;
        // The second code is the one that the device shows now.
        let clock_offset = counter.saturating_add(1).saturating_sub(now);
        Ok(MfaDeviceRecord { clock_offset, last_pair: Some(counter), ..device.record.clone() })
    }

    /// The same of a device that is in use. Codes that no longer count are used up by it: two old ones that somebody has
    /// seen would otherwise make themselves the present ones, and be proofs.
    ///
    /// # Errors
    /// [`NotProven`].
    pub async fn resynchronized(
        &self,
        op: &Operation,
        device: &MfaDevice,
        codes: (&str, &str),
    ) -> Result<MfaDeviceRecord, NotProven> {
        let record = self.synchronized(op, device, codes).await?;
        let first = record.last_pair.ok_or(NotProven::WrongCode)?;
        let counting = counter_at(op.now.as_second()).saturating_add(device.record.clock_offset);
        if first.saturating_add(1) >= counting.saturating_sub(WINDOW_STEPS) {
            return Ok(record);
        }
        let spending = async {
            self.spend_code(op, &record.id, first).await?;
            self.spend_code(op, &record.id, first.saturating_add(1)).await
        };
        in_time(spending).await?;
        Ok(record)
    }

    /// Spend a try, and the code if it is one that counts.
    async fn spend_all(
        &self,
        op: &Operation,
        device: &MfaDevice,
        given: &OneTimeCode<'_>,
    ) -> Result<(), NotProven> {
        self.spend_code_try(op, &device.record.id, given.browser).await?;
        let around = counter_at(op.now.as_second()).saturating_add(device.record.clock_offset);
        let counter = device.seed.find(given.code, near(around, WINDOW_STEPS)).ok_or(NotProven::WrongCode)?;
        self.spend_code(op, &device.record.id, counter).await
    }

    /// Spend one of the tries that are left. INVARIANT (tries-first): before the code is looked at.
    async fn spend_code_try(
        &self,
        op: &Operation,
        device: &UniqueId,
        browser: Option<&str>,
    ) -> Result<(), NotProven> {
        let spent = self.spend_try(op, |window, n| key::mfa_try(device, browser, window, n)).await?;
        if spent { Ok(()) } else { Err(NotProven::Unable) }
    }

    /// Spend a code, for as long as it could count again.
    async fn spend_code(&self, op: &Operation, device: &UniqueId, counter: i64) -> Result<(), NotProven> {
        let last = counter.saturating_add(OFFSET_STEPS_MAX + WINDOW_STEPS + 2);
        let expires_at = last.saturating_mul(STEP_SECONDS);
        let first = self.spend(op, key::mfa_code(device, counter), expires_at).await?;
        if first { Ok(()) } else { Err(NotProven::WrongCode) }
    }
}

fn near(counter: i64, steps: i64) -> RangeInclusive<i64> {
    counter.saturating_sub(steps)..=counter.saturating_add(steps)
}
