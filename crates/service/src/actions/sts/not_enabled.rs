//! `sts:AssumeRoot` and `sts:GetDelegatedAccessToken`: calls of features that every account has switched off, because
//! there is no organization with centralized root access here and no IAM delegation request. Their parameters are
//! read and whoever asks is refused, in the sentence of any other denial: AWS documents no error of their own.
//!
//! They are found by name and counted among no list of what daypass does.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::AccountId;
use serde::Deserialize;

use super::issue::PolicyDescriptor;
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct AssumeRoot;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Target {
    target_principal: String,
    #[serde(rename = "TaskPolicyArn")]
    _task: PolicyDescriptor,
    #[serde(rename = "DurationSeconds")]
    _seconds: Option<i64>,
    #[serde(rename = "MinimumSessionTokenSize")]
    _size: Option<i64>,
}

impl Action for AssumeRoot {
    const NAME: &'static str = "sts:AssumeRoot";
    const CALLERS: Callers = Callers::NoDerivedSessions;
    const READ_ONLY: bool = false;
    type Input = Target;
    type Output = ();

    fn checks(_: &Scope, input: &Target) -> Checks {
        let target = &input.target_principal;
        let root = target.parse::<AccountId>().map_or_else(|_| target.clone(), |account| account.root_arn());
        Checks::nobody_may(Self::NAME, root)
    }

    async fn act(_: &Operation, _: &House, _: Authorized<Target>) -> Result<(), Error> {
        Err(Error::internal("somebody was let in to what nobody may"))
    }
}

pub(super) struct GetDelegatedAccessToken;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct TradeIn {
    #[serde(rename = "TradeInToken")]
    _token: serde::de::IgnoredAny,
}

impl Action for GetDelegatedAccessToken {
    const NAME: &'static str = "sts:GetDelegatedAccessToken";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = TradeIn;
    type Output = ();

    fn checks(_: &Scope, _: &TradeIn) -> Checks {
        Checks::nobody_may(Self::NAME, "*")
    }

    async fn act(_: &Operation, _: &House, _: Authorized<TradeIn>) -> Result<(), Error> {
        Err(Error::internal("somebody was let in to what nobody may"))
    }
}
