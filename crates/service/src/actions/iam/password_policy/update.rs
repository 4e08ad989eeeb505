//! `iam:UpdateAccountPasswordPolicy`: all of it at once; what is left out falls to its default. Passwords that there are
//! already are not held to it before they are changed.

use daypass_directory::record::{PasswordPolicyRecord, Unknown};
use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Deserialize;

use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct UpdatePasswordPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(default = "length_min_default")]
    minimum_password_length: u32,
    #[serde(default)]
    require_symbols: bool,
    #[serde(default)]
    require_numbers: bool,
    #[serde(default)]
    require_uppercase_characters: bool,
    #[serde(default)]
    require_lowercase_characters: bool,
    #[serde(default)]
    allow_users_to_change_password: bool,
    max_password_age: Option<u32>,
    password_reuse_prevention: Option<u32>,
    #[serde(default)]
    hard_expiry: bool,
}

/// Of a policy that names no length (IAM API Reference, UpdateAccountPasswordPolicy).
fn length_min_default() -> u32 {
    6
}

impl Action for UpdatePasswordPolicy {
    const NAME: &'static str = "iam:UpdateAccountPasswordPolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let place = key::password_policy(account.id());
        let mut change = call.change(op);
        let unknown = match account.password_policy() {
            Some(policy) => {
                change.unchanged(place.clone(), policy.revision);
                policy.record.unknown.clone()
            }
            None => {
                change.absent(place.clone());
                Unknown::new()
            }
        };
        let record = PasswordPolicyRecord {
            written: change.written(),
            length_min: input.minimum_password_length,
            require_symbols: input.require_symbols,
            require_numbers: input.require_numbers,
            require_uppercase: input.require_uppercase_characters,
            require_lowercase: input.require_lowercase_characters,
            users_may_change: input.allow_users_to_change_password,
            days_max: input.max_password_age,
            reuse_prevention: input.password_reuse_prevention,
            hard_expiry: input.hard_expiry,
            unknown,
        };
        change.put(place, &record);
        Ok(house.directory.commit(change).await?)
    }
}
