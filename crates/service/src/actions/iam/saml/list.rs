//! `iam:ListSAMLProviders`: all at once.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::EntityKind;
use serde::{Deserialize, Serialize};

use super::rules as saml_rules;
use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::Time;

pub(in crate::actions::iam) struct ListSamlProviders;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {}

#[derive(Serialize)]
pub(in crate::actions::iam) struct Output {
    #[serde(rename = "SAMLProviderList")]
    providers: Vec<Entry>,
}

/// `SAMLProviderListEntry`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    arn: String,
    valid_until: Time,
    create_date: Time,
}

impl Action for ListSamlProviders {
    const NAME: &'static str = "iam:ListSAMLProviders";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(target::collection(Self::NAME, scope, EntityKind::SamlProvider, None))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let entry = |provider: &std::sync::Arc<daypass_directory::SamlProvider>| Entry {
            arn: provider.arn.clone(),
            valid_until: Time(saml_rules::valid_until(&provider.metadata, provider.record.metadata_since)),
            create_date: Time(provider.record.created),
        };
        Ok(Output { providers: call.account().saml_providers().map(entry).collect() })
    }
}
