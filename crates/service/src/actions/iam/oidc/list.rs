//! `iam:ListOpenIDConnectProviders`: their ARNs, all at once.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::EntityKind;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct ListOidcProviders;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {}

#[derive(Serialize)]
pub(in crate::actions::iam) struct Output {
    #[serde(rename = "OpenIDConnectProviderList")]
    providers: Vec<Entry>,
}

/// `OpenIDConnectProviderListEntry`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    arn: String,
}

impl Action for ListOidcProviders {
    const NAME: &'static str = "iam:ListOpenIDConnectProviders";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(target::collection(Self::NAME, scope, EntityKind::OidcProvider, None))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let providers = call.account().oidc_providers().map(|provider| Entry { arn: provider.arn.clone() });
        Ok(Output { providers: providers.collect() })
    }
}
