//! `iam:GetAccountPasswordPolicy`

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Serialize;

use crate::action::Action;
use crate::actions::iam::outbound::Nothing;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct GetPasswordPolicy;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    password_policy: PasswordPolicyShape,
}

/// `PasswordPolicy`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PasswordPolicyShape {
    minimum_password_length: u32,
    require_symbols: bool,
    require_numbers: bool,
    require_uppercase_characters: bool,
    require_lowercase_characters: bool,
    allow_users_to_change_password: bool,
    expire_passwords: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_password_age: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_reuse_prevention: Option<u32>,
    hard_expiry: bool,
}

impl Action for GetPasswordPolicy {
    const NAME: &'static str = "iam:GetAccountPasswordPolicy";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Nothing;
    type Output = Output;

    fn checks(scope: &Scope, _: &Nothing) -> Checks {
        Checks::one(super::granted(scope, scope.check(Self::NAME, "*")))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Nothing>) -> Result<Output, Error> {
        let policy = &super::find(&call.account())?.record;
        let password_policy = PasswordPolicyShape {
            minimum_password_length: policy.length_min,
            require_symbols: policy.require_symbols,
            require_numbers: policy.require_numbers,
            require_uppercase_characters: policy.require_uppercase,
            require_lowercase_characters: policy.require_lowercase,
            allow_users_to_change_password: policy.users_may_change,
            expire_passwords: policy.days_max.is_some(),
            max_password_age: policy.days_max,
            password_reuse_prevention: policy.reuse_prevention,
            hard_expiry: policy.hard_expiry,
        };
        Ok(Output { password_policy })
    }
}
