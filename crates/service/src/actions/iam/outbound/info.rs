//! `iam:GetOutboundWebIdentityFederationInfo`: as whom the account's tokens are issued.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Serialize;

use super::{Nothing, disabled, enabled};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct GetOutboundFederationInfo;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    issuer_identifier: String,
    jwt_vending_enabled: bool,
}

impl Action for GetOutboundFederationInfo {
    const NAME: &'static str = "iam:GetOutboundWebIdentityFederationInfo";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Nothing;
    type Output = Output;

    fn checks(scope: &Scope, _: &Nothing) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Nothing>) -> Result<Output, Error> {
        let issuer = enabled(&call.account())?;
        // A server that lost its public URL, or has an unsafe one, issues none whatever was enabled.
        let settings = &house.settings;
        let issuer_identifier = settings.web_identity_issuer(&issuer.record.uuid).ok_or_else(disabled)?;
        Ok(Output { issuer_identifier, jwt_vending_enabled: settings.issuer_is_safe() })
    }
}
