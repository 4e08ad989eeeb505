//! `daypass:GetOpenIDConnectProviderSettings`

use std::sync::Arc;

use daypass_directory::{AccountView, Authorized, Checks, OidcProvider, Operation, Scope};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::{find_oidc_provider, oidc_provider_check};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct GetProviderSettings;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    algorithms: Vec<String>,
    condition_claims: Vec<String>,
}

impl Action for GetProviderSettings {
    const NAME: &'static str = "daypass:GetOpenIDConnectProviderSettings";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(oidc_provider_check(Self::NAME, scope, &input.arn))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let account = call.account();
        let provider = find(&account, &call.input().arn)?;
        Ok(Output {
            arn: provider.arn.clone(),
            algorithms: provider.record.algorithms.clone(),
            condition_claims: provider.record.condition_claims.clone(),
        })
    }
}

/// The provider that a call means, in the words of this API where its ARN is none.
pub(super) fn find<'v>(account: &AccountView<'v>, arn: &str) -> Result<&'v Arc<OidcProvider>, Error> {
    find_oidc_provider(account, arn).map_err(|error| match error.code {
        "InvalidInput" => Error::validation(error.message),
        _ => error,
    })
}
